//! The API and the worker as processes of their own, which a test can kill.

use crate::vault::{Secrets, eventually};
use crate::webhooks::HOME;
use nix::sys::signal::Signal;
use secrecy::ExposeSecret;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use uuid::Uuid;
use vintem_cli::stack::mailbox;
use vintem_core::access::{ClientName, NewClient, Scopes, TenantName, Terms, create_client, create_tenant};
use vintem_core::event_store::{Limits, Shard};
use vintem_core::look_ups::AllLookUps;

/// Whose requests are not counted, however fast a test sends them.
const TENANT: &str = "town";

/// A running process of the product.
struct Process(Child);

/// A running `vintem-api`.
pub struct Server {
    process: Process,
    /// Where it listens, without a slash at the end.
    pub url: String,
    /// Where its metrics are.
    pub metrics_url: String,
}

/// A service client that the tests act as.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Its tenant.
    pub tenant: Uuid,
    /// Its id.
    pub id: Uuid,
    /// Its secret.
    pub secret: String,
}

impl Server {
    /// Starts it on a port and waits until it is ready. `database_port` may be that of a wire.
    pub async fn start(secrets: &Secrets, port: u16, database_port: u16) -> Self {
        let metrics = format!("127.0.0.1:{}", free_port());
        let mut own = vec![
            variable("VINTEM_DATABASE_PORT", &database_port.to_string()),
            variable("VINTEM_LISTEN", &format!("127.0.0.1:{port}")),
            variable("VINTEM_TLS", "off"),
            variable("VINTEM_METRICS_LISTEN", &metrics),
            variable("VINTEM_ISSUER", "https://test.invalid"),
            variable("VINTEM_RATE_EXEMPT", TENANT),
            variable("VINTEM_RATE_ADDRESS", "1000000/1"),
        ];
        own.extend(mailbox::environment(&secrets.stack));
        let process = Process::start(secrets, "api", "api", own.clone(), &[]).await;
        let mut server =
            Self { process, url: format!("http://127.0.0.1:{port}"), metrics_url: format!("http://{metrics}/metrics") };
        let is_up = eventually(Duration::from_mins(2), async || {
            // As its supervisor would: Vault may not have answered in time, or its port is somebody else's for a moment.
            if server.process.has_ended() {
                server.process = Process::start(secrets, "api", "api", own.clone(), &[]).await;
            }
            server.is_ready().await
        })
        .await;
        assert!(is_up, "the API did not start; it says: {}", last_words(secrets, "api"));
        server
    }

    /// Whether `/readyz` says so.
    pub async fn is_ready(&self) -> bool {
        reqwest::get(format!("{}/readyz", self.url)).await.is_ok_and(|answer| answer.status().is_success())
    }

    /// SIGTERM, and how the process ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.terminate()
    }

    /// SIGKILL: no goodbye, no flush.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGHUP: every leased user is replaced.
    pub fn hang_up(&self) {
        self.process.signal(Signal::SIGHUP);
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.process.0.id()
    }
}

/// A running `vintem-worker`.
pub struct Worker {
    process: Process,
    url: String,
}

impl Worker {
    /// Starts it with some roles, or with all of them, and waits until it can be asked. `broker` is what its environment
    /// says of one.
    pub async fn start(secrets: &Secrets, broker: &[(String, String)], roles: &[&str]) -> Self {
        Self::start_as(secrets, "worker", broker, roles).await
    }

    /// The same as another AppRole than that of a worker with all roles.
    pub async fn start_as(secrets: &Secrets, app_role: &str, broker: &[(String, String)], roles: &[&str]) -> Self {
        let listen = format!("127.0.0.1:{}", free_port());
        let mut own = broker.to_vec();
        own.push(variable("VINTEM_METRICS_LISTEN", &listen));
        let process = Process::start(secrets, "worker", app_role, own.clone(), roles).await;
        let mut worker = Self { process, url: format!("http://{listen}") };
        let is_up = eventually(Duration::from_mins(2), async || {
            // As its supervisor would: on a busy machine Vault may not have answered in time.
            if worker.process.has_ended() {
                worker.process = Process::start(secrets, "worker", app_role, own.clone(), roles).await;
            }
            worker.status().await.is_some()
        })
        .await;
        assert!(is_up, "the worker did not start; it says: {}", last_words(secrets, "worker"));
        worker
    }

