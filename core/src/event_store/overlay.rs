//! The pure heart of the writer: decides proposals against what is known under the lock.
//!
//! An overlay is built for one batch, holds every account, stream and counter that the batch
//! touches, and collects the rows to append. It can be rolled back to any mark, so that a
//! proposal, a group or a whole job leaves no trace when it is refused. The cache learns of
//! an overlay only after COMMIT was acknowledged.

use super::check;
use super::personal::{self, Personal};
use super::proposal::{Applied, Count, EntryAfter, Move, NewEvent, Proposal, Recorded, SettingsChange};
pub use super::rows::{AccountState, CounterRow, CounterState, EntryRow, EventRow, Origin, StreamState};
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use std::collections::HashMap;
use std::fmt::Write;
use uuid::Uuid;

/// Why a proposal stops.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// The business says no.
    Refused(Refusal),
    /// No for lack of funds on this account: expired holds on it may still return some.
    Short(Uuid, Refusal),
    /// A stream moved on since the service decided; it must decide again.
    Conflict,
}

/// The form of every payload until a kind's form changes.
pub const SCHEMA: i16 = 1;

/// State and rows of one batch in the making.
#[derive(Debug)]
pub struct Overlay {
    /// The batch's instant.
    pub now: Instant,
    /// Events to append.
    pub events: Vec<EventRow>,
    /// Entries to append.
    pub entries: Vec<EntryRow>,
    /// Counter rows to append.
    pub counters: Vec<CounterRow>,
    /// Personal keys to free and to claim.
    pub personal: Personal,
    next_position: i64,
    accounts: HashMap<Uuid, AccountState>,
    streams: HashMap<Uuid, StreamState>,
    counts: HashMap<(i64, String), CounterState>,
    undo: Vec<Undo>,
}

#[derive(Debug)]
enum Undo {
    Account(Uuid, Option<AccountState>),
    Stream(Uuid, Option<StreamState>),
    Counter((i64, String), Option<CounterState>),
}

/// A point to roll back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    undo: usize,
    /// How many events stood then.
    pub events: usize,
    /// How many entries stood then.
    pub entries: usize,
    counters: usize,
    personal: personal::Mark,
}

impl Overlay {
    /// An empty batch after `last_position`, with what was looked up for it.
    pub fn new(
        now: Instant,
        last_position: i64,
        accounts: HashMap<Uuid, AccountState>,
        streams: HashMap<Uuid, StreamState>,
    ) -> Self {
        Self {
            now,
            events: Vec::new(),
            entries: Vec::new(),
            counters: Vec::new(),
            personal: Personal::default(),
            next_position: last_position + 1,
            accounts,
            streams,
            counts: HashMap::new(),
            undo: Vec::new(),
        }
    }

    /// Adds counters looked up under the lock; their keys depend on the batch's instant.
    pub fn know_counters(&mut self, counters: HashMap<(i64, String), CounterState>) {
        self.counts = counters;
    }

    /// An account as it stands within this batch.
    pub fn account(&self, id: Uuid) -> Option<&AccountState> {
        self.accounts.get(&id)
    }

    /// A stream as it stands within this batch; `None` also when it was not looked up.
    pub fn stream(&self, id: Uuid) -> Option<StreamState> {
        self.streams.get(&id).copied()
    }

    /// Adds an account or stream that turned out to be needed (an expired hold's other side).
    pub fn know(&mut self, accounts: HashMap<Uuid, AccountState>, streams: HashMap<Uuid, StreamState>) {
        for (id, state) in accounts {
            self.accounts.entry(id).or_insert(state);
        }
        for (stream, state) in streams {
            self.streams.entry(stream).or_insert(state);
        }
    }

    /// The states to remember after COMMIT.
    pub fn into_accounts(self) -> HashMap<Uuid, AccountState> {
        self.accounts
    }

    /// Where the batch stands now.
    pub fn mark(&self) -> Mark {
        Mark {
            undo: self.undo.len(),
            events: self.events.len(),
            entries: self.entries.len(),
            counters: self.counters.len(),
            personal: self.personal.mark(),
        }
    }

