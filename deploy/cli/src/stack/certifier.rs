//! The certifier: renews the certificates of nginx, Postgres and RabbitMQ while they run.
//!
//! A process of its own in the background, with an AppRole that can have certificates of these services signed and nothing
//! else. At two thirds of a certificate's life it makes another key, writes both as one file, and tells the service, which
//! uses them for new connections; those that are open go on. nginx also gets the lists of revoked certificates. It runs as the person who ran `up`, because each service's key
//! belongs to that service's own user. Vault's certificate is not its business: it could not ask a Vault whose certificate
//! has ended.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::task::JoinSet;
use vintem_core::secrets::pki::{Certificate, Identity, Service};
use vintem_core::secrets::{
    FOLLOW_EVERY, LoginMethod, TelemetrySettings, Vault, VaultSettings, keep_memory_private, rotate_on_hangup,
};
use vintem_core::telemetry;

use super::error::StackError;
use super::nginx::Nginx;
use super::owner::{self, Owner};
use super::process::{self, Service as Process};
use super::servers::install;
use super::state::Folder;
use super::{Broker, Cluster, Stack, authority};

/// Name of its AppRole, of its folder, and of the process record and log.
pub const NAME: &str = "certifier";
/// How it is asked to end.
pub const STOP: Signal = Signal::SIGTERM;
/// The pause after a file that could not be written.
const PAUSE: Duration = Duration::from_secs(10);

/// Starts it, or starts it anew when the program is another than the one that runs.
pub async fn ensure(stack: &Stack) -> Result<(), StackError> {
    let state = stack.folder();
    let own = std::env::current_exe().map_err(StackError::file("find", "this program"))?;
    let program = state.path("bin/certifier");
    if install(&own, &program)? {
        process::stop(state, NAME, STOP);
    }
    if process::running(state, NAME).is_some() {
        return Ok(());
    }
    owner::make_folder(&state.path(NAME), None, 0o755)?;
    let role_id = stack.role_id(NAME).await?;
    let arguments = ["dev".into(), "certify".into(), "--role-id".into(), role_id.into(), "--state".into()];
    let process = Process {
        name: NAME.into(),
        program,
        arguments: arguments.into_iter().chain([state.root().into()]).collect(),
        environment: Vec::new(),
        owner: None,
        folder: state.path(NAME),
        stop: STOP,
        secret_line: Some(stack.wrapped_secret_id(NAME).await?),
    };
    process.start(state).map(drop)
}

/// Its whole life, until SIGTERM. A SIGHUP has every certificate replaced now.
pub async fn run(stack: &Stack, role_id: String) -> Result<(), StackError> {
    let folder = || StackError::file("prepare a process in", stack.folder().path(NAME));
    keep_memory_private().map_err(folder())?;
    let settings = TelemetrySettings { log: "info".into(), otlp_endpoint: None };
    // What cannot be told is no reason to let certificates end.
    let _telemetry = telemetry::init(&settings, "vintem-certifier");
    let mut told = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).map_err(folder())?;
    let vault = Vault::connect(VaultSettings {
        address: stack.vault_address(),
        ca: stack.folder().authority(),
        role: NAME.into(),
        login: LoginMethod::AppRole { role_id },
        mount_prefix: String::new(),
    })
    .await?;
    rotate_on_hangup(&vault).map_err(folder())?;
    let mut all = JoinSet::new();
    for target in Target::all(stack) {
        all.spawn(target.serve(vault.clone()));
    }
    all.spawn(keep_refusing(stack.nginx(), vault.clone(), FOLLOW_EVERY));
    all.spawn(keep_admitting(stack.nginx(), vault.clone(), FOLLOW_EVERY));
    tokio::select! {
        _ = told.recv() => {}
        Some(Ok(Err(error))) = all.join_next() => return Err(error),
    }
    all.shutdown().await;
    vault.logout().await;
    Ok(())
}

