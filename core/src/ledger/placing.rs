//! Placing a hold, making it last longer, making it hold more.

use super::event::{self, HoldExtended, HoldPlaced};
use super::hold::{Hold, Line, State};
use super::known::Known;
use super::reversal::{Extent, Money};
use super::transaction::{ChosenId, Leg, Quantity, Stated, one_move, to_payload};
use crate::event_store::Recorded;
use crate::event_store::proposal::{Decision, EntryKind, Move, NewEvent, Pointers, Proposal};
use crate::kernel::{Instant, Metadata, Minor, Refusal, RefusalCode};
use chrono::Duration;
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

/// A hold may be placed for at most this long.
pub const LONGEST: Duration = Duration::days(31);
/// All extensions together add at most this.
pub const LONGEST_EXTENSION: Duration = Duration::days(7);

/// The command to place a hold.
#[derive(Debug, Clone)]
pub struct Place {
    /// Drawn by the service, or chosen by the caller.
    pub id: ChosenId,
    /// One held leg, or balanced legs.
    pub legs: Vec<Leg>,
    /// How the body spells them.
    pub pointers: Pointers,
    /// From then on it counts as ended.
    pub expires_at: Instant,
    /// By how many per cent a final capture may exceed it, 0 to 100.
    pub over_capture_percent: u8,
    /// For people.
    pub description: Option<String>,
    /// The integrator's own facts.
    pub metadata: Metadata,
}

/// Decides a placing.
pub fn place(command: &Place, tenant: Uuid, known: &Known) -> Result<Decision, Refusal> {
    let moves = match moves(command, tenant, known)? {
        Ok(moves) => moves,
        Err(refusal) => return Ok(Decision::Refuse(refusal, Vec::new())),
    };
    let facts = HoldPlaced {
        expires_at: command.expires_at,
        over_capture_percent: command.over_capture_percent,
        payment: None,
        description: command.description.clone(),
        metadata: command.metadata.clone(),
    };
    let event = NewEvent {
        fresh: !command.id.is_callers,
        ..hold_event(command.id.id, 0, event::HOLD_PLACED, to_payload(&facts), EntryKind::Hold, moves)
    };
    Ok(Decision::Propose(Proposal { events: vec![event], pointers: command.pointers, ..Proposal::default() }))
}

/// Whether a stream begun by an earlier request states the same facts as this command.
pub fn is_same(command: &Place, tenant: Uuid, known: &Known, recorded: &Recorded) -> bool {
    let Ok(Ok(moves)) = moves(command, tenant, known) else { return false };
    let (Ok(facts), Ok(legs)) = (
        serde_json::from_str::<HoldPlaced>(&recorded.payload),
        serde_json::from_str::<event::Moves>(&recorded.payload),
    ) else {
        return false;
    };
    let same_legs = moves.len() == legs.moves.len()
        && moves.iter().zip(&legs.moves).all(|(m, (account, _, held, incoming))| {
            m.account == *account && m.held == *held && m.incoming == *incoming
        });
    same_legs
        && facts.description == command.description
        && facts.metadata == command.metadata
        && facts.over_capture_percent == command.over_capture_percent
}

