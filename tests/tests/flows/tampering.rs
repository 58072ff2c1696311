//! `vintem verify` names the row, whatever column of it a superuser changed.

use sqlx::PgConnection;
use uuid::Uuid;
use vintem_core::verify::{Report, Subject};
use vintem_tests::busy::busy;
use vintem_tests::store::Store;
use vintem_tests::tamper::{self, Tampering};

fn subjects(report: &Report) -> Vec<Subject> {
    report.findings.told().iter().map(|finding| finding.subject.clone()).collect()
}

async fn number(session: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(session).await.unwrap()
}

/// Tampers with rows one way after the other; each is found and named, and gone when it is undone.
async fn tampered(table: &'static str, rows: &[&str], is_named: impl Fn(&Tampering, &[Subject], Named) -> bool) {
    let store = Store::create().await;
    busy(&store).await;
    let mut session = store.superuser().await;
    for row in rows {
        let row = sqlx::query_scalar::<_, String>(row).fetch_one(&mut session).await.unwrap();
        let mut tamperings = tamper::columns(&mut session, table, &row).await;
        tamperings.push(tamper::removal(table, &row));
        for tampering in tamperings {
            let named = Named::of(&mut session, table, &row).await;
            let undo = tampering.apply(&mut session).await;
            let report = store.verify().await;
            assert!(
                is_named(&tampering, &subjects(&report), named),
                "{tampering:?} is not named by {:#?}",
                report.findings.told()
            );
            undo.undo(&mut session).await;
        }
    }
    store.close().await;
}

/// The names of a row before anybody changed it.
struct Named {
    row: Subject,
    /// The batch that it was written with.
    batch: Subject,
}

