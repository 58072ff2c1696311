//! The facts of citizens as they stand in payloads. No secret, no digest of one, and nothing that says who somebody is.
//!
//! What a citizen is stands in the citizen's stream; what a session is, in the session's; a refusal has a stream of its own, so that
//! whoever tries passwords out never holds up anything about the citizen.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A person pays by telephone; begins the citizen's stream.
pub const CITIZEN_REGISTERED: &str = "citizen.registered";
/// A citizen has one more device.
pub const CITIZEN_DEVICE_ADDED: &str = "citizen.device-added";
/// A device is no longer the citizen's.
pub const CITIZEN_DEVICE_REMOVED: &str = "citizen.device-removed";
/// A citizen has other secrets, this device, and no other.
pub const CITIZEN_RECOVERED: &str = "citizen.recovered";
/// The back office took all devices away, until the citizen recovers.
pub const CITIZEN_RESET: &str = "citizen.reset";
/// A citizen chose another password or PIN.
pub const CITIZEN_SECRET_CHANGED: &str = "citizen.secret-changed";
/// The PIN was wrong so often that it is worth nothing until a recovery.
pub const CITIZEN_PIN_LOCKED: &str = "citizen.pin-locked";
/// The citizen is reached elsewhere; where stands, sealed, in the stream of the person.
pub const CITIZEN_CONTACT_CHANGED: &str = "citizen.contact-changed";
/// A session begins; begins the session's stream.
pub const CITIZEN_SIGNED_IN: &str = "citizen.signed-in";
/// A session was ended before its time.
pub const CITIZEN_SESSION_ENDED: &str = "citizen.session-ended";
/// Somebody has failed to sign in as a citizen so often that they have to wait.
pub const CITIZEN_SIGN_IN_REFUSED: &str = "citizen.sign-in-refused";

/// A device: what its signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceKey {
    /// Its id.
    pub device: Uuid,
    /// Its public key, a JWK in the form of RFC 7638.
    pub key: String,
}

/// `citizen.registered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenRegistered {
    /// The person, as holders know them.
    pub holder: Uuid,
    /// The account that they pay from.
    pub account: Uuid,
    /// By which code; what was chosen with another one counts no more.
    pub enrolment: Uuid,
    /// The telephone that they registered with.
    #[serde(flatten)]
    pub device: DeviceKey,
}

/// `citizen.device-added`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenDeviceAdded {
    /// Which.
    #[serde(flatten)]
    pub device: DeviceKey,
}

/// `citizen.device-removed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenDeviceRemoved {
    /// Which.
    pub device: Uuid,
}

/// `citizen.recovered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenRecovered {
    /// By which code.
    pub enrolment: Uuid,
    /// The only device from then on.
    #[serde(flatten)]
    pub device: DeviceKey,
}

/// `citizen.reset`: who did it is the event's actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenReset {}

/// `citizen.secret-changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenSecretChanged {
    /// Which.
    pub what: Secret,
}

/// What a citizen remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Secret {
    /// For signing in.
    Password,
    /// For paying.
    Pin,
}

/// `citizen.pin-locked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenPinLocked {
    /// On which device it was tried last.
    pub device: Uuid,
}

/// `citizen.contact-changed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenContactChanged {
    /// Which of the two.
    pub contact: ContactKind,
    /// On which device it was confirmed.
    pub device: Uuid,
}

/// Where a person is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContactKind {
    /// By mail.
    Email,
    /// By telephone.
    Phone,
}

/// `citizen.signed-in`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenSignedIn {
    /// Who.
    pub holder: Uuid,
    /// On which device.
    pub device: Uuid,
}

/// `citizen.session-ended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenSessionEnded {
    /// Whose.
    pub holder: Uuid,
    /// Why.
    pub because: Ending,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The citizen ended it.
    SignedOut,
    /// A refresh token of it was used after its successor: two have it.
    Reuse,
}

/// `citizen.sign-in-refused`: one per step of the pause, and not one per attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitizenSignInRefused {
    /// As whom.
    pub holder: Uuid,
    /// Failures in a row.
    pub failures: i32,
    /// How long nothing is tried now.
    pub pause_seconds: i64,
}
