//! The use cases of who owns endpoints: each change once per key, each look at what is there.

use std::sync::Arc;

use chrono::TimeDelta;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::egress::Egress;
use super::endpoint::{Change, Draft, ENDPOINTS, Endpoint, next_secret};
use super::error::WebhookError;
use super::signature::{PublicKeys, Secret};
use super::store::log::{Delivery, Wanted};
use super::store::{endpoints, log, requests};
use crate::event_store::read::tenant_tx;
use crate::event_store::{RequestKey, fresh};
use crate::kernel::{Refusal, RefusalCode};
use crate::secrets::{Followed, SecretsError, Vault};

/// The key in Vault's transit engine that seals secrets.
const SEAL: &str = "webhooks";
/// The most positions that one replay covers.
const REPLAY: i64 = 10_000;

/// Whose endpoints, and in which shard they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The tenant's shard.
    pub shard: i16,
    /// The tenant.
    pub tenant: Uuid,
}

/// An answer as it is kept under its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Refusal code, if it is one.
    pub code: Option<String>,
    /// Its bytes, without any secret.
    pub body: Vec<u8>,
}

/// What became of a change under a key.
#[derive(Debug)]
pub enum Once<T> {
    /// It was done now.
    Done(T, Answer),
    /// It was refused now, for good.
    Refused(Answer),
    /// The key was answered before.
    Replayed(Answer),
    /// The key was used for something else.
    Mismatch,
}

/// Makes the answer that is kept.
pub type Render<'a, T> = &'a dyn Fn(Result<&T, &Refusal>) -> Answer;

/// What the API needs of this context. Reads as `vintem_reader`, changes as `vintem_editor`.
#[derive(Debug, Clone)]
pub struct Webhooks {
    reader: PgPool,
    editor: PgPool,
    vault: Option<Vault>,
    egress: Arc<Egress>,
    public: Followed<PublicKeys>,
}

impl Webhooks {
    /// Without a Vault, secrets cannot be made and everything else can.
    pub fn new(
        reader: PgPool,
        editor: PgPool,
        vault: Option<Vault>,
        egress: Egress,
        public: Followed<PublicKeys>,
    ) -> Self {
        Self { reader, editor, vault, egress: Arc::new(egress), public }
    }

    /// The keys that verify `v1a` signatures.
    pub fn public_keys(&self) -> Arc<PublicKeys> {
        self.public.load()
    }

    /// Makes an endpoint and its first secret.
    pub async fn create(
        &self,
        owner: Owner,
        key: &RequestKey,
        draft: Draft,
        render: Render<'_, Endpoint>,
    ) -> Result<(Once<Endpoint>, Secret), WebhookError> {
        let draft = draft.checked(&self.egress)?;
        let id = fresh::new_id();
        let (secret, sealed) = self.draw_secret(owner, id).await?;
        let done = self.once(owner, key, render, async |tx| {
            if endpoints::count(tx, owner).await? >= ENDPOINTS {
                let detail = format!("a tenant has at most {ENDPOINTS} endpoints");
                return Err(Refusal::new(RefusalCode::LimitExceeded, detail).into());
            }
            endpoints::insert(tx, owner, id, &draft).await?;
            endpoints::insert_secret(tx, owner, id, 1, &sealed).await?;
            read_one(tx, owner, id).await
        });
        Ok((done.await?, secret))
    }

    /// Changes an endpoint; what is due is sent to where it then leads.
    pub async fn change(
        &self,
        owner: Owner,
        key: &RequestKey,
        id: Uuid,
        change: Change,
        render: Render<'_, Endpoint>,
    ) -> Result<Once<Endpoint>, WebhookError> {
        let change = change.checked(&self.egress)?;
        self.once(owner, key, render, async |tx| {
            lock(tx, owner, id).await?;
            endpoints::change(tx, owner, id, &change).await?;
            read_one(tx, owner, id).await
        })
        .await
    }

    /// Enables or disables an endpoint; doing so twice is no error.
    pub async fn switch(
        &self,
        owner: Owner,
        key: &RequestKey,
        id: Uuid,
        is_on: bool,
        render: Render<'_, Endpoint>,
    ) -> Result<Once<Endpoint>, WebhookError> {
        self.once(owner, key, render, async |tx| {
            lock(tx, owner, id).await?;
            endpoints::switch(tx, owner, id, is_on).await?;
            read_one(tx, owner, id).await
        })
        .await
    }

    /// Gives an endpoint a new secret; those before it go on to sign for the overlap at most.
    pub async fn rotate(
        &self,
        owner: Owner,
        key: &RequestKey,
        id: Uuid,
        overlap: TimeDelta,
        render: Render<'_, Endpoint>,
    ) -> Result<(Once<Endpoint>, Secret), WebhookError> {
        let (secret, sealed) = self.draw_secret(owner, id).await?;
        let done = self.once(owner, key, render, async |tx| {
            lock(tx, owner, id).await?;
            let number = next_secret(&read_one(tx, owner, id).await?.secrets, overlap)?;
            endpoints::end_secrets(tx, owner, id, overlap).await?;
            endpoints::insert_secret(tx, owner, id, number, &sealed).await?;
            read_one(tx, owner, id).await
        });
        Ok((done.await?, secret))
    }

    /// Deletes an endpoint with everything that it has.
    pub async fn delete(
        &self,
        owner: Owner,
        key: &RequestKey,
        id: Uuid,
        render: Render<'_, ()>,
    ) -> Result<Once<()>, WebhookError> {
        self.once(owner, key, render, async |tx| {
            lock(tx, owner, id).await?;
            Ok(endpoints::delete(tx, owner, id).await?)
        })
        .await
    }

