//! The rules that the writer enforces under the lock: times, switches, bounds, conditions, counters.

use super::overlay::{AccountState, Stop};
use super::proposal::{Count, Expect, Move, OpenAmount, Proposal, Status};
use crate::kernel::window::Window;
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use std::collections::HashMap;
use uuid::Uuid;

/// The instants between which a proposal may happen.
pub fn time(proposal: &Proposal, now: Instant) -> Result<(), Stop> {
    match (&proposal.from, &proposal.until) {
        (Some((from, refusal)), _) if now < *from => Err(Stop::Refused(refusal.clone())),
        (_, Some((until, refusal))) if now >= *until => Err(Stop::Refused(refusal.clone())),
        _ => Ok(()),
    }
}

/// An account may be closed when nothing is on it, held on it or on its way to it.
pub fn empty(account: Option<&AccountState>) -> Result<(), Stop> {
    let is_empty = account.is_some_and(|a| a.posted.is_zero() && a.held.is_zero() && a.incoming.is_zero());
    if is_empty {
        return Ok(());
    }
    Err(Stop::Refused(Refusal::new(RefusalCode::InvalidState, "the account's balances are not all zero")))
}

/// The balances after a movement, or the rule that it breaks.
pub fn movement(before: &AccountState, movement: &Move, posted: Minor) -> Result<AccountState, Refusal> {
    if let Some(expect) = &movement.expect {
        versions(before, expect)?;
    }
    if !movement.unchecked {
        switches(before, movement, posted)?;
    }
    let after = AccountState {
        posted: add(before.posted, posted)?,
        held: add(before.held, movement.held)?,
        incoming: add(before.incoming, movement.incoming)?,
        ..*before
    };
    if !movement.unchecked {
        bounds(before, &after)?;
    }
    if let Some(expected) = movement.expect.as_ref().and_then(|e| e.after).filter(|expected| *expected != after.posted)
    {
        let (expected, actual) = (expected.to_text(before.scale), after.posted.to_text(before.scale));
        return Err(Refusal::new(
            RefusalCode::ConditionFailed,
            format!("the balance would be {actual}, expected was {expected}"),
        ));
    }
    Ok(after)
}

fn add(balance: Minor, change: Minor) -> Result<Minor, Refusal> {
    balance
        .within_limit(change)
        .ok_or_else(|| Refusal::new(RefusalCode::AmountOverflow, "a balance would leave ±10^18 minor units"))
}

fn versions(before: &AccountState, expect: &Expect) -> Result<(), Refusal> {
    if let Some(expected) = expect.version.filter(|v| *v != before.version) {
        return Err(Refusal::new(
            RefusalCode::ConditionFailed,
            format!("the account is at version {}, expected was {expected}", before.version),
        ));
    }
    if let Some(expected) = expect.settings_version.filter(|v| *v != before.settings.version) {
        return Err(Refusal::new(
            RefusalCode::ConditionFailed,
            format!("the account's settings are at version {}, expected was {expected}", before.settings.version),
        ));
    }
    Ok(())
}

fn switches(before: &AccountState, movement: &Move, posted: Minor) -> Result<(), Refusal> {
    match before.settings.status {
        Status::Closed => return Err(Refusal::new(RefusalCode::AccountClosed, "the account is closed")),
        Status::Frozen => return Err(Refusal::new(RefusalCode::AccountFrozen, "the account is frozen")),
        Status::Open => {}
    }
    if !before.settings.sends && (posted.is_negative() || movement.held.is_positive()) {
        return Err(Refusal::new(RefusalCode::AccountFrozen, "the account does not send"));
    }
    if !before.settings.receives && (posted.is_positive() || movement.incoming.is_positive()) {
        return Err(Refusal::new(RefusalCode::AccountFrozen, "the account does not receive"));
    }
    Ok(())
}

/// A bound refuses only what makes its own side worse, judged on the net effect.
fn bounds(before: &AccountState, after: &AccountState) -> Result<(), Refusal> {
    let (had, has) = (before.available(), after.available());
    if let Some(min) = before.settings.min_balance.filter(|min| has < had && has < *min) {
        let (had, min) = (had.to_text(before.scale), min.to_text(before.scale));
        return Err(Refusal::new(RefusalCode::InsufficientFunds, format!("{had} is available and {min} must remain")));
    }
    let (had, has) = (before.posted.plus(before.incoming), after.posted.plus(after.incoming));
    if let Some(max) = before.settings.max_balance.filter(|max| has > had && has > *max) {
        let (has, max) = (has.to_text(before.scale), max.to_text(before.scale));
        return Err(Refusal::new(
            RefusalCode::BoundExceeded,
            format!("the balance would be {has}, at most {max} is allowed"),
        ));
    }
    Ok(())
}

/// The posted changes of an event's moves, "up to available" filled in: a source gives what it can
/// give without going below zero or its bound, and its balancing leg takes the same.
/// Empty when nothing is open, which is nearly always.
pub fn open_amounts(moves: &[Move], accounts: &HashMap<Uuid, AccountState>) -> Result<Vec<Minor>, Refusal> {
    if moves.iter().all(|m| m.open.is_none()) {
        return Ok(Vec::new());
    }
    moves.iter().map(|m| m.open.map_or(Ok(m.posted), |open| open_amount(open, moves, accounts))).collect()
}

fn open_amount(open: OpenAmount, moves: &[Move], accounts: &HashMap<Uuid, AccountState>) -> Result<Minor, Refusal> {
    let is_source = |m: &&Move| m.open.is_some_and(|o| o.is_source && o.pair == open.pair);
    let source = moves.iter().find(is_source).and_then(|m| accounts.get(&m.account));
    let amount = source.map_or(Minor::ZERO, |source| {
        let floor = source.settings.min_balance.unwrap_or(Minor::ZERO).max(Minor::ZERO);
        source.available().minus(floor)
    });
    if !amount.is_positive() {
        return Err(Refusal::new(RefusalCode::InsufficientFunds, "nothing is available"));
    }
    Ok(if open.sign < 0 { -amount } else { amount })
}

/// What is used of a limit after an increment.
pub fn counter(used: Minor, count: &Count, key: &str) -> Result<Minor, Refusal> {
    let after = used.plus(count.delta);
    if after > count.maximum && count.delta.is_positive() {
        let window = key.split(':').next().unwrap_or(key);
        let code = if count.window == Window::Night { RefusalCode::NightLimit } else { RefusalCode::LimitExceeded };
        return Err(Refusal::new(code, format!("the limit per {window} would be exceeded")));
    }
    Ok(after.max(Minor::ZERO))
}
