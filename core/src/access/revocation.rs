//! Clients whose tokens are refused although they have not ended.
//!
//! A token is verified in memory, so a process must hear of a revocation by itself: it asks every other second for the
//! clients that were revoked lately, which are few. Who was revoked before that has no token that is good any more.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio::time::sleep;
use uuid::Uuid;

use super::store;

/// How long a revoked client's tokens may go on.
const GLANCE: Duration = Duration::from_secs(2);

/// The clients that were revoked lately.
#[derive(Debug, Default)]
pub struct Revocations(ArcSwap<HashSet<Uuid>>);

impl Revocations {
    /// Whether a client was.
    pub fn contains(&self, client: Uuid) -> bool {
        self.0.load().contains(&client)
    }

    /// Asks anew. Role: reader.
    pub async fn refresh(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        self.0.store(Arc::new(store::revoked_lately(pool).await?));
        Ok(())
    }

    /// Keeps asking until the task is ended. With the database away what is known stays.
    pub async fn follow(self: Arc<Self>, pool: PgPool) {
        loop {
            if let Err(error) = self.refresh(&pool).await {
                tracing::debug!(%error, "revocations cannot be read");
            }
            sleep(GLANCE).await;
        }
    }
}
