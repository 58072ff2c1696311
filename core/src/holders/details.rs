//! What is known of a person: checked on the way in, and printed nowhere.

use super::cpf::Cpf;
use crate::kernel::{Refusal, RefusalCode};
use zeroize::Zeroizing;

const NAME_CHARS: usize = 200;
const EMAIL_BYTES: usize = 254;

/// A text about a person. Overwritten when it is no longer needed.
pub type Private = Zeroizing<String>;

/// A person as they introduce themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct Details {
    /// As they write it.
    pub name: Private,
    /// Where they read mail.
    pub email: Option<Private>,
    /// `+` and the number with its country's code.
    pub phone: Option<Private>,
    /// Their number.
    pub cpf: Cpf,
}

impl Details {
    /// Checks the texts of a request. A refusal names the member and never the value.
    pub fn checked(
        name: Private,
        email: Option<Private>,
        phone: Option<Private>,
        cpf: &Private,
    ) -> Result<Self, Refusal> {
        if !is_name(&name) {
            return Err(invalid("/name", "a name has 1 to 200 characters, none of them a control character"));
        }
        if email.as_ref().is_some_and(|email| !is_email(email)) {
            return Err(invalid("/email", "an e-mail address has up to 254 bytes and one @ between two parts"));
        }
        if phone.as_ref().is_some_and(|phone| !is_phone(phone)) {
            return Err(invalid("/phone", "a phone number is + and 8 to 15 digits, such as +5511912345678"));
        }
        if email.is_none() && phone.is_none() {
            return Err(invalid("/email", "a holder has an e-mail address, a phone number, or both"));
        }
        Ok(Self { name, email, phone, cpf: number(cpf)? })
    }
}

/// The CPF of a request.
pub fn number(text: &Private) -> Result<Cpf, Refusal> {
    text.parse().map_err(|error: super::cpf::NoCpf| invalid("/cpf", &error.to_string()))
}

fn is_name(text: &str) -> bool {
    let is_long = !(1..=NAME_CHARS).contains(&text.chars().count());
    !is_long && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Whether somebody reads it only a message to it can tell; this refuses what no address is.
pub(crate) fn is_email(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control());
    text.len() <= EMAIL_BYTES && text.split_once('@').is_some_and(|(local, domain)| is_part(local) && is_part(domain))
}

/// `+` and the number with its country's code.
pub(crate) fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (8..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0')
}

fn invalid(pointer: &str, detail: &str) -> Refusal {
    Refusal::new(RefusalCode::ValidationFailed, detail).at(pointer)
}

impl std::fmt::Debug for Details {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Details([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Place;

    fn refused(name: &str, email: Option<&str>, phone: Option<&str>, cpf: &str) -> Option<String> {
        let private = |text: &str| Private::new(text.to_owned());
        let checked = Details::checked(private(name), email.map(private), phone.map(private), &private(cpf));
        checked.err().map(|refusal| match refusal.place {
            Some(Place::Pointer(pointer)) => pointer,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_person_has_a_name_a_contact_and_a_cpf() {
        let (cpf, mail) = ("529.982.247-25", Some("ana@exemplo.com.br"));
        assert_eq!(refused("Ana Conceição d'Ávila", mail, Some("+5511912345678"), cpf), None);
        assert_eq!(refused("Ana", None, Some("+5511912345678"), cpf), None);
        assert_eq!(refused("Ana", None, None, cpf).unwrap(), "/email");
        for name in ["", " ", "A\0", "A\nB", &"x".repeat(201)] {
            assert_eq!(refused(name, mail, None, cpf).unwrap(), "/name");
        }
        for email in ["", "@", "ana@", "@b", "ana", "a@b@c", "a b@c", &format!("{}@b", "a".repeat(253))] {
            assert_eq!(refused("Ana", Some(email), None, cpf).unwrap(), "/email", "{email}");
        }
        for phone in ["", "+", "11912345678", "+0511912345678", "+551191234567890123", "+55 11 91234"] {
            assert_eq!(refused("Ana", mail, Some(phone), cpf).unwrap(), "/phone", "{phone}");
        }
        assert_eq!(refused("Ana", mail, None, "529.982.247-26").unwrap(), "/cpf");
    }

    #[test]
    fn a_refusal_never_repeats_what_was_sent() {
        let private = |text: &str| Private::new(text.to_owned());
        let refusal = number(&private("52998224724")).unwrap_err();
        assert!(!refusal.detail.contains("52998224724"));
        let details = Details::checked(private("Ana"), Some(private("a@b")), None, &private("52998224725")).unwrap();
        assert_eq!(format!("{details:?}"), "Details([REDACTED])");
    }
}
