//! Members of the staff as they are answered: to a change with what it changed, for answers follow from their event alone.

use super::{Unreadable, facts, time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::staff::event::{
    self, StaffFactorChanged, StaffGrantsChanged, StaffInvited, StaffRolesChanged, StaffSessionEnded, StaffUnitChanged,
    UnitDescribed,
};
use vintem_core::access::staff::{Member, Status, Unit};
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
    /// Their single grants besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["view:user:below"]))]
    pub grants: Option<Vec<String>>,
    /// Where they belong; null is to no unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub unit: Option<Option<Uuid>>,
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
    /// Their single grants besides.
    #[schema(example = json!(["view:user:below"]))]
    pub grants: Vec<String>,
    /// Where they belong; absent is to no unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
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

/// A unit, as it is from then on.
#[derive(Debug, Serialize, ToSchema)]
pub struct StaffUnit {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    #[schema(example = "Market hall")]
    pub name: String,
    /// The unit that it is part of; absent is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Uuid>,
    #[serde(skip)]
    is_new: bool,
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
                let StaffInvited { login, roles, grants, unit, expires_at, .. } = facts(recorded)?;
                Self {
                    login: Some(login),
                    roles: Some(roles),
                    grants: (!grants.is_empty()).then_some(grants),
                    unit: unit.map(Some),
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
            event::STAFF_GRANTS_CHANGED => {
                let StaffGrantsChanged { grants } = facts(recorded)?;
                Self { grants: Some(grants), ..user }
            }
            event::STAFF_UNIT_CHANGED => {
                let StaffUnitChanged { unit } = facts(recorded)?;
                Self { unit: Some(unit), ..user }
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
            roles: member.position.roles.iter().map(|role| role.as_str()).collect(),
            grants: member.position.grants.iter().map(ToString::to_string).collect(),
            unit: member.position.unit,
            status: member.status().as_str(),
            invited_at: time(member.invited_at),
            invitation_expires_at: member.invitation.map(|invitation| time(invitation.expires_at)),
        }
    }
}

impl StaffUnit {
    /// As of now.
    pub fn of(id: Uuid, unit: &Unit) -> Self {
        Self { id, name: unit.name.clone(), parent: unit.parent, is_new: false }
    }

    /// After the event.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let UnitDescribed { unit, name, parent } = facts(recorded)?;
        Ok(Self { id: unit, name, parent, is_new: &*recorded.kind == event::UNIT_CREATED })
    }

    /// Whether it was not there before.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }
}

impl SessionEnded {
    /// After the event.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let StaffSessionEnded { member } = facts(recorded)?;
        Ok(Self { id: recorded.stream, member, status: "ended" })
    }
}
