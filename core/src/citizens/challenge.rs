//! A code that was sent to somebody's contact: who has it and the device that asked for it may go on.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::access::Thumbprint;
use crate::secrets::{Pepper, random};

/// How long a code is good.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How often one is tried.
pub const TRIES: i16 = 5;

/// What may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Becoming a citizen.
    Registration,
    /// One more device.
    Device,
    /// Starting again with other secrets.
    Recovery,
    /// Being reached elsewhere.
    Contact,
}

impl Purpose {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Device => "device",
            Self::Recovery => "recovery",
            Self::Contact => "contact",
        }
    }
}

/// That a code was sent, or would have been if there were anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// What its answer names.
    pub challenge: Uuid,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// A code as it is kept.
#[derive(Debug)]
pub struct Challenge {
    /// Its id.
    pub id: Uuid,
    /// What for.
    pub purpose: Purpose,
    /// Who is asked, or will be.
    pub holder: Uuid,
    /// Of which device.
    pub device_key: Thumbprint,
    /// A digest of it.
    pub code: [u8; 32],
    /// Sealed: the details of a registration, or the contact that is wanted.
    pub details: Option<String>,
    /// Until when it is good.
    pub expires_at: DateTime<Utc>,
}

/// Six digits on their way to somebody.
pub struct Code(SecretString);

impl Code {
    /// Draws one.
    pub fn draw() -> Self {
        // A million goes into 2^64 so often that no remainder is likelier than another by what could be noticed.
        let number = u64::from_be_bytes(random::bytes()) % 1_000_000;
        Self(SecretString::from(format!("{number:06}")))
    }

    /// What is kept of it.
    pub fn digest(&self, pepper: &Pepper, challenge: Uuid) -> [u8; 32] {
        digest(pepper, challenge, self.0.expose_secret())
    }

    /// To be sent.
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Challenge {
    /// Whether a text is its code.
    pub fn is_answered_by(&self, pepper: &Pepper, typed: &SecretString) -> bool {
        digest(pepper, self.id, typed.expose_secret()).ct_eq(&self.code).into()
    }
}

fn digest(pepper: &Pepper, challenge: Uuid, code: &str) -> [u8; 32] {
    pepper.name(&[b"citizen-code", challenge.as_bytes(), code.as_bytes()])
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_answers_its_own_challenge() {
        let (pepper, id, code) = (Pepper::of(&[1; 32]), Uuid::from_u128(7), Code::draw());
        let challenge = |id| Challenge {
            id,
            purpose: Purpose::Device,
            holder: Uuid::nil(),
            device_key: Thumbprint::of(b"key"),
            code: code.digest(&pepper, Uuid::from_u128(7)),
            details: None,
            expires_at: DateTime::UNIX_EPOCH,
        };
        let typed = SecretString::from(code.reveal());
        assert!(code.reveal().len() == 6 && code.reveal().bytes().all(|byte| byte.is_ascii_digit()));
        assert!(challenge(id).is_answered_by(&pepper, &typed));
        assert!(!challenge(Uuid::from_u128(8)).is_answered_by(&pepper, &typed));
        assert!(!challenge(id).is_answered_by(&Pepper::of(&[2; 32]), &typed));
        let other = SecretString::from(if code.reveal() == "000000" { "000001" } else { "000000" });
        assert!(!challenge(id).is_answered_by(&pepper, &other));
    }
}
