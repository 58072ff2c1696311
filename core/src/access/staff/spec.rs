//! What may become of a member, as given, when and then.

use super::event::FactorChange;
use super::invitation::Invitation;
use super::member::{Member, Status, change_factor, change_roles, invite, join, may_accept, reset, resume, suspend};
use crate::access::Role;
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
fn happen(history: &mut Vec<Recorded>, decision: Decision) {
    let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
    for event in proposal.events {
        assert_eq!(usize::try_from(event.expected).unwrap(), history.len());
        history.push(Recorded {
            position: i64::from(event.expected) + 1,
            tenant: TENANT,
            stream: event.stream,
            version: event.expected + 1,
            kind: event.kind.into(),
            payload: event.payload.into(),
            effective_at: None,
            recorded_at: DateTime::UNIX_EPOCH,
        });
    }
}

fn invited(roles: &[Role]) -> Vec<Recorded> {
    let mut history = Vec::new();
    happen(&mut history, invite(None, TENANT, &"ana.s".parse().unwrap(), roles, invitation(10)));
    history
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
    assert_eq!(now(&history).roles, [Role::Auditor, Role::Developer]);
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
    assert_eq!(refusal(invite(Some(&ana), TENANT, &login, &[Role::Support], invitation(11))), RefusalCode::NameTaken);
    let both = [Role::IamAdmin, Role::Operations];
    assert_eq!(refusal(invite(None, TENANT, &login, &both, invitation(11))), RefusalCode::RoleConflict);
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
