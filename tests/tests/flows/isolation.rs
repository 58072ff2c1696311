//! One tenant's rows are nobody else's, tried as every role.

use sqlx::{Connection, Executor, PgConnection, Row};
use std::collections::BTreeMap;
use uuid::Uuid;
use vintem_core::event_store::read::tenant_tx;
use vintem_tests::tenants::{Dice, Towns};

/// Roles that a tenant speaks through: each sees the tenant of its transaction.
const BOUND: [&str; 2] = ["vintem_reader", "vintem_editor"];
/// Roles that serve whole shards, and that no request chooses the rows of. What they may do stands in grants.txt.
const WHOLE: [&str; 7] = [
    "vintem_writer",
    "vintem_operator",
    "vintem_projector",
    "vintem_integrators",
    "vintem_webhooks",
    "vintem_auditor",
    "vintem_owner",
];
/// Reads positions and no table of tenants at all.
const BLIND: [&str; 1] = ["vintem_relay"];

/// Tables of every schema of ours that have a tenant.
const TABLES: &str = "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') ORDER BY 1";

/// Rows of the staff, of citizens, of terminals and who is paid at them, a receipt and a charge of every tenant.
const BY_HAND: [&str; 17] = [
    "INSERT INTO staff_member (shard, tenant, member, login) SELECT shard, tenant, tenant, 'probe' FROM tenant",
    "INSERT INTO staff_invitation (shard, tenant, invitation, member, ticket, expires_at) SELECT shard, tenant, tenant, tenant, sha256('probe'), now() FROM tenant",
    "INSERT INTO staff_credential (shard, tenant, member, enrolled_by, password_hash, device, last_step) SELECT shard, tenant, tenant, tenant, '$argon2id$', 'probe', 1 FROM tenant",
    "INSERT INTO staff_recovery_code (shard, tenant, member, digest) SELECT shard, tenant, tenant, sha256('probe') FROM tenant",
    "INSERT INTO staff_session (shard, tenant, session, member, member_version, created_at, used_at, ticket, place) SELECT shard, tenant, tenant, tenant, 1, now(), now(), sha256('probe'), sha256('probe') FROM tenant",
    "INSERT INTO citizen_challenge (shard, tenant, challenge, holder, created_at, expires_at, purpose, code, device_key) SELECT shard, tenant, tenant, tenant, now(), now(), 'device', sha256('probe'), sha256('probe') FROM tenant",
    "INSERT INTO citizen_credential (shard, tenant, holder, enrolled_by, password_hash, pin_hash) SELECT shard, tenant, tenant, tenant, '$argon2id$', '$argon2id$' FROM tenant",
    "INSERT INTO citizen_session (shard, tenant, session, holder, device, device_key, generation, created_at, rotated_at) SELECT shard, tenant, tenant, tenant, tenant, sha256('probe'), 1, now(), now() FROM tenant",
    "INSERT INTO provider (shard, tenant, position, provider) SELECT shard, tenant, 1, tenant FROM tenant",
    "INSERT INTO service (shard, tenant, position, service, provider) SELECT shard, tenant, 1, tenant, tenant FROM tenant",
    "INSERT INTO terminal_code (shard, tenant, code, terminal, digest, expires_at) SELECT shard, tenant, tenant, tenant, sha256('probe'), now() FROM tenant",
    "INSERT INTO terminal_certificate (shard, tenant, terminal, key, ends_at, chain) SELECT shard, tenant, tenant, 'probe', now(), 'probe' FROM tenant",
    "INSERT INTO terminal_heartbeat (shard, tenant, terminal, tampered, offline_count, last_seq, skew_ms, received_at, software) SELECT shard, tenant, tenant, false, 0, 0, 0, now(), 'probe' FROM tenant",
    "INSERT INTO terminal_message (shard, tenant, terminal, seq, received_at, digest) SELECT shard, tenant, tenant, 1, now(), sha256('probe') FROM tenant",
    "INSERT INTO charge (shard, tenant, id, terminal, position, captured, refunded, status, txid) SELECT shard, tenant, tenant, tenant, 1, 0, 0, 'reversed', 'probe' FROM tenant",
    "INSERT INTO charge_move (shard, tenant, position, scale, batch, amount, terminal, charge, kind, asset) SELECT shard, tenant, row_number() OVER (), 2, 1, 1, tenant, tenant, 'capture', 'BRL' FROM tenant",
    "INSERT INTO receipt (shard, tenant, transaction, code, signed, issued_at) SELECT shard, tenant, tenant, '0000000000000000', 'probe', now() FROM tenant",
];

