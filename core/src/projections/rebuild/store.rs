//! The tables of a rebuild: made, indexed, swapped.
//!
//! What names a schema before a table is a text of its own; there is no such table at compile time. Names come from
//! the projections, never from outside.

#![expect(
    clippy::disallowed_methods,
    reason = "what names a table in the schema of a rebuild cannot be checked at compile time"
)]

use super::super::Projection;
use sqlx::{Connection, Executor, PgConnection};
use std::time::{Duration, Instant};

/// How a swap waits: long for the projector to end its page (nobody waits behind us), and only for a moment for
/// readers (new ones do).
const WAIT_FOR_PROJECTOR: &str = "SET LOCAL lock_timeout = '5s'";
const WAIT_FOR_READERS: &str = "SET LOCAL lock_timeout = '50ms'";
/// What Postgres says when a lock was not to be had in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Lets this session find the new tables first.
pub async fn enter(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    session.execute("SET search_path = rebuild, public").await?;
    Ok(())
}

/// Back to the real ones.
pub async fn leave(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    session.execute("RESET search_path").await?;
    Ok(())
}

/// Notes that this session rebuilds a projection; `false` while another one does.
///
/// A note is good for as long as its session lives, so one that was killed is in nobody's way, and nobody has to guess
/// how long a rebuild may take. Who builds also swaps, in the same session: without it, no swap.
pub async fn claim(session: &mut PgConnection, projection: &dyn Projection) -> Result<bool, sqlx::Error> {
    let claimed = sqlx::query(
        "INSERT INTO rebuild.running AS r (name, pid, session_user_id)
         SELECT $1, pg_backend_pid(), oid FROM pg_catalog.pg_roles WHERE rolname = session_user
         ON CONFLICT (name) DO UPDATE SET pid = excluded.pid, session_user_id = excluded.session_user_id
         WHERE (r.pid, r.session_user_id) = (excluded.pid, excluded.session_user_id) OR NOT EXISTS (
             SELECT FROM pg_catalog.pg_stat_activity a WHERE a.pid = r.pid AND a.usesysid = r.session_user_id)",
    )
    .bind(projection.name())
    .execute(session)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Takes the note away.
pub async fn release(session: &mut PgConnection, projection: &dyn Projection) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM rebuild.running WHERE name = $1 AND pid = pg_backend_pid()";
    sqlx::query(sql).bind(projection.name()).execute(session).await?;
    Ok(())
}

/// Makes the new tables, empty and protected, without indexes; what an interrupted rebuild left is removed.
pub async fn make(session: &mut PgConnection, projection: &dyn Projection) -> Result<(), sqlx::Error> {
    let mut tx = session.begin().await?;
    sqlx::query("DELETE FROM rebuild.projection WHERE name = $1").bind(projection.name()).execute(&mut *tx).await?;
    for table in projection.tables() {
        let name = table.name;
        let sql = format!(
            "DROP TABLE IF EXISTS rebuild.{name};
             CREATE TABLE rebuild.{name} (LIKE public.{name} INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
             SELECT public.protect_projection('rebuild.{name}');"
        );
        tx.execute(&*sql).await?;
    }
    tx.commit().await
}

/// Makes the indexes that the tables in use have, under their names: the primary keys, or all others.
pub async fn index(session: &mut PgConnection, projection: &dyn Projection, primary: bool) -> Result<(), sqlx::Error> {
    for table in projection.tables() {
        let indexes: Vec<(String, String)> = sqlx::query_as(
            "SELECT c.relname::text, pg_get_indexdef(i.indexrelid) FROM pg_catalog.pg_index i
             JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
             WHERE i.indrelid = ('public.' || $1)::regclass AND i.indisprimary = $2 ORDER BY 1",
        )
        .bind(table.name)
        .bind(primary)
        .fetch_all(&mut *session)
        .await?;
        for (index, definition) in indexes {
            session.execute(&*definition.replacen(" ON public.", " ON rebuild.", 1)).await?;
            if primary {
                let sql = format!(
                    "ALTER TABLE rebuild.{} ADD CONSTRAINT {index} PRIMARY KEY USING INDEX {index}",
                    table.name
                );
                session.execute(&*sql).await?;
            }
        }
    }
    Ok(())
}

/// Gathers statistics, so that the first readers after the swap get good plans.
pub async fn analyze(session: &mut PgConnection, projection: &dyn Projection) -> Result<(), sqlx::Error> {
    for table in projection.tables() {
        session.execute(&*format!("ANALYZE rebuild.{}", table.name)).await?;
    }
    Ok(())
}

/// The newest position of a shard.
pub async fn newest(session: &mut PgConnection, shard: i16) -> Result<i64, sqlx::Error> {
    let newest =
        sqlx::query_scalar!("SELECT last_position FROM batch WHERE shard = $1 ORDER BY seq DESC LIMIT 1", shard)
            .fetch_optional(session)
            .await?;
    Ok(newest.unwrap_or(0))
}

/// Whether a projection in use is parked or of another version.
pub async fn is_changed(session: &mut PgConnection, projection: &dyn Projection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM projection WHERE name = $1 AND (version <> $2 OR parked_at IS NOT NULL)) AS "is_changed!""#,
        projection.name(),
        projection.version()
    )
    .fetch_one(session)
    .await
}