    /// Forgets everything since `mark`.
    pub fn roll_back(&mut self, mark: Mark) {
        for undo in self.undo.drain(mark.undo..).rev() {
            match undo {
                Undo::Account(id, before) => restore(&mut self.accounts, id, before),
                Undo::Stream(stream, before) => restore(&mut self.streams, stream, before),
                Undo::Counter(key, before) => restore(&mut self.counts, key, before),
            }
        }
        self.next_position -= i64::try_from(self.events.len() - mark.events).unwrap_or(0);
        self.events.truncate(mark.events);
        self.entries.truncate(mark.entries);
        self.counters.truncate(mark.counters);
        self.personal.roll_back(mark.personal);
    }

    /// What was recorded since `mark`, for the caller.
    pub fn applied_since(&self, mark: Mark) -> Applied {
        Applied {
            events: self.events[mark.events..].iter().map(|row| row.recorded.clone()).collect(),
            entries: self.entries[mark.entries..].iter().map(|row| row.after).collect(),
        }
    }

    /// Applies a proposal wholly, or leaves no trace of it.
    pub fn propose(&mut self, origin: &Origin, proposal: &Proposal) -> Result<(), Stop> {
        let mark = self.mark();
        let result = self.try_propose(origin, proposal);
        if result.is_err() {
            self.roll_back(mark);
        }
        result
    }

    fn try_propose(&mut self, origin: &Origin, proposal: &Proposal) -> Result<(), Stop> {
        for expected in &proposal.expects {
            self.require_version(origin, expected.stream, expected.version)?;
        }
        check::time(proposal, self.now)?;
        for account in &proposal.must_be_empty {
            check::empty(self.accounts.get(account))?;
        }
        if let Some(change) = &proposal.personal {
            self.personal.apply(origin.tenant, change, self.next_position)?;
        }
        let mut counts = &proposal.counts[..];
        for event in &proposal.events {
            self.require_version(origin, event.stream, event.expected)?;
            self.append(origin, proposal, event, std::mem::take(&mut counts))?;
        }
        Ok(())
    }

    /// The version that a stream must have; a stream never looked up was drawn fresh and has none.
    ///
    /// An id that another tenant took is answered like one that the caller's own tenant took: deciding
    /// again would never see it, and the answer tells nothing that a random UUID's owner does not know.
    pub fn require_version(&self, origin: &Origin, stream: Uuid, expected: i32) -> Result<(), Stop> {
        match self.streams.get(&stream) {
            Some((owner, _)) if *owner != origin.tenant => Err(Stop::Refused(id_taken())),
            state if state.map_or(0, |(_, version)| *version) == expected => Ok(()),
            _ => Err(Stop::Conflict),
        }
    }

    fn append(&mut self, origin: &Origin, proposal: &Proposal, event: &NewEvent, counts: &[Count]) -> Result<(), Stop> {
        let position = self.next_position;
        let mut payload = event.payload.clone();
        if let Some(change) = &event.settings {
            self.set_settings(origin.tenant, change, position);
        }
        if !event.moves.is_empty() {
            payload.pop();
            payload.push_str(if payload.len() > 1 { ",\"moves\":[" } else { "\"moves\":[" });
            let open = check::open_amounts(&event.moves, &self.accounts).map_err(Stop::Refused)?;
            for (index, movement) in event.moves.iter().enumerate() {
                if index > 0 {
                    payload.push(',');
                }
                let posted = open.get(index).copied().unwrap_or(movement.posted);
                let after = self.move_money(origin, proposal, movement, posted, position)?;
                // A String never refuses to be written to.
                let _ = write!(
                    payload,
                    "[\"{}\",\"{}\",\"{}\",\"{}\"]",
                    movement.account,
                    posted.units(),
                    movement.held.units(),
                    movement.incoming.units()
                );
                self.entries.push(entry_row(origin.tenant, event, movement.account, posted, &after));
            }
            payload.push_str("]}");
        }
        self.count(origin, counts, position, &mut payload)?;
        let version = event.expected + 1;
        let before = self.streams.insert(event.stream, (origin.tenant, version));
        self.undo.push(Undo::Stream(event.stream, before));
        self.events.push(EventRow {
            recorded: Recorded {
                position,
                tenant: origin.tenant,
                stream: event.stream,
                version,
                kind: event.kind.into(),
                payload: payload.into(),
                effective_at: event.effective_at,
                recorded_at: self.now,
            },
            origin: origin.clone(),
        });
        self.next_position += 1;
        Ok(())
    }

