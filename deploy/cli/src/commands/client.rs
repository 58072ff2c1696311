//! `vintem client …`: the programs of a tenant that call the API.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::Subcommand;
use serde_json::{Value, json};
use uuid::Uuid;
use vintem_core::access::{
    self, Client as ServiceClient, ClientSecret, Listed, NewClient, ProofError, ProofKey, Scopes, Terms, Thumbprint,
};
use vintem_core::kernel::Network;
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
        /// Separated by commas: ledger:read, ledger:write, ledger:admin, holders:read, holders:write.
        #[arg(long)]
        scopes: String,
        /// From then on it may not call, such as 2027-12-31T23:59:59Z.
        #[arg(long)]
        expires_at: Option<DateTime<Utc>>,
        /// A network that it may call from, such as 10.20.0.0/16; may be given several times.
        #[arg(long = "network")]
        networks: Vec<Network>,
        /// A file with the public key (JWK, P-256 or Ed25519) that it must prove to have, beside its secret; its tokens are
        /// worth nothing without proofs by that key (DPoP).
        #[arg(long)]
        dpop_key: Option<PathBuf>,
    },
    /// List the clients of a tenant.
    List {
        /// Name or id of the tenant.
        #[arg(long)]
        tenant: String,
    },
    /// Print a new secret of a client, once; the one before stays good for a while.
    Rotate {
        /// Its id.
        #[arg(long)]
        client: Uuid,
        /// How many hours the secret before stays good; 0 ends it at once.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(0..=720))]
        overlap_hours: u64,
    },
    /// Shut a client out for ever; its tokens are refused within seconds.
    Revoke {
        /// Its id.
        #[arg(long)]
        client: Uuid,
    },
}

impl Client {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let mut session = Session::open(DatabaseRole::Operator).await?;
        let printed = self.print(&mut session).await;
        session.close().await;
        println!("{:#}", printed?);
        Ok(0)
    }

    async fn print(self, session: &mut Session) -> Result<Value, Box<dyn Error>> {
        let mut connection = session.database().pool().acquire().await?;
        Ok(match self {
            Self::Create { tenant, name, scopes, expires_at, networks, dpop_key } => {
                let (name, scopes) = (name.parse()?, Scopes::parse(&scopes)?);
                let tenant = access::find_tenant(&mut connection, &tenant).await?;
                let key = dpop_key.as_deref().map(public_key).transpose()?;
                let terms = Terms { expires_at, networks, key };
                let new = NewClient { tenant: tenant.tenant, name, scopes, terms };
                let writer = session.writer(tenant.shard);
                let (client, secret) = access::create_client(&mut connection, &writer, new).await?;
                with_secret(&client, &secret)
            }
            Self::List { tenant } => {
                let tenant = access::find_tenant(&mut connection, &tenant).await?;
                let clients = access::list_clients(&mut connection, tenant.tenant).await?;
                clients.iter().map(listed).collect()
            }
            Self::Rotate { client, overlap_hours } => {
                let overlap = Duration::from_hours(overlap_hours);
                let writer = |shard| session.writer(shard);
                let (client, secret) = access::rotate_client(&mut connection, writer, client, overlap).await?;
                with_secret(&client, &secret)
            }
            Self::Revoke { client } => {
                let client = access::revoke_client(&mut connection, |shard| session.writer(shard), client).await?;
                shown(&client)
            }
        })
    }
}

/// The thumbprint of the key in a file.
fn public_key(file: &Path) -> Result<Thumbprint, Box<dyn Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    match ProofKey::from_jwk(&text) {
        Ok(key) => Ok(key.thumbprint()),
        Err(ProofError::PrivateKey) => {
            Err(format!("{} holds a private key; only its owner may have that: give the public half", file.display())
                .into())
        }
        Err(_) => Err(format!("{} holds no public key of P-256 or Ed25519 as a JWK", file.display()).into()),
    }
}

fn shown(client: &ServiceClient) -> Value {
    let Terms { expires_at, networks, key } = &client.terms;
    let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
    json!({
        "client_id": client.client, "name": client.name.as_str(), "tenant": client.tenant,
        "scope": client.scopes.to_string(), "expires_at": expires_at, "networks": networks,
        "dpop_key": key,
    })
}

fn with_secret(client: &ServiceClient, secret: &ClientSecret) -> Value {
    let mut shown = shown(client);
    shown["client_secret"] = secret.reveal().into();
    shown
}

fn listed(listed: &Listed) -> Value {
    let mut shown = shown(&listed.client);
    shown["created_at"] = json!(listed.created_at);
    shown["previous_secret_until"] = json!(listed.previous_until);
    shown["revoked_at"] = json!(listed.revoked_at);
    shown
}
