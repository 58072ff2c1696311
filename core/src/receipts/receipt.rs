//! What a receipt says: pure functions of what was recorded.

use std::collections::HashMap;

use serde::Serialize;
use uuid::Uuid;

use crate::event_store::Recorded;
use crate::kernel::{Minor, instant};
use crate::ledger::known::Known;
use crate::ledger::view::{self, Others};
use crate::payments::posting::FEES;

/// The signed members. They are for ever: verifiers of years to come read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Who signs.
    pub iss: String,
    /// The institution whose ledger it is.
    pub tenant: String,
    /// When it was signed, in seconds.
    pub iat: i64,
    /// The code to ask by.
    pub code: String,
    /// The transaction.
    pub transaction: Uuid,
    /// Its place in the log.
    pub position: i64,
    /// When it was recorded.
    pub recorded_at: String,
    /// Its value date.
    pub effective_at: String,
    /// What moved.
    pub legs: Vec<ClaimedLeg>,
}

/// One account's part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimedLeg {
    /// The account's id.
    pub account: Uuid,
    /// `debit` or `credit`.
    pub direction: &'static str,
    /// A decimal string.
    pub amount: String,
    /// The asset's code.
    pub asset: String,
}

/// Whether a transaction was taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reversed {
    /// It stands.
    No,
    /// A part of it was.
    Partly,
    /// All of it was.
    Wholly,
}

/// The legs of a posting; `None` when an account that it names is not known.
pub fn legs(posted: &Recorded, known: &Known) -> Option<Vec<ClaimedLeg>> {
    let moved = view::moves(posted).into_iter().map(|(account, change, ..)| (account, change));
    let moved = without_fee(moved.filter(|(_, change)| !change.is_zero()).collect(), known);
    let leg = |(account, change): (Uuid, Minor)| {
        let identity = known.accounts.get(&account)?;
        let amount = Minor::new(change.units().abs()).to_text(identity.scale);
        Some(ClaimedLeg { account, direction: identity.side(change).as_str(), amount, asset: identity.asset.clone() })
    };
    moved.into_iter().map(leg).collect()
}

/// What a payment costs is between its payer and the institution. The payee has the same receipt, which so says what was paid to them.
fn without_fee(moved: Vec<(Uuid, Minor)>, known: &Known) -> Vec<(Uuid, Minor)> {
    let [from, to, fee] = moved[..] else { return moved };
    let is_fee = known.accounts.get(&fee.0).is_some_and(|account| account.name.as_deref() == Some(FEES));
    let paid = from.1.plus(fee.1);
    if is_fee && paid == -to.1 { vec![(from.0, paid), to] } else { moved }
}

/// Whether the owner of an account may have the receipt of a posting.
///
/// A transaction has one receipt, which names all of its accounts. So it is for a person only when it names nobody whom they do not
/// know from paying or being paid: themselves, the other side, and the institution (what backs the money, what fees earn). A
/// payroll or a settlement of many accounts is a matter of whoever posted it, who may hand its receipt on.
pub fn is_for(posted: &Recorded, account: Uuid, known: &Known) -> bool {
    let is_own = view::moves(posted).iter().any(|(moved, ..)| *moved == account);
    is_own && view::others(posted, account, known) != Others::Several
}

/// What the events of a transaction's stream leave of it.
pub fn reversed(events: &[Recorded]) -> Reversed {
    let mut left: HashMap<Uuid, Minor> = HashMap::new();
    for (account, change, ..) in events.iter().flat_map(view::moves) {
        let balance = left.entry(account).or_default();
        *balance = balance.plus(change);
    }
    if events.len() < 2 {
        Reversed::No
    } else if left.values().all(|balance| balance.is_zero()) {
        Reversed::Wholly
    } else {
        Reversed::Partly
    }
}

/// When something was recorded, and its value date.
pub fn times(posted: &Recorded) -> (String, String) {
    let effective_at = posted.effective_at.unwrap_or(posted.recorded_at);
    (instant::to_text(posted.recorded_at), instant::to_text(effective_at))
}
