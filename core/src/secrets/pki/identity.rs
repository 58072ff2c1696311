//! A service's certificate, replaced at two thirds of its life while whoever shows it goes on.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Service;
use super::certificate::Certificate;
use crate::secrets::client::Vault;
use crate::secrets::error::SecretsError;
use crate::secrets::random::Backoff;
use crate::telemetry::clock;

/// The clock of certificates is the wall's, which may be set, and which goes on while a machine sleeps: so it is looked at.
const GLANCE: Duration = Duration::from_secs(30);

/// The newest certificate of a service. Cheap to clone; each clone notices each replacement once.
#[derive(Debug, Clone)]
pub struct Identity(watch::Receiver<Arc<Certificate>>);

impl Identity {
    /// Has a first one signed and keeps it new.
    pub async fn obtain(vault: &Vault, service: Service, hosts: &'static [&'static str]) -> Result<Self, SecretsError> {
        let first = vault.certificate(service, hosts).await?;
        Ok(Self::keep(vault, service, hosts, first))
    }

    /// Keeps one new that is there already, from a file for instance.
    pub fn keep(vault: &Vault, service: Service, hosts: &'static [&'static str], first: Certificate) -> Self {
        vault.certificate_ends(service.as_str(), first.facts.ends_at.timestamp());
        let (sender, receiver) = watch::channel(Arc::new(first));
        tokio::spawn(renew(vault.clone(), service, hosts, sender));
        Self(receiver)
    }

    /// As of now.
    pub fn newest(&self) -> Arc<Certificate> {
        Arc::clone(&self.0.borrow())
    }

    /// Waits for the next one. `None` when the process is about to end.
    pub async fn next(&mut self) -> Option<Arc<Certificate>> {
        self.0.changed().await.ok()?;
        Some(Arc::clone(&self.0.borrow_and_update()))
    }
}

/// Runs until nobody has the identity any more. An operator's word to rotate counts for certificates, too.
async fn renew(
    vault: Vault,
    service: Service,
    hosts: &'static [&'static str],
    newest: watch::Sender<Arc<Certificate>>,
) {
    let mut orders = vault.rotations();
    let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_mins(1));
    loop {
        let wait = newest.borrow().until_due();
        tokio::select! {
            () = sleep(wait.min(GLANCE)) => if !newest.borrow().is_due() { continue },
            Ok(()) = orders.changed() => {}
            () = newest.closed() => return,
        }
        while let Err(error) = replace(&vault, service, hosts, &newest).await {
            let remaining = newest.borrow().facts.ends_at - clock::now();
            tell(&error, service, remaining);
            tokio::select! {
                () = sleep(backoff.next()) => {}
                () = newest.closed() => return,
            }
        }
        backoff.reset();
    }
}

async fn replace(
    vault: &Vault,
    service: Service,
    hosts: &[&str],
    newest: &watch::Sender<Arc<Certificate>>,
) -> Result<(), SecretsError> {
    let certificate = vault.certificate(service, hosts).await?;
    let facts = &certificate.facts;
    tracing::info!(service = service.as_str(), serial = facts.serial, ends_at = %facts.ends_at, "a new certificate is in use");
    vault.certificate_ends(service.as_str(), facts.ends_at.timestamp());
    newest.send_replace(Arc::new(certificate));
    Ok(())
}

/// A certificate is asked for when a third of its life remains, so whoever reads this in time loses nothing.
fn tell(error: &SecretsError, service: Service, remaining: TimeDelta) {
    let (service, remaining_s) = (service.as_str(), remaining.num_seconds());
    if remaining_s > 0 {
        tracing::warn!(%error, service, remaining_s, "the certificate is not renewed; the one in use goes on");
    } else {
        tracing::error!(%error, service, remaining_s, "the certificate has ended and is not renewed");
    }
}
