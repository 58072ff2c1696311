//! Whom to believe, and whom no longer.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::secrets::client::Vault;
use crate::secrets::error::SecretsError;
use crate::secrets::random::jitter;

/// The authority that signs for services, and what it revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Its certificate, as PEM: the intermediate and not the root, which signs for others as well.
    pub authority: String,
    /// Its list of revoked certificates, as PEM.
    pub revoked: String,
}

impl Vault {
    /// Both, as of the last look. What is in memory stays while Vault is away.
    pub async fn follow_trust(&self, every: Duration) -> Result<watch::Receiver<Arc<Trust>>, SecretsError> {
        let (sender, receiver) = watch::channel(Arc::new(self.trust().await?));
        tokio::spawn(follow(self.clone(), sender, every));
        Ok(receiver)
    }
}

/// Runs until nobody wants to know any more. Whoever has everything replaced has it looked at, too.
async fn follow(vault: Vault, newest: watch::Sender<Arc<Trust>>, every: Duration) {
    let mut orders = vault.rotations();
    loop {
        tokio::select! {
            () = sleep(jitter(every, 20)) => {}
            Ok(()) = orders.changed() => {}
            () = newest.closed() => return,
        }
        match vault.trust().await {
            Ok(found) => {
                let is_new = newest.send_if_modified(|known| {
                    let is_new = **known != found;
                    if is_new {
                        *known = Arc::new(found);
                    }
                    is_new
                });
                if is_new {
                    tracing::info!("the authority or its list of revoked certificates is a newer one");
                }
            }
            Err(error) => tracing::warn!(%error, "revoked certificates cannot be read; the list in memory stays"),
        }
    }
}
