//! `vintem tenant …`: tenants, created by an operator.

use std::error::Error;

use chrono_tz::Tz;
use clap::Subcommand;
use serde_json::json;
use vintem_core::access::{self, AccessError, TenantName};
use vintem_core::secrets::DatabaseRole;

use crate::session::Session;

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Create a tenant; nothing of it can be changed later.
    Create {
        /// Unique, lower-case letters, digits and hyphens.
        #[arg(long)]
        name: String,
        /// Where all of its data will be.
        #[arg(long, default_value_t = 0)]
        shard: i16,
        /// Where its days begin, for instance `America/Sao_Paulo`.
        #[arg(long)]
        time_zone: String,
    },
}

impl Tenant {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let Self::Create { name, shard, time_zone } = self;
        let (name, zone) = (name.parse()?, access::parse_time_zone(&time_zone)?);
        let mut session = Session::open(DatabaseRole::Operator).await?;
        let created = create(&mut session, name, shard, zone).await;
        session.close().await;
        let tenant = created?;
        let printed = json!({
            "tenant": tenant.tenant, "name": tenant.name.as_str(), "shard": tenant.shard, "time_zone": tenant.time_zone.name(),
        });
        println!("{printed:#}");
        Ok(0)
    }
}

async fn create(session: &mut Session, name: TenantName, shard: i16, zone: Tz) -> Result<access::Tenant, AccessError> {
    let writer = session.writer(shard);
    let mut connection = session.database().pool().acquire().await?;
    access::create_tenant(&mut connection, &writer, name, shard, zone).await
}
