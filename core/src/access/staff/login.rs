//! A member's login: a work name, unique in the tenant, and the id that follows from it.

use std::str::FromStr;

use uuid::Uuid;

use crate::kernel::name::natural_key;
use crate::kernel::{Refusal, RefusalCode};

/// A work name such as `treasury-2` or `ana.s`. It stands in the log for ever, so it is declared to be nothing personal, and
/// cannot be an e-mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login(String);

impl Login {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The member's id: the stream of this natural key. Finding out whose a login is needs no look-up.
    pub fn member(&self, tenant: Uuid) -> Uuid {
        natural_key(tenant, "staff", &[&self.0])
    }
}

impl FromStr for Login {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        let is_login = (2..=63).contains(&text.len())
            && text.bytes().all(plain)
            && text.starts_with(|first: char| first.is_ascii_alphanumeric());
        let detail = "a login has 2 to 63 lower-case letters, digits, dots, hyphens and underscores, and begins with a letter or digit";
        if is_login { Ok(Self(text.to_owned())) } else { Err(Refusal::new(RefusalCode::ValidationFailed, detail)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_a_work_name_and_no_address() {
        for good in ["ana.s", "treasury-2", "a1", "0ps"] {
            assert!(good.parse::<Login>().is_ok(), "{good}");
        }
        for bad in ["", "a", "Ana", "ana@town.br", "-ana", "a b", "é.e", &"x".repeat(64)] {
            assert!(bad.parse::<Login>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_login_is_another_member_in_another_tenant() {
        let login: Login = "ana.s".parse().unwrap();
        assert_ne!(login.member(Uuid::from_u128(1)), login.member(Uuid::from_u128(2)));
        assert_eq!(login.member(Uuid::from_u128(1)), login.member(Uuid::from_u128(1)));
    }
}
