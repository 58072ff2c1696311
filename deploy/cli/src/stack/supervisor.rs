//! The supervisor: keeps the API or the worker running.
//!
//! A process of its own in the background for each. It holds one token, received over a pipe, that can do nothing but mint
//! wrapped `secret_id`s (`vault-policies/supervisor.hcl`); it never sees a `secret_id` itself. For each start of its
//! server it mints one and writes it to the new process's standard input. The server ends with the supervisor, because
//! the kernel is told to see to it, so nobody is left behind whom nobody watches.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{self, kill};
use nix::unistd::Pid;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind};
use tokio::time::Instant;

use super::error::StackError;
use super::servers::Server;
use super::state::{Folder, State};
use super::ui::say;
use super::vault::Vault;
use super::vault_server;

/// Period of the supervisor's token: it is renewed at a third of it.
pub const TOKEN_PERIOD: Duration = Duration::from_hours(24);
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);
/// A server that lived this long was healthy: the next pause begins small again.
const HEALTHY: Duration = Duration::from_mins(1);
/// How long the server may take to finish what it has accepted.
const DRAIN: Duration = Duration::from_secs(15);

/// What to supervise.
#[derive(Debug)]
pub struct Supervisor {
    vault: Vault,
    server: Server,
    program: PathBuf,
    folder: PathBuf,
}

/// How one life of the server ended.
enum End {
    /// It ended by itself.
    Died,
    /// We were told to end.
    Told,
}

impl Supervisor {
    /// For the stack in `state`, with the token that came over the pipe.
    pub fn new(state: &Folder, known: &State, server: Server, token: SecretString) -> Result<Self, StackError> {
        let vault = vault_server::client(state, known)?.with_token(token);
        let program = state.path("bin").join(server.program);
        Ok(Self { vault, server, program, folder: state.path(server.name) })
    }

    /// Runs until SIGTERM. The environment of the server is our own.
    pub async fn run(self) -> Result<(), StackError> {
        let listen =
            |kind| tokio::signal::unix::signal(kind).map_err(StackError::file("listen for signals in", &self.folder));
        let (mut told, mut hangups) = (listen(SignalKind::terminate())?, listen(SignalKind::hangup())?);
        let renewal = tokio::spawn(renew(self.vault.clone()));
        let mut pause = PAUSE_MIN;
        loop {
            let began = Instant::now();
            let end = match self.start().await {
                Ok(mut child) => self.watch(&mut child, &mut told, &mut hangups).await,
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                    say(&format!("supervisor: {error}{cause}"));
                    End::Died
                }
            };
            if matches!(end, End::Told) {
                renewal.abort();
                return Ok(());
            }
            pause = if began.elapsed() > HEALTHY { PAUSE_MIN } else { (pause * 2).min(PAUSE_MAX) };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = told.recv() => return Ok(()),
            }
        }
    }

    /// Until the server ends or is to end. A SIGHUP is for the server: it replaces its leased users.
    async fn watch(&self, child: &mut Child, told: &mut Signal, hangups: &mut Signal) -> End {
        loop {
            tokio::select! {
                status = child.wait() => {
                    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                    say(&format!("supervisor: the {} ended ({status})", self.server.shown));
                    return End::Died;
                }
                _ = told.recv() => {
                    drain(child).await;
                    return End::Told;
                }
                _ = hangups.recv() => send(child, signal::Signal::SIGHUP),
            }
        }
    }

    async fn start(&self) -> Result<Child, StackError> {
        let wrapped = self.vault.wrapped_secret_id(self.server.name).await?;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "TERM"])
            .arg(&self.program)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|source| StackError::Spawn { program: self.program.display().to_string(), source })?;
        if let Some(mut pipe) = child.stdin.take() {
            let line = SecretString::from(format!("{}\n", wrapped.expose_secret()));
            // A process that is gone already is noticed by waiting for it.
            if pipe.write_all(line.expose_secret().as_bytes()).await.is_err() {
                say(&format!("supervisor: the {} did not take its secret_id", self.server.shown));
            }
        }
        Ok(child)
    }
}

/// Asks the server to end and waits for what it still does.
async fn drain(child: &mut Child) {
    send(child, signal::Signal::SIGTERM);
    if tokio::time::timeout(DRAIN, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn send(child: &Child, signal: signal::Signal) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // It may have ended just now, which its supervisor is about to see.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

/// Keeps the token alive; Vault may be away for most of its period.
async fn renew(vault: Vault) {
    loop {
        let pause = match vault.write("auth/token/renew-self", json!({})).await {
            Ok(_) => TOKEN_PERIOD / 3,
            Err(_) => Duration::from_mins(1),
        };
        tokio::time::sleep(pause).await;
    }
}
