//! Charges at terminals: paid once, refunded no more than that, taken back whatever arrives first, and counted in one batch.

use chrono::TimeDelta;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use vintem_core::event_store::job::unanswered;
use vintem_core::event_store::overlay::Origin;
use vintem_core::event_store::{Decision, Disposed, Job, Outcome};
use vintem_core::kernel::{Minor, RefusalCode};
use vintem_core::ledger::known::Side;
use vintem_core::ledger::store::look_ups::expiries;
use vintem_core::payments::charges::event::CaptureMode::{Auto, Manual};
use vintem_core::payments::charges::refunder::{Refunder, TRIED_FOR};
use vintem_core::payments::charges::{Charge, NewClosing, NewTally, Report, Slot, Status, hold_stream};
use vintem_core::telemetry::clock;
use vintem_core::verify::drift::Drift;
use vintem_tests::factory::is_long;
use vintem_tests::store::Store;
use vintem_tests::till::{Counter, any_key, payer, render, txid};

/// The end of each: what the drift checks look at is sound, and so is everything else.
async fn close(store: Store) {
    let mut session = store.session("vintem_auditor").await;
    let mut drift = Drift::new(0);
    for _ in 0..2 {
        for checked in drift.round(&mut session).await.unwrap() {
            assert_eq!(checked.findings, [], "{}", checked.check);
        }
    }
    store.close().await;
}

async fn closes(counter: &Counter, number: i32, captures: (i64, &str), last_seq: i64) -> Option<RefusalCode> {
    let none = || (0, "0".to_owned());
    let sums = [(captures.0, captures.1.to_owned()), none(), none()];
    let closing = NewClosing { number, counted: vec![NewTally { asset: "BRL".into(), sums }], last_seq };
    let (actor, at) = (&counter.book.actor, (counter.till.terminal, &closing));
    match counter.charges.close_batch(actor, &any_key(), at, &render()).await.unwrap().disposed {
        Disposed::Done(done, _) => match &done.outcomes[0] {
            Outcome::Refused(refusal) => Some(refusal.code),
            _ => None,
        },
        other => panic!("{other:?}"),
    }
}

