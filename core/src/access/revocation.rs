//! Tokens that are refused although they have not ended: those of revoked clients, those of sessions that citizens or others
//! have ended, and those from before a tenant's last revocation of everything.
//!
//! A token is verified in memory, so a process must hear of a revocation by itself: it asks every other second for the
//! clients, sessions and tenants of lately, which are few. What was revoked before that has no token that is good any more.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio::time::sleep;
use uuid::Uuid;

use super::caller::Caller;
use super::store;

/// How long a revoked token may go on.
const GLANCE: Duration = Duration::from_secs(2);

/// What was revoked lately.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// Clients.
    pub(super) clients: HashSet<Uuid>,
    /// Sessions of citizens.
    pub(super) sessions: HashSet<Uuid>,
    /// Tenants, and the second until which the tokens were issued that are refused.
    pub(super) tenants: HashMap<Uuid, i64>,
}

/// The clients and tenants of which something was revoked lately.
#[derive(Debug, Default)]
pub struct Revocations(ArcSwap<Lately>);

impl Revocations {
    /// Whether a token of this caller, issued in this second, was revoked.
    pub fn contain(&self, caller: &Caller, issued_at: i64) -> bool {
        let lately = self.0.load();
        let is_own = match caller.citizen() {
            Some(citizen) => lately.sessions.contains(&citizen.session),
            None => lately.clients.contains(&caller.subject),
        };
        // A token from the very second of the revocation goes too: it does not say whether it was before.
        is_own || lately.tenants.get(&caller.tenant).is_some_and(|since| issued_at <= *since)
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
    use super::super::caller::{CitizenSession, Proof, Scopes};
    use super::*;

    fn caller(tenant: Uuid, client: Uuid) -> Caller {
        Caller { tenant, subject: client, proof: Proof::Client(Scopes::default()) }
    }

    #[test]
    fn a_tenants_revocation_ends_what_is_older_and_nobody_elses() {
        let (ana, bia, client) = (Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(9));
        let (anas, bias) = (caller(ana, client), caller(bia, client));
        let revocations = Revocations::default();
        assert!(!revocations.contain(&anas, 100));
        revocations.0.store(Arc::new(Lately { tenants: HashMap::from([(ana, 100)]), ..Lately::default() }));
        assert!(revocations.contain(&anas, 99) && revocations.contain(&anas, 100));
        assert!(!revocations.contain(&anas, 101) && !revocations.contain(&bias, 99));
        revocations.0.store(Arc::new(Lately { clients: HashSet::from([client]), ..Lately::default() }));
        assert!(revocations.contain(&bias, 101) && !revocations.contain(&caller(bia, ana), 101));
    }

    #[test]
    fn a_session_that_ended_takes_its_tokens_along_and_no_other_sessions() {
        let (ended, open) = (Uuid::from_u128(5), Uuid::from_u128(6));
        let on = |session| {
            let citizen = CitizenSession { session, device: Uuid::from_u128(7), account: Uuid::from_u128(8) };
            Caller { proof: Proof::Citizen(citizen), ..caller(Uuid::from_u128(1), Uuid::from_u128(9)) }
        };
        let revocations = Revocations::default();
        revocations.0.store(Arc::new(Lately { sessions: HashSet::from([ended]), ..Lately::default() }));
        assert!(revocations.contain(&on(ended), 100) && !revocations.contain(&on(open), 100));
    }
}
