//! A member: what the stream says, and what may become of it. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::event::{self, FactorChange};
use super::invitation::Invitation;
use super::login::Login;
use crate::access::{Role, check_together};
use crate::event_store::proposal::{EntryKind, NewEvent, StreamVersion};
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

/// A member of the staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who: the stream.
    pub id: Uuid,
    /// The work name.
    pub login: String,
    /// What they are.
    pub roles: Vec<Role>,
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
        let invited: event::StaffInvited = read(first)?;
        let mut member = Self {
            id: first.stream,
            roles: known(&invited.roles),
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
                self.enrolled_by = Some(read::<event::StaffJoined>(recorded)?.invitation);
                self.invitation = None;
            }
            event::STAFF_ROLES_CHANGED => self.roles = known(&read::<event::StaffRolesChanged>(recorded)?.roles),
            event::STAFF_SUSPENDED => {
                self.is_suspended = true;
                self.sessions_from = recorded.version;
            }
            event::STAFF_RESUMED => self.is_suspended = false,
            event::STAFF_FACTOR_CHANGED => {
                let changed: event::StaffFactorChanged = read(recorded)?;
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
        propose(vec![fact(self.id, self.version, kind, says)])
    }
}

/// Decides an invitation. `existing` is who has the login.
pub fn invite(
    existing: Option<&Member>,
    tenant: Uuid,
    login: &Login,
    roles: &[Role],
    invitation: Invitation,
) -> Decision {
    if let Some(member) = existing {
        let detail = "a member has this login; to invite them anew, reset them";
        return member.refuse(RefusalCode::NameTaken, detail);
    }
    if let Err(conflict) = check_together(roles, &[]) {
        return Decision::Refuse(
            Refusal::new(RefusalCode::RoleConflict, conflict.to_string()).at("/roles"),
            Vec::new(),
        );
    }
    let says = event::StaffInvited {
        login: login.as_str().to_owned(),
        roles: names(roles),
        invitation: invitation.id,
        expires_at: invitation.expires_at,
    };
    propose(vec![fact(login.member(tenant), 0, event::STAFF_INVITED, &says)])
}

/// Decides that an invitation was accepted.
pub fn join(member: &Member, invitation: Uuid) -> Decision {
    member.propose(event::STAFF_JOINED, &event::StaffJoined { invitation })
}

/// Decides other roles.
pub fn change_roles(member: &Member, by: Uuid, roles: &[Role]) -> Decision {
    if member.id == by {
        return own(member);
    }
    if let Err(conflict) = check_together(roles, &[]) {
        return Decision::Refuse(
            Refusal::new(RefusalCode::RoleConflict, conflict.to_string()).at("/roles"),
            Vec::new(),
        );
    }
    member.propose(event::STAFF_ROLES_CHANGED, &event::StaffRolesChanged { roles: names(roles) })
}

/// Decides to shut a member out. Their sessions end with it.
pub fn suspend(member: &Member, by: Uuid) -> Decision {
    match (member.id == by, member.is_suspended && member.last.kind == event::STAFF_SUSPENDED) {
        (true, _) => own(member),
        (false, true) => member.already(),
        (false, false) if member.is_suspended => member.refuse(RefusalCode::InvalidState, "the member is suspended"),
        (false, false) => member.propose(event::STAFF_SUSPENDED, &event::StaffSuspended {}),
    }
}

/// Decides to let a member back in.
pub fn resume(member: &Member, by: Uuid) -> Decision {
    if member.id == by {
        return own(member);
    }
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
    let signed_in = fact(session, 0, event::STAFF_SIGNED_IN, &event::StaffSignedIn { member, seen });
    let mut events = vec![NewEvent { fresh: true, ..signed_in }];
    if let Some(left) = recovery_codes_left {
        let says = event::StaffRecoveryCodeUsed { member, left };
        events.push(fact(session, 1, event::STAFF_RECOVERY_CODE_USED, &says));
    }
    propose(events)
}

/// Decides the end of a session, of whose stream this is the last event.
pub fn end_session(last: &Recorded, member: Uuid) -> Decision {
    if last.kind == event::STAFF_SESSION_ENDED {
        return Decision::Already(Applied { events: vec![last.clone()], entries: Vec::new() });
    }
    let says = event::StaffSessionEnded { member };
    propose(vec![fact(last.stream, last.version, event::STAFF_SESSION_ENDED, &says)])
}

/// The fact that somebody has to wait.
pub fn sign_in_refused(stream: Uuid, member: Uuid, failures: i32, pause_seconds: i64) -> Decision {
    let says = event::StaffSignInRefused { member, failures, pause_seconds };
    propose(vec![NewEvent { fresh: true, ..fact(stream, 0, event::STAFF_SIGN_IN_REFUSED, &says) }])
}

/// Nobody gives themselves rights, and no administrator locks the tenant out by shutting out themselves.
fn own(member: &Member) -> Decision {
    member.refuse(RefusalCode::InvalidState, "nobody changes this about themselves; another administrator can")
}

fn propose(events: Vec<NewEvent>) -> Decision {
    Decision::Propose(Proposal { events, ..Proposal::default() })
}

fn fact(stream: Uuid, expected: i32, kind: &'static str, says: &impl Serialize) -> NewEvent {
    NewEvent {
        stream,
        expected,
        fresh: false,
        kind,
        // Structs of strings and numbers always serialise.
        payload: serde_json::to_string(says).unwrap_or_default(),
        effective_at: None,
        entry_kind: EntryKind::Posting,
        moves: Vec::new(),
        settings: None,
    }
}

/// A role that this version does not know grants nothing.
fn known(names: &[String]) -> Vec<Role> {
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

fn names(roles: &[Role]) -> Vec<String> {
    roles.iter().map(|role| role.as_str().to_owned()).collect()
}

fn read<T: DeserializeOwned>(recorded: &Recorded) -> Option<T> {
    serde_json::from_str(&recorded.payload).ok()
}

/// Whether an invitation is the one that counts now.
pub fn may_accept(member: &Member, invitation: Uuid, now: DateTime<Utc>) -> bool {
    !member.is_suspended && member.invitation.is_some_and(|own| own.admits(invitation, now))
}
