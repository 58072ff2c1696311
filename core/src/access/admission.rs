//! Which tenants may not write, and which names are whose: known in memory, as new as two seconds ago.
//!
//! A request is judged without a look at Postgres, so a process must hear of a suspension by itself. What is asked for is
//! short: who is suspended, and the names that operators gave to tenants.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use sqlx::PgPool;
use tokio::time::sleep;
use uuid::Uuid;

use super::settings::Hostname;
use super::store::tenants;

/// How long a suspended tenant's writes may go on.
const GLANCE: Duration = Duration::from_secs(2);

/// Why a request of a known caller goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    /// It was sent to a name of another tenant's. To the caller nothing is there.
    #[error("there is no such object")]
    Elsewhere,
    /// The operator suspended the tenant.
    #[error(
        "the tenant is suspended: what is recorded can be read, and nothing is written until its operator resumes it"
    )]
    Suspended,
}

/// What is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) suspended: HashSet<Uuid>,
    pub(super) hostnames: HashMap<String, Uuid>,
}

/// Whose requests go on.
#[derive(Debug, Default)]
pub struct Admission(ArcSwap<Known>);

impl Admission {
    /// Whether a tenant's caller may go on with a request to this `Host`. A name that nobody registered is everybody's.
    pub fn admit(&self, tenant: Uuid, host: Option<&str>, is_write: bool) -> Result<(), Barred> {
        let known = self.0.load();
        if !known.hostnames.is_empty()
            && let Some(name) = host.and_then(Hostname::of_header)
            && known.hostnames.get(name.as_str()).is_some_and(|owner| *owner != tenant)
        {
            return Err(Barred::Elsewhere);
        }
        if is_write && known.suspended.contains(&tenant) { Err(Barred::Suspended) } else { Ok(()) }
    }

    /// Asks anew. Role: reader.
    pub async fn refresh(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        self.0.store(Arc::new(tenants::admission(pool).await?));
        Ok(())
    }

    /// Keeps asking until the task is ended. With the database away what is known stays.
    pub async fn follow(self: Arc<Self>, pool: PgPool) {
        loop {
            sleep(GLANCE).await;
            if let Err(error) = self.refresh(&pool).await {
                tracing::debug!(%error, "whom to admit cannot be read");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_bind_their_tenant_and_suspension_binds_writes() {
        let (coffee, tea) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let admission = Admission::default();
        assert_eq!(admission.admit(coffee, Some("tea.example"), true), Ok(()));
        let hostnames = HashMap::from([("tea.example".to_owned(), tea)]);
        admission.0.store(Arc::new(Known { suspended: HashSet::from([coffee]), hostnames }));
        assert_eq!(admission.admit(coffee, None, false), Ok(()));
        assert_eq!(admission.admit(coffee, Some("localhost:8443"), true), Err(Barred::Suspended));
        assert_eq!(admission.admit(tea, Some("Tea.Example:443"), true), Ok(()));
        // Where a tenant is a stranger, not even its suspension is spoken of.
        assert_eq!(admission.admit(coffee, Some("TEA.example"), true), Err(Barred::Elsewhere));
        assert_eq!(admission.admit(coffee, Some("tea.example"), false), Err(Barred::Elsewhere));
    }
}
