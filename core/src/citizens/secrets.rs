//! What citizens remember: hashed when they choose it, compared when they type it, one attempt of a citizen's after the other.

use secrecy::SecretString;
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::citizen::Citizen;
use super::error::CitizenError;
use super::event::Secret;
use super::pin::Pin;
use super::service::{Chosen, Citizens};
use super::store::credentials::{self, Credential};
use crate::access::proving::hashing::Place;
use crate::access::proving::{Attempt, Counted, Password, attempts};
use crate::access::{CitizenSession, Of};
use crate::event_store::read::tenant_tx;
use crate::ledger::service::Actor;

/// So many citizens' PINs are judged beside each other at most.
const TURNS: usize = 64;

/// Whose PIN is being judged. Attempts count before they are judged, so right ones that come together would look like wrong
/// ones, if they did not take turns.
pub struct Turns([Mutex<()>; TURNS]);

/// A password and a PIN that may be chosen.
pub(super) struct Fine {
    password: Password,
    pin: Pin,
}

impl Chosen {
    /// Checks both; `known` is what an attacker would try first.
    pub(super) fn checked(&self, known: &[&str]) -> Result<Fine, CitizenError> {
        let pin = Pin::chosen(&self.pin)?;
        Ok(Fine { password: Password::chosen(&self.password, known)?, pin })
    }
}

impl Citizens {
    /// What is kept of what somebody chose.
    pub(super) async fn hashed(&self, fine: &Fine, enrolled_by: Uuid) -> Result<Credential, CitizenError> {
        let hashing = &self.knows()?.hashing;
        let password_hash = hashing.hash(fine.password.as_bytes()).await?;
        Ok(Credential { enrolled_by, password_hash, pin_hash: hashing.hash(fine.pin.as_bytes()).await? })
    }

    /// Judges a PIN on a device, for who has a place: of those who wait, for their own turn or for others, there are only so many.
    /// It is counted first, so that whoever goes away in the middle has tried.
    pub(super) async fn judge_pin(
        &self,
        place: Place,
        actor: &Actor,
        (citizen, device): (&Citizen, Uuid),
        typed: &SecretString,
    ) -> Result<(), CitizenError> {
        let of = Of::from(actor);
        let _turn = self.turns.take(citizen.holder).await;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let counted = credentials::count_pin(&mut tx, of, citizen.holder).await?;
        tx.commit().await?;
        let (failures, credential) = counted.ok_or(CitizenError::PinLocked)?;
        let is_current = credential.enrolled_by == citizen.enrolment;
        // What is no PIN costs what one costs.
        let pin = Pin::typed(typed);
        let bytes = pin.as_ref().map_or(&[][..], Pin::as_bytes);
        let judged = self.knows()?.hashing.verify_at(place, bytes, Some(credential.pin_hash)).await;
        if !matches!(judged, Ok(false)) {
            let mut tx = tenant_tx(&self.editor, of.tenant).await?;
            credentials::take_back_pin(&mut tx, of, citizen.holder, judged.is_ok()).await?;
            tx.commit().await?;
        }
        if judged? && is_current {
            return Ok(());
        }
        tracing::info!(holder = %citizen.holder, failures, "a PIN was wrong");
        if failures < super::pin::TRIES {
            return Err(CitizenError::PinInvalid);
        }
        self.decided(actor, citizen.holder, |citizen| citizen.lock(device)).await?;
        Err(CitizenError::PinLocked)
    }

    /// Another PIN, for whoever knows the password. One that is locked stays so.
    pub async fn change_pin(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, CitizenSession),
        password: &SecretString,
        pin: &SecretString,
    ) -> Result<(), CitizenError> {
        let pin = Pin::chosen(pin)?;
        self.judge_password(actor, (holder, session), password).await?;
        let hash = self.knows()?.hashing.hash(pin.as_bytes()).await?;
        self.replace(actor, holder, Secret::Pin, &hash).await
    }

    /// Another password, for whoever knows the one before.
    pub async fn change_password(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, CitizenSession),
        tenant: &str,
        old: &SecretString,
        new: &SecretString,
    ) -> Result<(), CitizenError> {
        let new = Password::chosen(new, &[tenant])?;
        self.judge_password(actor, (holder, session), old).await?;
        let hash = self.knows()?.hashing.hash(new.as_bytes()).await?;
        self.replace(actor, holder, Secret::Password, &hash).await
    }

    /// Judges the password within a session: whoever has picked up the telephone does not know it.
    async fn judge_password(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, CitizenSession),
        typed: &SecretString,
    ) -> Result<(), CitizenError> {
        let (knows, of) = (self.knows()?, Of::from(actor));
        let key = knows.counted(Counted::InSession, &[of.tenant.as_bytes(), holder.as_bytes()]);
        if attempts::count(&self.editor, Counted::InSession, &key, self.now()).await? == Attempt::Blocked {
            return Err(CitizenError::NotProven);
        }
        let citizen = self.load(of, holder).await?.ok_or(CitizenError::NoSession)?;
        if citizen.device(session.device).is_none() {
            return Err(CitizenError::DeviceUntrusted);
        }
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let credential = credentials::find(&mut tx, of, holder).await?;
        tx.commit().await?;
        let stored = credential.filter(|own| own.enrolled_by == citizen.enrolment).map(|own| own.password_hash);
        if !knows.hashing.verify(Password::typed(typed).as_bytes(), stored).await? {
            return Err(CitizenError::NotProven);
        }
        attempts::take_back(&self.editor, &key, false).await?;
        Ok(())
    }

    async fn replace(&self, actor: &Actor, holder: Uuid, what: Secret, hash: &str) -> Result<(), CitizenError> {
        let of = Of::from(actor);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        credentials::replace(&mut tx, of, holder, what, hash).await?;
        self.decided(actor, holder, |citizen| citizen.change(what)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Whether a password is the one that was chosen with the code that the log names. Nobody's is compared all the same.
    pub(super) async fn is_password(
        &self,
        citizen: Option<&Citizen>,
        credential: Option<Credential>,
        typed: &SecretString,
    ) -> Result<bool, CitizenError> {
        let enrolment = citizen.map(|citizen| citizen.enrolment);
        let stored = credential.filter(|own| Some(own.enrolled_by) == enrolment).map(|own| own.password_hash);
        Ok(self.knows()?.hashing.verify(Password::typed(typed).as_bytes(), stored).await?)
    }
}

impl Turns {
    async fn take(&self, holder: Uuid) -> MutexGuard<'_, ()> {
        // The last bytes of an id are drawn, whatever version it is of.
        self.0[usize::from(holder.as_bytes()[15]) % TURNS].lock().await
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }
}
