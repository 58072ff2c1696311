//! `vintem staff …`: the first administrator of a tenant, and whoever has lost everything.

use std::error::Error;

use clap::Subcommand;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use vintem_core::access::staff::{Login, Position, invite_by_operator};
use vintem_core::access::{self, Grant, Role};
use vintem_core::secrets::DatabaseRole;

use crate::session::Session;

/// What to do with members of the staff.
#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Invite a member and print what opens the invitation, once. A member that exists is reset: password, device, recovery
    /// codes and sessions end, the roles stay.
    Invite {
        /// Name or id of the tenant.
        #[arg(long)]
        tenant: String,
        /// A work name, unique in the tenant; nothing personal, for it stands in the log for ever.
        #[arg(long)]
        login: Login,
        /// A role, such as iam-admin; may be given several times.
        #[arg(long = "role")]
        roles: Vec<Role>,
        /// A single grant, such as view:account:<id>; may be given several times.
        #[arg(long = "grant")]
        grants: Vec<Grant>,
    },
}

impl Staff {
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
        let Self::Invite { tenant, login, roles, grants } = self;
        let tenant = access::find_tenant(&mut connection, &tenant).await?;
        let writer = session.writer(tenant.shard);
        let position = Position { roles, grants, unit: None };
        let invited = invite_by_operator(&mut connection, &writer, &tenant, &login, &position).await?;
        Ok(json!({
            "member": invited.member, "tenant": tenant.name.as_str(), "login": login.as_str(),
            "invitation_expires_at": invited.expires_at, "invitation_token": invited.ticket.reveal().expose_secret(),
        }))
    }
}
