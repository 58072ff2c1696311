//! Secrets that change under a running process.
//!
//! What was made of a secret is in memory and read without a call; a task looks every half minute whether there is a newer
//! version. With Vault away, what is in memory stays: a key that is a minute old is better than none.

use std::error::Error;
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::client::Vault;
use super::error::SecretsError;
use super::random::jitter;

/// How often a process looks for newer keys. A rotation waits for longer before it relies on that.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(30);
/// The pause between two looks, however much doubt there is: doubt comes from outside.
const PAUSE: Duration = Duration::from_secs(5);

/// What a secret in Vault was made into, as of the last look. Cheap to clone.
pub struct Followed<T>(Arc<Shared<T>>);

struct Shared<T> {
    made: ArcSwap<T>,
    doubts: Arc<Notify>,
}

impl<T> Clone for Followed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + Sync + 'static> Followed<T> {
    /// Something that never changes, where there is no Vault.
    pub fn fixed(made: impl Into<Arc<T>>) -> Self {
        Self(Arc::new(Shared { made: ArcSwap::new(made.into()), doubts: Arc::default() }))
    }

    /// Reads a secret, makes something of it, and keeps that as new as the secret.
    pub async fn follow<S, E>(
        vault: &Vault,
        path: &'static str,
        every: Duration,
        make: impl Fn(S) -> Result<T, E> + Send + 'static,
    ) -> Result<Self, E>
    where
        S: DeserializeOwned + Send + 'static,
        E: Error + From<SecretsError> + Send + 'static,
    {
        let (secret, version) = vault.read_version(path).await?;
        let own = Self::fixed(make(secret)?);
        let follower = Follower { shared: Arc::downgrade(&own.0), vault: vault.clone(), path, version, make };
        tokio::spawn(follower.run(Arc::clone(&own.0.doubts), every));
        Ok(own)
    }

    /// As of the last look.
    pub fn load(&self) -> Arc<T> {
        self.0.made.load_full()
    }

    /// Uses something newer, where there is no Vault to follow.
    pub fn swap(&self, made: T) {
        self.0.made.store(Arc::new(made));
    }

    /// Something was met that only a newer version can explain: it is looked for soon, but not more often than every few seconds.
    pub fn doubt(&self) {
        self.0.doubts.notify_one();
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Followed<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Followed").field(&*self.0.made.load()).finish()
    }
}

/// The task behind it.
struct Follower<T, M> {
    shared: Weak<Shared<T>>,
    vault: Vault,
    path: &'static str,
    version: u64,
    make: M,
}

impl<T, M> Follower<T, M> {
    /// Runs until nobody has the secret any more.
    async fn run<S, E>(mut self, doubts: Arc<Notify>, every: Duration)
    where
        S: DeserializeOwned + Send,
        E: Error + From<SecretsError>,
        M: Fn(S) -> Result<T, E>,
    {
        loop {
            let pause = PAUSE.min(every / 2);
            sleep(pause).await;
            // Doubt that came during the pause is still there.
            let _ = timeout(jitter(every.saturating_sub(pause), 20), doubts.notified()).await;
            if self.shared.strong_count() == 0 {
                return;
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, secret = self.path, "a secret cannot be read again; the one in memory stays");
            }
        }
    }

    async fn look<S, E>(&mut self) -> Result<(), E>
    where
        S: DeserializeOwned + Send,
        E: From<SecretsError>,
        M: Fn(S) -> Result<T, E>,
    {
        let (secret, version) = self.vault.read_version(self.path).await?;
        if version == self.version {
            return Ok(());
        }
        let made = (self.make)(secret)?;
        if let Some(shared) = self.shared.upgrade() {
            shared.made.store(Arc::new(made));
        }
        self.version = version;
        tracing::info!(secret = self.path, version, "a newer version of a secret is in use");
        Ok(())
    }
}
