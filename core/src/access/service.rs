//! The use cases: a login, looking a tenant up, who did what, and what the operator's command creates.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use secrecy::SecretString;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

use super::admission::Admission;
use super::caller::{Caller, Proof, Scopes};
use super::client::{Client, ClientName, Listed, Terms, may_come_from};
use super::client_secret::{ClientSecret, SecretHash};
use super::dpop::ProofError;
use super::error::AccessError;
use super::event;
use super::signing_key::SigningKeys;
use super::store;
use super::store::tenants::{self, Kept};
use super::tenant::Tenant;
use super::thumbprint::Thumbprint;
use super::token::{Confirmation, IssuedToken};
use crate::event_store::audit::{self, Audited, Search};
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Shard, fresh};
use crate::kernel::Instant;
use crate::secrets::Followed;
use crate::telemetry::clock;

/// What the API needs of this context. Reads as `vintem_reader`.
pub struct AccessService {
    pool: PgPool,
    keys: Followed<SigningKeys>,
    issuer: String,
    tenants: Cache<Uuid, Arc<Tenant>>,
    admission: Arc<Admission>,
}

impl AccessService {
    /// Whom tokens are of, and where we are reached.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The public host, with its port where that is not the usual one.
    pub fn host(&self) -> &str {
        self.issuer.strip_prefix("https://").unwrap_or(&self.issuer)
    }

    /// A service that signs as this issuer.
    pub fn new(pool: PgPool, keys: Followed<SigningKeys>, issuer: String) -> Self {
        // What is in it never changes; the bound and the time only keep the cache small.
        let tenants = Cache::builder().max_capacity(10_000).time_to_idle(Duration::from_hours(1)).build();
        Self { pool, keys, issuer, tenants, admission: Arc::default() }
    }

    /// The client credentials grant of OAuth 2.0: a secret for a token.
    ///
    /// `requested` narrows the scopes; without it the token has all that the client was granted. The token is good no
    /// longer than its client, and from the same addresses. `shows` what it is to be bound to is asked when the client is
    /// proven, so that nobody else learns or uses up anything.
    pub async fn issue_token(
        &self,
        client: Uuid,
        secret: &SecretString,
        requested: Option<&str>,
        address: Option<IpAddr>,
        shows: impl FnOnce() -> Result<Confirmation, ProofError>,
    ) -> Result<IssuedToken, AccessError> {
        let now = clock::now();
        let row = store::client_at_login(&self.pool, client).await?;
        // The comparisons come first and always, so that an unknown client takes as long as a known one. With what is known
        // of another one nobody gets any further.
        let current = row.as_ref().map_or(&SecretHash::OF_NOBODY, |row| &row.secret_hash).matches(secret);
        let previous = row.as_ref().and_then(|row| row.previous.as_ref());
        let is_in_time = previous.is_some_and(|(_, until)| now < *until);
        let previous = previous.map_or(&SecretHash::OF_NOBODY, |(hash, _)| hash).matches(secret);
        let is_proven = current || (previous && is_in_time);
        let is_good =
            |row: &store::LoginRow| is_proven && row.client == client && !row.revoked && row.terms.hold_at(now);
        let row = row.filter(is_good).ok_or(AccessError::BadCredentials)?;
        if !may_come_from(&row.terms.networks, address) {
            return Err(AccessError::WrongPlace);
        }
        let confirmation = shows()?;
        match (row.terms.key, confirmation.key) {
            (Some(_), None) => return Err(AccessError::NoProof),
            (Some(bound), Some(key)) if bound != key => return Err(ProofError::OtherKey.into()),
            _ => {}
        }
        let scopes = narrowed(row.scopes, requested)?;
        let caller = Caller { tenant: row.tenant, subject: client, proof: Proof::Client(scopes) };
        Ok(self.keys.load().issue_bound(&self.issuer, &caller, &row.terms, confirmation, now))
    }

    /// A citizen's token, good only with the key of their device.
    pub fn issue_for_citizen(&self, caller: &Caller, key: Thumbprint) -> IssuedToken {
        let confirmation = Confirmation { key: Some(key), certificate: None };
        self.keys.load().issue_bound(&self.issuer, caller, &Terms::default(), confirmation, clock::now())
    }

