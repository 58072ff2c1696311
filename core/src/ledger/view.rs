//! What recorded facts say, in the callers' terms: legs with sides, amounts and balances.

use super::event::Moves;
use super::known::{Known, Side};
use crate::event_store::{EntryAfter, Recorded};
use crate::kernel::Minor;
use uuid::Uuid;

/// The accounts that an event moved, with its position: the key of the entries it left.
pub fn accounts_moved(recorded: &Recorded) -> Vec<(Uuid, i64)> {
    moves(recorded).into_iter().map(|m| (m.0, recorded.position)).collect()
}

/// The frozen legs of an event; none when it moves nothing.
pub fn moves(recorded: &Recorded) -> Vec<super::event::MoveFact> {
    serde_json::from_str::<Moves>(&recorded.payload).unwrap_or_default().moves
}

/// Who else took part in something, as far as the owner of one account may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Nobody but the institution.
    Nobody,
    /// The other side of a payment.
    Counterparty(Uuid),
    /// Several, who are nothing to each other; or one of whom nothing is known.
    Several,
}

/// Who took part in an event beside an account. Accounts of the system are nobody.
pub fn others(recorded: &Recorded, own: Uuid, known: &Known) -> Others {
    let mut found = Others::Nobody;
    for (account, ..) in moves(recorded) {
        match known.accounts.get(&account) {
            Some(identity) if account == own || identity.is_of_the_system() => {}
            Some(_) if found == Others::Nobody => found = Others::Counterparty(account),
            _ => return Others::Several,
        }
    }
    found
}

/// One leg as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegView {
    /// Its line, from 0.
    pub line: usize,
    /// The account.
    pub account: Uuid,
    /// The account's name.
    pub name: Option<String>,
    /// Debit or credit.
    pub direction: Side,
    /// Without sign.
    pub amount: Minor,
    /// The asset's code.
    pub asset: String,
    /// The asset's scale.
    pub scale: u8,
    /// Balances after, where they are at hand.
    pub after: Option<EntryAfter>,
}

/// The legs of an event that moved or held money.
pub fn legs(recorded: &Recorded, entries: &[EntryAfter], known: &Known) -> Vec<LegView> {
    let view = |(line, (account, posted, held, incoming)): (usize, super::event::MoveFact)| {
        let identity = known.accounts.get(&account)?;
        // A hold's leg is shown as the movement that it prepares: held money will leave.
        let change = if posted.is_zero() { incoming.minus(held) } else { posted };
        Some(LegView {
            line,
            account,
            name: identity.name.clone(),
            direction: identity.side(change),
            amount: Minor::new(change.units().abs()),
            asset: identity.asset.clone(),
            scale: identity.scale,
            after: entries.iter().find(|e| e.account == account && e.position == recorded.position).copied(),
        })
    };
    moves(recorded).into_iter().enumerate().filter_map(view).collect()
}
