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

/// What the authority and the root before it revoked, as PEM: for who believes the root, and so has to ask both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked(pub String);

/// What can be looked up again and again.
trait Looked: PartialEq + Send + Sync + 'static {
    fn look(vault: &Vault) -> impl Future<Output = Result<Self, SecretsError>> + Send
    where
        Self: Sized;
}

impl Looked for Trust {
    async fn look(vault: &Vault) -> Result<Self, SecretsError> {
        vault.trust().await
    }
}

impl Looked for Revoked {
    async fn look(vault: &Vault) -> Result<Self, SecretsError> {
        vault.revoked().await
    }
}

impl Vault {
    /// Whom to believe, as of the last look. What is in memory stays while Vault is away.
    pub async fn follow_trust(&self, every: Duration) -> Result<watch::Receiver<Arc<Trust>>, SecretsError> {
        begin(self, every).await
    }

    /// The lists of the authority and of the root, likewise.
    pub async fn follow_revoked(&self, every: Duration) -> Result<watch::Receiver<Arc<Revoked>>, SecretsError> {
        begin(self, every).await
    }
}

async fn begin<T: Looked>(vault: &Vault, every: Duration) -> Result<watch::Receiver<Arc<T>>, SecretsError> {
    let (sender, receiver) = watch::channel(Arc::new(T::look(vault).await?));
    tokio::spawn(follow(vault.clone(), sender, every));
    Ok(receiver)
}

/// Runs until nobody wants to know any more. Whoever has everything replaced has it looked at, too.
async fn follow<T: Looked>(vault: Vault, newest: watch::Sender<Arc<T>>, every: Duration) {
    let mut orders = vault.rotations();
    loop {
        tokio::select! {
            () = sleep(jitter(every, 20)) => {}
            Ok(()) = orders.changed() => {}
            () = newest.closed() => return,
        }
        match T::look(&vault).await {
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
