//! From the log to the spool: who has an account, what moved, and on which day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::ExportError;
use super::book::Book;
use super::entry::Entry;
use super::log::{AccountOpened, Event, Movement, TenantCreated};
use super::spool::Spool;
use crate::import::plan::Side;

/// What an export is asked for.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// One account, by its ledger name, decoded name or id; none is all.
    pub account: Option<String>,
    /// The first day; what is before is brought forward.
    pub from: Option<NaiveDate>,
    /// The last day.
    pub to: Option<NaiveDate>,
}

/// Collects the events of a ledger.
pub struct Collector {
    selection: Selection,
    zone: Option<Tz>,
    /// The accounts seen so far.
    pub book: Book,
    /// The movements of the period.
    pub spool: Spool,
    /// Movements of before the period, as balances: debit positive by account.
    pub forward: BTreeMap<u32, i128>,
    /// The accounts that the journal will name.
    pub named: BTreeSet<u32>,
}

impl Collector {
    /// Collects `selection`; without a `zone` the days are those of the tenant.
    pub fn new(selection: Selection, zone: Option<Tz>) -> Result<Self, ExportError> {
        let spool = Spool::new().map_err(ExportError::Spool)?;
        Ok(Self { selection, zone, book: Book::default(), spool, forward: BTreeMap::new(), named: BTreeSet::new() })
    }

    /// Takes the next event.
    pub fn take(&mut self, event: &Event) -> Result<(), ExportError> {
        match event.kind.as_str() {
            "tenant.created" if self.zone.is_none() => {
                let TenantCreated { time_zone } = event.facts()?;
                self.zone = time_zone.parse().ok();
                Ok(())
            }
            "account.opened" => {
                let AccountOpened { name, asset, scale, normal_side } = event.facts()?;
                self.book.enter(event.id, name.as_deref(), asset, scale, normal_side);
                Ok(())
            }
            // Whatever moves money does so through its frozen legs, also in kinds that are yet to come.
            _ => self.movement(event),
        }
    }

    /// The day before which nothing stands.
    pub fn first_day(&self) -> NaiveDate {
        self.selection.from.or_else(|| self.spool.first_day()).unwrap_or_default()
    }

    /// The indexes of the account asked for; `None` is all accounts.
    pub fn selected(&self) -> Result<Option<Vec<u32>>, ExportError> {
        let Some(name) = &self.selection.account else { return Ok(None) };
        let found = self.book.named(name);
        if found.is_empty() { Err(ExportError::UnknownAccount(name.clone())) } else { Ok(Some(found)) }
    }

    fn movement(&mut self, event: &Event) -> Result<(), ExportError> {
        let movement: Movement = event.facts()?;
        let legs = self.legs(event, &movement)?;
        if legs.is_empty() || !self.concerns(&legs) {
            return Ok(());
        }
        let effective_at = event.effective_at.unwrap_or(event.recorded_at);
        let date = self.day(effective_at);
        if self.selection.to.is_some_and(|to| date > to) {
            return Ok(());
        }
        self.named.extend(legs.iter().map(|(account, _)| account));
        if self.selection.from.is_some_and(|from| date < from) {
            for (account, debit) in legs {
                *self.forward.entry(account).or_default() += debit;
            }
            return Ok(());
        }
        let tags = tags(event, &movement);
        let description = movement.description.unwrap_or_default();
        let entry = Entry { date, description, tags, legs, other_side: None };
        self.spool.push(effective_at, &entry).map_err(ExportError::Spool)
    }

    /// The legs that change a posted balance, debit positive.
    fn legs(&self, event: &Event, movement: &Movement) -> Result<Vec<(u32, i128)>, ExportError> {
        let mut legs = Vec::with_capacity(movement.moves.len());
        for (id, posted, ..) in &movement.moves {
            let posted: i128 = posted.parse().map_err(|_| ExportError::Move { position: event.position })?;
            if posted != 0 {
                let account = self.book.find(id).ok_or(ExportError::Move { position: event.position })?;
                let is_debit = self.book.account(account).normal_side == Side::Debit;
                legs.push((account, if is_debit { posted } else { -posted }));
            }
        }
        Ok(legs)
    }

    /// Accounts are opened before they move, so the one asked for is known by then if it is concerned.
    fn concerns(&self, legs: &[(u32, i128)]) -> bool {
        match &self.selection.account {
            None => true,
            Some(name) => legs.iter().any(|(account, _)| self.book.account(*account).is_named(name)),
        }
    }

    fn day(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.zone.unwrap_or(Tz::UTC)).date_naive()
    }
}

fn tags(event: &Event, movement: &Movement) -> Vec<(String, String)> {
    let id = movement.reversal.unwrap_or(event.id);
    let mut tags =
        vec![("vintem-id".to_owned(), id.to_string()), ("vintem-position".to_owned(), event.position.to_string())];
    if movement.reversal.is_some() {
        tags.push(("vintem-reverses".to_owned(), event.id.to_string()));
    }
    tags.extend(movement.hold.map(|hold| ("vintem-hold".to_owned(), hold.to_string())));
    tags.extend(movement.metadata.iter().map(|(name, value)| (name.clone(), value.clone())));
    tags
}
