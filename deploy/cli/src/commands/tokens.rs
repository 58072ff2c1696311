//! `vintem tokens …`: tokens that clients have.

use std::error::Error;

use clap::Subcommand;
use serde_json::json;
use vintem_core::access;
use vintem_core::secrets::DatabaseRole;

use crate::session::Session;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// Refuse, within seconds, every token that was issued until now. Clients may ask for others at once; to shut one out for
    /// ever, revoke the client.
    RevokeAll {
        /// Name or id of the tenant; of all tenants when it is left out.
        #[arg(long)]
        tenant: Option<String>,
    },
}

impl Tokens {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let Self::RevokeAll { tenant } = self;
        let mut session = Session::open(DatabaseRole::Operator).await?;
        let revoked = revoke_all(&mut session, tenant.as_deref()).await;
        session.close().await;
        revoked.map(|()| 0)
    }
}

/// A line for each tenant as soon as its tokens are refused, so that an error in between shows how far it came.
async fn revoke_all(session: &mut Session, tenant: Option<&str>) -> Result<(), Box<dyn Error>> {
    let mut connection = session.database().pool().acquire().await?;
    let tenants = match tenant {
        Some(name) => vec![access::find_tenant(&mut connection, name).await?.tenant],
        None => access::list_tenants(&mut connection).await?.iter().map(|kept| kept.tenant.tenant).collect(),
    };
    for tenant in tenants {
        let until = access::revoke_tokens(&mut connection, |shard| session.writer(shard), tenant).await?;
        println!("{}", json!({ "tenant": tenant, "refused_until": until }));
    }
    Ok(())
}
