//! Payments: what was asked, what was confirmed, and what holds for whoever pays.

use super::transaction::Transaction;
use super::{Money, Unreadable, entry, facts, identity, time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::{EntryAfter, Recorded};
use vintem_core::kernel::{Instant, Minor};
use vintem_core::ledger::event::MoveFact;
use vintem_core::ledger::known::Known;
use vintem_core::payments::event::{LimitsChanged, MONEY_ISSUED, MoneyMoved, PricesChanged, TransferConfirmed};
use vintem_core::payments::limits::{Kind, Limits};
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

/// Money that came into being or went out of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Issuance {
    /// Its id.
    pub id: Uuid,
    /// `issued` or `redeemed`.
    #[schema(example = "issued")]
    pub status: &'static str,
    /// What it is for.
    #[schema(example = "TED/2026-118")]
    pub reference: String,
    /// The transaction that moved it.
    pub transaction: Transaction,
}

/// Limits that were asked for: a lower one holds at once, a higher one after 24 hours. What holds now, the limits say.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsAsked {
    /// How often the limits were changed.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was asked for.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub asked_at: String,
    /// From when on what was raised is allowed.
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    pub raises_at: String,
    /// What was asked for.
    pub asked: Vec<AskedLimit>,
}

/// One limit that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedLimit {
    /// `payment`, `day`, `month` or `night`.
    #[schema(example = "day")]
    pub kind: &'static str,
    /// How much is to be allowed.
    #[schema(example = "500.00")]
    pub amount: String,
}

/// What a person may pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsNow {
    /// How often they were changed.
    #[schema(example = 1)]
    pub version: i32,
    /// The asset's code.
    #[schema(example = "BRL")]
    pub asset: String,
    /// Each of them.
    pub limits: Vec<LimitNow>,
}

/// One limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitNow {
    /// `payment`, `day`, `month` or `night` (20:00 to 06:00).
    #[schema(example = "day")]
    pub kind: &'static str,
    /// What is allowed now.
    #[schema(example = "1000.00")]
    pub amount: String,
    /// What will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raise: Option<Raise>,
}

/// A limit that goes up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Raise {
    /// What will be allowed,
    #[schema(example = "2500.00")]
    pub amount: String,
    /// from then on.
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    pub at: String,
}

/// What payments cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct Prices {
    /// How often the list was changed.
    #[schema(example = 1)]
    pub version: i32,
    /// What a transfer costs; null where it is free.
    pub transfer: Option<Price>,
}

/// What one payment costs: a fixed part and a part of its amount, rounded half up to a minor unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct Price {
    /// Whatever the amount is.
    #[schema(example = "0.10")]
    pub fixed: String,
    /// Of the amount, in hundredths of a per cent.
    #[schema(example = 50, maximum = 10_000)]
    pub basis_points: u16,
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

impl Issuance {
    /// Of its events: the fact stands first and the transaction last.
    pub(super) fn of(events: &[Recorded], entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let (first, last) = (events.first().ok_or(Unreadable)?, events.last().ok_or(Unreadable)?);
        let MoneyMoved { reference, .. } = facts(first)?;
        Ok(Self {
            id: first.stream,
            status: if first.kind == MONEY_ISSUED { "issued" } else { "redeemed" },
            reference,
            transaction: Transaction::posted(last, entries, known)?,
        })
    }
}

impl LimitsAsked {
    /// Of its event.
    pub(super) fn of(recorded: &Recorded) -> Result<Self, Unreadable> {
        let change: LimitsChanged = facts(recorded)?;
        let asked = Kind::ALL.into_iter().filter_map(|kind| {
            let amount = kind.of(&change)?.to_text(change.scale);
            Some(AskedLimit { kind: kind.as_str(), amount })
        });
        Ok(Self {
            version: recorded.version,
            asked_at: time(recorded.recorded_at),
            raises_at: time(recorded.recorded_at + vintem_core::payments::limits::DELAY),
            asked: asked.collect(),
        })
    }
}

impl LimitsNow {
    /// As they hold at an instant.
    pub fn of(limits: &Limits, asset: &str, scale: u8, now: Instant) -> Self {
        let each = limits.levels.iter().zip(Kind::ALL).map(|(level, kind)| LimitNow {
            kind: kind.as_str(),
            amount: level.at(now).to_text(scale),
            raise: level
                .raise
                .filter(|(at, _)| now < *at)
                .map(|(at, amount)| Raise { amount: amount.to_text(scale), at: time(at) }),
        });
        Self { version: limits.version, asset: asset.to_owned(), limits: each.collect() }
    }
}

impl Prices {
    /// Of the event that changed them.
    pub(super) fn of(recorded: &Recorded) -> Result<Self, Unreadable> {
        Ok(Self::standing(recorded.version, &facts(recorded)?))
    }

    /// As they stand.
    pub fn standing(version: i32, list: &PricesChanged) -> Self {
        let price = |price: vintem_core::payments::price::Price| Price {
            fixed: price.fixed.to_text(list.scale),
            basis_points: price.basis_points,
        };
        Self { version, transfer: list.transfer.map(price) }
    }
}
