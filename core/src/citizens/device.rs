//! The devices of a citizen: what there are, and one less.

use uuid::Uuid;

use super::citizen::Device;
use super::error::CitizenError;
use super::service::Citizens;
use super::store::sessions;
use crate::access::Of;
use crate::event_store::read::tenant_tx;
use crate::ledger::service::Actor;

impl Citizens {
    /// The devices of a citizen, the oldest first.
    pub async fn devices(&self, of: Of, holder: Uuid) -> Result<Vec<Device>, CitizenError> {
        Ok(self.load(of, holder).await?.map(|citizen| citizen.devices).unwrap_or_default())
    }

    /// Takes a device away, and with it its sessions. They end first: whatever happens to the fact, nobody goes on there.
    pub async fn remove_device(&self, actor: &Actor, holder: Uuid, device: Uuid) -> Result<(), CitizenError> {
        let of = Of::from(actor);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        sessions::end(&mut tx, of, holder, (None, Some(device))).await?;
        tx.commit().await?;
        self.decided(actor, holder, |citizen| citizen.remove(device)).await?;
        Ok(())
    }
}
