//! A tenant: whose money it is, which shard it lives in, where its days begin.

use std::str::FromStr;

use chrono_tz::Tz;
use uuid::Uuid;

use super::error::AccessError;
use crate::ledger::service::Actor;

/// An organisation whose data is apart from everybody else's. Nothing of it ever changes:
/// positions were written in its shard, and windows of limits in its time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id, in every row of its data.
    pub tenant: Uuid,
    /// Unique in the whole system.
    pub name: TenantName,
    /// Where all of its data is.
    pub shard: i16,
    /// Where its days, nights and months begin.
    pub time_zone: Tz,
}

/// Whose rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Of {
    /// The tenant's shard.
    pub shard: i16,
    /// The tenant.
    pub tenant: Uuid,
}

impl From<&Actor> for Of {
    fn from(actor: &Actor) -> Self {
        Self { shard: actor.shard, tenant: actor.origin.tenant }
    }
}

/// A name such as `coffee-town`: lower-case letters, digits and inner hyphens, 63 at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantName(String);

impl TenantName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantName {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = (1..=63).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-');
        if is_name { Ok(Self(text.to_owned())) } else { Err(AccessError::BadTenantName) }
    }
}

/// Reads a name of the IANA time zone database, such as `America/Sao_Paulo`.
pub fn parse_time_zone(text: &str) -> Result<Tz, AccessError> {
    text.parse().map_err(|_| AccessError::UnknownTimeZone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_slugs() {
        for good in ["a", "coffee-town", "t2", &"x".repeat(63)] {
            assert!(good.parse::<TenantName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "Coffee", "a_b", "a b", "é", "a\0", &"x".repeat(64)] {
            assert!(bad.parse::<TenantName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn time_zones_are_those_of_iana() {
        assert!(parse_time_zone("America/Sao_Paulo").is_ok());
        assert!(parse_time_zone("UTC").is_ok());
        for bad in ["", "Brazil", "-03:00", "america/sao_paulo "] {
            assert!(parse_time_zone(bad).is_err(), "{bad:?}");
        }
    }
}
