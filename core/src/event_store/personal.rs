//! Personal natural keys: unique while their owner lives, and deletable.
//!
//! A name that is nobody's secret is unique by being a stream. A CPF cannot be: its stream's id would be a digest that
//! stays in the log for ever. So it is a row of its own, a keyed digest that the proposal brings along and the writer
//! knows nothing more of, looked up under the lock and deleted with its owner. Work that must follow (destroying a
//! key) is asked for in the same commit.

use super::overlay::Stop;
use super::proposal::Decision;
use crate::kernel::Refusal;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// A digest, and the version of the key that made it.
pub type Digest = (i16, [u8; 32]);

/// What names a key: tenant, kind, version, digest.
pub type KeyName = (Uuid, &'static str, i16, [u8; 32]);

/// A natural key that must be free, and is its owner's from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The stream whose key it becomes.
    pub owner: Uuid,
    /// Keys of different kinds do not meet.
    pub kind: &'static str,
    /// Under each version of the key that makes digests.
    pub digests: Vec<Digest>,
    /// The answer if it is somebody's.
    pub taken: Refusal,
}

/// Natural keys that their owner gives up while the owner's others stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Whose they are; somebody else's of the same name stay.
    pub owner: Uuid,
    /// Their kind.
    pub kind: &'static str,
    /// Under each version of the key that makes digests.
    pub digests: Vec<Digest>,
}

/// Something to be done afterwards: a row of `job`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// What to do.
    pub kind: &'static str,
    /// Which one of these.
    pub key: String,
    /// With what: a JSON document.
    pub payload: String,
}

/// What a proposal changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Owners that give up their keys.
    pub frees: Vec<Uuid>,
    /// Keys that are given up one by one.
    pub releases: Vec<Release>,
    /// Keys that must be free, and are somebody's from then on.
    pub claims: Vec<Claim>,
    /// What is to be done afterwards.
    pub asks: Vec<Ask>,
}

/// A row to insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRow {
    /// Its name.
    pub name: KeyName,
    /// Whose it is.
    pub owner: Uuid,
    /// The event that claimed it.
    pub position: i64,
}

/// Personal keys as they stand within a batch, and what the batch changes about them.
#[derive(Debug, Default)]
pub struct Personal {
    /// Rows to insert.
    pub rows: Vec<KeyRow>,
    /// Owners whose rows are deleted, before those are inserted.
    pub freed: Vec<Uuid>,
    /// Rows that are deleted likewise, of these owners.
    pub released: Vec<(KeyName, Uuid)>,
    /// Jobs to ask for.
    pub asks: Vec<Ask>,
    held: HashMap<KeyName, Uuid>,
    undo: Vec<(KeyName, Option<Uuid>)>,
}

/// A point to roll back to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    rows: usize,
    freed: usize,
    released: usize,
    asks: usize,
    undo: usize,
}

/// The names that some decisions want to claim.
pub(super) fn wanted<'a>(decisions: impl Iterator<Item = (Uuid, &'a Decision)>) -> Vec<KeyName> {
    let mut names = BTreeSet::new();
    for (tenant, decision) in decisions {
        let Decision::Propose(proposal) = decision else { continue };
        let changes = proposal.alternatives().filter_map(|proposal| proposal.personal.as_ref());
        let claims = changes.flat_map(|change| &change.claims);
        names.extend(claims.flat_map(|claim| claim.names(tenant)));
    }
    names.into_iter().collect()
}

impl Claim {
    fn names(&self, tenant: Uuid) -> impl Iterator<Item = KeyName> + '_ {
        self.digests.iter().map(move |(version, digest)| (tenant, self.kind, *version, *digest))
    }
}

