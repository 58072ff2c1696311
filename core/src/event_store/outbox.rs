//! What was recorded and not yet published: the log read as an outbox, and how far its relay came.
//!
//! Whole batches are read and joined into contiguous ranges of positions. A checkpoint names the batch it stands at
//! and that batch's tip, so a relay notices when history was restored to an earlier state: it then goes on where the
//! newest epoch begins, because what an earlier epoch recorded beyond is abandoned.

use super::chain::FLAG_RECOVERY;
use super::head::{Head, as_tip};
use crate::kernel::Instant;
use sqlx::PgPool;

/// Batches read at once.
const PAGE: i64 = 2_000;
/// Events in a range, unless one batch alone holds more.
const RANGE_EVENTS: i64 = 2_000;

/// Contiguous positions of one shard, from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The epoch that recorded them.
    pub epoch: i32,
    /// The first.
    pub from: i64,
    /// The last.
    pub to: i64,
}

/// What follows a checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// These ranges, after which the checkpoint is that head. Empty ranges when only refusals were recorded.
    Ranges(Vec<Range>, Head),
    /// Nothing yet.
    Nothing,
    /// The batch of the checkpoint is not in the log: history was restored to before it. Here is where
    /// the newest epoch began, if one ever did.
    Forked(Option<Head>),
}

/// Where the relay of a shard stands; at the beginning of the log before its first time.
pub async fn checkpoint(pool: &PgPool, shard: i16) -> Result<Head, sqlx::Error> {
    let row = sqlx::query!("SELECT epoch, position, seq, tip FROM relay WHERE shard = $1", shard);
    let head = row.fetch_optional(pool).await?.map(|row| Head {
        seq: row.seq,
        epoch: row.epoch,
        last_position: row.position,
        tip: as_tip(&row.tip),
    });
    Ok(head.unwrap_or_else(|| Head::genesis(shard)))
}

/// Moves the checkpoint. `false` when a process with a newer fence moved it: then somebody else is the relay.
pub async fn advance(pool: &PgPool, shard: i16, to: &Head, fence: i64) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query!(
        "INSERT INTO relay AS r (shard, epoch, position, seq, tip, fence) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (shard) DO UPDATE SET
             epoch = excluded.epoch, position = excluded.position, seq = excluded.seq, tip = excluded.tip, fence = excluded.fence
         WHERE r.fence <= excluded.fence",
        shard,
        to.epoch,
        to.last_position,
        to.seq,
        &to.tip,
        fence
    )
    .execute(pool)
    .await?;
    Ok(moved.rows_affected() == 1)
}

struct Row {
    seq: i64,
    epoch: i32,
    first_position: i64,
    last_position: i64,
    tip: Vec<u8>,
}

impl Row {
    fn head(&self) -> Head {
        Head { seq: self.seq, epoch: self.epoch, last_position: self.last_position, tip: as_tip(&self.tip) }
    }
}

/// Reads what follows a checkpoint.
pub async fn next(pool: &PgPool, shard: i16, checkpoint: &Head) -> Result<Next, sqlx::Error> {
    // The batch of the checkpoint comes along, to see whether it is still the same.
    let rows = sqlx::query_as!(
        Row,
        "SELECT seq, epoch, first_position, last_position, tip FROM batch
         WHERE shard = $1 AND seq >= $2 ORDER BY seq LIMIT $3",
        shard,
        checkpoint.seq,
        PAGE + 1
    )
    .fetch_all(pool)
    .await?;
    let news = match rows.split_first() {
        _ if checkpoint.seq == 0 => &rows[..],
        Some((same, news)) if same.seq == checkpoint.seq && as_tip(&same.tip) == checkpoint.tip => news,
        _ => return Ok(Next::Forked(newest_recovery(pool, shard).await?)),
    };
    Ok(news.last().map_or(Next::Nothing, |last| Next::Ranges(join(news), last.head())))
}

/// The batch that began the newest epoch. Before anybody recovered the shard it may be an older one; from there some
/// ranges are published once more, which does no harm.
pub(super) async fn newest_recovery(pool: &PgPool, shard: i16) -> Result<Option<Head>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT seq, epoch, first_position, last_position, tip FROM batch
         WHERE shard = $1 AND flags & $2 <> 0 ORDER BY seq DESC LIMIT 1",
        shard,
        FLAG_RECOVERY
    );
    Ok(row.fetch_optional(pool).await?.map(|row| row.head()))
}

/// Joins batches of one epoch while the range stays small.
fn join(batches: &[Row]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for batch in batches.iter().filter(|batch| batch.last_position >= batch.first_position) {
        match ranges.last_mut() {
            Some(range) if range.epoch == batch.epoch && batch.last_position - range.from < RANGE_EVENTS => {
                range.to = batch.last_position;
            }
            _ => ranges.push(Range { epoch: batch.epoch, from: batch.first_position, to: batch.last_position }),
        }
    }
    ranges
}

/// How far the relay is behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Events recorded and not published.
    pub events: i64,
    /// When the oldest of them was recorded.
    pub oldest: Option<Instant>,
    /// The database's clock, which dated it.
    pub now: Instant,
}

/// Measures it.
pub async fn lag(pool: &PgPool, shard: i16, checkpoint: &Head) -> Result<Lag, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT coalesce((SELECT last_position FROM batch WHERE shard = $1 ORDER BY seq DESC LIMIT 1), 0) - $3 AS "events!",
                  (SELECT recorded_at FROM batch WHERE shard = $1 AND seq > $2 AND last_position > $3 ORDER BY seq LIMIT 1) AS oldest,
                  clock_timestamp() AS "now!""#,
        shard,
        checkpoint.seq,
        checkpoint.last_position
    )
    .fetch_one(pool)
    .await?;
    Ok(Lag { events: row.events.max(0), oldest: row.oldest, now: row.now })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(seq: i64, epoch: i32, first_position: i64, last_position: i64) -> Row {
        Row { seq, epoch, first_position, last_position, tip: vec![0; 32] }
    }

    #[test]
    fn batches_are_joined_without_a_gap_and_empty_ones_leave_no_range() {
        let batches = [batch(1, 1, 1, 10), batch(2, 1, 11, 10), batch(3, 1, 11, 12), batch(4, 1, 13, 5_000)];
        let ranges = join(&batches);
        assert_eq!(ranges, [Range { epoch: 1, from: 1, to: 12 }, Range { epoch: 1, from: 13, to: 5_000 }]);
        assert_eq!(join(&[batch(7, 1, 5, 4)]), []);
    }

    #[test]
    fn a_range_is_of_one_epoch() {
        let ranges = join(&[batch(1, 1, 1, 3), batch(2, 2, 4, 3), batch(3, 2, 4, 4)]);
        assert_eq!(
            ranges.iter().map(|range| (range.epoch, range.from, range.to)).collect::<Vec<_>>(),
            [(1, 1, 3), (2, 4, 4)]
        );
    }
}
