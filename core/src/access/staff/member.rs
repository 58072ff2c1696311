//! A member: what the stream says, and what may become of it. Pure.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::event::{self, FactorChange};
use super::invitation::Invitation;
use super::login::Login;
use crate::access::{Grant, Role, check_together};
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Applied, Decision, Proposal, Recorded};
use crate::kernel::{Instant, Refusal, RefusalCode};

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Has an invitation and has not enrolled.
    Invited,
    /// May sign in.
    Active,
    /// May not, until resumed.
    Suspended,
}

impl Status {
    /// As answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// What a member is, or is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// The roles.
    pub roles: Vec<Role>,
    /// Single grants besides.
    pub grants: Vec<Grant>,
    /// Where the member belongs.
    pub unit: Option<Uuid>,
}

/// What may be decided about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// All roles from then on.
    Roles(Vec<Role>),
    /// All single grants from then on.
    Grants(Vec<Grant>),
    /// Where they belong.
    Unit(Option<Uuid>),
    /// They are out.
    Suspend,
    /// They are back.
    Resume,
}

impl Position {
    /// What a change leaves of it.
    #[must_use]
    pub fn after(&self, change: &Change) -> Self {
        let mut after = self.clone();
        match change {
            Change::Roles(roles) => after.roles.clone_from(roles),
            Change::Grants(grants) => after.grants.clone_from(grants),
            Change::Unit(unit) => after.unit = *unit,
            Change::Suspend | Change::Resume => {}
        }
        after
    }

    /// Refuses a member who may do nothing; that would be a mistake.
    fn check(&self) -> Result<(), Refusal> {
        let is_empty = self.roles.is_empty() && self.grants.is_empty();
        let detail = "a member has at least one role or grant";
        if is_empty { Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/roles")) } else { Ok(()) }
    }

    /// What must not meet in one person.
    fn conflict(&self, pointer: &str) -> Option<Decision> {
        let conflict = check_together(&self.roles, &self.grants).err()?;
        Some(Decision::Refuse(Refusal::new(RefusalCode::RoleConflict, conflict.to_string()).at(pointer), Vec::new()))
    }
}

/// A member of the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who: the stream.
    pub id: Uuid,
    /// The work name.
    pub login: String,
    /// What they are.
    pub position: Position,
    /// When they were invited first.
    pub invited_at: Instant,
    /// The invitation that may be accepted.
    pub invitation: Option<Invitation>,
    /// The invitation by which what they prove themselves with was enrolled.
    pub enrolled_by: Option<Uuid>,
    /// Whether they are out.
    pub is_suspended: bool,
    /// How many events there are.
    pub version: i32,
    /// Sessions that were opened before this version are over.
    sessions_from: i32,
    last: Recorded,
}

