//! The caller of a request and the scopes it was granted.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// A right that a service client can be granted. None implies another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Read accounts, transactions, events and reports.
    LedgerRead = 1,
    /// Move money: transactions, holds, batches, reversals.
    LedgerWrite = 2,
    /// Register assets; open, limit, freeze and close accounts.
    LedgerAdmin = 4,
    /// Read what is known of holders: names, contacts, numbers.
    HoldersRead = 8,
    /// Register and erase holders.
    HoldersWrite = 16,
}

impl Scope {
    /// Every scope, in the order they are printed.
    pub const ALL: [Self; 5] =
        [Self::LedgerRead, Self::LedgerWrite, Self::LedgerAdmin, Self::HoldersRead, Self::HoldersWrite];

    /// Whether it lets its holder look and change nothing.
    pub fn is_read(self) -> bool {
        matches!(self, Self::LedgerRead | Self::HoldersRead)
    }

    /// The scope as it stands in a token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LedgerRead => "ledger:read",
            Self::LedgerWrite => "ledger:write",
            Self::LedgerAdmin => "ledger:admin",
            Self::HoldersRead => "holders:read",
            Self::HoldersWrite => "holders:write",
        }
    }
}

/// The text names no scope of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no scope of this name exists; the scopes are ledger:read, ledger:write, ledger:admin, holders:read and holders:write"
)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Parses names separated by spaces, as in a token, or by commas, as on a command line.
    pub fn parse(text: &str) -> Result<Self, UnknownScope> {
        text.split([' ', ',']).filter(|name| !name.is_empty()).map(Scope::from_str).collect()
    }

    /// Whether the scope is among them.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope as u8 != 0
    }

    /// Those that are also in `other`.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope as u8))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}", scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

/// Who is calling, as proven by a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Whose data the caller may see.
    pub tenant: Uuid,
    /// The stable identity that idempotency keys and events are recorded under.
    pub subject: Uuid,
    /// What was granted.
    pub scopes: Scopes,
}

/// The caller is known, but was not granted the scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the scope {}", .0.as_str())]
pub struct Forbidden(pub Scope);

impl Caller {
    /// Passes if the scope was granted.
    pub fn require(&self, scope: Scope) -> Result<(), Forbidden> {
        if self.scopes.contains(scope) { Ok(()) } else { Err(Forbidden(scope)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_and_print_alike() {
        let scopes = Scopes::parse("ledger:write ledger:read").unwrap();
        assert_eq!(scopes.to_string(), "ledger:read ledger:write");
        assert_eq!(Scopes::parse("ledger:read,ledger:write").unwrap(), scopes);
        assert_eq!(Scopes::parse("").unwrap().to_string(), "");
        assert_eq!(Scopes::parse("ledger:reads"), Err(UnknownScope));
        assert_eq!(Scopes::parse("LEDGER:READ"), Err(UnknownScope));
    }

    #[test]
    fn no_scope_implies_another() {
        let scopes = Scopes::parse("ledger:admin").unwrap();
        let caller = Caller { tenant: Uuid::nil(), subject: Uuid::nil(), scopes };
        assert_eq!(caller.require(Scope::LedgerAdmin), Ok(()));
        assert_eq!(caller.require(Scope::LedgerWrite), Err(Forbidden(Scope::LedgerWrite)));
        assert_eq!(caller.require(Scope::LedgerRead), Err(Forbidden(Scope::LedgerRead)));
    }
}
