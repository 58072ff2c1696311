//! The SQL of holders: whose a digest is. Everything else is in the log.

use crate::event_store::personal::Digest;
use sqlx::PgConnection;
use uuid::Uuid;

/// The holder that one of these digests belongs to, whichever version finds it.
pub(super) async fn owner(
    tx: &mut PgConnection,
    shard: i16,
    tenant: Uuid,
    kind: &str,
    digests: &[Digest],
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT k.owner FROM unnest($4::smallint[], $5::bytea[]) AS wanted (version, digest)
         JOIN personal_key k ON k.shard = $1 AND k.tenant = $2 AND k.kind = $3 AND k.version = wanted.version AND k.digest = wanted.digest
         LIMIT 1",
        shard,
        tenant,
        kind,
        &digests.iter().map(|(version, _)| *version).collect::<Vec<_>>() as _,
        &digests.iter().map(|(_, digest)| &digest[..]).collect::<Vec<_>>() as _
    )
    .fetch_optional(tx)
    .await
}
