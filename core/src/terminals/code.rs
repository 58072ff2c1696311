//! The code that brings a device in: fifty random bits, easy to read out and to type, good once and for minutes.

use std::fmt;

use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::secrets::{Pepper, random};

/// Crockford's: no letter looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LETTERS: usize = 10;

/// How long a code is good.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How often one is tried.
pub const TRIES: i16 = 5;
/// How long the answer to a code that was used is given again, to the same key: a lost answer must not cost a device.
pub const ANSWERED_AGAIN: TimeDelta = TimeDelta::hours(24);

/// A code on its way to a device.
pub struct ActivationCode(SecretString);

impl ActivationCode {
    /// Draws one.
    pub fn draw() -> Self {
        let bytes = Zeroizing::new(random::bytes::<LETTERS>());
        // A letter is five bits of a byte.
        let letters: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
        Self(letters.into())
    }

    /// Reads what somebody typed, in groups or not, however its letters look. What is no code is no device's.
    pub fn read(typed: &SecretString) -> Option<Self> {
        let letter = |c: char| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        let text = typed.expose_secret();
        let letters: String = text.chars().take(40).filter(|c| !matches!(c, '-' | ' ')).map(letter).collect();
        let is_code = letters.len() == LETTERS && letters.bytes().all(|byte| ALPHABET.contains(&byte));
        is_code.then(|| Self(letters.into()))
    }

    /// What is kept of it: for one terminal, and of no use without the pepper.
    pub fn digest(&self, pepper: &Pepper, terminal: Uuid) -> [u8; 32] {
        pepper.name(&[b"terminal-code", terminal.as_bytes(), self.0.expose_secret().as_bytes()])
    }

    /// To be shown once: `7K3M0-9QXT4`.
    pub fn reveal(&self) -> SecretString {
        let (first, second) = self.0.expose_secret().split_at(LETTERS / 2);
        format!("{first}-{second}").into()
    }
}

impl fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActivationCode([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<ActivationCode> {
        ActivationCode::read(&SecretString::from(text))
    }

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let (pepper, terminal) = (Pepper::of(&[1; 32]), Uuid::from_u128(7));
        let digest = |code: &ActivationCode| code.digest(&pepper, terminal);
        let code = read("7K3M0-9QXT4").unwrap();
        assert_eq!(code.reveal().expose_secret(), "7K3M0-9QXT4");
        for typed in ["7k3mo9qxt4", "7K3MO 9QXT4", "7k3m0-9qxt4", " 7K3M09QXT4 "] {
            assert_eq!(digest(&read(typed).unwrap()), digest(&code), "{typed}");
        }
        for nonsense in ["", "7K3M0", "7K3M0-9QXTU", "7K3M0-9QXT44", "ç7K3M09QXT", &"A".repeat(900)] {
            assert!(read(nonsense).is_none(), "{nonsense}");
        }
    }

    #[test]
    fn a_code_is_one_terminals() {
        let (pepper, code) = (Pepper::of(&[1; 32]), ActivationCode::draw());
        assert_ne!(code.digest(&pepper, Uuid::from_u128(7)), code.digest(&pepper, Uuid::from_u128(8)));
        assert!(read(code.reveal().expose_secret()).is_some() && !format!("{code:?}").contains(code.0.expose_secret()));
    }
}
