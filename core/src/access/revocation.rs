//! Tokens that are refused although they have not ended: those of revoked clients, and those from before a tenant's last
//! revocation of everything.
//!
//! A token is verified in memory, so a process must hear of a revocation by itself: it asks every other second for the
//! clients and tenants of lately, which are few. What was revoked before that has no token that is good any more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio::time::sleep;
use uuid::Uuid;

use super::store;

/// How long a revoked token may go on.
const GLANCE: Duration = Duration::from_secs(2);

/// What was revoked lately.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// Clients.
    pub(super) clients: HashSet<Uuid>,
    /// Tenants, and the second until which the tokens were issued that are refused.
    pub(super) tenants: HashMap<Uuid, i64>,
}

/// The clients and tenants of which something was revoked lately.
#[derive(Debug, Default)]
pub struct Revocations(ArcSwap<Lately>);

impl Revocations {
    /// Whether a token of this tenant and client, issued in this second, was revoked.
    pub fn contain(&self, tenant: Uuid, client: Uuid, issued_at: i64) -> bool {
        let lately = self.0.load();
        // A token from the very second of the revocation goes too: it does not say whether it was before.
        lately.clients.contains(&client) || lately.tenants.get(&tenant).is_some_and(|since| issued_at <= *since)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenants_revocation_ends_what_is_older_and_nobody_elses() {
        let (ana, bia, client) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(9));
        let revocations = Revocations::default();
        assert!(!revocations.contain(ana, client, 100));
        let tenants = HashMap::from([(ana, 100)]);
        revocations.0.store(Arc::new(Lately { clients: HashSet::new(), tenants }));
        assert!(revocations.contain(ana, client, 99) && revocations.contain(ana, client, 100));
        assert!(!revocations.contain(ana, client, 101) && !revocations.contain(bia, client, 99));
        revocations.0.store(Arc::new(Lately { clients: HashSet::from([client]), tenants: HashMap::new() }));
        assert!(revocations.contain(bia, client, 101) && !revocations.contain(bia, ana, 101));
    }
}
