//! Reversals: a transaction's money taken back, wholly or in part, never more than it moved.
//!
//! They append to the original's stream, so two racing reversals meet at one version and the
//! loser is decided again on what the winner left. A reversal cannot be reversed.

use super::event::{self, MoveFact, TransactionPosted, TransactionReversed};
use super::known::{Identity, Known, Side};
use super::transaction::{Stated, amount, to_payload};
use crate::event_store::Recorded;
use crate::event_store::proposal::{Decision, EntryKind, Move, NewEvent, Proposal, StreamVersion};
use crate::kernel::{Minor, Refusal, RefusalCode};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// A transaction folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Its stream.
    pub id: Uuid,
    /// Events so far.
    pub version: i32,
    /// Its legs, in order of their lines.
    pub moves: Vec<MoveFact>,
    /// What was taken back per line, as a positive amount.
    pub reversed: Vec<Minor>,
    /// The payment that alone takes it back, where there is one.
    pub bound_to: Option<Uuid>,
}

impl Transaction {
    /// Folds a stream; `None` when it is not a transaction's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let first = events.first().filter(|e| e.kind == event::TRANSACTION_POSTED)?;
        let moves = serde_json::from_str::<event::Moves>(&first.payload).ok()?.moves;
        let facts: TransactionPosted = first.says()?;
        let reversed = vec![Minor::ZERO; moves.len()];
        let bound_to = facts.payment.filter(|_| facts.is_bound);
        let mut transaction = Self { id: first.stream, version: 1, moves, reversed, bound_to };
        for event in &events[1..] {
            transaction.evolve(event)?;
        }
        Some(transaction)
    }

    fn evolve(&mut self, event: &Recorded) -> Option<()> {
        let facts = serde_json::from_str::<TransactionReversed>(&event.payload).ok()?;
        let back = serde_json::from_str::<event::Moves>(&event.payload).ok()?.moves;
        self.version = event.version;
        for (line, (_, posted, ..)) in facts.lines.iter().zip(back) {
            let reversed = self.reversed.get_mut(usize::from(*line))?;
            *reversed = reversed.plus(Minor::new(posted.units().abs()));
        }
        Some(())
    }

    /// What may still be taken back of a line.
    fn remaining(&self, line: usize) -> Minor {
        Minor::new(self.moves[line].1.units().abs()).minus(self.reversed[line])
    }
}

/// The command to reverse.
#[derive(Debug, Clone)]
pub struct Reverse {
    /// The original.
    pub transaction: Uuid,
    /// The reversal's id, drawn by the service.
    pub reversal: Uuid,
    /// How much.
    pub extent: Extent,
    /// For people.
    pub description: Option<String>,
}

/// How much of an original (or of a hold) a command takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// What remains.
    All,
    /// An amount of both legs.
    Amount(Money),
    /// Amounts of single lines.
    Lines(Vec<(u16, Money)>),
}

/// Money as the caller wrote it, of an asset that the original already fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// A decimal text.
    pub amount: String,
    /// The asset that the caller believes it to be of; `None` where a caller need not say.
    pub asset: Option<String>,
}

impl From<&str> for Money {
    fn from(amount: &str) -> Self {
        Self { amount: amount.to_owned(), asset: None }
    }
}

impl From<String> for Money {
    fn from(amount: String) -> Self {
        Self { amount, asset: None }
    }
}

impl Money {
    /// Reads the amount of a line of `account`; `pointer` is the member that holds this money.
    pub fn parse(&self, account: Option<&Identity>, pointer: &str) -> Result<Minor, Refusal> {
        let (scale, asset) = account.map_or((0, ""), |a| (a.scale, a.asset.as_str()));
        if self.asset.as_ref().is_some_and(|stated| stated != asset) {
            return Err(Refusal::new(RefusalCode::ValidationFailed, format!("the line is in {asset}"))
                .at(format!("{pointer}/asset")));
        }
        amount(&self.amount, scale, &format!("{pointer}/amount"))
    }
}

