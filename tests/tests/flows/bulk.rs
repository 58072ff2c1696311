//! Large requests: they are drafted while the batch before them is appended, and must not show it.

use chrono::{Duration, Utc};
use std::sync::Arc;
use vintem_core::event_store::{Outcome, fresh};
use vintem_core::kernel::{Metadata, RefusalCode};
use vintem_core::ledger::account;
use vintem_core::ledger::command::{Command, Grouped};
use vintem_core::ledger::error::LedgerError;
use vintem_core::ledger::known::Side;
use vintem_tests::book::{Book, hold, transfer};
use vintem_tests::store::Store;

/// More items than a small job has.
const MANY: usize = 120;

fn many(from: &str, to: &str, amount: &str) -> Vec<Grouped> {
    (0..MANY).map(|_| transfer(from, to, amount).into()).collect()
}

async fn funded(store: &Store) -> Book {
    let book = Book::open(store).brl().await;
    book.account("bank", Side::Debit, None).await;
    for name in ["ana", "rui"] {
        book.account(name, Side::Credit, Some("0")).await;
    }
    book
}

/// How many were applied; whatever was not was short of funds.
fn applied(outcomes: &[Outcome]) -> i64 {
    let count = |outcome: &Outcome| match outcome {
        Outcome::Refused(refusal) => {
            assert_eq!(refusal.code, RefusalCode::InsufficientFunds);
            0
        }
        _ => 1,
    };
    outcomes.iter().map(count).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_and_small_requests_of_two_processes_lose_nothing() {
    let store = Store::create().await;
    let books = [Arc::new(funded(&store).await), Arc::new(Book::open(&store))];
    books[0].moves("bank", "ana", "150.00").await.unwrap();
    // Most go to one process, so that one request is drafted behind another; the second process spoils some drafts.
    let tasks = (0..6usize).map(|n| {
        let book = books[usize::from(n == 5)].clone();
        tokio::spawn(async move {
            let mut moved = 0;
            for _ in 0..3 {
                moved += applied(&book.does_all(many("ana", "rui", "0.10"), None).await.unwrap());
                moved += i64::from(book.moves("ana", "rui", "0.10").await.is_ok());
            }
            moved
        })
    });
    let mut moved = 0;
    for task in tasks.collect::<Vec<_>>() {
        moved += task.await.unwrap();
    }
    assert_eq!(moved, 1_500, "150.00 are 1,500 times 0.10, and 2,178 were asked for");
    assert_eq!((store.posted("ana").await, store.posted("rui").await), (0, 15_000));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_expired_hold_returns_is_there_for_a_large_request() {
    let store = Store::create().await;
    let book = funded(&store).await;
    book.moves("bank", "ana", "12.00").await.unwrap();
    let placed = hold(fresh::new_id(), "ana", "12.00", Utc::now() + Duration::milliseconds(300));
    assert!(matches!(book.does(placed).await.unwrap(), Outcome::Applied(_)));
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    // The second is drafted while the first is appended, where the return cannot be looked up.
    let (first, second) =
        tokio::join!(book.does_all(many("bank", "rui", "0.10"), None), book.does_all(many("ana", "rui", "0.10"), None));
    assert_eq!((applied(&first.unwrap()), applied(&second.unwrap())), (120, 120));
    assert_eq!((store.posted("ana").await, store.posted("rui").await), (0, 2_400));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_one_request_are_opened_in_one_commit() {
    let store = Store::create().await;
    let book = funded(&store).await;
    let open = |name: String| -> Grouped {
        let (asset, normal_side, metadata) = ("BRL".into(), Side::Credit, Metadata::new());
        let (fresh_id, name, min_balance) = (fresh::new_id(), Some(name), Some("0".into()));
        Command::Open(account::Open { fresh_id, name, asset, normal_side, min_balance, max_balance: None, metadata })
            .into()
    };
    let names = |from: usize| (from..from + MANY).map(move |n| format!("citizen:{n}"));
    // Side by side, and with names in common: one of the two finds them taken.
    let (first, second) = tokio::join!(
        book.does_all(names(0).map(open).collect(), None),
        book.does_all(names(100).map(open).collect(), None)
    );
    let taken = |outcomes: &[Outcome]| {
        outcomes.iter().filter(|o| matches!(o, Outcome::Refused(r) if r.code == RefusalCode::NameTaken)).count()
    };
    assert_eq!(taken(&first.unwrap()) + taken(&second.unwrap()), 20);
    let twice = book.does_all(vec![open("twice".into()), open("twice".into())], None).await;
    let LedgerError::Refused(refusal) = twice.unwrap_err() else { panic!("the batch is malformed") };
    assert_eq!(refusal.code, RefusalCode::ValidationFailed);
    let paid = (0..220).map(|n| transfer("bank", &format!("citizen:{n}"), "1.00").into()).collect();
    assert_eq!(applied(&book.does_all(paid, None).await.unwrap()), 220);
    store.close().await;
}
