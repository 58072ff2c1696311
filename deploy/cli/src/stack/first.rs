//! What an empty ledger needs before anybody can use it: the schema, a tenant, a service client, something to see.
//!
//! Each is made by the process that makes it in production, with the rights of that process only: the schema by
//! a leased migrator, tenant and client by a leased operator.

use secrecy::SecretString;
use sqlx::PgConnection;
use vintem_core::access::settings::Change;
use vintem_core::access::staff::{Login, Position, StaffError, invite_by_operator};
use vintem_core::access::{self, AccessError, ClientName, Role, Scopes, Tenant, TenantName, Terms};
use vintem_core::event_store::Shard;
use vintem_core::secrets::{
    DatabaseRole, DatabaseSettings, LoginMethod, ProcessSettings, SecretsError, TelemetrySettings, VaultSettings,
    WrappingToken,
};
use vintem_core::verify::{self, Finding, Report};

use super::error::StackError;
use super::state::FirstClient;
use super::ui::Step;
use super::{DATABASE, Stack};
use crate::client::{Client, Connection};
use crate::demo::{self, DemoError, Played};
use crate::session::{MigrationError, Session};

/// The tenant's name.
pub const TENANT: &str = "demo";
const TIME_ZONE: &str = "America/Sao_Paulo";
/// Where it is.
pub const SHARD: i16 = 0;
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
    Migrate(#[source] MigrationError),
    /// Tenant or client.
    #[error("tenant or client could not be made")]
    Access(#[from] AccessError),
    /// Members.
    #[error("a member could not be invited")]
    Staff(#[from] StaffError),
    /// Every name for the client is taken.
    #[error("every name for the client is taken")]
    Names,
    /// The database.
    #[error("the database is not available")]
    Database(#[from] sqlx::Error),
    /// The API, or what it answered.
    #[error("the demonstration did not go as its story says")]
    Demonstration(#[from] DemoError),
    /// The ledger after the demonstration.
    #[error("the ledger is broken: {0}; `vintem verify` lists everything")]
    Broken(Box<Finding>),
}

/// A client just made, with the secret that exists nowhere else.
#[derive(Debug)]
pub struct NewClient {
    /// Names for the state file.
    pub names: FirstClient,
    /// Shown once.
    pub secret: SecretString,
}

/// Brings the schema to this version.
pub async fn migrate(stack: &Stack) -> Result<(), StackError> {
    let session = log_in(stack, DatabaseRole::Migrator).await?;
    let migrated = session.migrate().await;
    session.close().await;
    migrated.map_err(|error| FirstError::Migrate(error).into())
}

/// Makes the first tenant and its client.
pub async fn tenant_and_client(stack: &Stack) -> Result<NewClient, StackError> {
    client_of(stack, TENANT, SHARD, (1..=CLIENTS).map(|number| format!("client {number}"))).await
}

/// Makes a client of a tenant, under the first of the names that is free, and the tenant unless it is there.
pub async fn client_of(
    stack: &Stack,
    tenant: &str,
    shard: i16,
    names: impl IntoIterator<Item = String>,
) -> Result<NewClient, StackError> {
    let mut session = log_in(stack, DatabaseRole::Operator).await?;
    let made = make(&mut session, tenant, shard, names).await;
    session.close().await;
    Ok(made?)
}

/// Makes a tenant and invites members to it who may look at accounts; answers what opens each invitation.
pub async fn invited(stack: &Stack, tenant: &str, logins: &[String]) -> Result<Vec<SecretString>, StackError> {
    let mut session = log_in(stack, DatabaseRole::Operator).await?;
    let invited = invite(&mut session, tenant, logins).await;
    session.close().await;
    Ok(invited?)
}

async fn invite(session: &mut Session, tenant: &str, logins: &[String]) -> Result<Vec<SecretString>, FirstError> {
    let writer = session.writer(SHARD);
    let mut connection = session.database().pool().acquire().await?;
    let tenant = tenant_named(&mut connection, &writer, tenant, SHARD).await?;
    let support = Position { roles: vec![Role::Support], ..Position::default() };
    let mut tickets = Vec::with_capacity(logins.len());
    for login in logins {
        let login: Login = login.parse().map_err(StaffError::from)?;
        tickets.push(invite_by_operator(&mut connection, &writer, &tenant, &login, &support).await?.ticket.reveal());
    }
    Ok(tickets)
}

/// Lets people become citizens of a tenant, with accounts in an asset.
pub async fn take_citizens(stack: &Stack, tenant: &str, asset: &str) -> Result<(), StackError> {
    let mut session = log_in(stack, DatabaseRole::Operator).await?;
    let changed = set_citizen_asset(&mut session, tenant, asset).await;
    session.close().await;
    Ok(changed?)
}

async fn set_citizen_asset(session: &mut Session, tenant: &str, asset: &str) -> Result<(), FirstError> {
    let writer = session.writer(SHARD);
    let mut connection = session.database().pool().acquire().await?;
    let tenant = access::find_tenant(&mut connection, tenant).await?.tenant;
    let change = Change { citizen_asset: Some(asset.to_owned()), ..Change::default() };
    access::change_tenant(&mut connection, |_| writer, tenant, &change).await?;
    Ok(())
}

/// Plays a month of a small town through the API as the new client, verifies the ledger, and shows the books.
pub async fn demonstrate(stack: &Stack, made: &NewClient) -> Result<(), StackError> {
    let connection = Connection {
        url: Some(stack.url()),
        ca: Some(stack.folder().authority()),
        client_id: Some(made.names.client_id.clone()),
        client_secret_file: None,
        identity: None,
    };
    let client = Client::with_secret(&connection, made.secret.clone()).await.map_err(DemoError::from);
    let client = client.map_err(FirstError::from)?;
    let played = demo::play(&client).await.map_err(FirstError::from)?;

    let step = Step::begin("Demonstration", "verifying the ledger");
    let session = log_in(stack, DatabaseRole::Auditor).await?;
    let verified = verify(&session).await;
    session.close().await;
    let report = verified?;
    let story = played.as_ref().map_or_else(|| "left out, the ledger is in use".into(), Played::summary);
    step.done(&format!("{story}; {} events verified", report.events));
    if let Some(played) = &played {
        played.print(&client).await.map_err(FirstError::from)?;
    }
    Ok(())
}

async fn verify(session: &Session) -> Result<Report, FirstError> {
    let mut connection = session.database().pool().acquire().await?;
    let report = verify::run(&mut connection, SHARD, &mut verify::Silent).await?;
    match report.findings.told().first() {
        Some(finding) => Err(FirstError::Broken(Box::new(finding.clone()))),
        None => Ok(report),
    }
}

async fn make(
    session: &mut Session,
    tenant_name: &str,
    shard: i16,
    names: impl IntoIterator<Item = String>,
) -> Result<NewClient, FirstError> {
    let writer = session.writer(shard);
    let mut connection = session.database().pool().acquire().await?;
    let tenant = tenant_named(&mut connection, &writer, tenant_name, shard).await?;
    let scopes = Scopes::all();
    for name in names {
        let name: ClientName = name.parse()?;
        let new = access::NewClient { tenant: tenant.tenant, name, scopes, terms: Terms::default() };
        match access::create_client(&mut connection, &writer, new).await {
            Err(AccessError::NameTaken) => {}
            made => {
                let (client, secret) = made?;
                let names = FirstClient { tenant: tenant_name.into(), client_id: client.client.to_string() };
                return Ok(NewClient { names, secret: secret.reveal().to_owned().into() });
            }
        }
    }
    Err(FirstError::Names)
}

async fn tenant_named(
    connection: &mut PgConnection,
    writer: &Shard,
    name: &str,
    shard: i16,
) -> Result<Tenant, FirstError> {
    let zone = access::parse_time_zone(TIME_ZONE)?;
    match access::create_tenant(connection, writer, name.parse::<TenantName>()?, shard, zone).await {
        // Made by a run that was interrupted before it could record it, or by an earlier benchmark.
        Err(AccessError::NameTaken) => Ok(access::find_tenant(connection, name).await?),
        made => Ok(made?),
    }
}

/// Logs in as the process of that name, as it would by itself.
async fn log_in(stack: &Stack, role: DatabaseRole) -> Result<Session, StackError> {
    let settings = settings(stack, role.as_str()).await?;
    let wrapped = stack.wrapped_secret_id(role.as_str()).await?;
    Ok(Session::log_in(settings, WrappingToken::new(wrapped), role).await.map_err(FirstError::from)?)
}

/// How a process of that name logs in, by itself or in another one's place.
pub async fn settings(stack: &Stack, role: &str) -> Result<ProcessSettings, StackError> {
    let authority = stack.folder().authority();
    let vault = VaultSettings {
        address: stack.vault_address(),
        ca: authority.clone(),
        role: role.into(),
        login: LoginMethod::AppRole { role_id: stack.role_id(role).await? },
        mount_prefix: String::new(),
    };
    let database = DatabaseSettings {
        host: "127.0.0.1".into(),
        port: stack.known().ports.postgres,
        name: DATABASE.into(),
        ca: authority,
    };
    Ok(ProcessSettings {
        vault,
        keys: database.keys(),
        database,
        telemetry: TelemetrySettings { log: "warn".into(), otlp_endpoint: None },
    })
}