/// The tenants whose rows a role sees in a table, or why it sees none. `None` is no right at all.
async fn seen(session: &mut PgConnection, table: &str) -> Option<Vec<Uuid>> {
    session.execute("SAVEPOINT look").await.unwrap();
    let found = sqlx::query_scalar(&format!("SELECT DISTINCT tenant FROM {table} WHERE tenant IS NOT NULL"))
        .fetch_all(&mut *session)
        .await;
    session.execute("ROLLBACK TO look").await.unwrap();
    match found {
        Ok(tenants) => Some(tenants),
        Err(error) => {
            assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("42501"), "{table}: {error}");
            None
        }
    }
}

/// Becomes a role for the rest of the transaction, with or without a tenant.
async fn become_role(session: &mut PgConnection, role: &str, tenant: Option<Uuid>) {
    session.execute(&*format!("SET LOCAL ROLE {role}")).await.unwrap();
    let tenant = tenant.map(|tenant| tenant.to_string()).unwrap_or_default();
    sqlx::query("SELECT set_config('app.tenant', $1, true)").bind(tenant).execute(session).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_sees_what_it_serves_and_a_tenants_role_its_tenant() {
    let towns = Towns::create().await;
    let (here, there) = (towns.here.tenant, towns.there.tenant);
    let mut session = towns.registry.secrets.store.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut session).await.unwrap();
    let mut tx = session.begin().await.unwrap();
    // Counters come with limits by window, which no route sets yet. They are appended, so these are rolled back.
    tx.execute("INSERT INTO counter (shard, account, version, position, used, tenant, key) SELECT shard, account, 1, account, 0, tenant, 'probe' FROM account")
        .await
        .unwrap();
    // Members join by a device and at a time of their own, and receipts are signed; what they leave behind stands here by hand.
    for rows in BY_HAND {
        tx.execute(rows).await.unwrap();
    }
    for table in &tables {
        let filled = seen(&mut tx, table).await.unwrap();
        assert!(filled.contains(&here) && filled.contains(&there), "{table} proves nothing: it has no rows of both");
    }
    let mut looked: BTreeMap<&str, usize> = BTreeMap::new();
    for table in &tables {
        for role in BOUND {
            become_role(&mut tx, role, Some(here)).await;
            let own = seen(&mut tx, table).await;
            assert!(own.as_ref().is_none_or(|own| *own == [here]), "{role} in {table}: {own:?}");
            *looked.entry(role).or_default() += usize::from(own.is_some());
            for nobody in [None, Some(Uuid::nil()), Some(Uuid::from_u128(7))] {
                become_role(&mut tx, role, nobody).await;
                assert!(
                    seen(&mut tx, table).await.is_none_or(|rows| rows.is_empty()),
                    "{role} in {table} as {nobody:?}"
                );
            }
        }
        for role in BLIND {
            become_role(&mut tx, role, Some(here)).await;
            assert_eq!(seen(&mut tx, table).await, None, "{role} in {table}");
        }
        for role in WHOLE {
            become_role(&mut tx, role, Some(here)).await;
            let rows = seen(&mut tx, table).await;
            // A role that may read a table and has no policy for it would go without rows, and nobody would notice why.
            assert!(rows.is_none_or(|rows| rows.len() >= 2), "{role} may read {table} and sees a part of it");
        }
    }
    assert!(looked["vintem_reader"] >= 20 && looked["vintem_editor"] >= 6, "{looked:?}");
    tx.rollback().await.unwrap();
    // Those of the keys' database may not enter this one.
    let listed: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'vintem\\_%' AND NOT rolcanlogin AND has_database_privilege(oid, current_database(), 'CONNECT')",
    )
    .fetch_one(&mut session)
    .await
    .unwrap();
    assert_eq!(usize::try_from(listed).unwrap(), BOUND.len() + WHOLE.len() + BLIND.len(), "a role that is in no list");
    towns.close().await;
}

/// Columns that a role may read and a value can be looked for in.
const COLUMNS: &str = "SELECT c.oid::regclass::text, a.attname::text, format_type(a.atttypid, NULL) FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND has_column_privilege($1, c.oid, a.attnum, 'SELECT')
    JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant'
    WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND has_column_privilege($1, c.oid, t.attnum, 'SELECT')
    AND format_type(a.atttypid, NULL) IN ('uuid', 'text', 'bigint', 'json', 'bytea') ORDER BY 1, 2";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_questions_about_another_tenants_values_find_nothing() {
    let towns = Towns::create().await;
    let (here, there) = (towns.here.tenant, towns.there.tenant);
    let mut session = towns.registry.secrets.store.superuser().await;
    let mut dice = Dice::throw();
    let mut asked = 0;
    for role in BOUND {
        let columns: Vec<(String, String, String)> =
            sqlx::query_as(COLUMNS).bind(role).fetch_all(&mut session).await.unwrap();
        let before = asked;
        while asked < before + 500 {
            let (table, column, _) = dice.pick(&columns);
            let values = format!(
                "SELECT DISTINCT {column}::text FROM {table} WHERE tenant = $1 AND {column} IS NOT NULL ORDER BY 1"
            );
            let values: Vec<String> = sqlx::query_scalar(&values).bind(there).fetch_all(&mut session).await.unwrap();
            let Some(value) = (!values.is_empty()).then(|| dice.pick(&values)) else { continue };
            let mut tx = session.begin().await.unwrap();
            become_role(&mut tx, role, Some(here)).await;
            // A value that both have (an asset's code, a kind) finds one's own rows and no others.
            let found = format!("SELECT count(*) FILTER (WHERE tenant <> $2) FROM {table} WHERE {column}::text = $1");
            let found: i64 = sqlx::query_scalar(&found).bind(value).bind(here).fetch_one(&mut *tx).await.unwrap();
            assert_eq!(found, 0, "{role}: {table}.{column} = {value}");
            tx.rollback().await.unwrap();
            asked += 1;
        }
    }
    println!("{asked} questions in SQL");
    towns.close().await;
}

