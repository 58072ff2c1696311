//! What never changes and every fact needs: the accounts' identities, the tenants' time zones.

use super::Unreadable;
use super::fact::{Fact, Moved};
use super::follow::Trouble;
use super::log::EventRow;
use crate::access;
use crate::event_store::legs::Legs;
use crate::kernel::Instant;
use crate::ledger::known::Identity;
use crate::ledger::store::identities;
use chrono_tz::Tz;
use hashlink::LruCache;
use sqlx::PgConnection;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// Accounts remembered, of about 200 bytes each.
const ACCOUNTS: usize = 200_000;

/// A bounded memory.
pub struct Known {
    accounts: LruCache<Uuid, Arc<Identity>>,
    zones: HashMap<Uuid, Tz>,
}

/// An account and the changes of posted, held, incoming.
type Numbers = (Uuid, i64, i64, i64);

impl Default for Known {
    fn default() -> Self {
        Self { accounts: LruCache::new(ACCOUNTS), zones: HashMap::new() }
    }
}

impl Known {
    /// Completes rows to facts. `recorded_at` tells when the event at a position was recorded.
    pub async fn complete(
        &mut self,
        session: &mut PgConnection,
        shard: i16,
        rows: Vec<EventRow>,
        mut recorded_at: impl FnMut(i64) -> Instant,
    ) -> Result<Vec<Fact>, Trouble> {
        let moves = rows.iter().map(numbers).collect::<Result<Vec<_>, _>>()?;
        let found = self.accounts(session, shard, &moves).await?;
        self.read_zones(session, &rows).await?;
        let mut facts = Vec::with_capacity(rows.len());
        for (row, moves) in rows.into_iter().zip(moves) {
            let named = moves.into_iter().map(|(id, posted, held, incoming)| {
                let account = found.get(&id).cloned().ok_or_else(|| Unreadable {
                    position: row.position,
                    reason: format!("moves money of account {id}, which does not exist"),
                })?;
                Ok(Moved { account, posted, held, incoming })
            });
            let moves = named.collect::<Result<_, Unreadable>>()?;
            let recorded_at = recorded_at(row.position);
            let effective_at = row.effective_at.unwrap_or(recorded_at);
            let zone = self.zones.get(&row.tenant).copied().unwrap_or(Tz::UTC);
            let EventRow { position, tenant, stream, kind, payload, .. } = row;
            let day = effective_at.with_timezone(&zone).date_naive();
            facts.push(Fact { position, tenant, stream, kind, payload, recorded_at, effective_at, day, moves });
        }
        Ok(facts)
    }

    async fn accounts(
        &mut self,
        session: &mut PgConnection,
        shard: i16,
        moves: &[Vec<Numbers>],
    ) -> Result<HashMap<Uuid, Arc<Identity>>, sqlx::Error> {
        let mut found = HashMap::new();
        let mut missing = Vec::new();
        for (id, ..) in moves.iter().flatten() {
            if !found.contains_key(id) {
                match self.accounts.get(id) {
                    Some(identity) => _ = found.insert(*id, identity.clone()),
                    None => missing.push(*id),
                }
            }
        }
        if !missing.is_empty() {
            missing.sort_unstable();
            missing.dedup();
            for (id, identity) in identities::accounts(session, shard, &missing).await? {
                self.accounts.insert(id, identity.clone());
                found.insert(id, identity);
            }
        }
        Ok(found)
    }

    /// A tenant's first fact is appended before its row is committed; then its zone is looked up again later.
    async fn read_zones(&mut self, session: &mut PgConnection, rows: &[EventRow]) -> Result<(), sqlx::Error> {
        let tenants: BTreeSet<Uuid> = rows.iter().map(|row| row.tenant).collect();
        let missing: Vec<Uuid> = tenants.into_iter().filter(|tenant| !self.zones.contains_key(tenant)).collect();
        if !missing.is_empty() {
            self.zones.extend(access::time_zones(session, &missing).await?);
        }
        Ok(())
    }
}

/// The moves of an event as numbers.
fn numbers(row: &EventRow) -> Result<Vec<Numbers>, Unreadable> {
    let legs = Legs::read(&row.payload)
        .map_err(|_| Unreadable { position: row.position, reason: "has a payload that cannot be read".to_owned() })?;
    let parse = |(account, posted, held, incoming): &(Uuid, &str, &str, &str)| {
        Some((*account, posted.parse().ok()?, held.parse().ok()?, incoming.parse().ok()?))
    };
    legs.moves.iter().map(|leg| parse(leg).ok_or(())).collect::<Result<_, ()>>().map_err(|()| Unreadable {
        position: row.position,
        reason: "moves amounts that are not numbers of 64 bits".to_owned(),
    })
}