fn moves(command: &Place, tenant: Uuid, known: &Known) -> Stated<Vec<Move>> {
    let mut seen = HashSet::new();
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    let mut moves = Vec::with_capacity(command.legs.len());
    for (index, leg) in command.legs.iter().enumerate() {
        if leg.quantity == Quantity::Available {
            return Err(Refusal::new(RefusalCode::ValidationFailed, "a hold states its amount").at("/amount/amount"));
        }
        let line = u16::try_from(index).unwrap_or(u16::MAX);
        let movement = match one_move(leg, line, command.pointers, tenant, known)? {
            Ok(movement) => movement,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !seen.insert(movement.account) {
            return Ok(Err(Refusal::new(
                RefusalCode::DuplicateAccount,
                format!("the account {} stands twice in the hold", leg.account),
            )
            .at(command.pointers.pointer(line).unwrap_or_default())));
        }
        let amount = movement.posted.units().abs();
        *sums.entry(&leg.asset).or_default() +=
            if leg.direction == super::known::Side::Debit { amount } else { -amount };
        moves.push(set_aside(movement));
    }
    let has_destination = moves.len() > 1;
    if !has_destination && moves.iter().any(|m| m.held.is_zero()) {
        return Err(Refusal::new(
            RefusalCode::ValidationFailed,
            "a hold without a destination holds money of an account that the movement would lower",
        )
        .at("/from"));
    }
    if has_destination && let Some((asset, _)) = sums.iter().find(|(_, sum)| **sum != 0) {
        return Ok(Err(
            Refusal::new(RefusalCode::Unbalanced, format!("debits and credits in {asset} differ")).at("/legs")
        ));
    }
    Ok(Ok(moves))
}

/// What would be posted is held where it lowers the account, announced where it raises it.
fn set_aside(movement: Move) -> Move {
    let (held, incoming) =
        if movement.posted.is_negative() { (-movement.posted, Minor::ZERO) } else { (Minor::ZERO, movement.posted) };
    Move { posted: Minor::ZERO, held, incoming, ..movement }
}

/// Decides an extension.
pub fn extend(hold: &Hold, expires_at: Instant) -> Result<Decision, Refusal> {
    if hold.state != State::Open {
        return Ok(Decision::Refuse(hold.ended(), hold.current()));
    }
    if expires_at <= hold.expires_at {
        return Err(
            Refusal::new(RefusalCode::ValidationFailed, "the new end is not after the present one").at("/expires_at")
        );
    }
    if expires_at - hold.placed.expires_at > LONGEST_EXTENSION {
        return Err(
            Refusal::new(RefusalCode::ValidationFailed, "all extensions together add at most 7 days").at("/expires_at")
        );
    }
    let payload = to_payload(&HoldExtended { expires_at });
    let event = hold_event(hold.id, hold.version, event::HOLD_EXTENDED, payload, EntryKind::Hold, Vec::new());
    Ok(Decision::Propose(Proposal {
        events: vec![event],
        until: Some((hold.expires_at, hold.ended())),
        ..Proposal::default()
    }))
}

/// Decides an increment; bounds are checked like at the placing.
pub fn increment(hold: &Hold, extent: &Extent, known: &Known) -> Result<Decision, Refusal> {
    if hold.state != State::Open {
        return Ok(Decision::Refuse(hold.ended(), hold.current()));
    }
    let lines = amounts(hold, extent, known)?;
    if let Some(refusal) = unbalanced(hold, &lines, known) {
        return Ok(Decision::Refuse(refusal, hold.current()));
    }
    let moves = lines.iter().map(|(line, amount)| {
        let Line { account, is_held, .. } = hold.lines[usize::from(*line)];
        let (kept, incoming) = if is_held { (*amount, Minor::ZERO) } else { (Minor::ZERO, *amount) };
        Move { account, held: kept, incoming, line: *line, ..Move::default() }
    });
    let event =
        hold_event(hold.id, hold.version, event::HOLD_INCREMENTED, "{}".to_owned(), EntryKind::Hold, moves.collect());
    Ok(Decision::Propose(Proposal {
        events: vec![event],
        until: Some((hold.expires_at, hold.ended())),
        ..Proposal::default()
    }))
}

/// The amounts per line that an extent means for a hold.
pub fn amounts(hold: &Hold, extent: &Extent, known: &Known) -> Result<Vec<(u16, Minor)>, Refusal> {
    let count = u16::try_from(hold.lines.len()).unwrap_or(u16::MAX);
    let account =
        |line: u16| hold.lines.get(usize::from(line)).and_then(|l| known.accounts.get(&l.account)).map(AsRef::as_ref);
    match extent {
        Extent::All => Ok((0..count).map(|line| (line, hold.lines[usize::from(line)].remaining())).collect()),
        Extent::Amount(_) if count > 2 => Err(Refusal::new(
            RefusalCode::ValidationFailed,
            "a hold of more than two legs takes amounts per line, or all",
        )
        .at("/amount")),
        Extent::Amount(money) => {
            let amount = money.parse(account(0), "/amount")?;
            Ok((0..count).map(|line| (line, amount)).collect())
        }
        Extent::Lines(lines) => {
            let mut seen = HashSet::new();
            let parse = |(index, (line, money)): (usize, &(u16, Money))| {
                if *line >= count || !seen.insert(*line) {
                    return Err(Refusal::new(
                        RefusalCode::ValidationFailed,
                        format!("line {line} does not exist or stands twice"),
                    )
                    .at(format!("/lines/{index}/line")));
                }
                Ok((*line, money.parse(account(*line), &format!("/lines/{index}/amount"))?))
            };
            lines.iter().enumerate().map(parse).collect()
        }
    }
}

/// The refusal when amounts of a hold with named destinations do not balance per asset.
pub fn unbalanced(hold: &Hold, lines: &[(u16, Minor)], known: &Known) -> Option<Refusal> {
    if hold.lines.len() < 2 {
        return None;
    }
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    for (line, amount) in lines {
        let Line { account, is_held, .. } = hold.lines[usize::from(*line)];
        let Some(identity) = known.accounts.get(&account) else { continue };
        // A held leg lowers its account, so it stands on the side opposite to the normal one.
        let is_debit = (identity.normal_side == super::known::Side::Debit) != is_held;
        *sums.entry(&identity.asset).or_default() += if is_debit { amount.units() } else { -amount.units() };
    }
    let (asset, _) = sums.iter().find(|(_, sum)| **sum != 0)?;
    Some(Refusal::new(RefusalCode::Unbalanced, format!("the lines do not balance in {asset}")).at("/lines"))
}

/// An event of a hold's stream.
pub fn hold_event(
    stream: Uuid,
    expected: i32,
    kind: &'static str,
    payload: String,
    entry_kind: EntryKind,
    moves: Vec<Move>,
) -> NewEvent {
    NewEvent { stream, expected, fresh: false, kind, payload, effective_at: None, entry_kind, moves, settings: None }
}
