//! What may become of a member, as given, when and then.

use super::event::FactorChange;
use super::invitation::Invitation;
use super::member::{self, Change, Member, Position, Status, change_factor, invite, join, may_accept, reset};
use crate::access::{Grant, Role};
use crate::event_store::{Decision, Recorded};
use crate::kernel::RefusalCode;
use chrono::{DateTime, TimeDelta};
use uuid::Uuid;

const TENANT: Uuid = Uuid::from_u128(1);
const ADMIN: Uuid = Uuid::from_u128(2);

fn invitation(id: u128) -> Invitation {
    Invitation { id: Uuid::from_u128(id), expires_at: DateTime::UNIX_EPOCH + TimeDelta::hours(72) }
}

/// Does what was decided.
pub fn happen(history: &mut Vec<Recorded>, decision: Decision) {
    let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
    for event in proposal.events {
        assert_eq!(usize::try_from(event.expected).unwrap(), history.len());
        history.push(event.recorded(TENANT, DateTime::UNIX_EPOCH));
    }
}

fn of_roles(roles: &[Role]) -> Position {
    Position { roles: roles.to_vec(), ..Position::default() }
}

fn invited(roles: &[Role]) -> Vec<Recorded> {
    let mut history = Vec::new();
    happen(&mut history, invite(None, TENANT, &"ana.s".parse().unwrap(), &of_roles(roles), invitation(10)).unwrap());
    history
}

fn change(member: &Member, by: Uuid, change: &Change) -> Decision {
    member::change(member, by, change, &member.position.after(change)).unwrap()
}

fn change_roles(member: &Member, by: Uuid, roles: &[Role]) -> Decision {
    change(member, by, &Change::Roles(roles.to_vec()))
}

fn suspend(member: &Member, by: Uuid) -> Decision {
    change(member, by, &Change::Suspend)
}

fn resume(member: &Member, by: Uuid) -> Decision {
    change(member, by, &Change::Resume)
}

fn refusal(decision: Decision) -> RefusalCode {
    let Decision::Refuse(refusal, _) = decision else { panic!("{decision:?}") };
    refusal.code
}

fn now(history: &[Recorded]) -> Member {
    Member::fold(history).unwrap()
}

#[test]
fn a_member_is_proven_by_what_the_last_invitation_enrolled() {
    let mut history = invited(&[Role::Support]);
    let at = DateTime::UNIX_EPOCH;
    assert_eq!((now(&history).status(), now(&history).login.as_str()), (Status::Invited, "ana.s"));
    assert!(may_accept(&now(&history), Uuid::from_u128(10), at) && !now(&history).is_proven_by(Uuid::from_u128(10)));
    let joined = join(&now(&history), Uuid::from_u128(10));
    happen(&mut history, joined);
    assert!(now(&history).is_proven_by(Uuid::from_u128(10)) && now(&history).may_use_session_of(2));
    assert!(!may_accept(&now(&history), Uuid::from_u128(10), at), "once");
    let anew = reset(&now(&history), Some(ADMIN), invitation(11));
    happen(&mut history, anew);
    assert!(!now(&history).is_proven_by(Uuid::from_u128(10)) && !now(&history).may_use_session_of(2));
    assert!(
        may_accept(&now(&history), Uuid::from_u128(11), at) && !may_accept(&now(&history), Uuid::from_u128(10), at)
    );
}

