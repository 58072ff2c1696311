//! The development stack: Postgres, RabbitMQ, Vault and nginx of one checkout, beside whatever else runs on the machine.
//!
//! [`Stack`] is what tests use: it finds the running stack and makes databases, sets of mounts and roles in
//! Vault, wrapped `secret_id`s and servers of their own. The commands of `cargo dev` are the other modules.
//!
//! Invariants
//! - Everything lies in one state folder ([`state`]), listens on its own ports of the loopback address, and is
//!   recognised by number *and* start time ([`process`]); no other instance on the machine is touched.
//! - No password of Postgres or RabbitMQ exists in a file, a variable or an argument. The superuser is a peer on the
//!   Unix socket ([`cluster`]), everybody else leases a user from Vault ([`provision`], [`broker_users`]).
//! - The only secrets on disk are Vault's unseal key ([`vault_server`]), Erlang's cookie ([`broker`]) and the services'
//!   own TLS keys; no token is kept.
//! - Every step looks before it acts, so each command can be interrupted and repeated.
//!
//! Deliberately absent: containers, other machines, production set-up.

pub mod authority;
pub mod broker;
pub mod broker_users;
pub mod certifier;
pub mod cluster;
pub mod console;
pub mod database;
pub mod down;
pub mod error;
pub mod first;
pub mod gauge;
pub mod mailbox;
pub mod nginx;
pub mod owner;
pub mod packages;
pub mod pki;
pub mod policy;
pub mod private_vault;
pub mod process;
pub mod provision;
pub mod queries;
pub mod servers;
pub mod state;
pub mod status;
pub mod supervisor;
pub mod tests;
pub mod twin;
pub mod ui;
pub mod up;
pub mod vault;
pub mod vault_build;
pub mod vault_node;
pub mod vault_server;
pub mod welcome;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use tokio::sync::OnceCell;
use vintem_core::secrets::pki::Service;

pub use broker::Broker;
pub use cluster::Cluster;
pub use error::StackError;
pub use nginx::Nginx;
pub use private_vault::PrivateVault;
pub use provision::LeaseTimes;
use state::{BrokerPorts, Folder, State, find_checkout};
use vault::{Vault, text};

/// The database of the stack itself.
pub const DATABASE: &str = "vintem";
/// The stack's Postgres, as process record, log and certificate are named.
pub const POSTGRES: &str = "postgres";
/// The stack's RabbitMQ, likewise.
pub const RABBITMQ: &str = "rabbitmq";
/// `yes` lets terminals of before speak TLS 1.2 to the stack's nginx.
const OLD_TERMINALS: &str = "DEV_TERMINAL_TLS12";

/// A stack that `cargo dev up` has set up.
#[derive(Debug)]
pub struct Stack {
    folder: Folder,
    known: State,
    /// The token to administer Vault with, made at first use and good for two hours.
    operator: OnceCell<Vault>,
}

impl Stack {
    /// Finds the stack of this checkout, or the one that `DEV_STACK_STATE` names.
    pub fn load() -> Result<Self, StackError> {
        Self::load_from(Folder::of_checkout(&find_checkout()?))
    }

    /// The stack in a known folder.
    pub fn load_from(folder: Folder) -> Result<Self, StackError> {
        let known = folder.read()?.ok_or_else(|| StackError::Missing {
            what: "there is no development stack here".into(),
            advice: "set it up: cargo dev up".into(),
        })?;
        Ok(Self { folder, known, operator: OnceCell::new() })
    }

    /// A stack whose Vault is administered already.
    fn administered(folder: Folder, known: State, vault: Vault) -> Self {
        Self { folder, known, operator: OnceCell::new_with(Some(vault)) }
    }

    /// The state folder.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Ports and paths.
    pub fn known(&self) -> &State {
        &self.known
    }

    /// The stack's Postgres.
    pub fn cluster(&self) -> Cluster {
        Cluster {
            name: POSTGRES.into(),
            folder: self.folder.path(POSTGRES),
            port: self.known.ports.postgres,
            programs: self.known.postgres_bin.clone(),
            owner: self.folder.owners().postgres,
            state: self.folder.clone(),
        }
    }

    /// A Postgres server of its own, running and with the group roles, for a test that kills or restarts it.
    /// The caller removes it with [`Cluster::remove`]; `down` removes what was forgotten.
    pub async fn private_cluster(&self, name: &str) -> Result<Cluster, StackError> {
        let cluster = self.empty_cluster(name)?;
        cluster.initialise()?;
        self.certify(&cluster).await?;
        cluster.start().await?;
        cluster.create_roles().await?;
        Ok(cluster)
    }

    /// The same, restored from a base backup that is taken now, and not started.
    pub async fn restored_cluster(&self, name: &str, of: &Cluster) -> Result<Cluster, StackError> {
        let cluster = self.empty_cluster(name)?;
        of.back_up_to(&cluster)?;
        self.certify(&cluster).await?;
        Ok(cluster)
    }

