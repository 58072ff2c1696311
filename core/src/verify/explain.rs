//! Which entry is wrong: accounts whose digests differ are folded once more, row by row.

use super::Audit;
use super::account::{Account, EventFacts, Line};
use super::fold::{Fold, moves};
use super::report::{Findings, Rule, Subject};
use super::store::{derived, log};
use crate::event_store::legs::Legs;
use crate::ledger::event;
use sqlx::PgConnection;
use std::collections::{HashMap, VecDeque};
use uuid::Uuid;

const EVENTS: i64 = 5_000;
const ENTRIES: i64 = 1_000;

/// An account on its way through the log again, beside its stored entries.
struct Suspect {
    account: Account,
    stored: VecDeque<Line>,
    read_to: i64,
    is_done: bool,
}

/// Names the first wrong entry of each account.
pub(super) async fn explain(audit: &mut Audit<'_>, fold: &Fold, broken: &[Account]) -> Result<(), sqlx::Error> {
    if broken.is_empty() {
        return Ok(());
    }
    let suspect = |account: &Account| Suspect {
        account: account.afresh(),
        stored: VecDeque::new(),
        read_to: i64::MIN,
        is_done: false,
    };
    let mut suspects: HashMap<Uuid, Suspect> = broken.iter().map(|account| (account.id, suspect(account))).collect();
    audit.progress.begin("events again", u64::try_from(audit.end.position).unwrap_or(0));
    let mut position = 0;
    loop {
        let events = log::events(audit.session, audit.shard, position, audit.end.position, EVENTS).await?;
        let Some(last) = events.rows.last() else { break };
        position = last.recorded.position;
        for row in &events.rows {
            let recorded = &row.recorded;
            let Some(kind) = event::entry_kind(&recorded.kind, &recorded.payload) else { continue };
            let Some(moves) = Legs::read(&recorded.payload).ok().and_then(|legs| moves(&legs)) else { continue };
            let facts = EventFacts {
                position: recorded.position,
                tenant: recorded.tenant,
                effective_at: recorded.effective_at,
            };
            for moved in &moves {
                let Some(suspect) = suspects.get_mut(&moved.account).filter(|suspect| !suspect.is_done) else {
                    continue;
                };
                let Some(expected) = suspect.account.fold(moved, kind, &facts) else { continue };
                suspect.compare(audit.session, audit.shard, &expected, &mut audit.findings).await?;
            }
        }
        audit.progress.add(events.rows.len() as u64);
    }
    for account in broken {
        if let Some(suspect) = suspects.get_mut(&account.id).filter(|suspect| !suspect.is_done) {
            suspect.rest(audit, fold).await?;
        }
    }
    Ok(())
}

impl Suspect {
    /// Stored entries are read as they are needed: a hot account has millions.
    async fn next(&mut self, session: &mut PgConnection, shard: i16) -> Result<Option<Line>, sqlx::Error> {
        if self.stored.is_empty() {
            let page = derived::entries(session, shard, (self.account.number, self.read_to), ENTRIES).await?;
            self.stored =
                page.into_iter().filter(|(account, _)| *account == self.account.number).map(|(_, line)| line).collect();
            self.read_to = self.stored.back().map_or(i64::MAX, |line| line.version);
        }
        Ok(self.stored.pop_front())
    }

    async fn compare(
        &mut self,
        session: &mut PgConnection,
        shard: i16,
        expected: &Line,
        findings: &mut Findings,
    ) -> Result<(), sqlx::Error> {
        let stored = self.next(session, shard).await?;
        let at = |version: i64| Subject::Entry(self.account.number, version);
        let found = match stored {
            Some(stored) if stored == *expected => return Ok(()),
            Some(stored) if stored.version == expected.version => (at(expected.version), expected.difference(&stored)),
            Some(stored) if stored.version < expected.version => (at(stored.version), "is not in the log".to_owned()),
            _ => (at(expected.version), format!("is missing; event {} wrote it", expected.position)),
        };
        findings.add(Rule::Entry, found.0, found.1);
        self.is_done = true;
        Ok(())
    }

    /// The log has ended: no stored entry may be left.
    async fn rest(&mut self, audit: &mut Audit<'_>, fold: &Fold) -> Result<(), sqlx::Error> {
        let number = self.account.number;
        while let Some(stored) = self.next(audit.session, audit.shard).await? {
            if stored.position <= audit.end.position {
                audit.findings.add(Rule::Entry, Subject::Entry(number, stored.version), "is not in the log");
                return Ok(());
            }
        }
        // Its digests differ all the same: moves that could not be folded were told with their events.
        debug_assert!(fold.accounts.by_number(number).is_some());
        Ok(())
    }
}
