//! The state folder: where everything of one checkout's stack lies, and what was decided once.
//!
//! `stack.json` holds ports and paths and no secret, so it may be read by every user a service runs as.
//! Secret on disk are Vault's unseal key, `vault/unseal.json`, and the services' own TLS keys: all of mode 0600.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::StackError;
use super::owner::{self, Owners};

/// The environment variable that names the state folder, for tests and for unusual places.
pub const STATE_VARIABLE: &str = "DEV_STACK_STATE";

/// Below Linux' range for outgoing connections (32768), so that no client's port can take one of ours.
const FIRST_PORT: u16 = 20_000;
const PORTS_PER_STACK: u16 = 16;
const STACKS: u16 = 790;

/// The ports of one stack, all on the loopback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// nginx, HTTPS: the only door for clients.
    pub https: u16,
    /// The API behind nginx.
    pub api: u16,
    /// The API's metrics.
    pub metrics: u16,
    /// Postgres.
    pub postgres: u16,
    /// Vault's API.
    pub vault: u16,
    /// Vault's own cluster port; a single node needs it to be free, too.
    pub vault_cluster: u16,
    /// RabbitMQ's.
    pub broker: BrokerPorts,
    /// The worker's metrics.
    pub worker_metrics: u16,
}

/// The ports of one RabbitMQ node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerPorts {
    /// AMQP over TLS, for the workers.
    pub amqps: u16,
    /// The management API over TLS, for Vault.
    pub management: u16,
    /// Erlang's distribution, for `rabbitmqctl`.
    pub distribution: u16,
    /// The node's own port mapper, where `rabbitmqctl` asks for the port above.
    pub epmd: u16,
}

impl BrokerPorts {
    /// All four.
    pub fn all(self) -> [u16; 4] {
        [self.amqps, self.management, self.distribution, self.epmd]
    }
}

impl Ports {
    /// The mailbox's. It follows from the block, which stacks of before had, too.
    pub fn mail(self) -> u16 {
        self.https + 11
    }

    /// Where nginx listens for terminals, likewise.
    pub fn terminals(self) -> u16 {
        self.https + 12
    }

    fn block(first: u16) -> Self {
        Self {
            https: first,
            api: first + 1,
            metrics: first + 2,
            postgres: first + 3,
            vault: first + 4,
            vault_cluster: first + 5,
            broker: BrokerPorts { amqps: first + 6, management: first + 7, distribution: first + 8, epmd: first + 9 },
            worker_metrics: first + 10,
        }
    }

    fn all(self) -> impl Iterator<Item = u16> {
        let own = [
            self.https,
            self.api,
            self.metrics,
            self.postgres,
            self.vault,
            self.vault_cluster,
            self.worker_metrics,
            self.mail(),
            self.terminals(),
        ];
        own.into_iter().chain(self.broker.all())
    }

    /// The block that `seed` points at, or the next one in which every port is free.
    fn choose(seed: u64) -> Self {
        let start = u16::try_from(seed % u64::from(STACKS)).unwrap_or(0);
        (0..STACKS)
            .map(|step| Self::block(FIRST_PORT + (start + step) % STACKS * PORTS_PER_STACK))
            .find(|ports| ports.all().all(is_free))
            .unwrap_or_else(|| Self::block(FIRST_PORT + start * PORTS_PER_STACK))
    }
}

/// Whether a program of ours could listen there now.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// What `up` decided once and every later command agrees on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The checkout this stack belongs to.
    pub checkout: PathBuf,
    /// Its ports.
    pub ports: Ports,
    /// The folder of `postgres`, `initdb`, `psql`.
    pub postgres_bin: PathBuf,
    /// `vault` or `bao`.
    pub vault_program: PathBuf,
    /// The folder of our plugins, where the program has none built in.
    pub vault_plugins: Option<PathBuf>,
    /// The first tenant and its service client, once made. The client's secret was shown once and is not here.
    #[serde(default)]
    pub first_client: Option<FirstClient>,
}

/// Names of what `up` makes in an empty ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstClient {
    /// The tenant.
    pub tenant: String,
    /// The service client.
    pub client_id: String,
}

/// The places in a state folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    seed: u64,
}

impl Folder {
    /// The folder of a checkout, or the one that [`STATE_VARIABLE`] names.
    pub fn of_checkout(checkout: &Path) -> Self {
        let seed = seed_of(checkout);
        let root = std::env::var_os(STATE_VARIABLE)
            .filter(|value| !value.is_empty())
            .map_or_else(|| default_root(seed), PathBuf::from);
        Self { root, seed }
    }

