//! The kinds of personal keys, and where the value behind each is: sealed, in the events of its owner.
//!
//! A digest cannot be turned into another one, only its value can. Whoever brings a kind of key brings a row here.

use super::details::Private;
use super::holder::{CPF, Holder};
use crate::event_store::Recorded;
use crate::secrets::people::DataKey;
use uuid::Uuid;

/// Opens the values of a kind out of their owner's stream; `None` where something in it cannot be read.
type Open = fn(&[Recorded], Uuid, &DataKey) -> Option<Vec<Private>>;

const KINDS: [(&str, Open); 1] = [(CPF, cpf)];

/// How values of a kind are opened, if anybody knows.
pub(super) fn opener(kind: &str) -> Option<Open> {
    KINDS.into_iter().find(|(name, _)| *name == kind).map(|(_, open)| open)
}

fn cpf(events: &[Recorded], tenant: Uuid, key: &DataKey) -> Option<Vec<Private>> {
    let details = Holder::fold(events)?.open(tenant, key).ok()?;
    Some(vec![Private::new(details.cpf.digits().to_owned())])
}
