//! What Postgres' catalogue says about the schema.

use sqlx::PgConnection;

/// A trigger of a table.
#[derive(Debug)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Whether it fires whatever the session's replication role.
    pub is_always: bool,
    /// What it calls.
    pub function: String,
}

/// Triggers of a table that fire before a change of rows or of the whole table.
pub async fn triggers(session: &mut PgConnection, table: &str) -> Result<Vec<Trigger>, sqlx::Error> {
    // tgtype: 2 = before, 8 = delete, 16 = update, 32 = truncate.
    sqlx::query_as!(
        Trigger,
        r#"SELECT t.tgname AS "name!", (t.tgenabled = 'A') AS "is_always!", p.proname AS "function!"
           FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
           WHERE t.tgrelid = to_regclass('public.' || $1) AND t.tgqual IS NULL AND (t.tgtype::int & 2) <> 0 AND (t.tgtype::int & 56) IN (24, 32)"#,
        table
    )
    .fetch_all(session)
    .await
}

/// Who else than its owner may change rows of a table, whole or by column, and by which privilege.
pub async fn change_grants(session: &mut PgConnection, table: &str) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT DISTINCT CASE grants.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grants.grantee)::text END AS "grantee!", grants.privilege_type AS "privilege!"
           FROM pg_catalog.pg_class c
           CROSS JOIN LATERAL (
               SELECT grantee, privilege_type FROM aclexplode(c.relacl)
               UNION ALL
               SELECT a.grantee, a.privilege_type FROM pg_catalog.pg_attribute CROSS JOIN LATERAL aclexplode(attacl) a WHERE attrelid = c.oid
           ) grants
           WHERE c.oid = to_regclass('public.' || $1) AND grants.grantee <> c.relowner AND grants.privilege_type IN ('UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
           ORDER BY 1, 2"#,
        table
    )
    .fetch_all(session)
    .await?;
    Ok(rows.into_iter().map(|row| (row.grantee, row.privilege)).collect())
}

#[expect(clippy::disallowed_methods, reason = "the name of a table is no parameter")]
/// A shard that a table has rows of and that does not exist. Each step jumps to the next shard in the index.
pub async fn foreign_shard(session: &mut PgConnection, table: &'static str) -> Result<Option<i16>, sqlx::Error> {
    let sql = format!(
        "WITH RECURSIVE present (shard) AS (
             (SELECT shard FROM public.{table} ORDER BY shard LIMIT 1)
             UNION ALL
             SELECT (SELECT shard FROM public.{table} it WHERE it.shard > present.shard ORDER BY shard LIMIT 1) FROM present WHERE present.shard IS NOT NULL
         )
         SELECT present.shard FROM present WHERE shard IS NOT NULL AND NOT EXISTS (SELECT FROM public.shard s WHERE s.shard = present.shard) LIMIT 1"
    );
    sqlx::query_scalar(&sql).fetch_optional(session).await
}

/// The body of a function.
pub async fn function_body(session: &mut PgConnection, name: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT prosrc FROM pg_catalog.pg_proc WHERE pronamespace = 'public'::regnamespace AND proname = $1",
        name
    )
    .fetch_optional(session)
    .await
}

/// Tables with a tenant whose rows are not guarded by row-level security, also against their owner.
pub async fn unprotected_tables(session: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT c.relname AS "name!" FROM pg_catalog.pg_class c
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
             AND EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped)
           ORDER BY 1"#
    )
    .fetch_all(session)
    .await
}

/// Policies that show the reader, or everybody, more than this condition.
pub async fn open_policies(session: &mut PgConnection, condition: &str) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT tablename AS "table!", policyname AS "policy!" FROM pg_catalog.pg_policies
           WHERE schemaname = 'public' AND permissive = 'PERMISSIVE' AND roles && ARRAY['vintem_reader', 'public']::name[] AND qual IS DISTINCT FROM $1
           ORDER BY 1, 2"#,
        condition
    )
    .fetch_all(session)
    .await?;
    Ok(rows.into_iter().map(|row| (row.table, row.policy)).collect())
}

/// Group roles of processes that could do more than they are granted.
pub async fn mighty_roles(session: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT rolname AS "name!" FROM pg_catalog.pg_roles
           WHERE rolname IN ('vintem_reader', 'vintem_writer', 'vintem_operator', 'vintem_projector', 'vintem_relay', 'vintem_integrators', 'vintem_editor', 'vintem_webhooks', 'vintem_keeper', 'vintem_rewrapper', 'vintem_indexer', 'vintem_auditor')
             AND (rolsuper OR rolbypassrls OR rolcreaterole OR pg_has_role(rolname, 'vintem_owner', 'MEMBER'))
           ORDER BY 1"#
    )
    .fetch_all(session)
    .await
}

/// Indexes that are unique and in force.
pub async fn unique_indexes(session: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT c.relname AS "name!" FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
           WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique AND i.indisvalid AND i.indisready"#
    )
    .fetch_all(session)
    .await
}
