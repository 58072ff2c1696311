//! Holds, captures and their ends.

use super::super::reversal::Extent;
use super::*;
use crate::kernel::RefusalCode::*;

const HOLD: Uuid = Uuid::from_u128(1);

fn funded() -> World {
    given().bank("bank").wallet("ana").wallet("shop").wallet("rui").moved("bank", "ana", "100.00")
}

#[test]
fn a_hold_leaves_available_at_once() {
    let mut world = funded().held(HOLD, "ana", Some("shop"), "60.00");
    assert_eq!([world.then("ana"), world.then("shop")], ["100.00 60.00 0.00", "0.00 0.00 60.00"]);
    assert_eq!(world.when(transfer("ana", "rui", "40.01")), Err(InsufficientFunds));
    world.when(transfer("ana", "rui", "40.00")).unwrap();
}

#[test]
fn many_captures_never_exceed_the_hold() {
    let mut world = funded().held(HOLD, "ana", Some("shop"), "60.00");
    capture(&mut world, HOLD, amount("25.00"), None, false).unwrap();
    assert_eq!(capture(&mut world, HOLD, amount("35.01"), None, false), Err(CaptureExceedsHold));
    capture(&mut world, HOLD, amount("35.00"), None, false).unwrap();
    assert_eq!([world.then("ana"), world.then("shop")], ["40.00 0.00 0.00", "60.00 0.00 0.00"]);
    assert_eq!(capture(&mut world, HOLD, amount("0.01"), None, false), Err(HoldEnded));
}

#[test]
fn a_final_capture_frees_the_rest() {
    let mut world = funded().held(HOLD, "ana", Some("shop"), "60.00");
    capture(&mut world, HOLD, amount("10.00"), None, true).unwrap();
    assert_eq!([world.then("ana"), world.then("shop")], ["90.00 0.00 0.00", "10.00 0.00 0.00"]);
    assert_eq!(world.when(Command::Release { hold: HOLD }), Err(HoldEnded));
}

#[test]
fn over_capture_needs_tolerance_and_the_final_flag() {
    let mut world = funded();
    world.when(world.place(HOLD, "ana", Some("shop"), "50.00", 20)).unwrap();
    assert_eq!(capture(&mut world, HOLD, amount("60.00"), None, false), Err(CaptureExceedsHold));
    assert_eq!(capture(&mut world, HOLD, amount("60.01"), None, true), Err(CaptureExceedsHold));
    capture(&mut world, HOLD, amount("60.00"), None, true).unwrap();
    assert_eq!([world.then("ana"), world.then("shop")], ["40.00 0.00 0.00", "60.00 0.00 0.00"]);
}

#[test]
fn over_capture_still_respects_the_bound() {
    let mut world = funded();
    world.when(world.place(HOLD, "ana", Some("shop"), "100.00", 20)).unwrap();
    assert_eq!(capture(&mut world, HOLD, amount("110.00"), None, true), Err(InsufficientFunds));
}

#[test]
fn a_hold_without_destination_is_told_at_the_capture() {
    let mut world = funded().held(HOLD, "ana", None, "60.00");
    assert_eq!(capture(&mut world, HOLD, amount("10.00"), None, false), Err(ValidationFailed));
    assert_eq!(capture(&mut world, HOLD, amount("10.00"), Some("nobody"), false), Err(UnknownAccount));
    assert_eq!(capture(&mut world, HOLD, amount("10.00"), Some("ana"), false), Err(DuplicateAccount));
    capture(&mut world, HOLD, amount("10.00"), Some("shop"), false).unwrap();
    capture(&mut world, HOLD, Extent::All, Some("bank"), false).unwrap();
    assert_eq!(
        [world.then("ana"), world.then("shop"), world.then("bank")],
        ["40.00 0.00 0.00", "10.00 0.00 0.00", "50.00 0.00 0.00"]
    );
}

#[test]
fn release_returns_what_remains() {
    let mut world = funded().held(HOLD, "ana", Some("shop"), "60.00");
    capture(&mut world, HOLD, amount("10.00"), None, false).unwrap();
    world.when(Command::Release { hold: HOLD }).unwrap();
    assert_eq!([world.then("ana"), world.then("shop")], ["90.00 0.00 0.00", "10.00 0.00 0.00"]);
}

