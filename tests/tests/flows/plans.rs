//! How the hot queries are answered, as the role that asks them: under row-level security an index serves leakproof
//! operators only, and a query that forgets it works, on every small table.

use serde_json::Value;
use sqlx::{Connection, Executor};
use std::path::Path;
use uuid::Uuid;
use vintem_tests::store::Store;

/// A query of the product, found by words of it; what it is asked; and the index that must answer, with a part of the condition
/// that it must be looked up by.
struct Hot {
    what: &'static str,
    words: &'static [&'static str],
    asked: &'static str,
    by: &'static str,
    condition: &'static str,
}

const fn hot(
    what: &'static str,
    words: &'static [&'static str],
    asked: &'static str,
    by: &'static str,
    condition: &'static str,
) -> Hot {
    Hot { what, words, asked, by, condition }
}

/// A tenant and objects of it, as the rows below have them: uuids made of numbers.
const TENANT: &str = "'00000000-0000-0000-0000-000000000001'";
const ACCOUNT: &str = "'00000000-0000-0000-0000-000000000100'";
const ACCOUNTS: &str = "ARRAY['00000000-0000-0000-0000-000000000100']::uuid[]";

const SINCE: &[&str] = &["f.version AS \"entry_version?\"", "ORDER BY e.position LIMIT"];
const BEFORE: &[&str] = &["f.version AS \"entry_version?\"", "ORDER BY e.position DESC LIMIT"];

const QUERIES: [Hot; 25] = [
    hot(
        "the balance",
        &["SELECT version, posted, held, incoming FROM entry", "ORDER BY version DESC LIMIT 1"],
        "0, 100",
        "entry_pkey",
        "(account = ",
    ),
    hot(
        "a balance of before",
        &["SELECT version, posted, held, incoming FROM entry", "version_at("],
        "0, 100, 5000",
        "entry_pkey",
        "(version = version_at(",
    ),
    hot(
        "a statement",
        &["n.version AS \"version!\"", "FROM entry WHERE shard = $1"],
        "0, 100, 0, NULL, NULL, NULL, NULL, 50, 20000, true, 9223372036854775807, NULL, NULL, NULL, NULL",
        "entry_pkey",
        "(version > ",
    ),
    hot(
        "an account",
        &["settings_version, min_balance", "WHERE shard = $1 AND id = $2"],
        "0, ACCOUNT",
        "account_by_id",
        "(id = ",
    ),
    hot(
        "accounts by name",
        &["settings_version, min_balance", "AND name = $6"],
        "0, TENANT, 0, NULL, 50, 'account:100'",
        "account_by_name",
        "(name = ",
    ),
    hot(
        "accounts",
        &["settings_version, min_balance", "ORDER BY account LIMIT $5", "!AND name = $6"],
        "0, TENANT, 100, NULL, 50",
        "account_by_tenant",
        "(account > ",
    ),
    hot(
        "who accounts are",
        &["SELECT id, account, name, asset, scale, normal_side FROM account", "id = ANY ($2)"],
        "0, ACCOUNTS",
        "account_by_id",
        "(id = ANY ",
    ),
    hot(
        "what touched an account since",
        SINCE,
        "0, 100, ACCOUNTS, 5000, 6000, 100",
        "entry_pkey",
        "(version > version_at(",
    ),
    hot(
        "what touched its owner since",
        SINCE,
        "0, 100, ACCOUNTS, 5000, 6000, 100",
        "event_by_stream",
        "(stream = ANY ",
    ),
    hot(
        "what touched an account before",
        BEFORE,
        "0, 100, ACCOUNTS, 6000, 100",
        "entry_pkey",
        "(version <= version_at(",
    ),
    hot("what touched its owner before", BEFORE, "0, 100, ACCOUNTS, 6000, 100", "event_by_stream", "(stream = ANY "),
    hot("a transaction or hold", &["e.stream = ANY ($2)"], "0, ACCOUNTS", "event_by_stream", "(stream = ANY "),
    hot(
        "the feed",
        &["e.position > $2 AND e.position <= $3", "!e.tenant = $4"],
        "0, 5000, 6000, 100",
        "event_pkey",
        "(\"position\" > ",
    ),
    hot(
        "events at positions",
        &["e.position = ANY ($2)"],
        "0, ARRAY[5000, 6000]::bigint[]",
        "event_pkey",
        "(\"position\" = ANY ",
    ),
    hot(
        "transactions by metadata",
        &["FROM transaction_metadata m"],
        "0, TENANT, ACCOUNTS, 100000, 50",
        "transaction_metadata_pkey",
        "(digest = ",
    ),
    hot(
        "open holds",
        &["SELECT hold FROM open_hold WHERE shard = $1 AND account"],
        "0, 100, NULL, 50",
        "open_hold_by_account",
        "(account = ",
    ),
    hot(
        "a holder by number",
        &["SELECT k.owner FROM unnest($4::smallint[]"],
        "0, TENANT, 'cpf', ARRAY[1]::smallint[], ARRAY[sha256('100')]",
        "personal_key_pkey",
        "(digest = ",
    ),
    hot(
        "an answer by its key",
        &["JOIN request r ON r.shard = $1 AND r.tenant = wanted.tenant"],
        "0, ARRAY[TENANT]::uuid[], ARRAY[TENANT]::uuid[], ARRAY['key-100']",
        "request_pkey",
        "(key = ",
    ),
    hot(
        "activity",
        &["SELECT a.position FROM activity a"],
        "0, ACCOUNT, 0, 100000, NULL, NULL, NULL, NULL, NULL, NULL, '{}', 50",
        "activity_pkey",
        "(\"position\" < ",
    ),
    hot(
        "how long a word's list is",
        &["FROM activity_word WHERE shard = $1 AND word = $2"],
        "0, 100, 100000, 1000",
        "activity_word_pkey",
        "(word = ",
    ),
    hot(
        "activity by a word",
        &["FROM activity_word l JOIN activity a"],
        "0, ACCOUNT, 0, 100000, NULL, NULL, NULL, NULL, NULL, NULL, '{}', 50, 100",
        "activity_word_pkey",
        "(word = ",
    ),
    hot(
        "top accounts",
        &["SELECT account, scale, posted FROM standing"],
        "0, TENANT, 'BRL', 9223372036854775807, ACCOUNT, 50",
        "standing_by_balance",
        "(asset = ",
    ),
    hot(
        "what is held",
        &["count(DISTINCT hold) AS \"holds!\""],
        "0, '00000000-0000-0000-0000-000000000003', NULL, '{1}'",
        "held_by_age",
        "(tenant = ",
    ),
    hot(
        "deliveries",
        &["SELECT epoch, position, kind, state, attempts, due_at FROM webhook_delivery"],
        "0, TENANT, TENANT, 9, 100000, NULL, 50",
        "webhook_delivery_pkey",
        "(endpoint = ",
    ),
    hot(
        "a tenant",
        &["SELECT tenant, name, shard", "FROM tenant WHERE tenant = $1"],
        "TENANT",
        "tenant_pkey",
        "(tenant = ",
    ),
];

