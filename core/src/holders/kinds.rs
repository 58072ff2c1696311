//! The kinds of personal keys, and where the value behind each is: sealed, in the events of its owner.
//!
//! A digest cannot be turned into another one, only its value can. Whoever brings a kind of key brings a row here.

use super::details::Private;
use super::holder::{CPF, Holder};
use crate::aliases::{Kind, book};
use crate::event_store::Recorded;
use crate::secrets::people::DataKey;
use uuid::Uuid;

/// How the values of a kind are opened.
#[derive(Clone, Copy)]
pub(super) enum Opener {
    /// A holder's number.
    Cpf,
    /// A key that they are paid by.
    Alias(Kind),
}

impl Opener {
    /// The one of a kind, if anybody knows it.
    pub(super) fn of(kind: &str) -> Option<Self> {
        if kind == CPF {
            return Some(Self::Cpf);
        }
        Kind::ALL.into_iter().find(|alias| alias.claim() == kind).map(Self::Alias)
    }

    /// The stream that an owner's values stand in.
    pub(super) fn stream(self, tenant: Uuid, owner: Uuid) -> Uuid {
        match self {
            Self::Cpf => owner,
            Self::Alias(_) => book::stream(tenant, owner),
        }
    }

    /// Opens the values out of it; `None` where something in it cannot be read.
    pub(super) fn open(self, events: &[Recorded], tenant: Uuid, key: &DataKey) -> Option<Vec<Private>> {
        match self {
            Self::Cpf => cpf(events, tenant, key),
            Self::Alias(kind) => book::values(kind, events, tenant, key),
        }
    }
}

fn cpf(events: &[Recorded], tenant: Uuid, key: &DataKey) -> Option<Vec<Private>> {
    let details = Holder::fold(events)?.open(tenant, key).ok()?;
    Some(vec![Private::new(details.cpf.digits().to_owned())])
}
