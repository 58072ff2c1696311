//! Recovery codes: for whoever has lost the device. Ten, shown once, each good once.

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::secrets::random;

/// How many a set has.
pub const CODES: usize = 10;
/// Characters of a code: 80 bits, so that a plain digest is enough and nobody tries them out.
const CHARS: usize = 16;
/// Crockford's: no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A set, to be shown to its owner: `XXXX-XXXX-XXXX-XXXX` each.
pub struct Codes(Vec<Zeroizing<String>>);

/// What is kept of a code.
pub type CodeDigest = [u8; 32];

impl Codes {
    /// Draws a set.
    pub fn generate() -> Self {
        Self((0..CODES).map(|_| Zeroizing::new(draw())).collect())
    }

    /// To be shown once.
    pub fn reveal(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|code| code.as_str())
    }

    /// To be kept.
    pub fn digests(&self, member: Uuid) -> Vec<CodeDigest> {
        self.0.iter().filter_map(|code| digest_of(member, code)).collect()
    }
}

/// What is kept of a code of a member, however it is typed; `None` if it is no code.
pub fn digest_of(member: Uuid, typed: &str) -> Option<CodeDigest> {
    let mut plain = Zeroizing::new(Vec::with_capacity(16 + CHARS));
    plain.extend_from_slice(member.as_bytes());
    for typed in typed.bytes().filter(|byte| !matches!(byte, b'-' | b' ')) {
        let plain_byte = match typed.to_ascii_uppercase() {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        if !ALPHABET.contains(&plain_byte) || plain.len() == 16 + CHARS {
            return None;
        }
        plain.push(plain_byte);
    }
    if plain.len() < 16 + CHARS {
        return None;
    }
    let mut kept = [0; 32];
    kept.copy_from_slice(digest(&SHA256, &plain).as_ref());
    Some(kept)
}

fn draw() -> String {
    let bytes = Zeroizing::new(random::bytes::<CHARS>());
    let mut code = String::with_capacity(CHARS + 3);
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    code
}

impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Codes([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_set_is_ten_different_codes() {
        let codes = Codes::generate();
        let shown: HashSet<&str> = codes.reveal().collect();
        assert_eq!(shown.len(), CODES);
        assert!(shown.iter().all(|code| code.len() == 19 && code.split('-').count() == 4), "{shown:?}");
        assert_eq!(format!("{codes:?}"), "Codes([REDACTED])");
    }

    #[test]
    fn a_code_is_its_members_however_it_is_typed() {
        let (ana, bia) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let codes = Codes::generate();
        let (code, kept) = (codes.reveal().next().unwrap(), codes.digests(ana)[0]);
        for typed in [code.to_owned(), code.to_lowercase(), code.replace('-', ""), code.replace('-', " ")] {
            assert_eq!(digest_of(ana, &typed), Some(kept));
        }
        assert_ne!(digest_of(bia, code), Some(kept));
        assert_eq!(digest_of(ana, "0O1I-LLLL-0000-0000"), digest_of(ana, "0011-1111-0000-0000"));
        for bad in ["", "0000", &code[1..], &format!("{code}0"), "UUUU-0000-0000-0000", "é000-0000-0000-0000"] {
            assert_eq!(digest_of(ana, bad), None, "{bad:?}");
        }
    }
}
