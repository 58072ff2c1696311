//! The ends of a hold: capture, release, expiry. Racing ends meet at one stream version: one wins.

use super::event::{self, HoldCaptured, TransactionPosted};
use super::hold::{Hold, State};
use super::known::{AccountRef, Known};
use super::placing::{amounts, hold_event, unbalanced};
use super::reversal::Extent;
use super::transaction::to_payload;
use crate::event_store::proposal::{Decision, EntryKind, Move, NewEvent, Proposal};
use crate::kernel::{Metadata, Minor, Refusal, RefusalCode};
use uuid::Uuid;

/// The command to capture.
#[derive(Debug, Clone)]
pub struct Capture {
    /// The hold.
    pub hold: Uuid,
    /// The id of the transaction that moves the money, drawn by the service.
    pub transaction: Uuid,
    /// How much.
    pub extent: Extent,
    /// Where the money goes, when the hold did not name it.
    pub to: Option<AccountRef>,
    /// What remains is released.
    pub is_final: bool,
    /// For people.
    pub description: Option<String>,
    /// The integrator's own facts.
    pub metadata: Metadata,
}

/// Decides a capture against the folded hold.
///
/// It is two events: `hold.captured` on the hold's stream, and a transaction of its own that moves
/// the money, so that captures are found, shown and reversed like any other transaction.
pub fn capture(command: &Capture, hold: &Hold, tenant: Uuid, known: &Known) -> Result<Decision, Refusal> {
    if hold.state != State::Open {
        return Ok(Decision::Refuse(hold.ended(), hold.current()));
    }
    let refuse = |refusal| Ok(Decision::Refuse(refusal, hold.current()));
    let lines = amounts(hold, &command.extent, known)?;
    let exceeded = |(line, amount): &&(u16, Minor)| *amount > allowed(hold, *line, command.is_final);
    if let Some((line, _)) = lines.iter().find(exceeded) {
        let scale = known.accounts.get(&hold.lines[usize::from(*line)].account).map_or(0, |a| a.scale);
        let left = allowed(hold, *line, command.is_final).to_text(scale);
        return refuse(Refusal::new(RefusalCode::CaptureExceedsHold, format!("{left} of the hold can be captured")));
    }
    if let Some(refusal) = unbalanced(hold, &lines, known) {
        return refuse(refusal);
    }
    let captured =
        |line: usize| lines.iter().find(|(l, _)| usize::from(*l) == line).map_or(Minor::ZERO, |(_, amount)| *amount);
    let ends = command.is_final || (0..hold.lines.len()).all(|line| captured(line) >= hold.lines[line].remaining());
    let mut moves: Vec<Move> =
        (0..hold.lines.len()).filter_map(|line| taken(hold, line, captured(line), ends)).collect();
    match destination(command, hold, tenant, known, captured(0))? {
        Ok(destination) => moves.extend(destination),
        Err(refusal) => return refuse(refusal),
    }
    let facts = HoldCaptured { transaction: command.transaction, lines: lines.clone(), ends };
    let posted = TransactionPosted {
        description: command.description.clone(),
        metadata: command.metadata.clone(),
        hold: Some(hold.id),
        ..TransactionPosted::default()
    };
    let captured =
        hold_event(hold.id, hold.version, event::HOLD_CAPTURED, to_payload(&facts), EntryKind::Capture, Vec::new());
    let mut transaction =
        hold_event(command.transaction, 0, event::TRANSACTION_POSTED, to_payload(&posted), EntryKind::Capture, moves);
    transaction.fresh = true;
    Ok(Decision::Propose(Proposal {
        events: vec![captured, transaction],
        until: Some((hold.expires_at, hold.ended())),
        ..Proposal::default()
    }))
}

/// What a capture may still take of a line: the rest, and on a final capture the tolerance too.
pub(crate) fn allowed(hold: &Hold, line: u16, is_final: bool) -> Minor {
    let line = &hold.lines[usize::from(line)];
    let percent = if is_final { i128::from(hold.placed.over_capture_percent) } else { 0 };
    let ceiling = line.amount.units() * (100 + percent) / 100;
    Minor::new(ceiling).minus(line.captured)
}

