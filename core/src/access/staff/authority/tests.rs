//! Whom each reach covers, and what nobody gives away, as tables.

use super::super::invitation::Invitation;
use super::super::spec::happen;
use super::*;
use crate::event_store::Recorded;
use chrono::DateTime;

const TENANT: Uuid = Uuid::from_u128(1);
const TOWN: Uuid = Uuid::from_u128(10);
const MARKET: Uuid = Uuid::from_u128(11);
const HARBOUR: Uuid = Uuid::from_u128(12);
const BY: Uuid = Uuid::from_u128(20);
const ACCOUNT: Uuid = Uuid::from_u128(30);

/// Market stands in Town, and Harbour apart.
fn units() -> Units {
    let mut history: Vec<Recorded> = Vec::new();
    for (id, name, parent) in [(TOWN, "Town", None), (MARKET, "Market", Some(TOWN)), (HARBOUR, "Harbour", None)] {
        let decision = Units::fold(TENANT, &history).unwrap().create(id, &name.parse().unwrap(), parent).unwrap();
        happen(&mut history, decision);
    }
    Units::fold(TENANT, &history).unwrap()
}

fn grants(texts: &[&str]) -> Vec<Grant> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn position(roles: &[Role], texts: &[&str], unit: Option<Uuid>) -> Position {
    Position { roles: roles.to_vec(), grants: grants(texts), unit }
}

fn member(position: &Position) -> Member {
    let invitation = Invitation { id: Uuid::from_u128(40), expires_at: DateTime::UNIX_EPOCH };
    let mut history = Vec::new();
    let decision = member::invite(None, TENANT, &"ana.s".parse().unwrap(), position, invitation).unwrap();
    happen(&mut history, decision);
    Member::fold(&history).unwrap()
}

/// Somebody of Town, who came in by a grant of that reach.
fn authority(reach: Reach, roles: &[Role], texts: &[&str]) -> Authority {
    let standing = Standing::new(Uuid::nil(), roles, &grants(texts), Some(TOWN), None);
    Authority::new(BY, Arc::new(standing), reach, units())
}

fn refused_at(result: Result<(), StaffError>) -> String {
    match result {
        Err(StaffError::MoreThanHeld(pointer)) => pointer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_reach_covers_its_members() {
    let of = |unit| member(&position(&[Role::Support], &[], unit));
    let (town, market, harbour, nowhere) = (of(Some(TOWN)), of(Some(MARKET)), of(Some(HARBOUR)), of(None));
    for (reach, covered) in [
        (Reach::All, [true, true, true, true]),
        (Reach::Below, [true, true, false, false]),
        (Reach::Unit, [true, false, false, false]),
        (Reach::Own, [false, false, false, false]),
        (Reach::One(Uuid::max()), [false, false, false, false]),
        (Reach::One(town.id), [true, true, true, true]),
    ] {
        let authority = authority(reach, &[], &[]);
        assert_eq!([&town, &market, &harbour, &nowhere].map(|who| authority.covers(who.id, who)), covered, "{reach:?}");
    }
    // Whoever belongs nowhere reaches nobody by units, and not those who belong nowhere either.
    let nowhere_too = Standing::new(Uuid::nil(), &[], &[], None, None);
    let authority = Authority::new(BY, Arc::new(nowhere_too), Reach::Below, units());
    assert!(!authority.covers(nowhere.id, &nowhere) && !authority.covers(town.id, &town));
}

#[test]
fn who_administers_a_unit_gives_what_they_hold_and_in_their_unit() {
    let held = ["create:user:below", "edit:user:below", &format!("view:account:{ACCOUNT}")];
    let below = authority(Reach::Below, &[Role::Support], &held);
    let invites = |position: &Position| below.check_invitation(position);
    assert!(invites(&position(&[Role::Support], &held, Some(MARKET))).is_ok());
    assert!(invites(&position(&[], &["edit:user:unit", "edit:user:own"], Some(TOWN))).is_ok());
    for (wanted, pointer) in [
        (position(&[Role::Support], &[], Some(HARBOUR)), "/unit"),
        (position(&[Role::Support], &[], None), "/unit"),
        (position(&[Role::Support, Role::Auditor], &[], Some(TOWN)), "/roles/1"),
        (position(&[Role::IamAdmin], &[], Some(TOWN)), "/roles/0"),
        (position(&[], &["edit:user:unit", "edit:user"], Some(TOWN)), "/grants/1"),
        (position(&[], &["delete:session:unit"], Some(TOWN)), "/grants/0"),
        (position(&[], &[&format!("edit:account:{ACCOUNT}")], Some(TOWN)), "/grants/0"),
    ] {
        assert_eq!(refused_at(invites(&wanted)), pointer, "{wanted:?}");
    }
    let unknown = invites(&position(&[Role::Support], &[], Some(Uuid::max())));
    assert!(matches!(unknown, Err(StaffError::Refused(refusal)) if refusal.code == RefusalCode::ValidationFailed));
}

#[test]
fn nobody_decides_about_whoever_holds_more() {
    let below = authority(Reach::Below, &[Role::Support], &["edit:user:below"]);
    let peer = member(&position(&[Role::Support], &[], Some(MARKET)));
    assert!(below.decide(&peer, &Change::Suspend).is_ok());
    for more in [position(&[Role::Auditor], &[], Some(MARKET)), position(&[], &["edit:user"], Some(MARKET))] {
        let member = member(&more);
        assert!(matches!(below.check_over(&member), Err(StaffError::HoldsMore)), "{more:?}");
        assert!(matches!(below.decide(&member, &Change::Suspend), Err(StaffError::HoldsMore)), "{more:?}");
    }
    let elsewhere = member(&position(&[Role::Support], &[], Some(HARBOUR)));
    assert!(
        matches!(below.check_over(&elsewhere), Err(StaffError::Refused(refusal)) if refusal.code == RefusalCode::NotFound)
    );
    // Out of one's own unit nobody is sent, nor brought into another one.
    assert!(matches!(below.decide(&peer, &Change::Unit(Some(HARBOUR))), Err(StaffError::MoreThanHeld(_))));
    assert!(below.decide(&peer, &Change::Unit(Some(TOWN))).is_ok());
}

#[test]
fn an_administrator_of_all_gives_any_role_and_of_grants_what_they_hold() {
    let all = authority(Reach::All, &[Role::IamAdmin], &[]);
    assert!(all.check_invitation(&position(&[Role::TreasuryMaker], &[], None)).is_ok());
    assert!(all.check_invitation(&position(&[], &["edit:user:below"], Some(HARBOUR))).is_ok());
    let account = format!("view:account:{ACCOUNT}");
    assert_eq!(refused_at(all.check_invitation(&position(&[], &[&account], None))), "/grants/0");
    // What somebody had before is not given, and may stay.
    let had = member(&position(&[], &[&account], None));
    let keeps = Change::Grants(grants(&[&account, "view:user:own"]));
    assert!(all.decide(&had, &keeps).is_ok());
    assert!(all.decide(&had, &Change::Unit(Some(TOWN))).is_ok());
    assert!(all.check_over(&had).is_ok());
}
