//! Tickets: what opens a session or an invitation. A tenant and 256 random bits as one text, of which a digest is kept.
//!
//! The tenant stands in it so that whoever looks for the digest does so as that tenant, under row-level security. It is no
//! secret, and another tenant's rows have no such digest.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::secrets::random;

/// What a ticket is for; scanners of logs and repositories know a leaked one by its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A session's cookie.
    Session,
    /// An invitation.
    Invitation,
}

impl Purpose {
    fn prefix(self) -> &'static str {
        match self {
            Self::Session => "vts_",
            Self::Invitation => "vti_",
        }
    }
}

/// A ticket. Overwritten when it is dropped.
pub struct Ticket {
    purpose: Purpose,
    tenant: Uuid,
    secret: Zeroizing<[u8; 32]>,
}

impl Ticket {
    /// Draws one.
    pub fn generate(purpose: Purpose, tenant: Uuid) -> Self {
        Self { purpose, tenant, secret: Zeroizing::new(random::bytes()) }
    }

    /// Reads what somebody presents; `None` if no ticket of ours looks like it.
    pub fn read(purpose: Purpose, text: &str) -> Option<Self> {
        let text = text.strip_prefix(purpose.prefix()).filter(|text| text.len() == 64)?;
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
        let (tenant, secret) = bytes.split_at_checked(16)?;
        let secret = Zeroizing::new(secret.try_into().ok()?);
        Some(Self { purpose, tenant: Uuid::from_slice(tenant).ok()?, secret })
    }

    /// Whose it says it is.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// The text, to be shown to its owner.
    pub fn reveal(&self) -> SecretString {
        let mut bytes = Zeroizing::new([0; 48]);
        bytes[..16].copy_from_slice(self.tenant.as_bytes());
        bytes[16..].copy_from_slice(&*self.secret);
        SecretString::from(format!("{}{}", self.purpose.prefix(), URL_SAFE_NO_PAD.encode(*bytes)))
    }

    /// What is kept of it.
    pub fn digest(&self) -> [u8; 32] {
        let mut kept = [0; 32];
        kept.copy_from_slice(digest(&SHA256, self.reveal().expose_secret().as_bytes()).as_ref());
        kept
    }

    /// What a page of ours sends beside the cookie, and another's page cannot know. It follows from the ticket, so it lives
    /// as long, and is nothing to be kept.
    pub fn csrf(&self) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &*self.secret);
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, b"vintem:csrf:1"))
    }

    /// Whether this is that, in a time that does not depend on either.
    pub fn has_csrf(&self, presented: &str) -> bool {
        self.csrf().as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("purpose", &self.purpose).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_reads_as_it_prints() {
        let ticket = Ticket::generate(Purpose::Session, Uuid::from_u128(7));
        let text = ticket.reveal().expose_secret().to_owned();
        let read = Ticket::read(Purpose::Session, &text).unwrap();
        assert_eq!((read.tenant(), read.digest(), read.csrf()), (ticket.tenant(), ticket.digest(), ticket.csrf()));
        assert!(Ticket::read(Purpose::Invitation, &text).is_none(), "a session opens no invitation");
        assert!(!format!("{ticket:?}").contains(&text[30..]));
        for bad in [
            "",
            "vts_",
            "vts_AAAA",
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}A"),
            &text.replace("vts_", "vts-"),
        ] {
            assert!(Ticket::read(Purpose::Session, bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_ticket_of_another_tenant_is_another_ticket() {
        let ticket = Ticket::generate(Purpose::Session, Uuid::from_u128(7));
        let forged = Ticket { purpose: Purpose::Session, tenant: Uuid::from_u128(8), secret: ticket.secret.clone() };
        assert_ne!(ticket.digest(), forged.digest());
    }

    #[test]
    fn the_word_against_forgery_is_the_sessions_own() {
        let (one, other) =
            (Ticket::generate(Purpose::Session, Uuid::nil()), Ticket::generate(Purpose::Session, Uuid::nil()));
        assert!(one.has_csrf(&one.csrf()) && !one.has_csrf(&other.csrf()) && !one.has_csrf(""));
        assert!(!one.reveal().expose_secret().contains(&one.csrf()));
    }
}