    fn empty_cluster(&self, name: &str) -> Result<Cluster, StackError> {
        database::check_name(name)?;
        let owner = self.folder.owners().postgres;
        let folder = self.folder.path("private").join(name);
        owner::make_folder(&folder, owner, 0o755)?;
        let port = free_port().map_err(StackError::file("find a port for", &folder))?;
        let (programs, state) = (self.known.postgres_bin.clone(), self.folder.clone());
        Ok(Cluster { name: format!("private-{name}"), folder, port, programs, owner, state })
    }

    async fn certify(&self, cluster: &Cluster) -> Result<(), StackError> {
        let certificate = authority::issue(self.vault().await?, "", Service::Postgres).await?;
        authority::keep(&certificate, &cluster.folder, cluster.owner)
    }

    /// The stack's RabbitMQ.
    pub fn broker(&self) -> Broker {
        Broker {
            name: RABBITMQ.into(),
            folder: self.folder.path(RABBITMQ),
            ports: self.known.ports.broker,
            owner: self.folder.owners().rabbitmq,
            state: self.folder.clone(),
        }
    }

    /// A RabbitMQ node of its own, running, for a test that kills or stops it.
    /// The caller removes it with [`Broker::remove`]; `down` removes what was forgotten.
    pub async fn private_broker(&self, name: &str) -> Result<Broker, StackError> {
        database::check_name(name)?;
        let owner = self.folder.owners().rabbitmq;
        let folder = self.folder.path("private").join(name);
        owner::make_folder(&folder, owner, 0o755)?;
        let free = || free_port().map_err(StackError::file("find a port for", &folder));
        let ports = BrokerPorts { amqps: free()?, management: free()?, distribution: free()?, epmd: free()? };
        let broker = Broker { name: format!("private-{name}"), folder, ports, owner, state: self.folder.clone() };
        broker.initialise()?;
        authority::keep(&authority::issue(self.vault().await?, "", Service::Rabbitmq).await?, &broker.folder, owner)?;
        broker.start().await?;
        Ok(broker)
    }

    /// The stack's nginx.
    pub fn nginx(&self) -> Nginx {
        Nginx {
            name: nginx::NAME.into(),
            folder: self.folder.path(nginx::NAME),
            port: self.known.ports.https,
            terminal_port: self.known.ports.terminals(),
            takes_old_terminals: std::env::var_os(OLD_TERMINALS).is_some_and(|value| value == "yes"),
            api_port: self.known.ports.api,
            authority: self.folder.authority(),
            owner: self.folder.owners().nginx,
            state: self.folder.clone(),
        }
    }

    /// An nginx of its own before another API, whose root is in that file; not yet running, for it needs a certificate.
    /// The caller removes it with [`Nginx::remove`]; `down` removes what was forgotten.
    pub fn private_nginx(&self, name: &str, api_port: u16, authority: PathBuf) -> Result<Nginx, StackError> {
        database::check_name(name)?;
        let folder = self.folder.path("private").join(name);
        let free = || free_port().map_err(StackError::file("find a port for", &folder));
        let (port, terminal_port) = (free()?, free()?);
        let name = format!("private-{name}");
        let nginx = Nginx { name, folder, port, terminal_port, api_port, authority, ..self.nginx() };
        nginx.initialise()?;
        Ok(nginx)
    }

    /// A Vault of its own, unsealed, and a stack like this one that administers it, for a test that seals or kills it.
    /// The caller removes it with [`PrivateVault::remove`]; `down` removes what was forgotten.
    pub async fn private_vault(&self, name: &str) -> Result<(Self, PrivateVault), StackError> {
        let vault = PrivateVault::create(self, name).await?;
        let mut known = self.known.clone();
        known.ports.vault = vault.node.port;
        Ok((Self::administered(self.folder.clone(), known, vault.administrator.clone()), vault))
    }

    /// The same stack for processes that see its Vault at another port: that of a wire which a test can cut.
    #[must_use]
    pub fn with_vault_at(mut self, port: u16) -> Self {
        self.known.ports.vault = port;
        self
    }

    /// Makes `<prefix>rabbitmq`, from which users of a virtual host are leased.
    pub async fn provision_broker_on(
        &self,
        broker: &Broker,
        prefix: &str,
        virtual_host: &str,
        times: LeaseTimes,
    ) -> Result<(), StackError> {
        broker_users::set(self.vault().await?, broker, prefix, virtual_host, times).await
    }

    /// Removes what [`Stack::provision_broker_on`] made; leased users are dropped.
    pub async fn remove_broker_on(&self, broker: &Broker, prefix: &str) -> Result<(), StackError> {
        broker_users::remove(self.vault().await?, broker, prefix).await
    }

    /// Makes an empty database in the stack's Postgres.
    pub async fn create_database(&self, name: &str) -> Result<(), StackError> {
        self.cluster().create_database(name).await
    }

