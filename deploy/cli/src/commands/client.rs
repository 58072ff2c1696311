//! `vintem client …`: the programs of a tenant that call the API.

use std::error::Error;

use clap::Subcommand;
use serde_json::json;
use vintem_core::access::{self, AccessError, Client as ServiceClient, ClientName, ClientSecret, Scopes, Tenant};
use vintem_core::secrets::DatabaseRole;

use crate::session::Session;

/// What to do with service clients.
#[derive(Debug, Subcommand)]
pub enum Client {
    /// Create a client and print its secret, once.
    Create {
        /// Name or id of the tenant.
        #[arg(long)]
        tenant: String,
        /// A name for people, unique in the tenant.
        #[arg(long)]
        name: String,
        /// Separated by commas: ledger:read, ledger:write, ledger:admin.
        #[arg(long)]
        scopes: String,
    },
}

impl Client {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let Self::Create { tenant, name, scopes } = self;
        let (name, scopes) = (name.parse()?, Scopes::parse(&scopes)?);
        let mut session = Session::open(DatabaseRole::Operator).await?;
        let created = create(&mut session, &tenant, name, scopes).await;
        session.close().await;
        let (tenant, client, secret) = created?;
        let printed = json!({
            "client_id": client.client, "client_secret": secret.reveal(), "name": client.name.as_str(),
            "tenant": tenant.tenant, "scope": client.scopes.to_string(),
        });
        println!("{printed:#}");
        Ok(0)
    }
}

async fn create(
    session: &mut Session,
    tenant: &str,
    name: ClientName,
    scopes: Scopes,
) -> Result<(Tenant, ServiceClient, ClientSecret), AccessError> {
    let mut connection = session.database().pool().acquire().await?;
    let tenant = access::find_tenant(&mut connection, tenant).await?;
    let writer = session.writer(tenant.shard);
    let (client, secret) = access::create_client(&mut connection, &writer, tenant.tenant, name, scopes).await?;
    Ok((tenant, client, secret))
}
