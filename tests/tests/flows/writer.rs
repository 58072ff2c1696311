//! The shard writer: keys, races, two processes, forked history, counters, append-only.

use chrono::{DateTime, Duration, Utc};
use sqlx::{Connection, Executor};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;
use vintem_core::event_store::proposal::{Count, EntryKind, NewEvent};
use vintem_core::event_store::{Answer, Decision, Disposed, Job, Outcome, Proposal, StoredBody, WriteError, fresh};
use vintem_core::kernel::window::Window;
use vintem_core::kernel::{Metadata, Minor, RefusalCode, name};
use vintem_core::ledger::capture::Capture;
use vintem_core::ledger::command::Command;
use vintem_core::ledger::known::{AccountRef, Side};
use vintem_core::ledger::reversal::Extent;
use vintem_core::ledger::transaction::ChosenId;
use vintem_tests::book::{Book, hold, is_write_error, key, transfer};
use vintem_tests::store::Store;

async fn funded(store: &Store) -> Book {
    let book = Book::open(store).brl().await;
    book.account("bank", Side::Debit, None).await;
    for name in ["ana", "rui", "eva", "gil"] {
        book.account(name, Side::Credit, Some("0")).await;
        book.moves("bank", name, "100.00").await.unwrap();
    }
    book
}

