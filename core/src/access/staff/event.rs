//! The facts of the staff as they stand in payloads. No secret, no digest of one, nobody's name; an address only sealed.
//!
//! What a member is stands in the member's stream; what a session is, in the session's; a refusal has a stream of its own,
//! so that whoever tries passwords out never waits for, or holds up, anything about the member.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A member is to join; begins the member's stream.
pub const STAFF_INVITED: &str = "staff.invited";
/// A member has a password, a device and recovery codes.
pub const STAFF_JOINED: &str = "staff.joined";
/// A member has other roles.
pub const STAFF_ROLES_CHANGED: &str = "staff.roles-changed";
/// A member has other single grants.
pub const STAFF_GRANTS_CHANGED: &str = "staff.grants-changed";
/// A member belongs elsewhere.
pub const STAFF_UNIT_CHANGED: &str = "staff.unit-changed";
/// A member is out until further notice.
pub const STAFF_SUSPENDED: &str = "staff.suspended";
/// A member is back.
pub const STAFF_RESUMED: &str = "staff.resumed";
/// What a member proves himself with is another.
pub const STAFF_FACTOR_CHANGED: &str = "staff.factor-changed";
/// A session begins; begins the session's stream.
pub const STAFF_SIGNED_IN: &str = "staff.signed-in";
/// The session's second factor was a recovery code.
pub const STAFF_RECOVERY_CODE_USED: &str = "staff.recovery-code-used";
/// A session was ended before its time.
pub const STAFF_SESSION_ENDED: &str = "staff.session-ended";
/// Somebody has failed to sign in as a member so often that they have to wait.
pub const STAFF_SIGN_IN_REFUSED: &str = "staff.sign-in-refused";

/// There is another unit; all units of a tenant stand in one stream.
pub const UNIT_CREATED: &str = "unit.created";
/// A unit has another name or place.
pub const UNIT_CHANGED: &str = "unit.changed";

/// `staff.invited`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffInvited {
    /// A work name, unique in the tenant.
    pub login: String,
    /// By their names.
    pub roles: Vec<String>,
    /// Single grants besides, as they are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// Where the member belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
    /// Which invitation.
    pub invitation: Uuid,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// `staff.joined`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffJoined {
    /// By which invitation; what was enrolled by another one counts no more.
    pub invitation: Uuid,
}

/// `staff.roles-changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffRolesChanged {
    /// All that the member has from now on, by their names.
    pub roles: Vec<String>,
}

/// `staff.grants-changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffGrantsChanged {
    /// All that the member has beside the roles from now on, as they are written.
    pub grants: Vec<String>,
}

/// `staff.unit-changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffUnitChanged {
    /// Where the member belongs from now on; absent is to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
}

/// `unit.created` and `unit.changed`: what the unit is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitDescribed {
    /// Which.
    pub unit: Uuid,
    /// Unique in the tenant.
    pub name: String,
    /// The unit that it is part of; absent is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Uuid>,
}

/// `staff.suspended`: who did it is the event's actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffSuspended {}

/// `staff.resumed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffResumed {}

/// `staff.factor-changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffFactorChanged {
    /// What it was.
    pub what: FactorChange,
    /// With a reset: the invitation by which the member enrols anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Uuid>,
    /// When that ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// What about a member's factors changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FactorChange {
    /// The member chose another password.
    Password,
    /// The member drew other recovery codes.
    RecoveryCodes,
    /// An administrator took all of them away.
    Reset,
}

/// `staff.signed-in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffSignedIn {
    /// Who.
    pub member: Uuid,
    /// Where from and with what, sealed under the member's own key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// `staff.recovery-code-used`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffRecoveryCodeUsed {
    /// Whose.
    pub member: Uuid,
    /// How many are left.
    pub left: i64,
}

/// `staff.session-ended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffSessionEnded {
    /// Whose.
    pub member: Uuid,
}

/// `staff.sign-in-refused`: one per step of the pause, and not one per attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StaffSignInRefused {
    /// As whom.
    pub member: Uuid,
    /// Failures in a row.
    pub failures: i32,
    /// How long nothing is tried now.
    pub pause_seconds: i64,
}
