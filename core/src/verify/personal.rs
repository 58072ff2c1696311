//! Personal keys belong to holders who live.
//!
//! The digests are in no event, on purpose: what could be folded out of the log could not be forgotten. So these rows
//! are not rebuilt. What the log does say is who was registered and who was erased: each row must be of somebody
//! who lives, and whoever lives must have one.

use super::Audit;
use super::report::{Rule, Subject};
use super::store::personal as store;
use crate::event_store::Recorded;
use crate::holders::event::{HOLDER_ERASED, HOLDER_REGISTERED};
use std::collections::BTreeMap;
use uuid::Uuid;

const TABLE: &str = "personal_key";
/// Owners of a page.
const OWNERS: i64 = 5_000;

/// Holders who are registered and not erased, with their tenants.
#[derive(Debug, Default)]
pub struct Living(BTreeMap<Uuid, Uuid>);

impl Living {
    /// Folds the next event.
    pub fn event(&mut self, event: &Recorded) {
        match &*event.kind {
            HOLDER_REGISTERED => _ = self.0.insert(event.stream, event.tenant),
            HOLDER_ERASED => _ = self.0.remove(&event.stream),
            _ => {}
        }
    }

    /// Compares them with the rows of positions up to the end.
    pub(super) async fn check(mut self, audit: &mut Audit<'_>) -> Result<(), sqlx::Error> {
        audit.progress.begin("holders", self.0.len() as u64);
        let mut after = Uuid::nil();
        loop {
            let page = store::owners(audit.session, audit.shard, after, audit.end.position, OWNERS).await?;
            let Some(last) = page.last() else { break };
            after = last.0;
            audit.progress.add(page.len() as u64);
            for (owner, tenant) in page {
                if self.0.remove(&owner) != Some(tenant) {
                    let detail = "is of nobody who is registered and not erased in its tenant";
                    audit.findings.add(Rule::LookUp, Subject::LookUp(TABLE, owner.to_string()), detail);
                }
            }
        }
        // Who was erased since the walk has no rows any more, and rightly so.
        let missing: Vec<Uuid> = self.0.into_keys().collect();
        for owner in store::without_event(audit.session, audit.shard, &missing, HOLDER_ERASED).await? {
            let detail = "is missing; the log says that this holder is registered";
            audit.findings.add(Rule::LookUp, Subject::LookUp(TABLE, owner.to_string()), detail);
        }
        Ok(())
    }
}
