//! Answers under their keys.

use sqlx::PgConnection;

use crate::event_store::RequestKey;
use crate::kernel::fingerprint::Fingerprint;
use crate::webhooks::service::{Answer, Owner};

/// Takes a key for this transaction. `false` when it was used before, here or for a write of the ledger; whoever is using
/// it right now is waited for.
pub async fn claim(tx: &mut PgConnection, owner: Owner, key: &RequestKey) -> Result<bool, sqlx::Error> {
    let claimed = sqlx::query!(
        "INSERT INTO webhook_request (shard, tenant, principal, key, fingerprint)
         SELECT $1, $2, $3, $4, $5
         WHERE NOT EXISTS (SELECT FROM request WHERE shard = $1 AND tenant = $2 AND principal = $3 AND key = $4)
         ON CONFLICT DO NOTHING",
        owner.shard,
        owner.tenant,
        key.principal,
        &*key.key,
        &key.fingerprint
    )
    .execute(tx)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// What a key was used for, and the answer.
pub async fn find(
    tx: &mut PgConnection,
    owner: Owner,
    principal: uuid::Uuid,
    key: &str,
) -> Result<Option<(Fingerprint, Answer)>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT fingerprint, status AS "status!", code, body AS "body!" FROM webhook_request
           WHERE shard = $1 AND tenant = $2 AND principal = $3 AND key = $4 AND status IS NOT NULL"#,
        owner.shard,
        owner.tenant,
        principal,
        key
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|row| {
        // A stored fingerprint always has 32 bytes: the table checks it.
        let fingerprint = Fingerprint::try_from(row.fingerprint.as_slice()).unwrap_or_default();
        (fingerprint, Answer { status: u16::try_from(row.status).unwrap_or(500), code: row.code, body: row.body })
    }))
}

/// Keeps the answer under the key that this transaction has claimed.
pub async fn keep(tx: &mut PgConnection, owner: Owner, key: &RequestKey, answer: &Answer) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE webhook_request SET status = $5, code = $6, body = $7
         WHERE shard = $1 AND tenant = $2 AND principal = $3 AND key = $4",
        owner.shard,
        owner.tenant,
        key.principal,
        &*key.key,
        i16::try_from(answer.status).unwrap_or(500),
        answer.code,
        answer.body
    )
    .execute(tx)
    .await?;
    Ok(())
}
