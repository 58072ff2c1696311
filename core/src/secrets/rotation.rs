//! An operator's word: SIGHUP replaces every leased user and certificate of the process now, and nothing fails.
//!
//! For whoever suspects that a user's password is known to somebody, or rehearses that day. A user that is revoked in
//! Vault instead is gone at once: requests fail until its successor is there, which takes about a second.

use tokio::signal::unix::{SignalKind, signal};

use super::client::Vault;

/// Rotates whenever the process gets a SIGHUP.
pub fn rotate_on_hangup(vault: &Vault) -> std::io::Result<()> {
    let (mut hangups, vault) = (signal(SignalKind::hangup())?, vault.clone());
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            tracing::info!("every leased user and certificate is replaced, as asked for");
            vault.rotate_users();
        }
    });
    Ok(())
}
