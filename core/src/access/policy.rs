//! Whether a caller may use a route: the one decision that the table of routes is read with.
//!
//! A route states a [`Policy`]; a caller brings a proof; [`Policy::admit`] answers with how far the caller sees, or why
//! not. Nothing else in the system decides about access, and what is not granted is refused.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::caller::{Caller, Proof, Scope, Standing};
use super::rights::{Object, Reach, Right, Verb};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everybody, without proof.
    Public,
    /// Every known caller; they see what is their own.
    Known,
    /// Every member of the staff, about themselves.
    Member,
    /// Every citizen, about what is theirs.
    Citizen,
    /// Every terminal, about what is its own.
    Terminal {
        /// Also one that shows the certificate before the one that is good.
        superseded: bool,
    },
    /// Who was granted it.
    Granted {
        /// The scope that lets a service client in; without one, none gets in.
        client: Option<Scope>,
        /// What lets a member of the staff in; without it, none gets in.
        staff: Option<Need>,
    },
}

/// What a member of the staff needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// What is done,
    pub verb: Verb,
    /// with what,
    pub object: Object,
    /// and the right that it takes besides, with a second factor shown minutes ago.
    pub right: Option<Right>,
}

/// Why a known caller may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The route is for others.
    #[error("this is not for callers of this kind")]
    Kind,
    /// A client lacks a scope.
    #[error("this needs the scope {}", .0.as_str())]
    Scope(Scope),
    /// A member lacks a grant.
    #[error("this needs the grant {}:{}", .0.as_str(), .1.as_str())]
    Grant(Verb, Object),
    /// A member lacks a right.
    #[error("this needs the right {}", .0.as_str())]
    Right(Right),
    /// The member's second factor was shown too long ago.
    #[error("this needs a second factor that was shown within the last minutes")]
    StepUp,
    /// The terminal has another certificate by now.
    #[error("another certificate has taken the place of this one")]
    Superseded,
    /// The member was granted others of the kind, and not this one: it looks as if it did not exist.
    #[error("this is not one of those that were granted")]
    NotYours,
}

impl Policy {
    /// For terminals.
    pub const TERMINAL: Self = Self::Terminal { superseded: false };

    /// For clients with a scope, and for staff with a grant.
    pub const fn granted(scope: Scope, verb: Verb, object: Object) -> Self {
        Self::Granted { client: Some(scope), staff: Some(Need { verb, object, right: None }) }
    }

    /// For clients with a scope only.
    pub const fn client(scope: Scope) -> Self {
        Self::Granted { client: Some(scope), staff: None }
    }

    /// For staff with a grant only.
    pub const fn staff(verb: Verb, object: Object) -> Self {
        Self::Granted { client: None, staff: Some(Need { verb, object, right: None }) }
    }

    /// The same, and staff need a right besides.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        match self {
            Self::Granted { client, staff: Some(Need { verb, object, .. }) } => {
                Self::Granted { client, staff: Some(Need { verb, object, right: Some(right) }) }
            }
            other => other,
        }
    }

    /// Lets a caller in, as far as it answers, or says why not. `target` is the id of the object in the path, if any.
    pub fn admit(self, caller: &Caller, target: Option<Uuid>, now: DateTime<Utc>) -> Result<Reach, Denied> {
        match (self, &caller.proof) {
            (Self::Public | Self::Known, _) | (Self::Member, Proof::Staff(_)) | (Self::Citizen, Proof::Citizen(_)) => {
                Ok(Reach::Own)
            }
            (Self::Granted { client: Some(scope), .. }, Proof::Client(scopes)) => {
                if scopes.contains(scope) {
                    Ok(Reach::All)
                } else {
                    Err(Denied::Scope(scope))
                }
            }
            (Self::Granted { staff: Some(need), .. }, Proof::Staff(standing)) => need.admit(standing, target, now),
            (Self::Terminal { superseded }, Proof::Terminal(session)) => {
                if superseded || !session.is_superseded {
                    Ok(Reach::Own)
                } else {
                    Err(Denied::Superseded)
                }
            }
            (Self::Member | Self::Citizen | Self::Terminal { .. } | Self::Granted { .. }, _) => Err(Denied::Kind),
        }
    }
}

