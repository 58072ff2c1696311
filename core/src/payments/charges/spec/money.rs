//! What charges do to balances, in one line each.

use super::*;
use crate::ledger::command::{Command, Loaded};
use crate::ledger::reversal::{Extent, Reverse};

#[test]
fn a_capture_pays_everybody_at_once_and_a_reversal_takes_everything_back() {
    let mut world = captured();
    assert_eq!(
        ["payer", "service", "platform"].map(|name| world.has(name)),
        ["90.00 0.00 0.00", "9.90 0.00 0.00", "0.10 0.00 0.00"]
    );
    world.reverses().unwrap();
    assert_eq!(
        ["payer", "service", "platform"].map(|name| world.has(name)),
        ["100.00 0.00 0.00", "0.00 0.00 0.00", "0.00 0.00 0.00"]
    );
}

#[test]
fn what_is_held_leaves_what_is_available_and_partial_captures_free_the_rest_at_the_end() {
    let mut world = authorised();
    assert_eq!([world.has("payer"), world.has("service")], ["100.00 10.00 0.00", "0.00 0.00 10.00"]);
    world.captures(Some("4.00"), false).unwrap();
    assert_eq!([world.has("payer"), world.has("service")], ["96.00 6.00 0.00", "3.96 0.00 6.00"]);
    world.captures(Some("1.00"), true).unwrap();
    assert_eq!([world.has("payer"), world.has("service")], ["95.00 0.00 0.00", "4.95 0.00 0.00"]);
    assert_eq!(world.has("platform"), "0.05 0.00 0.00");
}

#[test]
fn a_final_capture_may_exceed_within_the_terms_and_no_other() {
    assert_eq!(authorised().captures(Some("10.01"), false), Err(RefusalCode::CaptureExceedsHold));
    assert_eq!(authorised().captures(Some("12.01"), true), Err(RefusalCode::CaptureExceedsHold));
    let mut world = authorised();
    world.captures(Some("12.00"), true).unwrap();
    assert_eq!([world.has("payer"), world.has("service")], ["88.00 0.00 0.00", "11.88 0.00 0.00"]);
}

#[test]
fn what_is_cancelled_or_expires_is_free_again() {
    let mut world = authorised();
    world.cancels().unwrap();
    assert_eq!([world.has("payer"), world.has("service")], ["100.00 0.00 0.00", "0.00 0.00 0.00"]);
    let mut world = authorised().later(day());
    world.expires().unwrap();
    assert_eq!([world.has("payer"), world.has("service")], ["100.00 0.00 0.00", "0.00 0.00 0.00"]);
}

#[test]
fn the_service_alone_bears_a_refund() {
    let mut world = captured();
    world.refunds(1, "4.00").unwrap();
    assert_eq!(
        ["payer", "service", "platform"].map(|name| world.has(name)),
        ["94.00 0.00 0.00", "5.90 0.00 0.00", "0.10 0.00 0.00"]
    );
    assert_eq!(world.refunds(1, "4.00"), Ok(false), "the same refund again");
    assert_eq!(world.refunds(1, "4.01"), Err(RefusalCode::IdempotencyMismatch));
    assert_eq!(world.refunds(2, "6.01"), Err(RefusalCode::RefundExceedsCaptured));
}

#[test]
fn a_refund_that_the_service_cannot_pay_counts_and_is_paid_later_or_fails() {
    let mut world = captured();
    world.moves("service", "bank", 990);
    assert_eq!(world.refunds(1, "4.00"), Ok(true));
    let charge = world.charge().unwrap();
    let id = format!("{TXID}1");
    assert_eq!((charge.refund(&id).unwrap().status.as_str(), charge.refundable()), ("processing", Minor::new(600)));
    let try_again = |world: &mut World| {
        let decision = world.charge().unwrap().pay_refund(&id, world.fresh()).unwrap();
        world.does(decision)
    };
    assert_eq!(try_again(&mut world), Err(RefusalCode::InsufficientFunds));
    world.moves("bank", "service", 400);
    assert_eq!(try_again(&mut world), Ok(true));
    assert_eq!(try_again(&mut world), Ok(false), "it is paid once");
    assert_eq!((world.status(), world.has("payer").as_str()), ("partially_refunded", "94.00 0.00 0.00"));
    assert_eq!(world.refunds(2, "6.00"), Ok(true));
    let drawn = world.drawn();
    let failed = world.charge().unwrap().fail_refund(&format!("{TXID}2"), RefusalCode::InsufficientFunds, &drawn);
    world.does(failed.unwrap()).unwrap();
    assert_eq!(world.charge().unwrap().refundable(), Minor::new(600), "what failed counts no more");
}

#[test]
fn a_reversal_that_the_service_cannot_pay_is_a_refund_that_waits() {
    let mut world = captured();
    world.moves("service", "bank", 1);
    assert_eq!(world.reverses(), Ok(true));
    assert_eq!(world.status(), "captured");
    assert_eq!(world.charge().unwrap().refund(reverse::REFUND_ID).unwrap().status.as_str(), "processing");
    assert_eq!(world.reverses(), Ok(false));
    assert_eq!(world.charge().unwrap().refundable(), Minor::ZERO);
}

