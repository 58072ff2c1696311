//! The API and the worker: built, copied into the state folder, and started each under a supervisor.
//!
//! Copied, because its own user cannot reach a checkout in somebody's home, and because a compiler that replaces
//! a running program would pull it away from under the next start.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::error::StackError;
use super::owner;
use super::process::{self, Service};
use super::supervisor;
use super::vault::secret;
use super::{DATABASE, Stack, broker_users, mailbox};

/// How a supervisor is asked to end.
pub const STOP: Signal = Signal::SIGTERM;

/// A process of the product that runs as long as the stack does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Name of its AppRole, of its folder, and of the process record and log of its supervisor, which it writes to.
    pub name: &'static str,
    /// Its program.
    pub program: &'static str,
    /// How it is called towards people.
    pub shown: &'static str,
}

/// The HTTP server.
pub const API: Server = Server { name: "api", program: "vintem-api", shown: "API" };
/// The worker.
pub const WORKER: Server = Server { name: "worker", program: "vintem-worker", shown: "worker" };

/// By its name.
pub fn find(name: &str) -> Option<Server> {
    [API, WORKER].into_iter().find(|server| server.name == name)
}

/// Compiles both; answers the folder of the programs.
pub fn build(checkout: &Path, mut tell: impl FnMut(&str)) -> Result<PathBuf, StackError> {
    use std::io::{BufRead as _, BufReader, Read as _};

    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // --workspace and not --package: Cargo joins the features of all selected packages, so another selection would
    // compile every dependency once more.
    command.args([
        "build",
        "--release",
        "--workspace",
        "--bin",
        API.program,
        "--bin",
        WORKER.program,
        "--message-format",
        "json-render-diagnostics",
    ]);
    command.current_dir(checkout).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| StackError::Spawn { program: "cargo build".into(), source })?;
    let errors = child.stderr.take().map(|mut errors| {
        // Read beside, or a long list of errors would block the compiler.
        std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        })
    });
    let mut program = None;
    let output =
        child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines().map_while(Result::ok));
    for message in output.filter_map(|line| serde_json::from_str::<Value>(&line).ok()) {
        if let Some(name) = message.pointer("/target/name").and_then(Value::as_str) {
            tell(name);
        }
        program = message.pointer("/executable").and_then(Value::as_str).map(PathBuf::from).or(program);
    }
    let status = child.wait().map_err(|source| StackError::Spawn { program: "cargo build".into(), source })?;
    let text = errors.and_then(|thread| thread.join().ok()).unwrap_or_default();
    program
        .as_deref()
        .and_then(Path::parent)
        .map(Path::to_path_buf)
        .filter(|_| status.success())
        .ok_or(StackError::Program { program: "cargo build".into(), output: text })
}

/// Starts the supervisor (and so the server), or starts it anew when program or environment are not those that run.
pub async fn ensure(stack: &Stack, server: Server, programs: &Path) -> Result<(), StackError> {
    let state = stack.folder();
    let installed = format!("bin/{}", server.program);
    let server_is_new = install(&programs.join(server.program), &state.path(&installed))?;
    let own = std::env::current_exe().map_err(StackError::file("find", "this program"))?;
    // Each server has its supervisor to itself, so that a new one of these is noticed by both.
    let supervisor = format!("bin/supervise-{}", server.name);
    let supervisor_is_new = install(&own, &state.path(&supervisor))?;
    let environment = environment(stack, server).await?;
    let folder = state.path(server.name);
    let written = folder.join("environment.json");
    let text = serde_json::to_vec_pretty(&environment).unwrap_or_default();
    let environment_is_new = std::fs::read(&written).ok().as_ref() != Some(&text);
    if server_is_new || supervisor_is_new || environment_is_new {
        process::stop(state, server.name, STOP);
    }
    if process::running(state, server.name).is_some() {
        return Ok(());
    }
    let owner = state.owners().api;
    owner::make_folder(&folder, owner, 0o755)?;
    owner::write_file(&written, &text, owner, 0o644)?;
    let arguments = ["dev", "supervise", "--server", server.name, "--state"];
    let service = Service {
        name: server.name.into(),
        program: state.path(&supervisor),
        arguments: arguments.into_iter().map(Into::into).chain([state.root().into()]).collect(),
        environment,
        owner,
        folder,
        stop: STOP,
        secret_line: Some(token(stack).await?),
    };
    service.start(state).map(drop)
}

