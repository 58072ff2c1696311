//! A RabbitMQ node of its own: data, ports, certificate, port mapper.
//!
//! Invariants: AMQP and the management API only over TLS and only on the loopback address; no user `guest`; the one
//! user that administers the node is made by [`Broker::create_administrator`] with a password that goes in by
//! standard input and that afterwards only Vault knows. Everybody else leases a user.
//! Erlang finds nodes through a port mapper (epmd). It is a service of ours, too, so that no node starts a daemon
//! that would outlive it. The cookie by which `rabbitmqctl` proves itself to the node is made by Erlang, mode 0400.
//! The stack has one such node; a test that has to kill or stop RabbitMQ makes its own.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use secrecy::SecretString;

use super::authority;
use super::error::StackError;
use super::owner::{self, Owner};
use super::packages::find_program;
use super::process::{self, Service};
use super::state::{BrokerPorts, Folder, is_free};

/// How the node is asked to end; the port mapper likewise.
pub const STOP: Signal = Signal::SIGTERM;
/// A cold Erlang machine on a busy computer takes its time.
const PATIENCE: Duration = Duration::from_mins(5);
/// Erlang wants a name of its own for each node of a port mapper, and ours has one node.
const NODE: &str = "vintem@localhost";

/// The virtual host and the topology, as the workers declare it: there before the first of them comes.
const DEFINITIONS: &str = include_str!("../../../rabbitmq/definitions.json");

/// One RabbitMQ node.
#[derive(Debug, Clone)]
pub struct Broker {
    /// Name of its process record and log.
    pub name: String,
    /// Its folder, inside the state folder.
    pub folder: PathBuf,
    /// Its ports on the loopback address.
    pub ports: BrokerPorts,
    /// Whom it runs as.
    pub owner: Option<Owner>,
    pub(super) state: Folder,
}

impl Broker {
    /// Makes the folders and the configuration.
    pub fn initialise(&self) -> Result<(), StackError> {
        owner::make_folder(&self.folder, self.owner, 0o755)?;
        owner::make_folder(&self.folder.join("data"), self.owner, 0o700)?;
        let write = |name: &str, content: &str| {
            owner::write_file(&self.folder.join(name), content.as_bytes(), self.owner, 0o644)
        };
        let pair = authority::pair(&self.folder);
        write(
            "rabbitmq.conf",
            &configuration(self.ports, &pair, &self.state.authority(), &self.folder.join("definitions.json")),
        )?;
        write("enabled_plugins", "[rabbitmq_management].\n")?;
        write("definitions.json", DEFINITIONS)?;
        // Named below, so that the machine's own /etc/rabbitmq/rabbitmq-env.conf is not read.
        write("env.conf", "")
    }

    /// Starts the port mapper and the node unless they run; [`Broker::await_ready`] waits for it.
    pub fn launch(&self) -> Result<(), StackError> {
        self.launch_port_mapper()?;
        if process::running(&self.state, &self.name).is_some() {
            return Ok(());
        }
        process::end_strays(&self.state, &self.folder.join("data"), STOP);
        let BrokerPorts { amqps, management, distribution, .. } = self.ports;
        for port in [amqps, management, distribution] {
            if !is_free(port) {
                return Err(StackError::PortTaken { service: self.name.clone(), port });
            }
        }
        let service = Service {
            name: self.name.clone(),
            program: program("rabbitmq-server")?,
            arguments: Vec::new(),
            environment: self.environment(),
            owner: self.owner,
            // Not the folder above, where the port mapper works, which would be taken for a remainder.
            folder: self.folder.join("data"),
            stop: STOP,
            secret_line: None,
        };
        service.start(&self.state).map(drop)
    }

    fn launch_port_mapper(&self) -> Result<(), StackError> {
        let name = self.port_mapper();
        if process::running(&self.state, &name).is_some() {
            return Ok(());
        }
        let place = self.folder.join("epmd");
        owner::make_folder(&place, self.owner, 0o755)?;
        process::end_strays(&self.state, &place, STOP);
        if !is_free(self.ports.epmd) {
            return Err(StackError::PortTaken { service: name, port: self.ports.epmd });
        }
        let port = self.ports.epmd.to_string();
        let service = Service {
            name,
            program: program("epmd")?,
            arguments: ["-port", &port, "-address", "127.0.0.1"].map(Into::into).to_vec(),
            environment: Vec::new(),
            owner: self.owner,
            folder: place,
            stop: STOP,
            secret_line: None,
        };
        service.start(&self.state).map(drop)
    }

