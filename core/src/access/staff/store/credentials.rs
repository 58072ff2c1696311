//! What members prove themselves with.

use sqlx::PgConnection;
use uuid::Uuid;

use super::Of;
use crate::access::staff::recovery::CodeDigest;

/// A member's password and device as they are kept.
#[derive(Debug)]
pub struct Credential {
    /// By which invitation they were enrolled.
    pub enrolled_by: Uuid,
    /// Argon2id.
    pub password_hash: String,
    /// Sealed.
    pub device: String,
}

/// A member's; of somebody who has none, that of another member of the tenant, for the same work.
pub async fn find_or_stand_in(
    tx: &mut PgConnection,
    of: Of,
    member: Uuid,
) -> Result<Option<(Uuid, Credential)>, sqlx::Error> {
    // The one of the id or before it; before the first one stands the last one.
    let row = sqlx::query!(
        r#"(SELECT member AS "member!", enrolled_by AS "enrolled_by!", password_hash AS "password_hash!", device AS "device!"
            FROM staff_credential WHERE shard = $1 AND tenant = $2 AND member <= $3 ORDER BY member DESC LIMIT 1)
           UNION ALL
           (SELECT member, enrolled_by, password_hash, device
            FROM staff_credential WHERE shard = $1 AND tenant = $2 ORDER BY member DESC LIMIT 1)
           LIMIT 1"#,
        of.shard,
        of.tenant,
        member
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| {
        let (enrolled_by, password_hash, device) = (row.enrolled_by, row.password_hash, row.device);
        (row.member, Credential { enrolled_by, password_hash, device })
    }))
}

/// A member's, or nobody's.
pub async fn find(tx: &mut PgConnection, of: Of, member: Uuid) -> Result<Option<Credential>, sqlx::Error> {
    sqlx::query_as!(
        Credential,
        "SELECT enrolled_by, password_hash, device FROM staff_credential WHERE shard = $1 AND tenant = $2 AND member = $3",
        of.shard,
        of.tenant,
        member
    )
    .fetch_optional(tx)
    .await
}

/// Keeps a member's, in place of those before.
pub async fn put(
    tx: &mut PgConnection,
    of: Of,
    member: Uuid,
    credential: &Credential,
    last_step: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO staff_credential (shard, tenant, member, enrolled_by, password_hash, device, last_step)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (shard, tenant, member) DO UPDATE
         SET enrolled_by = excluded.enrolled_by, password_hash = excluded.password_hash, device = excluded.device, last_step = excluded.last_step",
        of.shard,
        of.tenant,
        member,
        credential.enrolled_by,
        credential.password_hash,
        credential.device,
        last_step
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Uses a step up. `false`: it or a later one was used before. Of two at once the row lets one through.
pub async fn use_step(tx: &mut PgConnection, of: Of, member: Uuid, step: i64) -> Result<bool, sqlx::Error> {
    let used = sqlx::query!(
        "UPDATE staff_credential SET last_step = $4 WHERE shard = $1 AND tenant = $2 AND member = $3 AND last_step < $4",
        of.shard,
        of.tenant,
        member,
        step
    )
    .execute(tx)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Replaces a member's password.
pub async fn replace_password(tx: &mut PgConnection, of: Of, member: Uuid, hash: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE staff_credential SET password_hash = $4 WHERE shard = $1 AND tenant = $2 AND member = $3",
        of.shard,
        of.tenant,
        member,
        hash
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Uses a recovery code up. `false`: it is none of the member's that are left.
pub async fn use_code(tx: &mut PgConnection, of: Of, member: Uuid, code: &CodeDigest) -> Result<bool, sqlx::Error> {
    let used = sqlx::query!(
        "DELETE FROM staff_recovery_code WHERE shard = $1 AND tenant = $2 AND member = $3 AND digest = $4",
        of.shard,
        of.tenant,
        member,
        code
    )
    .execute(tx)
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Whether a recovery code is one of the member's that are left.
pub async fn has_code(tx: &mut PgConnection, of: Of, member: Uuid, code: &CodeDigest) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM staff_recovery_code WHERE shard = $1 AND tenant = $2 AND member = $3 AND digest = $4) AS "has!""#,
        of.shard,
        of.tenant,
        member,
        code
    )
    .fetch_one(tx)
    .await
}

/// How many codes are left.
pub async fn codes_left(tx: &mut PgConnection, of: Of, member: Uuid) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM staff_recovery_code WHERE shard = $1 AND tenant = $2 AND member = $3"#,
        of.shard,
        of.tenant,
        member
    )
    .fetch_one(tx)
    .await
}

/// Keeps a set of codes in place of the one before.
pub async fn replace_codes(
    tx: &mut PgConnection,
    of: Of,
    member: Uuid,
    codes: &[CodeDigest],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM staff_recovery_code WHERE shard = $1 AND tenant = $2 AND member = $3",
        of.shard,
        of.tenant,
        member
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "INSERT INTO staff_recovery_code (shard, tenant, member, digest) SELECT $1, $2, $3, unnest($4::bytea[])",
        of.shard,
        of.tenant,
        member,
        &codes.iter().map(|code| &code[..]).collect::<Vec<_>>() as _
    )
    .execute(tx)
    .await?;
    Ok(())
}