/// Removes what the rebuild before this one kept.
pub async fn clear_before(session: &mut PgConnection, projection: &dyn Projection) -> Result<(), sqlx::Error> {
    for table in projection.tables() {
        session.execute(&*format!("DROP TABLE IF EXISTS before.{}", table.name)).await?;
    }
    Ok(())
}

/// Puts the new tables into the place of the old ones; answers how long their locks were held. `None` when they were not
/// to be had, or when the old ones have come further than the new.
///
/// The order of locks is the projector's: its row, then the tables.
pub async fn swap(session: &mut PgConnection, projection: &dyn Projection) -> Result<Option<Duration>, sqlx::Error> {
    let mut tx = session.begin().await?;
    match swap_in(&mut tx, projection).await {
        Ok(Some(began)) => {
            tx.commit().await?;
            Ok(Some(began.elapsed()))
        }
        Ok(None) => tx.rollback().await.map(|()| None),
        Err(error) if error.as_database_error().is_some_and(|e| e.code().as_deref() == Some(LOCK_NOT_AVAILABLE)) => {
            tx.rollback().await.map(|()| None)
        }
        Err(error) => Err(error),
    }
}

async fn swap_in(tx: &mut PgConnection, projection: &dyn Projection) -> Result<Option<Instant>, sqlx::Error> {
    tx.execute(WAIT_FOR_PROJECTOR).await?;
    let lock = "SELECT position FROM public.projection WHERE name = $1 ORDER BY shard FOR UPDATE";
    sqlx::query(lock).bind(projection.name()).fetch_all(&mut *tx).await?;
    let began = Instant::now();
    // In a statement of its own, after the lock: the rows as they are now.
    let ahead: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM public.projection old JOIN rebuild.projection new USING (shard, name)
                        WHERE name = $1 AND old.version = new.version AND old.parked_at IS NULL AND old.position > new.position)",
    )
    .bind(projection.name())
    .fetch_one(&mut *tx)
    .await?;
    if ahead {
        return Ok(None);
    }
    tx.execute(WAIT_FOR_READERS).await?;
    for table in projection.tables() {
        let name = table.name;
        let sql = format!("ALTER TABLE public.{name} SET SCHEMA before; ALTER TABLE rebuild.{name} SET SCHEMA public");
        tx.execute(&*sql).await?;
    }
    for sql in [
        "DELETE FROM public.projection WHERE name = $1",
        "INSERT INTO public.projection SELECT * FROM rebuild.projection WHERE name = $1",
        "DELETE FROM rebuild.projection WHERE name = $1",
    ] {
        sqlx::query(sql).bind(projection.name()).execute(&mut *tx).await?;
    }
    Ok(Some(began))
}