    fn set_settings(&mut self, tenant: Uuid, change: &SettingsChange, position: i64) {
        let before = self.accounts.get(&change.account).copied();
        let opened = AccountState {
            number: position,
            tenant,
            scale: change.scale,
            settings: change.settings,
            version: 0,
            posted: Minor::ZERO,
            held: Minor::ZERO,
            incoming: Minor::ZERO,
            position,
        };
        self.accounts.insert(change.account, AccountState { settings: change.settings, ..before.unwrap_or(opened) });
        self.undo.push(Undo::Account(change.account, before));
    }

    fn move_money(
        &mut self,
        origin: &Origin,
        proposal: &Proposal,
        movement: &Move,
        posted: Minor,
        position: i64,
    ) -> Result<AccountState, Stop> {
        let place = |refusal: Refusal| match proposal.pointers.pointer(movement.line) {
            Some(pointer) => refusal.at(pointer),
            None => refusal,
        };
        let before = self.accounts.get(&movement.account).filter(|a| a.tenant == origin.tenant).copied();
        let before = before.ok_or_else(|| {
            Stop::Refused(place(Refusal::new(RefusalCode::UnknownAccount, "there is no such account")))
        })?;
        let after = check::movement(&before, movement, posted).map_err(|refusal| match refusal.code {
            RefusalCode::InsufficientFunds => Stop::Short(movement.account, place(refusal)),
            _ => Stop::Refused(place(refusal)),
        })?;
        let after = AccountState { version: before.version + 1, position, ..after };
        self.accounts.insert(movement.account, after);
        self.undo.push(Undo::Account(movement.account, Some(before)));
        Ok(after)
    }

    fn count(&mut self, origin: &Origin, counts: &[Count], position: i64, payload: &mut String) -> Result<(), Stop> {
        let mut separator = if payload.len() > 2 { ",\"counts\":[" } else { "\"counts\":[" };
        for count in counts {
            let (Some(window), Some(account)) =
                (count.window.key(self.now, count.zone), self.accounts.get(&count.account))
            else {
                continue;
            };
            let key = (account.number, window);
            let before = self.counts.get(&key).copied();
            let (version, used) = before.unwrap_or((0, Minor::ZERO));
            let used = check::counter(used, count, &key.1).map_err(Stop::Refused)?;
            if payload.ends_with('}') {
                payload.pop();
            }
            let _ = write!(payload, "{separator}[\"{}\",\"{}\",\"{}\"]", count.account, key.1, count.delta.units());
            separator = ",";
            self.counters.push(CounterRow {
                account: key.0,
                key: key.1.clone(),
                version: version + 1,
                position,
                used,
                tenant: origin.tenant,
            });
            self.counts.insert(key.clone(), (version + 1, used));
            self.undo.push(Undo::Counter(key, before));
        }
        if separator == "," {
            payload.push_str("]}");
        }
        Ok(())
    }
}

/// The refusal of an id that stands for other facts already.
pub fn id_taken() -> Refusal {
    Refusal::new(RefusalCode::IdempotencyMismatch, "the id was used before for other facts").at("/id")
}

fn entry_row(tenant: Uuid, event: &NewEvent, account: Uuid, amount: Minor, after: &AccountState) -> EntryRow {
    EntryRow {
        after: EntryAfter {
            account,
            number: after.number,
            version: after.version,
            position: after.position,
            kind: event.entry_kind as i16,
            amount,
            posted: after.posted,
            held: after.held,
            incoming: after.incoming,
        },
        tenant,
        effective_at: event.effective_at,
    }
}

fn restore<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
