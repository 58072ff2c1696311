//! A Vault of a test's own, which it may seal, stop, kill and start again.

use std::time::Duration;

use nix::sys::signal::Signal;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use vintem_core::secrets::pki::Service;

use super::database::check_name;
use super::error::StackError;
use super::vault::{Health, Vault, secret};
use super::vault_node::{Node, STOP};
use super::{Stack, authority, free_port, owner, process, provision};

/// How long it may take to answer or to unseal.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Vault.
#[derive(Debug)]
pub struct PrivateVault {
    /// Its process.
    pub node: Node,
    /// Who may do everything there.
    pub administrator: Vault,
    unseal_key: SecretString,
}

impl PrivateVault {
    /// Starts one, initialises and unseals it, with what each Vault of ours has.
    pub(super) async fn create(stack: &Stack, name: &str) -> Result<Self, StackError> {
        check_name(name)?;
        let folder = stack.folder().path("private").join(name);
        owner::make_folder(&stack.folder().path("private"), None, 0o755)?;
        let free = || free_port().map_err(StackError::file("find a port for", &folder));
        let node =
            Node::new(stack.folder(), stack.known(), &format!("private-{name}"), folder.clone(), (free()?, free()?));
        node.make_folders()?;
        authority::keep(&authority::issue(stack.vault().await?, "", Service::Vault).await?, &folder, node.owner)?;
        node.launch()?;
        let client = Vault::new(&format!("https://127.0.0.1:{}", node.port), &[&stack.folder().authority()])?;
        await_health(&client, Health::Uninitialised, &node).await?;
        let made = client.write("sys/init", json!({ "secret_shares": 1, "secret_threshold": 1 })).await?;
        let unseal_key = secret(&made, "sys/init", "/keys_base64/0")?;
        let administrator = client.with_token(secret(&made, "sys/init", "/root_token")?);
        let vault = Self { node, administrator, unseal_key };
        vault.unseal().await?;
        provision::shared(&vault.administrator, stack.known(), &vault.node).await?;
        Ok(vault)
    }

    /// Seals it.
    pub async fn seal(&self) -> Result<(), StackError> {
        self.administrator.write("sys/seal", json!({})).await?;
        Ok(())
    }

    /// Unseals it, and waits until it serves.
    pub async fn unseal(&self) -> Result<(), StackError> {
        self.administrator.write("sys/unseal", json!({ "key": self.unseal_key.expose_secret() })).await?;
        await_health(&self.administrator, Health::Active, &self.node).await
    }

    /// Stops it in the middle of whatever it does: connections stay open, and nobody answers.
    pub fn pause(&self) {
        process::signal(&self.node.state, &self.node.name, Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn resume(&self) {
        process::signal(&self.node.state, &self.node.name, Signal::SIGCONT);
    }

    /// Ends it as a power cut would.
    pub fn crash(&self) {
        process::crash(&self.node.state, &self.node.name);
        process::end_strays(&self.node.state, &self.node.folder, Signal::SIGKILL);
    }

    /// Starts it after that, and unseals it.
    pub async fn start(&self) -> Result<(), StackError> {
        self.node.launch()?;
        await_health(&self.administrator, Health::Sealed, &self.node).await?;
        self.unseal().await
    }

    /// Ends it and removes everything of it.
    pub fn remove(&self) -> Result<(), StackError> {
        process::stop(&self.node.state, &self.node.name, STOP);
        owner::remove_folder(&self.node.folder)?;
        // A log without its server tells nobody anything.
        let _ = std::fs::remove_file(self.node.state.log(&self.node.name));
        Ok(())
    }
}

async fn await_health(vault: &Vault, wanted: Health, node: &Node) -> Result<(), StackError> {
    let end = tokio::time::Instant::now() + PATIENCE;
    while vault.health().await.ok() != Some(wanted) {
        if tokio::time::Instant::now() > end {
            let what = format!("did not become {wanted:?} in {} s", PATIENCE.as_secs());
            return Err(StackError::Service { service: node.name.clone(), what, log: node.state.log(&node.name) });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
