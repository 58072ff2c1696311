//! Providers and services. Each fact says all that holds from then on, so a change is answered with the whole.

use super::payment::Price;
use super::{Unreadable, facts};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::payments::terms::Terms;
use vintem_core::settlement::event::ProviderDescribed;
use vintem_core::settlement::{Provider as Folded, Service as FoldedService, event};

/// A company that is paid at terminals.
#[derive(Debug, Serialize, ToSchema)]
pub struct Provider {
    /// Its id.
    pub id: Uuid,
    /// How often it was changed, from 1; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// As it is registered.
    #[schema(example = "Viação Aurora Ltda.")]
    pub name: String,
    /// Its number.
    #[schema(example = "11.222.333/0001-81")]
    pub cnpj: String,
    /// The unit that looks after it; null is none.
    pub unit: Option<Uuid>,
    /// Where it is to be paid out to; null is not known yet.
    pub payout_account: Option<PayoutAccount>,
}

/// A company's account at a bank.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayoutAccount {
    /// The bank's ISPB.
    #[schema(example = "00000000")]
    pub bank: String,
    /// The branch.
    #[schema(example = "0001")]
    pub branch: String,
    /// The account, with its check digit.
    #[schema(example = "1234567")]
    pub number: String,
}

/// What a terminal charges for.
#[derive(Debug, Serialize, ToSchema)]
pub struct Service {
    /// Its id.
    pub id: Uuid,
    /// How often it was changed, from 1; the `ETag`.
    #[schema(example = 1)]
    pub version: i32,
    /// `open` or `suspended`.
    #[schema(example = "open")]
    pub status: &'static str,
    /// Whose it is.
    pub provider: Uuid,
    /// As payers see it.
    #[schema(example = "Ônibus Centro")]
    pub label: String,
    /// Where it is.
    #[schema(example = "Porto Alegre")]
    pub city: String,
    /// The category of its trade (ISO 18245); null is none.
    #[schema(example = "4111")]
    pub mcc: Option<String>,
    /// The unit that looks after it; null is none.
    pub unit: Option<Uuid>,
    /// What it is paid in.
    #[schema(example = "BRL")]
    pub asset: String,
    /// The account that its money comes to.
    pub account: Uuid,
    /// What its charges are subject to.
    pub terms: ServiceTerms,
}

/// What charges of a service are subject to. A charge keeps those of its moment.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceTerms {
    /// Who is paid out of what is captured, before the service gets the rest.
    pub splits: Vec<ServiceSplit>,
    /// For so many days after its capture a charge can be refunded.
    #[schema(example = 90)]
    pub refund_days: u16,
    /// A refund above this takes an approval; null is that none does.
    #[schema(example = "500.00")]
    pub approval_above: Option<String>,
    /// By how many per cent a final capture may exceed what was authorised.
    #[schema(example = 0)]
    pub over_capture_percent: u8,
    /// For so many hours an authorisation holds the payer's money.
    #[schema(example = 24)]
    pub hold_hours: u16,
}

/// A part of each capture that is somebody else's.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceSplit {
    /// As statements call it.
    #[schema(example = "platform")]
    pub name: String,
    /// Who gets it.
    pub account: Uuid,
    /// How much.
    pub price: Price,
}

impl Provider {
    /// Of the event that said so.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        Ok(Self::of(recorded.stream, recorded.version, facts(recorded)?))
    }

    /// As it stands.
    pub fn standing(provider: Folded) -> Self {
        Self::of(provider.id, provider.version, provider.says)
    }

    fn of(id: Uuid, version: i32, says: ProviderDescribed) -> Self {
        let ProviderDescribed { name, cnpj, unit, payout_account } = says;
        let payout_account =
            payout_account.map(|event::PayoutAccount { bank, branch, number }| PayoutAccount { bank, branch, number });
        Self { id, version, name, cnpj: cnpj.to_string(), unit, payout_account }
    }
}

impl Service {
    /// Of the event that said so.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        Ok(Self::standing(FoldedService::of(recorded.stream, recorded.version, facts(recorded)?)))
    }

    /// As it stands.
    pub fn standing(service: FoldedService) -> Self {
        let FoldedService { id, provider, label, city, mcc, unit, asset, scale, account, terms, is_open, version } =
            service;
        let status = if is_open { "open" } else { "suspended" };
        let terms = ServiceTerms::of(&terms, scale);
        Self { id, version, status, provider, label, city, mcc, unit, asset, account, terms }
    }
}

impl ServiceTerms {
    fn of(terms: &Terms, scale: u8) -> Self {
        let split = |split: &vintem_core::payments::terms::Split| ServiceSplit {
            name: split.name.clone(),
            account: split.account,
            price: Price { fixed: split.price.fixed.to_text(scale), basis_points: split.price.basis_points },
        };
        Self {
            splits: terms.splits.iter().map(split).collect(),
            refund_days: terms.refund_days,
            approval_above: terms.approval_above.map(|amount| amount.to_text(scale)),
            over_capture_percent: terms.over_capture_percent,
            hold_hours: terms.hold_hours,
        }
    }
}