async fn count(store: &Store, table: &'static str) -> i64 {
    sqlx::query_scalar(&format!("SELECT count(*) FROM {table}")).fetch_one(&mut store.superuser().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_answered_once_and_then_replayed() {
    let store = Store::create().await;
    let book = funded(&store).await;
    let send = |amount: &str, body| book.submits(vec![transfer("ana", "rui", amount).into()], Some(key("k1", body)));
    let Disposed::Done(_, first) = send("10.00", 1).await.unwrap() else { panic!("a first answer") };
    let Disposed::Replayed(again) = send("10.00", 1).await.unwrap() else { panic!("a replay") };
    assert_eq!((again.status, again.body), (first.status, Some(first.body)));
    assert!(matches!(send("10.00", 2).await.unwrap(), Disposed::Mismatch));
    assert_eq!(store.posted("ana").await, 9000);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_frozen_under_its_key() {
    let store = Store::create().await;
    let book = funded(&store).await;
    let send = || book.submits(vec![transfer("ana", "rui", "100.01").into()], Some(key("k1", 1)));
    let Disposed::Done(_, first) = send().await.unwrap() else { panic!("a first answer") };
    assert_eq!(first.code, Some(RefusalCode::InsufficientFunds));
    book.moves("bank", "ana", "50.00").await.unwrap();
    let Disposed::Replayed(again) = send().await.unwrap() else { panic!("a replay") };
    assert_eq!(again.code.as_deref(), Some("insufficient-funds"));
    assert_eq!(store.posted("ana").await, 15000);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_and_sixteen_clients_lose_nothing() {
    let store = Store::create().await;
    let first = Arc::new(funded(&store).await);
    let second = Arc::new(Book::open(&store));
    let moved = Arc::new(AtomicU64::new(0));
    let tasks = (0..16u64).map(|client| {
        let book = if client % 2 == 0 { first.clone() } else { second.clone() };
        let moved = moved.clone();
        tokio::spawn(async move {
            for round in 0..50 {
                let (from, to) =
                    [("ana", "rui"), ("rui", "eva"), ("eva", "ana")][usize::try_from((client + round) % 3).unwrap()];
                if book.moves(from, to, "7.00").await.is_ok() {
                    moved.fetch_add(1, Ordering::Relaxed);
                }
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let total = store.posted("ana").await + store.posted("rui").await + store.posted("eva").await;
    assert_eq!(total, 30000);
    // Four fundings before, then exactly the acknowledged moves: not one more, not one less.
    let transactions: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE kind = 'transaction.posted'")
        .fetch_one(&mut store.superuser().await)
        .await
        .unwrap();
    assert_eq!(u64::try_from(transactions).unwrap(), 4 + moved.load(Ordering::Relaxed));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_sent_through_two_processes_has_one_effect() {
    let store = Store::create().await;
    let books = [funded(&store).await, Book::open(&store)];
    for round in 0..30u8 {
        let send = |book: usize| {
            books[book].submits(vec![transfer("ana", "rui", "0.10").into()], Some(key(&format!("k{round}"), 1)))
        };
        let (one, two) = tokio::join!(send(0), send(1));
        let firsts = [one.unwrap(), two.unwrap()].iter().filter(|d| matches!(d, Disposed::Done(..))).count();
        assert_eq!(firsts, 1, "round {round}");
    }
    assert_eq!(store.posted("rui").await, 10300);
    store.close().await;
}

fn capture(hold: Uuid, amount: &str) -> Command {
    Command::Capture(Capture {
        hold,
        transaction: fresh::new_id(),
        extent: Extent::Amount(amount.into()),
        to: Some(AccountRef::Name("gil".into())),
        is_final: false,
        description: None,
        metadata: Metadata::new(),
    })
}

async fn database_now(store: &Store) -> DateTime<Utc> {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut store.superuser().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_captures_never_exceed_the_hold() {
    let store = Store::create().await;
    let books = [Arc::new(funded(&store).await), Arc::new(Book::open(&store))];
    let id = fresh::new_id();
    books[0].does(hold(id, "ana", "10.00", database_now(&store).await + Duration::days(1))).await.unwrap();
    let tasks = (0..12usize).map(|n| {
        let book = books[n % 2].clone();
        tokio::spawn(async move {
            loop {
                match book.does(capture(id, "3.00")).await {
                    Ok(Outcome::Applied(_)) => return true,
                    Ok(_) => return false,
                    // Lost five times in a row to the others: the caller tries again.
                    Err(error) if is_write_error(&error, WriteError::Overloaded) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        })
    });
    let mut captured = 0;
    for task in tasks.collect::<Vec<_>>() {
        captured += i64::from(task.await.unwrap());
    }
    assert_eq!(captured, 3, "exactly the captures that fit");
    assert_eq!(store.posted("gil").await, 10900);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_may_capture_one_hold_twice_even_if_the_first_is_refused() {
    let store = Store::create().await;
    let book = funded(&store).await;
    let id = fresh::new_id();
    book.does(hold(id, "ana", "10.00", database_now(&store).await + Duration::days(1))).await.unwrap();
    // The first capture is refused by the writer, on a bound that the decision cannot see.
    book.does(Command::Change(vintem_core::ledger::account::Change {
        account: name::account_id(book.actor.origin.tenant, "gil", "BRL"),
        expected: None,
        what: vintem_core::ledger::account::What::Limits(vintem_core::ledger::account::Limits {
            max_balance: Some(Some("104.00".into())),
            ..Default::default()
        }),
    }))
    .await
    .unwrap();
    let outcomes = book
        .does_all(vec![capture(id, "5.00").into(), capture(id, "4.00").into(), capture(id, "6.00").into()], None)
        .await
        .unwrap();
    let codes: Vec<Option<RefusalCode>> =
        outcomes.iter().map(|o| if let Outcome::Refused(refusal) = o { Some(refusal.code) } else { None }).collect();
    assert_eq!(codes, [Some(RefusalCode::BoundExceeded), None, Some(RefusalCode::BoundExceeded)]);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_writer_returns_expired_money_before_it_refuses() {
    let store = Store::create().await;
    let book = funded(&store).await;
    let id = fresh::new_id();
    book.does(hold(id, "ana", "80.00", database_now(&store).await + Duration::milliseconds(150))).await.unwrap();
    assert_eq!(book.moves("ana", "rui", "30.00").await, Err(RefusalCode::InsufficientFunds));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    book.moves("ana", "rui", "30.00").await.unwrap();
    let Outcome::Refused(refusal) = book.does(capture(id, "1.00")).await.unwrap() else { panic!("the hold has ended") };
    assert_eq!(refusal.code, RefusalCode::HoldEnded);
    let kinds: Vec<String> = sqlx::query_scalar("SELECT kind FROM event WHERE stream = $1 ORDER BY version")
        .bind(id)
        .fetch_all(&mut store.superuser().await)
        .await
        .unwrap();
    assert_eq!(kinds, ["hold.placed", "hold.expired"]);
    store.close().await;
}

/// The first route that counts comes later; the writer counts already.
#[tokio::test(flavor = "multi_thread")]
async fn racing_increments_never_cross_a_counters_maximum() {
    let store = Store::create().await;
    let books = [Arc::new(funded(&store).await), Arc::new(Book::open(&store))];
    let account = name::account_id(books[0].actor.origin.tenant, "ana", "BRL");
    let spend = move |amount: i128| {
        let count = Count {
            account,
            window: Window::Month,
            zone: chrono_tz::America::Sao_Paulo,
            delta: Minor::new(amount),
            maximum: Minor::new(1_000),
        };
        let event = NewEvent {
            stream: fresh::new_id(),
            expected: 0,
            fresh: true,
            kind: "test.counted",
            payload: "{}".into(),
            effective_at: None,
            entry_kind: EntryKind::Posting,
            moves: Vec::new(),
            settings: None,
        };
        Decision::Propose(Proposal { events: vec![event], counts: vec![count], ..Proposal::default() })
    };
    let tasks = (0..40usize).map(|n| {
        let book = books[n % 2].clone();
        tokio::spawn(async move {
            let render = Arc::new(|_: &_| Answer { status: 200, code: None, body: StoredBody::Rendered });
            let job = Job { origin: book.actor.origin.clone(), request: None, items: vec![spend(30).into()], render };
            match book.ledger.shard(0).unwrap().dispose(job).await.unwrap() {
                Disposed::Done(done, _) => matches!(done.outcomes[0], Outcome::Applied(_)),
                other => panic!("{other:?}"),
            }
        })
    });
    let mut counted = 0;
    for task in tasks.collect::<Vec<_>>() {
        counted += i64::from(task.await.unwrap());
    }
    assert_eq!(counted, 33, "33 times 30 fit into 1,000");
    let used: i64 = sqlx::query_scalar("SELECT used FROM counter ORDER BY version DESC LIMIT 1")
        .fetch_one(&mut store.superuser().await)
        .await
        .unwrap();
    assert_eq!(used, 990);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn forked_history_halts_the_shard() {
    let store = Store::create().await;
    let running = funded(&store).await;
    running.moves("ana", "rui", "1.00").await.unwrap();
    // A restore took the newest batch away, and another process wrote another one in its place.
    let mut superuser = store.superuser().await;
    let forget = "SET session_replication_role = replica;
         ALTER TABLE batch DISABLE TRIGGER ALL; ALTER TABLE event DISABLE TRIGGER ALL; ALTER TABLE entry DISABLE TRIGGER ALL;
         DELETE FROM entry WHERE position = (SELECT max(last_position) FROM batch);
         DELETE FROM event WHERE position = (SELECT max(last_position) FROM batch);
         DELETE FROM batch WHERE seq = (SELECT max(seq) FROM batch);
         ALTER TABLE batch ENABLE ALWAYS TRIGGER batch_rows; ALTER TABLE batch ENABLE ALWAYS TRIGGER batch_table;
         ALTER TABLE event ENABLE ALWAYS TRIGGER event_rows; ALTER TABLE event ENABLE ALWAYS TRIGGER event_table;
         ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_rows; ALTER TABLE entry ENABLE ALWAYS TRIGGER entry_table;
         RESET session_replication_role;";
    superuser.execute(forget).await.unwrap();
    let other = Book::open(&store);
    other.moves("ana", "eva", "2.00").await.unwrap();
    // The running process notices, pulls the brake, and both stand still.
    for book in [&running, &other, &running] {
        let error = book.does(transfer("ana", "rui", "1.00")).await.unwrap_err();
        assert!(is_write_error(&error, WriteError::Halted), "{error:?}");
    }
    let before = count(&store, "event").await;
    let mut operator = store.session("vintem_operator").await;
    let recovery = vintem_core::event_store::recover::recover(&mut operator, 0).await.unwrap();
    assert_eq!(recovery.epoch, 2);
    assert_eq!(count(&store, "event").await, before);
    // Both go on from what is there; what the running process had cached is forgotten.
    running.moves("ana", "rui", "97.00").await.unwrap();
    assert_eq!(other.moves("ana", "rui", "1.01").await, Err(RefusalCode::InsufficientFunds));
    other.moves("ana", "rui", "1.00").await.unwrap();
    superuser.close().await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_cannot_change_what_was_appended() {
    let store = Store::create().await;
    let book = funded(&store).await;
    book.submits(vec![transfer("ana", "rui", "1.00").into()], Some(key("k1", 1))).await.unwrap();
    for table in ["batch", "event", "entry", "request", "shard"] {
        for role in ["vintem_writer", "vintem_operator", "vintem_reader", "vintem_auditor", "vintem_owner"] {
            let mut session = store.session(role).await;
            for sql in [
                format!("DELETE FROM {table}"),
                format!("UPDATE {table} SET shard = shard"),
                format!("TRUNCATE {table} CASCADE"),
            ] {
                let before = count(&store, table).await;
                // An owner's TRUNCATE is stopped by the trigger, everybody else's statements by their grants.
                let result = session.execute(&*sql).await;
                assert!(result.is_err(), "{role} may {sql}");
                assert_eq!(count(&store, table).await, before);
            }
        }
        // Not even a superuser who plays replica gets past the triggers without dropping them.
        let mut superuser = store.superuser().await;
        superuser.execute("SET session_replication_role = replica").await.unwrap();
        assert!(superuser.execute(&*format!("DELETE FROM {table}")).await.is_err());
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_stands_or_falls_together_and_others_go_on() {
    let store = Store::create().await;
    let book = funded(&store).await;
    let item = |group: Option<&str>, from: &str, amount: &str| vintem_core::ledger::command::Grouped {
        command: transfer(from, "rui", amount),
        group: group.map(Into::into),
    };
    let items = vec![
        item(Some("a"), "ana", "60.00"),
        item(Some("a"), "ana", "60.00"),
        item(None, "ana", "70.00"),
        item(Some("b"), "eva", "1.00"),
        item(Some("b"), "eva", "2.00"),
    ];
    let outcomes = book.does_all(items, None).await.unwrap();
    let codes: Vec<Option<RefusalCode>> =
        outcomes.iter().map(|o| if let Outcome::Refused(refusal) = o { Some(refusal.code) } else { None }).collect();
    assert_eq!(codes, [Some(RefusalCode::GroupFailed), Some(RefusalCode::InsufficientFunds), None, None, None]);
    assert_eq!([store.posted("ana").await, store.posted("eva").await, store.posted("rui").await], [3000, 9700, 17300]);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_with_an_id_is_idempotent_by_itself() {
    let store = Store::create().await;
    let book = funded(&store).await;
    let Command::Post(post) = transfer("ana", "rui", "1.00") else { unreachable!() };
    let with_id = |amount: &str| {
        let Command::Post(other) = transfer("ana", "rui", amount) else { unreachable!() };
        Command::Post(vintem_core::ledger::transaction::Post {
            id: ChosenId { id: post.id.id, is_callers: true },
            ..other
        })
    };
    assert!(matches!(book.does(with_id("1.00")).await.unwrap(), Outcome::Applied(_)));
    let Outcome::Already(again) = book.does(with_id("1.00")).await.unwrap() else { panic!("applied before") };
    assert_eq!((again.events.len(), again.entries.len()), (1, 2));
    let Outcome::Refused(refusal) = book.does(with_id("2.00")).await.unwrap() else { panic!("other facts") };
    assert_eq!(refusal.code, RefusalCode::IdempotencyMismatch);
    assert_eq!(store.posted("ana").await, 9900);
    store.close().await;
}
