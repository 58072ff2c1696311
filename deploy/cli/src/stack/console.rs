//! `cargo dev psql` and `cargo dev vault`: looking inside by hand, with no secret to type.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use secrecy::SecretString;

use super::cluster::SUPERUSER;
use super::error::StackError;
use super::owner;
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

/// Becomes the `vault` (or `bao`) client of the stack's Vault. Returns only when that fails.
///
/// The client asks for its token by a helper program, which is this one: so it stands in no variable and no file.
pub fn vault(stack: &Stack, arguments: Vec<OsString>) -> Result<StackError, StackError> {
    let (helper, config) = (stack.folder().path("bin/vault-token"), stack.folder().path("vault/client.hcl"));
    let own = std::env::current_exe().map_err(StackError::file("find", "this program"))?;
    let script = format!("#!/bin/sh\nexec '{}' dev vault-token --state '{}' \"$@\"\n", own.display(), stack.folder().root().display());
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
