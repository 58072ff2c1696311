//! The API as a process of its own, which a test can kill.

use crate::vault::{Secrets, eventually};
use secrecy::ExposeSecret;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use uuid::Uuid;
use vintem_core::access::{ClientName, Scopes, TenantName, create_client, create_tenant};
use vintem_core::event_store::{Limits, Shard};
use vintem_core::ledger::store::look_ups::LedgerLookUps;

/// A running `vintem-api`.
pub struct Server {
    child: Child,
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
        let environment = secrets
            .stack
            .environment(&secrets.store.cluster, &secrets.prefix, "api", &secrets.store.name)
            .await
            .unwrap();
        let log = std::fs::File::options().create(true).append(true).open(log_file(&secrets.prefix)).unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let metrics_port = free_port();
        let mut child = Command::new(binary("vintem-api"))
            .envs(environment)
            .env("VINTEM_DATABASE_PORT", database_port.to_string())
            .env("VINTEM_LISTEN", format!("127.0.0.1:{port}"))
            .env("VINTEM_METRICS_LISTEN", format!("127.0.0.1:{metrics_port}"))
            .env("VINTEM_ISSUER", "https://test.invalid")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let wrapped = secrets.wrapped("api").await;
        writeln!(child.stdin.take().unwrap(), "{}", wrapped.expose_secret()).unwrap();
        let server = Self { child, url, metrics_url: format!("http://127.0.0.1:{metrics_port}/metrics") };
        let is_up = eventually(Duration::from_secs(30), async || server.is_ready().await).await;
        assert!(is_up, "the API did not start; its log: {}", log_file(&secrets.prefix).display());
        server
    }

    async fn is_ready(&self) -> bool {
        reqwest::get(format!("{}/readyz", self.url)).await.is_ok_and(|answer| answer.status().is_success())
    }

    /// SIGTERM, and how the process ended.
    pub fn terminate(&mut self) -> ExitStatus {
        let id = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
        self.child.wait().unwrap()
    }

    /// SIGKILL: no goodbye, no flush.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Makes a tenant with a client that may do everything.
pub async fn make_client(secrets: &Secrets) -> Credentials {
    let mut operator = secrets.store.session("vintem_operator").await;
    let shard = Shard::start(0, secrets.store.writer(), std::sync::Arc::new(LedgerLookUps), Limits::default());
    let name: TenantName = "town".parse().unwrap();
    let tenant = create_tenant(&mut operator, &shard, name, 0, chrono_tz::America::Sao_Paulo).await.unwrap();
    let scopes = Scopes::parse("ledger:read ledger:write ledger:admin").unwrap();
    let name: ClientName = "test".parse().unwrap();
    let (client, secret) = create_client(&mut operator, &shard, tenant.tenant, name, scopes).await.unwrap();
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

fn log_file(prefix: &str) -> PathBuf {
    std::env::temp_dir().join(format!("vintem-{prefix}api.log"))
}
