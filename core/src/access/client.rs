//! A service client: a program of the tenant that calls the API.

use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::caller::Scopes;
use super::error::AccessError;
use super::thumbprint::Thumbprint;
use crate::kernel::Network;

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
    /// Until when, and from where.
    pub terms: Terms,
}

/// Until when a client may call, from where, and with what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// From then on it may not; `None` is for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// The networks that it may call from; none is from anywhere.
    pub networks: Vec<Network>,
    /// The key that it must have beside its secret; its tokens are bound to that and to no other.
    pub key: Option<Thumbprint>,
}

impl Terms {
    /// Whether it may call at an instant.
    pub fn hold_at(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// Whether an address is in one of the networks, if any are named. An unknown address is in none.
pub fn may_come_from(networks: &[Network], address: Option<IpAddr>) -> bool {
    networks.is_empty() || address.is_some_and(|address| networks.iter().any(|network| network.contains(address)))
}

/// A client as its operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The client.
    pub client: Client,
    /// Since when it exists.
    pub created_at: DateTime<Utc>,
    /// Until when its secret before the present one is good.
    pub previous_until: Option<DateTime<Utc>>,
    /// Since when it is out.
    pub revoked_at: Option<DateTime<Utc>>,
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
    fn terms_say_when_and_whence() {
        let end: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
        let terms = Terms { expires_at: Some(end), networks: vec!["10.0.0.0/8".parse().unwrap()], key: None };
        assert!(terms.hold_at(end - chrono::Duration::seconds(1)) && !terms.hold_at(end));
        for (address, may) in [(Some("10.1.2.3"), true), (Some("11.0.0.1"), false), (Some("::1"), false), (None, false)]
        {
            let address = address.map(|text| text.parse().unwrap());
            assert_eq!(may_come_from(&terms.networks, address), may, "{address:?}");
            assert!(may_come_from(&[], address));
        }
    }

    #[test]
    fn names_are_for_people() {
        assert!("Kasse im Café".parse::<ClientName>().is_ok());
        assert!("é".repeat(100).parse::<ClientName>().is_ok());
        for bad in ["", "a\0b", "a\nb", &"x".repeat(101)] {
            assert!(bad.parse::<ClientName>().is_err(), "{bad:?}");
        }
    }
}
