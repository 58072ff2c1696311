//! Holders as they are answered: to a write without anything personal, for answers are stored.

use super::time;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::holders::event::HOLDER_ERASED;
use vintem_core::holders::mask::Masked;
use vintem_core::holders::{Details, Erased, Holder as Folded};

/// A holder: who they are in the ledger, and nothing about them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holder {
    /// Their id.
    pub id: Uuid,
    /// `active` or `erased`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// When they were registered; absent in the answer to an erasure.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub registered_at: Option<String>,
    /// Set once they are erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Erasure>,
}

/// When an erasure is complete.
#[derive(Debug, Serialize, ToSchema)]
pub struct Erasure {
    /// When it was recorded: from then on nobody is shown anything of the person.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub erased_at: String,
    /// When no live system holds the person's key any more.
    #[schema(example = "2026-03-01T12:01:00.000000Z")]
    pub complete_in_live_systems_by: String,
    /// When no backup holds it any more.
    #[schema(example = "2026-03-08T12:00:00.000000Z")]
    pub complete_in_backups_by: String,
}

/// A holder with what is known of them, masked unless it was asked for as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct HolderDetails {
    /// Who.
    #[serde(flatten)]
    pub holder: Holder,
    /// Their name; absent once they are erased, like the members below.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Ana Conceição")]
    pub name: Option<String>,
    /// Their e-mail address, if they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ana@exemplo.com.br")]
    pub email: Option<String>,
    /// Their phone number, if they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+5511912345678")]
    pub phone: Option<String>,
    /// Their CPF: 11 digits, or `***.982.247-**` where it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "52998224725")]
    pub cpf: Option<String>,
}

impl Holder {
    /// After the event that a write recorded.
    pub(super) fn recorded(recorded: &Recorded) -> Self {
        let is_erased = recorded.kind == HOLDER_ERASED;
        Self {
            id: recorded.stream,
            status: if is_erased { "erased" } else { "active" },
            registered_at: (!is_erased).then(|| time(recorded.recorded_at)),
            erasure: is_erased.then(|| Erasure::of(&Erased::recorded(recorded.recorded_at))),
        }
    }

    fn of(holder: &Folded) -> Self {
        Self {
            id: holder.id,
            status: if holder.erased.is_some() { "erased" } else { "active" },
            registered_at: Some(time(holder.registered_at)),
            erasure: holder.erased.as_ref().map(Erasure::of),
        }
    }
}

impl Erasure {
    fn of(erased: &Erased) -> Self {
        Self {
            erased_at: time(erased.at),
            complete_in_live_systems_by: time(erased.live_by),
            complete_in_backups_by: time(erased.backups_by),
        }
    }
}

impl HolderDetails {
    /// For who may see it; never stored.
    pub fn of(holder: &Folded, details: Option<&Details>) -> Self {
        Self {
            holder: Holder::of(holder),
            name: details.map(|details| details.name.to_string()),
            email: details.and_then(|details| details.email.as_ref()).map(|email| email.to_string()),
            phone: details.and_then(|details| details.phone.as_ref()).map(|phone| phone.to_string()),
            cpf: details.map(|details| details.cpf.digits().to_owned()),
        }
    }

    /// For who has to recognise the person.
    pub fn masked(holder: &Folded, details: Option<&Details>) -> Self {
        let masked = details.map(Masked::of);
        Self {
            holder: Holder::of(holder),
            name: masked.as_ref().map(|masked| masked.name.to_string()),
            email: masked.as_ref().and_then(|masked| masked.email.as_ref()).map(|email| email.to_string()),
            phone: masked.as_ref().and_then(|masked| masked.phone.as_ref()).map(|phone| phone.to_string()),
            cpf: masked.map(|masked| masked.cpf.to_string()),
        }
    }
}

/// A citizen who has no device until they recover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CitizenReset {
    /// When the devices went.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    reset_at: String,
}

impl CitizenReset {
    /// As it was recorded.
    pub fn recorded(event: &Recorded) -> Self {
        Self { reset_at: time(event.recorded_at) }
    }
}
