//! The keys of a person folded from their stream, and what may become of them. Pure; digests and sealed values come from outside.

use super::event::{ALIAS_REGISTERED, ALIAS_REMOVED, AliasRegistered, AliasRemoved, Kind};
use crate::event_store::personal::{Change, Claim, Digest, Release};
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal, Recorded};
use crate::holders::details::Private;
use crate::kernel::{Instant, Refusal, RefusalCode, name};
use crate::secrets::people::{DataKey, Place};
use uuid::Uuid;

/// So many keys somebody has at most.
pub const AT_MOST: usize = 5;
/// The field that a value is sealed as.
const ALIAS: &str = "alias";

/// A key that somebody is paid by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What was recorded.
    pub says: AliasRegistered,
    /// When.
    pub created_at: Instant,
}

/// A person's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// Those that they have, the oldest first.
    pub entries: Vec<Entry>,
    removed: Vec<Uuid>,
    at: StreamVersion,
}

/// The stream of a person's keys.
pub fn stream(tenant: Uuid, holder: Uuid) -> Uuid {
    name::natural_key(tenant, "aliases", &[&holder.to_string()])
}

/// A value under its owner's key, in the place of its alias.
pub fn seal(key: &DataKey, tenant: Uuid, alias: Uuid, value: &Private) -> String {
    key.seal(&Place { tenant, stream: alias, field: ALIAS }, value.as_bytes())
}

/// The values of a kind in their owner's stream; `None` where one of them cannot be read.
pub fn values(kind: Kind, events: &[Recorded], tenant: Uuid, key: &DataKey) -> Option<Vec<Private>> {
    let book = Book::fold(events.first()?.stream, events)?;
    let own = book.entries.iter().filter(|entry| entry.says.kind == kind);
    own.map(|entry| entry.value(tenant, key)).collect()
}

impl Entry {
    /// What somebody types to pay its owner; `None` where it does not open.
    pub fn value(&self, tenant: Uuid, key: &DataKey) -> Option<Private> {
        if let Some(random) = self.says.random {
            return Some(Private::new(random.to_string()));
        }
        let place = Place { tenant, stream: self.says.alias, field: ALIAS };
        let bytes = key.open(&place, self.says.sealed.as_deref()?).ok()?;
        std::str::from_utf8(&bytes).map(|text| Private::new(text.to_owned())).ok()
    }
}

impl Book {
    /// Folds a stream; `None` where a payload cannot be read. A person who never had a key has an empty book.
    pub fn fold(stream: Uuid, events: &[Recorded]) -> Option<Self> {
        let mut book = Self { entries: Vec::new(), removed: Vec::new(), at: StreamVersion { stream, version: 0 } };
        for event in events {
            book.at.version = event.version;
            match &*event.kind {
                ALIAS_REGISTERED => {
                    let says = event.says()?;
                    book.entries.push(Entry { says, created_at: event.recorded_at });
                }
                ALIAS_REMOVED => {
                    let AliasRemoved { alias } = event.says()?;
                    book.entries.retain(|entry| entry.says.alias != alias);
                    book.removed.push(alias);
                }
                _ => {}
            }
        }
        Some(book)
    }

    /// The key of an id, while it is theirs.
    pub fn entry(&self, alias: Uuid) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.says.alias == alias)
    }

    /// Whether it was theirs once.
    pub fn was(&self, alias: Uuid) -> bool {
        self.removed.contains(&alias)
    }

    /// Decides one more. The claim is its owner's, so that it goes with them.
    pub fn register(&self, says: &AliasRegistered, digests: Vec<Digest>) -> Decision {
        if self.entries.len() >= AT_MOST {
            let detail = format!("there are {AT_MOST} keys; remove one of them first");
            return Decision::Refuse(Refusal::new(RefusalCode::InvalidState, detail), vec![self.at]);
        }
        // A person has one number and one address of a kind, so that they may have another one only after this one.
        if says.kind != Kind::Random && self.entries.iter().any(|entry| entry.says.kind == says.kind) {
            return Decision::Refuse(taken(), vec![self.at]);
        }
        let claim = Claim { owner: says.holder, kind: says.kind.claim(), digests, taken: taken() };
        let event = NewEvent::fact(self.at.stream, self.at.version, ALIAS_REGISTERED, says);
        propose(event, Change { claims: vec![claim], ..Change::default() })
    }

    /// Decides that one of them goes.
    pub fn remove(&self, entry: &Entry, digests: Vec<Digest>) -> Decision {
        let AliasRegistered { alias, holder, kind, .. } = entry.says;
        let release = Release { owner: holder, kind: kind.claim(), digests };
        let event = NewEvent::fact(self.at.stream, self.at.version, ALIAS_REMOVED, &AliasRemoved { alias });
        propose(event, Change { releases: vec![release], ..Change::default() })
    }
}

/// The refusal of a key that is somebody's; it does not say whose.
pub fn taken() -> Refusal {
    Refusal::new(RefusalCode::AliasTaken, "this key is somebody's already").at("/kind")
}

fn propose(event: NewEvent, change: Change) -> Decision {
    Decision::Propose(Proposal { events: vec![event], personal: Some(Box::new(change)), ..Proposal::default() })
}
