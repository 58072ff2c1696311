//! Look-up rows are the fold of the log: rebuilt by the product's own fold in temporary tables of the same
//! names, and compared with the real ones at an equal position.

use super::Audit;
use super::report::{Findings, Rule, Subject};
use super::store::log;
use super::store::look_ups::{self as store, SHADOW, TABLES};
use crate::event_store::append::execute;
use crate::event_store::hooks::Hooks;
use crate::event_store::overlay::EventRow;
use crate::event_store::shadow::{self, Table};
use crate::look_ups::AllLookUps;
use sqlx::{Connection, PgConnection};

/// Rows compared in one snapshot.
const ROWS: i64 = 10_000;
/// So many events may be folded inside a snapshot; it must not grow old over it.
const IN_SNAPSHOT: i64 = 2_000;
const EVENTS: i64 = 5_000;
/// A stored row is told no longer than this; metadata may be long.
const TOLD: usize = 300;

/// The rebuilt tables.
pub struct LookUps {
    shard: i16,
    /// Folded up to here.
    position: i64,
    /// An event could not be folded, so there is nothing to compare with.
    is_broken: bool,
}

impl LookUps {
    /// Nothing is folded yet; the tables are there and empty.
    pub fn new(shard: i16) -> Self {
        Self { shard, position: 0, is_broken: false }
    }

    /// Folds the next events.
    pub async fn fold(
        &mut self,
        session: &mut PgConnection,
        rows: &[EventRow],
        findings: &mut Findings,
    ) -> Result<(), sqlx::Error> {
        let Some(last) = rows.last().filter(|_| !self.is_broken) else { return Ok(()) };
        self.position = last.recorded.position;
        let Some(error) = self.try_fold(session, rows).await? else { return Ok(()) };
        self.is_broken = true;
        // One by one, to name the one.
        for row in rows {
            if let Some(error) = self.try_fold(session, std::slice::from_ref(row)).await? {
                let detail = format!("cannot be folded into the look-ups, which are not compared therefore: {error}");
                findings.add(Rule::LookUp, Subject::Event(row.recorded.position), detail);
                return Ok(());
            }
        }
        let detail = format!(
            "and those before it cannot be folded into the look-ups, which are not compared therefore: {error}"
        );
        findings.add(Rule::LookUp, Subject::Event(self.position), detail);
        Ok(())
    }

    /// Answers what is wrong with the events; `Err` is what is wrong with the connection.
    async fn try_fold(
        &self,
        session: &mut PgConnection,
        rows: &[EventRow],
    ) -> Result<Option<sqlx::Error>, sqlx::Error> {
        let mut tx = session.begin().await?;
        match fold(&mut tx, self.shard, rows).await {
            Ok(()) => tx.commit().await.map(|()| None),
            Err(error @ (sqlx::Error::Database(_) | sqlx::Error::Decode(_))) => {
                tx.rollback().await.map(|()| Some(error))
            }
            Err(error) => Err(error),
        }
    }

    /// Compares table by table, some rows at a time.
    pub(super) async fn check(mut self, audit: &mut Audit<'_>) -> Result<(), sqlx::Error> {
        for table in TABLES {
            if self.is_broken {
                return Ok(());
            }
            self.check_table(audit, table).await?;
        }
        Ok(())
    }

    async fn check_table(&mut self, audit: &mut Audit<'_>, table: &Table) -> Result<(), sqlx::Error> {
        audit.progress.begin(table.name, store::count(audit.session, table).await?);
        let mut after = table.lowest();
        loop {
            self.follow(audit).await?;
            let mut snapshot = audit.session.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
            let newest = log::newest(&mut snapshot, self.shard).await?;
            if newest - self.position > IN_SNAPSHOT {
                snapshot.rollback().await?;
                continue;
            }
            let events = log::events(&mut snapshot, self.shard, self.position, newest, IN_SNAPSHOT).await?;
            if !events.rows.is_empty() {
                fold(&mut snapshot, self.shard, &events.rows).await?;
            }
            let upto = shadow::boundary(&mut snapshot, table, SHADOW, self.shard, &after, ROWS).await?;
            let differing = shadow::compare(
                &mut snapshot,
                table,
                SHADOW,
                self.shard,
                &after,
                &upto.clone().unwrap_or_else(|| table.highest()),
            )
            .await?;
            snapshot.commit().await?;
            self.position = self.position.max(newest);
            for (key, stored, folded) in differing {
                audit.findings.add(
                    Rule::LookUp,
                    Subject::LookUp(table.name, key),
                    difference(stored.as_deref(), folded.as_deref()),
                );
            }
            audit.progress.add(u64::try_from(ROWS).unwrap_or(0));
            match upto {
                Some(upto) => after = upto,
                None => return Ok(()),
            }
        }
    }

    /// Folds what was written meanwhile, outside of any long snapshot, until little is left.
    async fn follow(&mut self, audit: &mut Audit<'_>) -> Result<(), sqlx::Error> {
        loop {
            let newest = log::newest(audit.session, self.shard).await?;
            if newest - self.position <= IN_SNAPSHOT / 2 || self.is_broken {
                return Ok(());
            }
            let events = log::events(audit.session, self.shard, self.position, newest, EVENTS).await?;
            self.fold(audit.session, &events.rows, &mut audit.findings).await?;
            // An event that is missing was told before; waiting for it would be for ever.
            self.position = events.rows.last().map_or(newest, |row| row.recorded.position);
        }
    }
}

/// Folds events into the tables that this session finds first.
pub(super) async fn fold(session: &mut PgConnection, shard: i16, rows: &[EventRow]) -> Result<(), sqlx::Error> {
    execute(session, AllLookUps.look_ups(shard, rows)?).await
}

pub(super) fn difference(stored: Option<&str>, folded: Option<&str>) -> String {
    let short = |text: &str| text.chars().take(TOLD).collect::<String>();
    match (stored, folded) {
        (None, Some(folded)) => format!("is missing; the log says {}", short(folded)),
        (Some(_), None) => "is not in the log".to_owned(),
        (stored, folded) => {
            format!("is {}, the log says {}", short(stored.unwrap_or_default()), short(folded.unwrap_or_default()))
        }
    }
}
