//! The writer's account cache: bounded, always safe to lose, brought up to date by folding moves.

use super::kept::Kept;
use super::legs::Legs;
use super::overlay::AccountState;
use crate::kernel::Minor;
use hashlink::LruCache;
use sqlx::PgConnection;
use std::collections::HashMap;
use uuid::Uuid;

/// Above this many missed events it is cheaper to begin with an empty cache.
const MAX_GAP: i64 = 20_000;

/// Accounts by public id.
#[derive(Debug)]
pub(super) struct AccountCache(LruCache<Uuid, Kept>);

impl AccountCache {
    pub fn new(capacity: usize) -> Self {
        Self(LruCache::new(capacity))
    }

    pub fn get(&mut self, id: Uuid) -> Option<AccountState> {
        self.0.get(&id).copied().map(AccountState::from)
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes over what a committed batch left behind.
    pub fn remember(&mut self, accounts: HashMap<Uuid, AccountState>) {
        for (id, state) in accounts {
            self.0.insert(id, state.into());
        }
    }

    /// Folds what other processes recorded after `from`, up to `to`.
    pub async fn catch_up(&mut self, tx: &mut PgConnection, shard: i16, from: i64, to: i64) -> Result<(), sqlx::Error> {
        if to - from > MAX_GAP {
            self.clear();
            return Ok(());
        }
        if self.0.is_empty() || from == to {
            return Ok(());
        }
        let rows = sqlx::query!(
            r#"SELECT position, stream, kind, payload::text AS "payload!" FROM event WHERE shard = $1 AND position > $2 AND position <= $3 ORDER BY position"#,
            shard,
            from,
            to
        )
        .fetch_all(tx)
        .await?;
        for row in rows {
            // Whatever a kind says about an account's settings, known here or not: read them again.
            self.0.remove(&row.stream);
            match Legs::read(&row.payload) {
                Ok(payload) => self.fold(row.position, &payload),
                Err(_) => self.clear(),
            }
        }
        Ok(())
    }

    fn fold(&mut self, position: i64, payload: &Legs<'_>) {
        for (account, posted, held, incoming) in &payload.moves {
            let Some(kept) = self.0.get_mut(account) else { continue };
            let state = AccountState::from(*kept);
            if state.position >= position {
                continue;
            }
            let (Some(posted), Some(held), Some(incoming)) =
                (add(state.posted, posted), add(state.held, held), add(state.incoming, incoming))
            else {
                self.0.remove(account);
                continue;
            };
            *kept = AccountState { posted, held, incoming, version: state.version + 1, position, ..state }.into();
        }
    }
}

fn add(balance: Minor, change: &str) -> Option<Minor> {
    balance.within_limit(Minor::new(change.parse().ok()?))
}
