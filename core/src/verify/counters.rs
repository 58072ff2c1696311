//! Counter rows are the fold of the counts in the events.
//!
//! There is a counter per account, window and day, for ever, so they are not kept in memory: each row is held
//! against its event and the row before, and a sum over both sides tells whether a row is missing.

use super::Audit;
use super::fold::Fold;
use super::report::{Rule, Subject};
use super::store::derived::{self, Counter};
use super::store::log;
use crate::event_store::legs::Legs;
use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

const PAGE: i64 = 5_000;
const EVENTS: i64 = 5_000;

/// How much was counted: a number, and a sum of digests in which rows cannot stand for each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CountSum {
    rows: u64,
    sum: u128,
}

impl CountSum {
    /// Adds a count.
    pub fn add(&mut self, position: i64, account: Uuid, key: &str, delta: &str) {
        let mut bytes = Vec::with_capacity(48 + key.len() + delta.len());
        bytes.extend_from_slice(&position.to_be_bytes());
        bytes.extend_from_slice(account.as_bytes());
        bytes.extend_from_slice(&(key.len() as u64).to_be_bytes());
        bytes.extend_from_slice(key.as_bytes());
        bytes.extend_from_slice(delta.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest(&SHA256, &bytes).as_ref()[..16]);
        self.rows += 1;
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
    }
}

/// Compares the counter rows with what was counted.
pub(super) async fn check(audit: &mut Audit<'_>, fold: &Fold) -> Result<(), sqlx::Error> {
    let mut found = CountSum::default();
    let mut before: Option<Counter> = None;
    loop {
        let after = before.as_ref().map_or((i64::MIN, "", 0), |row| (row.account, row.key.as_str(), row.version));
        let page = derived::counters(audit.session, audit.shard, after, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            if row.position <= audit.end.position {
                let previous = before.as_ref().filter(|b| b.account == row.account && b.key == row.key);
                let next = previous.map_or(0, |previous| previous.version) + 1;
                if row.version != next {
                    audit.findings.add(
                        Rule::Counter,
                        Subject::Counter(row.account, row.key.clone(), next),
                        "is missing",
                    );
                }
                if let Err(detail) = judge(&row, previous, fold, &mut found) {
                    audit.findings.add(
                        Rule::Counter,
                        Subject::Counter(row.account, row.key.clone(), row.version),
                        detail,
                    );
                }
            } else if row.payload.is_none() {
                let subject = Subject::Counter(row.account, row.key.clone(), row.version);
                audit.findings.add(
                    Rule::Counter,
                    subject,
                    format!("names event {}, which does not exist", row.position),
                );
            }
            before = Some(row);
        }
    }
    if found == fold.counted { Ok(()) } else { missing(audit, fold).await }
}

fn judge(row: &Counter, before: Option<&Counter>, fold: &Fold, found: &mut CountSum) -> Result<(), String> {
    let used = before.map_or(0, |before| before.used);
    let account = fold.accounts.by_number(row.account).ok_or("belongs to no account")?;
    let payload =
        row.payload.as_deref().ok_or_else(|| format!("names event {}, which does not exist", row.position))?;
    let legs = Legs::read(payload).map_err(|_| format!("names event {}, which cannot be read", row.position))?;
    let counts = legs.counts.iter().find(|(id, key, _)| *id == account.id && *key == row.key);
    let (_, _, delta) = counts.ok_or_else(|| format!("is not in its event {}", row.position))?;
    found.add(row.position, account.id, &row.key, delta);
    let delta: i64 = delta.parse().map_err(|_| "counts what is not a number")?;
    if before.is_some_and(|before| before.position >= row.position) {
        return Err("does not come after the version before it".to_owned());
    }
    if row.tenant != account.tenant || row.event_tenant != Some(row.tenant) {
        return Err(format!("is of tenant {}, the log says {}", row.tenant, account.tenant));
    }
    let expected = i128::from(used) + i128::from(delta);
    if i128::from(row.used) != expected.max(0) {
        return Err(format!("has {} used, the log says {}", row.used, expected.max(0)));
    }
    Ok(())
}

/// The sums differ: the log is walked once more for counts that have no row.
async fn missing(audit: &mut Audit<'_>, fold: &Fold) -> Result<(), sqlx::Error> {
    let mut position = 0;
    loop {
        let events = log::events(audit.session, audit.shard, position, audit.end.position, EVENTS).await?;
        let Some(last) = events.rows.last() else { return Ok(()) };
        let mut counts: Vec<(i64, String, i64)> = Vec::new();
        for row in &events.rows {
            let Ok(legs) = Legs::read(&row.recorded.payload) else { continue };
            let of = |id: Uuid| fold.accounts.by_id(id).map(|account| account.number);
            counts.extend(
                legs.counts.iter().filter_map(|(id, key, _)| Some((of(*id)?, key.to_string(), row.recorded.position))),
            );
        }
        position = last.recorded.position;
        if !counts.is_empty() {
            for uncounted in derived::uncounted(audit.session, audit.shard, &counts).await? {
                audit.findings.add(
                    Rule::Counter,
                    Subject::Event(uncounted),
                    "counted something that has no counter row",
                );
            }
        }
    }
}
