//! The SQL of jobs. Role: writer.

use super::{ATTEMPTS, Job, pause};
use sqlx::{PgConnection, PgPool};
use std::time::Duration;

/// Asks for a job, some time from now. `false` when it was asked for already.
pub async fn ask(
    session: &mut PgConnection,
    shard: i16,
    kind: &str,
    key: &str,
    payload: &str,
    after: Duration,
) -> Result<bool, sqlx::Error> {
    let asked = sqlx::query!(
        "INSERT INTO job (shard, kind, key, payload, run_at) VALUES ($1, $2, $3, $4::text::json, clock_timestamp() + make_interval(secs => $5))
         ON CONFLICT DO NOTHING",
        shard,
        kind,
        key,
        payload,
        seconds(after)
    )
    .execute(session)
    .await?;
    Ok(asked.rows_affected() == 1)
}

/// Takes a few of the jobs that are due; nobody else gets them within `patience`, the longest that they may take.
pub async fn take(pool: &PgPool, kind: &str, patience: Duration, limit: i64) -> Result<Vec<Job>, sqlx::Error> {
    sqlx::query_as!(
        Job,
        r#"UPDATE job j SET attempts = j.attempts + 1, run_at = clock_timestamp() + make_interval(secs => $2)
           FROM (SELECT shard, kind, key FROM job WHERE kind = $1 AND run_at <= clock_timestamp() AND failed_at IS NULL
                 ORDER BY run_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
           WHERE (j.shard, j.kind, j.key) = (due.shard, due.kind, due.key)
           RETURNING j.shard, j.kind, j.key, j.payload::text AS "payload!", j.attempts"#,
        kind,
        seconds(patience),
        limit
    )
    .fetch_all(pool)
    .await
}

/// The same of one shard, for work that only its writer can do.
pub async fn take_of_shard(
    pool: &PgPool,
    shard: i16,
    kind: &str,
    patience: Duration,
    limit: i64,
) -> Result<Vec<Job>, sqlx::Error> {
    sqlx::query_as!(
        Job,
        r#"UPDATE job j SET attempts = j.attempts + 1, run_at = clock_timestamp() + make_interval(secs => $2)
           FROM (SELECT shard, kind, key FROM job
                 WHERE kind = $1 AND shard = $4 AND run_at <= clock_timestamp() AND failed_at IS NULL
                 ORDER BY run_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
           WHERE (j.shard, j.kind, j.key) = (due.shard, due.kind, due.key)
           RETURNING j.shard, j.kind, j.key, j.payload::text AS "payload!", j.attempts"#,
        kind,
        seconds(patience),
        limit,
        shard
    )
    .fetch_all(pool)
    .await
}

/// The job is done. One that came back to somebody else meanwhile is done as well.
pub async fn done(pool: &PgPool, job: &Job) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM job WHERE shard = $1 AND kind = $2 AND key = $3", job.shard, job.kind, job.key)
        .execute(pool)
        .await?;
    Ok(())
}

/// It was not: it comes back after a pause, or is given up. `false` when it was given up.
pub async fn failed(pool: &PgPool, job: &Job, why: &str) -> Result<bool, sqlx::Error> {
    let goes_on = job.attempts < ATTEMPTS;
    note(pool, job, why, pause(job.attempts), goes_on).await?;
    Ok(goes_on)
}

/// It was not, and must be: it comes back after this pause, however often it was tried.
pub async fn insist(pool: &PgPool, job: &Job, why: &str, after: Duration) -> Result<(), sqlx::Error> {
    note(pool, job, why, after, true).await
}

async fn note(pool: &PgPool, job: &Job, why: &str, after: Duration, goes_on: bool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE job SET failure = $5, run_at = clock_timestamp() + make_interval(secs => $6),
                failed_at = CASE WHEN $7 THEN NULL ELSE clock_timestamp() END
         WHERE shard = $1 AND kind = $2 AND key = $3 AND attempts = $4",
        job.shard,
        job.kind,
        job.key,
        job.attempts,
        why,
        seconds(after),
        goes_on
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Postgres counts an interval's seconds in floating point; whole ones are exact.
fn seconds(duration: Duration) -> f64 {
    f64::from(u32::try_from(duration.as_secs()).unwrap_or(u32::MAX))
}
