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
