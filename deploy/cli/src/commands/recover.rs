//! `vintem recover`: an operator declares what is there to be the history.

use std::error::Error;

use clap::Args;
use vintem_core::event_store::chain::hex;
use vintem_core::event_store::recover::{Recovery, recover};
use vintem_core::secrets::DatabaseRole;

use crate::session::Session;

/// Begin a new epoch and lift the halt. Run `vintem verify` before and after it.
#[derive(Debug, Args)]
pub struct Recover {
    /// The shard.
    #[arg(long)]
    shard: i16,
    /// Why, for the log.
    #[arg(long)]
    reason: String,
}

impl Recover {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let session = Session::open(DatabaseRole::Operator).await?;
        let mut connection = session.database().pool().acquire().await?;
        let recovered = recover(&mut connection, self.shard).await;
        drop(connection);
        if let Ok(recovery) = &recovered {
            let (epoch, position) = (recovery.epoch, recovery.kept.last_position);
            tracing::warn!(
                shard = self.shard,
                epoch,
                position,
                reason = self.reason,
                "an operator recovered the shard"
            );
        }
        session.close().await;
        self.print(&recovered?);
        Ok(0)
    }

    /// What was abandoned is not here to be listed; the last point in common tells everybody what it is.
    fn print(&self, recovery: &Recovery) {
        let Recovery { kept, epoch, halted } = recovery;
        let tip = hex(&kept.tip);
        println!("shard {} goes on in epoch {epoch}: {}", self.shard, self.reason);
        println!("  halted     {}", halted.as_deref().unwrap_or("it was not"));
        println!(
            "  kept       everything up to position {}, batch {} of epoch {}, tip {tip}",
            kept.last_position, kept.seq, kept.epoch
        );
        println!(
            "  abandoned  whatever anybody holds of epoch {} above position {}: answers to clients,",
            kept.epoch, kept.last_position
        );
        println!(
            "             followers' rows, backups. At {} itself only the tip tells whether it is the same.",
            kept.last_position
        );
        println!("  to do      clients repeat under its key each request whose answer named such a position");
    }
}
