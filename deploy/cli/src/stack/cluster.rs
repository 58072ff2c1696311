//! A Postgres server of its own: data, socket, port, certificate.
//!
//! Invariants: checksums, SCRAM, TLS for every TCP connection; the superuser comes in only through the Unix
//! socket, recognised by the kernel (`peer`), so that it needs no password anywhere. Durability settings stay as
//! Postgres ships them. The stack has one such server; a test that has to kill or restart Postgres makes its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use super::authority;
use super::error::StackError;
use super::owner::{self, Owner};
use super::process::{self, Service};
use super::state::{Folder, is_free};

/// Fast shutdown: sessions are cut, data is flushed.
pub const STOP: Signal = Signal::SIGINT;
/// The superuser's name.
pub const SUPERUSER: &str = "postgres";
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest path a Unix socket may have on Linux, without its closing zero.
const SOCKET_PATH_MAX: usize = 107;

/// One Postgres server.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Name of its process record and log.
    pub name: String,
    /// Its folder, inside the state folder.
    pub folder: PathBuf,
    /// Its port on the loopback address.
    pub port: u16,
    /// The folder of the Postgres programs.
    pub programs: PathBuf,
    /// Whom it runs as.
    pub owner: Option<Owner>,
    pub(super) state: Folder,
}

impl Cluster {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The folder of the Unix socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// Makes the folders and the empty data directory, unless they are there.
    pub fn initialise(&self) -> Result<(), StackError> {
        let socket = self.socket().join(format!(".s.PGSQL.{}", self.port));
        if socket.as_os_str().len() > SOCKET_PATH_MAX {
            return Err(StackError::Missing {
                what: format!("{} is too long for a Unix socket", socket.display()),
                advice: format!("set {} to a folder with a shorter path", super::state::STATE_VARIABLE),
            });
        }
        owner::make_folder(&self.folder, self.owner, 0o755)?;
        owner::make_folder(&self.socket(), self.owner, 0o755)?;
        if self.data().join("PG_VERSION").is_file() {
            return Ok(());
        }
        // Named only when complete, so that a run that was interrupted leaves nothing that looks finished.
        let draft = self.folder.join("data.draft");
        process::end_strays(&self.state, &self.folder, STOP);
        owner::remove_folder(&draft)?;
        let place = draft.display().to_string();
        let arguments = [
            "--pgdata",
            &place,
            "--username",
            SUPERUSER,
            "--encoding",
            "UTF8",
            "--locale",
            "C.UTF-8",
            "--data-checksums",
            "--auth",
            "peer",
        ];
        process::run(&self.programs.join("initdb"), &arguments, self.owner, &self.folder)?;
        std::fs::rename(&draft, self.data()).map_err(StackError::file("name", self.data()))
    }

    /// Starts the server if it does not run, and waits until it answers.
    pub async fn start(&self) -> Result<(), StackError> {
        if process::running(&self.state, &self.name).is_none() {
            self.configure()?;
            self.end_remains()?;
            if !is_free(self.port) {
                return Err(StackError::PortTaken { service: self.name.clone(), port: self.port });
            }
            let service = Service {
                name: self.name.clone(),
                program: self.programs.join("postgres"),
                arguments: vec!["-D".into(), self.data().into()],
                environment: Vec::new(),
                owner: self.owner,
                folder: self.folder.clone(),
                stop: STOP,
                secret_line: None,
            };
            service.start(&self.state)?;
        }
        self.await_ready().await
    }

    /// Stops the server in order.
    pub fn stop(&self) {
        process::stop(&self.state, &self.name, STOP);
    }

    /// Stops the server as a power cut would.
    pub fn crash(&self) {
        process::crash(&self.state, &self.name);
        process::end_strays(&self.state, &self.folder, Signal::SIGKILL);
    }

    /// A base backup of the running server, as the data of another one that is not started yet.
    pub fn back_up_to(&self, other: &Self) -> Result<(), StackError> {
        owner::make_folder(&other.folder, self.owner, 0o755)?;
        owner::make_folder(&other.socket(), self.owner, 0o755)?;
        let (socket, port, data) = (self.socket(), self.port.to_string(), other.data());
        let [socket, data] = [socket, data].map(|path| path.display().to_string());
        let arguments =
            ["--pgdata", &data, "--host", &socket, "--port", &port, "--username", SUPERUSER, "--checkpoint", "fast"];
        process::run(&self.programs.join("pg_basebackup"), &arguments, self.owner, &other.folder).map(drop)
    }

    /// Stops the server and removes everything of it.
    pub fn remove(&self) -> Result<(), StackError> {
        self.stop();
        owner::remove_folder(&self.folder)?;
        // A log without its server tells nobody anything.
        let _ = std::fs::remove_file(self.state.log(&self.name));
        Ok(())
    }

    /// The superuser's connection to a database, through the socket.
    pub async fn superuser(&self, database: &str) -> Result<PgConnection, StackError> {
        // Boxed, because it would make the futures of all callers 14 KiB larger.
        Box::pin(PgConnection::connect_with(&self.superuser_options(database)))
            .await
            .map_err(StackError::postgres(format!("open the superuser's session in {database}")))
    }

