//! What the catalogue says of tenants, for tables that will come: no policy is forgotten, and no way leads past them.

use sqlx::PgConnection;
use vintem_tests::store::Store;

/// Roles that a tenant speaks through: each sees the tenant of its transaction.
const BOUND: [&str; 2] = ["vintem_reader", "vintem_editor"];

/// Functions that run as their owner and so see every tenant, each with its reason. All are for one caller, and take or give ids.
const DEFINERS: [(&str, &str); 13] = [
    ("charge_tenant", "whoever has scanned a code knows a charge and not the tenant; one id in, one out"),
    ("citizen_sessions_ended_lately", "whose tokens are refused; ids only"),
    ("client_at_login", "a login names the client before anybody knows the tenant; one id in, one row out"),
    ("client_at_the_door", "the same; an id that is nobody's is answered with the row of another client"),
    ("client_for_login", "the same for the release before"),
    ("client_that_logs_in", "the same with the keys that a client proves itself with"),
    ("clients_revoked_lately", "whose tokens are refused; ids only"),
    ("receipt_of_code", "whoever checks a receipt knows its code and not the tenant; one code in, ids out"),
    ("replace_client_secret", "the operator's: replaces a digest that nobody may read; answers nothing"),
    ("tenant_at_sign_in", "whoever signs in names the tenant; one name in, one id out"),
    ("tenant_hostnames", "which names are whose; a process decides in memory"),
    ("tenants_suspended", "who may not write; ids only"),
    ("tokens_revoked_lately", "whose tokens of before are refused; ids and instants only"),
];

/// What a bound role may read beside its tenant's rows: positions and instants of the shard, which are nobody's data, and
/// failures under keyed digests of addresses and logins, which are counted before anybody knows whose tenant it is.
const SHARED: [&str; 6] = ["_sqlx_migrations", "batch", "halt", "projection", "shard", "staff_attempt"];

async fn none(session: &mut PgConnection, what: &str, sql: &str) {
    let found: Vec<String> = sqlx::query_scalar(sql).fetch_all(session).await.unwrap();
    assert!(found.is_empty(), "{what}: {found:?}");
}

/// What the catalogue must not show, in the ledger's database and in that of people's keys.
const MUST_BE_EMPTY: [(&str, &str); 7] = [
    (
        "tables of tenants whose row security is not enabled and forced",
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
         AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)",
    ),
    (
        "policies that let a role write without a check of what it writes",
        "SELECT format('%s on %s', polname, polrelid::regclass) FROM pg_policy WHERE polcmd IN ('a', 'w', '*') AND polwithcheck IS NULL",
    ),
    ("policies for everybody", "SELECT polname::text FROM pg_policy WHERE polroles = '{0}'"),
    (
        "policies of bound roles that let through more than the tenant of the transaction",
        "SELECT format('%s on %s', policyname, tablename) FROM pg_policies
         WHERE roles && ARRAY['vintem_reader', 'vintem_editor', 'vintem_keeper']::name[]
         AND (qual IS DISTINCT FROM '(tenant = current_tenant())' OR coalesce(with_check, qual) IS DISTINCT FROM qual)",
    ),
    (
        "tables, views and functions of ours that an application's role owns",
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
         WHERE r.rolname LIKE 'vintem\\_%' AND r.rolname NOT IN ('vintem_owner', 'vintem_key_owner')
         UNION ALL SELECT p.proname::text FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
         WHERE r.rolname LIKE 'vintem\\_%' AND r.rolname NOT IN ('vintem_owner', 'vintem_key_owner')",
    ),
    (
        "views that look with their owner's eyes, and views that keep rows without a policy",
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
         AND (c.relkind = 'm' OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false)))",
    ),
    (
        "constraints that span tenants in tables that a bound role may write, where a violation would tell of others' rows",
        "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attname = 'tenant'
         CROSS JOIN unnest(ARRAY['vintem_reader', 'vintem_editor', 'vintem_keeper']) AS role
         WHERE i.indisunique AND NOT t.attnum = ANY (i.indkey::int2[])
         AND (has_any_column_privilege(role, i.indrelid, 'INSERT') OR has_any_column_privilege(role, i.indrelid, 'UPDATE'))
         UNION ALL SELECT c.conname::text FROM pg_constraint c JOIN pg_attribute t ON t.attrelid = c.conrelid AND t.attname = 'tenant'
         CROSS JOIN unnest(ARRAY['vintem_reader', 'vintem_editor', 'vintem_keeper']) AS role
         WHERE c.contype IN ('f', 'x') AND NOT t.attnum = ANY (c.conkey)
         AND (has_any_column_privilege(role, c.conrelid, 'INSERT') OR has_any_column_privilege(role, c.conrelid, 'UPDATE'))",
    ),
];

#[tokio::test]
async fn the_catalogue_leaves_no_way_past_the_policies() {
    let store = Store::create().await;
    store.create_keys().await;
    let mut ledger = store.superuser().await;
    let mut keys = store.cluster.superuser(&vintem_cli::stack::database::keys_of(&store.name)).await.unwrap();
    for (what, sql) in MUST_BE_EMPTY {
        none(&mut ledger, what, sql).await;
        none(&mut keys, what, sql).await;
    }
    let definers: Vec<(String, bool)> = sqlx::query_as(
        "SELECT proname::text, proconfig @> '{search_path=pg_catalog}' AND NOT has_function_privilege('public', p.oid, 'EXECUTE')
         FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
         WHERE prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
    )
    .fetch_all(&mut ledger)
    .await
    .unwrap();
    let known: Vec<(String, bool)> = DEFINERS.iter().map(|(name, _)| ((*name).to_owned(), true)).collect();
    assert_eq!(definers, known, "functions that run as their owner: each has a reason, a fixed path and one caller");
    none(
        &mut keys,
        "functions that run as their owner",
        "SELECT proname::text FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace",
    )
    .await;
    for role in BOUND {
        let shared: Vec<String> = sqlx::query_scalar(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND has_any_column_privilege($1, c.oid, 'SELECT')
             AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant') ORDER BY 1",
        )
        .bind(role)
        .fetch_all(&mut ledger)
        .await
        .unwrap();
        assert!(
            shared.iter().all(|table| SHARED.contains(&table.as_str())),
            "{role} reads beside its tenant: {shared:?}"
        );
    }
    store.close().await;
}
