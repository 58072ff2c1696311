//! Vault's own process: one node with raft storage, initialised once, unsealed at every start.
//!
//! One unseal key instead of several shares: all shares would lie in the same file of the same machine.
//! That file, `vault/unseal.json` (0600, the person who ran `up`), is the only secret the stack keeps on disk.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vintem_core::secrets::pki::Service;

use super::authority;
use super::error::StackError;
use super::owner;
use super::process;
use super::state::{Folder, State};
use super::vault::{Health, Vault, VaultError, secret, text};
use super::vault_node::Node;
pub use super::vault_node::STOP;

/// Name of the process record and log.
pub const NAME: &str = "vault";
/// How long a freshly started or unsealed Vault may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Life of a token that a command administers with; it revokes it when it ends in order.
const OPERATOR_TTL: &str = "2h";

fn folder(state: &Folder) -> PathBuf {
    state.path("vault")
}

fn key_file(state: &Folder) -> PathBuf {
    state.path("vault/unseal.json")
}

/// Where Vault listens.
pub fn address(known: &State) -> String {
    format!("https://127.0.0.1:{}", known.ports.vault)
}

/// A client without a token.
pub fn client(state: &Folder, known: &State) -> Result<Vault, StackError> {
    Ok(Vault::new(&address(known), &[&state.authority(), &authority::bootstrap(state)])?)
}

/// Vault running and unsealed, its PKI made, its certificate its own; and a token to administer it.
pub async fn ensure(state: &Folder, known: &State) -> Result<Vault, StackError> {
    let owner = state.owners().vault;
    if process::running(state, NAME).is_none() {
        start(state, known)?;
    }
    open(state, known).await?;
    let vault = operator(state, known).await?;
    authority::establish(&vault, state).await?;
    if authority::certify(&vault, Service::Vault, &folder(state), owner).await? {
        process::signal(state, NAME, Signal::SIGHUP);
    }
    let token = vault.token().cloned();
    // From here on only the authority is trusted; the reload of the certificate takes a moment.
    let strict = Vault::new(&address(known), &[&state.authority()])?;
    await_health(&strict, state, Health::Active).await?;
    let _ = std::fs::remove_file(authority::bootstrap(state));
    node(state, known).turn_audit_log()?;
    Ok(token.map_or_else(|| strict.clone(), |token| strict.with_token(token)))
}

/// A token that may do everything and ends by itself after two hours.
pub async fn operator(state: &Folder, known: &State) -> Result<Vault, StackError> {
    operator_for(state, known, OPERATOR_TTL).await
}

/// The same for another time.
pub async fn operator_for(state: &Folder, known: &State, ttl: &str) -> Result<Vault, StackError> {
    let key = read_key(state)?.ok_or_else(|| StackError::Missing {
        what: "the stack's Vault has no unseal key on file".into(),
        advice: "set the stack up first: cargo dev up".into(),
    })?;
    let _one_at_a_time = state.lock("vault-operator")?;
    Ok(client(state, known)?.operator(&key, ttl).await?)
}

/// Seals it, for a simulation; [`reopen`] opens it again.
pub async fn seal(vault: &Vault) -> Result<(), StackError> {
    vault.write("sys/seal", serde_json::json!({})).await?;
    Ok(())
}

/// Unseals it, and waits until it serves.
pub async fn reopen(state: &Folder, known: &State) -> Result<(), StackError> {
    open(state, known).await
}

/// The stack's server.
pub fn node(state: &Folder, known: &State) -> Node {
    Node::new(state, known, NAME, folder(state), (known.ports.vault, known.ports.vault_cluster))
}

fn start(state: &Folder, known: &State) -> Result<(), StackError> {
    let node = node(state, known);
    node.make_folders()?;
    if !authority::is_valid(Service::Vault, &node.folder) {
        authority::make_bootstrap(state, node.owner)?;
    }
    node.launch()
}

/// Initialises a new Vault and unseals a sealed one.
async fn open(state: &Folder, known: &State) -> Result<(), StackError> {
    let mut vault = client(state, known)?;
    let mut health = await_answer(&vault, state).await?;
    if health != Health::Uninitialised && read_key(state)?.is_none() {
        // The run that initialised it ended before it could save the key: nobody can ever read what is inside.
        process::stop(state, NAME, STOP);
        owner::remove_folder(&folder(state).join("raft"))?;
        authority::forget(state, &[Service::Vault]);
        start(state, known)?;
        // It shows a new certificate now.
        vault = client(state, known)?;
        health = await_answer(&vault, state).await?;
    }
    if health == Health::Uninitialised {
        initialise(&vault, state).await?;
        authority::forget(state, &[Service::Vault]);
    }
    if matches!(health, Health::Uninitialised | Health::Sealed) {
        unseal(&vault, state).await?;
    }
    await_health(&vault, state, Health::Active).await
}

async fn initialise(vault: &Vault, state: &Folder) -> Result<(), StackError> {
    let answer = vault.write("sys/init", json!({ "secret_shares": 1, "secret_threshold": 1 })).await?;
    let key = text(&answer, "sys/init", "/keys_base64/0")?;
    let file = json!({ "unseal_key": key }).to_string();
    owner::write_file(&key_file(state), file.as_bytes(), None, 0o600)?;
    unseal(vault, state).await?;
    await_health(vault, state, Health::Active).await?;
    // The first root token is given up at once; later ones are made from the unseal key when needed.
    let root = vault.with_token(secret(&answer, "sys/init", "/root_token")?);
    root.write("auth/token/revoke-self", json!({})).await?;
    Ok(())
}

async fn unseal(vault: &Vault, state: &Folder) -> Result<(), StackError> {
    if let Some(key) = read_key(state)? {
        vault.write("sys/unseal", json!({ "key": key.expose_secret() })).await?;
    }
    Ok(())
}

fn read_key(state: &Folder) -> Result<Option<SecretString>, StackError> {
    let path = key_file(state);
    match std::fs::read(&path) {
        Ok(content) => {
            let value: Value = serde_json::from_slice(&content).map_err(|source| StackError::State { path, source })?;
            Ok(value.pointer("/unseal_key").and_then(Value::as_str).map(|key| SecretString::from(key.to_owned())))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StackError::File { doing: "read", path, source }),
    }
}

async fn await_answer(vault: &Vault, state: &Folder) -> Result<Health, StackError> {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        match vault.health().await {
            Ok(health) => return Ok(health),
            Err(error @ VaultError::Unreachable { .. }) if tokio::time::Instant::now() > end => {
                return Err(error.into());
            }
            Err(VaultError::Unreachable { .. }) if process::running(state, NAME).is_some() => {}
            Err(VaultError::Unreachable { .. }) => {
                return Err(StackError::Service {
                    service: NAME.into(),
                    what: "ended right after its start".into(),
                    log: state.log(NAME),
                });
            }
            Err(other) => return Err(other.into()),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn await_health(vault: &Vault, state: &Folder, wanted: Health) -> Result<(), StackError> {
    let end = tokio::time::Instant::now() + PATIENCE;
    while vault.health().await.ok() != Some(wanted) {
        if tokio::time::Instant::now() > end {
            let what = format!("did not become {wanted:?} in {} s", PATIENCE.as_secs());
            return Err(StackError::Service { service: NAME.into(), what, log: state.log(NAME) });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
