//! The same questions as a verification's, asked of a sample, always.
//!
//! A window of positions rolls over the log; of its events the entries are held against what the events moved, and the
//! look-up rows that its streams leave against the tables. A page of rows rolls over each look-up table, and is held
//! against the streams that they come from. A trial balance is added up a page of accounts at a time, at one position.
//! Once in a while one projection is folded anew.
//!
//! Something that was found is looked for once more in the same snapshot (for the trial balance: at the same
//! position, which never changes). Only what was found twice, and was the same, is [`Checked::is_certain`]: on that a
//! shard is halted. What was found once is told, and nothing more.

use super::account::Moved;
use super::look_ups::{self, difference};
use super::report::{Finding, Findings, Rule, Silent, Subject};
use super::store::drift::{self as store, Balance, EntryOf};
use super::store::{log, look_ups as temporary};
use super::{Audit, fold, views};
use crate::event_store::legs::Legs;
use crate::event_store::overlay::EventRow;
use crate::event_store::shadow::{self, Key, Table};
use crate::projections::ALL;
use sqlx::{Connection, PgConnection};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Events looked at in one snapshot.
const WINDOW: i64 = 1_000;
/// Streams of each kind and window whose look-ups are folded anew in one snapshot.
const STREAMS: usize = 20;
/// Rows of each look-up table held against their streams in one snapshot.
const ROWS: i64 = 100;
/// The stream of a row that names the event it comes from.
const BY_POSITION: &str = "(SELECT stream FROM event e WHERE e.shard = it.shard AND e.position = it.position)";
/// Accounts added up in one round.
const ACCOUNTS: i64 = 5_000;

/// What one check of a round says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// `entries`, `look-ups`, `trial-balance` or `projections`.
    pub check: &'static str,
    /// How many rows were looked at.
    pub count: u64,
    /// What is wrong, the first few.
    pub findings: Vec<Finding>,
    /// It was found twice, and was the same.
    pub is_certain: bool,
}

/// Where the checks of a shard stand.
#[derive(Debug, Default)]
pub struct Drift {
    shard: i16,
    /// The window begins after this position.
    position: i64,
    pages: Pages,
    totals: Totals,
    view: usize,
}

/// Where the page of each look-up table begins; a table that is not in it is begun anew.
type Pages = BTreeMap<&'static str, Key>;

/// A trial balance that is being added up.
#[derive(Debug, Default)]
struct Totals {
    /// As of here; 0 before it is begun.
    position: i64,
    /// Accounts up to this number are in it.
    account: i64,
    sums: BTreeMap<(Uuid, String), i128>,
    /// What the first pass found, while the second goes over the same.
    first: Option<Vec<Finding>>,
}

impl Drift {
    /// Of a shard, from the beginning of its log.
    pub fn new(shard: i16) -> Self {
        Self { shard, ..Self::default() }
    }

    /// Checks the next window, and the newest events. The session acts as the auditor.
    pub async fn round(&mut self, session: &mut PgConnection) -> Result<Vec<Checked>, sqlx::Error> {
        let newest = log::newest(session, self.shard).await?;
        if self.position >= newest {
            self.position = 0;
        }
        let windows = [(self.position, self.position + WINDOW), ((newest - WINDOW).max(0), newest)];
        self.position += WINDOW;
        let mut checked = Vec::new();
        for (after, to) in windows {
            checked.push(entries(session, self.shard, after, to).await?);
        }
        checked.push(look_ups(session, self.shard, windows, &mut self.pages).await?);
        checked.push(self.totals.page(session, self.shard).await?);
        Ok(checked)
    }

    /// Folds the next projection anew and compares it. That costs as much as the log is long.
    pub async fn next_view(&mut self, session: &mut PgConnection) -> Result<Checked, sqlx::Error> {
        let projection = ALL[self.view % ALL.len()];
        self.view += 1;
        let end = log::end(session, self.shard).await?;
        let mut audit = Audit { session, shard: self.shard, end, findings: Findings::default(), progress: &mut Silent };
        let is_checked = views::check_one(&mut audit, projection).await?;
        let count = if is_checked { u64::try_from(end.position).unwrap_or(0) } else { 0 };
        let findings = audit.findings.told().to_vec();
        Ok(Checked { check: "projections", count, findings, is_certain: false })
    }
}