    /// What `/readyz` says: the HTTP status and the word for it. `None` when nobody answers.
    pub async fn status(&self) -> Option<(u16, String)> {
        let answer = reqwest::get(format!("{}/readyz", self.url)).await.ok()?;
        let status = answer.status().as_u16();
        let report: serde_json::Value = answer.json().await.ok()?;
        Some((status, report["status"].as_str()?.to_owned()))
    }

    /// Whether the process has not ended by itself.
    pub fn is_running(&mut self) -> bool {
        !self.process.has_ended()
    }

    /// What it counts.
    pub async fn metrics(&self) -> String {
        reqwest::get(format!("{}/metrics", self.url)).await.unwrap().text().await.unwrap()
    }

    /// SIGTERM, and how the process ended.
    pub fn terminate(&mut self) -> ExitStatus {
        self.process.terminate()
    }

    /// SIGKILL: no goodbye, no flush.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// SIGHUP: every leased user is replaced.
    pub fn hang_up(&self) {
        self.process.signal(Signal::SIGHUP);
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.process.0.id()
    }
}

impl Process {
    /// Starts a program as an AppRole. Whatever it posts may go to this machine.
    async fn start(
        secrets: &Secrets,
        program: &str,
        role: &str,
        own: Vec<(String, String)>,
        arguments: &[&str],
    ) -> Self {
        let store = &secrets.store;
        let shared = secrets.stack.environment(&store.cluster, &secrets.prefix, role, &store.name).await.unwrap();
        let log = std::fs::File::options().create(true).append(true).open(log_file(secrets, program)).unwrap();
        let mut child = Command::new(binary(&format!("vintem-{program}")))
            .args(arguments)
            .envs(shared)
            .env("VINTEM_WEBHOOK_NETWORKS", HOME.join(","))
            .envs(own)
            .envs(secrets.log.map(|filter| ("VINTEM_LOG", filter)))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let wrapped = secrets.wrapped(role).await;
        writeln!(child.stdin.take().unwrap(), "{}", wrapped.expose_secret()).unwrap();
        Self(child)
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    fn terminate(&mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        self.0.wait().unwrap()
    }

    fn signal(&self, signal: Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.0.id().cast_signed()), signal).unwrap();
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn variable(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// Makes a tenant with a client that may do everything.
pub async fn make_client(secrets: &Secrets) -> Credentials {
    let mut operator = secrets.store.session("vintem_operator").await;
    let shard = Shard::start(0, secrets.store.writer(), std::sync::Arc::new(AllLookUps), Limits::default());
    let name: TenantName = TENANT.parse().unwrap();
    let tenant = create_tenant(&mut operator, &shard, name, 0, chrono_tz::America::Sao_Paulo).await.unwrap();
    let scopes = Scopes::all();
    let name: ClientName = "test".parse().unwrap();
    let new = NewClient { tenant: tenant.tenant, name, scopes, terms: Terms::default() };
    let (client, secret) = create_client(&mut operator, &shard, new).await.unwrap();
    Credentials { tenant: tenant.tenant, id: client.client, secret: secret.reveal().to_owned() }
}

/// A port that is free now.
pub fn free_port() -> u16 {
    vintem_cli::stack::free_port().unwrap()
}

/// A binary of the workspace, beside the test's own.
pub fn binary(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().unwrap().parent().unwrap().join(name);
    assert!(path.exists(), "{} is not built; run the tests with cargo dev test", path.display());
    path
}

/// The last line that a process of the test's wrote, and where the others are.
fn last_words(secrets: &Secrets, role: &str) -> String {
    let file = log_file(secrets, role);
    let log = std::fs::read_to_string(&file).unwrap_or_default();
    format!("{} ({})", log.lines().last().unwrap_or("nothing"), file.display())
}

/// Where a process of the test's writes.
pub fn log_file(secrets: &Secrets, role: &str) -> PathBuf {
    std::env::temp_dir().join(format!("vintem-{}{role}.log", secrets.prefix))
}
