//! Assets and accounts.

use super::super::known::Side::Credit;
use super::*;
use crate::kernel::RefusalCode::*;
use crate::ledger::returns::{self, Returns};
use account::What;

#[test]
fn names_are_taken_once_per_asset() {
    let mut world = given().wallet("ana").account("ana", "PTS", Credit, None, None);
    assert_eq!(world.when(open("ana", "BRL", Credit, None, None)), Err(NameTaken));
    assert_eq!(world.when(open("Ana", "BRL", Credit, None, None)), Err(ValidationFailed));
    assert_eq!(world.when(open("eva", "XYZ", Credit, None, None)), Err(UnknownAsset));
    assert_eq!(world.when(open("eva", "BRL", Credit, Some("2"), Some("1"))), Err(ValidationFailed));
    assert_eq!(
        world.when(Command::Register(asset::Register { code: "BRL".into(), scale: 2, description: None })),
        Err(NameTaken)
    );
}

#[test]
fn nothing_moves_on_a_frozen_account_but_returns() {
    let hold = Uuid::from_u128(1);
    let mut world = given().bank("bank").wallet("ana").moved("bank", "ana", "10").held(hold, "ana", None, "4");
    world.change("ana", What::Freeze(None)).unwrap();
    assert_eq!(world.when(transfer("ana", "bank", "1")), Err(AccountFrozen));
    assert_eq!(world.when(transfer("bank", "ana", "1")), Err(AccountFrozen));
    assert_eq!(capture(&mut world, hold, amount("1"), Some("bank"), false), Err(AccountFrozen));
    world.when(Command::Release { hold }).unwrap();
    assert_eq!(world.then("ana"), "10.00 0.00 0.00");
    world.change("ana", What::Unfreeze).unwrap();
    world.when(transfer("ana", "bank", "1")).unwrap();
}

#[test]
fn switches_stop_one_direction() {
    let mut world = given().bank("bank").wallet("ana").moved("bank", "ana", "10");
    let switches = |sends, receives| {
        What::Limits(account::Limits { sends: Some(sends), receives: Some(receives), ..account::Limits::default() })
    };
    world.change("ana", switches(false, true)).unwrap();
    assert_eq!(world.when(transfer("ana", "bank", "1")), Err(AccountFrozen));
    world.when(transfer("bank", "ana", "1")).unwrap();
    world.change("ana", switches(true, false)).unwrap();
    assert_eq!(world.when(transfer("bank", "ana", "1")), Err(AccountFrozen));
    world.when(transfer("ana", "bank", "1")).unwrap();
}

#[test]
fn only_an_empty_account_closes_and_it_stays_closed() {
    let mut world = given().bank("bank").wallet("ana").moved("bank", "ana", "10");
    assert_eq!(world.change("ana", What::Close(None)), Err(InvalidState));
    let mut world = world.moved("ana", "bank", "10");
    world.change("ana", What::Close(None)).unwrap();
    assert_eq!(world.when(transfer("bank", "ana", "1")), Err(AccountClosed));
    assert_eq!(world.change("ana", What::Unfreeze), Err(AccountClosed));
}

#[test]
fn an_account_to_which_money_may_come_back_does_not_close() {
    let mut world = given().wallet("ana");
    let (account, _) = world.find("ana");
    let (beside, payment) = (returns::stream(TENANT, account), Uuid::from_u128(9));
    world.fact(Returns::fold(beside, &[]).with(payment).unwrap());
    for what in [What::Close(None), What::CloseOwn] {
        assert_eq!(world.change("ana", what), Err(InvalidState));
    }
    world.change("ana", What::Freeze(None)).unwrap();
    world.change("ana", What::Unfreeze).unwrap();
    let back = Returns::fold(beside, &world.streams()[&beside]).without(payment).unwrap();
    world.fact(back);
    world.change("ana", What::CloseOwn).unwrap();
}

#[test]
fn settings_can_be_changed_conditionally() {
    let mut world = given().wallet("ana");
    let (account, _) = world.find("ana");
    let freeze =
        |expected| Command::Change(account::Change { account, expected: Some(expected), what: What::Freeze(None) });
    assert_eq!(world.when(freeze(2)), Err(VersionMismatch));
    world.when(freeze(1)).unwrap();
}

#[test]
fn an_owner_stops_an_account_once_and_never_lifts_what_others_did() {
    let mut world = given().wallet("ana");
    world.change("ana", What::FreezeOwn(None)).unwrap();
    assert_eq!(world.change("ana", What::FreezeOwn(None)), Err(InvalidState));
    assert_eq!(world.change("ana", What::CloseOwn), Err(InvalidState));
    world.change("ana", What::Unfreeze).unwrap();
    world.change("ana", What::Freeze(None)).unwrap();
    assert_eq!(world.change("ana", What::FreezeOwn(None)), Err(InvalidState));
    world.change("ana", What::Unfreeze).unwrap();
    world.change("ana", What::CloseOwn).unwrap();
    assert_eq!(world.change("ana", What::FreezeOwn(None)), Err(AccountClosed));
}
