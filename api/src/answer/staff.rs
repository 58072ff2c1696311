//! Members of the staff as they are answered: to a change with what it changed, for answers follow from their event alone.

use super::{Unreadable, facts, time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::staff::event::{self, StaffFactorChanged, StaffInvited, StaffRolesChanged, StaffSessionEnded};
use vintem_core::access::staff::{Member, Status};
use vintem_core::event_store::Recorded;

/// What a change made of a member; what it left alone is absent.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct StaffUser {
    /// Their id.
    pub id: Uuid,
    /// Their work name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ana.s")]
    pub login: Option<String>,
    /// Their roles.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["support"]))]
    pub roles: Option<Vec<String>>,
    /// `invited`, `active` or `suspended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "invited")]
    pub status: Option<&'static str>,
    /// When the invitation ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-04T12:00:00.000000Z")]
    pub invitation_expires_at: Option<String>,
    /// What opens the invitation. In the first answer only, and kept nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "vti_…")]
    pub invitation_token: Option<String>,
    #[serde(skip)]
    is_new: bool,
}

/// A member of the staff.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffMember {
    /// Their id.
    pub id: Uuid,
    /// Their work name.
    #[schema(example = "ana.s")]
    pub login: String,
    /// Their roles.
    #[schema(example = json!(["support"]))]
    pub roles: Vec<&'static str>,
    /// `invited`, `active` or `suspended`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// When they were invited first.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub invited_at: String,
    /// When the invitation that they have not accepted ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-04T12:00:00.000000Z")]
    pub invitation_expires_at: Option<String>,
}

/// A session that was ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionEnded {
    /// Which.
    pub id: Uuid,
    /// Whose it was.
    pub member: Uuid,
    /// Always `ended`.
    #[schema(example = "ended")]
    pub status: &'static str,
}

impl StaffUser {
    /// After the event that a change recorded.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let user = Self { id: recorded.stream, ..Self::default() };
        Ok(match &*recorded.kind {
            event::STAFF_INVITED => {
                let StaffInvited { login, roles, expires_at, .. } = facts(recorded)?;
                Self {
                    login: Some(login),
                    roles: Some(roles),
                    status: Some(Status::Invited.as_str()),
                    invitation_expires_at: Some(time(expires_at)),
                    is_new: true,
                    ..user
                }
            }
            event::STAFF_ROLES_CHANGED => {
                let StaffRolesChanged { roles } = facts(recorded)?;
                Self { roles: Some(roles), ..user }
            }
            event::STAFF_SUSPENDED => Self { status: Some(Status::Suspended.as_str()), ..user },
            event::STAFF_RESUMED => Self { status: Some(Status::Active.as_str()), ..user },
            event::STAFF_FACTOR_CHANGED => {
                let StaffFactorChanged { expires_at, .. } = facts(recorded)?;
                let status = expires_at.map(|_| Status::Invited.as_str());
                Self { status, invitation_expires_at: expires_at.map(time), ..user }
            }
            _ => return Err(Unreadable),
        })
    }

    /// Whether they were nobody before.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }
}

impl StaffMember {
    /// As of now.
    pub fn of(member: &Member) -> Self {
        Self {
            id: member.id,
            login: member.login.clone(),
            roles: member.roles.iter().map(|role| role.as_str()).collect(),
            status: member.status().as_str(),
            invited_at: time(member.invited_at),
            invitation_expires_at: member.invitation.map(|invitation| time(invitation.expires_at)),
        }
    }
}

impl SessionEnded {
    /// After the event.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let StaffSessionEnded { member } = facts(recorded)?;
        Ok(Self { id: recorded.stream, member, status: "ended" })
    }
}
