//! Transactions and reversals.

use super::super::known::Side::{Credit, Debit};
use super::super::reversal::Extent;
use super::*;
use crate::kernel::RefusalCode::*;

fn funded() -> World {
    given().bank("bank").wallet("ana").wallet("rui").moved("bank", "ana", "100.00")
}

#[test]
fn a_transfer_moves_money() {
    let world = funded().moved("ana", "rui", "12.50");
    assert_eq!(
        [world.then("ana"), world.then("rui"), world.then("bank")],
        ["87.50 0.00 0.00", "12.50 0.00 0.00", "100.00 0.00 0.00"]
    );
}

#[test]
fn a_refused_transfer_leaves_no_trace() {
    let mut world = funded();
    assert_eq!(world.when(transfer("ana", "rui", "100.01")), Err(InsufficientFunds));
    assert_eq!([world.then("ana"), world.then("rui")], ["100.00 0.00 0.00", "0.00 0.00 0.00"]);
}

#[test]
fn what_can_never_be_right_is_told_apart_from_what_is_not_so_now() {
    let mut world = funded();
    assert_eq!(world.when(transfer("ana", "rui", "0.001")), Err(ValidationFailed));
    assert_eq!(world.when(transfer("ana", "nobody", "1")), Err(UnknownAccount));
    assert_eq!(world.when(transfer("ana", "ana", "1")), Err(DuplicateAccount));
    assert_eq!(
        world.when(post(vec![leg("ana", Debit, "1", "XYZ"), leg("rui", Credit, "1", "XYZ")])),
        Err(UnknownAsset)
    );
    assert_eq!(world.when(post(vec![leg("ana", Debit, "2", "BRL"), leg("rui", Credit, "1", "BRL")])), Err(Unbalanced));
}

#[test]
fn several_assets_balance_each_by_itself() {
    let mut world =
        funded().account("points", "PTS", Credit, None, None).account("ana:points", "PTS", Credit, Some("0"), None);
    let legs = vec![
        leg("ana", Debit, "10", "BRL"),
        leg("rui", Credit, "10", "BRL"),
        leg("points", Debit, "3", "PTS"),
        leg("ana:points", Credit, "3", "PTS"),
    ];
    world.when(post(legs)).unwrap();
    assert_eq!([world.then("points"), world.then("ana:points")], ["-3 0 0", "3 0 0"]);
}

#[test]
fn a_bound_refuses_only_what_makes_its_own_side_worse() {
    let mut world = funded().account("poor", "BRL", Credit, None, Some("20.00")).moved("poor", "rui", "50.00");
    world
        .change(
            "poor",
            account::What::Limits(account::Limits {
                min_balance: Some(Some("0".into())),
                ..account::Limits::default()
            }),
        )
        .unwrap();
    assert_eq!(world.when(transfer("poor", "rui", "0.01")), Err(InsufficientFunds));
    world.when(transfer("rui", "poor", "10.00")).unwrap();
    assert_eq!(world.then("poor"), "-40.00 0.00 0.00");
    assert_eq!(world.when(transfer("ana", "poor", "60.01")), Err(BoundExceeded));
}

#[test]
fn available_empties_the_source() {
    let mut world = funded();
    world.when(transfer("ana", "rui", "available")).unwrap();
    assert_eq!([world.then("ana"), world.then("rui")], ["0.00 0.00 0.00", "100.00 0.00 0.00"]);
    assert_eq!(world.when(transfer("ana", "rui", "available")), Err(InsufficientFunds));
    assert_eq!(
        world.when(post(vec![leg("rui", Debit, "available", "BRL"), leg("ana", Credit, "1", "BRL")])),
        Err(Unbalanced)
    );
}

#[test]
fn a_condition_makes_a_posting_a_compare_and_set() {
    let mut world = funded();
    let legs = |after| post(vec![expecting(leg("ana", Debit, "1", "BRL"), after), leg("rui", Credit, "1", "BRL")]);
    assert_eq!(world.when(legs("98.99")), Err(ConditionFailed));
    world.when(legs("99.00")).unwrap();
    assert_eq!(world.when(legs("99")), Err(ConditionFailed));
}

#[test]
fn no_balance_leaves_the_range_of_the_ledger() {
    let mut world = given().bank("bank").bank("vault").moved("bank", "vault", "10000000000000000");
    assert_eq!(world.when(transfer("bank", "vault", "0.01")), Err(AmountOverflow));
}

#[test]
fn reversals_take_back_at_most_the_original() {
    let mut world = funded().moved("ana", "rui", "30.00");
    let original = world.last_transaction();
    reverse(&mut world, original, amount("10.00")).unwrap();
    assert_eq!(reverse(&mut world, original, amount("20.01")), Err(ReversalExceeds));
    reverse(&mut world, original, Extent::All).unwrap();
    assert_eq!([world.then("ana"), world.then("rui")], ["100.00 0.00 0.00", "0.00 0.00 0.00"]);
    assert_eq!(reverse(&mut world, original, Extent::All), Err(ReversalExceeds));
    assert_eq!(reverse(&mut world, Uuid::nil(), Extent::All), Err(NotFound));
}

#[test]
fn more_legs_are_reversed_by_lines_that_balance() {
    let mut world = funded().wallet("fee");
    world
        .when(post(vec![
            leg("ana", Debit, "10", "BRL"),
            leg("rui", Credit, "9", "BRL"),
            leg("fee", Credit, "1", "BRL"),
        ]))
        .unwrap();
    let original = world.last_transaction();
    let lines =
        |lines: &[(u16, &str)]| Extent::Lines(lines.iter().map(|(line, text)| (*line, (*text).into())).collect());
    assert_eq!(reverse(&mut world, original, amount("1")), Err(ValidationFailed));
    assert_eq!(reverse(&mut world, original, lines(&[(0, "1")])), Err(Unbalanced));
    assert_eq!(reverse(&mut world, original, lines(&[(0, "1"), (3, "1")])), Err(ValidationFailed));
    reverse(&mut world, original, lines(&[(0, "2"), (1, "1"), (2, "1")])).unwrap();
    assert_eq!(reverse(&mut world, original, lines(&[(0, "1"), (2, "1")])), Err(ReversalExceeds));
    assert_eq!(
        [world.then("ana"), world.then("rui"), world.then("fee")],
        ["92.00 0.00 0.00", "8.00 0.00 0.00", "0.00 0.00 0.00"]
    );
}

#[test]
fn a_reversal_respects_bounds() {
    let world = funded().moved("ana", "rui", "30.00");
    let original = world.last_transaction();
    let mut world = world.moved("rui", "bank", "25.00");
    assert_eq!(reverse(&mut world, original, Extent::All), Err(InsufficientFunds));
}
