//! What views must say, told from the entries by statements that share no code with the folds.

use sqlx::PgConnection;
use vintem_core::projections::ALL;

/// Pairs of a view and what it must equal; days are those of the tenant's zone, where it has one.
const EQUALS: [(&str, &str); 5] = [
    (
        "SELECT account, posted FROM standing",
        "SELECT a.id, n.posted FROM account a CROSS JOIN LATERAL (
             SELECT posted FROM entry e WHERE e.shard = a.shard AND e.account = a.account ORDER BY version DESC LIMIT 1) n
         WHERE EXISTS (SELECT FROM entry e WHERE e.shard = a.shard AND e.account = a.account AND e.amount <> 0)",
    ),
    (
        "SELECT account, day, CASE WHEN account IN (SELECT id FROM account WHERE normal_side = 'debit') THEN debit - credit ELSE credit - debit END FROM turnover",
        "SELECT a.id, (coalesce(e.effective_at, b.recorded_at) AT TIME ZONE coalesce(t.time_zone, 'UTC'))::date, sum(e.amount)
         FROM entry e JOIN account a USING (shard, account) LEFT JOIN tenant t ON t.tenant = a.tenant
         CROSS JOIN LATERAL (SELECT recorded_at FROM batch WHERE batch.shard = e.shard AND last_position >= e.position ORDER BY seq LIMIT 1) b
         WHERE e.amount <> 0 GROUP BY 1, 2",
    ),
    (
        "SELECT account, sum(amount) FROM held GROUP BY account",
        "SELECT a.id, n.held::numeric FROM account a CROSS JOIN LATERAL (
             SELECT held FROM entry e WHERE e.shard = a.shard AND e.account = a.account ORDER BY version DESC LIMIT 1) n WHERE n.held <> 0",
    ),
    (
        "SELECT account, position, kind FROM activity WHERE kind NOT IN ('hold', 'release', 'expiry') AND amount <> 0",
        "SELECT a.id, e.position, (ARRAY['posting', 'hold', 'capture', 'release', 'expiry', 'reversal'])[e.kind]
         FROM entry e JOIN account a USING (shard, account) WHERE e.amount <> 0",
    ),
    (
        "SELECT kind, sum(count), sum(amount) FROM volume WHERE kind IN ('posting', 'capture', 'reversal') GROUP BY kind",
        "SELECT (ARRAY['posting', 'hold', 'capture', 'release', 'expiry', 'reversal'])[e.kind], count(DISTINCT e.position),
                sum(CASE WHEN (a.normal_side = 'debit') = (e.amount > 0) THEN abs(e.amount) ELSE 0 END)
         FROM entry e JOIN account a USING (shard, account) WHERE e.kind IN (1, 3, 6) GROUP BY 1",
    ),
];

/// Panics unless every view has reached the end of the log and equals what the entries say.
#[expect(clippy::disallowed_methods, reason = "a test looks at the rows from outside")]
pub async fn check_views(session: &mut PgConnection) {
    let behind: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM projection WHERE position <> (SELECT last_position FROM batch ORDER BY seq DESC LIMIT 1)",
    )
    .fetch_all(&mut *session)
    .await
    .unwrap();
    assert!(behind.is_empty(), "{behind:?} are behind");
    let begun: i64 = sqlx::query_scalar("SELECT count(*) FROM projection").fetch_one(&mut *session).await.unwrap();
    assert_eq!(usize::try_from(begun).unwrap(), ALL.len());
    for (view, expected) in EQUALS {
        for (one, other) in [(view, expected), (expected, view)] {
            let sql = format!("SELECT row(d.*)::text FROM (({one}) EXCEPT ({other})) d LIMIT 3");
            let differing: Vec<String> = sqlx::query_scalar(&sql).fetch_all(&mut *session).await.unwrap();
            assert!(differing.is_empty(), "{differing:?} are in {one} and not in {other}");
        }
    }
}