    fn port_mapper(&self) -> String {
        format!("{}-epmd", self.name)
    }

    /// Starts the node and waits until clients can come.
    pub async fn start(&self) -> Result<(), StackError> {
        self.launch()?;
        self.await_ready().await
    }

    /// Waits until the node listens, which it does last.
    pub async fn await_ready(&self) -> Result<(), StackError> {
        let end = tokio::time::Instant::now() + PATIENCE;
        while !self.listens() {
            let what = if process::running(&self.state, &self.name).is_none() {
                "ended right after its start"
            } else if tokio::time::Instant::now() > end {
                "runs, but does not listen"
            } else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let log = self.state.log(&self.name);
            return Err(StackError::Service { service: self.name.clone(), what: what.into(), log });
        }
        Ok(())
    }

    /// Whether clients can come now.
    pub fn listens(&self) -> bool {
        let address = SocketAddr::from(([127, 0, 0, 1], self.ports.amqps));
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
    }

    /// Stops the node in order, and then its port mapper.
    pub fn stop(&self) {
        process::stop(&self.state, &self.name, STOP);
        process::stop(&self.state, &self.port_mapper(), STOP);
    }

    /// Stops the node as a power cut would.
    pub fn crash(&self) {
        process::crash(&self.state, &self.name);
        process::end_strays(&self.state, &self.folder.join("data"), Signal::SIGKILL);
        // A killed Erlang machine holds its ports until the kernel has taken its memory apart.
        let BrokerPorts { amqps, management, distribution, .. } = self.ports;
        for _ in 0..100 {
            if [amqps, management, distribution].into_iter().all(is_free) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops the node and removes everything of it.
    pub fn remove(&self) -> Result<(), StackError> {
        self.stop();
        process::end_strays(&self.state, &self.folder, Signal::SIGKILL);
        owner::remove_folder(&self.folder)?;
        for name in [&self.name, &self.port_mapper()] {
            // A log without its node tells nobody anything.
            let _ = std::fs::remove_file(self.state.log(name));
        }
        Ok(())
    }

    /// Makes a user that may do everything, or gives it a new password; the password goes in by standard input.
    pub fn create_administrator(&self, user: &str, password: &SecretString) -> Result<(), StackError> {
        if self.list("list_users")?.iter().any(|known| known == user) {
            self.control(&["change_password", user], Some(password))?;
        } else {
            self.control(&["add_user", user], Some(password))?;
        }
        self.control(&["set_user_tags", user, "administrator"], None).map(drop)
    }

    /// Has a running node read its certificate again; without a word it would within two minutes.
    pub fn read_certificates(&self) -> Result<(), StackError> {
        self.control(&["eval", "ssl:clear_pem_cache()."], None).map(drop)
    }

    /// Removes a user, if there is such a one.
    pub fn drop_user(&self, user: &str) -> Result<(), StackError> {
        if self.list("list_users")?.iter().any(|known| known == user) {
            self.control(&["delete_user", user], None)?;
        }
        Ok(())
    }

    /// The names of all users.
    pub fn users(&self) -> Result<Vec<String>, StackError> {
        self.list("list_users")
    }

    /// Makes an empty virtual host.
    pub fn create_virtual_host(&self, name: &str) -> Result<(), StackError> {
        self.control(&["add_vhost", name], None).map(drop)
    }

    /// Removes a virtual host with all that is in it.
    pub fn drop_virtual_host(&self, name: &str) -> Result<(), StackError> {
        self.control(&["delete_vhost", name], None).map(drop)
    }

    /// The first column of a listing.
    fn list(&self, verb: &str) -> Result<Vec<String>, StackError> {
        let text = self.control(&["--quiet", "--no-table-headers", verb], None)?;
        Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    }

    /// Runs `rabbitmqctl` on this node.
    pub fn control(&self, arguments: &[&str], secret_line: Option<&SecretString>) -> Result<String, StackError> {
        process::finish(self.control_command(arguments)?, secret_line)
    }

    /// `rabbitmqctl` for this node, as the node's own user, who alone may read the cookie.
    pub fn control_command(&self, arguments: &[&str]) -> Result<Command, StackError> {
        let mut command = Command::new(program("rabbitmqctl")?);
        command.args(arguments).current_dir(&self.folder).env_clear();
        command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LANG", "C.UTF-8").envs(self.environment());
        command.env("HOME", self.folder.join("data"));
        if let Some(owner) = self.owner {
            use std::os::unix::process::CommandExt as _;
            command.gid(owner.gid).uid(owner.uid);
        }
        Ok(command)
    }

    /// Everything that would otherwise be the machine's: name, ports and places.
    fn environment(&self) -> Vec<(String, String)> {
        let place = |name: &str| self.folder.join(name).display().to_string();
        let variables = [
            ("RABBITMQ_NODENAME", NODE.to_owned()),
            ("RABBITMQ_CONF_ENV_FILE", place("env.conf")),
            ("RABBITMQ_CONFIG_FILE", place("rabbitmq.conf")),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", place("enabled_plugins")),
            ("RABBITMQ_MNESIA_BASE", place("data")),
            ("RABBITMQ_LOG_BASE", place("data")),
            ("RABBITMQ_PID_FILE", place("data/pid")),
            ("RABBITMQ_LOGS", "-".to_owned()),
            ("RABBITMQ_DIST_PORT", self.ports.distribution.to_string()),
            ("ERL_EPMD_PORT", self.ports.epmd.to_string()),
            ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
            // The script then becomes the Erlang machine instead of waiting for it, so that the process we know is it.
            ("RABBITMQ_ALLOW_INPUT", "1".to_owned()),
            ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-noinput -kernel inet_dist_use_interface {127,0,0,1}".to_owned()),
            ("RABBITMQ_CTL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}".to_owned()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// RabbitMQ's own programs: those on the PATH are wrappers that go to the package's folders first.
fn program(name: &str) -> Result<PathBuf, StackError> {
    let inner = Path::new("/usr/lib/rabbitmq/bin").join(name);
    let found = if inner.exists() { Some(inner) } else { find_program(name) };
    found.ok_or_else(|| StackError::Missing { what: format!("{name} is not installed"), advice: "cargo dev up".into() })
}

fn configuration(ports: BrokerPorts, pair: &Path, authority: &Path, definitions: &Path) -> String {
    let (pair, authority, definitions) = (pair.display(), authority.display(), definitions.display());
    let BrokerPorts { amqps, management, .. } = ports;
    format!(
        "# Written by `vintem dev up`; changes are overwritten.\n\
         listeners.tcp = none\nlisteners.ssl.1 = 127.0.0.1:{amqps}\n\
         ssl_options.cacertfile = {authority}\nssl_options.certfile = {pair}\nssl_options.keyfile = {pair}\n\
         ssl_options.versions.1 = tlsv1.3\nssl_options.verify = verify_none\n\
         management.ssl.ip = 127.0.0.1\nmanagement.ssl.port = {management}\n\
         management.ssl.cacertfile = {authority}\nmanagement.ssl.certfile = {pair}\nmanagement.ssl.keyfile = {pair}\n\
         management.ssl.versions.1 = tlsv1.3\n\
         # Loaded instead of the default virtual host and the user guest.\nload_definitions = {definitions}\n\
         # A client that is gone is noticed in seconds.\nheartbeat = 10\n\
         # Shared with compilers and tests: publishers wait only when the disk is really full.\n\
         disk_free_limit.absolute = 200MB\nvm_memory_high_watermark.absolute = 1GB\n\
         log.console = true\nlog.console.level = warning\nlog.file = false\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_listens_without_tls_or_beyond_this_machine() {
        let ports = BrokerPorts { amqps: 1, management: 2, distribution: 3, epmd: 4 };
        let text = configuration(ports, Path::new("/p.pem"), Path::new("/ca.pem"), Path::new("/d.json"));
        assert!(text.contains("listeners.tcp = none") && !text.contains("management.tcp"));
        for listener in ["listeners.ssl.1 = 127.0.0.1:", "management.ssl.ip = 127.0.0.1"] {
            assert!(text.contains(listener), "{listener}");
        }
    }

    #[test]
    fn the_definitions_make_no_user() {
        let definitions: serde_json::Value = serde_json::from_str(DEFINITIONS).unwrap();
        assert_eq!(definitions["vhosts"][0]["name"], "vintem");
        assert!(definitions.get("users").is_none() && definitions.get("permissions").is_none());
    }
}
