//! Tickets to become a member, and what was chosen with them so far.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::Of;

/// An invitation as it is kept.
#[derive(Debug)]
pub struct Kept {
    /// Its id.
    pub invitation: Uuid,
    /// For whom.
    pub member: Uuid,
    /// The hash of the password that was chosen, and the sealed secret of the device, once they are.
    pub chosen: Option<(String, String)>,
    /// Until when the ticket may be used.
    pub expires_at: DateTime<Utc>,
}

/// Adds one, perhaps once more. Roles: editor, operator.
pub async fn insert(
    tx: &mut PgConnection,
    of: Of,
    (invitation, member): (Uuid, Uuid),
    ticket: &[u8; 32],
    expires_at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO staff_invitation (shard, tenant, invitation, member, ticket, expires_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        of.shard,
        of.tenant,
        invitation,
        member,
        ticket,
        expires_at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The one that a ticket opens; nobody else uses it until the transaction ends.
pub async fn lock(tx: &mut PgConnection, of: Of, ticket: &[u8; 32]) -> Result<Option<Kept>, sqlx::Error> {
    let row = sqlx::query!(
        "SELECT invitation, member, password_hash, device, expires_at FROM staff_invitation
         WHERE shard = $1 AND tenant = $2 AND ticket = $3 FOR UPDATE",
        of.shard,
        of.tenant,
        ticket
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| Kept {
        invitation: row.invitation,
        member: row.member,
        chosen: row.password_hash.zip(row.device),
        expires_at: row.expires_at,
    }))
}

/// Keeps what was chosen until it is confirmed.
pub async fn choose(
    tx: &mut PgConnection,
    of: Of,
    invitation: Uuid,
    (password_hash, device): (&str, &str),
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE staff_invitation SET password_hash = $4, device = $5 WHERE shard = $1 AND tenant = $2 AND invitation = $3",
        of.shard,
        of.tenant,
        invitation,
        password_hash,
        device
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes all of a member's, those that are used up and those that never counted.
pub async fn delete(tx: &mut PgConnection, of: Of, member: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM staff_invitation WHERE shard = $1 AND tenant = $2 AND member = $3",
        of.shard,
        of.tenant,
        member
    )
    .execute(tx)
    .await?;
    Ok(())
}