impl Named {
    async fn of(session: &mut PgConnection, table: &str, row: &str) -> Self {
        let select = |what: &str| format!("SELECT {what} FROM {table} WHERE {row}");
        let (row, batch) = match table {
            "batch" => {
                let seq = number(session, &select("seq")).await;
                (Subject::Batch(seq), seq)
            }
            "request" => {
                let (tenant, principal, key, seq) =
                    sqlx::query_as::<_, (Uuid, Uuid, String, i64)>(&select("tenant, principal, key, seq"))
                        .fetch_one(session)
                        .await
                        .unwrap();
                (Subject::Request(tenant, principal, key), seq)
            }
            _ => {
                let position = number(session, &select("position")).await;
                let seq =
                    number(session, &format!("SELECT min(seq) FROM batch WHERE last_position >= {position}")).await;
                let row = match table {
                    "event" => Subject::Event(position),
                    "entry" => Subject::Entry(
                        number(session, &select("account")).await,
                        number(session, &select("version")).await,
                    ),
                    _ => {
                        let key: String = sqlx::query_scalar(&select("key")).fetch_one(&mut *session).await.unwrap();
                        Subject::Counter(
                            number(session, &select("account")).await,
                            key,
                            number(session, &select("version")).await,
                        )
                    }
                };
                (row, seq)
            }
        };
        Self { row, batch: Subject::Batch(batch) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_a_batch_is_named() {
    let rows = [
        "SELECT 'seq = ' || max(seq) / 2 FROM batch",
        "SELECT 'seq = ' || max(seq) FROM batch",
        "SELECT 'seq = 1'",
        // One with refusals only.
        "SELECT 'seq = ' || min(seq) FROM batch WHERE last_position < first_position",
    ];
    tampered("batch", &rows, |_, subjects, named| subjects.contains(&named.row)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_an_event_is_named_by_it_or_its_batch() {
    let rows = [
        "SELECT 'position = ' || max(position) FROM event WHERE kind = 'transaction.posted' AND effective_at IS NOT NULL",
        "SELECT 'position = ' || min(position) FROM event WHERE kind = 'account.changed'",
        "SELECT 'position = ' || min(position) FROM event WHERE kind = 'hold.captured'",
        "SELECT 'position = ' || max(position) FROM event",
    ];
    let is_named = |tampering: &Tampering, subjects: &[Subject], named: Named| {
        // What it was part of says so wherever nothing else repeats the column.
        let by_itself = matches!(tampering.column.as_deref(), None | Some("shard" | "position"));
        subjects.contains(&named.row) || (!by_itself && subjects.contains(&named.batch))
    };
    tampered("event", &rows, is_named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_an_entry_is_named() {
    let rows = [
        "SELECT 'account = ' || account || ' AND version = ' || max(version) / 2 FROM entry GROUP BY account ORDER BY count(*) DESC LIMIT 1",
        "SELECT 'account = ' || account || ' AND version = ' || max(version) FROM entry GROUP BY account ORDER BY count(*) DESC LIMIT 1",
        "SELECT 'account = ' || account || ' AND version = ' || version FROM entry WHERE effective_at IS NOT NULL ORDER BY position LIMIT 1",
        "SELECT 'account = ' || account || ' AND version = ' || version FROM entry WHERE held > 0 ORDER BY position LIMIT 1",
    ];
    tampered("entry", &rows, |_, subjects, named| subjects.contains(&named.row)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_a_counter_is_named() {
    let rows = [
        "SELECT 'account = ' || min(account) || ' AND version = 2' FROM counter",
        "SELECT 'account = ' || max(account) || ' AND version = 3' FROM counter",
    ];
    let is_named = |tampering: &Tampering, subjects: &[Subject], named: Named| {
        let is_away = matches!(tampering.column.as_deref(), None | Some("shard" | "account" | "key"));
        subjects.contains(&named.row)
            || (is_away && subjects.iter().any(|s| matches!(s, Subject::Event(_) | Subject::Counter(..))))
    };
    tampered("counter", &rows, is_named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_a_request_is_named_by_it_or_its_batch() {
    let rows = ["SELECT 'key = ''refused 2'''", "SELECT 'key = ''Key 1 ção'''", "SELECT 'key = ''batch'''"];
    let is_named = |tampering: &Tampering, subjects: &[Subject], named: Named| {
        let Subject::Request(tenant, principal, key) = named.row else { return false };
        let is_away = matches!(tampering.column.as_deref(), None | Some("shard" | "tenant" | "principal" | "key"));
        let row = [Subject::Request(tenant, principal, key.clone()), Subject::RequestBody(tenant, principal, key)];
        subjects.contains(&named.batch) && (!is_away || row.iter().any(|row| subjects.contains(row)))
    };
    tampered("request", &rows, is_named).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_change_of_a_look_up_row_is_named() {
    let store = Store::create().await;
    busy(&store).await;
    let mut session = store.superuser().await;
    for (table, row) in [
        ("asset", "code = 'BRL'"),
        ("account", "name = 'gil'"),
        ("open_hold", "hold = (SELECT hold FROM open_hold LIMIT 1)"),
        (
            "transaction_metadata",
            "digest = (SELECT digest FROM transaction_metadata LIMIT 1) AND position = (SELECT min(position) FROM transaction_metadata LIMIT 1)",
        ),
    ] {
        let row = match table {
            "open_hold" => sqlx::query_scalar::<_, String>(
                "SELECT format('hold = %L AND account = %s', hold, account) FROM open_hold LIMIT 1",
            )
            .fetch_one(&mut session)
            .await
            .unwrap(),
            "transaction_metadata" => sqlx::query_scalar(
                "SELECT format('digest = %L AND position = %s', digest, position) FROM transaction_metadata LIMIT 1",
            )
            .fetch_one(&mut session)
            .await
            .unwrap(),
            _ => row.to_owned(),
        };
        let mut tamperings = tamper::columns(&mut session, table, &row).await;
        tamperings.push(tamper::removal(table, &row));
        for tampering in tamperings {
            let undo = tampering.apply(&mut session).await;
            let report = store.verify().await;
            let is_named = subjects(&report).iter().any(|s| matches!(s, Subject::LookUp(name, _) if *name == table));
            assert!(is_named, "{tampering:?} is not named by {:#?}", report.findings.told());
            undo.undo(&mut session).await;
        }
    }
    store.close().await;
}
