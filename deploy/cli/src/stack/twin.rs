//! A second API process and a second shard beside the stack's own, for the benchmark.
//!
//! The process serves every shard; the supervised one knows those that there were when it started.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use secrecy::SecretString;
use sqlx::{Connection as _, Executor as _};
use vintem_core::secrets::pki::Service as Identified;

use super::error::StackError;
use super::process::{self, Service};
use super::state::Folder;
use super::{DATABASE, Stack, authority, free_port, owner, servers};
use crate::client::readiness;

/// Name of the process record, log and folder.
pub const NAME: &str = "api-twin";
/// The second shard.
pub const SHARD: i16 = 1;
const PATIENCE: Duration = Duration::from_secs(30);

/// A running second process; it ends with this value.
#[derive(Debug)]
pub struct Twin {
    folder: Folder,
    /// Its address.
    pub url: String,
    /// The door's key and certificate, without which it lets in nobody.
    pub identity: SecretString,
}

impl Twin {
    /// Makes the shard, unless it is there, and starts the process.
    pub async fn start(stack: &Stack) -> Result<Self, StackError> {
        let program = stack.folder().path("bin/vintem-api");
        Self::start_program(stack, program, &[]).await
    }

    /// The same with the build that believes callers.
    pub async fn start_open(stack: &Stack, built: &Path) -> Result<Self, StackError> {
        let program = stack.folder().path("bin/vintem-api-open");
        servers::install(built, &program)?;
        Self::start_program(stack, program, &[("VINTEM_OPEN_FOR_BENCHMARKS", "yes")]).await
    }

    async fn start_program(stack: &Stack, program: PathBuf, more: &[(&str, &str)]) -> Result<Self, StackError> {
        let mut session = stack.cluster().superuser(DATABASE).await?;
        let made = session.execute("INSERT INTO shard (shard) VALUES (1) ON CONFLICT DO NOTHING").await;
        made.map_err(StackError::postgres("make a second shard"))?;
        session.close().await.map_err(StackError::postgres("close a session"))?;
        let folder = stack.folder();
        process::stop(folder, NAME, Signal::SIGTERM);
        let owner = folder.owners().api;
        owner::make_folder(&folder.path(NAME), owner, 0o755)?;
        let port = || free_port().map_err(StackError::file("find a port for", Path::new(NAME)));
        let (listen, metrics) = (port()?, port()?);
        let mut environment = servers::api_environment(stack, listen, metrics).await?;
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let service = Service {
            name: NAME.into(),
            program,
            arguments: Vec::new(),
            environment,
            owner,
            folder: folder.path(NAME),
            stop: Signal::SIGTERM,
            secret_line: Some(stack.wrapped_secret_id(servers::API.name).await?),
        };
        service.start(folder)?;
        let twin =
            Self { folder: folder.clone(), url: format!("https://localhost:{listen}"), identity: door(stack).await? };
        twin.await_ready().await?;
        Ok(twin)
    }

    async fn await_ready(&self) -> Result<(), StackError> {
        let end = tokio::time::Instant::now() + PATIENCE;
        while let Err(reason) = readiness::ask(&self.url, &self.folder.authority(), Some(&self.identity)).await {
            if tokio::time::Instant::now() > end {
                let what = format!("is not ready after {} s: {reason}", PATIENCE.as_secs());
                return Err(StackError::Service { service: NAME.into(), what, log: self.folder.log(NAME) });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }
}

/// Key and certificate of the door, for who goes straight to an API process: in memory, and only as the stack's administrator.
pub async fn door(stack: &Stack) -> Result<SecretString, StackError> {
    Ok(authority::issue(stack.vault().await?, "", Identified::Nginx).await?.pair())
}

impl Drop for Twin {
    fn drop(&mut self) {
        process::stop(&self.folder, NAME, Signal::SIGTERM);
    }
}
