//! Transactions: n balanced legs that happen at once.

use super::event::{self, TransactionPosted};
use super::known::{AccountRef, Known, Side};
use crate::event_store::Recorded;
use crate::event_store::proposal::{Decision, EntryKind, Expect, Move, NewEvent, OpenAmount, Pointers, Proposal};
use crate::kernel::{Instant, Metadata, Minor, Refusal, RefusalCode};
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// The command to post a transaction.
#[derive(Debug, Clone)]
pub struct Post {
    /// Drawn by the service, or chosen by the caller.
    pub id: ChosenId,
    /// At least two.
    pub legs: Vec<Leg>,
    /// How the body spells them.
    pub pointers: Pointers,
    /// Value date, already checked for its range.
    pub effective_at: Option<Instant>,
    /// For people.
    pub description: Option<String>,
    /// The integrator's own facts.
    pub metadata: Metadata,
}

/// The id of a new stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChosenId {
    /// The id.
    pub id: Uuid,
    /// The caller chose it, so it may exist already.
    pub is_callers: bool,
}

/// One side of a transaction.
#[derive(Debug, Clone)]
pub struct Leg {
    /// Whose balance changes.
    pub account: AccountRef,
    /// On which side.
    pub direction: Side,
    /// How much.
    pub quantity: Quantity,
    /// Of what.
    pub asset: String,
    /// The caller's conditions; `after` still as text.
    pub expect: Option<ExpectText>,
}

/// How much a leg moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quantity {
    /// A decimal text.
    Exact(String),
    /// What the source has: one source and one balancing leg per asset.
    Available,
}

/// Conditions as the caller wrote them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectText {
    /// Entry version before.
    pub version: Option<i64>,
    /// Settings version.
    pub settings_version: Option<i32>,
    /// `posted` after, as a decimal text.
    pub after: Option<String>,
}

/// Decides a posting. `Err` is a request that can never be right and is not recorded.
pub fn post(command: &Post, tenant: Uuid, known: &Known) -> Result<Decision, Refusal> {
    let payload = TransactionPosted {
        description: command.description.clone(),
        metadata: command.metadata.clone(),
        ..TransactionPosted::default()
    };
    let moves = match moves(command, tenant, known)? {
        Ok(moves) => moves,
        Err(refusal) => return Ok(Decision::Refuse(refusal, Vec::new())),
    };
    let event = NewEvent {
        stream: command.id.id,
        expected: 0,
        fresh: !command.id.is_callers,
        kind: event::TRANSACTION_POSTED,
        payload: to_payload(&payload),
        effective_at: command.effective_at,
        entry_kind: EntryKind::Posting,
        moves,
        settings: None,
    };
    Ok(Decision::Propose(Proposal { events: vec![event], pointers: command.pointers, ..Proposal::default() }))
}

/// Whether a stream begun by an earlier request states the same facts as this command.
pub fn is_same(command: &Post, tenant: Uuid, known: &Known, recorded: &Recorded) -> bool {
    let Ok(Ok(moves)) = moves(command, tenant, known) else { return false };
    let (Ok(facts), Ok(legs)) = (
        serde_json::from_str::<TransactionPosted>(&recorded.payload),
        serde_json::from_str::<event::Moves>(&recorded.payload),
    ) else {
        return false;
    };
    let same_legs = moves.len() == legs.moves.len()
        && moves.iter().zip(&legs.moves).all(|(wanted, (account, posted, ..))| {
            wanted.account == *account && (wanted.open.is_some() || wanted.posted == *posted)
        });
    same_legs
        && facts.description == command.description
        && facts.metadata == command.metadata
        && recorded.effective_at == command.effective_at
}

/// A decision's part: the outer error is malformed, the inner one a refusal on what is known.
pub type Stated<T> = Result<Result<T, Refusal>, Refusal>;

/// The legs as moves in the direction of each account's normal side.
fn moves(command: &Post, tenant: Uuid, known: &Known) -> Stated<Vec<Move>> {
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    let mut seen = HashSet::with_capacity(command.legs.len());
    let mut open: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut moves = Vec::with_capacity(command.legs.len());
    for (index, leg) in command.legs.iter().enumerate() {
        let line = u16::try_from(index).unwrap_or(u16::MAX);
        let pointer = || command.pointers.pointer(line).unwrap_or_default();
        let movement = match one_move(leg, line, command.pointers, tenant, known)? {
            Ok(movement) => movement,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !seen.insert(movement.account) {
            return Ok(Err(Refusal::new(
                RefusalCode::DuplicateAccount,
                format!("the account {} stands twice in the transaction", leg.account),
            )
            .at(pointer())));
        }
        match leg.quantity {
            Quantity::Available => open.entry(&leg.asset).or_default().push(index),
            Quantity::Exact(_) => {
                let amount = movement.posted.units().abs();
                *sums.entry(&leg.asset).or_default() += if leg.direction == Side::Debit { amount } else { -amount };
            }
        }
        moves.push(movement);
    }
    if let Some((asset, difference)) = sums.iter().find(|(_, sum)| **sum != 0) {
        let scale = known.assets.get(*asset).copied().unwrap_or(0);
        let difference = Minor::new(difference.abs()).to_text(scale);
        return Ok(Err(Refusal::new(
            RefusalCode::Unbalanced,
            format!("debits and credits in {asset} differ by {difference}"),
        )
        .at(legs_pointer(command.pointers))));
    }
    for (pair, (asset, indexes)) in open.iter().enumerate() {
        pair_open(command, &mut moves, u8::try_from(pair).unwrap_or(u8::MAX), asset, indexes)?;
    }
    Ok(Ok(moves))
}

fn legs_pointer(pointers: Pointers) -> &'static str {
    if pointers == Pointers::Legs { "/legs" } else { "/amount" }
}