/// Decides a reversal against the folded original.
pub fn reverse(command: &Reverse, original: &Transaction, known: &Known) -> Result<Decision, Refusal> {
    let current = vec![StreamVersion { stream: original.id, version: original.version }];
    let lines = match lines(&command.extent, original, known)? {
        Ok(lines) => lines,
        Err(refusal) => return Ok(Decision::Refuse(refusal, current)),
    };
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    let mut moves = Vec::with_capacity(lines.len());
    for (line, amount) in &lines {
        let (account, posted, ..) = original.moves[usize::from(*line)];
        let back = if posted.is_positive() { -*amount } else { *amount };
        if let Some(identity) = known.accounts.get(&account) {
            let debit = if identity.normal_side == Side::Debit { back } else { -back };
            *sums.entry(&identity.asset).or_default() += debit.units();
        }
        moves.push(Move { account, posted: back, line: *line, ..Move::default() });
    }
    if let Some((asset, _)) = sums.iter().find(|(_, sum)| **sum != 0) {
        return Ok(Decision::Refuse(
            Refusal::new(RefusalCode::Unbalanced, format!("the lines to reverse do not balance in {asset}"))
                .at("/lines"),
            current,
        ));
    }
    let facts = TransactionReversed {
        reversal: command.reversal,
        lines: lines.iter().map(|(line, _)| *line).collect(),
        description: command.description.clone(),
    };
    let event = NewEvent {
        stream: original.id,
        expected: original.version,
        fresh: false,
        kind: event::TRANSACTION_REVERSED,
        payload: to_payload(&facts),
        effective_at: None,
        entry_kind: EntryKind::Reversal,
        moves,
        settings: None,
    };
    Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
}

fn lines(extent: &Extent, original: &Transaction, known: &Known) -> Stated<Vec<(u16, Minor)>> {
    let all = 0..u16::try_from(original.moves.len()).unwrap_or(u16::MAX);
    let account =
        |line: u16| original.moves.get(usize::from(line)).and_then(|m| known.accounts.get(&m.0)).map(AsRef::as_ref);
    let lines: Vec<(u16, Minor)> = match extent {
        Extent::All => all
            .map(|line| (line, original.remaining(usize::from(line))))
            .filter(|(_, amount)| amount.is_positive())
            .collect(),
        Extent::Amount(_) if all.len() != 2 => {
            return Err(Refusal::new(
                RefusalCode::ValidationFailed,
                "a transaction of more than two legs is reversed by lines",
            )
            .at("/amount"));
        }
        Extent::Amount(money) => {
            let amount = money.parse(account(0), "/amount")?;
            all.map(|line| (line, amount)).collect()
        }
        Extent::Lines(lines) => {
            let mut seen = HashSet::new();
            let mut parsed = Vec::with_capacity(lines.len());
            for (index, (line, money)) in lines.iter().enumerate() {
                if !all.contains(line) || !seen.insert(*line) {
                    return Err(Refusal::new(
                        RefusalCode::ValidationFailed,
                        format!("line {line} does not exist or stands twice"),
                    )
                    .at(format!("/lines/{index}/line")));
                }
                parsed.push((*line, money.parse(account(*line), &format!("/lines/{index}/amount"))?));
            }
            parsed
        }
    };
    let exceeded = lines.iter().find(|(line, amount)| *amount > original.remaining(usize::from(*line)));
    if lines.is_empty() || exceeded.is_some() {
        let remaining = exceeded.map_or(Minor::ZERO, |(line, _)| original.remaining(usize::from(*line)));
        let remaining = remaining.to_text(account(exceeded.map_or(0, |(line, _)| *line)).map_or(0, |a| a.scale));
        return Ok(Err(Refusal::new(
            RefusalCode::ReversalExceeds,
            format!("{remaining} of the original is left to reverse"),
        )));
    }
    Ok(Ok(lines))
}
