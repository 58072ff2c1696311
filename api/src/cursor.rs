//! Cursors of lists: opaque, signed, and bound to the tenant and the filter they were given for.
//!
//! A cursor is where a list goes on. It is signed so that nobody can build one that points into
//! another list: what it says is trusted. The keys rotate; a cursor is good for as long as its key is in the ring.

use crate::problem::Problem;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use vintem_core::kernel::Place;
use vintem_core::secrets::{Followed, KeyRing, RingKey, decode_key};

/// 128 bits of the signature: nobody guesses them, and cursors stay short.
const TAG: usize = 16;
/// Longer than any of ours.
const LONGEST: usize = 512;

/// The keys that all processes share, from the ring `kv/cursor`: the current one first.
pub struct CursorKeys(Vec<hmac::Key>);

/// A key of the ring is not the base64 of 32 bytes, or one that others know, or none is current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the keys of cursors in Vault are not a ring of 32 random bytes each: one is weak or published, or has another form"
)]
pub struct BadCursorKey;

impl CursorKeys {
    /// Takes the keys of the ring.
    pub fn try_new(ring: &KeyRing) -> Result<Self, BadCursorKey> {
        let mut keys: Vec<&RingKey> = ring.keys.iter().collect();
        keys.sort_by_key(|key| key.kid != ring.current);
        if keys.first().is_none_or(|key| key.kid != ring.current) {
            return Err(BadCursorKey);
        }
        let key = |ring: &RingKey| {
            let key = decode_key(&ring.key).ok_or(BadCursorKey)?;
            Ok(hmac::Key::new(hmac::HMAC_SHA256, &*key))
        };
        keys.into_iter().map(key).collect::<Result<_, _>>().map(Self)
    }
}

impl std::fmt::Debug for CursorKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKeys([REDACTED])")
    }
}

/// Seals and opens cursors.
#[derive(Debug)]
pub struct Cursors(Followed<CursorKeys>);

impl Cursors {
    /// With the keys of the moment.
    pub fn new(keys: Followed<CursorKeys>) -> Self {
        Self(keys)
    }

    /// A cursor of a list.
    pub fn seal(&self, tenant: Uuid, list: &str, place: &str) -> String {
        let mut bytes = tag(&self.0.load().0[0], tenant, list, place).to_vec();
        bytes.extend_from_slice(place.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a cursor of the same list stands for.
    pub fn open(&self, tenant: Uuid, list: &str, cursor: &str) -> Result<String, Problem> {
        self.place(tenant, list, cursor).ok_or_else(|| {
            let detail = "the cursor was not given for this list; take `next` of the page before, with the same filter";
            Problem::invalid(Place::Parameter("cursor".to_owned()), "malformed", detail)
        })
    }

    fn place(&self, tenant: Uuid, list: &str, cursor: &str) -> Option<String> {
        let bytes = (cursor.len() <= LONGEST).then(|| URL_SAFE_NO_PAD.decode(cursor).ok()).flatten()?;
        let (given, place) = bytes.split_at_checked(TAG)?;
        let place = std::str::from_utf8(place).ok()?;
        let is_of = |key: &hmac::Key| {
            let expected = tag(key, tenant, list, place);
            aws_lc_rs::constant_time::verify_slices_are_equal(given, &expected).is_ok()
        };
        self.0.load().0.iter().any(is_of).then(|| place.to_owned())
    }
}

fn tag(key: &hmac::Key, tenant: Uuid, list: &str, place: &str) -> [u8; TAG] {
    let mut context = hmac::Context::with_key(key);
    context.update(tenant.as_bytes());
    context.update(&(list.len() as u64).to_be_bytes());
    context.update(list.as_bytes());
    context.update(place.as_bytes());
    let mut tag = [0; TAG];
    tag.copy_from_slice(&context.sign().as_ref()[..TAG]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest;
    use base64::engine::general_purpose::STANDARD;
    use secrecy::SecretString;
    use vintem_core::telemetry::clock;

    /// Different for each number, and the same whenever it is asked for.
    fn key(number: u8) -> SecretString {
        SecretString::from(STANDARD.encode(digest::digest(&digest::SHA256, &[number])))
    }

    fn cursors(ring: &KeyRing) -> Cursors {
        Cursors::new(Followed::fixed(CursorKeys::try_new(ring).unwrap()))
    }

    #[test]
    fn a_cursor_outlives_a_rotation_until_its_key_is_gone() {
        let mut ring = KeyRing::new(key(7), clock::now());
        let before = cursors(&ring).seal(Uuid::nil(), "accounts", "42");
        let new = ring.announce(key(8), clock::now());
        assert_eq!(cursors(&ring).seal(Uuid::nil(), "accounts", "42"), before, "an announced key does not seal");
        let old = ring.promote(&new, clock::now());
        assert_ne!(cursors(&ring).seal(Uuid::nil(), "accounts", "42"), before);
        assert_eq!(cursors(&ring).open(Uuid::nil(), "accounts", &before).unwrap(), "42");
        ring.remove(&old);
        assert!(cursors(&ring).open(Uuid::nil(), "accounts", &before).is_err());
        ring.current = old;
        assert_eq!(CursorKeys::try_new(&ring).err(), Some(BadCursorKey));
    }

    #[test]
    fn a_key_that_somebody_typed_is_refused() {
        for weak in [*b"a secret of thirty-two letters!!", [7; 32]] {
            let ring = KeyRing::new(SecretString::from(STANDARD.encode(weak)), clock::now());
            assert_eq!(CursorKeys::try_new(&ring).err(), Some(BadCursorKey));
        }
    }

    #[test]
    fn a_cursor_opens_only_its_own_list() {
        let cursors = cursors(&KeyRing::new(key(7), clock::now()));
        let cursor = cursors.seal(Uuid::nil(), "accounts?asset=BRL", "42");
        assert_eq!(cursors.open(Uuid::nil(), "accounts?asset=BRL", &cursor).unwrap(), "42");
        assert!(cursors.open(Uuid::max(), "accounts?asset=BRL", &cursor).is_err());
        assert!(cursors.open(Uuid::nil(), "accounts?asset=USD", &cursor).is_err());
        assert!(
            self::cursors(&KeyRing::new(key(8), clock::now()))
                .open(Uuid::nil(), "accounts?asset=BRL", &cursor)
                .is_err()
        );
        for place in 0..cursor.len() {
            let mut bytes = cursor.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            let tampered = String::from_utf8(bytes).unwrap();
            assert!(cursors.open(Uuid::nil(), "accounts?asset=BRL", &tampered).is_err(), "{place}");
        }
        for nonsense in ["", "x", "!", &"A".repeat(10_000)] {
            assert!(cursors.open(Uuid::nil(), "accounts?asset=BRL", nonsense).is_err());
        }
    }
}
