//! The SQL of failures in a row, by what they are counted under. Role: editor.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use super::back_off::{Counted, FORGOTTEN_AFTER};

/// What became of counting an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may be judged; if it fails, it is the failure of this number.
    Free {
        /// Failures in a row, with this one.
        failures: i32,
    },
    /// Somebody has to wait; it counts for nothing.
    Blocked,
}

/// Counts an attempt before it is judged. Those of one key come one after the other.
pub async fn count(
    pool: &PgPool,
    counted: Counted,
    key: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<Attempt, sqlx::Error> {
    let mut tx = pool.begin().await?;
    // Updating nothing locks the row and reads it.
    let row = sqlx::query!(
        "INSERT INTO staff_attempt (counted, failures, tried_at, blocked_until) VALUES ($1, 0, $2, $2)
         ON CONFLICT (counted) DO UPDATE SET counted = excluded.counted RETURNING failures, tried_at, blocked_until",
        key,
        now
    )
    .fetch_one(&mut *tx)
    .await?;
    // A clock that went back must not make anybody wait for longer than ever.
    let longest = now + counted.pause(i32::MAX);
    if now < row.blocked_until && row.blocked_until <= longest {
        return Ok(Attempt::Blocked);
    }
    let failures = if row.tried_at + FORGOTTEN_AFTER < now { 1 } else { row.failures.saturating_add(1) };
    sqlx::query!(
        "UPDATE staff_attempt SET failures = $2, tried_at = $3, blocked_until = $4 WHERE counted = $1",
        key,
        failures,
        now,
        now + counted.pause(failures)
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(Attempt::Free { failures })
}

/// Takes an attempt back that succeeded: with all before it, or itself alone.
pub async fn take_back(pool: &PgPool, key: &[u8; 32], is_alone: bool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE staff_attempt SET failures = CASE WHEN $2 THEN greatest(failures - 1, 0) ELSE 0 END, blocked_until = tried_at WHERE counted = $1",
        key,
        is_alone
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Forgets what is too old to count.
pub async fn forget(pool: &PgPool, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM staff_attempt WHERE tried_at < $1", now - FORGOTTEN_AFTER).execute(pool).await?;
    Ok(())
}