    /// How the superuser connects to a database, for tests that then act as another role.
    pub fn superuser_options(&self, database: &str) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass().socket(self.socket()).port(self.port);
        options.username(SUPERUSER).database(database).disable_statement_logging()
    }

    async fn await_ready(&self) -> Result<(), StackError> {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let error = match self.superuser("postgres").await {
                Ok(session) => return session.close().await.map_err(StackError::postgres("close a session")),
                Err(error) => error,
            };
            let what = if process::running(&self.state, &self.name).is_none() {
                "ended right after its start"
            } else if tokio::time::Instant::now() > end {
                "runs, but refuses sessions"
            } else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let what = format!(
                "{what} ({})",
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string)
            );
            return Err(StackError::Service { service: self.name.clone(), what, log: self.state.log(&self.name) });
        }
    }

    /// After a crash: ends the children of the dead server, and removes its lock files, which Postgres itself does
    /// not as long as the dead process has not been collected by its parent.
    fn end_remains(&self) -> Result<(), StackError> {
        process::end_strays(&self.state, &self.folder, STOP);
        let socket = format!(".s.PGSQL.{}", self.port);
        let remains = [
            self.data().join("postmaster.pid"),
            self.socket().join(format!("{socket}.lock")),
            self.socket().join(socket),
        ];
        for path in remains {
            match std::fs::remove_file(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StackError::File { doing: "remove", path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn configure(&self) -> Result<(), StackError> {
        let write = |name: &str, content: String| {
            owner::write_file(&self.data().join(name), content.as_bytes(), self.owner, 0o600)
        };
        write(
            "postgresql.conf",
            configuration(self.port, &self.socket(), &authority::pair(&self.folder), shared_buffers_mb()),
        )?;
        write("pg_hba.conf", ACCESS.to_owned())?;
        write("pg_ident.conf", socket_users(owner::login_name().as_deref()))
    }
}

const ACCESS: &str = "\
# Written by `vintem dev up`; changes are overwritten.
# The superuser only through the socket, recognised by the kernel; everybody else only with TLS and a password.
local   all  postgres                  peer map=stack
local   replication  postgres          peer map=stack
local   all  all                       reject
hostssl all  postgres    all           reject
hostssl all  all         127.0.0.1/32  scram-sha-256
host    all  all         all           reject
";

fn socket_users(person: Option<&str>) -> String {
    let others = person.filter(|person| !matches!(*person, "root" | SUPERUSER));
    let line = |name: &str| format!("stack \"{name}\" {SUPERUSER}\n");
    ["root", SUPERUSER].into_iter().chain(others).map(line).collect::<Vec<_>>().concat()
}

fn configuration(port: u16, socket: &Path, pair: &Path, shared_buffers_mb: u64) -> String {
    let (socket, pair) = (socket.display(), pair.display());
    format!(
        "# Written by `vintem dev up`; changes are overwritten.\n\
         listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{socket}'\n\
         ssl = on\nssl_cert_file = '{pair}'\nssl_key_file = '{pair}'\nssl_min_protocol_version = 'TLSv1.3'\n\
         password_encryption = 'scram-sha-256'\n\
         # Tests open a database each, with pools of their own.\nmax_connections = 300\n\
         shared_buffers = {shared_buffers_mb}MB\nmax_wal_size = 4GB\nwal_compression = lz4\njit = off\n\
         # A broken-off client is noticed in seconds, so that its lock on a shard is let go.\n\
         tcp_keepalives_idle = 5\ntcp_keepalives_interval = 2\ntcp_keepalives_count = 3\n\
         timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C.UTF-8'\nlog_line_prefix = '%m [%p] %q%u@%d '\n\
         # Statements that fail are not written out: one of them may hold a password that Vault is setting.\n\
         log_min_error_statement = panic\n"
    )
}

/// An eighth of the memory, between 128 MB and 1 GB: Postgres shares the machine with compilers.
fn shared_buffers_mb() -> u64 {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total_kb =
        info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    (total_kb.unwrap_or(0) / 1024 / 8).clamp(128, 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_socket_knows_the_superuser_and_only_tls_the_others() {
        let rules: Vec<Vec<&str>> = ACCESS
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert!(rules.iter().all(|rule| rule[0] != "host" || rule.last() == Some(&"reject")));
        let superuser = rules.iter().position(|rule| rule[0] == "hostssl" && rule[2] == SUPERUSER).unwrap();
        let others = rules.iter().position(|rule| rule.last() == Some(&"scram-sha-256")).unwrap();
        assert!(superuser < others && rules[superuser].last() == Some(&"reject"));
    }

    #[test]
    fn root_the_package_user_and_the_person_are_the_superuser() {
        assert_eq!(
            socket_users(Some("ana")),
            "stack \"root\" postgres\nstack \"postgres\" postgres\nstack \"ana\" postgres\n"
        );
        assert_eq!(socket_users(Some("root")).lines().count(), 2);
    }

    #[test]
    fn durability_is_left_as_postgres_ships_it() {
        let text = configuration(20_003, Path::new("/s"), Path::new("/p.pem"), 128);
        assert!(!text.contains("fsync") && !text.contains("synchronous_commit") && !text.contains("full_page_writes"));
        assert!(text.contains("ssl = on") && text.contains("listen_addresses = '127.0.0.1'"));
    }
}