impl Member {
    /// Folds a stream; `None` when it is not a member's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        if first.kind != event::STAFF_INVITED {
            return None;
        }
        let invited: event::StaffInvited = first.says()?;
        let mut member = Self {
            id: first.stream,
            position: Position { roles: known(&invited.roles), grants: known(&invited.grants), unit: invited.unit },
            invitation: Some(Invitation { id: invited.invitation, expires_at: invited.expires_at }),
            login: invited.login,
            invited_at: first.recorded_at,
            enrolled_by: None,
            is_suspended: false,
            version: last.version,
            sessions_from: 0,
            last: last.clone(),
        };
        events[1..].iter().try_for_each(|recorded| member.evolve(recorded))?;
        Some(member)
    }

    /// Kinds of later versions change nothing that this one knows.
    fn evolve(&mut self, recorded: &Recorded) -> Option<()> {
        match &*recorded.kind {
            event::STAFF_JOINED => {
                self.enrolled_by = Some(recorded.says::<event::StaffJoined>()?.invitation);
                self.invitation = None;
            }
            event::STAFF_ROLES_CHANGED => {
                self.position.roles = known(&recorded.says::<event::StaffRolesChanged>()?.roles);
            }
            event::STAFF_GRANTS_CHANGED => {
                self.position.grants = known(&recorded.says::<event::StaffGrantsChanged>()?.grants);
            }
            event::STAFF_UNIT_CHANGED => self.position.unit = recorded.says::<event::StaffUnitChanged>()?.unit,
            event::STAFF_SUSPENDED => {
                self.is_suspended = true;
                self.sessions_from = recorded.version;
            }
            event::STAFF_RESUMED => self.is_suspended = false,
            event::STAFF_FACTOR_CHANGED => {
                let changed: event::StaffFactorChanged = recorded.says()?;
                if changed.what != FactorChange::RecoveryCodes {
                    self.sessions_from = recorded.version;
                }
                if let (FactorChange::Reset, Some(id), Some(expires_at)) =
                    (changed.what, changed.invitation, changed.expires_at)
                {
                    self.enrolled_by = None;
                    self.invitation = Some(Invitation { id, expires_at });
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Where they stand.
    pub fn status(&self) -> Status {
        match (self.is_suspended, self.enrolled_by) {
            (true, _) => Status::Suspended,
            (false, None) => Status::Invited,
            (false, Some(_)) => Status::Active,
        }
    }

    /// Whether what was enrolled by this invitation still proves them.
    pub fn is_proven_by(&self, enrolled_by: Uuid) -> bool {
        self.status() == Status::Active && self.enrolled_by == Some(enrolled_by)
    }

    /// Whether a session that was opened at a version of the stream may be used.
    pub fn may_use_session_of(&self, version: i32) -> bool {
        self.status() == Status::Active && version >= self.sessions_from
    }

    fn at(&self) -> Vec<StreamVersion> {
        vec![StreamVersion { stream: self.id, version: self.version }]
    }

    fn refuse(&self, code: RefusalCode, detail: &str) -> Decision {
        Decision::Refuse(Refusal::new(code, detail), self.at())
    }

    /// What was asked for is so already: the answer is the one of the event that made it so.
    fn already(&self) -> Decision {
        Decision::Already(Applied { events: vec![self.last.clone()], entries: Vec::new() })
    }

    fn propose(&self, kind: &'static str, says: &impl Serialize) -> Decision {
        propose_fact(self.id, self.version, kind, says)
    }
}

/// Decides an invitation. `existing` is who has the login.
pub fn invite(
    existing: Option<&Member>,
    tenant: Uuid,
    login: &Login,
    position: &Position,
    invitation: Invitation,
) -> Result<Decision, Refusal> {
    position.check()?;
    if let Some(member) = existing {
        let detail = "a member has this login; to invite them anew, reset them";
        return Ok(member.refuse(RefusalCode::NameTaken, detail));
    }
    if let Some(refused) = position.conflict("/roles") {
        return Ok(refused);
    }
    let says = event::StaffInvited {
        login: login.as_str().to_owned(),
        roles: names(&position.roles),
        grants: names(&position.grants),
        unit: position.unit,
        invitation: invitation.id,
        expires_at: invitation.expires_at,
    };
    Ok(propose_fact(login.member(tenant), 0, event::STAFF_INVITED, &says))
}

/// Decides that an invitation was accepted.
pub fn join(member: &Member, invitation: Uuid) -> Decision {
    member.propose(event::STAFF_JOINED, &event::StaffJoined { invitation })
}

/// Decides a change, and what it would leave of the member's position.
pub fn change(member: &Member, by: Uuid, change: &Change, after: &Position) -> Result<Decision, Refusal> {
    if member.id == by {
        return Ok(own(member));
    }
    after.check()?;
    Ok(match change {
        Change::Roles(roles) => after.conflict("/roles").unwrap_or_else(|| {
            member.propose(event::STAFF_ROLES_CHANGED, &event::StaffRolesChanged { roles: names(roles) })
        }),
        Change::Grants(grants) => after.conflict("/grants").unwrap_or_else(|| {
            member.propose(event::STAFF_GRANTS_CHANGED, &event::StaffGrantsChanged { grants: names(grants) })
        }),
        Change::Unit(unit) => member.propose(event::STAFF_UNIT_CHANGED, &event::StaffUnitChanged { unit: *unit }),
        Change::Suspend => suspend(member),
        Change::Resume => resume(member),
    })
}

/// Decides to shut a member out. Their sessions end with it.
fn suspend(member: &Member) -> Decision {
    match (member.is_suspended, &*member.last.kind == event::STAFF_SUSPENDED) {
        (true, true) => member.already(),
        (true, false) => member.refuse(RefusalCode::InvalidState, "the member is suspended"),
        (false, _) => member.propose(event::STAFF_SUSPENDED, &event::StaffSuspended {}),
    }
}

/// Decides to let a member back in.
fn resume(member: &Member) -> Decision {
    if !member.is_suspended {
        return member.refuse(RefusalCode::InvalidState, "the member is not suspended");
    }
    member.propose(event::STAFF_RESUMED, &event::StaffResumed {})
}

/// Decides to take away everything that a member proves themselves with, and to invite them anew.
pub fn reset(member: &Member, by: Option<Uuid>, invitation: Invitation) -> Decision {
    if by == Some(member.id) {
        return own(member);
    }
    let says = event::StaffFactorChanged {
        what: FactorChange::Reset,
        invitation: Some(invitation.id),
        expires_at: Some(invitation.expires_at),
    };
    member.propose(event::STAFF_FACTOR_CHANGED, &says)
}

/// Decides that a member has another password, or other recovery codes.
pub fn change_factor(member: &Member, what: FactorChange) -> Decision {
    let says = event::StaffFactorChanged { what, invitation: None, expires_at: None };
    member.propose(event::STAFF_FACTOR_CHANGED, &says)
}

/// The facts of a sign-in, in the session's stream.
pub fn sign_in(session: Uuid, member: Uuid, seen: Option<String>, recovery_codes_left: Option<i64>) -> Decision {
    let signed_in = NewEvent::fact(session, 0, event::STAFF_SIGNED_IN, &event::StaffSignedIn { member, seen });
    let mut events = vec![NewEvent { fresh: true, ..signed_in }];
    if let Some(left) = recovery_codes_left {
        let says = event::StaffRecoveryCodeUsed { member, left };
        events.push(NewEvent::fact(session, 1, event::STAFF_RECOVERY_CODE_USED, &says));
    }
    propose(events)
}

/// Decides the end of a session, of whose stream this is the last event.
pub fn end_session(last: &Recorded, member: Uuid) -> Decision {
    if last.kind == event::STAFF_SESSION_ENDED {
        return Decision::Already(Applied { events: vec![last.clone()], entries: Vec::new() });
    }
    let says = event::StaffSessionEnded { member };
    propose(vec![NewEvent::fact(last.stream, last.version, event::STAFF_SESSION_ENDED, &says)])
}

/// The fact that somebody has to wait.
pub fn sign_in_refused(stream: Uuid, member: Uuid, failures: i32, pause_seconds: i64) -> Decision {
    let says = event::StaffSignInRefused { member, failures, pause_seconds };
    propose(vec![NewEvent { fresh: true, ..NewEvent::fact(stream, 0, event::STAFF_SIGN_IN_REFUSED, &says) }])
}

/// Nobody gives themselves rights, and no administrator locks the tenant out by shutting out themselves.
fn own(member: &Member) -> Decision {
    member.refuse(RefusalCode::InvalidState, "nobody changes this about themselves; another administrator can")
}

/// A decision that is one fact.
pub(super) fn propose_fact(stream: Uuid, expected: i32, kind: &'static str, says: &impl Serialize) -> Decision {
    propose(vec![NewEvent::fact(stream, expected, kind, says)])
}

fn propose(events: Vec<NewEvent>) -> Decision {
    Decision::Propose(Proposal { events, ..Proposal::default() })
}

/// A role or grant that this version does not know grants nothing.
fn known<T: FromStr>(names: &[String]) -> Vec<T> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn names(all: &[impl ToString]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// Whether an invitation is the one that counts now.
pub fn may_accept(member: &Member, invitation: Uuid, now: DateTime<Utc>) -> bool {
    !member.is_suspended && member.invitation.is_some_and(|own| own.admits(invitation, now))
}