    /// Drops a database, cutting its sessions, and that of its people's keys. Remove its set in Vault first.
    pub async fn drop_database(&self, name: &str) -> Result<(), StackError> {
        self.cluster().drop_database(&database::keys_of(name)).await?;
        self.cluster().drop_database(name).await
    }

    /// Makes `<prefix>database`, `<prefix>kv`, `<prefix>transit` and the AppRoles `<prefix>api` … for a database of the stack's Postgres.
    pub async fn provision_vault(&self, prefix: &str, database: &str) -> Result<(), StackError> {
        self.provision_vault_on(&self.cluster(), prefix, database, LeaseTimes::default()).await
    }

    /// The same for another server or with other lease times.
    pub async fn provision_vault_on(
        &self,
        cluster: &Cluster,
        prefix: &str,
        database: &str,
        times: LeaseTimes,
    ) -> Result<(), StackError> {
        provision::set(self.vault().await?, cluster, prefix, database, times).await
    }

    /// Removes what [`Stack::provision_vault`] made; leased users are dropped.
    pub async fn remove_vault(&self, prefix: &str) -> Result<(), StackError> {
        self.remove_vault_on(&self.cluster(), prefix).await
    }

    /// Removes what [`Stack::provision_vault_on`] made.
    pub async fn remove_vault_on(&self, cluster: &Cluster, prefix: &str) -> Result<(), StackError> {
        provision::remove(self.vault().await?, cluster, prefix).await
    }

    /// The public half of an AppRole's login.
    pub async fn role_id(&self, app_role: &str) -> Result<String, StackError> {
        let path = format!("auth/approle/role/{app_role}/role-id");
        let answer = self.vault().await?.get(&path).await?;
        Ok(text(&answer, &path, "/data/role_id")?.to_owned())
    }

    /// The secret half, wrapped: one line for the standard input of the process, good for two minutes and one use.
    pub async fn wrapped_secret_id(&self, app_role: &str) -> Result<SecretString, StackError> {
        Ok(self.vault().await?.wrapped_secret_id(app_role).await?)
    }

    /// The public base URL: nginx.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.known.ports.https)
    }

    /// The base URL for terminals, which show their certificates there.
    pub fn terminal_url(&self) -> String {
        format!("https://localhost:{}", self.known.ports.terminals())
    }

    /// Where Vault listens.
    pub fn vault_address(&self) -> String {
        vault_server::address(&self.known)
    }

    /// A client with every right in Vault.
    pub async fn vault(&self) -> Result<&Vault, StackError> {
        self.operator.get_or_try_init(|| vault_server::operator(&self.folder, &self.known)).await
    }

    /// The environment of a process that logs in as `<prefix><role>` and works on `database`: nothing in it is secret.
    pub async fn environment(
        &self,
        cluster: &Cluster,
        prefix: &str,
        role: &str,
        database: &str,
    ) -> Result<Vec<(String, String)>, StackError> {
        let app_role = format!("{prefix}{role}");
        let authority = self.folder.authority().display().to_string();
        let mut variables = vec![
            ("VINTEM_VAULT_ADDR", self.vault_address()),
            ("VINTEM_VAULT_CA", authority.clone()),
            ("VINTEM_VAULT_ROLE_ID", self.role_id(&app_role).await?),
            ("VINTEM_VAULT_ROLE", app_role),
            ("VINTEM_DATABASE_HOST", "127.0.0.1".into()),
            ("VINTEM_DATABASE_PORT", cluster.port.to_string()),
            ("VINTEM_DATABASE_NAME", database.into()),
            ("VINTEM_DATABASE_CA", authority),
        ];
        if !prefix.is_empty() {
            variables.push(("VINTEM_VAULT_MOUNTS", prefix.into()));
        }
        Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// What the environment says of a broker, for a process that works with one.
    pub fn broker_environment(&self, broker: &Broker, virtual_host: &str) -> Vec<(String, String)> {
        let variables = [
            ("VINTEM_BROKER_HOST", "localhost".into()),
            ("VINTEM_BROKER_PORT", broker.ports.amqps.to_string()),
            ("VINTEM_BROKER_VIRTUAL_HOST", virtual_host.into()),
            ("VINTEM_BROKER_CA", self.folder.authority().display().to_string()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A port that is free now, below Linux' range for outgoing connections: while a server is down, whoever tries to reach it must not be given
/// its port as their own end.
///
/// None is drawn twice: whoever has one may need a while until it listens there.
pub fn free_port() -> std::io::Result<u16> {
    static DRAWN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let is_new = |port| DRAWN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
    let drawn = || vintem_core::event_store::fresh::new_id().into_bytes();
    let candidates = (0..100).map(|_| drawn()).map(|id| 10_000 + u16::from_be_bytes([id[14], id[15]]) % 10_000);
    let found = candidates.into_iter().find(|port| state::is_free(*port) && is_new(*port));
    found.ok_or_else(|| std::io::ErrorKind::AddrInUse.into())
}