#[test]
fn sessions_end_with_a_suspension_and_a_new_password_and_not_with_other_roles() {
    let mut history = invited(&[Role::Support]);
    let joined = join(&now(&history), Uuid::from_u128(10));
    happen(&mut history, joined);
    let roles = change_roles(&now(&history), ADMIN, &[Role::Auditor, Role::Developer]);
    happen(&mut history, roles);
    let codes = change_factor(&now(&history), FactorChange::RecoveryCodes);
    happen(&mut history, codes);
    assert!(now(&history).may_use_session_of(2));
    assert_eq!(now(&history).position.roles, [Role::Auditor, Role::Developer]);
    let password = change_factor(&now(&history), FactorChange::Password);
    happen(&mut history, password);
    assert!(!now(&history).may_use_session_of(4) && now(&history).may_use_session_of(5));
    let out = suspend(&now(&history), ADMIN);
    happen(&mut history, out);
    assert!(!now(&history).may_use_session_of(5) && now(&history).status() == Status::Suspended);
    assert!(matches!(suspend(&now(&history), ADMIN), Decision::Already(_)));
    let back = resume(&now(&history), ADMIN);
    happen(&mut history, back);
    assert!(!now(&history).may_use_session_of(5) && now(&history).may_use_session_of(7));
    assert_eq!(refusal(resume(&now(&history), ADMIN)), RefusalCode::InvalidState);
}

#[test]
fn what_must_not_be_is_refused() {
    let history = invited(&[Role::IamAdmin]);
    let (ana, login) = (now(&history), "ana.s".parse().unwrap());
    assert_eq!(
        refusal(invite(Some(&ana), TENANT, &login, &of_roles(&[Role::Support]), invitation(11)).unwrap()),
        RefusalCode::NameTaken
    );
    let both = [Role::IamAdmin, Role::Operations];
    assert_eq!(
        refusal(invite(None, TENANT, &login, &of_roles(&both), invitation(11)).unwrap()),
        RefusalCode::RoleConflict
    );
    let nothing = invite(None, TENANT, &login, &Position::default(), invitation(11)).unwrap_err();
    assert_eq!(nothing.code, RefusalCode::ValidationFailed);
    let administers =
        Position { roles: vec![Role::Operations], grants: vec!["edit:user:unit".parse().unwrap()], unit: None };
    assert_eq!(refusal(invite(None, TENANT, &login, &administers, invitation(11)).unwrap()), RefusalCode::RoleConflict);
    assert_eq!(refusal(change_roles(&ana, ADMIN, &both)), RefusalCode::RoleConflict);
    for own in [
        change_roles(&ana, ana.id, &[Role::Support]),
        suspend(&ana, ana.id),
        resume(&ana, ana.id),
        reset(&ana, Some(ana.id), invitation(11)),
    ] {
        assert_eq!(refusal(own), RefusalCode::InvalidState);
    }
}

#[test]
fn a_stream_of_something_else_is_no_member() {
    let mut history = invited(&[Role::Support]);
    history[0].kind = "client.created".into();
    assert!(Member::fold(&history).is_none() && Member::fold(&[]).is_none());
}

#[test]
fn grants_and_unit_come_with_the_invitation_and_change() {
    let mut history = Vec::new();
    let (market, grants) = (Uuid::from_u128(20), vec!["view:account:own".parse::<Grant>()]);
    assert!(grants[0].is_err(), "accounts belong to nobody");
    let position = Position { roles: Vec::new(), grants: vec!["view:user:below".parse().unwrap()], unit: Some(market) };
    happen(&mut history, invite(None, TENANT, &"ana.s".parse().unwrap(), &position, invitation(10)).unwrap());
    assert_eq!(now(&history).position, position);
    let grants = vec!["view:user:unit".parse().unwrap(), format!("view:account:{market}").parse().unwrap()];
    let given = change(&now(&history), ADMIN, &Change::Grants(grants.clone()));
    happen(&mut history, given);
    let gone = change(&now(&history), ADMIN, &Change::Unit(None));
    happen(&mut history, gone);
    assert_eq!(now(&history).position, Position { roles: Vec::new(), grants, unit: None });
    let nothing = Change::Grants(Vec::new());
    let left = member::change(&now(&history), ADMIN, &nothing, &now(&history).position.after(&nothing));
    assert_eq!(left.unwrap_err().code, RefusalCode::ValidationFailed);
}
