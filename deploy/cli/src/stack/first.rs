//! What an empty ledger needs before anybody can use it: the schema, a tenant, a service client.
//!
//! Each is made by the process that makes it in production, with the rights of that process only: the schema by
//! a leased migrator, tenant and client by a leased operator.

use vintem_core::access::{self, AccessError, ClientName, Scopes, TenantName};
use vintem_core::secrets::{
    DatabaseRole, DatabaseSettings, ProcessSettings, SecretsError, TelemetrySettings, VaultSettings, WrappingToken,
};

use super::error::StackError;
use super::state::FirstClient;
use super::{DATABASE, Stack};
use crate::session::Session;

/// The tenant's name.
pub const TENANT: &str = "demo";
const TIME_ZONE: &str = "America/Sao_Paulo";
const SHARD: i16 = 0;
const SCOPES: &str = "ledger:read ledger:write ledger:admin";
/// Names tried for the client: the secret of one whose making was interrupted is lost, so the next is made.
const CLIENTS: u32 = 100;

/// Why the first things could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    /// The login or the lease.
    #[error("the process could not log in to Vault and lease its database user")]
    Secrets(#[from] SecretsError),
    /// The schema.
    #[error("a migration failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Tenant or client.
    #[error("tenant or client could not be made")]
    Access(#[from] AccessError),
    /// Every name for the client is taken.
    #[error("the tenant has {CLIENTS} clients already")]
    Names,
    /// The database.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
}

/// A client just made, with the secret that exists nowhere else.
#[derive(Debug)]
pub struct NewClient {
    /// Names for the state file.
    pub names: FirstClient,
    /// Shown once.
    pub secret: secrecy::SecretString,
}

/// Brings the schema to this version.
pub async fn migrate(stack: &Stack) -> Result<(), StackError> {
    let session = log_in(stack, DatabaseRole::Migrator).await?;
    let migrated = session.migrate().await;
    session.close().await;
    Ok(migrated.map_err(FirstError::from)?)
}

/// Makes the first tenant and its client.
pub async fn tenant_and_client(stack: &Stack) -> Result<NewClient, StackError> {
    let mut session = log_in(stack, DatabaseRole::Operator).await?;
    let made = make(&mut session).await;
    session.close().await;
    Ok(made?)
}

async fn make(session: &mut Session) -> Result<NewClient, FirstError> {
    let writer = session.writer(SHARD);
    let mut connection = session.database().pool().acquire().await?;
    let name: TenantName = TENANT.parse()?;
    let zone = access::parse_time_zone(TIME_ZONE)?;
    let tenant = match access::create_tenant(&mut connection, &writer, name, SHARD, zone).await {
        // Made by a run that was interrupted before it could record it.
        Err(AccessError::NameTaken) => access::find_tenant(&mut connection, TENANT).await?,
        made => made?,
    };
    let scopes = Scopes::parse(SCOPES).map_err(AccessError::from)?;
    for number in 1..=CLIENTS {
        let name: ClientName = format!("client {number}").parse()?;
        match access::create_client(&mut connection, &writer, tenant.tenant, name, scopes).await {
            Err(AccessError::NameTaken) => {}
            made => {
                let (client, secret) = made?;
                let names = FirstClient { tenant: TENANT.into(), client_id: client.client.to_string() };
                return Ok(NewClient { names, secret: secret.reveal().to_owned().into() });
            }
        }
    }
    Err(FirstError::Names)
}

/// Logs in as the process of that name, as it would by itself.
async fn log_in(stack: &Stack, role: DatabaseRole) -> Result<Session, StackError> {
    let settings = settings(stack, role.as_str()).await?;
    let wrapped = stack.wrapped_secret_id(role.as_str()).await?;
    Ok(Session::log_in(settings, WrappingToken::new(wrapped), role).await.map_err(FirstError::from)?)
}

async fn settings(stack: &Stack, role: &str) -> Result<ProcessSettings, StackError> {
    let authority = stack.folder().authority();
    let vault = VaultSettings {
        address: stack.vault_address(),
        ca: authority.clone(),
        role: role.into(),
        role_id: stack.role_id(role).await?,
        mount_prefix: String::new(),
    };
    let database = DatabaseSettings {
        host: "127.0.0.1".into(),
        port: stack.known().ports.postgres,
        name: DATABASE.into(),
        ca: authority,
    };
    Ok(ProcessSettings { vault, database, telemetry: TelemetrySettings { log: "warn".into(), otlp_endpoint: None } })
}
