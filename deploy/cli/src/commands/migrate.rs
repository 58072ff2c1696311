//! `vintem migrate`: the schema of this version, applied by the migrator.

use std::error::Error;

use clap::Args;
use vintem_core::secrets::DatabaseRole;

use crate::session::Session;

/// Apply what is missing; safe to repeat, and safe beside a running API.
#[derive(Debug, Args)]
pub struct Migrate {}

impl Migrate {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        let session = Session::open(DatabaseRole::Migrator).await?;
        let migrated = session.migrate().await;
        session.close().await;
        migrated?;
        Ok(0)
    }
}
