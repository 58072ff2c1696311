//! Refresh tokens: good once, each the successor of the one before, and kept nowhere.
//!
//! A token names its tenant, its session and its number, and proves them with a keyed digest. So any token that was ever given out
//! is recognised, whichever number is good now; and the successor of a token is always the same, so that an answer that was
//! lost can be given again without having been kept. Whoever reads the database has none of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::secrets::Pepper;

/// How long the token before is answered like the first time, to the same device.
pub const GRACE: TimeDelta = TimeDelta::seconds(10);
/// A session that is not refreshed for so long is over.
pub const IDLE: TimeDelta = TimeDelta::days(90);
/// Scanners of logs and repositories know a leaked one by it.
const PREFIX: &str = "vtr_";
const BYTES: usize = 16 + 16 + 4 + 32;

/// A token as somebody presents it, or as it is made.
pub struct RefreshToken {
    tenant: Uuid,
    session: Uuid,
    generation: i32,
    proof: [u8; 32],
}

/// What is to become of a token that is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one: its successor takes its place.
    Rotate,
    /// It was the one a moment ago: its successor, which is the one now, is told again.
    TellAgain,
    /// It has long had a successor: somebody else has a copy.
    Reuse,
    /// It is ahead of what is kept, as after a restore: it is worth nothing.
    Unknown,
}

impl RefreshToken {
    /// The one of a number of a session.
    pub fn of(pepper: &Pepper, tenant: Uuid, session: Uuid, generation: i32) -> Self {
        let parts: [&[u8]; 4] = [b"citizen-refresh", tenant.as_bytes(), session.as_bytes(), &generation.to_be_bytes()];
        Self { tenant, session, generation, proof: pepper.name(&parts) }
    }

    /// Reads what somebody presents; `None` if no token of ours looks like it.
    pub fn read(text: &SecretString) -> Option<Self> {
        let text = text.expose_secret().strip_prefix(PREFIX)?;
        let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (tenant, session) = (Uuid::from_slice(&bytes[..16]).ok()?, Uuid::from_slice(&bytes[16..32]).ok()?);
        let generation = i32::from_be_bytes(bytes[32..36].try_into().ok()?);
        Some(Self { tenant, session, generation, proof: bytes[36..].try_into().ok()? })
    }

    /// Whether we made it.
    pub fn is_genuine(&self, pepper: &Pepper) -> bool {
        Self::of(pepper, self.tenant, self.session, self.generation).proof.ct_eq(&self.proof).into()
    }

    /// Whose it says it is.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// Which session it says it is of.
    pub fn session(&self) -> Uuid {
        self.session
    }

    /// Its number.
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// What becomes of it, while this number is good since then.
    pub fn judge(&self, current: i32, since: DateTime<Utc>, now: DateTime<Utc>) -> Verdict {
        match current.cmp(&self.generation) {
            std::cmp::Ordering::Equal => Verdict::Rotate,
            std::cmp::Ordering::Less => Verdict::Unknown,
            std::cmp::Ordering::Greater if current - self.generation == 1 && now - since <= GRACE => Verdict::TellAgain,
            std::cmp::Ordering::Greater => Verdict::Reuse,
        }
    }

    /// The text, to be shown to its owner.
    pub fn reveal(&self) -> SecretString {
        let parts: [&[u8]; 4] =
            [self.tenant.as_bytes(), self.session.as_bytes(), &self.generation.to_be_bytes(), &self.proof];
        SecretString::from(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(parts.concat())))
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RefreshToken")
            .field("session", &self.session)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(generation: i32) -> RefreshToken {
        RefreshToken::of(&Pepper::of(&[1; 32]), Uuid::from_u128(7), Uuid::from_u128(8), generation)
    }

    #[test]
    fn a_token_reads_as_it_prints_and_only_ours_is_genuine() {
        let (own, text) = (token(3), token(3).reveal());
        let read = RefreshToken::read(&text).unwrap();
        assert_eq!((read.tenant(), read.session(), read.generation()), (own.tenant(), own.session(), 3));
        assert!(read.is_genuine(&Pepper::of(&[1; 32])) && !read.is_genuine(&Pepper::of(&[2; 32])));
        for (session, generation) in [(9, 3), (8, 4)] {
            let forged = RefreshToken { session: Uuid::from_u128(session), generation, ..token(3) };
            assert!(!forged.is_genuine(&Pepper::of(&[1; 32])));
        }
        let text = text.expose_secret();
        assert!(!format!("{own:?}").contains(&text[60..]));
        for bad in ["", "vtr_", "vtr_AAAA", &text[1..], &text[..text.len() - 1], &format!("{text}A")] {
            assert!(RefreshToken::read(&SecretString::from(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_the_one_before_and_only_for_ten_seconds_is_told_again() {
        let since: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
        let judge = |generation, seconds| token(generation).judge(5, since, since + TimeDelta::seconds(seconds));
        assert_eq!(judge(5, 1_000_000), Verdict::Rotate);
        assert_eq!((judge(4, 0), judge(4, 10), judge(4, 11)), (Verdict::TellAgain, Verdict::TellAgain, Verdict::Reuse));
        assert_eq!((judge(3, 0), judge(1, 5)), (Verdict::Reuse, Verdict::Reuse));
        assert_eq!(judge(6, 0), Verdict::Unknown);
        // Clocks that went wrong by an hour, either way.
        assert_eq!((judge(4, 3_600), judge(3, -3_600)), (Verdict::Reuse, Verdict::Reuse));
    }
}
