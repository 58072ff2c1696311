//! Sessions that go on, and that end.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::citizen;
use super::error::{CitizenError, nothing};
use super::event::Ending;
use super::refresh::{RefreshToken, Verdict};
use super::service::{Citizens, Opened};
use super::store::sessions::{self, Session};
use crate::access::{Caller, CitizenSession, Of, Proof, Thumbprint};
use crate::event_store::WriteError;
use crate::event_store::overlay::Origin;
use crate::event_store::read::{self, tenant_tx};
use crate::ledger::service::Actor;

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub struct SessionShown {
    /// Its id.
    pub id: Uuid,
    /// On which device.
    pub device: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was refreshed last.
    pub refreshed_at: DateTime<Utc>,
}

impl Citizens {
    /// A session's next tokens, for a refresh token and the device that it is of. Another device's is no session's.
    pub async fn refresh(
        &self,
        of: Of,
        token: &RefreshToken,
        key: Thumbprint,
        trace: Arc<str>,
    ) -> Result<Opened, CitizenError> {
        let (knows, now) = (self.knows()?, self.now());
        if !token.is_genuine(&knows.pepper) {
            return Err(CitizenError::NoSession);
        }
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let session = sessions::lock(&mut tx, of, token.session(), key, now).await?.ok_or(CitizenError::NoSession)?;
        let citizen = self.load(of, session.holder).await?.ok_or(CitizenError::NoSession)?;
        // A device that was taken away is not asked for its number.
        citizen.device(session.device).ok_or(CitizenError::NoSession)?;
        let generation = match token.judge(session.generation, session.rotated_at, now) {
            Verdict::Unknown => return Err(CitizenError::NoSession),
            Verdict::TellAgain => session.generation,
            Verdict::Rotate => {
                let next = session.generation.checked_add(1).ok_or(CitizenError::NoSession)?;
                sessions::rotate(&mut tx, of, session.id, next, now).await?;
                next
            }
            Verdict::Reuse => {
                sessions::end(&mut tx, of, session.holder, (Some(session.id), None)).await?;
                tx.commit().await?;
                self.reused(of, &session, trace).await?;
                return Err(CitizenError::Reuse);
            }
        };
        tx.commit().await?;
        let (id, device, account) = (session.id, session.device, citizen.account);
        let proof = Proof::Citizen(CitizenSession { session: id, device, account });
        let refresh = RefreshToken::of(&knows.pepper, of.tenant, id, generation);
        Ok(Opened { caller: Caller { tenant: of.tenant, subject: session.holder, proof }, key, refresh })
    }

    /// The open sessions of a citizen.
    pub async fn sessions(&self, of: Of, holder: Uuid) -> Result<Vec<SessionShown>, CitizenError> {
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let open = sessions::open(&mut tx, of, holder, self.now()).await?;
        tx.commit().await?;
        let shown = |Session { id, device, created_at, rotated_at, .. }| SessionShown {
            id,
            device,
            created_at,
            refreshed_at: rotated_at,
        };
        Ok(open.into_iter().map(shown).collect())
    }

    /// Ends a session of a citizen's own. Ending it twice is no error.
    pub async fn sign_out(&self, actor: &Actor, holder: Uuid, session: Uuid) -> Result<(), CitizenError> {
        let of = Of::from(actor);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        sessions::end(&mut tx, of, holder, (Some(session), None)).await?;
        tx.commit().await?;
        self.note_end(actor, (holder, session), Ending::SignedOut).await
    }

    /// The streams that tell what happened to a citizen's devices, secrets and sessions. Of sessions there are those that are
    /// remembered, and of these the newest: what is followed stays short.
    pub async fn streams(&self, of: Of, holder: Uuid) -> Result<Vec<Uuid>, CitizenError> {
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let sessions = sessions::newest(&mut tx, of, holder).await?;
        tx.commit().await?;
        Ok(std::iter::once(citizen::stream(of.tenant, holder)).chain(sessions).collect())
    }

    /// Two have a token: whichever of them is the thief, neither goes on.
    async fn reused(&self, of: Of, session: &Session, trace: Arc<str>) -> Result<(), CitizenError> {
        let holder = session.holder;
        tracing::warn!(%holder, session = %session.id, "a refresh token was used again; its session has ended");
        let origin = Origin { tenant: of.tenant, actor: "refresh".into(), correlation: Some(trace) };
        self.note_end(&Actor { shard: of.shard, origin }, (holder, session.id), Ending::Reuse).await
    }

    /// The row is ended first: whatever happens to the fact, the session is over, and whoever repeats this records it.
    async fn note_end(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, Uuid),
        because: Ending,
    ) -> Result<(), CitizenError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, &[session]).await?;
        tx.commit().await?;
        let begun = events.first().and_then(citizen::owner_of_session);
        let last = events.last().filter(|_| begun == Some(holder)).ok_or_else(nothing)?;
        match self.record(actor, citizen::end_session(last, holder, because)).await {
            // Somebody else has just recorded it.
            Ok(_) | Err(CitizenError::Write(WriteError::Overloaded)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
