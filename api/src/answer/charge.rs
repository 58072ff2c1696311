//! Charges as their payers see them.

use super::{Money, Unreadable, facts, time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::kernel::{Instant, Minor};
use vintem_core::payments::charges::Charge;
use vintem_core::payments::charges::event::ChargeAuthorised;
use vintem_core::payments::qr::Paid;

/// What a code leads to: everything that is signed when it is confirmed, and who is paid, as the institution knows them.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResolvedCharge {
    /// Its id: `intent_id` of what is signed.
    pub charge_id: Uuid,
    /// `created` while it can be confirmed; else what became of it.
    #[schema(example = "created")]
    pub status: &'static str,
    /// Who is paid.
    pub payee: ChargePayee,
    /// The terminal that asks, as people know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Carro 1204")]
    pub terminal: Option<String>,
    /// How much: `amount` and `asset` of what is signed.
    pub amount: Money,
    /// What it is for, as the service calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "linha-343")]
    pub reference: Option<String>,
    /// What makes the signature good for this charge alone.
    #[schema(example = "kWmVYqSg9zMPmFtpX1wIYA")]
    pub nonce: String,
    /// From then on it cannot be confirmed.
    #[schema(example = "2026-03-01T12:05:00.000000Z")]
    pub expires_at: String,
    /// A mandate of yours that covers it, but for what was used of its cap: with it no PIN is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandate_id: Option<Uuid>,
}

/// Who is paid by a charge.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChargePayee {
    /// The service: `payee` of what is signed.
    pub service_id: Uuid,
    /// As it is called.
    #[schema(example = "Ônibus Centro")]
    pub label: String,
    /// Where it is.
    #[schema(example = "Porto Alegre")]
    pub city: String,
    /// The company.
    #[schema(example = "Viação Aurora Ltda.")]
    pub provider: String,
    /// Its number.
    #[schema(example = "11.222.333/0001-81")]
    pub cnpj: String,
}

/// A charge that was confirmed now.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChargeConfirmation {
    /// Its id.
    pub id: Uuid,
    /// `captured` when the money moved, `authorised` when it is held for the terminal.
    #[schema(example = "captured")]
    pub status: &'static str,
    /// When.
    #[schema(example = "2026-03-01T12:00:30.000000Z")]
    pub confirmed_at: String,
    /// The mandate that it was paid by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandate_id: Option<Uuid>,
}

/// A charge that you have confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnCharge {
    /// Its id.
    pub id: Uuid,
    /// `authorised`, `captured`, `partially_refunded`, `refunded`, `cancelled`, `expired` or `reversed`.
    #[schema(example = "captured")]
    pub status: &'static str,
    /// The service.
    pub service_id: Uuid,
    /// As it was called.
    #[schema(example = "Ônibus Centro")]
    pub label: String,
    /// The terminal that asked.
    pub terminal: Uuid,
    /// What it was for, as the service calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "linha-343")]
    pub reference: Option<String>,
    /// What you confirmed.
    pub amount: Money,
    /// What was captured of it.
    pub captured: Money,
    /// What went back.
    pub refunded: Money,
    /// When you confirmed it.
    #[schema(example = "2026-03-01T12:00:30.000000Z")]
    pub confirmed_at: String,
    /// The mandate that it was paid by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mandate_id: Option<Uuid>,
    /// The transactions that captured it: your statement shows them, and each has a receipt.
    pub transactions: Vec<Uuid>,
}

impl ResolvedCharge {
    /// To whoever has its code.
    pub fn of(charge: &Charge, paid: Paid, mandate_id: Option<Uuid>, now: Instant) -> Self {
        let Paid { service, provider, terminal } = paid;
        let said = charge.created.clone();
        Self {
            charge_id: charge.id,
            status: charge.status(now).as_str(),
            payee: ChargePayee {
                service_id: service.id,
                label: said.service.label,
                city: service.city,
                provider: provider.says.name,
                cnpj: provider.says.cnpj.to_string(),
            },
            terminal,
            amount: Money { amount: said.amount.to_text(said.scale), asset: said.asset },
            reference: said.reference,
            nonce: said.nonce,
            expires_at: time(charge.expires_at()),
            mandate_id,
        }
    }
}

impl ChargeConfirmation {
    /// Of the first of its events, which alone says all of this.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let ChargeAuthorised { mandate, hold, .. } = facts(recorded)?;
        let status = if hold.is_some() { "authorised" } else { "captured" };
        Ok(Self { id: recorded.stream, status, confirmed_at: time(recorded.recorded_at), mandate_id: mandate })
    }
}

impl OwnCharge {
    /// To its payer; `None` while it has none.
    pub fn of(charge: &Charge, now: Instant) -> Option<Self> {
        let (authorised, confirmed_at) = charge.authorised.as_ref()?;
        let said = charge.created.clone();
        let money = |amount: Minor| Money { amount: amount.to_text(said.scale), asset: said.asset.clone() };
        Some(Self {
            id: charge.id,
            status: charge.status(now).as_str(),
            service_id: said.service.id,
            label: said.service.label,
            terminal: said.terminal,
            reference: said.reference,
            amount: money(said.amount),
            captured: money(charge.captured()),
            refunded: money(charge.refunded()),
            confirmed_at: time(*confirmed_at),
            mandate_id: authorised.mandate,
            transactions: charge.captures.iter().map(|(captured, _)| captured.transaction).collect(),
        })
    }
}