/// Entries against what their events moved.
async fn entries(session: &mut PgConnection, shard: i16, after: i64, to: i64) -> Result<Checked, sqlx::Error> {
    let mut snapshot = session.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    let (count, findings) = entries_once(&mut snapshot, shard, after, to).await?;
    let is_certain = !findings.is_empty() && entries_once(&mut snapshot, shard, after, to).await?.1 == findings;
    snapshot.commit().await?;
    Ok(Checked { check: "entries", count, findings, is_certain })
}

async fn entries_once(
    snapshot: &mut PgConnection,
    shard: i16,
    after: i64,
    to: i64,
) -> Result<(u64, Vec<Finding>), sqlx::Error> {
    let events = log::events(snapshot, shard, after, to, WINDOW).await?;
    let (mut wanted, mut findings): (Vec<(i64, Moved)>, _) = (Vec::new(), Findings::default());
    for row in &events.rows {
        let (position, legs) = (row.recorded.position, Legs::read(&row.recorded.payload));
        match legs.ok().and_then(|legs| fold::moves(&legs)) {
            Some(moves) => wanted.extend(moves.into_iter().map(|moved| (position, moved))),
            None => findings.add(Rule::Payload, Subject::Event(position), "has a payload that cannot be read"),
        }
    }
    let keys: Vec<(Uuid, i64)> = wanted.iter().map(|(position, moved)| (moved.account, *position)).collect();
    let found = store::entries_of(snapshot, shard, &keys).await?;
    for ((position, moved), entry) in wanted.iter().zip(found) {
        match entry {
            None => {
                let detail = format!("moved account {}, which has no entry of it", moved.account);
                findings.add(Rule::Entry, Subject::Event(*position), detail);
            }
            Some(entry) if !follows(&entry, moved) => {
                let detail = format!("does not follow from the entry before it and event {position}");
                findings.add(Rule::Entry, Subject::Entry(entry.account, entry.version), detail);
            }
            Some(_) => {}
        }
    }
    Ok((wanted.len() as u64, findings.told().to_vec()))
}

/// Whether an entry is the one before it and what the event moved.
fn follows(entry: &EntryOf, moved: &Moved) -> bool {
    let EntryOf { before, after, .. } = entry;
    let sum = |before: i64, change: i64| before.checked_add(change);
    // The first entry follows nothing; another one whose predecessor is gone does not follow.
    let Some(before) = before.or((entry.version == 1).then_some(Balance::default())) else { return false };
    entry.amount == moved.posted
        && sum(before.posted, moved.posted) == Some(after.posted)
        && sum(before.held, moved.held) == Some(after.held)
        && sum(before.incoming, moved.incoming) == Some(after.incoming)
}

/// A page of each look-up table against the streams that its rows come from, and what the windows' streams leave in the
/// table against the table.
async fn look_ups(
    session: &mut PgConnection,
    shard: i16,
    windows: [(i64, i64); 2],
    pages: &mut Pages,
) -> Result<Checked, sqlx::Error> {
    let mut checked = Checked { check: "look-ups", count: 0, findings: Vec::new(), is_certain: true };
    for table in temporary::TABLES {
        // Only what the table's streams fill is doubled: the fold of holds looks into the real accounts.
        let doubled = source(table).fills;
        temporary::begin(session, doubled).await?;
        let (count, findings, is_certain) = look_ups_of(session, shard, table, windows, pages).await?;
        temporary::finish(session, doubled).await?;
        checked.count += count;
        checked.is_certain &= is_certain || findings.is_empty();
        checked.findings.extend(findings);
    }
    checked.is_certain &= !checked.findings.is_empty();
    Ok(checked)
}

async fn look_ups_of(
    session: &mut PgConnection,
    shard: i16,
    table: &Table,
    windows: [(i64, i64); 2],
    pages: &mut Pages,
) -> Result<(u64, Vec<Finding>, bool), sqlx::Error> {
    let mut snapshot = session.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
    let Source { kinds, stream, .. } = source(table);
    let mut streams = BTreeSet::new();
    for (after, to) in windows {
        let events = log::events(&mut snapshot, shard, after, to, WINDOW).await?;
        let of_table = events.rows.iter().filter(|row| row.recorded.kind.starts_with(kinds));
        streams.extend(of_table.map(|row| row.recorded.stream).take(STREAMS));
    }
    let after = pages.remove(table.name).unwrap_or_else(|| table.lowest());
    let next = shadow::boundary(&mut snapshot, table, "public", shard, &after, ROWS).await?;
    let page = (after, next.clone().unwrap_or_else(|| table.highest()));
    streams.extend(shadow::streams(&mut snapshot, table, stream, shard, &page).await?);
    let rows = store::streams(&mut snapshot, shard, &streams.iter().copied().collect::<Vec<_>>()).await?;
    let findings = differing(&mut snapshot, shard, table, &rows, &page).await?;
    let is_certain = !findings.is_empty() && differing(&mut snapshot, shard, table, &rows, &page).await? == findings;
    snapshot.commit().await?;
    if let Some(next) = next {
        pages.insert(table.name, next);
    }
    Ok((streams.len() as u64, findings, is_certain))
}

