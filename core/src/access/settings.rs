//! What an operator decides about a tenant: whether it may act, under which law, which assets, under which names.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::error::AccessError;
use crate::kernel::name;

/// Where a tenant is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Begun and not finished: whoever repeats the command goes on.
    Provisioning,
    /// It may do what its clients may.
    Active,
    /// It may look, and changes nothing.
    Suspended,
}

/// Under which law a tenant's money is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegalMode {
    /// Of an institution that is authorised to issue it.
    Authorised,
    /// Of an arrangement for limited purposes, such as a city's buses.
    LimitedPurpose,
    /// Play money.
    Sandbox,
}

/// A name under which a tenant is called: lower-case, with a dot, without a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hostname(String);

/// What an operator has decided about a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it is in its life.
    pub status: Status,
    /// `None`: nobody has said.
    pub legal_mode: Option<LegalMode>,
    /// The assets that it may register; `None` is any.
    pub assets: Option<BTreeSet<String>>,
    /// The asset of its citizens' accounts; without one it has no citizens.
    pub citizen_asset: Option<String>,
    /// Its names. A token of another tenant's is refused there.
    pub hostnames: BTreeSet<Hostname>,
}

/// What an operator wants otherwise; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The law.
    pub legal_mode: Option<LegalMode>,
    /// The assets; the inner `None` is any.
    pub assets: Option<Option<BTreeSet<String>>>,
    /// The asset of citizens' accounts. Those that are open keep theirs.
    pub citizen_asset: Option<String>,
    /// Names to add.
    pub add: BTreeSet<Hostname>,
    /// Names to give up.
    pub remove: BTreeSet<Hostname>,
}

impl Status {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl FromStr for Status {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let all = [Self::Provisioning, Self::Active, Self::Suspended];
        all.into_iter().find(|status| status.as_str() == text).ok_or(AccessError::Inconsistent { what: "status" })
    }
}

impl LegalMode {
    /// As it is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "authorised",
            Self::LimitedPurpose => "limited-purpose",
            Self::Sandbox => "sandbox",
        }
    }
}

impl FromStr for LegalMode {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let all = [Self::Authorised, Self::LimitedPurpose, Self::Sandbox];
        all.into_iter().find(|mode| mode.as_str() == text).ok_or(AccessError::UnknownLegalMode)
    }
}

impl Hostname {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a `Host` header: without the port and the root's dot, in lower case.
    pub fn of_header(header: &str) -> Option<Self> {
        let name = header.rsplit_once(':').map_or(header, |(name, _)| name);
        name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase().parse().ok()
    }
}

impl FromStr for Hostname {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let is_label = |label: &str| {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=63).contains(&label.len()) && label.bytes().all(plain)
        };
        // A name of one word is the installation's own (localhost), and digits alone are an address.
        let is_name = text.len() <= 253 && text.contains('.') && text.split('.').all(is_label);
        let is_address = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_name && !is_address { Ok(Self(text.to_owned())) } else { Err(AccessError::BadHostname) }
    }
}

impl fmt::Display for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Settings {
    /// Of a tenant about which nothing was decided.
    pub fn new(status: Status) -> Self {
        Self { status, legal_mode: None, assets: None, citizen_asset: None, hostnames: BTreeSet::new() }
    }

    /// Whether the tenant may register an asset.
    pub fn admits(&self, asset: &str) -> bool {
        self.assets.as_ref().is_none_or(|assets| assets.contains(asset))
    }

    /// The settings after a change; `None` when they are so already.
    ///
    /// Play money never becomes real money, nor the other way round: nobody could tell any more which of it was which.
    pub fn changed(&self, change: &Change) -> Result<Option<Self>, AccessError> {
        let mut changed = self.clone();
        if let Some(mode) = change.legal_mode {
            let was_sandbox = self.legal_mode.map(|mode| mode == LegalMode::Sandbox);
            if was_sandbox.is_some_and(|was| was != (mode == LegalMode::Sandbox)) {
                return Err(AccessError::SandboxIsForEver);
            }
            changed.legal_mode = Some(mode);
        }
        if let Some(assets) = &change.assets {
            changed.assets.clone_from(assets);
        }
        if let Some(asset) = &change.citizen_asset {
            if !name::is_asset_code(asset) {
                return Err(AccessError::NoAsset);
            }
            changed.citizen_asset = Some(asset.clone());
        }
        changed.hostnames.extend(change.add.iter().cloned());
        changed.hostnames.retain(|name| !change.remove.contains(name));
        Ok((changed != *self).then_some(changed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostnames_are_read_as_headers_have_them() {
        for good in ["coffee-town.example", "a.b", "x1.coffee.example"] {
            assert_eq!(good.parse::<Hostname>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "localhost",
            "127.0.0.1",
            "Coffee.example",
            "a..b",
            ".a",
            "a.",
            "a_b.example",
            "é.example",
            "a b.c",
            "[::1]",
        ] {
            assert!(bad.parse::<Hostname>().is_err(), "{bad}");
        }
        for header in ["Coffee.Example", "coffee.example:443", "coffee.example.", "COFFEE.example.:8443"] {
            assert_eq!(Hostname::of_header(header).unwrap().as_str(), "coffee.example", "{header}");
        }
        for header in ["localhost:8443", "127.0.0.1:1", "[::1]:443", "", ":"] {
            assert_eq!(Hostname::of_header(header), None, "{header}");
        }
    }

    #[test]
    fn a_sandbox_is_one_for_ever() {
        let mode = |mode| Change { legal_mode: Some(mode), ..Change::default() };
        let of = |mode| Settings { legal_mode: mode, ..Settings::new(Status::Active) };
        for (from, to, is_allowed) in [
            (None, LegalMode::Sandbox, true),
            (None, LegalMode::Authorised, true),
            (Some(LegalMode::LimitedPurpose), LegalMode::Authorised, true),
            (Some(LegalMode::Authorised), LegalMode::LimitedPurpose, true),
            (Some(LegalMode::Sandbox), LegalMode::Authorised, false),
            (Some(LegalMode::Authorised), LegalMode::Sandbox, false),
        ] {
            assert_eq!(of(from).changed(&mode(to)).is_ok(), is_allowed, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn a_change_that_changes_nothing_is_none() {
        let name: Hostname = "coffee.example".parse().unwrap();
        let change = Change {
            assets: Some(Some(BTreeSet::from(["BRL".to_owned()]))),
            add: BTreeSet::from([name.clone()]),
            ..Change::default()
        };
        let changed = Settings::new(Status::Active).changed(&change).unwrap().unwrap();
        assert!(changed.admits("BRL") && !changed.admits("USD"));
        assert_eq!(changed.changed(&change).unwrap(), None);
        let back = Change { assets: Some(None), remove: BTreeSet::from([name]), ..Change::default() };
        assert_eq!(changed.changed(&back).unwrap(), Some(Settings::new(Status::Active)));
    }
}
