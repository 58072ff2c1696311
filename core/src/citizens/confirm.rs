//! Confirming what somebody was told: the device's signature over it, and then the PIN.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use uuid::Uuid;

use super::citizen::Citizen;
use super::error::CitizenError;
use super::service::Citizens;
use crate::access::{CitizenSession, Of};
use crate::kernel::Instant;
use crate::ledger::service::Actor;

/// What a citizen presents beside their token.
#[derive(Debug)]
pub struct Shown<'a> {
    /// As it was typed.
    pub pin: &'a SecretString,
    /// By the session's device, in base64url.
    pub signature: &'a str,
    /// The canonical form of what it is over.
    pub said: &'a [u8],
}

/// That it was the citizen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confirmed {
    /// The device that signed.
    pub device: Uuid,
    /// From then on it pays as much as its owner's limits allow.
    pub trusted_from: Instant,
}

impl Citizens {
    /// Judges the signature first: who does not have the device learns nothing about the PIN, and uses none of its attempts up.
    pub async fn confirm(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, CitizenSession),
        shown: &Shown<'_>,
    ) -> Result<Confirmed, CitizenError> {
        // Who finds no place is turned away before anything costs anything.
        let place = self.knows()?.hashing.place()?;
        let (citizen, confirmed) = self.signed(actor, (holder, session), (shown.signature, shown.said)).await?;
        self.judge_pin(place, actor, (&citizen, confirmed.device), shown.pin).await?;
        Ok(confirmed)
    }

    /// Judges a signature alone, for what its giver has consented to by PIN before.
    pub async fn confirm_by_device(
        &self,
        actor: &Actor,
        who: (Uuid, CitizenSession),
        (signature, said): (&str, &[u8]),
    ) -> Result<Confirmed, CitizenError> {
        Ok(self.signed(actor, who, (signature, said)).await?.1)
    }

    async fn signed(
        &self,
        actor: &Actor,
        (holder, session): (Uuid, CitizenSession),
        (signature, said): (&str, &[u8]),
    ) -> Result<(Citizen, Confirmed), CitizenError> {
        let citizen = self.load(Of::from(actor), holder).await?.ok_or(CitizenError::DeviceUntrusted)?;
        let device = citizen.device(session.device).ok_or(CitizenError::DeviceUntrusted)?;
        let key = device.key().ok_or(CitizenError::Unreadable)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| CitizenError::SignatureInvalid)?;
        if !key.has_signed(said, &signature) {
            return Err(CitizenError::SignatureInvalid);
        }
        let confirmed = Confirmed { device: device.id, trusted_from: device.trusted_from };
        Ok((citizen, confirmed))
    }
}