/// Rows of two large tenants and a small one. Superusers may write past every policy; triggers stay as they are.
const ROWS: [&str; 16] = [
    "CREATE FUNCTION pg_temp.id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN lpad(n::text, 32, '0')::uuid",
    "CREATE TEMPORARY TABLE n AS SELECT n, pg_temp.id(CASE WHEN n % 1000 = 3 THEN 3 ELSE 1 + n % 2 END) AS tenant FROM generate_series(1, 40000) n",
    "INSERT INTO tenant SELECT 0, pg_temp.id(n), 'tenant-' || n, 'UTC', now() FROM generate_series(1, 2000) n",
    "INSERT INTO batch SELECT 0, n, 1, n, n, sha256(''), timestamptz '2026-01-01' + n * interval '1 second', 0 FROM n",
    "INSERT INTO event (shard, schema, version, position, tenant, stream, kind, actor, payload) SELECT 0, 1, 1, n, tenant, pg_temp.id(n), 'x', 'x', '{}' FROM n",
    "INSERT INTO account (shard, scale, settings_version, account, id, tenant, sends, receives, normal_side, status, asset, name)
     SELECT 0, 2, 1, n, pg_temp.id(n), tenant, true, true, 'credit', 'open', 'BRL', 'account:' || n FROM n WHERE n <= 20000",
    "INSERT INTO entry (shard, kind, account, version, position, amount, posted, held, incoming, tenant)
     SELECT 0, 1, 1 + n % 2000, 1 + n / 2000, n, 1, 1 + n / 2000, 0, 0, tenant FROM n",
    "INSERT INTO request SELECT 0, 201, n, n, tenant, tenant, 'key-' || n, NULL, sha256('') FROM n",
    "INSERT INTO request_body SELECT 0, n, tenant, tenant, 'key-' || n, false, '' FROM n",
    "INSERT INTO open_hold SELECT 0, pg_temp.id(n), 1 + n % 2000, tenant, now() FROM n",
    "INSERT INTO transaction_metadata SELECT 0, tenant, pg_temp.id(n % 1000), n FROM n",
    "INSERT INTO personal_key SELECT 0, 1, n, tenant, pg_temp.id(n), 'cpf', sha256(n::text::bytea) FROM n",
    "INSERT INTO activity SELECT 0, n, 1, pg_temp.id(1 + n % 2000), NULL, tenant, now(), 'posting' FROM n",
    "INSERT INTO activity_word SELECT 0, n % 1000, n, tenant FROM n",
    "INSERT INTO webhook_delivery (shard, epoch, position, tenant, endpoint, kind, state, due_at) SELECT 0, 1, n, tenant, tenant, 'x', 'delivered', now() FROM n",
    "INSERT INTO standing SELECT 0, 2, n, pg_temp.id(n), tenant, 'BRL' FROM n",
];

