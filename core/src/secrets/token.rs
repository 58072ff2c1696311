//! Keeping the Vault token alive.
//!
//! The token is renewed at two thirds of its life, give or take a tenth so that a fleet does not
//! renew at once. When a renewal grants markedly less than a login does, the token nears its
//! maximum; then we log in again *while it still lives*, so that leases read with it can be
//! replaced in peace. (With a periodic token that never happens.) Vault away or sealed: the loop
//! tries on, and logs in again if the token is gone when Vault is back.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;
use vaultrs::client::VaultClient;

use super::client::Inner;
use super::error::SecretsError;
use super::random::{Backoff, jitter};

/// The life of a token, without the token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    /// When it ends unless renewed.
    pub(super) expires_at: Instant,
    /// What a login grants.
    full: Duration,
    renewable: bool,
}

impl Token {
    /// A fresh token. Its life is counted from before the request, so ours ends before Vault's.
    pub(super) fn granted(asked_at: Instant, seconds: u64, renewable: bool) -> Self {
        let full = Duration::from_secs(seconds);
        Self { expires_at: asked_at + full, full, renewable }
    }

    fn renew_at(&self) -> Instant {
        two_thirds(self.expires_at)
    }
}

/// Two thirds of the way from now to the end, with jitter.
pub(super) fn two_thirds(end: Instant) -> Instant {
    let now = Instant::now();
    now + jitter(end.saturating_duration_since(now) * 2 / 3, 10)
}

/// Whether a renewal granted so much less than a new lease would that the maximum is near.
pub(super) fn is_shrinking(granted: Duration, full: Duration) -> bool {
    granted * 10 < full * 9
}

/// Runs as long as the session does.
pub(super) async fn keep(session: Weak<Inner>) {
    let mut backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(15));
    let Some(mut wake_at) = session.upgrade().map(|session| session.token().renew_at()) else { return };
    loop {
        wait(&session, wake_at).await;
        let Some(session) = session.upgrade() else { return };
        match renew_or_login(&session).await {
            Ok(()) => {
                backoff.reset();
                wake_at = session.token().renew_at();
            }
            Err(error) => {
                let remaining = session.token().expires_at.saturating_duration_since(Instant::now());
                if error.is_transient() {
                    tracing::warn!(%error, remaining_s = remaining.as_secs(), "the Vault token is not renewed");
                } else {
                    // Nothing here heals it: the secret id has expired or the role is gone.
                    tracing::error!(%error, remaining_s = remaining.as_secs(), "login to Vault is refused; restart with a new secret id");
                }
                wake_at = Instant::now() + backoff.next();
            }
        }
    }
}

/// Until the time, or until a 403 casts doubt on the token. Wakes now and then to see whether the
/// session was dropped, so that a forgotten one does not live for hours.
async fn wait(session: &Weak<Inner>, wake_at: Instant) {
    const GLANCE: Duration = Duration::from_secs(5);
    while let Some(session) = session.upgrade() {
        let now = Instant::now();
        if now >= wake_at {
            return;
        }
        let glance = GLANCE.min(wake_at - now);
        if tokio::time::timeout(glance, session.suspicion.notified()).await.is_ok() {
            // A policy that forbids a path rings too; a pause keeps that from becoming a storm.
            tokio::time::sleep(jitter(Duration::from_secs(1), 50)).await;
            return;
        }
    }
}

async fn renew_or_login(session: &Inner) -> Result<(), SecretsError> {
    let token = session.token();
    if !token.renewable {
        return session.login_again().await;
    }
    let asked_at = Instant::now();
    let renewal = |client: Arc<VaultClient>| async move { vaultrs::token::renew_self(&*client, None).await };
    match session.once("auth/token/renew-self", renewal).await {
        Ok(auth) => {
            let granted = Duration::from_secs(auth.lease_duration);
            session.renewed(asked_at + granted);
            if is_shrinking(granted, token.full) {
                return session.login_again().await;
            }
            Ok(())
        }
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            tracing::warn!(%error, "the Vault token cannot be renewed; logging in again");
            session.login_again().await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_comes_at_two_thirds_with_a_tenth_of_jitter() {
        let token = Token::granted(Instant::now(), 3_600, true);
        for _ in 0..50 {
            let wait = token.renew_at() - Instant::now();
            assert!((2_159..=2_640).contains(&wait.as_secs()), "{wait:?}");
        }
    }

    #[test]
    fn a_grant_near_the_maximum_shrinks() {
        let full = Duration::from_hours(1);
        assert!(!is_shrinking(full, full));
        assert!(!is_shrinking(Duration::from_mins(55), full));
        assert!(is_shrinking(Duration::from_mins(20), full));
    }
}
