//! Least privilege in Postgres: what each group role may do with each table stands in `migrations/grants.txt`, where people
//! review it. A migration that changes a right changes that file, or fails here.

use std::path::{Path, PathBuf};
use vintem_core::secrets::DatabaseRole;
use vintem_tests::vault::Secrets;

/// Whether the file is to be written anew from what the migrations grant.
const WRITE: &str = "DEV_WRITE_GRANTS";

/// One line per table or function. What a role has by being a member of another counts, and so does what everybody has.
const QUERY: &str = "
    WITH roles(role) AS (SELECT rolname FROM pg_roles WHERE rolname LIKE 'vintem\\_%' AND NOT rolcanlogin AND rolname <> 'vintem_owner'),
    relations AS (
        SELECT c.oid, format('%s', c.oid::regclass) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT c.relispartition AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
    ),
    words(privilege, word, has_columns) AS (
        VALUES ('SELECT', 'select', true), ('INSERT', 'insert', true), ('UPDATE', 'update', true), ('DELETE', 'delete', false), ('TRUNCATE', 'truncate', false)
    ),
    rights AS (
        SELECT r.name, role, privilege, CASE
            WHEN has_table_privilege(role, r.oid, privilege) THEN word
            WHEN has_columns THEN (
                SELECT word || '(' || string_agg(attname, ' ' ORDER BY attnum) || ')' FROM pg_attribute
                WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped AND has_column_privilege(role, r.oid, attnum, privilege)
            ) END AS right
        FROM relations r, roles, words
    ),
    lines AS (
        SELECT name, role, string_agg(\"right\", ', ' ORDER BY array_position(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'], privilege)) AS rights
        FROM rights WHERE \"right\" IS NOT NULL GROUP BY name, role
        UNION ALL
        SELECT 'function ' || p.proname, coalesce(role, CASE WHEN has_function_privilege('public', p.oid, 'EXECUTE') THEN 'everybody' ELSE 'nobody' END), 'execute' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        LEFT JOIN roles ON NOT has_function_privilege('public', p.oid, 'EXECUTE') AND has_function_privilege(role, p.oid, 'EXECUTE')
        WHERE n.nspname = 'public' AND p.prosecdef
        UNION ALL
        SELECT 'schema ' || nspname, role, 'create' FROM pg_namespace, roles WHERE has_schema_privilege(role, oid, 'CREATE')
        UNION ALL
        SELECT 'database', role, 'temporary' FROM roles WHERE has_database_privilege(role, current_database(), 'TEMPORARY')
    )
    SELECT name || E'\\n' || string_agg(format('    %s: %s', replace(role, 'vintem_', ''), rights), E'\\n' ORDER BY role)
    FROM lines GROUP BY name ORDER BY name COLLATE \"C\"";

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("migrations/grants.txt")
}

#[tokio::test]
async fn each_role_has_the_rights_that_were_reviewed() {
    let secrets = Secrets::create().await;
    let mut superuser = secrets.store.superuser().await;
    let blocks: Vec<String> = sqlx::query_scalar(QUERY).fetch_all(&mut superuser).await.unwrap();
    let granted = blocks.join("\n") + "\n";
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(file(), &granted).unwrap();
    }
    let reviewed = std::fs::read_to_string(file()).unwrap_or_default();
    let only = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|same| same == *line));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (new, gone) = (only(&granted, &reviewed), only(&reviewed, &granted));
    assert_eq!(granted, reviewed, "new: {new:#?}, gone: {gone:#?}; {WRITE}=1 writes them to {}", file().display());
    secrets.close().await;
}

#[tokio::test]
async fn a_role_is_a_group_and_no_more() {
    let secrets = Secrets::create().await;
    let mut superuser = secrets.store.superuser().await;
    let strong: Vec<String> = sqlx::query_scalar(
        "SELECT rolname::text FROM pg_roles WHERE rolname LIKE 'vintem\\_%' AND rolname NOT LIKE 'vintem\\_vault%'
         AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR rolcanlogin)",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert!(strong.is_empty(), "{strong:?}");
    let groups: Vec<(String, String)> = sqlx::query_as(
        "SELECT m.rolname::text, g.rolname::text FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
         WHERE m.rolname LIKE 'vintem\\_%' AND NOT m.rolcanlogin",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert_eq!(
        groups,
        [("vintem_operator".to_owned(), "vintem_writer".to_owned())],
        "who appends, and who may as well"
    );
    let unprotected: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    )
    .fetch_all(&mut superuser)
    .await
    .unwrap();
    assert!(unprotected.is_empty(), "tables of tenants without row-level security: {unprotected:?}");
    secrets.close().await;
}

#[tokio::test]
async fn a_leased_user_is_in_its_own_group_alone() {
    const ROLES: [DatabaseRole; 14] = [
        DatabaseRole::Reader,
        DatabaseRole::Writer,
        DatabaseRole::Operator,
        DatabaseRole::Projector,
        DatabaseRole::Relay,
        DatabaseRole::Integrators,
        DatabaseRole::Editor,
        DatabaseRole::Webhooks,
        DatabaseRole::Auditor,
        DatabaseRole::Migrator,
        DatabaseRole::Keeper,
        DatabaseRole::Rewrapper,
        DatabaseRole::Indexer,
        DatabaseRole::KeysMigrator,
    ];
    let secrets = Secrets::create().await;
    let vault = secrets.stack.vault().await.unwrap();
    let mut superuser = secrets.store.superuser().await;
    for role in ROLES.map(DatabaseRole::as_str) {
        let lease = vault.get(&format!("{}database/creds/{role}", secrets.prefix)).await.unwrap();
        let user = lease["data"]["username"].as_str().unwrap();
        let (groups, is_plain): (Vec<String>, bool) = sqlx::query_as(
            "SELECT ARRAY(SELECT roleid::regrole::text FROM pg_auth_members WHERE member = r.oid),
                    NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
             FROM pg_roles r WHERE rolname = $1",
        )
        .bind(user)
        .fetch_one(&mut superuser)
        .await
        .unwrap();
        let group = match role {
            "migrator" => "vintem_owner".to_owned(),
            "keys-migrator" => "vintem_key_owner".to_owned(),
            group => format!("vintem_{group}"),
        };
        assert!(is_plain && groups == [group], "{role}: {groups:?}");
    }
    let listed = vault.get(&format!("{}database/roles?list=true", secrets.prefix)).await.unwrap();
    assert_eq!(listed["data"]["keys"].as_array().unwrap().len(), ROLES.len(), "{listed}");
    secrets.close().await;
}
