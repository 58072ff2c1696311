//! Money in and out: what a citizen asked for, and what became of it. The accounts of the system that it passes are not theirs to see.

use super::transaction::Transaction;
use super::{Money, Unreadable, facts, time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::{EntryAfter, Recorded};
use vintem_core::kernel::{Instant, Minor};
use vintem_core::ledger::known::Known;
use vintem_core::payments::event::{Rejection, WithdrawalApproved};
use vintem_core::payments::funding::withdrawal::{Ended, Status};
use vintem_core::payments::funding::{TopUp as Asked, Withdrawal as Wanted};

/// Money that comes in.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopUp {
    /// Its id.
    pub id: Uuid,
    /// `awaiting_funds`, `credited`, `expired`, or `unclaimed`: it came too late, or for an account that is closed, and lies at the bank.
    #[schema(example = "awaiting_funds")]
    pub status: &'static str,
    /// How much.
    pub amount: Money,
    /// The way in.
    #[schema(example = "simulated")]
    pub method: String,
    /// What it is called outside.
    #[schema(example = "sim-01983d6c8a007000800000000000000f")]
    pub reference: String,
    /// What has to be done outside.
    pub instructions: String,
    /// What comes from then on is not credited.
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    pub expires_at: String,
    /// When it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:00:01.000000Z")]
    pub credited_at: Option<String>,
    /// The transaction that put it on the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Uuid>,
}

/// Money that goes out.
#[derive(Debug, Serialize, ToSchema)]
pub struct Withdrawal {
    /// Its id.
    pub id: Uuid,
    /// `requires_confirmation`, `expired`, `approved`, `paid` or `rejected`.
    #[schema(example = "requires_confirmation")]
    pub status: &'static str,
    /// How much; nothing is kept of it.
    pub amount: Money,
    /// What goes into the signature of its confirmation; gone once it was confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0Gk1xUu0c2cJbJ9m2kX1Zw")]
    pub nonce: Option<String>,
    /// From then on it can be confirmed no more; gone once it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:10:00.000000Z")]
    pub expires_at: Option<String>,
    /// When it was confirmed, and the amount put aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:01:00.000000Z")]
    pub approved_at: Option<String>,
    /// When it was paid or rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:01:01.000000Z")]
    pub ended_at: Option<String>,
    /// What it is called outside, once it was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Why it was rejected: `refused-by-bank` or `account-unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Rejection>,
    /// The transaction that put the amount aside: what the account's statement shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<Uuid>,
    /// The transaction that gave it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned_by: Option<Uuid>,
}

impl TopUp {
    /// As it was just asked for.
    pub(super) fn recorded(first: &Recorded) -> Result<Self, Unreadable> {
        let asked = Asked::fold(std::slice::from_ref(first)).ok_or(Unreadable)?;
        Ok(Self::standing(asked, first.recorded_at))
    }

    /// As it stands.
    pub fn standing(asked: Asked, now: Instant) -> Self {
        let (status, expires_at) = (asked.status(now).as_str(), time(asked.expires_at()));
        let (transaction, credited_at) = asked.credited.map(|(credited, at)| (credited.transaction, time(at))).unzip();
        let said = asked.requested;
        Self {
            id: asked.id,
            status,
            amount: money(said.amount, said.scale, said.asset),
            method: said.method,
            reference: said.reference,
            instructions: said.instructions,
            expires_at,
            credited_at,
            transaction,
        }
    }
}

impl Withdrawal {
    /// As it was just asked for.
    pub(super) fn requested(first: &Recorded) -> Result<Self, Unreadable> {
        let wanted = Wanted::fold(std::slice::from_ref(first)).ok_or(Unreadable)?;
        Ok(Self::standing(wanted, first.recorded_at))
    }

    /// As it was just approved: the fact stands first, and beside it the transaction that put the amount aside.
    pub(super) fn approved(events: &[Recorded], entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let (first, posted) = (events.first().ok_or(Unreadable)?, events.get(1).ok_or(Unreadable)?);
        let WithdrawalApproved { transaction, .. } = facts(first)?;
        let aside = Transaction::posted(posted, entries, known)?;
        let amount = aside.legs.into_iter().next().ok_or(Unreadable)?.amount;
        let begun = Self::of(first.stream, Status::Approved.as_str(), amount);
        Ok(Self { approved_at: Some(time(first.recorded_at)), transaction: Some(transaction), ..begun })
    }

    /// As it stands.
    pub fn standing(wanted: Wanted, now: Instant) -> Self {
        let (status, expires_at) = (wanted.status(now).as_str(), time(wanted.expires_at()));
        let said = wanted.requested;
        let begun = Self::of(wanted.id, status, money(said.amount, said.scale, said.asset));
        let Some((approved, approved_at)) = wanted.approved else {
            return Self { nonce: Some(said.nonce), expires_at: Some(expires_at), ..begun };
        };
        let (approved_at, transaction) = (Some(time(approved_at)), Some(approved.transaction));
        let approved = Self { approved_at, transaction, ..begun };
        match wanted.ended {
            None => approved,
            Some(Ended::Paid(paid, at)) => {
                Self { ended_at: Some(time(at)), reference: Some(paid.reference), ..approved }
            }
            Some(Ended::Rejected(rejected, at)) => Self {
                ended_at: Some(time(at)),
                reason: Some(rejected.reason),
                returned_by: Some(rejected.transaction),
                ..approved
            },
        }
    }

    fn of(id: Uuid, status: &'static str, amount: Money) -> Self {
        Self {
            id,
            status,
            amount,
            nonce: None,
            expires_at: None,
            approved_at: None,
            ended_at: None,
            reference: None,
            reason: None,
            transaction: None,
            returned_by: None,
        }
    }
}

fn money(amount: Minor, scale: u8, asset: String) -> Money {
    Money { amount: amount.to_text(scale), asset }
}