    /// Makes what an endpoint wants of a range of positions due now; answers how many deliveries that are.
    pub async fn replay(
        &self,
        owner: Owner,
        key: &RequestKey,
        id: Uuid,
        range: (i64, i64),
        render: Render<'_, u64>,
    ) -> Result<Once<u64>, WebhookError> {
        let (from, to) = range;
        let invalid = |detail: String, at: &str| Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(at).into());
        if from < 1 {
            return invalid("positions begin at 1".to_owned(), "/from");
        }
        if to < from || to - from >= REPLAY {
            return invalid(format!("a replay covers 1 to {REPLAY} positions"), "/to");
        }
        self.once(owner, key, render, async |tx| {
            lock(tx, owner, id).await?;
            if read_one(tx, owner, id).await?.state != super::State::Enabled {
                let detail = "the endpoint is disabled; enable it first";
                return Err(Refusal::new(RefusalCode::InvalidState, detail).into());
            }
            Ok(log::replay(tx, owner, id, from, to).await?)
        })
        .await
    }

    /// Every endpoint of a tenant.
    pub async fn list(&self, owner: Owner) -> Result<Vec<Endpoint>, WebhookError> {
        let mut tx = tenant_tx(&self.reader, owner.tenant).await?;
        let endpoints = endpoints::list(&mut tx, owner, None).await?;
        tx.commit().await?;
        Ok(endpoints)
    }

    /// One endpoint.
    pub async fn find(&self, owner: Owner, id: Uuid) -> Result<Endpoint, WebhookError> {
        let mut tx = tenant_tx(&self.reader, owner.tenant).await?;
        let endpoint = read_one(&mut tx, owner, id).await?;
        tx.commit().await?;
        Ok(endpoint)
    }

    /// Deliveries of an endpoint, the newest event first.
    pub async fn deliveries(&self, owner: Owner, wanted: Wanted<'_>) -> Result<Vec<Delivery>, WebhookError> {
        let mut tx = tenant_tx(&self.reader, owner.tenant).await?;
        read_one(&mut tx, owner, wanted.endpoint).await?;
        let deliveries = log::list(&mut tx, owner, wanted).await?;
        tx.commit().await?;
        Ok(deliveries)
    }

    /// What was answered under a key.
    pub async fn request(&self, owner: Owner, principal: Uuid, key: &str) -> Result<Option<Answer>, WebhookError> {
        let mut tx = tenant_tx(&self.reader, owner.tenant).await?;
        let found = requests::find(&mut tx, owner, principal, key).await?;
        tx.commit().await?;
        Ok(found.map(|(_, answer)| answer))
    }

    async fn draw_secret(&self, owner: Owner, id: Uuid) -> Result<(Secret, String), WebhookError> {
        let vault = self.vault.as_ref().ok_or(SecretsError::Unreachable { call: "transit/encrypt" })?;
        let secret = Secret::generate();
        let sealed = vault.seal(SEAL, &context(owner.tenant, id), secret.as_bytes()).await?;
        Ok((secret, sealed))
    }

    /// Acts and keeps the answer in one transaction, unless the key was used. Whoever uses it right now is waited for.
    ///
    /// What refuses must not have changed anything before.
    async fn once<T>(
        &self,
        owner: Owner,
        key: &RequestKey,
        render: Render<'_, T>,
        act: impl AsyncFnOnce(&mut PgConnection) -> Result<T, WebhookError>,
    ) -> Result<Once<T>, WebhookError> {
        let mut tx = tenant_tx(&self.editor, owner.tenant).await?;
        if !requests::claim(&mut tx, owner, key).await? {
            let found = requests::find(&mut tx, owner, key.principal, &key.key).await?;
            tx.rollback().await?;
            return Ok(match found {
                Some((fingerprint, answer)) if fingerprint == key.fingerprint => Once::Replayed(answer),
                _ => Once::Mismatch,
            });
        }
        let acted = act(&mut tx).await;
        let (answer, value) = match acted {
            Ok(value) => (render(Ok(&value)), Some(value)),
            Err(WebhookError::Refused(refusal)) if is_final(refusal.code) => (render(Err(&refusal)), None),
            Err(error) => return Err(error),
        };
        requests::keep(&mut tx, owner, key, &answer).await?;
        tx.commit().await.map_err(|_| WebhookError::OutcomeUnknown)?;
        Ok(match value {
            Some(value) => Once::Done(value, answer),
            None => Once::Refused(answer),
        })
    }
}

/// Opens a sealed secret. For who delivers.
pub async fn open_secret(vault: &Vault, tenant: Uuid, id: Uuid, sealed: &str) -> Result<Secret, SecretsError> {
    vault.open(SEAL, &context(tenant, id), sealed).await.map(Secret::from_bytes)
}

/// What a sealed secret belongs to.
fn context(tenant: Uuid, id: Uuid) -> [u8; 32] {
    let mut context = [0; 32];
    context[..16].copy_from_slice(tenant.as_bytes());
    context[16..].copy_from_slice(id.as_bytes());
    context
}

/// Whether a refusal is kept under its key: what depends on the request alone, or on nothing that exists, is judged again.
fn is_final(code: RefusalCode) -> bool {
    !matches!(code, RefusalCode::NotFound | RefusalCode::ValidationFailed)
}

fn not_found() -> WebhookError {
    Refusal::new(RefusalCode::NotFound, "there is no such endpoint").into()
}

async fn lock(tx: &mut PgConnection, owner: Owner, id: Uuid) -> Result<(), WebhookError> {
    if endpoints::lock(tx, owner, id).await? { Ok(()) } else { Err(not_found()) }
}

async fn read_one(tx: &mut PgConnection, owner: Owner, id: Uuid) -> Result<Endpoint, WebhookError> {
    endpoints::list(tx, owner, Some(id)).await?.pop().ok_or_else(not_found)
}
