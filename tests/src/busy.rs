//! A small ledger in which everything that can happen has happened, for tests that look at all of it.

use crate::book::{Book, key, transfer};
use crate::store::Store;
use chrono::Duration;
use std::sync::Arc;
use uuid::Uuid;
use vintem_core::event_store::proposal::{Count, EntryKind, NewEvent, Pointers};
use vintem_core::event_store::{Answer, Decision, Disposed, Job, Proposal, StoredBody, fresh};
use vintem_core::kernel::window::Window;
use vintem_core::kernel::{Instant, Metadata, Minor, name};
use vintem_core::ledger::account::{Change, Limits, What};
use vintem_core::ledger::capture::Capture;
use vintem_core::ledger::command::{Command, Grouped};
use vintem_core::ledger::known::{AccountRef, Side};
use vintem_core::ledger::placing::Place;
use vintem_core::ledger::reversal::{Extent, Reverse};
use vintem_core::ledger::transaction::{ChosenId, Leg, Post, Quantity};

/// The id of a named account of the book's tenant in BRL.
pub fn account_id(book: &Book, account: &str) -> Uuid {
    name::account_id(book.actor.origin.tenant, account, "BRL")
}

/// A leg in BRL.
pub fn leg(account: &str, direction: Side, amount: &str) -> Leg {
    Leg {
        account: AccountRef::Name(account.into()),
        direction,
        quantity: Quantity::Exact(amount.into()),
        asset: "BRL".into(),
        expect: None,
    }
}

/// A hold of an account's money, with a destination or without.
pub fn place(id: Uuid, from: &str, to: Option<&str>, amount: &str, expires_at: Instant) -> Command {
    let mut legs = vec![leg(from, Side::Debit, amount)];
    legs.extend(to.map(|to| leg(to, Side::Credit, amount)));
    let id = ChosenId { id, is_callers: true };
    Command::Place(Place {
        id,
        legs,
        pointers: Pointers::FromTo,
        expires_at,
        over_capture_percent: 10,
        description: None,
        metadata: Metadata::new(),
    })
}

/// A capture of an amount.
pub fn capture(hold: Uuid, amount: &str, to: Option<&str>, is_final: bool) -> Command {
    Command::Capture(Capture {
        hold,
        transaction: fresh::new_id(),
        extent: Extent::Amount(amount.into()),
        to: to.map(|to| AccountRef::Name(to.into())),
        is_final,
        description: None,
        metadata: Metadata::from([("till".to_owned(), "7".to_owned())]),
    })
}

/// Hands proposals to the writer as they are, past every decision of the product.
pub async fn propose(book: &Book, events: Vec<NewEvent>, counts: Vec<Count>) {
    let proposal = Proposal { events, counts, ..Proposal::default() };
    let render = Arc::new(|_: &_| Answer { status: 200, code: None, body: StoredBody::Rendered });
    let job = Job {
        origin: book.actor.origin.clone(),
        request: None,
        items: vec![Decision::Propose(proposal).into()],
        render,
    };
    let disposed = book.ledger.shard(0).unwrap().dispose(job).await.unwrap();
    assert!(matches!(disposed, Disposed::Done(..)), "{disposed:?}");
}

/// An event without effect.
pub fn bare_event(kind: &'static str, payload: &str) -> NewEvent {
    NewEvent {
        stream: fresh::new_id(),
        expected: 0,
        fresh: true,
        kind,
        payload: payload.into(),
        effective_at: None,
        entry_kind: EntryKind::Posting,
        moves: Vec::new(),
        settings: None,
    }
}

#[expect(clippy::disallowed_methods, reason = "a question about the server, not about our schema")]
async fn now(store: &Store) -> Instant {
    sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut store.superuser().await).await.unwrap()
}

/// Lets everything happen.
pub async fn busy(store: &Store) -> Book {
    // Boxed, for it would make every test's future large.
    Box::pin(everything(store)).await
}

async fn everything(store: &Store) -> Book {
    let book = Book::open(store).brl().await;
    book.account("bank", Side::Debit, None).await;
    for account in ["ana", "rui", "eva", "gil", "old"] {
        book.account(account, Side::Credit, Some("0")).await;
        book.moves("bank", account, "100.00").await.unwrap();
    }
    let tomorrow = now(store).await + Duration::days(1);
    postings(&book).await;
    holds(store, &book, tomorrow).await;
    settings(&book).await;
    for spent in [30, 40, -10] {
        let of = |account: &str, window| Count {
            account: account_id(&book, account),
            window,
            zone: chrono_tz::America::Sao_Paulo,
            delta: Minor::new(spent),
            maximum: Minor::new(1_000),
        };
        propose(
            &book,
            vec![bare_event("test.counted", "{}")],
            vec![of("ana", Window::Month), of("rui", Window::Device("d".into()))],
        )
        .await;
    }
    requests(&book).await;
    book
}