/// Keeps nginx' lists of revoked certificates new, looked at so often. Ends with the login.
pub async fn keep_refusing(nginx: Nginx, vault: Vault, every: Duration) -> Result<(), StackError> {
    let mut newest = vault.follow_revoked(every).await?;
    loop {
        let lists = Arc::clone(&newest.borrow_and_update());
        while let Err(error) = nginx.refuse(&lists.0) {
            tracing::error!(%error, "new lists of revoked certificates cannot be written");
            tokio::time::sleep(PAUSE).await;
        }
        if newest.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// Keeps new who vouches for terminals, likewise.
async fn keep_admitting(nginx: Nginx, vault: Vault, every: Duration) -> Result<(), StackError> {
    let mut newest = vault.follow_trust(every).await?;
    loop {
        let trust = Arc::clone(&newest.borrow_and_update());
        while let Err(error) = nginx.admit(&trust.authority) {
            tracing::error!(%error, "who vouches for terminals cannot be written");
            tokio::time::sleep(PAUSE).await;
        }
        if newest.changed().await.is_err() {
            return Ok(());
        }
    }
}

/// Where a service reads its certificate, and how it is told of another.
pub struct Target {
    service: Service,
    folder: PathBuf,
    owner: Option<Owner>,
    told: Told,
}

enum Told {
    /// By a link that it follows at each handshake.
    Link(Box<Nginx>),
    /// By SIGHUP to the process of that name.
    Hangup(Folder, String),
    /// By `rabbitmqctl`.
    Control(Broker),
}

impl Target {
    /// Every one of a stack.
    fn all(stack: &Stack) -> [Self; 3] {
        [Self::nginx(&stack.nginx()), Self::postgres(&stack.cluster()), Self::rabbitmq(stack.broker())]
    }

    /// An nginx.
    pub fn nginx(nginx: &Nginx) -> Self {
        let told = Told::Link(Box::new(nginx.clone()));
        Self { service: Service::Nginx, folder: nginx.folder.clone(), owner: nginx.owner, told }
    }

    /// A Postgres server.
    pub fn postgres(cluster: &Cluster) -> Self {
        let told = Told::Hangup(cluster.state.clone(), cluster.name.clone());
        Self { service: Service::Postgres, folder: cluster.folder.clone(), owner: cluster.owner, told }
    }

    /// A RabbitMQ node.
    pub fn rabbitmq(broker: Broker) -> Self {
        let folder = broker.folder.clone();
        Self { service: Service::Rabbitmq, folder, owner: broker.owner, told: Told::Control(broker) }
    }

    /// Keeps what it has on file new, as whoever is logged in there. Ends with the login.
    pub async fn serve(self, vault: Vault) -> Result<(), StackError> {
        let first = authority::kept(&self.folder).ok_or_else(|| StackError::Missing {
            what: format!("{} has no certificate yet", self.service.as_str()),
            advice: "set the stack up first: cargo dev up".into(),
        })?;
        let mut identity = Identity::keep(&vault, self.service, authority::HOSTS, first);
        while let Some(newest) = identity.next().await {
            while let Err(error) = self.place(&newest) {
                tracing::error!(%error, service = self.service.as_str(), "a new certificate cannot be written");
                tokio::time::sleep(PAUSE).await;
            }
            self.tell().await;
        }
        Ok(())
    }

    fn place(&self, newest: &Certificate) -> Result<(), StackError> {
        authority::keep(newest, &self.folder, self.owner)?;
        if let Told::Link(nginx) = &self.told { nginx.publish() } else { Ok(()) }
    }

    async fn tell(&self) {
        match &self.told {
            Told::Link(_) => {}
            Told::Hangup(state, name) => process::signal(state, name, Signal::SIGHUP),
            Told::Control(broker) => {
                let broker = broker.clone();
                let told = tokio::task::spawn_blocking(move || broker.read_certificates());
                if let Ok(Err(error)) = told.await {
                    tracing::warn!(%error, "RabbitMQ was not told of its certificate; it looks by itself in two minutes");
                }
            }
        }
    }
}
