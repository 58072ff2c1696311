//! Transfers as they are answered: without their note where the answer is stored.

use super::{Money, Unreadable, entry, facts, identity, time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::{EntryAfter, Recorded};
use vintem_core::kernel::{Instant, Minor};
use vintem_core::ledger::event::MoveFact;
use vintem_core::ledger::known::Known;
use vintem_core::payments::event::TransferConfirmed;
use vintem_core::payments::transfer::{Status, Transfer as Folded};

/// A transfer to another person, as its payer sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transfer {
    /// Its id: `intent_id` of what is signed.
    pub id: Uuid,
    /// `requires_confirmation`, `completed` or `expired`.
    #[schema(example = "requires_confirmation")]
    pub status: &'static str,
    /// What the payee gets.
    pub amount: Money,
    /// What it costs the payer besides.
    pub fee: Money,
    /// What leaves the payer's account.
    pub total: Money,
    /// The payee: `payee` of what is signed.
    pub payee: Uuid,
    /// What makes the signature good for this transfer alone.
    #[schema(example = "kWmVYqSg9zMPmFtpX1wIYA")]
    pub nonce: String,
    /// When it was asked for.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub requested_at: String,
    /// From then on it cannot be confirmed.
    #[schema(example = "2026-03-01T12:10:00.000000Z")]
    pub expires_at: String,
    /// When it was confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// The transaction that moved the money.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Uuid>,
    /// What the payer wrote to the payee; only when it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A transfer as whoever reads it may see it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum OwnTransfer {
    /// To its payer.
    Paid(Box<Transfer>),
    /// To its payee.
    Received(ReceivedTransfer),
}

/// A transfer from another person, as its payee sees it: what it cost the payer is not theirs to know.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceivedTransfer {
    /// Its id.
    pub id: Uuid,
    /// `completed`: of others the payee is told nothing.
    #[schema(example = "completed")]
    pub status: &'static str,
    /// What came.
    pub amount: Money,
    /// When.
    #[schema(example = "2026-03-01T12:00:30.000000Z")]
    pub completed_at: String,
    /// The transaction that moved the money.
    pub transaction: Uuid,
    /// What the payer wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A transfer that was confirmed now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Confirmation {
    /// The transfer.
    pub id: Uuid,
    /// `completed`.
    #[schema(example = "completed")]
    pub status: &'static str,
    /// When.
    #[schema(example = "2026-03-01T12:00:30.000000Z")]
    pub completed_at: String,
    /// The transaction that moved the money.
    pub transaction: Uuid,
    /// What left the payer's account.
    pub total: Money,
    /// What the payer can spend now.
    pub available: Option<Money>,
}

impl Transfer {
    /// In answer to its request.
    pub(super) fn requested(recorded: &Recorded) -> Result<Self, Unreadable> {
        let folded = Folded::fold(std::slice::from_ref(recorded)).ok_or(Unreadable)?;
        Ok(Self::of(&folded, folded.requested_at, None))
    }

    /// As it stands.
    pub fn of(folded: &Folded, now: Instant, note: Option<String>) -> Self {
        let asked = &folded.requested;
        let money = |amount: Minor| Money { amount: amount.to_text(asked.scale), asset: asked.asset.clone() };
        let confirmed = folded.confirmed.as_ref();
        Self {
            id: folded.id,
            status: folded.status(now).as_str(),
            amount: money(asked.amount),
            fee: money(asked.fee),
            total: money(folded.total()),
            payee: asked.payee.holder,
            nonce: asked.nonce.clone(),
            requested_at: time(folded.requested_at),
            expires_at: time(folded.expires_at()),
            completed_at: confirmed.map(|(_, at)| time(*at)),
            transaction: confirmed.map(|(confirmed, _)| confirmed.transaction),
            note,
        }
    }
}

impl OwnTransfer {
    /// To one of its two people; `None` to a payee to whom nothing has come.
    pub fn of(folded: &Folded, reader: Uuid, now: Instant, note: Option<String>) -> Option<Self> {
        let asked = &folded.requested;
        if asked.payer.holder == reader {
            return Some(Self::Paid(Box::new(Transfer::of(folded, now, note))));
        }
        let (confirmed, at) = folded.confirmed.as_ref()?;
        Some(Self::Received(ReceivedTransfer {
            id: folded.id,
            status: Status::Completed.as_str(),
            amount: Money { amount: asked.amount.to_text(asked.scale), asset: asked.asset.clone() },
            completed_at: time(*at),
            transaction: confirmed.transaction,
            note,
        }))
    }
}

#[derive(Deserialize)]
struct Posted {
    moves: Vec<MoveFact>,
}

impl Confirmation {
    /// Of its two events. The payer's is the first line of the posting.
    pub(super) fn of(
        confirmed: &Recorded,
        posted: &Recorded,
        entries: &[EntryAfter],
        known: &Known,
    ) -> Result<Self, Unreadable> {
        let TransferConfirmed { transaction, .. } = facts(confirmed)?;
        let Posted { moves } = facts(posted)?;
        let (account, left, ..) = moves.first().ok_or(Unreadable)?;
        let payer = identity(known, *account)?;
        let money = |amount: Minor| Money { amount: amount.to_text(payer.scale), asset: payer.asset.clone() };
        let after = entry(entries, posted.position, *account);
        Ok(Self {
            id: confirmed.stream,
            status: Status::Completed.as_str(),
            completed_at: time(confirmed.recorded_at),
            transaction,
            total: money(-*left),
            available: after.map(|entry| money(entry.posted.minus(entry.held))),
        })
    }
}