/// Where the rows of a table come from.
struct Source {
    /// The kinds of events that make them begin so.
    kinds: &'static str,
    /// Which stream a row comes from.
    stream: &'static str,
    /// The tables that these streams fill.
    fills: &'static [&'static str],
}

fn source(table: &Table) -> Source {
    let (kinds, stream, fills): (_, _, &[&str]) = match table.name {
        "account" => ("account.", "id", &["account"]),
        "open_hold" => ("hold.", "hold", &["open_hold"]),
        "asset" => ("asset.", BY_POSITION, &["asset"]),
        "charge" => ("charge.", "id", &["charge", "charge_move"]),
        "charge_move" => ("charge.", "charge", &["charge", "charge_move"]),
        "provider" => ("provider.", "provider", &["provider"]),
        "service" => ("service.", "service", &["service"]),
        "terminal" => ("terminal.", "terminal", &["terminal"]),
        _ => ("transaction.", BY_POSITION, &["transaction_metadata"]),
    };
    Source { kinds, stream, fills }
}

/// Folds streams into the doubled table, compares the page and what the streams left, and leaves the double empty.
async fn differing(
    snapshot: &mut PgConnection,
    shard: i16,
    table: &Table,
    rows: &[EventRow],
    (after, upto): &(Key, Key),
) -> Result<Vec<Finding>, sqlx::Error> {
    let mut folding = snapshot.begin().await?;
    look_ups::fold(&mut folding, shard, rows).await?;
    // In the page every stored row's stream was folded, so there neither side may have a row of its own.
    let mut found = shadow::compare(&mut folding, table, temporary::SHADOW, shard, after, upto).await?;
    found.extend(shadow::missing(&mut folding, table, temporary::SHADOW, shard).await?);
    folding.rollback().await?;
    found.sort();
    found.dedup();
    let mut findings = Findings::default();
    for (key, stored, folded) in found {
        let detail = difference(stored.as_deref(), folded.as_deref());
        findings.add(Rule::LookUp, Subject::LookUp(table.name, key), detail);
    }
    Ok(findings.told().to_vec())
}

impl Totals {
    /// Adds the next accounts up.
    async fn page(&mut self, session: &mut PgConnection, shard: i16) -> Result<Checked, sqlx::Error> {
        if self.position == 0 {
            self.position = log::newest(session, shard).await?;
        }
        let page = store::posted(session, shard, self.position, self.account, ACCOUNTS).await?;
        for account in &page {
            let posted = i128::from(account.posted);
            let sum = self.sums.entry((account.tenant, account.asset.clone())).or_default();
            *sum += if account.is_debit { posted } else { -posted };
        }
        let mut checked =
            Checked { check: "trial-balance", count: page.len() as u64, findings: Vec::new(), is_certain: false };
        match page.last() {
            Some(last) => self.account = last.account,
            None => self.close(&mut checked),
        }
        Ok(checked)
    }

    /// Every account is in it. A sum that is not zero is added up once more.
    fn close(&mut self, checked: &mut Checked) {
        let mut findings = Findings::default();
        for ((tenant, code), sum) in self.sums.iter().filter(|(_, sum)| **sum != 0) {
            let detail = format!("debits and credits differ by {sum} minor units as of position {}", self.position);
            findings.add(Rule::Total, Subject::Asset(*tenant, code.clone()), detail);
        }
        checked.findings = findings.told().to_vec();
        let first = self.first.take();
        if checked.findings.is_empty() || first.is_some() {
            checked.is_certain = first.is_some_and(|first| first == checked.findings && !first.is_empty());
            *self = Self::default();
        } else {
            *self = Self { position: self.position, first: Some(checked.findings.clone()), ..Self::default() };
        }
    }
}