/// One leg, resolved and parsed.
pub fn one_move(leg: &Leg, line: u16, pointers: Pointers, tenant: Uuid, known: &Known) -> Stated<Move> {
    let below = |member: &str| match pointers {
        Pointers::Legs => format!("/legs/{line}{member}"),
        _ if member == "/account" => pointers.pointer(line).unwrap_or_default(),
        _ => member.to_owned(),
    };
    let Some(scale) = known.assets.get(&leg.asset).copied() else {
        return Ok(Err(Refusal::new(RefusalCode::UnknownAsset, format!("the asset {} is not registered", leg.asset))
            .at(below("/amount/asset"))));
    };
    let amount = match &leg.quantity {
        Quantity::Exact(text) => amount(text, scale, &below("/amount/amount"))?,
        Quantity::Available => Minor::ZERO,
    };
    let id = leg.account.id(tenant, &leg.asset);
    let Some(account) = known.accounts.get(&id) else {
        return Ok(Err(Refusal::new(
            RefusalCode::UnknownAccount,
            format!("there is no account {} in {}", leg.account, leg.asset),
        )
        .at(below("/account"))));
    };
    if account.asset != leg.asset {
        let detail = format!("the account {} is in {}, not in {}", leg.account, account.asset, leg.asset);
        return Ok(Err(Refusal::new(RefusalCode::UnknownAccount, detail).at(below("/account"))));
    }
    let posted = if account.normal_side == leg.direction { amount } else { -amount };
    let open = (leg.quantity == Quantity::Available).then(|| OpenAmount {
        pair: 0,
        is_source: false,
        sign: if account.normal_side == leg.direction { 1 } else { -1 },
    });
    let expect = match &leg.expect {
        None => None,
        Some(expect) => Some(Box::new(expectation(expect, scale, &below("/expect_after"))?)),
    };
    Ok(Ok(Move { account: id, posted, line, open, expect, ..Move::default() }))
}

fn expectation(text: &ExpectText, scale: u8, pointer: &str) -> Result<Expect, Refusal> {
    let after = match &text.after {
        None => None,
        Some(after) => Some(Minor::parse_balance(after, scale).map_err(|error| {
            Refusal::new(RefusalCode::ValidationFailed, format!("the balance {error}")).at(pointer)
        })?),
    };
    Ok(Expect { version: text.version, settings_version: text.settings_version, after })
}

/// Reads an amount or says what is wrong with it, naming the member.
pub fn amount(text: &str, scale: u8, pointer: &str) -> Result<Minor, Refusal> {
    Minor::parse_amount(text, scale)
        .map_err(|error| Refusal::new(RefusalCode::ValidationFailed, format!("the amount {error}")).at(pointer))
}

/// An open amount needs exactly a source, whose balance it lowers, and one leg to take it.
fn pair_open(command: &Post, moves: &mut [Move], pair: u8, asset: &str, indexes: &[usize]) -> Result<(), Refusal> {
    let malformed =
        |detail: String| Refusal::new(RefusalCode::ValidationFailed, detail).at(legs_pointer(command.pointers));
    let &[first, second] = indexes else {
        return Err(malformed(format!(
            "\"available\" stands in {} legs of {asset}; it needs one source and one balancing leg",
            indexes.len()
        )));
    };
    if command.legs[first].direction == command.legs[second].direction {
        return Err(malformed(format!("both \"available\" legs of {asset} are on the same side")));
    }
    let sign = |index: usize| moves[index].open.map_or(0, |o| o.sign);
    let source = match (sign(first), sign(second)) {
        (-1, 1) => first,
        (1, -1) => second,
        // Both balances fall (or rise): the debited leg counts as the one that gives.
        _ if command.legs[first].direction == Side::Debit => first,
        _ => second,
    };
    for index in [first, second] {
        if let Some(open) = &mut moves[index].open {
            open.pair = pair;
            open.is_source = index == source;
        }
    }
    Ok(())
}

/// The bytes of a payload. Facts are plain structs, which always serialise.
pub fn to_payload<T: serde::Serialize>(facts: &T) -> String {
    serde_json::to_string(facts).unwrap_or_else(|error| unreachable!("facts are plain data: {error}"))
}
