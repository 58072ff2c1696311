//! The kinds of personal keys, and where the value behind each is: sealed, in the events of its owner.
//!
//! A digest cannot be turned into another one, only its value can. Whoever brings a kind of key brings a row here.

use super::details::Private;
use super::holder::{CPF, Holder};
use crate::aliases::{self, Kind};
use crate::event_store::Recorded;
use crate::secrets::people::DataKey;
use uuid::Uuid;

/// How the values of a kind are opened.
#[derive(Clone, Copy)]
pub(super) struct Opener {
    /// The stream that they stand in, by tenant and owner.
    pub(super) stream: fn(Uuid, Uuid) -> Uuid,
    /// Opens them out of it; `None` where something in it cannot be read.
    pub(super) open: fn(&[Recorded], Uuid, &DataKey) -> Option<Vec<Private>>,
}

/// The one of a kind, if anybody knows it.
pub(super) fn opener(kind: &str) -> Option<Opener> {
    if kind == CPF {
        return Some(Opener { stream: |_, owner| owner, open: cpf });
    }
    let alias = Kind::ALL.into_iter().find(|alias| alias.claim() == kind)?;
    let open: fn(&[Recorded], Uuid, &DataKey) -> Option<Vec<Private>> = match alias {
        Kind::Cpf => |events, tenant, key| aliases::book::values(Kind::Cpf, events, tenant, key),
        Kind::Phone => |events, tenant, key| aliases::book::values(Kind::Phone, events, tenant, key),
        Kind::Email => |events, tenant, key| aliases::book::values(Kind::Email, events, tenant, key),
        Kind::Random => |events, tenant, key| aliases::book::values(Kind::Random, events, tenant, key),
    };
    Some(Opener { stream: aliases::book::stream, open })
}

fn cpf(events: &[Recorded], tenant: Uuid, key: &DataKey) -> Option<Vec<Private>> {
    let details = Holder::fold(events)?.open(tenant, key).ok()?;
    Some(vec![Private::new(details.cpf.digits().to_owned())])
}
