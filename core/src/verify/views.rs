//! Projections are the fold of the log: each is folded again, in temporary tables of the same names, up to the position at
//! which it stands, and compared.
//!
//! A projection moves on while it is compared, so each page of rows is compared in one snapshot, in which the
//! second fold is brought to the position of the first.

use super::Audit;
use super::look_ups::difference;
use super::report::{Findings, Progress, Rule, Subject};
use super::store::look_ups::{self as temporary, SHADOW};
use crate::event_store::shadow::{self, Key, Table};
use crate::projections::checkpoint::{self, InUse};
use crate::projections::{ALL, Follower, Pace, Projection};
use sqlx::{Connection, PgConnection};

/// Rows compared in one snapshot.
const ROWS: i64 = 10_000;
/// So many events may be folded inside a snapshot; it must not grow old over it.
const IN_SNAPSHOT: i64 = 20_000;
/// Events between two reports of the progress.
const STRIDE: i64 = 100_000;

/// Checks every projection that has begun, is not parked and is of this version; others are for `vintem rebuild`.
pub(super) async fn check(audit: &mut Audit<'_>) -> Result<(), sqlx::Error> {
    for projection in ALL {
        check_one(audit, projection).await?;
    }
    Ok(())
}

/// Checks one of them; `false` when it is for `vintem rebuild`.
pub(super) async fn check_one(audit: &mut Audit<'_>, projection: &'static dyn Projection) -> Result<bool, sqlx::Error> {
    let in_use = checkpoint::in_use(audit.session, projection.name(), audit.shard).await?;
    let is_comparable = |in_use: &InUse| in_use.version == projection.version() && !in_use.is_parked;
    let Some(in_use) = in_use.filter(is_comparable) else { return Ok(false) };
    let mut tables: Vec<&str> = projection.tables().iter().map(|table| table.name).collect();
    tables.push("projection");
    temporary::begin(audit.session, &tables).await?;
    let mut view = View {
        session: &mut *audit.session,
        shard: audit.shard,
        projection,
        follower: Follower::default(),
        findings: &mut audit.findings,
        progress: &mut *audit.progress,
    };
    let checked = view.check(in_use).await;
    // Temporary tables would hide the real ones from whatever comes next.
    temporary::finish(audit.session, &tables).await?;
    checked.map(|()| true)
}

struct View<'a> {
    session: &'a mut PgConnection,
    shard: i16,
    projection: &'static dyn Projection,
    follower: Follower,
    findings: &'a mut Findings,
    progress: &'a mut dyn Progress,
}

impl View<'_> {
    async fn check(&mut self, in_use: InUse) -> Result<(), sqlx::Error> {
        self.progress.begin(self.projection.name(), u64::try_from(in_use.position).unwrap_or(0));
        let mut at = 0;
        while at < in_use.position {
            let to = in_use.position.min(at + STRIDE);
            self.follower.catch_up(self.session, self.projection, self.shard, Some(to), Pace::BULK).await?;
            self.progress.add(u64::try_from(to - at).unwrap_or(0));
            at = to;
        }
        for table in self.projection.tables() {
            let mut after = table.lowest();
            while let Some(next) = self.check_page(table, &after).await? {
                after = next;
            }
        }
        Ok(())
    }

    /// Compares the next rows; answers where to go on.
    async fn check_page(&mut self, table: &Table, after: &Key) -> Result<Option<Key>, sqlx::Error> {
        loop {
            let mut snapshot = self.session.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
            let stands_at = checkpoint::in_use(&mut snapshot, self.projection.name(), self.shard).await?;
            let folded = checkpoint::read(&mut snapshot, self.projection.name(), self.shard).await?;
            let folded = folded.map_or(0, |row| row.point.position);
            // Rebuilt from an earlier position, parked or gone meanwhile: there is nothing to hold it against.
            let Some(InUse { position, .. }) = stands_at.filter(|it| !it.is_parked && it.position >= folded) else {
                snapshot.rollback().await?;
                return Ok(None);
            };
            if position - folded > IN_SNAPSHOT {
                snapshot.rollback().await?;
                self.follower.catch_up(self.session, self.projection, self.shard, Some(position), Pace::LIVE).await?;
                continue;
            }
            self.follower.catch_up(&mut snapshot, self.projection, self.shard, Some(position), Pace::LIVE).await?;
            let upto = shadow::boundary(&mut snapshot, table, SHADOW, self.shard, after, ROWS).await?;
            let end = upto.clone().unwrap_or_else(|| table.highest());
            let differing = shadow::compare(&mut snapshot, table, SHADOW, self.shard, after, &end).await?;
            snapshot.commit().await?;
            for (key, stored, folded) in differing {
                let detail = difference(stored.as_deref(), folded.as_deref());
                self.findings.add(Rule::Projection, Subject::LookUp(table.name, key), detail);
            }
            return Ok(upto);
        }
    }
}
