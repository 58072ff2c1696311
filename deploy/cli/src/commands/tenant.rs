//! `vintem tenant …`: tenants, made, changed, suspended and exported by an operator.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vintem_core::access::settings::{Change, Hostname, LegalMode};
use vintem_core::access::{self, AccessError, Kept, Provisioned};
use vintem_core::secrets::DatabaseRole;
use vintem_core::telemetry::clock;

use crate::session::Session;
use crate::tenant_export;

/// What to do with tenants.
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Create a tenant, or finish one whose creation was interrupted. Name, shard and time zone are for ever.
    Create {
        /// Unique, lower-case letters, digits and hyphens.
        #[arg(long)]
        name: String,
        /// Where all of its data will be: a shard's number, or `auto` for the one with the shortest log.
        #[arg(long, default_value = "auto")]
        shard: Placement,
        /// Where its days begin, for instance `America/Sao_Paulo`.
        #[arg(long)]
        time_zone: String,
        /// What is decided about it.
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// List the tenants.
    List,
    /// Show a tenant.
    Show {
        /// Its name or id.
        tenant: String,
    },
    /// Change what was decided about a tenant; its processes hear of it within seconds.
    Set {
        /// Its name or id.
        tenant: String,
        /// What to change.
        #[command(flatten)]
        settings: SettingsArgs,
        /// A name that it gives up; may be given several times.
        #[arg(long = "remove-hostname")]
        remove: Vec<Hostname>,
        /// Let it register any asset again.
        #[arg(long, conflicts_with = "assets")]
        any_asset: bool,
    },
    /// Refuse a tenant's writes within seconds. Its reads go on, and what is due (ends of holds, webhooks) happens.
    Suspend {
        /// Its name or id.
        tenant: String,
        /// Why; it is recorded for ever, so nothing personal.
        #[arg(long, value_parser = words)]
        reason: String,
    },
    /// Let a suspended tenant write again.
    Resume {
        /// Its name or id.
        tenant: String,
    },
    /// Write everything of one tenant into a folder; repeat the command to go on where it stopped.
    Export {
        /// Its name or id.
        tenant: String,
        /// A folder that is empty, does not exist, or holds an export of this tenant that was interrupted.
        folder: PathBuf,
    },
}

/// What an operator decides about a tenant.
#[derive(Debug, Args)]
pub struct SettingsArgs {
    /// Under which law its money is: `authorised`, `limited-purpose` or `sandbox`. A sandbox stays one.
    #[arg(long)]
    legal_mode: Option<LegalMode>,
    /// An asset that it may register, such as BRL; may be given several times. Without any: every asset.
    #[arg(long = "asset")]
    assets: Vec<String>,
    /// The asset of the accounts that are opened for its citizens, such as BRL. Without one it has no citizens.
    #[arg(long)]
    citizen_asset: Option<String>,
    /// A name that it is called by: there, another tenant's token finds nothing; may be given several times.
    #[arg(long = "hostname")]
    hostnames: Vec<Hostname>,
}

/// Where a tenant is to live.
#[derive(Debug, Clone, Copy)]
pub struct Placement(Option<i16>);

impl FromStr for Placement {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        if text == "auto" {
            return Ok(Self(None));
        }
        text.parse().map(|shard| Self(Some(shard))).map_err(|_| AccessError::UnknownShard)
    }
}

fn words(text: &str) -> Result<String, String> {
    let is_fine = (1..=500).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if is_fine {
        Ok(text.to_owned())
    } else {
        Err("a reason has 1 to 500 characters, none of them a control character".to_owned())
    }
}

impl SettingsArgs {
    fn change(self) -> Change {
        let Self { legal_mode, assets, citizen_asset, hostnames } = self;
        let assets = (!assets.is_empty()).then(|| Some(assets.into_iter().collect()));
        Change { legal_mode, assets, citizen_asset, add: hostnames.into_iter().collect(), remove: BTreeSet::new() }
    }
}

