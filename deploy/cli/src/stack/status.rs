//! `cargo dev status` and `cargo dev logs`.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use super::error::StackError;
use super::process;
use super::vault::{Health, Vault};
use super::{POSTGRES, RABBITMQ, Stack, certifier, mailbox, nginx, servers, vault_server};
use crate::client::readiness;

/// One line of `status`.
#[derive(Debug)]
pub struct Line {
    /// The service.
    pub service: &'static str,
    /// Whether it runs and does its work.
    pub is_well: bool,
    /// Where it is and what is the matter.
    pub found: String,
}

/// Looks at every service.
pub async fn status(stack: &Stack) -> Vec<Line> {
    let ports = stack.known().ports;
    let door = format!("{}, terminals on {}", stack.url(), ports.terminals());
    let ready = readiness::ask(&stack.url(), &stack.folder().authority(), None).await;
    let (api_is_well, api_state) = match ready {
        Ok(()) => (true, "ready".to_owned()),
        Err(reason) => (false, format!("not ready: {reason}")),
    };
    let health = vault_health(stack).await;
    let broker = stack.broker().listens();
    let worker_answers = tokio::net::TcpStream::connect(("127.0.0.1", ports.worker_metrics)).await.is_ok();
    let takes_mail = mailbox::listens(stack);
    let postgres = stack.cluster().has_database(super::DATABASE).await;
    let runs = |name: &str| process::running(stack.folder(), name);
    let line = |service, name: &str, is_well: bool, place: String, state: String| match runs(name) {
        Some(pid) => Line { service, is_well, found: format!("{place} · process {pid} · {state}") },
        None => Line { service, is_well: false, found: "stopped".into() },
    };
    vec![
        line("nginx", nginx::NAME, true, door, "listens".into()),
        line(
            "API",
            servers::API.name,
            api_is_well,
            format!("127.0.0.1:{}, metrics on {}", ports.api, ports.metrics),
            api_state,
        ),
        line(
            "Worker",
            servers::WORKER.name,
            worker_answers,
            format!("metrics on 127.0.0.1:{}", ports.worker_metrics),
            if worker_answers { "works" } else { "does not answer" }.into(),
        ),
        line(
            "Mailbox",
            mailbox::NAME,
            takes_mail,
            format!("127.0.0.1:{}", ports.mail()),
            if takes_mail { "takes letters" } else { "does not listen" }.into(),
        ),
        line("Certifier", certifier::NAME, true, "nginx, Postgres, RabbitMQ".into(), "renews".into()),
        line(
            "Vault",
            vault_server::NAME,
            health == Some(Health::Active),
            stack.vault_address(),
            health.map_or("does not answer".into(), |health| format!("{health:?}").to_lowercase()),
        ),
        line(
            "RabbitMQ",
            RABBITMQ,
            broker,
            format!("127.0.0.1:{}", ports.broker.amqps),
            if broker { "listens" } else { "does not listen" }.into(),
        ),
        line(
            "Postgres",
            POSTGRES,
            matches!(postgres, Ok(true)),
            format!("127.0.0.1:{}", ports.postgres),
            match postgres {
                Ok(true) => "answers".into(),
                Ok(false) => "has no database yet".into(),
                Err(error) => error.to_string(),
            },
        ),
    ]
}

async fn vault_health(stack: &Stack) -> Option<Health> {
    let vault = Vault::new(&stack.vault_address(), &[&stack.folder().authority()]).ok()?;
    vault.health().await.ok()
}

/// Becomes `tail` on the logs of one service or of all. Returns only when that fails.
pub fn logs(stack: &Stack, service: Option<&str>, lines: u32, follow: bool) -> StackError {
    let known = ["nginx", "nginx-access", "api", "worker", "vault", "postgres", "rabbitmq", "certifier", "mailbox"];
    let files: Vec<PathBuf> = match service {
        Some(service) => vec![stack.folder().log(service)],
        None => known.iter().map(|service| stack.folder().log(service)).collect(),
    };
    let files: Vec<PathBuf> = files.into_iter().filter(|file| file.is_file()).collect();
    if files.is_empty() {
        return StackError::Missing {
            what: format!("there is no log of {}", service.unwrap_or("any service")),
            advice: format!("the services are {}", known.join(", ")),
        };
    }
    let mut command = Command::new("tail");
    command.arg("-n").arg(lines.to_string());
    if follow {
        command.arg("-F");
    }
    StackError::Spawn { program: "tail".into(), source: command.args(files).exec() }
}
