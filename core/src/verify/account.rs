//! An account folded from the log, in as few bytes as will do: there may be millions.

use crate::event_store::overlay::AccountState;
use crate::event_store::proposal::{EntryKind, Settings, Status};
use crate::kernel::{Instant, Minor};
use crate::ledger::known::Side;
use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

/// Changes of an account's balances, as an event states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Whose.
    pub account: Uuid,
    /// Change of what is posted.
    pub posted: i64,
    /// Change of what is held.
    pub held: i64,
    /// Change of what is announced.
    pub incoming: i64,
}

/// An account as the log says it is.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    /// Its stream.
    pub id: Uuid,
    /// Owner.
    pub tenant: Uuid,
    /// Over all entries so far, one after the other.
    pub digest: [u8; 16],
    /// The position of its opening.
    pub number: i64,
    /// Entries so far.
    pub version: i64,
    /// The event of the newest one.
    pub position: i64,
    /// Balance.
    pub posted: i64,
    /// Held back.
    pub held: i64,
    /// Announced.
    pub incoming: i64,
    /// Lowest `available`.
    pub min: Option<i64>,
    /// Highest `posted + incoming`.
    pub max: Option<i64>,
    /// Version of its stream.
    pub settings_version: i32,
    /// Which asset, in the fold's list.
    pub asset: u32,
    /// The asset's scale.
    pub scale: u8,
    /// The side that raises it.
    pub side: Side,
    /// Money may leave.
    pub sends: bool,
    /// Money may arrive.
    pub receives: bool,
    /// Open, frozen, closed.
    pub status: Status,
}

impl Account {
    /// As the writer knows it, for its own rules.
    pub fn state(&self) -> AccountState {
        AccountState {
            number: self.number,
            tenant: self.tenant,
            scale: self.scale,
            settings: Settings {
                version: self.settings_version,
                min_balance: self.min.map(Minor::from_bigint),
                max_balance: self.max.map(Minor::from_bigint),
                sends: self.sends,
                receives: self.receives,
                status: self.status,
            },
            version: self.version,
            posted: Minor::from_bigint(self.posted),
            held: Minor::from_bigint(self.held),
            incoming: Minor::from_bigint(self.incoming),
            position: self.position,
        }
    }

    /// The same account before its first entry.
    pub fn afresh(&self) -> Self {
        Self { digest: [0; 16], version: 0, position: self.number, posted: 0, held: 0, incoming: 0, ..*self }
    }

    /// Folds a move; answers the entry that it must have left, `None` when a balance leaves 64 bits.
    pub fn fold(&mut self, moved: &Moved, kind: EntryKind, event: &EventFacts) -> Option<Line> {
        self.posted = self.posted.checked_add(moved.posted)?;
        self.held = self.held.checked_add(moved.held)?;
        self.incoming = self.incoming.checked_add(moved.incoming)?;
        self.version += 1;
        self.position = event.position;
        let line = Line {
            kind: kind as i16,
            version: self.version,
            position: event.position,
            amount: moved.posted,
            posted: self.posted,
            held: self.held,
            incoming: self.incoming,
            tenant: event.tenant,
            effective_at: event.effective_at,
        };
        self.digest = line.after(&self.digest);
        Some(line)
    }
}

/// What an entry takes over from its event.
#[derive(Debug, Clone, Copy)]
pub struct EventFacts {
    /// Where it stands.
    pub position: i64,
    /// Whose it is.
    pub tenant: Uuid,
    /// Its value date.
    pub effective_at: Option<Instant>,
}

/// Every column of an entry but shard and account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// As stored.
    pub kind: i16,
    /// Contiguous per account.
    pub version: i64,
    /// The event.
    pub position: i64,
    /// Change of posted.
    pub amount: i64,
    /// Balance after.
    pub posted: i64,
    /// Held after.
    pub held: i64,
    /// Announced after.
    pub incoming: i64,
    /// Owner.
    pub tenant: Uuid,
    /// Value date where it differs.
    pub effective_at: Option<Instant>,
}

impl Line {
    /// The digest of an account's entries after this one, given that of the ones before. It is chained and
    /// not summed, so that rows cannot make up for each other.
    pub fn after(&self, before: &[u8; 16]) -> [u8; 16] {
        let mut bytes = [0; 92];
        bytes[..16].copy_from_slice(before);
        bytes[16..32].copy_from_slice(self.tenant.as_bytes());
        let effective = self.effective_at.map_or(0, |at| at.timestamp_micros());
        let numbers = [self.version, self.position, self.amount, self.posted, self.held, self.incoming, effective];
        for (place, number) in bytes[32..88].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        bytes[88..90].copy_from_slice(&self.kind.to_be_bytes());
        bytes[90] = u8::from(self.effective_at.is_some());
        let mut after = [0; 16];
        after.copy_from_slice(&digest(&SHA256, &bytes).as_ref()[..16]);
        after
    }

    /// What a stored row says differently, in words.
    pub fn difference(&self, stored: &Self) -> String {
        let instant = |at: Option<Instant>| at.map_or("none".to_owned(), crate::kernel::instant::to_text);
        let columns = [
            ("kind", self.kind.to_string(), stored.kind.to_string()),
            ("position", self.position.to_string(), stored.position.to_string()),
            ("amount", self.amount.to_string(), stored.amount.to_string()),
            ("posted", self.posted.to_string(), stored.posted.to_string()),
            ("held", self.held.to_string(), stored.held.to_string()),
            ("incoming", self.incoming.to_string(), stored.incoming.to_string()),
            ("tenant", self.tenant.to_string(), stored.tenant.to_string()),
            ("effective_at", instant(self.effective_at), instant(stored.effective_at)),
        ];
        let differing = columns.into_iter().filter(|(_, expected, found)| expected != found);
        let words: Vec<String> =
            differing.map(|(name, expected, found)| format!("{name} is {found}, the log says {expected}")).collect();
        words.join("; ")
    }
}

/// All accounts, in order of their numbers, which is the order of their openings.
#[derive(Debug, Default)]
pub struct Accounts {
    list: Vec<Account>,
    by_id: std::collections::HashMap<Uuid, u32>,
}

impl Accounts {
    /// Adds an account; `false` when it was there.
    pub fn open(&mut self, account: Account) -> bool {
        let Ok(index) = u32::try_from(self.list.len()) else { return false };
        let is_new = !self.by_id.contains_key(&account.id);
        if is_new {
            self.by_id.insert(account.id, index);
            self.list.push(account);
        }
        is_new
    }

    /// By its stream.
    pub fn by_id(&self, id: Uuid) -> Option<&Account> {
        self.by_id.get(&id).map(|index| &self.list[*index as usize])
    }

    /// By its stream, to fold.
    pub fn by_id_mut(&mut self, id: Uuid) -> Option<&mut Account> {
        self.by_id.get(&id).map(|index| &mut self.list[*index as usize])
    }

    /// By its internal number.
    pub fn by_number(&self, number: i64) -> Option<&Account> {
        self.list.binary_search_by_key(&number, |account| account.number).ok().map(|index| &self.list[index])
    }

    /// In order of their numbers.
    pub fn iter(&self) -> std::slice::Iter<'_, Account> {
        self.list.iter()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.list.len()
    }
}