impl Tenant {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        // What cannot be meant is said before anybody logs in.
        if let Self::Create { name, time_zone, .. } = &self {
            name.parse::<access::TenantName>()?;
            access::parse_time_zone(time_zone)?;
        }
        let role = if matches!(self, Self::Export { .. }) { DatabaseRole::Auditor } else { DatabaseRole::Operator };
        let mut session = Session::open(role).await?;
        let printed = self.print(&mut session).await;
        session.close().await;
        println!("{:#}", printed?);
        Ok(0)
    }

    async fn print(self, session: &mut Session) -> Result<Value, Box<dyn Error>> {
        let mut connection = session.database().pool().acquire().await?;
        let found = async |connection: &mut _, tenant: &str| access::find_tenant(connection, tenant).await;
        let (tenant, done) = match self {
            Self::List => {
                let tenants = access::list_tenants(&mut connection).await?;
                return Ok(tenants.iter().map(shown).collect());
            }
            Self::Export { tenant, folder } => {
                let tenant = found(&mut connection, &tenant).await?;
                return Ok(tenant_export::run(session.database().pool(), &tenant, &folder, clock::now()).await?);
            }
            Self::Create { name, shard, time_zone, settings } => {
                let (name, zone) = (name.parse()?, access::parse_time_zone(&time_zone)?);
                let writer = |shard| session.writer(shard);
                let (tenant, provisioned) =
                    access::provision_tenant(&mut connection, writer, name, shard.0, zone).await?;
                let writer = |shard| session.writer(shard);
                let is_changed =
                    access::change_tenant(&mut connection, writer, tenant.tenant, &settings.change()).await?;
                let done = match provisioned {
                    Provisioned::Created => "created",
                    Provisioned::Finished => "finished",
                    Provisioned::Existing if is_changed => "changed",
                    Provisioned::Existing => "as it was",
                };
                (tenant, done)
            }
            Self::Show { tenant } => (found(&mut connection, &tenant).await?, "as it was"),
            Self::Set { tenant, settings, remove, any_asset } => {
                let tenant = found(&mut connection, &tenant).await?;
                let mut change = Change { remove: remove.into_iter().collect(), ..settings.change() };
                if any_asset {
                    change.assets = Some(None);
                }
                let writer = |shard| session.writer(shard);
                let is_changed = access::change_tenant(&mut connection, writer, tenant.tenant, &change).await?;
                (tenant, if is_changed { "changed" } else { "as it was" })
            }
            Self::Suspend { tenant, reason } => {
                let tenant = found(&mut connection, &tenant).await?;
                let writer = |shard| session.writer(shard);
                let is_new = access::suspend_tenant(&mut connection, writer, tenant.tenant, &reason).await?;
                (tenant, if is_new { "suspended" } else { "as it was" })
            }
            Self::Resume { tenant } => {
                let tenant = found(&mut connection, &tenant).await?;
                let writer = |shard| session.writer(shard);
                let is_new = access::resume_tenant(&mut connection, writer, tenant.tenant).await?;
                (tenant, if is_new { "resumed" } else { "as it was" })
            }
        };
        let mut printed = shown(&access::show_tenant(&mut connection, tenant.tenant).await?);
        printed["done"] = done.into();
        Ok(printed)
    }
}

/// A tenant as it is printed and exported.
pub fn shown(Kept { tenant, settings, created_at }: &Kept) -> Value {
    let hostnames: Vec<String> = settings.hostnames.iter().map(ToString::to_string).collect();
    json!({
        "tenant": tenant.tenant, "name": tenant.name.as_str(), "shard": tenant.shard, "time_zone": tenant.time_zone.name(),
        "created_at": created_at, "status": settings.status.as_str(), "legal_mode": settings.legal_mode.map(LegalMode::as_str),
        "assets": settings.assets, "citizen_asset": settings.citizen_asset, "hostnames": hostnames,
    })
}