/// What a capture does to the account of a line; the rest goes back when the hold ends.
pub(crate) fn taken(hold: &Hold, line: usize, amount: Minor, ends: bool) -> Option<Move> {
    let the = &hold.lines[line];
    let remaining = the.remaining();
    let set_free = if ends { remaining } else { amount };
    if amount.is_zero() && set_free.is_zero() {
        return None;
    }
    let line = u16::try_from(line).unwrap_or(u16::MAX);
    Some(if the.is_held {
        Move { account: the.account, posted: -amount, held: -set_free, line, ..Move::default() }
    } else {
        Move { account: the.account, posted: amount, incoming: -set_free, line, ..Move::default() }
    })
}

type Stated<T> = super::transaction::Stated<T>;

fn destination(command: &Capture, hold: &Hold, tenant: Uuid, known: &Known, amount: Minor) -> Stated<Option<Move>> {
    let malformed = |detail: &str| Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/to"));
    let to = match (&command.to, hold.lines.len()) {
        (None, 1) => return malformed("the hold names no destination, so the capture must"),
        (Some(_), 2..) => return malformed("the hold named its destination when it was placed"),
        (None, _) => return Ok(Ok(None)),
        (Some(to), _) => to,
    };
    let source = hold.lines[0].account;
    let Some(from) = known.accounts.get(&source) else { return malformed("the hold's account is not known") };
    let id = to.id(tenant, &from.asset);
    let Some(account) = known.accounts.get(&id).filter(|a| a.asset == from.asset) else {
        return Ok(Err(Refusal::new(
            RefusalCode::UnknownAccount,
            format!("there is no account {to} in {}", from.asset),
        )
        .at("/to")));
    };
    if id == source {
        return Ok(Err(
            Refusal::new(RefusalCode::DuplicateAccount, "the money would go to the account that holds it").at("/to")
        ));
    }
    // The held leg lowers its account: a debit where credits raise it, and the other way round.
    let side = from.normal_side;
    let posted = if account.normal_side == side { amount } else { -amount };
    Ok(Ok(Some(Move { account: id, posted, line: 1, ..Move::default() })))
}

/// Decides a release.
pub fn release(hold: &Hold) -> Decision {
    if hold.state == State::Open {
        Decision::Propose(give_back(hold, event::HOLD_RELEASED, EntryKind::Release))
    } else {
        Decision::Refuse(hold.ended(), hold.current())
    }
}

/// The fact that what remains of an open hold goes back, for a payment that gives it back itself.
pub(crate) fn released(hold: &Hold) -> NewEvent {
    ended(hold, event::HOLD_RELEASED, EntryKind::Release)
}

/// The expiry of a hold, which the clock or the writer itself proposes; `None` when it has ended.
pub fn expire(hold: &Hold) -> Option<Proposal> {
    let proposal = (hold.state == State::Open).then(|| give_back(hold, event::HOLD_EXPIRED, EntryKind::Expiry))?;
    let too_early = Refusal::new(RefusalCode::InvalidState, "the hold has not expired yet");
    Some(Proposal { from: Some((hold.expires_at, too_early)), ..proposal })
}

fn give_back(hold: &Hold, kind: &'static str, entry_kind: EntryKind) -> Proposal {
    Proposal { events: vec![ended(hold, kind, entry_kind)], ..Proposal::default() }
}

fn ended(hold: &Hold, kind: &'static str, entry_kind: EntryKind) -> NewEvent {
    let moves = hold
        .lines
        .iter()
        .enumerate()
        .filter_map(|(line, _)| taken(hold, line, Minor::ZERO, true))
        .map(|m| Move { unchecked: true, ..m });
    hold_event(hold.id, hold.version, kind, "{}".to_owned(), entry_kind, moves.collect())
}
