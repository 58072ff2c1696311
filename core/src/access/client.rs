//! A service client: a program of the tenant that calls the API.

use std::str::FromStr;

use uuid::Uuid;

use super::caller::Scopes;
use super::error::AccessError;

/// A program that may ask for tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its id: the subject of its tokens, and the principal of its idempotency keys.
    pub client: Uuid,
    /// Whose program it is.
    pub tenant: Uuid,
    /// Unique in the tenant.
    pub name: ClientName,
    /// What its tokens may be good for.
    pub scopes: Scopes,
}

/// A name for people, such as `till in the museum`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName(String);

impl ClientName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientName {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let is_name = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if is_name { Ok(Self(text.to_owned())) } else { Err(AccessError::BadClientName) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_for_people() {
        assert!("Kasse im Café".parse::<ClientName>().is_ok());
        assert!("é".repeat(100).parse::<ClientName>().is_ok());
        for bad in ["", "a\0b", "a\nb", &"x".repeat(101)] {
            assert!(bad.parse::<ClientName>().is_err(), "{bad:?}");
        }
    }
}