    /// Who may write, and under which names; it must be [followed](Admission::follow).
    pub fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// What the operator decided about the caller's tenant, as it is now.
    pub async fn settings(&self, tenant: Uuid) -> Result<Kept, AccessError> {
        let mut tx = tenant_tx(&self.pool, tenant).await?;
        let found = tenants::tenant_settings(&mut tx, tenant).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// The positions between which a tenant's log was recorded between two instants: after the one, before the other.
    pub async fn recorded_between(
        &self,
        tenant: &Tenant,
        from: Option<Instant>,
        to: Option<Instant>,
    ) -> Result<(i64, i64), AccessError> {
        let (mut after, mut before) = (0, i64::MAX);
        if from.is_none() && to.is_none() {
            return Ok((after, before));
        }
        let mut tx = tenant_tx(&self.pool, tenant.tenant).await?;
        if let Some(from) = from {
            // What was recorded at the instant itself belongs to what is looked for.
            let earlier = from - TimeDelta::microseconds(1);
            after = read::point(&mut tx, tenant.shard, Some(earlier)).await?.position;
        }
        if let Some(to) = to {
            before = read::point(&mut tx, tenant.shard, Some(to)).await?.position + 1;
        }
        tx.commit().await?;
        Ok((after, before))
    }

    /// Who did what in a tenant: the newest first.
    pub async fn audit(&self, tenant: &Tenant, search: &Search, limit: i64) -> Result<Vec<Audited>, AccessError> {
        let mut tx = tenant_tx(&self.pool, tenant.tenant).await?;
        let found = audit::search(&mut tx, tenant.shard, tenant.tenant, search, limit).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// The caller's tenant.
    pub async fn tenant(&self, tenant: Uuid) -> Result<Arc<Tenant>, AccessError> {
        if let Some(tenant) = self.tenants.get(&tenant) {
            return Ok(tenant);
        }
        let mut tx = tenant_tx(&self.pool, tenant).await?;
        let found = store::tenant_by_id(&mut tx, tenant).await?.ok_or(AccessError::UnknownTenant)?;
        tx.commit().await?;
        let found = Arc::new(found);
        self.tenants.insert(tenant, Arc::clone(&found));
        Ok(found)
    }
}

impl std::fmt::Debug for AccessService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessService").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Finds a tenant by its id or its name. Role: operator.
pub async fn find_tenant(connection: &mut PgConnection, name_or_id: &str) -> Result<Tenant, AccessError> {
    let found = match Uuid::parse_str(name_or_id) {
        Ok(id) => store::tenant_by_id(connection, id).await?,
        Err(_) => store::tenant_by_name(connection, name_or_id).await?,
    };
    found.ok_or(AccessError::UnknownTenant)
}

/// What a client is to be.
#[derive(Debug, Clone)]
pub struct NewClient {
    /// Whose program it is.
    pub tenant: Uuid,
    /// Unique in the tenant.
    pub name: ClientName,
    /// What its tokens may be good for.
    pub scopes: Scopes,
    /// Until when, and from where.
    pub terms: Terms,
}

/// Creates a client of a tenant, and the secret that is shown once. Role: operator; `writer` is
/// the one of the tenant's shard. The fact is in the log before the row is
/// committed: no client can act that the log knows nothing of.
pub async fn create_client(
    connection: &mut PgConnection,
    writer: &Shard,
    new: NewClient,
) -> Result<(Client, ClientSecret), AccessError> {
    let NewClient { tenant, name, scopes, terms } = new;
    if scopes.is_empty() {
        return Err(AccessError::NoScopes);
    }
    let client = Client { client: fresh::new_id(), tenant, name, scopes, terms };
    let secret = ClientSecret::generate();
    let mut tx = connection.begin().await?;
    store::insert_client(&mut tx, &client, &secret.hash(), clock::now()).await?;
    event::record_client(writer, &client).await?;
    tx.commit().await?;
    Ok((client, secret))
}

/// The clients of a tenant, the oldest first. Role: operator.
pub async fn list_clients(connection: &mut PgConnection, tenant: Uuid) -> Result<Vec<Listed>, AccessError> {
    store::clients(connection, tenant).await
}

/// Gives a client a new secret; the one before stays good for a while, so that its program can be changed without a
/// break. Role: operator; `writer` answers the one of a shard.
pub async fn rotate_client(
    connection: &mut PgConnection,
    writer: impl FnOnce(i16) -> Shard,
    client: Uuid,
    overlap: Duration,
) -> Result<(Client, ClientSecret), AccessError> {
    let mut tx = connection.begin().await?;
    let (client, shard, version) = store::lock_client(&mut tx, client).await?;
    let (secret, previous_until) = (ClientSecret::generate(), clock::now() + overlap);
    store::replace_secret(&mut tx, client.client, &secret.hash(), previous_until).await?;
    event::record_rotation(&writer(shard), &client, version, previous_until).await?;
    tx.commit().await?;
    Ok((client, secret))
}

/// Shuts a client out for ever: it gets no token, and those that it has are refused within seconds. Role: operator.
pub async fn revoke_client(
    connection: &mut PgConnection,
    writer: impl FnOnce(i16) -> Shard,
    client: Uuid,
) -> Result<Client, AccessError> {
    let mut tx = connection.begin().await?;
    let (client, shard, version) = store::lock_client(&mut tx, client).await?;
    store::revoke(&mut tx, client.client).await?;
    event::record_revocation(&writer(shard), &client, version).await?;
    tx.commit().await?;
    Ok(client)
}

/// Refuses, within seconds, every token of a tenant that was issued until now. Its clients may ask for others at once.
/// Role: operator; `writer` answers the one of a shard.
pub async fn revoke_tokens(
    connection: &mut PgConnection,
    writer: impl FnOnce(i16) -> Shard,
    tenant: Uuid,
) -> Result<DateTime<Utc>, AccessError> {
    let mut tx = connection.begin().await?;
    let (until, shard, version) = store::revoke_tokens(&mut tx, tenant).await?;
    event::record_tokens(&writer(shard), tenant, version, until).await?;
    tx.commit().await?;
    Ok(until)
}

fn narrowed(granted: Scopes, requested: Option<&str>) -> Result<Scopes, AccessError> {
    let Some(requested) = requested.filter(|text| !text.is_empty()) else { return Ok(granted) };
    let requested = Scopes::parse(requested).map_err(|_| AccessError::ScopeNotGranted)?;
    let is_granted = !requested.is_empty() && requested.intersection(granted) == requested;
    if is_granted { Ok(requested) } else { Err(AccessError::ScopeNotGranted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_ask_for_less_and_not_for_more() {
        let granted = Scopes::parse("ledger:read ledger:write").unwrap();
        assert_eq!(narrowed(granted, None).unwrap(), granted);
        assert_eq!(narrowed(granted, Some("")).unwrap(), granted);
        assert_eq!(narrowed(granted, Some("ledger:read")).unwrap().to_string(), "ledger:read");
        for more in ["ledger:admin", "ledger:read ledger:admin", "everything", " "] {
            assert!(matches!(narrowed(granted, Some(more)), Err(AccessError::ScopeNotGranted)), "{more:?}");
        }
    }
}
