//! Who did what: the tenant's events that are not the daily movement of money, the newest first.
//!
//! The log itself is the audit trail: each change is a fact with its actor, chained, and nothing of it can be deleted.
//! Which kinds are daily movement stands in the function `is_audited` of the database, whose partial indexes this reads.
//! Everything here runs inside [`super::read::tenant_tx`].

use crate::kernel::Instant;
use sqlx::PgConnection;
use uuid::Uuid;

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Only what this actor did, such as `staff:<id>`.
    pub actor: Option<String>,
    /// Only what is about this: a client, a member, an account, a holder.
    pub subject: Option<Uuid>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only after this position,
    pub after: i64,
    /// and before that one.
    pub before: i64,
}

/// An event with who caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audited {
    /// Its place in the log.
    pub position: i64,
    /// What it is about.
    pub subject: Uuid,
    /// Its number in that stream.
    pub version: i32,
    /// What happened.
    pub kind: String,
    /// Who caused it.
    pub actor: String,
    /// The trace of the request, if one caused it.
    pub correlation: Option<String>,
    /// The facts, as recorded.
    pub payload: String,
    /// When.
    pub recorded_at: Instant,
}

/// What fits, the newest first. A way to look for each index, because a statement for all of them is planned for none.
pub async fn search(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    search: &Search,
    limit: i64,
) -> Result<Vec<Audited>, sqlx::Error> {
    let Search { actor, subject, kind, after, before } = search;
    let kind = kind.as_deref();
    match (subject, actor) {
        (Some(subject), actor) => {
            sqlx::query_as!(
                Audited,
                r#"SELECT e.position, e.stream AS subject, e.version, e.kind, e.actor, e.correlation, e.payload::text AS "payload!", b.recorded_at
                   FROM event e
                   CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
                   WHERE e.shard = $1 AND e.tenant = $2 AND e.stream = $3 AND is_audited(e.kind)
                     AND ($4::text IS NULL OR e.actor = $4) AND ($5::text IS NULL OR e.kind = $5)
                     AND e.position > $6 AND e.position < $7
                   ORDER BY e.version DESC LIMIT $8"#,
                shard, tenant, subject, actor.as_deref(), kind, after, before, limit
            )
            .fetch_all(tx)
            .await
        }
        (None, Some(actor)) => {
            sqlx::query_as!(
                Audited,
                r#"SELECT e.position, e.stream AS subject, e.version, e.kind, e.actor, e.correlation, e.payload::text AS "payload!", b.recorded_at
                   FROM event e
                   CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
                   WHERE e.shard = $1 AND e.tenant = $2 AND e.actor = $3 AND is_audited(e.kind)
                     AND ($4::text IS NULL OR e.kind = $4) AND e.position > $5 AND e.position < $6
                   ORDER BY e.position DESC LIMIT $7"#,
                shard, tenant, actor, kind, after, before, limit
            )
            .fetch_all(tx)
            .await
        }
        (None, None) => {
            sqlx::query_as!(
                Audited,
                r#"SELECT e.position, e.stream AS subject, e.version, e.kind, e.actor, e.correlation, e.payload::text AS "payload!", b.recorded_at
                   FROM event e
                   CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = $1 AND batch.last_position >= e.position ORDER BY last_position, seq LIMIT 1) b
                   WHERE e.shard = $1 AND e.tenant = $2 AND is_audited(e.kind)
                     AND ($3::text IS NULL OR e.kind = $3) AND e.position > $4 AND e.position < $5
                   ORDER BY e.position DESC LIMIT $6"#,
                shard, tenant, kind, after, before, limit
            )
            .fetch_all(tx)
            .await
        }
    }
}
