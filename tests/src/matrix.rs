//! Route × caller: the table of `docs/access.md`, which people review and tests hold against the running server.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;
use vintem_api::routes::{Entry, ROUTES};
use vintem_core::access::{
    Caller, CitizenSession, Denied, Policy, Proof, Role, Scope, Scopes, Standing, TerminalSession,
};

/// Somebody who knocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Knocks {
    /// Without any proof.
    Nobody,
    /// A service client with one scope.
    Client(Scope),
    /// A member of the staff with one role.
    Staff(Role),
    /// A citizen on a device of theirs.
    Citizen,
    /// A terminal with the certificate that is good.
    Terminal,
}

/// What the table says of a route and a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell {
    /// Gets in.
    Yes,
    /// Gets in for some minutes after showing the second factor.
    StepUp,
    /// Does not.
    No,
}

impl Knocks {
    /// Every column.
    pub fn all() -> Vec<Self> {
        let clients = Scope::ALL.into_iter().map(Self::Client);
        let known = clients.chain(Role::all().map(Self::Staff));
        [Self::Nobody].into_iter().chain(known).chain([Self::Citizen, Self::Terminal]).collect()
    }

    /// The column's head.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Client(scope) => scope.as_str(),
            Self::Staff(role) => role.as_str(),
            Self::Citizen => "citizen",
            Self::Terminal => "terminal",
        }
    }

    fn caller(self, fresh_until: Option<DateTime<Utc>>) -> Option<Caller> {
        let proof = match self {
            Self::Nobody => return None,
            Self::Client(scope) => Proof::Client([scope].into_iter().collect::<Scopes>()),
            Self::Staff(role) => Proof::Staff(Arc::new(Standing::new(Uuid::nil(), &[role], &[], None, fresh_until))),
            Self::Citizen => {
                let own = Uuid::nil();
                Proof::Citizen(CitizenSession { session: own, device: own, account: own })
            }
            Self::Terminal => {
                let (terminal, service) = (Uuid::nil(), Uuid::nil());
                Proof::Terminal(TerminalSession { terminal, service, unit: None, is_superseded: false })
            }
        };
        Some(Caller { tenant: Uuid::nil(), subject: Uuid::nil(), proof })
    }

    /// What the code decides.
    fn decided(self, policy: Policy) -> Cell {
        let now = DateTime::UNIX_EPOCH;
        let Some(stale) = self.caller(None) else {
            return if policy == Policy::Public { Cell::Yes } else { Cell::No };
        };
        let Some(fresh) = self.caller(Some(now + TimeDelta::minutes(1))) else { return Cell::No };
        match (policy.admit(&stale, None, now), policy.admit(&fresh, None, now)) {
            (Ok(_), Ok(_)) => Cell::Yes,
            (Err(Denied::StepUp), Ok(_)) => Cell::StepUp,
            _ => Cell::No,
        }
    }
}

impl Cell {
    fn sign(self) -> &'static str {
        match self {
            Self::Yes => "✓",
            Self::StepUp => "2",
            Self::No => "·",
        }
    }

    fn read(sign: &str) -> Self {
        [Self::Yes, Self::StepUp].into_iter().find(|cell| cell.sign() == sign).unwrap_or(Self::No)
    }
}

/// Where the page is.
pub fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/access.md")
}

/// The table as the code decides it.
pub fn printed() -> String {
    let columns = Knocks::all();
    let mut table = String::from("| Route |");
    for column in &columns {
        // Writing to a string does not fail.
        let _ = write!(table, " {} |", column.name());
    }
    table.push_str("\n|---|");
    table.push_str(&":-:|".repeat(columns.len()));
    table.push('\n');
    for entry in ROUTES {
        let _ = write!(table, "| {} |", title(entry));
        for column in &columns {
            let _ = write!(table, " {} |", column.decided(entry.policy).sign());
        }
        table.push('\n');
    }
    table
}

/// The table as the page states it: a row per route, a cell per column.
pub fn stated() -> BTreeMap<String, Vec<Cell>> {
    let text = std::fs::read_to_string(page()).unwrap_or_default();
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| GET ") || line.starts_with("| P") || line.starts_with("| DELETE"));
    let cells = |row: &str| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let title = cells.next().unwrap_or_default().to_owned();
        (title, cells.map(Cell::read).collect())
    };
    rows.map(cells).collect()
}

/// A path with something in its places.
pub fn filled(path: &str) -> String {
    path.replace("{id}", "01983d6c-8a00-7000-8000-0000000000ff")
        .replace("{code}", "BRL")
        .replace("{key}", "k")
        .replace("{number}", "1")
        .replace("{txid}", "A7K2M9Q4X1B8C3D6E5F0G7H2J9K4")
        .replace("{refund}", "R7K2M9Q4X1B8C3D6E5F0G7H2J9K4")
}

/// A route's method, as this side's client has it.
pub fn method(entry: &Entry) -> Method {
    Method::from_bytes(entry.method.as_str().as_bytes()).unwrap()
}

/// A route as the table names it.
pub fn title(entry: &Entry) -> String {
    format!("{} {}", entry.method, entry.path)
}