/// A token that can only mint wrapped `secret_id`s and lives as long as the supervisor renews it.
async fn token(stack: &Stack) -> Result<secrecy::SecretString, StackError> {
    let path = "auth/token/create-orphan";
    let period = format!("{}s", supervisor::TOKEN_PERIOD.as_secs());
    let answer = stack
        .vault()
        .await?
        .write(path, json!({ "policies": ["supervisor"], "period": period, "display_name": "supervisor" }))
        .await?;
    Ok(secret(&answer, path, "/auth/client_token")?)
}

async fn environment(stack: &Stack, server: Server) -> Result<Vec<(String, String)>, StackError> {
    let ports = stack.known().ports;
    if server == API {
        return api_environment(stack, ports.api, ports.metrics).await;
    }
    let mut variables = stack.environment(&stack.cluster(), "", server.name, DATABASE).await?;
    variables.push(("VINTEM_METRICS_LISTEN".to_owned(), format!("127.0.0.1:{}", ports.worker_metrics)));
    variables.extend(stack.broker_environment(&stack.broker(), broker_users::VIRTUAL_HOST));
    variables.push(webhook_networks());
    variables.extend(inherited());
    Ok(variables)
}

/// What an API process finds in its environment, when it listens on these ports.
pub(super) async fn api_environment(
    stack: &Stack,
    listen: u16,
    metrics: u16,
) -> Result<Vec<(String, String)>, StackError> {
    let mut variables = stack.environment(&stack.cluster(), "", API.name, DATABASE).await?;
    let own = [
        ("VINTEM_LISTEN", format!("127.0.0.1:{listen}")),
        ("VINTEM_METRICS_LISTEN", format!("127.0.0.1:{metrics}")),
        ("VINTEM_ISSUER", stack.url()),
        // Benchmarks, and what is imported or played to look at, come as fast as they can.
        ("VINTEM_RATE_EXEMPT", "demo,bench,bench-twin".to_owned()),
        // Everybody on this machine has the same address.
        ("VINTEM_RATE_ADDRESS", "1000000/1".to_owned()),
        // No money is real here.
        ("VINTEM_FUNDING", "simulator".to_owned()),
        // The allocator keeps what a batch leaves for a second instead of giving it back at once: the next one needs it.
        ("MIMALLOC_PURGE_DELAY", "1000".to_owned()),
    ];
    variables.extend(own.map(|(name, value)| (name.to_owned(), value)));
    variables.extend(mailbox::environment(stack));
    variables.push(webhook_networks());
    variables.extend(inherited());
    Ok(variables)
}

/// Webhooks of the stack also reach this machine, where those who try them out listen.
fn webhook_networks() -> (String, String) {
    ("VINTEM_WEBHOOK_NETWORKS".to_owned(), "127.0.0.0/8,::1/128".to_owned())
}

/// What whoever types `cargo dev up` may set for every server.
fn inherited() -> Vec<(String, String)> {
    let names = ["VINTEM_LOG", "OTEL_EXPORTER_OTLP_ENDPOINT"].into_iter();
    names.filter_map(|name| Some((name.to_owned(), std::env::var_os(name)?.into_string().ok()?))).collect()
}

/// Copies a program unless the copy is of the same moment and size; answers whether it did.
pub(super) fn install(program: &Path, target: &Path) -> Result<bool, StackError> {
    let look = |path: &Path| std::fs::metadata(path).and_then(|found| Ok((found.len(), found.modified()?)));
    let source = look(program).map_err(StackError::file("read", program))?;
    if look(target).is_ok_and(|copy| copy == source) {
        return Ok(false);
    }
    // Never written in place: the old program may be running.
    let draft = target.with_extension("draft");
    std::fs::copy(program, &draft).map_err(StackError::file("copy", program))?;
    let file = std::fs::File::options().write(true).open(&draft).map_err(StackError::file("open", &draft))?;
    file.set_modified(source.1).map_err(StackError::file("date", &draft))?;
    drop(file);
    owner::make_executable(&draft)?;
    std::fs::rename(&draft, target).map_err(StackError::file("name", target))?;
    Ok(true)
}
