//! The delivery log, inside a transaction of its tenant.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::kernel::Instant;
use crate::webhooks::service::Owner;

/// One event on its way to one endpoint, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The epoch that recorded the event.
    pub epoch: i32,
    /// Where the event stands in the log.
    pub position: i64,
    /// What happened.
    pub kind: String,
    /// `pending`, `delivered` or `failed`.
    pub state: String,
    /// How often it was tried, replays included.
    pub attempts: i32,
    /// When it is tried next, while it is pending.
    pub due_at: Option<Instant>,
    /// What the attempts met, in order.
    pub tried: Vec<Attempt>,
}

/// What one attempt met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counted from 1, over all rounds.
    pub number: i32,
    /// When it ended.
    pub at: Instant,
    /// How long it took.
    pub milliseconds: i32,
    /// The HTTP status, where there was an answer.
    pub status: Option<i16>,
    /// A word for it.
    pub outcome: String,
}

/// Which deliveries are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of which endpoint.
    pub endpoint: Uuid,
    /// Only these of a state.
    pub state: Option<&'a str>,
    /// Before this epoch and position.
    pub before: (i32, i64),
    /// How many.
    pub limit: i64,
}

/// Deliveries, the newest event first.
pub async fn list(tx: &mut PgConnection, owner: Owner, wanted: Wanted<'_>) -> Result<Vec<Delivery>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT epoch, position, kind, state, attempts, due_at FROM webhook_delivery
         WHERE shard = $1 AND tenant = $2 AND endpoint = $3 AND (epoch, position) < ($4, $5) AND ($6::text IS NULL OR state = $6)
         ORDER BY epoch DESC, position DESC LIMIT $7",
        owner.shard,
        owner.tenant,
        wanted.endpoint,
        wanted.before.0,
        wanted.before.1,
        wanted.state,
        wanted.limit
    )
    .fetch_all(&mut *tx)
    .await?;
    let mut deliveries: Vec<Delivery> = rows
        .into_iter()
        .map(|row| Delivery {
            epoch: row.epoch,
            position: row.position,
            due_at: (row.state == "pending").then_some(row.due_at),
            kind: row.kind,
            state: row.state,
            attempts: row.attempts,
            tried: Vec::new(),
        })
        .collect();
    attempts(tx, owner, wanted.endpoint, &mut deliveries).await?;
    Ok(deliveries)
}

async fn attempts(
    tx: &mut PgConnection,
    owner: Owner,
    endpoint: Uuid,
    deliveries: &mut [Delivery],
) -> Result<(), sqlx::Error> {
    let (epochs, positions): (Vec<i32>, Vec<i64>) = deliveries.iter().map(|one| (one.epoch, one.position)).unzip();
    let rows = sqlx::query!(
        r#"SELECT wanted.ordinality AS "ordinality!", a.number, a.at, a.milliseconds, a.status, a.outcome
           FROM unnest($4::int[], $5::bigint[]) WITH ORDINALITY AS wanted (epoch, position, ordinality)
           JOIN webhook_attempt a ON a.shard = $1 AND a.tenant = $2 AND a.endpoint = $3
               AND a.epoch = wanted.epoch AND a.position = wanted.position
           ORDER BY wanted.ordinality, a.number"#,
        owner.shard,
        owner.tenant,
        endpoint,
        &epochs,
        &positions
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let index = usize::try_from(row.ordinality - 1).unwrap_or(usize::MAX);
        if let Some(delivery) = deliveries.get_mut(index) {
            delivery.tried.push(Attempt {
                number: row.number,
                at: row.at,
                milliseconds: row.milliseconds,
                status: row.status,
                outcome: row.outcome,
            });
        }
    }
    Ok(())
}

/// Makes what an endpoint wants of a range of positions due now, whether it was delivered, failed, or never collected.
/// Answers how many deliveries that are.
pub async fn replay(
    tx: &mut PgConnection,
    owner: Owner,
    endpoint: Uuid,
    from: i64,
    to: i64,
) -> Result<u64, sqlx::Error> {
    // Whoever is delivering one of them right now loses the claim: what is asked for is a new round.
    let scheduled = sqlx::query!(
        "INSERT INTO webhook_delivery (shard, tenant, endpoint, epoch, position, kind, state, due_at)
         SELECT w.shard, w.tenant, w.endpoint, b.epoch, e.position, e.kind, 'pending', now()
         FROM webhook_endpoint w
         JOIN event e ON e.shard = $1 AND e.tenant = w.tenant AND e.position BETWEEN $4 AND $5
         CROSS JOIN LATERAL (SELECT epoch FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
         WHERE w.shard = $1 AND w.tenant = $2 AND w.endpoint = $3
           AND w.events && ARRAY[e.kind, split_part(e.kind, '.', 1) || '.*', '*']
         ON CONFLICT (shard, tenant, endpoint, epoch, position) DO UPDATE SET
             state = 'pending', tries = 0, due_at = now(), claim = NULL, settled_at = NULL",
        owner.shard,
        owner.tenant,
        endpoint,
        from,
        to
    )
    .execute(tx)
    .await?;
    Ok(scheduled.rows_affected())
}