    /// A folder at a known place.
    pub fn at(root: PathBuf) -> Self {
        let seed = seed_of(&root);
        Self { root, seed }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path inside.
    pub fn path(&self, inner: &str) -> PathBuf {
        self.root.join(inner)
    }

    /// The root certificate of the stack's own authority, public.
    pub fn authority(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// A service's log.
    pub fn log(&self, service: &str) -> PathBuf {
        self.root.join("logs").join(format!("{service}.log"))
    }

    /// The owners of the services.
    pub fn owners(&self) -> Owners {
        Owners::of_this_machine(self.seed)
    }

    /// Makes the folder and its fixed parts.
    pub fn create(&self) -> Result<(), StackError> {
        owner::make_folder(&self.root, None, 0o755)?;
        for (name, mode) in [("bin", 0o755), ("logs", 0o755), ("run", 0o755)] {
            owner::make_folder(&self.path(name), None, mode)?;
        }
        Ok(())
    }

    /// The recorded state, if `up` has ever come that far.
    pub fn read(&self) -> Result<Option<State>, StackError> {
        let path = self.path("stack.json");
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| StackError::State { path, source }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StackError::File { doing: "read", path, source }),
        }
    }

    /// Records the state.
    pub fn write(&self, state: &State) -> Result<(), StackError> {
        let path = self.path("stack.json");
        let text =
            serde_json::to_vec_pretty(state).map_err(|source| StackError::State { path: path.clone(), source })?;
        owner::write_file(&path, &text, None, 0o644)
    }

    /// Ports for a new stack.
    pub fn choose_ports(&self) -> Ports {
        Ports::choose(self.seed)
    }

    /// Takes a lock by name unless somebody else has it.
    pub fn try_lock(&self, name: &str) -> Result<Option<std::fs::File>, StackError> {
        let path = self.root.join("run").join(format!("{name}.lock"));
        let file = std::fs::File::create(&path).map_err(StackError::file("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            Err(std::fs::TryLockError::Error(source)) => Err(StackError::File { doing: "lock", path, source }),
        }
    }

    /// Takes a lock by name, waiting for it; it is let go when the file is dropped, also by a crash.
    pub fn lock(&self, name: &str) -> Result<std::fs::File, StackError> {
        let path = self.root.join("run").join(format!("{name}.lock"));
        let file = std::fs::File::create(&path).map_err(StackError::file("create", &path))?;
        file.lock().map_err(StackError::file("lock", &path))?;
        Ok(file)
    }
}

/// Two checkouts have two numbers; the same checkout always has the same, under every compiler (FNV-1a).
fn seed_of(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Root's state must be reachable for the package users, which a home folder of mode 0700 is not.
fn default_root(seed: u64) -> PathBuf {
    let name = format!("{seed:016x}");
    if owner::is_root() {
        return Path::new("/var/lib/vintem-dev").join(name);
    }
    let state_home = std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/state")));
    state_home.unwrap_or_else(std::env::temp_dir).join("vintem-dev").join(name)
}

/// The checkout that the current folder (or the package under test) lies in.
pub fn find_checkout() -> Result<PathBuf, StackError> {
    let start = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| std::env::current_dir().unwrap_or_default(), PathBuf::from);
    start
        .ancestors()
        .find(|folder| folder.join("vault-policies").is_dir() && folder.join("Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| StackError::Missing {
            what: format!("{} is not inside a checkout of Vintem", start.display()),
            advice: "run the command in the folder that git clone made".into(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State {
            checkout: "/srv/vintem".into(),
            ports: Ports::block(20_000),
            postgres_bin: "/usr/lib/postgresql/15/bin".into(),
            vault_program: "/var/lib/vintem-dev/x/bin/vault".into(),
            vault_plugins: None,
            first_client: Some(FirstClient { tenant: "t".into(), client_id: "c".into() }),
        }
    }

    #[test]
    fn a_state_file_is_read_back_as_it_was_written() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path().join("state"));
        folder.create().unwrap();
        assert_eq!(folder.read().unwrap(), None);
        folder.write(&state()).unwrap();
        assert_eq!(folder.read().unwrap(), Some(state()));
    }

    #[test]
    fn a_foreign_state_file_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path().to_path_buf());
        std::fs::write(folder.path("stack.json"), "{\"ports\": 1}").unwrap();
        assert!(matches!(folder.read(), Err(StackError::State { .. })));
    }

    #[test]
    fn ports_lie_below_the_ephemeral_range_and_skip_taken_blocks() {
        for seed in [0, 7, u64::MAX] {
            assert!(Ports::choose(seed).all().all(|port| (FIRST_PORT..32_768).contains(&port)));
        }
        let wanted = Ports::choose(42);
        let _occupied = TcpListener::bind(("127.0.0.1", wanted.vault)).unwrap();
        assert_ne!(Ports::choose(42), wanted);
    }
}
