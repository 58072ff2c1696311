//! The caller of a request and the scopes it was granted.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::rights::{Grant, Rights};
use super::role::Role;

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
    /// Find holders, and read what is known of them, masked.
    HoldersRead = 8,
    /// Register and erase holders.
    HoldersWrite = 16,
    /// Read what is known of holders as it is: names, contacts, numbers. Each time is recorded.
    HoldersUnmask = 32,
    /// Search who did what.
    AuditRead = 64,
    /// Keep the fleet of terminals.
    TerminalsAdmin = 128,
}

impl Scope {
    /// Every scope, in the order they are printed.
    pub const ALL: [Self; 8] = [
        Self::LedgerRead,
        Self::LedgerWrite,
        Self::LedgerAdmin,
        Self::HoldersRead,
        Self::HoldersWrite,
        Self::HoldersUnmask,
        Self::AuditRead,
        Self::TerminalsAdmin,
    ];

    /// The scope as it stands in a token.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LedgerRead => "ledger:read",
            Self::LedgerWrite => "ledger:write",
            Self::LedgerAdmin => "ledger:admin",
            Self::HoldersRead => "holders:read",
            Self::HoldersWrite => "holders:write",
            Self::HoldersUnmask => "holders:unmask",
            Self::AuditRead => "audit:read",
            Self::TerminalsAdmin => "terminals:admin",
        }
    }
}

/// The text names no scope of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no scope of this name exists; the scopes are ledger:read, ledger:write, ledger:admin, holders:read, holders:write, \
     holders:unmask, audit:read and terminals:admin"
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

    /// All there are.
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
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

/// Who is calling, and what proved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Whose data the caller may see.
    pub tenant: Uuid,
    /// The stable identity that idempotency keys and events are recorded under.
    pub subject: Uuid,
    /// By what the caller is known.
    pub proof: Proof,
}

/// What proves a caller, and with it what was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A service client's token, with its scopes.
    Client(Scopes),
    /// A session of a member of the staff.
    Staff(Arc<Standing>),
    /// A citizen's session on a device of theirs.
    Citizen(CitizenSession),
    /// A terminal's certificate, on the connection that the request came over.
    Terminal(TerminalSession),
}

/// What a citizen's token says beside who they are; the subject is the holder. They see what is theirs, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitizenSession {
    /// The session.
    pub session: Uuid,
    /// The device that it is on.
    pub device: Uuid,
    /// The account that they pay from and are paid to.
    pub account: Uuid,
}

/// What is known of a terminal that comes with its certificate; the subject is the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSession {
    /// The terminal.
    pub terminal: Uuid,
    /// What it is paid for at.
    pub service: Uuid,
    /// Where it belongs.
    pub unit: Option<Uuid>,
    /// Whether the certificate is the one before the one that is good: its answer may have been lost.
    pub is_superseded: bool,
}

/// What a member of the staff may do in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The session.
    pub session: Uuid,
    /// Everything that the member's roles grant, and single grants.
    pub grants: Vec<Grant>,
    /// What the roles allow over money and secrets.
    pub rights: Rights,
    /// Where the member belongs.
    pub unit: Option<Uuid>,
    /// Until when the second factor that was shown last is fresh.
    pub fresh_until: Option<DateTime<Utc>>,
}

impl Standing {
    /// What roles and single grants add up to.
    pub fn new(
        session: Uuid,
        roles: &[Role],
        grants: &[Grant],
        unit: Option<Uuid>,
        fresh_until: Option<DateTime<Utc>>,
    ) -> Self {
        let rights = roles.iter().fold(Rights::default(), |all, role| all.union(role.rights()));
        let grants = roles.iter().flat_map(|role| role.grants()).chain(grants.iter().copied()).collect();
        Self { session, grants, rights, unit, fresh_until }
    }
}

impl Caller {
    /// The scopes of a client; nobody else has any.
    pub fn scopes(&self) -> Scopes {
        match self.proof {
            Proof::Client(scopes) => scopes,
            Proof::Staff(_) | Proof::Citizen(_) | Proof::Terminal(_) => Scopes::default(),
        }
    }

    /// A citizen's session; others have none.
    pub fn citizen(&self) -> Option<CitizenSession> {
        match self.proof {
            Proof::Citizen(session) => Some(session),
            Proof::Client(_) | Proof::Staff(_) | Proof::Terminal(_) => None,
        }
    }

    /// A terminal; others are none.
    pub fn terminal(&self) -> Option<TerminalSession> {
        match self.proof {
            Proof::Terminal(session) => Some(session),
            Proof::Client(_) | Proof::Staff(_) | Proof::Citizen(_) => None,
        }
    }

    /// As events name who caused them.
    pub fn actor(&self) -> Arc<str> {
        let kind = match self.proof {
            Proof::Client(_) => "client",
            Proof::Staff(_) => "staff",
            Proof::Citizen(_) => "citizen",
            Proof::Terminal(_) => "terminal",
        };
        let mut actor = String::with_capacity(44);
        // Writing to a string does not fail.
        let _ = write!(actor, "{kind}:{}", self.subject);
        actor.into()
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
    fn the_actor_says_what_kind_of_caller_it_was() {
        let caller = Caller { tenant: Uuid::nil(), subject: Uuid::nil(), proof: Proof::Client(Scopes::default()) };
        assert_eq!(&*caller.actor(), "client:00000000-0000-0000-0000-000000000000");
    }
}
