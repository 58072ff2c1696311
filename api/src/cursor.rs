//! Cursors of lists: opaque, signed, and bound to the tenant and the filter they were given for.
//!
//! A cursor is where a list goes on. It is signed so that nobody can build one that points into
//! another list: what it says is trusted.

use crate::problem::Problem;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;
use vintem_core::kernel::Place;

/// 128 bits of the signature: nobody guesses them, and cursors stay short.
const TAG: usize = 16;
/// Longer than any of ours.
const LONGEST: usize = 512;

/// Seals and opens cursors.
pub struct Cursors(hmac::Key);

impl Cursors {
    /// With the key that all processes share.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// A cursor of a list.
    pub fn seal(&self, tenant: Uuid, list: &str, place: &str) -> String {
        let mut bytes = self.tag(tenant, list, place).to_vec();
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
        let (tag, place) = bytes.split_at_checked(TAG)?;
        let place = std::str::from_utf8(place).ok()?;
        let expected = self.tag(tenant, list, place);
        aws_lc_rs::constant_time::verify_slices_are_equal(tag, &expected).ok()?;
        Some(place.to_owned())
    }

    fn tag(&self, tenant: Uuid, list: &str, place: &str) -> [u8; TAG] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(tenant.as_bytes());
        context.update(&(list.len() as u64).to_be_bytes());
        context.update(list.as_bytes());
        context.update(place.as_bytes());
        let mut tag = [0; TAG];
        tag.copy_from_slice(&context.sign().as_ref()[..TAG]);
        tag
    }
}

impl std::fmt::Debug for Cursors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursors([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_its_own_list() {
        let cursors = Cursors::new(&[7; 32]);
        let cursor = cursors.seal(Uuid::nil(), "accounts?asset=BRL", "42");
        assert_eq!(cursors.open(Uuid::nil(), "accounts?asset=BRL", &cursor).unwrap(), "42");
        assert!(cursors.open(Uuid::max(), "accounts?asset=BRL", &cursor).is_err());
        assert!(cursors.open(Uuid::nil(), "accounts?asset=USD", &cursor).is_err());
        assert!(Cursors::new(&[8; 32]).open(Uuid::nil(), "accounts?asset=BRL", &cursor).is_err());
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
