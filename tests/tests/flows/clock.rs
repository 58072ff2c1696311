//! The hold clock: money returns by itself, once, whoever ticks.

use chrono::{DateTime, Duration, Utc};
use vintem_core::event_store::fresh;
use vintem_core::event_store::proposal::Pointers;
use vintem_core::kernel::Metadata;
use vintem_core::ledger::command::Command;
use vintem_core::ledger::expiry::ExpiryClock;
use vintem_core::ledger::known::{AccountRef, Side};
use vintem_core::ledger::placing::Place;
use vintem_core::ledger::transaction::{ChosenId, Leg, Quantity};
use vintem_tests::book::Book;
use vintem_tests::store::Store;

#[tokio::test(flavor = "multi_thread")]
async fn expired_holds_end_once_whoever_ticks() {
    let store = Store::create().await;
    let book = Book::open(&store).brl().await;
    book.account("bank", Side::Debit, None).await;
    book.account("ana", Side::Credit, Some("0")).await;
    book.moves("bank", "ana", "100.00").await.unwrap();
    let mut superuser = store.superuser().await;
    let now: DateTime<Utc> = sqlx::query_scalar("SELECT clock_timestamp()").fetch_one(&mut superuser).await.unwrap();
    for _ in 0..20 {
        let leg = Leg {
            account: AccountRef::Name("ana".into()),
            direction: Side::Debit,
            quantity: Quantity::Exact("1.00".into()),
            asset: "BRL".into(),
            expect: None,
        };
        let place = Place {
            id: ChosenId { id: fresh::new_id(), is_callers: false },
            legs: vec![leg],
            pointers: Pointers::FromTo,
            expires_at: now + Duration::milliseconds(300),
            over_capture_percent: 0,
            description: None,
            metadata: Metadata::new(),
        };
        book.does(Command::Place(place)).await.unwrap();
    }
    let other = Book::open(&store);
    let clocks = [&book, &other].map(|book| {
        ExpiryClock::new(store.pool("vintem_writer"), 0, book.ledger.shard(0).unwrap().clone(), fresh::new_id())
    });
    tokio::time::sleep(std::time::Duration::from_millis(350)).await;
    let mut ended = 0;
    for _ in 0..3 {
        let (one, two) = tokio::join!(clocks[0].tick(), clocks[1].tick());
        let (one, two) = (one.unwrap(), two.unwrap());
        assert!(one == 0 || two == 0, "one process holds the lease");
        ended += one + two;
    }
    assert_eq!(ended, 20);
    let (held, open): (i64, i64) = sqlx::query_as("SELECT (SELECT held FROM entry ORDER BY position DESC, version DESC LIMIT 1), (SELECT count(*) FROM open_hold)").fetch_one(&mut superuser).await.unwrap();
    assert_eq!((held, open), (0, 0));
    store.close().await;
}
