//! The PIN: six digits that count only together with a device's signature.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::kernel::{Refusal, RefusalCode};

/// Wrong ones in a row until it is locked.
pub const TRIES: i16 = 5;
const DIGITS: usize = 6;

/// Six digits. Overwritten when it is dropped.
pub struct Pin(Zeroizing<[u8; DIGITS]>);

impl Pin {
    /// As somebody typed it; `None` when it is not six digits, and so nobody's.
    pub fn typed(text: &SecretString) -> Option<Self> {
        let digits: [u8; DIGITS] = text.expose_secret().as_bytes().try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then(|| Self(Zeroizing::new(digits)))
    }

    /// One that somebody chooses: none of those that are tried first.
    pub fn chosen(text: &SecretString) -> Result<Self, Refusal> {
        let refused = |detail| Refusal::new(RefusalCode::ValidationFailed, detail).at("/pin");
        let pin = Self::typed(text).ok_or_else(|| refused("a PIN is six digits"))?;
        if pin.is_guessable() {
            return Err(refused("the PIN is one that is tried first: no sequences, repetitions or years"));
        }
        Ok(pin)
    }

    /// Its bytes, for hashing.
    pub fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// One in five people choose one of these when they may.
    fn is_guessable(&self) -> bool {
        let digits = &*self.0;
        let steps: Vec<i16> = digits.windows(2).map(|pair| i16::from(pair[1]) - i16::from(pair[0])).collect();
        let is_sequence = |step: i16| steps.iter().all(|other| *other == step);
        let is_repeated = |length: usize| digits.chunks(length).all(|part| part == &digits[..length]);
        let mut distinct = digits.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let is_year_twice = [&b"19"[..], b"20"].iter().any(|century| digits.starts_with(century));
        is_sequence(1)
            || is_sequence(-1)
            || [1, 2, 3].into_iter().any(is_repeated)
            || distinct.len() < 3
            || is_year_twice
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<Pin, Refusal> {
        Pin::chosen(&SecretString::from(text))
    }

    #[test]
    fn six_digits_that_are_not_tried_first() {
        for good in ["274906", "908172", "331975"] {
            assert!(chosen(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "12345",
            "1234567",
            "12345a",
            "१२३४५६",
            "123456",
            "654321",
            "000000",
            "121212",
            "123123",
            "777999",
            "199012",
            "200405",
        ] {
            let refusal = chosen(bad).unwrap_err();
            assert!(bad.is_empty() || !refusal.detail.contains(bad), "{bad}");
        }
        assert_eq!(format!("{:?}", chosen("274906").unwrap()), "Pin([REDACTED])");
    }
}