/// The text of the one query of the product that has all of the words, and none that is marked with `!`.
fn query(words: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(".sqlx");
    let texts = std::fs::read_dir(folder).unwrap().map(|file| {
        let file: Value = serde_json::from_slice(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
        file["query"].as_str().unwrap().to_owned()
    });
    let has = |text: &str| {
        words.iter().all(|word| word.strip_prefix('!').map_or_else(|| text.contains(word), |word| !text.contains(word)))
    };
    let found: Vec<String> = texts.filter(|text| has(text)).collect();
    assert_eq!(found.len(), 1, "{words:?} are to be in one query: {found:#?}");
    found.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hot_queries_are_answered_by_their_index_under_row_level_security() {
    let store = Store::create().await;
    let mut superuser = store.superuser().await;
    for statement in ROWS {
        superuser.execute(statement).await.unwrap();
    }
    superuser
        .execute("INSERT INTO held SELECT 0, 2, 1, pg_temp.id(n), pg_temp.id(n), tenant, now(), 'BRL' FROM n")
        .await
        .unwrap();
    superuser.execute("ANALYZE").await.unwrap();
    let mut reader = store.session("vintem_reader").await;
    for Hot { what, words, asked, by, condition } in QUERIES {
        let text = query(words);
        let asked = asked.replace("ACCOUNTS", ACCOUNTS).replace("ACCOUNT", ACCOUNT).replace("TENANT", TENANT);
        // As the first times, and as a statement that was prepared long ago.
        for planned in ["force_custom_plan", "force_generic_plan"] {
            let mut tx = reader.begin().await.unwrap();
            let tenant = if what == "what is held" { 3 } else { 1 };
            let tenant = Uuid::parse_str(&format!("{tenant:032}")).unwrap();
            tx.execute(&*format!("SET LOCAL app.tenant = '{tenant}'; SET LOCAL plan_cache_mode = {planned}"))
                .await
                .unwrap();
            tx.execute(&*format!("PREPARE hot AS {text}")).await.unwrap();
            let plan: Vec<String> =
                sqlx::query_scalar(&format!("EXPLAIN EXECUTE hot ({asked})")).fetch_all(&mut *tx).await.unwrap();
            let plan = plan.join("\n");
            tx.rollback().await.unwrap();
            reader.execute("DEALLOCATE hot").await.unwrap();
            assert!(
                plan.contains("current_setting") || plan.contains("current_tenant"),
                "{what}: no policy in\n{plan}"
            );
            let is_by = |line: &str| {
                [format!("using {by} "), format!("Scan on {by} ")]
                    .iter()
                    .any(|name| format!("{line} ").contains(name.as_str()))
            };
            let lines: Vec<&str> = plan.lines().collect();
            let found = lines.iter().enumerate().any(|(at, line)| {
                is_by(line)
                    && lines.get(at + 1).is_some_and(|next| next.contains("Index Cond") && next.contains(condition))
            });
            assert!(found, "{what} ({planned}) is not answered by {by} with {condition}:\n{plan}");
            assert!(!plan.contains("Seq Scan"), "{what} ({planned}) reads a whole table:\n{plan}");
        }
    }
    superuser.close().await.unwrap();
    reader.close().await.unwrap();
    // Rows that no writer wrote keep no invariant.
    store.remove().await;
}