async fn report(counter: &Counter, number: i32) -> Report {
    counter.charges.batch(&counter.book.actor, counter.till.terminal, number).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_asked_for_once_paid_once_and_counted_in_one_batch() {
    let store = Store::create().await;
    let counter = Counter::open(&store).await;
    counter.book.moves("bank", "ana", "100.00").await.unwrap();
    let new = counter.wants("10.00", Auto);
    let (charge, is_new) = counter.asks(&new).await.unwrap();
    assert!(is_new && !counter.asks(&new).await.unwrap().1, "the same again is the same charge");
    let other = vintem_core::payments::charges::NewCharge { amount: "10.01".into(), ..new.clone() };
    assert_eq!(counter.asks(&other).await.unwrap_err(), RefusalCode::IdempotencyMismatch);
    let found = counter.charges.by_code(&counter.book.actor, &charge.created.short_code.to_lowercase()).await;
    assert_eq!(found.unwrap().id, charge.id);
    let waits = counter.charges.wait(
        &counter.book.actor,
        (counter.till.terminal, &new.txid),
        Some(Status::Created),
        Duration::from_secs(20),
    );
    let (waited, confirmed) = tokio::join!(waits, counter.confirms(payer("ana"), charge.id));
    confirmed.unwrap();
    let Slot::Charge(waited) = waited.unwrap() else { panic!() };
    assert_eq!(waited.status(clock::now()), Status::Captured);
    assert_eq!(counter.confirms(payer("ana"), charge.id).await, Err(RefusalCode::ChargeAlreadyPaid));
    assert!(counter.charges.by_code(&counter.book.actor, &charge.created.short_code).await.is_err(), "it is paid");
    assert_eq!(
        [store.posted("ana").await, store.posted("coffee").await, store.posted("platform").await],
        [9_000, 990, 10]
    );
    let totals = counter.charges.totals(&counter.book.actor, counter.till.terminal).await.unwrap();
    assert_eq!((totals.number, totals.totals[0].captures.amount, totals.last_seq), (1, Minor::new(1_000), 1));
    // A number that never came is missing; the batch is closed all the same, and what comes belongs to the next.
    assert_eq!(closes(&counter, 2, (1, "10.00"), 2).await, Some(RefusalCode::InvalidState));
    assert_eq!(closes(&counter, 1, (1, "10.00"), 2).await, None);
    assert_eq!(closes(&counter, 1, (1, "10.00"), 2).await, None, "closed is closed");
    assert_eq!(closes(&counter, 1, (1, "10.01"), 2).await, Some(RefusalCode::InvalidState));
    assert!(counter.refunds(&new.txid, &txid(), "4.00").await.unwrap());
    counter.next();
    let z = report(&counter, 1).await;
    let compared = z.closed.unwrap();
    assert_eq!((compared.is_balanced, &compared.missing[..], z.totals.len()), (false, &[2][..], 1));
    assert_eq!((z.totals[0].captures.count, z.totals[0].refunds.count), (1, 0));
    assert_eq!(report(&counter, 2).await.totals[0].refunds.amount, Minor::new(400));
    let last = counter.charges.last(&counter.book.actor, counter.till.terminal).await.unwrap();
    assert!(matches!(last, Some(Slot::Charge(last)) if last.id == charge.id));
    // Once it is counted, a reversal is a refund of what is left, and the platform's part is the service's to bear.
    counter.book.moves("bank", "coffee", "0.10").await.unwrap();
    assert!(counter.reverses(&new.txid).await && !counter.reverses(&new.txid).await);
    assert_eq!(counter.status(&new.txid).await, Status::Refunded);
    assert_eq!(
        [store.posted("ana").await, store.posted("platform").await],
        [10_000, 10],
        "the platform keeps its part"
    );
    close(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_may_come_first_and_a_late_original_finds_it() {
    let store = Store::create().await;
    let counter = Counter::open(&store).await;
    counter.book.moves("bank", "ana", "100.00").await.unwrap();
    let new = counter.wants("10.00", Manual);
    assert!(counter.reverses(&new.txid).await && !counter.reverses(&new.txid).await);
    assert_eq!(counter.asks(&new).await.unwrap_err(), RefusalCode::ChargeReversed);
    // Before anything was captured, after it, and after a part of it.
    let [waiting, held, part, paid] = [Manual, Manual, Manual, Auto].map(|capture| counter.wants("10.00", capture));
    for new in [&waiting, &held, &part, &paid] {
        let (charge, _) = counter.asks(new).await.unwrap();
        if new.txid != waiting.txid {
            counter.confirms(payer("ana"), charge.id).await.unwrap();
        }
    }
    counter.captures(&part.txid, Some("4.00"), false).await.unwrap();
    for new in [&waiting, &held, &part, &paid] {
        assert!(counter.reverses(&new.txid).await);
        assert_eq!(counter.status(&new.txid).await, Status::Reversed);
        assert_eq!(counter.asks(new).await.unwrap_err(), RefusalCode::ChargeReversed);
        assert_eq!(counter.captures(&new.txid, None, true).await, Err(RefusalCode::ChargeReversed));
    }
    assert_eq!(
        [store.posted("ana").await, store.posted("coffee").await, store.posted("platform").await],
        [10_000, 0, 0]
    );
    let totals = report(&counter, 1).await.totals.remove(0);
    assert_eq!((totals.captures.amount, totals.reversals.amount), (Minor::new(1_400), Minor::new(1_400)));
    close(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_confirmations_on_one_balance_exactly_the_affordable_succeed() {
    let store = Store::create().await;
    let counter = Counter::open(&store).await;
    for round in 0..4 {
        counter.book.moves("bank", "ana", "50.00").await.unwrap();
        let mut charges = Vec::new();
        for number in 0..16 {
            charges.push(counter.asked("10.00", if (number + round) % 2 == 0 { Auto } else { Manual }).await);
        }
        let race = charges.iter().map(|charge| counter.confirms(payer("ana"), charge.id));
        let results = join_all(race).await;
        assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5, "{results:?}");
        assert!(results.iter().all(|result| result.is_ok() || *result == Err(RefusalCode::InsufficientFunds)));
        // What is held is spent like what was captured; the next round begins with nothing available.
        for charge in &charges {
            if counter.status(&charge.created.txid).await == Status::Authorised {
                counter.captures(&charge.created.txid, None, true).await.unwrap();
            }
        }
    }
    assert_eq!([store.posted("ana").await, store.posted("coffee").await], [0, 19_800]);
    close(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_the_same_moment_never_exceed_the_capture() {
    let store = Store::create().await;
    let counter = Counter::open(&store).await;
    counter.book.moves("bank", "ana", "100.00").await.unwrap();
    counter.book.moves("bank", "coffee", "100.00").await.unwrap();
    for _ in 0..4 {
        let charge = counter.asked("10.00", Auto).await;
        counter.confirms(payer("ana"), charge.id).await.unwrap();
        let txid = &charge.created.txid;
        // Each is sent twice, as a terminal would that had no answer.
        let ids: Vec<String> = (0..8).map(|number| format!("{:0>26}", number % 4)).collect();
        let race = ids.iter().map(|id| counter.refunds(txid, id, "3.00"));
        let results = join_all(race).await;
        assert_eq!(results.iter().filter(|result| **result == Ok(true)).count(), 3, "{results:?}");
        assert!(
            !results.iter().any(|result| matches!(result, Err(code) if *code != RefusalCode::RefundExceedsCaptured))
        );
        let charge = counter.charges.find(&counter.book.actor, counter.till.terminal, txid).await.unwrap();
        assert_eq!((charge.refunded(), charge.refundable()), (Minor::new(900), Minor::new(100)));
    }
    close(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_waits_for_the_services_money_and_fails_in_the_end() {
    let store = Store::create().await;
    let counter = Counter::open(&store).await;
    counter.book.moves("bank", "ana", "100.00").await.unwrap();
    let mut session = store.superuser().await;
    let charge = counter.asked("10.00", Auto).await;
    counter.confirms(payer("ana"), charge.id).await.unwrap();
    counter.book.moves("coffee", "bank", "9.90").await.unwrap();
    let txid = &charge.created.txid;
    let [first, second] = ["1", "2"].map(|number| format!("{number:0>26}"));
    assert!(counter.refunds(txid, &first, "4.00").await.unwrap());
    assert!(counter.refunds(txid, &second, "6.00").await.unwrap());
    let shard = counter.book.ledger.shard(0).unwrap().clone();
    let mut tries = async |later: TimeDelta| {
        sqlx::query("UPDATE job SET run_at = now()").execute(&mut session).await.unwrap();
        let clock = Arc::new(move || clock::now() + later);
        Refunder::new(store.pool("vintem_writer"), 0, shard.clone(), clock).tick().await.unwrap()
    };
    assert_eq!(tries(TimeDelta::zero()).await, 0);
    counter.book.moves("bank", "coffee", "4.00").await.unwrap();
    assert_eq!(tries(TimeDelta::zero()).await, 1, "one of the two can be paid");
    assert_eq!(tries(TRIED_FOR).await, 1);
    assert_eq!(tries(TRIED_FOR).await, 0, "nothing is left to do");
    let charge = counter.charges.find(&counter.book.actor, counter.till.terminal, txid).await.unwrap();
    assert_eq!((charge.refunded(), charge.refundable()), (Minor::new(400), Minor::new(600)));
    assert_eq!(report(&counter, 1).await.totals[0].refunds.amount, Minor::new(400), "what failed did not take place");
    close(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_terminals_open_charges_are_given_up_and_a_hasty_second_payment_is_asked_about() {
    let store = Store::create().await;
    let counter = Counter::open(&store).await;
    counter.book.moves("bank", "ana", "100.00").await.unwrap();
    let meant = |is_repeat| vintem_core::payments::charges::NewCharge { is_repeat, ..counter.wants("5.00", Auto) };
    let charges = [false, false, true].map(meant);
    let mut told = Vec::new();
    for new in &charges {
        let (charge, _) = counter.asks(new).await.unwrap();
        told.push(counter.confirms(payer("ana"), charge.id).await);
    }
    assert_eq!(told, [Ok(()), Err(RefusalCode::PossibleDuplicate), Ok(())]);
    let held = counter.asked("7.00", Manual).await;
    counter.confirms(payer("ana"), held.id).await.unwrap();
    assert_eq!(counter.charges.cancel_open(&counter.book.actor, counter.till.terminal).await.unwrap(), 2);
    assert_eq!(counter.status(&held.created.txid).await, Status::Cancelled);
    assert_eq!(counter.charges.cancel_open(&counter.book.actor, counter.till.terminal).await.unwrap(), 0);
    assert_eq!(store.posted("ana").await, 9_000);
    close(store).await;
}

/// Ends a hold as the ledger's clock does; whether it did.
async fn expires(store: &Store, counter: &Counter, charge: &Charge) -> bool {
    let mut session = store.session("vintem_writer").await;
    let tenant = counter.book.actor.origin.tenant;
    let proposals = expiries(&mut session, 0, &[hold_stream(tenant, charge.id)]).await.unwrap();
    let items = proposals.into_iter().map(|proposal| Decision::Propose(proposal).into()).collect();
    let job = Job { origin: Origin::command(tenant, "clock"), request: None, items, render: unanswered() };
    match counter.book.ledger.shard(0).unwrap().dispose(job).await.unwrap() {
        Disposed::Done(done, _) => matches!(done.outcomes.first(), Some(Outcome::Applied(_))),
        _ => false,
    }
}

/// One try: capture, expiry and cancellation of one charge, let go together.
async fn races(store: &Store, counter: &Counter, charge: &Charge, number: u64) -> [bool; 3] {
    let (barrier, txid) = (Barrier::new(3), &charge.created.txid);
    // A cancellation looks fewer things up than a capture, so in most tries it comes a little later to the door.
    let later = Duration::from_millis(number % 4 * 10);
    let captures = async {
        barrier.wait().await;
        counter.captures(txid, None, true).await.is_ok()
    };
    let ends = async {
        barrier.wait().await;
        expires(store, counter, charge).await
    };
    let cancels = async {
        barrier.wait().await;
        tokio::time::sleep(later).await;
        counter.cancels(txid).await.is_ok()
    };
    tokio::join!(captures, ends, cancels).into()
}

/// The bar says ten thousand tries; two hundred show the same in the time that a test may take.
#[tokio::test(flavor = "multi_thread")]
async fn capture_expiry_and_cancellation_race_and_exactly_one_wins() {
    const TOGETHER: u64 = 50;
    let rounds = if is_long() { 200 } else { 4 };
    let store = Store::create().await;
    let counter = Counter::open(&store).await;
    counter.book.moves("bank", "ana", "100.00").await.unwrap();
    let mut wins = [0_u64; 3];
    // How long before the end the middle of them is let go. How long their ways take, the tries themselves show.
    let mut lead = TimeDelta::milliseconds(100);
    for _ in 0..rounds {
        let charges = join_all((0..TOGETHER).map(|_| counter.asked("0.01", Manual))).await;
        let end = clock::now() + TimeDelta::milliseconds(700);
        let hour = end - TimeDelta::hours(1);
        join_all(charges.iter().map(|charge| counter.consents(payer("ana"), charge.id, hour))).await;
        let tries = charges.iter().zip(0..TOGETHER).map(async |(charge, number)| {
            let spread = TimeDelta::milliseconds(4) * (i32::try_from(number).unwrap() - 25);
            tokio::time::sleep((end - lead + spread - clock::now()).to_std().unwrap_or_default()).await;
            races(&store, &counter, charge, number).await
        });
        let mut ended = 0;
        for (charge, mut won) in charges.iter().zip(join_all(tries).await) {
            assert!(won.iter().filter(|won| **won).count() <= 1, "{won:?}");
            // A clock that came too early comes again.
            won[1] |= won == [false; 3] && late(&store, &counter, charge, end).await;
            let winner = won.iter().position(|won| *won).unwrap();
            let expected = [Status::Captured, Status::Expired, Status::Cancelled][winner];
            assert_eq!(counter.status(&charge.created.txid).await, expected);
            wins[winner] += 1;
            ended += u64::from(winner == 1);
        }
        let step = TimeDelta::milliseconds(15);
        lead = if ended * 2 > TOGETHER { lead + step } else { lead - step };
    }
    let tries = rounds * TOGETHER;
    assert_eq!(wins.iter().sum::<u64>(), tries);
    assert!(!is_long() || wins.iter().all(|won| won * 20 >= tries), "each wins in 5 % of the tries and more: {wins:?}");
    close(store).await;
}

async fn late(store: &Store, counter: &Counter, charge: &Charge, end: vintem_core::kernel::Instant) -> bool {
    tokio::time::sleep((end - clock::now()).to_std().unwrap_or_default() + Duration::from_millis(20)).await;
    expires(store, counter, charge).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_named_twice_or_cannot_be_paid_is_no_service() {
    let store = Store::create().await;
    let mut counter = Counter::open(&store).await;
    counter.book.account("debit", Side::Debit, None).await;
    counter.till.terms.splits[0].account = vintem_tests::till::account("debit");
    assert_eq!(counter.asks(&counter.wants("1.00", Auto)).await.unwrap_err(), RefusalCode::InvalidState);
    counter.till.terms.splits[0].account = counter.till.service.account;
    let charge = counter.asked("1.00", Auto).await;
    counter.book.moves("bank", "ana", "1.00").await.unwrap();
    counter.confirms(payer("ana"), charge.id).await.unwrap();
    assert_eq!(store.posted("coffee").await, 100);
    close(store).await;
}