impl Need {
    fn admit(self, standing: &Standing, target: Option<Uuid>, now: DateTime<Utc>) -> Result<Reach, Denied> {
        let Self { verb, object, right } = self;
        let granted = standing.grants.iter().filter(|grant| grant.verb == verb && grant.object == object);
        let mut reaches = granted.map(|grant| grant.reach).peekable();
        let has_some = reaches.peek().is_some();
        let fits = |reach: &Reach| !matches!(reach, Reach::One(id) if Some(*id) != target);
        let reach = match reaches.filter(fits).max() {
            Some(reach) => reach,
            None if has_some && target.is_some() => return Err(Denied::NotYours),
            None => return Err(Denied::Grant(verb, object)),
        };
        let Some(right) = right else { return Ok(reach) };
        if !standing.rights.contains(right) {
            return Err(Denied::Right(right));
        }
        if standing.fresh_until.is_none_or(|until| now >= until) {
            return Err(Denied::StepUp);
        }
        Ok(reach)
    }
}

#[cfg(test)]
mod tests {
    use super::super::caller::{CitizenSession, Scopes, TerminalSession};
    use super::super::rights::Grant;
    use super::super::role::Role;
    use super::*;
    use std::sync::Arc;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const FREEZE: Policy = Policy::granted(Scope::LedgerAdmin, Verb::Edit, Object::Account).with(Right::Freeze);
    const SHOW: Policy = Policy::granted(Scope::LedgerRead, Verb::View, Object::Account);

    fn client(scopes: &str) -> Caller {
        let proof = Proof::Client(Scopes::parse(scopes).unwrap());
        Caller { tenant: Uuid::from_u128(1), subject: Uuid::from_u128(2), proof }
    }

    fn member(roles: &[Role], grants: &[&str], fresh_until: Option<DateTime<Utc>>) -> Caller {
        let grants: Vec<Grant> = grants.iter().map(|text| text.parse().unwrap()).collect();
        let standing = Standing::new(Uuid::from_u128(3), roles, &grants, None, fresh_until);
        Caller { tenant: Uuid::from_u128(1), subject: Uuid::from_u128(4), proof: Proof::Staff(Arc::new(standing)) }
    }

    #[test]
    fn a_client_needs_exactly_the_scope() {
        assert_eq!(SHOW.admit(&client("ledger:read"), None, NOW), Ok(Reach::All));
        assert_eq!(SHOW.admit(&client("ledger:write"), None, NOW), Err(Denied::Scope(Scope::LedgerRead)));
        let staff_only = Policy::staff(Verb::View, Object::User);
        assert_eq!(staff_only.admit(&client("ledger:admin"), None, NOW), Err(Denied::Kind));
    }

    #[test]
    fn a_citizen_has_what_is_theirs_and_nothing_that_is_granted() {
        let session =
            CitizenSession { session: Uuid::from_u128(5), device: Uuid::from_u128(6), account: Uuid::from_u128(7) };
        let ana = Caller { tenant: Uuid::from_u128(1), subject: Uuid::from_u128(4), proof: Proof::Citizen(session) };
        assert_eq!(Policy::Citizen.admit(&ana, None, NOW), Ok(Reach::Own));
        assert_eq!(Policy::Known.admit(&ana, None, NOW), Ok(Reach::Own));
        for other in [SHOW, FREEZE, Policy::Member, Policy::client(Scope::LedgerRead)] {
            assert_eq!(other.admit(&ana, Some(session.account), NOW), Err(Denied::Kind), "{other:?}");
        }
        for other in [client("ledger:read"), member(&[Role::Support], &[], None)] {
            assert_eq!(Policy::Citizen.admit(&other, None, NOW), Err(Denied::Kind));
        }
    }

