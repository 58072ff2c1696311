//! What a password must be (NIST SP 800-63B): long, not guessable from what everybody knows, and nothing else. No mix of
//! kinds of characters, no end of its life.

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::kernel::{Refusal, RefusalCode};

/// One of two factors: NIST asks for 8 then, we for what no list of leaked ones is made of.
const CHARS_MIN: usize = 12;
/// Long enough for every passphrase, short enough that hashing it costs what hashing any other does.
const CHARS_MAX: usize = 128;
/// What must remain when everything guessable is taken out.
const REST_MIN: usize = 6;
/// So many different characters at least.
const DISTINCT_MIN: usize = 5;

/// What long passwords that people choose are put together from, in the order of taking out.
const GUESSABLE: [&str; 33] = [
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1234567890",
    "0987654321",
    "123456789",
    "987654321",
    "12345678",
    "1234567",
    "abcdefgh",
    "123456",
    "654321",
    "qwerty",
    "abcdef",
    "12345",
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "passwort",
    "letmein",
    "welcome",
    "bemvindo",
    "administrador",
    "administrator",
    "admin",
    "iloveyou",
    "mudar123",
    "trocar123",
    "senha",
    "segredo",
    "secret",
    "vintem",
];

/// A password in its one form (NFKC), so that the same keys pressed on two devices are the same password. Overwritten when
/// it is dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// As somebody typed it, whatever it is: for comparing.
    pub fn typed(text: &SecretString) -> Self {
        // One that is too long is nobody's; cutting it keeps what an attacker can make us normalise small.
        let normal: String = text.expose_secret().nfkc().take(CHARS_MAX + 1).collect();
        Self(Zeroizing::new(normal))
    }

    /// One that somebody chooses. `known` are words that an attacker would try first: the tenant's name, the login.
    pub fn chosen(text: &SecretString, known: &[&str]) -> Result<Self, Refusal> {
        let password = Self::typed(text);
        let chars = password.0.chars().count();
        if !(CHARS_MIN..=CHARS_MAX).contains(&chars) || password.0.chars().any(char::is_control) {
            return Err(refused("a password has 12 to 128 characters, none of them a control character"));
        }
        if is_guessable(&password.0, known) {
            return Err(refused(
                "the password is made of what is tried first; take some words that do not belong together",
            ));
        }
        Ok(password)
    }

    /// Its bytes, for hashing.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

fn is_guessable(password: &str, known: &[&str]) -> bool {
    let mut rest = Zeroizing::new(password.to_lowercase());
    // A name of three letters is in many a good passphrase.
    let known = known.iter().map(|word| word.to_lowercase()).filter(|word| word.chars().count() > 3);
    for word in known.chain(GUESSABLE.into_iter().map(str::to_owned)) {
        rest = Zeroizing::new(rest.replace(&word, ""));
    }
    let mut distinct: Zeroizing<Vec<char>> = Zeroizing::new(rest.chars().collect());
    distinct.sort_unstable();
    distinct.dedup();
    rest.chars().count() < REST_MIN || distinct.len() < DISTINCT_MIN
}

fn refused(detail: &str) -> Refusal {
    Refusal::new(RefusalCode::ValidationFailed, detail).at("/password")
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(text: &str) -> Result<Password, Refusal> {
        Password::chosen(&SecretString::from(text), &["coffee-town", "ana.s", "bia"])
    }

    #[test]
    fn length_counts_and_kinds_of_characters_do_not() {
        for good in [
            "correct horse battery",
            "quatro rios sem ponte",
            "açaí-no-café-às-três",
            "x7#kQ9!vLm2z",
            "bia vai ao mar já",
        ] {
            assert!(chosen(good).is_ok(), "{good}");
        }
        for bad in ["", "short", "elevenchars", &"long ".repeat(26), "with\0nul bytes", "line\nbreak here"] {
            assert!(chosen(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        for bad in [
            "password1234",
            "Password12345!",
            "senhasenha123",
            "qwertyuiop12",
            "123456789012",
            "aaaaaaaaaaaaaaaa",
            "abababababab",
            "coffee-town2026",
            "ana.sana.sana.s",
            "vintemvintem",
            "Administrator1",
            "1q1q1q1q1q1q",
        ] {
            let refusal = chosen(bad).unwrap_err();
            assert!(!refusal.detail.contains(bad), "{bad}");
        }
    }

    #[test]
    fn two_spellings_of_one_text_are_one_password() {
        let (composed, decomposed) = ("S\u{e3}o Paulo \u{e9} longe", "Sa\u{303}o Paulo e\u{301} longe");
        assert_eq!(chosen(composed).unwrap().as_bytes(), chosen(decomposed).unwrap().as_bytes());
        assert_eq!(format!("{:?}", chosen(composed).unwrap()), "Password([REDACTED])");
        assert!(Password::typed(&SecretString::from("\u{fdfa}".repeat(100_000))).as_bytes().len() < 1_000);
    }
}