/// Transactions of two and more legs, with value dates and metadata, reversed in part and wholly.
async fn postings(book: &Book) {
    let effective: Instant = "2020-02-29T12:00:00Z".parse().unwrap();
    for (number, at) in [None, Some(effective), Some(effective + Duration::days(400))].into_iter().enumerate() {
        let id = fresh::new_id();
        let post = Post {
            id: ChosenId { id, is_callers: true },
            legs: vec![
                leg("ana", Side::Debit, "3.00"),
                leg("rui", Side::Credit, "1.00"),
                leg("eva", Side::Credit, "2.00"),
            ],
            pointers: Pointers::Legs,
            effective_at: at,
            description: Some("bus".into()),
            metadata: Metadata::from([("line".to_owned(), number.to_string()), ("hold".to_owned(), "none".to_owned())]),
        };
        book.does(Command::Post(post)).await.unwrap();
        let reverse = |extent| {
            Command::Reverse(Reverse { transaction: id, reversal: fresh::new_id(), extent, description: None })
        };
        book.does(reverse(Extent::Lines(vec![(0, "0.50".into()), (1, "0.50".into())]))).await.unwrap();
        book.does(reverse(Extent::All)).await.unwrap();
    }
}

/// Holds that were captured in parts, beyond their amount, released, extended, raised, that expired and are open.
async fn holds(store: &Store, book: &Book, tomorrow: Instant) {
    let ids: Vec<Uuid> = (0..6).map(|_| fresh::new_id()).collect();
    for (id, to) in ids.iter().zip([None, Some("gil"), None, Some("gil"), None, Some("eva")]) {
        book.does(place(*id, "rui", to, "10.00", tomorrow)).await.unwrap();
    }
    book.does(capture(ids[0], "4.00", Some("eva"), false)).await.unwrap();
    book.does(capture(ids[0], "6.50", Some("gil"), true)).await.unwrap();
    book.does(Command::Extend { hold: ids[1], expires_at: tomorrow + Duration::days(2) }).await.unwrap();
    book.does(Command::Increment { hold: ids[1], extent: Extent::Amount("1.00".into()) }).await.unwrap();
    book.does(capture(ids[1], "2.00", None, true)).await.unwrap();
    book.does(Command::Release { hold: ids[2] }).await.unwrap();
    book.does_all(vec![capture(ids[3], "5.00", None, false).into(), capture(ids[3], "5.00", None, false).into()], None)
        .await
        .unwrap();
    let brief = fresh::new_id();
    let soon = now(store).await + Duration::milliseconds(150);
    book.does(place(brief, "old", None, "90.00", soon)).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    book.moves("old", "ana", "100.00").await.unwrap();
}

/// An account with a narrower limit, one frozen and thawed, one closed.
async fn settings(book: &Book) {
    let change =
        |account: &str, what| Command::Change(Change { account: account_id(book, account), expected: None, what });
    let limits = Limits { max_balance: Some(Some("500.00".into())), sends: Some(true), ..Limits::default() };
    book.does(change("gil", What::Limits(limits))).await.unwrap();
    book.does(change("eva", What::Freeze(Some("lost card".into())))).await.unwrap();
    assert!(book.moves("eva", "ana", "1.00").await.is_err());
    book.does(change("eva", What::Unfreeze)).await.unwrap();
    book.does(change("old", What::Close(None))).await.unwrap();
}

/// Keys of successes, of refusals, and of a batch with groups.
async fn requests(book: &Book) {
    for number in 0..4 {
        book.submits(vec![transfer("ana", "rui", "0.10").into()], Some(key(&format!("Key {number} ção"), number)))
            .await
            .unwrap();
        book.submits(vec![transfer("ana", "rui", "9999.00").into()], Some(key(&format!("refused {number}"), number)))
            .await
            .unwrap();
    }
    let item = |group: Option<&str>, amount: &str| Grouped {
        command: transfer("eva", "gil", amount),
        group: group.map(Into::into),
    };
    let items = vec![
        item(Some("a"), "1.00"),
        item(Some("a"), "9999.00"),
        item(None, "0.01"),
        item(Some("b"), "0.02"),
        item(Some("b"), "0.03"),
    ];
    book.submits(items, Some(key("batch", 9))).await.unwrap();
    book.moves("bank", "ana", "1.00").await.unwrap();
}
