//! What citizens remember, as hashes.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::access::Of;
use crate::citizens::event::Secret;
use crate::citizens::pin::TRIES;

/// A citizen's password and PIN as they are kept.
#[derive(Debug)]
pub struct Credential {
    /// By which code they were chosen; they count only while the log names the same one.
    pub enrolled_by: Uuid,
    /// Argon2id.
    pub password_hash: String,
    /// Argon2id.
    pub pin_hash: String,
}

/// A citizen's; of somebody who has none, that of another citizen of the tenant, for the same work.
pub async fn find_or_stand_in(
    tx: &mut PgConnection,
    of: Of,
    holder: Uuid,
) -> Result<Option<(Uuid, Credential)>, sqlx::Error> {
    // The one of the id or before it; before the first one stands the last one.
    let row = sqlx::query!(
        r#"(SELECT holder AS "holder!", enrolled_by AS "enrolled_by!", password_hash AS "password_hash!", pin_hash AS "pin_hash!"
            FROM citizen_credential WHERE shard = $1 AND tenant = $2 AND holder <= $3 ORDER BY holder DESC LIMIT 1)
           UNION ALL
           (SELECT holder, enrolled_by, password_hash, pin_hash
            FROM citizen_credential WHERE shard = $1 AND tenant = $2 ORDER BY holder DESC LIMIT 1)
           LIMIT 1"#,
        of.shard,
        of.tenant,
        holder
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| {
        let (enrolled_by, password_hash, pin_hash) = (row.enrolled_by, row.password_hash, row.pin_hash);
        (row.holder, Credential { enrolled_by, password_hash, pin_hash })
    }))
}

/// A citizen's, or nobody's.
pub async fn find(tx: &mut PgConnection, of: Of, holder: Uuid) -> Result<Option<Credential>, sqlx::Error> {
    sqlx::query_as!(
        Credential,
        "SELECT enrolled_by, password_hash, pin_hash FROM citizen_credential WHERE shard = $1 AND tenant = $2 AND holder = $3",
        of.shard,
        of.tenant,
        holder
    )
    .fetch_optional(tx)
    .await
}

/// Deletes a citizen's.
pub async fn delete(tx: &mut PgConnection, of: Of, holder: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM citizen_credential WHERE shard = $1 AND tenant = $2 AND holder = $3",
        of.shard,
        of.tenant,
        holder
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Keeps a citizen's, in place of those before; a locked PIN is open again.
pub async fn put(tx: &mut PgConnection, of: Of, holder: Uuid, credential: &Credential) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO citizen_credential (shard, tenant, holder, enrolled_by, password_hash, pin_hash) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (shard, tenant, holder) DO UPDATE
         SET enrolled_by = excluded.enrolled_by, password_hash = excluded.password_hash, pin_hash = excluded.pin_hash, pin_failures = 0",
        of.shard,
        of.tenant,
        holder,
        credential.enrolled_by,
        credential.password_hash,
        credential.pin_hash
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Replaces one of the two.
pub async fn replace(tx: &mut PgConnection, of: Of, holder: Uuid, what: Secret, hash: &str) -> Result<(), sqlx::Error> {
    let is_password = what == Secret::Password;
    sqlx::query!(
        "UPDATE citizen_credential
         SET password_hash = CASE WHEN $4 THEN $5 ELSE password_hash END, pin_hash = CASE WHEN $4 THEN pin_hash ELSE $5 END
         WHERE shard = $1 AND tenant = $2 AND holder = $3",
        of.shard,
        of.tenant,
        holder,
        is_password,
        hash
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts an attempt at the PIN before it is judged: how many it makes, and what it is compared with. `None` when it is locked.
pub async fn count_pin(tx: &mut PgConnection, of: Of, holder: Uuid) -> Result<Option<(i16, Credential)>, sqlx::Error> {
    at_leisure(tx).await?;
    let row = sqlx::query!(
        "UPDATE citizen_credential SET pin_failures = pin_failures + 1
         WHERE shard = $1 AND tenant = $2 AND holder = $3 AND pin_failures < $4
         RETURNING pin_failures, enrolled_by, password_hash, pin_hash",
        of.shard,
        of.tenant,
        holder,
        TRIES
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| {
        let (enrolled_by, password_hash, pin_hash) = (row.enrolled_by, row.password_hash, row.pin_hash);
        (row.pin_failures, Credential { enrolled_by, password_hash, pin_hash })
    }))
}

/// Takes attempts at the PIN back: all of them when it was right, the last one when nothing was judged.
pub async fn take_back_pin(tx: &mut PgConnection, of: Of, holder: Uuid, all: bool) -> Result<(), sqlx::Error> {
    at_leisure(tx).await?;
    sqlx::query!(
        "UPDATE citizen_credential SET pin_failures = CASE WHEN $4 THEN 0 ELSE greatest(pin_failures - 1, 0) END
         WHERE shard = $1 AND tenant = $2 AND holder = $3",
        of.shard,
        of.tenant,
        holder,
        all
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Counts do not wait for the disk: that a crash of Postgres takes the last few along helps nobody who could not crash it.
async fn at_leisure(tx: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query_scalar!("SELECT set_config('synchronous_commit', 'off', true)").fetch_one(tx).await?;
    Ok(())
}
