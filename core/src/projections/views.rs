//! Where readers of projections begin: one snapshot, and how old it is.

use super::Projection;
use super::lag::{self, Lag};
use crate::event_store::read;
use crate::kernel::{Instant, Minor};
use sqlx::{PgPool, Postgres, Transaction};
use std::time::Duration;
use uuid::Uuid;

/// How long a reader waits for a position.
pub const PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// How far a view goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AsOf {
    /// The newest position that it contains.
    pub position: i64,
    /// When that was recorded; `None` before the first.
    pub recorded_at: Option<Instant>,
    /// How many events of the shard are newer.
    pub lag: i64,
}

/// What a reader saw, and as of when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen<T> {
    /// The rows.
    pub rows: T,
    /// How far the view went.
    pub as_of: AsOf,
}

/// Who reads, and what the view must contain at least.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// The tenant's shard.
    pub shard: i16,
    /// The tenant.
    pub tenant: Uuid,
    /// A position that the view must have reached.
    pub min_position: Option<i64>,
}

/// Why a view cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It has not come that far in time.
    #[error("the view stands at position {position}")]
    Behind {
        /// How far it has come.
        position: i64,
    },
    /// Its rows are of another release, which knew less.
    #[error("the view is being built anew")]
    Rebuilding,
    /// The database.
    #[error("the view could not be read")]
    Database(#[from] sqlx::Error),
}

/// Reads views as a tenant.
#[derive(Debug, Clone)]
pub struct Views {
    reader: PgPool,
}

impl Views {
    /// Over the reader's pool.
    pub fn new(reader: PgPool) -> Self {
        Self { reader }
    }

    /// How far every view is behind, for who watches over them all.
    pub async fn lags(&self) -> Result<Vec<Lag>, sqlx::Error> {
        lag::measure(&self.reader).await
    }

    /// A transaction that sees the view as of one position, once that is not before the one asked for.
    pub(super) async fn open(
        &self,
        projection: &dyn Projection,
        scope: Scope,
    ) -> Result<(Transaction<'static, Postgres>, AsOf), ViewError> {
        let began = tokio::time::Instant::now();
        loop {
            let tables: Vec<&str> = projection.tables().iter().map(|table| table.name).collect();
            let mut tx = read::tenant_snapshot(&self.reader, scope.tenant, &tables).await?;
            let as_of = as_of(&mut tx, projection, scope.shard).await?;
            let Some(wanted) = scope.min_position.filter(|wanted| *wanted > as_of.position) else {
                return Ok((tx, as_of));
            };
            // What the log does not hold yet will not be in the view soon; waiting holds no connection.
            tx.rollback().await?;
            if began.elapsed() >= PATIENCE || wanted > as_of.position + as_of.lag {
                return Err(ViewError::Behind { position: as_of.position });
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

async fn as_of(
    tx: &mut Transaction<'static, Postgres>,
    projection: &dyn Projection,
    shard: i16,
) -> Result<AsOf, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT coalesce(p.position, 0) AS "position!", coalesce(newest.position, 0) AS "newest!",
                  (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= p.position ORDER BY last_position, seq LIMIT 1) AS recorded_at
           FROM (SELECT) one
           LEFT JOIN projection p ON p.shard = $1 AND p.name = $2
           LEFT JOIN LATERAL (SELECT last_position AS position FROM batch WHERE batch.shard = $1 ORDER BY seq DESC LIMIT 1) newest ON true"#,
        shard,
        projection.name()
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(AsOf {
        position: row.position,
        recorded_at: row.recorded_at.filter(|_| row.position > 0),
        lag: (row.newest - row.position).max(0),
    })
}

/// A sum as the database prints it. It is a whole number of minor units.
pub(super) fn minor(text: &str) -> Minor {
    text.parse().map_or(Minor::ZERO, Minor::new)
}
