//! `vintem subscription …`: queues of events for the programs of integrators.

use std::error::Error;

use clap::Subcommand;
use serde_json::json;
use vintem_core::access;
use vintem_core::secrets::DatabaseRole;
use vintem_core::subscriptions::{Length, store};

use crate::session::Session;

/// What to do with subscriptions.
#[derive(Debug, Subcommand)]
pub enum Subscription {
    /// Declare a subscription; within seconds a worker makes its queue, vintem.subscription.v1.NAME.
    Create {
        /// Lower-case letters, digits and hyphens, unique.
        #[arg(long)]
        name: String,
        /// Name or id of the tenant whose events it gets.
        #[arg(long, required_unless_present = "all_tenants")]
        tenant: Option<String>,
        /// Everybody's events, for programs of those who run the system.
        #[arg(long, conflicts_with = "tenant")]
        all_tenants: bool,
        /// Kinds of events: hold.* or transaction.posted; # is every kind.
        #[arg(long, default_value = "#")]
        kinds: String,
        /// How many events may wait; a queue that is full is skipped until it is read.
        #[arg(long, default_value_t = 100_000)]
        length: i32,
        /// Everything that was ever recorded, and not only what is recorded from now on.
        #[arg(long)]
        from_beginning: bool,
    },
    /// Show every subscription.
    List,
    /// Take a subscription down, with what waits in its queue.
    Remove {
        /// Its name.
        name: String,
    },
}

impl Subscription {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let session = Session::open(DatabaseRole::Operator).await?;
        let done = self.work(&session).await;
        session.close().await;
        println!("{}", done?);
        Ok(0)
    }

    /// Answers what is printed.
    async fn work(self, session: &Session) -> Result<String, Box<dyn Error>> {
        let mut connection = session.database().pool().acquire().await?;
        match self {
            Self::Create { name, tenant, kinds, length, from_beginning, .. } => {
                let tenant = match tenant {
                    Some(tenant) => Some(access::find_tenant(&mut connection, &tenant).await?.tenant),
                    None => None,
                };
                let length = Length::try_from(length)?;
                let subscription = vintem_core::subscriptions::Subscription {
                    name: name.parse()?,
                    tenant,
                    kinds: kinds.parse()?,
                    length,
                };
                store::create(&mut connection, &subscription, from_beginning).await?;
                Ok(format!("{name} will be made by the next worker that looks"))
            }
            Self::List => {
                let all = store::list(&mut connection).await?;
                let shown: Vec<_> = all.iter().map(show).collect();
                Ok(format!("{:#}", json!(shown)))
            }
            Self::Remove { name } => {
                store::remove(&mut connection, &name).await?;
                Ok(format!("{name} will be taken down by the next worker that looks"))
            }
        }
    }
}

fn show(stored: &store::Stored) -> serde_json::Value {
    let subscription = &stored.subscription;
    json!({
        "name": subscription.name.as_str(), "tenant": subscription.tenant, "kinds": subscription.kinds.as_str(),
        "length": subscription.length.get(), "created_at": stored.created_at, "is_removed": stored.is_removed,
    })
}
