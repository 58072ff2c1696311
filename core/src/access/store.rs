//! The SQL of tenants and clients.

pub(super) mod tenants;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use sqlx::postgres::{PgConnection, PgPool};
use uuid::Uuid;

use super::caller::Scopes;
use super::client::{Client, Listed, Terms};
use super::client_secret::SecretHash;
use super::error::AccessError;
use super::revocation::Lately;
use super::tenant::{Tenant, parse_time_zone};
use super::thumbprint::Thumbprint;

/// What a login needs to know of a client.
pub(super) struct LoginRow {
    /// Whose row it is: perhaps that of one who stands in for nobody.
    pub(super) client: Uuid,
    pub(super) tenant: Uuid,
    pub(super) secret_hash: SecretHash,
    /// The secret before, and until when it is good.
    pub(super) previous: Option<(SecretHash, DateTime<Utc>)>,
    pub(super) scopes: Scopes,
    pub(super) terms: Terms,
    pub(super) revoked: bool,
}

/// The client of this id, in whichever tenant; of an id that is nobody's the row of another client, for the same work.
/// Role: reader.
pub(super) async fn client_at_login(pool: &PgPool, client: Uuid) -> Result<Option<LoginRow>, AccessError> {
    let row = sqlx::query!(
        r#"SELECT client AS "client!", tenant AS "tenant!", secret_hash AS "secret_hash!", previous_hash, previous_until,
                  scopes AS "scopes!", networks AS "networks!", expires_at, dpop_key, revoked AS "revoked!"
           FROM client_at_the_door($1)"#,
        client
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let inconsistent = |what| AccessError::Inconsistent { what };
    let hash = |bytes: &[u8]| SecretHash::from_stored(bytes).ok_or_else(|| inconsistent("secret hash"));
    let previous = row.previous_hash.as_deref().map(hash).transpose()?.zip(row.previous_until);
    Ok(Some(LoginRow {
        client: row.client,
        tenant: row.tenant,
        secret_hash: hash(&row.secret_hash)?,
        previous,
        scopes: scopes(&row.scopes)?,
        terms: terms(row.expires_at, &row.networks, row.dpop_key.as_deref())?,
        revoked: row.revoked,
    }))
}

fn scopes(stored: &[String]) -> Result<Scopes, AccessError> {
    Scopes::parse(&stored.join(" ")).map_err(|_| AccessError::Inconsistent { what: "scope" })
}

fn terms(expires_at: Option<DateTime<Utc>>, networks: &[String], key: Option<&[u8]>) -> Result<Terms, AccessError> {
    let networks = networks.iter().map(|text| text.parse()).collect::<Result<_, _>>();
    let inconsistent = |what| AccessError::Inconsistent { what };
    let key = key.map(|bytes| Thumbprint::from_stored(bytes).ok_or_else(|| inconsistent("key"))).transpose()?;
    Ok(Terms { expires_at, networks: networks.map_err(|_| inconsistent("network"))?, key })
}

/// Clients of any tenant that were revoked, sessions of citizens that ended, and tenants whose tokens were revoked, as lately as any token lives. Role: reader.
pub(super) async fn revoked_lately(pool: &PgPool) -> Result<Lately, sqlx::Error> {
    let clients = sqlx::query_scalar!(r#"SELECT clients_revoked_lately() AS "client!""#).fetch_all(pool).await?;
    let sessions =
        sqlx::query_scalar!(r#"SELECT citizen_sessions_ended_lately() AS "session!""#).fetch_all(pool).await?;
    let tenants = sqlx::query!(r#"SELECT tenant AS "tenant!", since AS "since!" FROM tokens_revoked_lately()"#)
        .fetch_all(pool)
        .await?;
    let tenants = tenants.into_iter().map(|row| (row.tenant, row.since.timestamp()));
    Ok(Lately {
        clients: clients.into_iter().collect(),
        sessions: sessions.into_iter().collect(),
        tenants: tenants.collect(),
    })
}

/// Refuses all tokens of a tenant that were issued until now; answers the instant, the tenant's shard and the length of its
/// stream, which does not change before the transaction ends. Role: operator.
pub(super) async fn revoke_tokens(
    tx: &mut PgConnection,
    tenant: Uuid,
) -> Result<(DateTime<Utc>, i16, i32), AccessError> {
    let row = sqlx::query!(
        r#"UPDATE tenant SET tokens_since = clock_timestamp() WHERE tenant = $1 RETURNING shard, tokens_since AS "since!""#,
        tenant
    )
    .fetch_optional(&mut *tx)
    .await?;
    let row = row.ok_or(AccessError::UnknownTenant)?;
    Ok((row.since, row.shard, stream_length(tx, row.shard, tenant).await?))
}

async fn stream_length(tx: &mut PgConnection, shard: i16, stream: Uuid) -> Result<i32, AccessError> {
    let version = sqlx::query_scalar!(
        r#"SELECT coalesce(max(version), 0) AS "version!" FROM event WHERE shard = $1 AND stream = $2"#,
        shard,
        stream
    );
    Ok(version.fetch_one(tx).await?)
}

/// A tenant by id. Under the reader's policy only the one that the transaction is set to.
pub(super) async fn tenant_by_id(connection: &mut PgConnection, tenant: Uuid) -> Result<Option<Tenant>, AccessError> {
    let row = sqlx::query_as!(TenantRow, "SELECT tenant, name, shard, time_zone FROM tenant WHERE tenant = $1", tenant)
        .fetch_optional(connection)
        .await?;
    row.map(Tenant::try_from).transpose()
}

/// A tenant by name. Role: operator.
pub(super) async fn tenant_by_name(connection: &mut PgConnection, name: &str) -> Result<Option<Tenant>, AccessError> {
    let row = sqlx::query_as!(TenantRow, "SELECT tenant, name, shard, time_zone FROM tenant WHERE name = $1", name)
        .fetch_optional(connection)
        .await?;
    row.map(Tenant::try_from).transpose()
}

/// Adds a client of a tenant. Role: operator.
pub(super) async fn insert_client(
    connection: &mut PgConnection,
    client: &Client,
    secret_hash: &SecretHash,
    created_at: DateTime<Utc>,
) -> Result<(), AccessError> {
    let scopes: Vec<String> = client.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let networks: Vec<String> = client.terms.networks.iter().map(ToString::to_string).collect();
    sqlx::query!(
        "INSERT INTO client (tenant, client, name, secret_hash, scopes, created_at, expires_at, networks, dpop_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        client.tenant,
        client.client,
        client.name.as_str(),
        secret_hash.as_bytes(),
        &scopes,
        created_at,
        client.terms.expires_at,
        &networks,
        client.terms.key.as_ref().map(|key| &key.as_bytes()[..])
    )
    .execute(connection)
    .await
    .map_err(explain)?;
    Ok(())
}

/// The clients of a tenant. Role: operator.
pub(super) async fn clients(connection: &mut PgConnection, tenant: Uuid) -> Result<Vec<Listed>, AccessError> {
    let rows = sqlx::query!(
        "SELECT client, name, scopes, created_at, previous_until, expires_at, networks, dpop_key, revoked_at FROM client
         WHERE tenant = $1 ORDER BY created_at, client",
        tenant
    )
    .fetch_all(connection)
    .await?;
    let listed = rows.into_iter().map(|row| {
        let (name, scopes) = (row.name.parse()?, scopes(&row.scopes)?);
        let terms = terms(row.expires_at, &row.networks, row.dpop_key.as_deref())?;
        let client = Client { client: row.client, tenant, name, scopes, terms };
        let (created_at, previous_until, revoked_at) = (row.created_at, row.previous_until, row.revoked_at);
        Ok(Listed { client, created_at, previous_until, revoked_at })
    });
    listed.collect()
}

/// A client that is not revoked, its shard and the length of its stream, neither of which changes before the
/// transaction ends. Role: operator.
pub(super) async fn lock_client(tx: &mut PgConnection, client: Uuid) -> Result<(Client, i16, i32), AccessError> {
    let row = sqlx::query!(
        "SELECT c.tenant, c.name, c.scopes, c.expires_at, c.networks, c.dpop_key, c.revoked_at, t.shard
         FROM client c JOIN tenant t USING (tenant) WHERE c.client = $1 FOR UPDATE OF c",
        client
    )
    .fetch_optional(&mut *tx)
    .await?;
    let row = row.ok_or(AccessError::UnknownClient)?;
    if row.revoked_at.is_some() {
        return Err(AccessError::ClientRevoked);
    }
    let version = stream_length(tx, row.shard, client).await?;
    let terms = terms(row.expires_at, &row.networks, row.dpop_key.as_deref())?;
    let (name, scopes) = (row.name.parse()?, scopes(&row.scopes)?);
    Ok((Client { client, tenant: row.tenant, name, scopes, terms }, row.shard, version))
}

/// Makes a secret the present one, and the present one the one before. Role: operator.
pub(super) async fn replace_secret(
    tx: &mut PgConnection,
    client: Uuid,
    secret_hash: &SecretHash,
    previous_until: DateTime<Utc>,
) -> Result<(), AccessError> {
    sqlx::query!("SELECT replace_client_secret($1, $2, $3)", client, secret_hash.as_bytes(), previous_until)
        .execute(tx)
        .await?;
    Ok(())
}

/// Shuts a client out. Role: operator.
pub(super) async fn revoke(tx: &mut PgConnection, client: Uuid) -> Result<(), AccessError> {
    sqlx::query!("UPDATE client SET revoked_at = clock_timestamp() WHERE client = $1", client).execute(tx).await?;
    Ok(())
}

/// Where the days of tenants begin. Role: whoever may read the tenants of others.
pub async fn time_zones(connection: &mut PgConnection, tenants: &[Uuid]) -> Result<HashMap<Uuid, Tz>, sqlx::Error> {
    let rows = sqlx::query!("SELECT tenant, time_zone FROM tenant WHERE tenant = ANY ($1)", tenants)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.tenant, parse_time_zone(&row.time_zone).ok()?))).collect())
}

struct TenantRow {
    tenant: Uuid,
    name: String,
    shard: i16,
    time_zone: String,
}

impl TryFrom<TenantRow> for Tenant {
    type Error = AccessError;

    fn try_from(row: TenantRow) -> Result<Self, AccessError> {
        let inconsistent = |what| AccessError::Inconsistent { what };
        Ok(Self {
            tenant: row.tenant,
            name: row.name.parse().map_err(|_| inconsistent("tenant name"))?,
            shard: row.shard,
            time_zone: parse_time_zone(&row.time_zone).map_err(|_| inconsistent("time zone"))?,
        })
    }
}

/// A broken constraint is a refusal with a name.
fn explain(error: sqlx::Error) -> AccessError {
    match error.as_database_error().and_then(|error| error.constraint()) {
        Some("client_tenant_name_key") => AccessError::NameTaken,
        Some("tenant_hostname_pkey") => AccessError::HostnameTaken,
        Some("client_tenant_fkey") => AccessError::UnknownTenant,
        _ => AccessError::Database(error),
    }
}