/// What a statement of the editor comes to, without its message's place.
async fn refusal(tx: &mut PgConnection, sql: &str) -> Result<u64, (String, String)> {
    tx.execute("SAVEPOINT attempt").await.unwrap();
    let done = sqlx::query(sql).execute(&mut *tx).await;
    tx.execute("ROLLBACK TO attempt").await.unwrap();
    done.map(|done| done.rows_affected()).map_err(|error| {
        let error = error.into_database_error().unwrap();
        (error.code().unwrap().into_owned(), error.message().to_owned())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_editor_writes_is_its_tenants_and_errors_tell_nothing() {
    let towns = Towns::create().await;
    let (here, there) = (towns.here.tenant, towns.there.tenant);
    let theirs: Uuid = towns.there.id("endpoint").parse().unwrap();
    let key = towns.there.id("key");
    let mut session = towns.registry.secrets.store.superuser().await;
    let mut tx = session.begin().await.unwrap();
    become_role(&mut tx, "vintem_editor", Some(here)).await;
    // A row that is there, and one that is not: an insertion for another tenant is refused before any index is looked at.
    for endpoint in [theirs, Uuid::from_u128(77)] {
        for on_conflict in ["", " ON CONFLICT DO NOTHING"] {
            for insert in [
                format!(
                    "INSERT INTO webhook_endpoint (shard, tenant, endpoint, url, events, state, created_at, from_position) VALUES (0, '{there}', '{endpoint}', '', '{{}}', 'enabled', now(), 0)"
                ),
                format!(
                    "INSERT INTO webhook_secret (shard, tenant, endpoint, number, sealed, created_at) VALUES (0, '{there}', '{endpoint}', 1, 'vault:v1:', now())"
                ),
                format!(
                    "INSERT INTO webhook_delivery (shard, tenant, endpoint, epoch, position, kind, state, due_at) VALUES (0, '{there}', '{endpoint}', 1, 1, 'x', 'pending', now())"
                ),
                format!(
                    "INSERT INTO webhook_request (shard, tenant, principal, key, fingerprint) VALUES (0, '{there}', '{endpoint}', '{key}', sha256(''))"
                ),
            ] {
                let (code, message) = refusal(&mut tx, &format!("{insert}{on_conflict}")).await.unwrap_err();
                assert_eq!(code, "42501", "{insert}: {message}");
                assert!(message.contains("row-level security policy"), "{message}");
            }
        }
    }
    for nothing in [
        format!("UPDATE webhook_endpoint SET url = 'https://evil.example' WHERE endpoint = '{theirs}'"),
        format!("UPDATE webhook_delivery SET state = 'pending' WHERE tenant = '{there}'"),
        format!("DELETE FROM webhook_secret WHERE endpoint = '{theirs}'"),
        format!("UPDATE webhook_request SET body = NULL WHERE tenant = '{there}'"),
    ] {
        assert_eq!(refusal(&mut tx, &nothing).await, Ok(0), "{nothing}");
    }
    for (role, denied) in [
        ("vintem_editor", format!("UPDATE webhook_endpoint SET tenant = '{there}'")),
        ("vintem_editor", "INSERT INTO event SELECT * FROM event".to_owned()),
        ("vintem_editor", "TRUNCATE webhook_endpoint".to_owned()),
        ("vintem_reader", format!("INSERT INTO webhook_request (tenant) VALUES ('{here}')")),
        ("vintem_reader", "DELETE FROM account".to_owned()),
        ("vintem_reader", "ALTER TABLE account DISABLE ROW LEVEL SECURITY".to_owned()),
        ("vintem_reader", "CREATE VIEW pg_temp.all_of_them AS SELECT * FROM account".to_owned()),
    ] {
        become_role(&mut tx, role, Some(here)).await;
        let refused = refusal(&mut tx, &denied).await;
        assert!(matches!(&refused, Err((code, _)) if code == "42501"), "{role}: {denied}: {refused:?}");
    }
    tx.rollback().await.unwrap();
    towns.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keeper_of_peoples_keys_keeps_them_apart() {
    let towns = Towns::create().await;
    let (here, there) = (towns.here.tenant, towns.there.tenant);
    let person: Uuid = towns.there.id("holder").parse().unwrap();
    let mut keeper = towns.registry.secrets.store.keys_session("vintem_keeper").await;
    let mut tx = keeper.begin().await.unwrap();
    let all = "SELECT tenant FROM person_key";
    assert!(sqlx::query(all).fetch_all(&mut *tx).await.unwrap().is_empty(), "no tenant, no keys");
    sqlx::query("SELECT set_config('app.tenant', $1, true)").bind(here.to_string()).execute(&mut *tx).await.unwrap();
    let seen: Vec<Uuid> = sqlx::query_scalar(all).fetch_all(&mut *tx).await.unwrap();
    assert_eq!(seen, [here]);
    for person in [person, Uuid::from_u128(77)] {
        let insert = format!(
            "INSERT INTO person_key (version, tenant, person, wrapped) VALUES (1, '{there}', '{person}', 'vault:v1:x')"
        );
        let (code, _) = refusal(&mut tx, &insert).await.unwrap_err();
        assert_eq!(code, "42501");
        // The same person's id in one's own tenant is a row of one's own, whether the other one is there or not.
        let own = insert.replace(&there.to_string(), &here.to_string());
        assert_eq!(refusal(&mut tx, &own).await, Ok(1));
        assert_eq!(refusal(&mut tx, &format!("DELETE FROM person_key WHERE person = '{person}'")).await, Ok(0));
    }
    tx.rollback().await.unwrap();
    towns.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_forgets_its_tenant_however_its_transaction_ends() {
    let towns = Towns::create().await;
    let (here, there) = (towns.here.tenant, towns.there.tenant);
    // One connection, so that each transaction inherits whatever the one before left.
    let options = towns.registry.secrets.store.options("vintem_reader");
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let backend = async || -> i32 { sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&pool).await.unwrap() };
    let first = backend().await;
    let count = "SELECT DISTINCT tenant FROM account";
    // Prepared once and run often enough that the server plans it for good: the plan must not keep the tenant.
    for round in 0..8 {
        for tenant in [here, there] {
            let mut tx = tenant_tx(&pool, tenant).await.unwrap();
            let seen: Vec<Uuid> = sqlx::query_scalar(count).fetch_all(&mut *tx).await.unwrap();
            assert_eq!(seen, [tenant], "round {round}");
            match round % 4 {
                0 => tx.commit().await.unwrap(),
                1 => tx.rollback().await.unwrap(),
                2 => drop(tx),
                _ => {
                    assert!(sqlx::query("SELECT 1 / 0").execute(&mut *tx).await.is_err());
                    assert!(tx.commit().await.is_ok(), "a commit of what has failed is a rollback");
                }
            }
            let left: Vec<Uuid> = sqlx::query_scalar(count).fetch_all(&pool).await.unwrap();
            assert!(left.is_empty(), "round {round}: {left:?} without a tenant");
        }
    }
    let mut tx = tenant_tx(&pool, here).await.unwrap();
    let mut inner = tx.begin().await.unwrap();
    inner.execute(&*format!("SET LOCAL app.tenant = '{there}'")).await.unwrap();
    inner.rollback().await.unwrap();
    let seen: Vec<Uuid> = sqlx::query_scalar(count).fetch_all(&mut *tx).await.unwrap();
    assert_eq!(seen, [here], "a savepoint that is rolled back takes its setting with it");
    // Functions look with their caller's eyes.
    let row = sqlx::query("SELECT a.account FROM account a WHERE a.id = $1")
        .bind(id(&towns.here.ids, "account"))
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let own: i64 = row.get(0);
    let mut superuser = towns.registry.secrets.store.superuser().await;
    let foreign: i64 = sqlx::query_scalar("SELECT account FROM account WHERE id = $1")
        .bind(id(&towns.there.ids, "account"))
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    for (account, is_own) in [(own, true), (foreign, false)] {
        let version: i64 = sqlx::query_scalar("SELECT version_at(0::smallint, $1, $2)")
            .bind(account)
            .bind(i64::MAX)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert_eq!(version > 0, is_own, "version_at");
    }
    tx.commit().await.unwrap();
    assert_eq!(backend().await, first, "all of it went over one connection");
    towns.close().await;
}

fn id(ids: &[(&str, String)], kind: &str) -> Uuid {
    ids.iter().find(|(known, _)| *known == kind).unwrap().1.parse().unwrap()
}