    #[test]
    fn a_terminal_has_what_is_its_own_and_with_an_old_certificate_less() {
        let till = |is_superseded| {
            let session = TerminalSession {
                terminal: Uuid::from_u128(9),
                service: Uuid::from_u128(10),
                unit: None,
                is_superseded,
            };
            Caller { tenant: Uuid::from_u128(1), subject: session.terminal, proof: Proof::Terminal(session) }
        };
        let renewal = Policy::Terminal { superseded: true };
        assert_eq!(Policy::TERMINAL.admit(&till(false), None, NOW), Ok(Reach::Own));
        assert_eq!(Policy::TERMINAL.admit(&till(true), None, NOW), Err(Denied::Superseded));
        assert_eq!(renewal.admit(&till(true), None, NOW), Ok(Reach::Own));
        for other in [SHOW, FREEZE, Policy::Member, Policy::Citizen, Policy::client(Scope::LedgerWrite)] {
            assert_eq!(other.admit(&till(false), None, NOW), Err(Denied::Kind), "{other:?}");
        }
        for other in [client("ledger:write"), member(&[Role::TerminalManager], &[], None)] {
            assert_eq!(renewal.admit(&other, None, NOW), Err(Denied::Kind));
        }
    }

    #[test]
    fn a_member_needs_the_grant_and_may_have_it_for_one_object() {
        let (one, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        assert_eq!(SHOW.admit(&member(&[Role::Support], &[], None), None, NOW), Ok(Reach::All));
        let narrow = member(&[], &[&format!("view:account:{one}")], None);
        assert_eq!(SHOW.admit(&narrow, Some(one), NOW), Ok(Reach::One(one)));
        assert_eq!(SHOW.admit(&narrow, Some(other), NOW), Err(Denied::NotYours));
        assert_eq!(SHOW.admit(&narrow, None, NOW), Err(Denied::Grant(Verb::View, Object::Account)));
        let clients_only = Policy::client(Scope::LedgerWrite);
        assert_eq!(clients_only.admit(&narrow, None, NOW), Err(Denied::Kind));
    }

    #[test]
    fn the_widest_reach_counts() {
        let policy = Policy::staff(Verb::Edit, Object::User);
        let both = member(&[], &["edit:user:own", "edit:user:below"], None);
        assert_eq!(policy.admit(&both, Some(Uuid::from_u128(9)), NOW), Ok(Reach::Below));
        let one = Uuid::from_u128(9);
        let besides = member(&[], &["edit:user:below", &format!("edit:user:{one}")], None);
        assert_eq!(policy.admit(&besides, Some(one), NOW), Ok(Reach::One(one)));
        assert_eq!(policy.admit(&besides, Some(Uuid::from_u128(8)), NOW), Ok(Reach::Below));
        assert_eq!(policy.admit(&besides, None, NOW), Ok(Reach::Below));
    }

    #[test]
    fn a_right_needs_a_fresh_second_factor() {
        let later = NOW + chrono::Duration::seconds(1);
        let who = |fresh| member(&[Role::Operations], &[], fresh);
        assert_eq!(FREEZE.admit(&who(Some(later)), None, NOW), Ok(Reach::All));
        assert_eq!(FREEZE.admit(&who(Some(NOW)), None, NOW), Err(Denied::StepUp));
        assert_eq!(FREEZE.admit(&who(None), None, NOW), Err(Denied::StepUp));
        let lacking = member(&[], &["edit:account"], Some(later));
        assert_eq!(FREEZE.admit(&lacking, None, NOW), Err(Denied::Right(Right::Freeze)));
        assert_eq!(FREEZE.admit(&client("ledger:admin"), None, NOW), Ok(Reach::All));
    }
}