impl Personal {
    /// Adds keys that were looked up under the lock.
    pub fn know(&mut self, held: HashMap<KeyName, Uuid>) {
        self.held = held;
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            rows: self.rows.len(),
            freed: self.freed.len(),
            released: self.released.len(),
            asks: self.asks.len(),
            undo: self.undo.len(),
        }
    }

    pub(super) fn roll_back(&mut self, mark: Mark) {
        for (name, before) in self.undo.drain(mark.undo..).rev() {
            match before {
                Some(owner) => self.held.insert(name, owner),
                None => self.held.remove(&name),
            };
        }
        self.rows.truncate(mark.rows);
        self.freed.truncate(mark.freed);
        self.released.truncate(mark.released);
        self.asks.truncate(mark.asks);
    }

    /// Frees and claims; `position` is its first event's.
    pub(super) fn apply(&mut self, tenant: Uuid, change: &Change, position: i64) -> Result<(), Stop> {
        for owner in &change.frees {
            let theirs: Vec<KeyName> = self.held.iter().filter(|(_, o)| *o == owner).map(|(name, _)| *name).collect();
            self.undo.extend(theirs.into_iter().map(|name| (name, self.held.remove(&name))));
            self.freed.push(*owner);
        }
        for Release { owner, kind, digests } in &change.releases {
            for name in digests.iter().map(|(version, digest)| (tenant, *kind, *version, *digest)) {
                if self.held.get(&name) == Some(owner) {
                    self.undo.push((name, self.held.remove(&name)));
                }
                self.released.push((name, *owner));
            }
        }
        for claim in &change.claims {
            for name in claim.names(tenant) {
                if self.held.contains_key(&name) {
                    return Err(Stop::Refused(claim.taken.clone()));
                }
                self.undo.push((name, self.held.insert(name, claim.owner)));
                self.rows.push(KeyRow { name, owner: claim.owner, position });
            }
        }
        self.asks.extend(change.asks.iter().cloned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::RefusalCode;

    const TENANT: Uuid = Uuid::from_u128(9);

    fn claims(owner: u128, digests: &[(i16, u8)]) -> Change {
        let digests = digests.iter().map(|(version, byte)| (*version, [*byte; 32])).collect();
        let taken = Refusal::new(RefusalCode::AlreadyRegistered, "taken");
        let claim = Claim { owner: Uuid::from_u128(owner), kind: "cpf", digests, taken };
        Change { claims: vec![claim], ..Change::default() }
    }

    fn frees(owner: u128) -> Change {
        Change { frees: vec![Uuid::from_u128(owner)], ..Change::default() }
    }

    #[test]
    fn a_key_is_one_owners_until_they_give_it_up() {
        let mut personal = Personal::default();
        assert!(personal.apply(TENANT, &claims(1, &[(1, 7), (2, 8)]), 1).is_ok());
        assert!(personal.apply(TENANT, &claims(2, &[(2, 8)]), 2).is_err(), "either version finds it");
        assert!(personal.apply(Uuid::nil(), &claims(2, &[(1, 7)]), 2).is_ok(), "another tenant's people are others");
        assert!(personal.apply(TENANT, &frees(1), 3).is_ok());
        assert!(personal.apply(TENANT, &claims(3, &[(1, 7)]), 4).is_ok());
        assert_eq!(personal.rows.len(), 4);
    }

    #[test]
    fn one_key_is_given_up_and_its_owners_others_stay() {
        let release = |owner: u128, byte| Change {
            releases: vec![Release { owner: Uuid::from_u128(owner), kind: "cpf", digests: vec![(1, [byte; 32])] }],
            ..Change::default()
        };
        let mut personal = Personal::default();
        personal.apply(TENANT, &claims(1, &[(1, 7)]), 1).unwrap();
        personal.apply(TENANT, &claims(1, &[(1, 8)]), 2).unwrap();
        personal.apply(TENANT, &release(2, 7), 3).unwrap();
        assert!(personal.apply(TENANT, &claims(2, &[(1, 7)]), 4).is_err(), "it is not theirs to give up");
        let mark = personal.mark();
        personal.apply(TENANT, &release(1, 7), 5).unwrap();
        assert!(personal.apply(TENANT, &claims(2, &[(1, 8)]), 6).is_err());
        assert!(personal.apply(TENANT, &claims(2, &[(1, 7)]), 7).is_ok());
        personal.roll_back(mark);
        assert!(personal.apply(TENANT, &claims(2, &[(1, 7)]), 8).is_err(), "it was not given up after all");
        assert_eq!(personal.released.len(), 1);
    }

    #[test]
    fn what_is_rolled_back_leaves_no_trace() {
        let mut personal = Personal::default();
        personal.know(HashMap::from([((TENANT, "cpf", 1, [7; 32]), Uuid::from_u128(1))]));
        let mark = personal.mark();
        personal.apply(TENANT, &frees(1), 1).unwrap();
        personal.apply(TENANT, &claims(2, &[(1, 7), (1, 8)]), 2).unwrap();
        personal.roll_back(mark);
        assert!(personal.rows.is_empty() && personal.freed.is_empty() && personal.released.is_empty());
        assert!(personal.apply(TENANT, &claims(2, &[(1, 7)]), 2).is_err());
        personal.roll_back(mark);
        assert!(personal.apply(TENANT, &claims(2, &[(1, 8)]), 2).is_ok());
    }
}