#[test]
fn a_frozen_payer_gets_it_back_when_they_are_not_any_more() {
    let mut world = captured();
    world.moves("bank", "service", 10);
    world.freezes("payer", What::Freeze(None));
    assert_eq!(world.reverses(), Ok(true), "an advice is taken down whatever the balances say");
    world.freezes("payer", What::Unfreeze);
    let decision = world.charge().unwrap().pay_refund(reverse::REFUND_ID, world.fresh()).unwrap();
    assert_eq!((world.does(decision), world.has("payer").as_str()), (Ok(true), "100.00 0.00 0.00"));
    assert_eq!(world.status(), "refunded");
}

#[test]
fn refunds_have_a_time_and_above_a_threshold_an_approval() {
    let days = |days| captured().later(Duration::days(days));
    assert_eq!(days(89).refunds(1, "1.00"), Ok(true));
    assert_eq!(days(90).refunds(1, "1.00"), Err(RefusalCode::RefundWindowClosed));
    let mut world = given().terms(|terms| terms.approval_above = Some(Minor::new(300)));
    world.asks("10.00", CaptureMode::Auto).unwrap();
    world.confirms().unwrap();
    assert_eq!(world.refunds(1, "3.01"), Err(RefusalCode::ApprovalRequired));
    assert_eq!(world.refunds(1, "2.00"), Ok(true));
    assert_eq!(world.refunds(2, "1.01"), Err(RefusalCode::ApprovalRequired), "in parts it is as much");
    assert_eq!(world.refunds(2, "1.00"), Ok(true));
}

#[test]
fn terms_are_those_of_the_creation_and_splits_fit_into_the_amount() {
    let mut world = created(CaptureMode::Auto).terms(|terms| terms.splits.clear());
    world.confirms().unwrap();
    assert_eq!(world.has("platform"), "0.10 0.00 0.00");
    let fixed = |terms: &mut Terms| terms.splits[0].price.fixed = Minor::new(500);
    assert_eq!(given().terms(fixed).asks("5.04", CaptureMode::Auto), Err(RefusalCode::ValidationFailed));
    let mut world = given().terms(fixed);
    world.asks("10.00", CaptureMode::Manual).unwrap();
    world.confirms().unwrap();
    assert_eq!(world.captures(Some("1.00"), false), Err(RefusalCode::ValidationFailed));
}

#[test]
fn nobody_pays_themselves_or_what_they_do_not_have() {
    let mut world = given();
    world.asks("100.01", CaptureMode::Auto).unwrap();
    assert_eq!(world.confirms(), Err(RefusalCode::InsufficientFunds));
    let mut world = created(CaptureMode::Auto);
    let consent = Consent {
        payer: Party { account: account("service"), ..payer() },
        by: Means::Mandate(Uuid::nil()),
        now: world.overlay.now,
    };
    let (charge, drawn) = (world.charge().unwrap(), world.drawn());
    assert_eq!(world.does(charge.confirm(&consent, Bounds::default(), &drawn)), Err(RefusalCode::InvalidState));
}

#[test]
fn the_ledgers_own_commands_leave_a_charge_alone() {
    let mut world = authorised();
    let hold = hold_stream(TENANT, World::id());
    let refused = |world: &World, command: Command, stream: Uuid| {
        let mut loaded = Loaded { streams: [(stream, world.events(&[stream]))].into(), ..Loaded::default() };
        loaded.fold_holds();
        matches!(command.decide(TENANT, &loaded), Ok(Decision::Refuse(refusal, _)) if refusal.code == RefusalCode::InvalidState)
    };
    let (extent, expires_at) = (Extent::All, world.overlay.now + day() * 2);
    assert!(refused(&world, Command::Release { hold }, hold));
    assert!(refused(&world, Command::Extend { hold, expires_at }, hold));
    assert!(refused(&world, Command::Increment { hold, extent: extent.clone() }, hold));
    world.captures(None, true).unwrap();
    let transaction = world.charge().unwrap().captures[0].0.transaction;
    let reverse = Reverse { transaction, reversal: world.fresh(), extent, description: None };
    assert!(refused(&world, Command::Reverse(reverse), transaction));
}

#[test]
fn a_malformed_request_is_told_where() {
    assert!(create::check_txid(&TXID[1..], "/txid").is_err() && create::check_txid(&"a".repeat(36), "/txid").is_err());
    assert!(
        create::check_txid("0123456789abcdefghijklmno-", "/txid").is_err() && create::check_txid(TXID, "/txid").is_ok()
    );
    let mut reversal = Reversal { txid: TXID.into(), reason: ReversalReason::Fault, seq: 0 };
    assert!(reversal.check().is_err());
    reversal.seq = 1 << 53;
    assert!(reversal.check().is_err());
}
