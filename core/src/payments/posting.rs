//! Which accounts a payment moves money between: all of it, to be read at a glance.
//!
//! ```text
//!                     debit               credit
//! transfer            payer               payee
//!   its fee           payer               system:fees
//! issuance            system:issued       the account
//! redemption          the account         system:issued
//! top-up              system:issued       the owner
//! withdrawal          the owner           system:withdrawals   (approved)
//!   is paid           system:withdrawals  system:issued
//!   is rejected       system:withdrawals  the owner
//! charge              payer               the service
//!   its splits        payer               those whom the service's terms name
//!   is held           payer (held)        the service (incoming), until it is captured
//!   is reversed       all of its legs the other way round
//! refund              the service         payer
//! ```
//!
//! Splits are legs of the capture's one transaction, so that nobody is paid without the others. A refund is the service's alone: whoever
//! else was paid out of the charge keeps it, because what was captured may be refunded months later, when the platform's fee is
//! earned and the tax is paid. A reversal within the terminal's batch takes everything back from everybody.
//!
//! `system:issued` stands for what backs the money (the reserve at a bank) and so has its balance on the debit side, without a
//! floor: it is below zero when more was redeemed than issued. `system:fees` is what the operator has earned.
//!
//! A withdrawal that waits for the bank is put aside on `system:withdrawals`, and not held on the owner's account. A hold ends
//! after seven days at most, and what a bank is about to pay must not become spendable because it took longer. Money on
//! an account of its own stays until somebody says what became of it, and that account's balance is at any time what is on its
//! way out, which what lies at the bank must cover. It comes back by a posting like any other: to an account that is frozen, when it
//! is no longer.

use super::event::Party;
use crate::event_store::proposal::{EntryKind, Move, NewEvent};
use crate::kernel::{Metadata, Minor, name};
use crate::ledger::account::Open;
use crate::ledger::event::{self, TransactionPosted};
use crate::ledger::known::{Identity, Side};
use uuid::Uuid;

/// What backs all money of an asset.
pub const ISSUED: &str = "system:issued";
/// What payments have earned the operator.
pub const FEES: &str = "system:fees";
/// What is on its way out: approved by its owner, and not yet paid by the bank.
pub const WITHDRAWALS: &str = "system:withdrawals";

/// A transfer, and its fee if it has one.
pub fn transfer(from: Party, to: Party, fees: Uuid, amount: Minor, fee: Minor) -> Vec<Move> {
    let mut moves = vec![line(0, from.account, -amount.plus(fee)), line(1, to.account, amount)];
    if fee.is_positive() {
        moves.push(line(2, fees, fee));
    }
    moves
}

/// Money comes into being on an account.
pub fn issuance(issued: Uuid, account: &Identity, amount: Minor) -> Vec<Move> {
    vec![line(0, issued, amount), line(1, account.id, on(account, Side::Credit, amount))]
}

/// Money on an account goes out of being.
pub fn redemption(issued: Uuid, account: &Identity, amount: Minor) -> Vec<Move> {
    vec![line(0, issued, -amount), line(1, account.id, on(account, Side::Debit, amount))]
}

/// Money that came in outside comes into being on its owner's account.
pub fn top_up(issued: Uuid, owner: Party, amount: Minor) -> Vec<Move> {
    vec![line(0, issued, amount), line(1, owner.account, amount)]
}

/// Money leaves its owner's account, on its way out.
pub fn put_aside(owner: Party, withdrawals: Uuid, amount: Minor) -> Vec<Move> {
    vec![line(0, owner.account, -amount), line(1, withdrawals, amount)]
}

/// It went out of being.
pub fn paid_out(withdrawals: Uuid, issued: Uuid, amount: Minor) -> Vec<Move> {
    vec![line(0, withdrawals, -amount), line(1, issued, -amount)]
}

/// It comes back.
pub fn given_back(withdrawals: Uuid, owner: Party, amount: Minor) -> Vec<Move> {
    vec![line(0, withdrawals, -amount), line(1, owner.account, amount)]
}

/// What a charge holds of its payer's money, and announces to the service.
pub fn held(payer: Party, service: Uuid, amount: Minor) -> Vec<Move> {
    let announced = Move { account: service, incoming: amount, line: 1, ..Move::default() };
    vec![Move { account: payer.account, held: amount, ..Move::default() }, announced]
}

/// A capture: from the payer to the service and whoever else gets a part. Who gets nothing stands in no leg.
pub fn captured(payer: Party, parts: &[(Uuid, Minor)], amount: Minor) -> Vec<Move> {
    let paid = (1..).zip(parts.iter().filter(|(_, part)| part.is_positive()));
    std::iter::once(line(0, payer.account, -amount))
        .chain(paid.map(|(number, (account, part))| line(number, *account, *part)))
        .collect()
}

/// A capture of what was held: `taken` is what the ledger does to the payer and to whom the hold was for, as if it got all; the
/// others are paid out of that.
pub fn captured_from_hold(taken: Vec<Move>, parts: &[(Uuid, Minor)], service: Uuid) -> Vec<Move> {
    let mut moves = taken;
    for (account, part) in parts {
        match moves.iter_mut().find(|leg| leg.account == service) {
            Some(leg) if *account == service => leg.posted = *part,
            _ if part.is_positive() => {
                moves.push(line(u16::try_from(moves.len()).unwrap_or(u16::MAX), *account, *part));
            }
            _ => {}
        }
    }
    moves
}

/// Money of a service goes back to whom it came from.
pub fn refunded(service: Uuid, payer: Party, amount: Minor) -> Vec<Move> {
    vec![line(0, service, -amount), line(1, payer.account, amount)]
}

/// A transaction that only its payment takes back. `hold` is what it captured, if anything.
pub fn bound_transaction(id: Uuid, payment: Uuid, hold: Option<Uuid>, moves: Vec<Move>) -> NewEvent {
    let facts = TransactionPosted { payment: Some(payment), hold, is_bound: true, ..TransactionPosted::default() };
    let entry_kind = if hold.is_some() { EntryKind::Capture } else { EntryKind::Posting };
    NewEvent { fresh: true, moves, entry_kind, ..NewEvent::fact(id, 0, event::TRANSACTION_POSTED, &facts) }
}

/// The transaction of a payment: in a stream of its own, so that it is found, shown and reversed like any other.
pub fn transaction(id: Uuid, payment: Uuid, moves: Vec<Move>) -> NewEvent {
    let facts = TransactionPosted { payment: Some(payment), ..TransactionPosted::default() };
    NewEvent { fresh: true, moves, ..NewEvent::fact(id, 0, event::TRANSACTION_POSTED, &facts) }
}

/// How an account of the system is opened, when it is needed for the first time.
pub fn opening(name: &'static str, asset: &str) -> Open {
    let is_backing = name == ISSUED;
    Open {
        fresh_id: Uuid::nil(),
        name: Some(name.to_owned()),
        asset: asset.to_owned(),
        normal_side: if is_backing { Side::Debit } else { Side::Credit },
        min_balance: (!is_backing).then(|| "0".to_owned()),
        max_balance: None,
        metadata: Metadata::default(),
    }
}

/// The id of an account of the system.
pub fn system(tenant: Uuid, name: &str, asset: &str) -> Uuid {
    name::account_id(tenant, name, asset)
}

/// A change in the direction of the account's normal side.
fn on(account: &Identity, side: Side, amount: Minor) -> Minor {
    if account.normal_side == side { amount } else { -amount }
}

fn line(line: u16, account: Uuid, posted: Minor) -> Move {
    Move { account, posted, line, ..Move::default() }
}