#[test]
fn a_hold_counts_as_ended_at_its_time_even_before_its_expiry_is_written() {
    let mut world = funded().held(HOLD, "ana", Some("shop"), "60.00");
    assert_eq!(world.expire(HOLD), Err(InvalidState));
    let mut world = world.later(Duration::hours(1));
    assert_eq!(capture(&mut world, HOLD, amount("1"), None, false), Err(HoldEnded));
    assert_eq!(world.when(Command::Increment { hold: HOLD, extent: amount("1") }), Err(HoldEnded));
    assert_eq!(world.then("ana"), "100.00 60.00 0.00");
    world.expire(HOLD).unwrap();
    assert_eq!([world.then("ana"), world.then("shop")], ["100.00 0.00 0.00", "0.00 0.00 0.00"]);
    assert_eq!(world.expire(HOLD), Err(HoldEnded));
}

#[test]
fn a_hold_is_extended_by_seven_days_in_all() {
    let mut world = funded().held(HOLD, "ana", None, "60.00");
    let end = world.now() + Duration::hours(1);
    let extend = |expires_at| Command::Extend { hold: HOLD, expires_at };
    assert_eq!(world.when(extend(end)), Err(ValidationFailed));
    world.when(extend(end + Duration::days(3))).unwrap();
    assert_eq!(world.when(extend(end + Duration::days(8))), Err(ValidationFailed));
    world.when(extend(end + Duration::days(7))).unwrap();
    let mut world = world.later(Duration::days(6));
    capture(&mut world, HOLD, Extent::All, Some("shop"), false).unwrap();
}

#[test]
fn an_increment_is_checked_like_the_placing() {
    let mut world = funded().held(HOLD, "ana", Some("shop"), "60.00");
    assert_eq!(world.when(Command::Increment { hold: HOLD, extent: amount("40.01") }), Err(InsufficientFunds));
    world.when(Command::Increment { hold: HOLD, extent: amount("40.00") }).unwrap();
    assert_eq!([world.then("ana"), world.then("shop")], ["100.00 100.00 0.00", "0.00 0.00 100.00"]);
    capture(&mut world, HOLD, Extent::All, None, false).unwrap();
    assert_eq!(world.then("shop"), "100.00 0.00 0.00");
}

#[test]
fn reversing_a_capture_does_not_revive_the_hold() {
    let mut world = funded().held(HOLD, "ana", Some("shop"), "60.00");
    capture(&mut world, HOLD, Extent::All, None, false).unwrap();
    let transaction = world.last_transaction();
    reverse(&mut world, transaction, Extent::All).unwrap();
    assert_eq!([world.then("ana"), world.then("shop")], ["100.00 0.00 0.00", "0.00 0.00 0.00"]);
    assert_eq!(capture(&mut world, HOLD, amount("1"), None, false), Err(HoldEnded));
}

#[test]
fn a_multi_leg_hold_is_captured_as_a_unit() {
    let mut world = funded().wallet("fee");
    let Command::Place(place) = world.place(HOLD, "ana", None, "60.00", 0) else { unreachable!() };
    let legs = vec![
        leg("ana", Side::Debit, "60", "BRL"),
        leg("shop", Side::Credit, "57", "BRL"),
        leg("fee", Side::Credit, "3", "BRL"),
    ];
    world.when(Command::Place(Place { legs, pointers: Pointers::Legs, ..place })).unwrap();
    assert_eq!(capture(&mut world, HOLD, amount("10"), None, false), Err(ValidationFailed));
    let lines =
        |lines: &[(u16, &str)]| Extent::Lines(lines.iter().map(|(line, text)| (*line, (*text).into())).collect());
    assert_eq!(capture(&mut world, HOLD, lines(&[(0, "20"), (1, "20"), (2, "1")]), None, false), Err(Unbalanced));
    capture(&mut world, HOLD, lines(&[(0, "20"), (1, "19"), (2, "1")]), None, false).unwrap();
    assert_eq!(
        [world.then("ana"), world.then("shop"), world.then("fee")],
        ["80.00 40.00 0.00", "19.00 0.00 38.00", "1.00 0.00 2.00"]
    );
    capture(&mut world, HOLD, Extent::All, None, false).unwrap();
    assert_eq!(
        [world.then("ana"), world.then("shop"), world.then("fee")],
        ["40.00 0.00 0.00", "57.00 0.00 0.00", "3.00 0.00 0.00"]
    );
}
