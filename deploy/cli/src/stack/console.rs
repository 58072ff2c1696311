//! `cargo dev psql`, `rabbitmqctl`, `vault` and `as`: working by hand, with no secret to type.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret as _, SecretString};

use super::cluster::SUPERUSER;
use super::error::StackError;
use super::owner;
use super::state::STATE_VARIABLE;
use super::{DATABASE, Stack, vault_server};

/// Life of the token that one `cargo dev vault` works with.
const TOKEN_TTL: &str = "15m";

/// Becomes `psql` as superuser, let in by the kernel's word. Returns only when that fails.
pub fn psql(stack: &Stack, arguments: Vec<OsString>) -> StackError {
    let program = stack.known().postgres_bin.join("psql");
    let mut command = Command::new(&program);
    command.arg("--host").arg(stack.cluster().socket()).arg("--port").arg(stack.known().ports.postgres.to_string());
    // A database among the arguments comes later and wins.
    command.args(["--username", SUPERUSER]).env("PGDATABASE", DATABASE).args(arguments);
    StackError::Spawn { program: program.display().to_string(), source: command.exec() }
}

/// Becomes `rabbitmqctl` of the stack's node. Returns only when that fails.
pub fn rabbitmqctl(stack: &Stack, arguments: &[String]) -> Result<StackError, StackError> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = stack.broker().control_command(&arguments)?;
    Ok(StackError::Spawn { program: "rabbitmqctl".into(), source: command.exec() })
}

/// Becomes the `vault` (or `bao`) client of the stack's Vault. Returns only when that fails.
///
/// The client asks for its token by a helper program, which is this one: so it stands in no variable and no file.
pub fn vault(stack: &Stack, arguments: Vec<OsString>) -> Result<StackError, StackError> {
    let (helper, config) = (stack.folder().path("bin/vault-token"), stack.folder().path("vault/client.hcl"));
    let own = std::env::current_exe().map_err(StackError::file("find", "this program"))?;
    let script = format!(
        "#!/bin/sh\nexec '{}' dev vault-token --state '{}' \"$@\"\n",
        own.display(),
        stack.folder().root().display()
    );
    owner::write_file(&helper, script.as_bytes(), None, 0o755)?;
    owner::write_file(&config, format!("token_helper = {:?}\n", helper.display().to_string()).as_bytes(), None, 0o644)?;
    let program = &stack.known().vault_program;
    let mut command = Command::new(program);
    for product in ["VAULT", "BAO"] {
        command.env(format!("{product}_ADDR"), stack.vault_address());
        command.env(format!("{product}_CACERT"), stack.folder().authority());
        command.env(format!("{product}_CONFIG_PATH"), &config).env_remove(format!("{product}_TOKEN"));
    }
    Ok(StackError::Spawn { program: program.display().to_string(), source: command.args(arguments).exec() })
}

/// What the helper program answers to `get`; it keeps nothing, so `store` and `erase` do nothing.
pub async fn vault_token(stack: &Stack, verb: &str) -> Result<Option<SecretString>, StackError> {
    if verb != "get" {
        return Ok(None);
    }
    let vault = vault_server::operator_for(stack.folder(), stack.known(), TOKEN_TTL).await?;
    Ok(vault.token().cloned())
}

/// Runs an operator's command as that process would run in production: its own login, its own database user.
/// Answers the command's exit code.
pub async fn run_as(stack: &Stack, role: &str, command: Vec<OsString>) -> Result<u8, StackError> {
    use std::io::Write as _;

    let environment = stack.environment(&stack.cluster(), "", role, DATABASE).await?;
    let wrapped = stack.wrapped_secret_id(role).await?;
    let own = std::env::current_exe().map_err(StackError::file("find", "this program"))?;
    let failed = |source| StackError::Spawn { program: own.display().to_string(), source };
    let mut child = Command::new(&own)
        .args(command)
        .envs(environment)
        .env_remove(STATE_VARIABLE)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut pipe) = child.stdin.take() {
        // A command that refuses its arguments does not read; its own words say why.
        let _ = writeln!(pipe, "{}", wrapped.expose_secret());
    }
    let status = child.wait().map_err(failed)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
