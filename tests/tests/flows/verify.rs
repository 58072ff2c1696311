//! `vintem verify`: green on whatever the product does, red on what it may never do.

use sqlx::{Executor, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use uuid::Uuid;
use vintem_core::event_store::proposal::{EntryKind, Move, NewEvent};
use vintem_core::event_store::{WriteError, fresh, recover};
use vintem_core::kernel::Minor;
use vintem_core::ledger::known::Side;
use vintem_core::verify::{Report, Rule, Subject};
use vintem_tests::book::{Book, is_write_error, transfer};
use vintem_tests::busy::{account_id, bare_event, busy, place, propose};
use vintem_tests::store::Store;

fn subjects(report: &Report) -> Vec<Subject> {
    report.findings.told().iter().map(|finding| finding.subject.clone()).collect()
}

fn rules(report: &Report) -> Vec<Rule> {
    report.findings.told().iter().map(|finding| finding.rule).collect()
}

async fn number(session: &mut PgConnection, sql: &str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(session).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_ledger_and_a_busy_one_are_green() {
    let store = Store::create().await;
    assert_eq!(store.verify().await.position, 0);
    let book = busy(&store).await;
    let report = store.verify().await;
    assert!(report.findings.is_empty(), "{:#?}", report.findings);
    let mut session = store.superuser().await;
    for (found, table) in [
        (report.batches, "batch"),
        (report.events, "event"),
        (report.entries, "entry"),
        (report.requests, "request"),
        (report.accounts, "account"),
    ] {
        let there = number(&mut session, &format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(i64::try_from(found).unwrap(), there, "{table}");
    }
    drop(book);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_that_lets_changes_through_is_named() {
    let store = Store::create().await;
    let mut session = store.superuser().await;
    let body = "LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$";
    let refuse: String = sqlx::query_scalar("SELECT pg_get_functiondef('refuse_change'::regproc)")
        .fetch_one(&mut session)
        .await
        .unwrap();
    for (harm, repair) in [
        ("ALTER TABLE event DISABLE TRIGGER event_rows", "ALTER TABLE event ENABLE ALWAYS TRIGGER event_rows"),
        ("ALTER TABLE batch ENABLE TRIGGER batch_table", "ALTER TABLE batch ENABLE ALWAYS TRIGGER batch_table"),
        (
            "DROP TRIGGER entry_rows ON entry",
            "CREATE TRIGGER entry_rows BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION refuse_change(); ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_rows",
        ),
        (&format!("CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger {body}"), &refuse),
        ("GRANT DELETE ON request TO vintem_writer", "REVOKE DELETE ON request FROM vintem_writer"),
        ("GRANT UPDATE (payload) ON event TO PUBLIC", "REVOKE UPDATE (payload) ON event FROM PUBLIC"),
        ("ALTER TABLE entry NO FORCE ROW LEVEL SECURITY", "ALTER TABLE entry FORCE ROW LEVEL SECURITY"),
        ("CREATE POLICY oops ON account FOR SELECT TO vintem_reader USING (true)", "DROP POLICY oops ON account"),
        (
            "ALTER INDEX event_by_stream RENAME TO event_by_nothing",
            "ALTER INDEX event_by_nothing RENAME TO event_by_stream",
        ),
    ] {
        session.execute(harm).await.unwrap();
        let report = store.verify().await;
        assert_eq!(rules(&report), [Rule::Schema], "{harm}");
        session.execute(repair).await.unwrap();
    }
    store.close().await;
}

/// A faulty service, which hands the writer what no rule of the ledger lets through.
struct Faulty<'a> {
    book: &'a Book,
    /// The transaction or hold that it is faulty about.
    stream: Uuid,
}

impl Faulty<'_> {
    fn moved(&self, account: &str, cents: i128) -> Move {
        Move { account: account_id(self.book, account), posted: Minor::new(cents), ..Move::default() }
    }

    /// An event of the stream after so many others.
    fn event(&self, after: i32, kind: &'static str, payload: &str, moves: Vec<Move>) -> NewEvent {
        NewEvent { stream: self.stream, expected: after, fresh: after == 0, moves, ..bare_event(kind, payload) }
    }

    /// Posts money that comes from nowhere.
    async fn unbalanced(&self) {
        let moves = vec![self.moved("ana", -100), self.moved("rui", 99)];
        propose(self.book, vec![self.event(0, "transaction.posted", "{}", moves)], vec![]).await;
    }

    /// Moves money by a kind of event that does not.
    async fn unknown(&self) {
        let moves = vec![self.moved("bank", 100), self.moved("rui", 100)];
        propose(self.book, vec![self.event(0, "money.made", "{}", moves)], vec![]).await;
    }

    /// Takes back more than was posted.
    async fn reversed(&self) {
        let moves = vec![self.moved("ana", -100), self.moved("rui", 100)];
        propose(self.book, vec![self.event(0, "transaction.posted", "{}", moves)], vec![]).await;
        let facts = format!("{{\"reversal\":\"{}\",\"lines\":[0,1]}}", self.stream);
        let back = self.event(1, "transaction.reversed", &facts, vec![self.moved("ana", 101), self.moved("rui", -101)]);
        propose(self.book, vec![NewEvent { entry_kind: EntryKind::Reversal, ..back }], vec![]).await;
    }

    /// Holds 5.00, beside as much of another hold, so that no balance falls below zero afterwards.
    async fn hold(&self) {
        for id in [self.stream, fresh::new_id()] {
            self.book.does(place(id, "ana", None, "5.00", "2200-01-01T00:00:00Z".parse().unwrap())).await.unwrap();
        }
    }

    /// Captures 6.00 of a hold of 5.00.
    async fn captured(&self) {
        self.hold().await;
        let transaction = fresh::new_id();
        let facts = format!("{{\"transaction\":\"{transaction}\",\"lines\":[[0,\"600\"]],\"ends\":false}}");
        let taken = Move { held: Minor::new(-600), ..self.moved("ana", -600) };
        let moves = vec![taken, self.moved("eva", 600)];
        let posted = self.event(0, "transaction.posted", &format!("{{\"hold\":\"{}\"}}", self.stream), moves);
        let posted = NewEvent { stream: transaction, entry_kind: EntryKind::Capture, ..posted };
        propose(self.book, vec![self.event(1, "hold.captured", &facts, vec![]), posted], vec![]).await;
    }

    /// Releases a hold twice.
    async fn ended(&self) {
        self.hold().await;
        for after in [1, 2] {
            let back = Move { held: Minor::new(-500), unchecked: true, ..self.moved("ana", 0) };
            let released = self.event(after, "hold.released", "{}", vec![back]);
            propose(self.book, vec![NewEvent { entry_kind: EntryKind::Release, ..released }], vec![]).await;
        }
    }
}

/// The writer writes what it is told; what it should not have been told is found afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_service_may_propose_is_found_in_the_log() {
    for (fault, rule) in [
        ("unbalanced", Rule::Balance),
        ("unbalanced", Rule::Total),
        ("unknown", Rule::Payload),
        ("reversed", Rule::Reversal),
        ("captured", Rule::Hold),
        ("ended", Rule::Hold),
    ] {
        let store = Store::create().await;
        let book = busy(&store).await;
        let faulty = Faulty { book: &book, stream: fresh::new_id() };
        match fault {
            "unbalanced" => faulty.unbalanced().await,
            "unknown" => faulty.unknown().await,
            "reversed" => faulty.reversed().await,
            "captured" => faulty.captured().await,
            _ => faulty.ended().await,
        }
        let report = store.verify().await;
        assert!(rules(&report).contains(&rule), "{fault}: {:#?}", report.findings.told());
        let newest = number(&mut store.superuser().await, "SELECT max(position) FROM event").await;
        let is_old = |subject: &Subject| matches!(subject, Subject::Event(position) if *position < newest - 1);
        assert!(!subjects(&report).iter().any(is_old), "{fault}: {:#?}", report.findings.told());
        store.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_green_while_others_write() {
    let store = Store::create().await;
    let book = Arc::new(busy(&store).await);
    let other = Arc::new(Book::open(&store));
    let is_over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4u8)
        .map(|writer| {
            let book = if writer % 2 == 0 { book.clone() } else { other.clone() };
            let is_over = is_over.clone();
            tokio::spawn(async move {
                let mut round = 0;
                while !is_over.load(Ordering::Relaxed) {
                    round += 1;
                    let (from, to) =
                        [("ana", "rui"), ("rui", "ana"), ("bank", "eva"), ("eva", "bank")][usize::from(writer)];
                    // Who has nothing left is refused; a busy moment is no failure either.
                    let _ = book.does(transfer(from, to, "0.50")).await;
                    let hold = fresh::new_id();
                    let _ = book.does(place(hold, from, None, "0.20", "2200-01-01T00:00:00Z".parse().unwrap())).await;
                    let _ = book.does(vintem_core::ledger::command::Command::Release { hold }).await;
                    if round % 5 == 0 {
                        book.account(&format!("new:{writer}:{round}"), Side::Credit, Some("0")).await;
                    }
                }
                round
            })
        })
        .collect();
    let mut positions = Vec::new();
    for _ in 0..8 {
        let report = store.verify().await;
        assert!(report.findings.is_empty(), "{:#?}", report.findings.told());
        positions.push(report.position);
    }
    is_over.store(true, Ordering::Relaxed);
    for writer in writers {
        assert!(writer.await.unwrap() > 0);
    }
    assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "the writers wrote meanwhile: {positions:?}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_heals_a_halted_shard_and_verifies() {
    let store = Store::create().await;
    let book = busy(&store).await;
    let before = store.verify().await;
    let mut superuser = store.superuser().await;
    superuser.execute("INSERT INTO halt VALUES (0, 'a test', now())").await.unwrap();
    let error = book.does(transfer("ana", "rui", "0.10")).await.unwrap_err();
    assert!(is_write_error(&error, WriteError::Halted));
    let recovery = recover::recover(&mut store.session("vintem_operator").await, 0).await.unwrap();
    assert_eq!((recovery.kept.seq, recovery.kept.last_position, recovery.epoch), (before.seq, before.position, 2));
    assert_eq!(recovery.halted.as_deref(), Some("a test"));
    book.moves("ana", "rui", "0.10").await.unwrap();
    let after = store.verify().await;
    assert!(after.findings.is_empty(), "{:#?}", after.findings.told());
    assert_eq!((after.epoch, after.seq), (2, before.seq + 2));
    store.close().await;
}
