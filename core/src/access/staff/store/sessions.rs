//! Sessions, and the places that they were opened from.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Of;
use crate::access::staff::session::{IDLE, Session};

/// How long a place counts as a member's own after they signed in there.
const AT_HOME: TimeDelta = TimeDelta::days(30);

struct Row {
    session: Uuid,
    member: Uuid,
    member_version: i32,
    created_at: DateTime<Utc>,
    used_at: DateTime<Utc>,
    fresh_until: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<Row> for Session {
    fn from(row: Row) -> Self {
        Self {
            id: row.session,
            member: row.member,
            member_version: row.member_version,
            created_at: row.created_at,
            used_at: row.used_at,
            fresh_until: row.fresh_until,
            ended_at: row.ended_at,
        }
    }
}

/// Opens one, and forgets those of the member that are too old to tell even a place.
pub async fn insert(
    tx: &mut PgConnection,
    of: Of,
    session: &Session,
    ticket: &[u8; 32],
    place: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM staff_session WHERE shard = $1 AND tenant = $2 AND member = $3 AND created_at < $4",
        of.shard,
        of.tenant,
        session.member,
        session.created_at - AT_HOME
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO staff_session (shard, tenant, session, member, member_version, created_at, used_at, fresh_until, ticket, place)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)",
        of.shard,
        of.tenant,
        session.id,
        session.member,
        session.member_version,
        session.created_at,
        session.fresh_until,
        ticket,
        place
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The one that a ticket opens.
pub async fn by_ticket(tx: &mut PgConnection, of: Of, ticket: &[u8; 32]) -> Result<Option<Session>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT session, member, member_version, created_at, used_at, fresh_until, ended_at FROM staff_session
         WHERE shard = $1 AND tenant = $2 AND ticket = $3",
        of.shard,
        of.tenant,
        ticket
    );
    Ok(row.fetch_optional(tx).await?.map(Session::from))
}

/// One by its id.
pub async fn by_id(tx: &mut PgConnection, of: Of, session: Uuid) -> Result<Option<Session>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        "SELECT session, member, member_version, created_at, used_at, fresh_until, ended_at FROM staff_session
         WHERE shard = $1 AND tenant = $2 AND session = $3",
        of.shard,
        of.tenant,
        session
    );
    Ok(row.fetch_optional(tx).await?.map(Session::from))
}

/// Those of a member, or of all, that nobody ended and whose time may not be over, the newest first.
pub async fn open(
    tx: &mut PgConnection,
    of: Of,
    member: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<Session>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        "SELECT session, member, member_version, created_at, used_at, fresh_until, ended_at FROM staff_session
         WHERE shard = $1 AND tenant = $2 AND ($3::uuid IS NULL OR member = $3) AND ended_at IS NULL AND used_at > $4
         ORDER BY created_at DESC, session LIMIT 500",
        of.shard,
        of.tenant,
        member,
        now - IDLE
    );
    Ok(rows.fetch_all(tx).await?.into_iter().map(Session::from).collect())
}

/// Whether a member has signed in from a place lately.
pub async fn is_at_home(
    tx: &mut PgConnection,
    of: Of,
    member: Uuid,
    place: &[u8; 32],
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM staff_session WHERE shard = $1 AND tenant = $2 AND member = $3 AND created_at > $5 AND place = $4) AS "is!""#,
        of.shard,
        of.tenant,
        member,
        place,
        now - AT_HOME
    )
    .fetch_one(tx)
    .await
}

/// Notes a use. One that comes late does not go back.
pub async fn touch(tx: &mut PgConnection, of: Of, session: Uuid, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE staff_session SET used_at = greatest(used_at, $4) WHERE shard = $1 AND tenant = $2 AND session = $3",
        of.shard,
        of.tenant,
        session,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes that the second factor was shown.
pub async fn freshen(tx: &mut PgConnection, of: Of, session: Uuid, until: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE staff_session SET fresh_until = $4 WHERE shard = $1 AND tenant = $2 AND session = $3",
        of.shard,
        of.tenant,
        session,
        until
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Ends one, perhaps once more.
pub async fn end(tx: &mut PgConnection, of: Of, session: Uuid, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE staff_session SET ended_at = $4 WHERE shard = $1 AND tenant = $2 AND session = $3 AND ended_at IS NULL",
        of.shard,
        of.tenant,
        session,
        now
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Lets one session go on at a later version of its member's stream.
pub async fn carry_over(tx: &mut PgConnection, of: Of, session: Uuid, version: i32) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE staff_session SET member_version = $4 WHERE shard = $1 AND tenant = $2 AND session = $3",
        of.shard,
        of.tenant,
        session,
        version
    )
    .execute(tx)
    .await?;
    Ok(())
}
