//! Payments: money that came into being, and what payments cost.

use super::transaction::Transaction;
use super::{Unreadable, facts};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::{EntryAfter, Recorded};
use vintem_core::ledger::known::Known;
use vintem_core::payments::event::{MONEY_ISSUED, MoneyMoved, PricesChanged};

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
