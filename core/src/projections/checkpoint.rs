//! How far a projection has folded a shard.

use super::Projection;
use crate::event_store::chain::{self, Tip};
use sqlx::PgConnection;

/// A place between two events, with the newest batch at or before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The batch's epoch.
    pub epoch: i32,
    /// The newest position folded.
    pub position: i64,
    /// The batch's number; 0 before the first.
    pub seq: i64,
    /// The batch's tip, which tells whether the log is still the one that was folded.
    pub tip: Tip,
}

/// A projection's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The version of the fold that wrote the rows.
    pub version: i32,
    /// How far they go.
    pub point: Point,
    /// Why it stands still, if it does.
    pub parked: Option<String>,
}

/// What others need to know of the row of a projection in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InUse {
    /// The version of its rows.
    pub version: i32,
    /// How far they go.
    pub position: i64,
    /// Whether it stands still.
    pub is_parked: bool,
}

/// Reads the row.
pub async fn read(session: &mut PgConnection, name: &str, shard: i16) -> Result<Option<Checkpoint>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT version, epoch, position, seq, tip, CASE WHEN parked_at IS NOT NULL THEN coalesce(parked_because, '') END AS parked
           FROM projection WHERE shard = $1 AND name = $2"#,
        shard,
        name
    )
    .fetch_optional(session)
    .await?;
    Ok(row.map(|row| {
        // A stored tip always has 32 bytes: the table checks it.
        let tip = Tip::try_from(row.tip.as_slice()).unwrap_or_default();
        let point = Point { epoch: row.epoch, position: row.position, seq: row.seq, tip };
        Checkpoint { version: row.version, point, parked: row.parked }
    }))
}

/// Reads the row of the projection that is in use, also where this session finds another one first.
#[expect(clippy::disallowed_methods, reason = "the checked form of the same statement is above")]
pub async fn in_use(session: &mut PgConnection, name: &str, shard: i16) -> Result<Option<InUse>, sqlx::Error> {
    let sql = "SELECT version, position, parked_at IS NOT NULL FROM public.projection WHERE shard = $1 AND name = $2";
    let row: Option<(i32, i64, bool)> = sqlx::query_as(sql).bind(shard).bind(name).fetch_optional(session).await?;
    Ok(row.map(|(version, position, is_parked)| InUse { version, position, is_parked }))
}

/// Whether one of some projections that can go on is so many events behind the log.
pub async fn any_behind(
    session: &mut PgConnection,
    projections: &[&dyn Projection],
    shard: i16,
    events: i64,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (
               SELECT FROM projection p JOIN unnest($2::text[], $3::int[]) AS own (name, version) USING (name, version)
               CROSS JOIN LATERAL (SELECT last_position FROM batch b WHERE b.shard = $1 ORDER BY seq DESC LIMIT 1) newest
               WHERE p.shard = $1 AND p.parked_at IS NULL AND p.position < newest.last_position - $4) AS "is_behind!""#,
        shard,
        &projections.iter().map(|projection| projection.name()).collect::<Vec<_>>() as _,
        &projections.iter().map(|projection| projection.version()).collect::<Vec<_>>() as _,
        events
    )
    .fetch_one(session)
    .await
}

/// Makes the row of a projection that has folded nothing yet, unless another process did.
pub async fn begin(session: &mut PgConnection, projection: &dyn Projection, shard: i16) -> Result<(), sqlx::Error> {
    let genesis = chain::genesis(shard);
    sqlx::query!(
        "INSERT INTO projection (shard, version, epoch, position, seq, name, tip) VALUES ($1, $2, 1, 0, 0, $3, $4) ON CONFLICT DO NOTHING",
        shard,
        projection.version(),
        projection.name(),
        genesis.as_slice()
    )
    .execute(session)
    .await?;
    Ok(())
}

/// Lets the transaction's COMMIT not wait for the disk. Rows and checkpoint are lost together or not at all, and
/// what a crash of Postgres took is folded again; the log itself never does this.
pub async fn hurry(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("SELECT set_config('synchronous_commit', 'off', true)").fetch_one(tx).await?;
    Ok(())
}

/// Moves the row, if it still stands where it was read. `false` says that somebody else was faster.
///
/// The first statement of its transaction that locks: it makes the others wait before they write rows.
pub async fn advance(
    tx: &mut PgConnection,
    projection: &dyn Projection,
    shard: i16,
    from: &Point,
    to: &Point,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query!(
        "UPDATE projection SET epoch = $6, position = $7, seq = $8, tip = $9
         WHERE shard = $1 AND name = $2 AND version = $3 AND position = $4 AND seq = $5 AND parked_at IS NULL",
        shard,
        projection.name(),
        projection.version(),
        from.position,
        from.seq,
        to.epoch,
        to.position,
        to.seq,
        to.tip.as_slice()
    )
    .execute(tx)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Parks the row where it stands, until the projection is rebuilt.
pub async fn park(
    session: &mut PgConnection,
    projection: &dyn Projection,
    shard: i16,
    at: &Point,
    because: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE projection SET parked_at = clock_timestamp(), parked_because = $4
         WHERE shard = $1 AND name = $2 AND position = $3 AND parked_at IS NULL",
        shard,
        projection.name(),
        at.position,
        because
    )
    .execute(session)
    .await?;
    Ok(())
}
