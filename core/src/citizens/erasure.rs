//! Erasing somebody who may be a citizen: not while money of theirs is on its way, and not without what they prove themselves with.

use uuid::Uuid;

use super::citizen;
use super::error::CitizenError;
use super::service::Citizens;
use super::store::{credentials, sessions};
use crate::access::Of;
use crate::event_store::job::Render;
use crate::event_store::proposal::StreamVersion;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Disposed, RequestKey, WriteError};
use crate::holders::holder::Unless;
use crate::ledger::returns::{self, Returns};
use crate::ledger::service::Actor;

/// An erasure meets little: another one, or a payment out that begins or ends.
const ATTEMPTS: usize = 3;

impl Citizens {
    /// Erases a holder. A citizen whose withdrawal is on its way is refused: the money might come back to nobody.
    pub async fn erase(
        &self,
        actor: &Actor,
        requested_by: Uuid,
        key: RequestKey,
        holder: Uuid,
        render: Render,
    ) -> Result<Disposed, CitizenError> {
        for _ in 0..ATTEMPTS {
            let unless = self.unfinished(Of::from(actor), holder).await?;
            let (key, render) = (key.clone(), render.clone());
            match self.holders.erase(actor, (requested_by, holder), key, unless, render).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(disposed),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// What stands against it. Somebody who is no citizen must not become one meanwhile.
    async fn unfinished(&self, of: Of, holder: Uuid) -> Result<Unless, CitizenError> {
        let Some(citizen) = self.load(of, holder).await? else {
            let own = citizen::stream(of.tenant, holder);
            let mut tx = tenant_tx(&self.reader, of.tenant).await?;
            let events = read::streams(&mut tx, of.shard, &[own]).await?;
            tx.commit().await?;
            let version = events.last().map_or(0, |last| last.version);
            return Ok(Ok(StreamVersion { stream: own, version }));
        };
        let beside = returns::stream(of.tenant, citizen.account);
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let events = read::streams(&mut tx, of.shard, &[beside]).await?;
        tx.commit().await?;
        Ok(Returns::fold(beside, &events).none())
    }

    /// Ends all sessions of somebody who was erased, and forgets the hashes of what they remember. The fact is the erasure; who
    /// was not erased after all goes on.
    pub async fn forget(&self, of: Of, holder: Uuid) -> Result<(), CitizenError> {
        if self.load(of, holder).await?.is_some() {
            return Ok(());
        }
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        sessions::end(&mut tx, of, holder, (None, None)).await?;
        credentials::delete(&mut tx, of, holder).await?;
        tx.commit().await?;
        Ok(())
    }
}
