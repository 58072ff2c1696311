//! The facts of terminals as they stand in payloads. No code, no digest of one, and no certificate: what says whose it is, and how
//! it is recognised.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::kernel::Metadata;

/// A device is in the inventory; begins the terminal's stream, and begins it anew after a retirement.
pub const TERMINAL_REGISTERED: &str = "terminal.registered";
/// Another purpose, place or settings.
pub const TERMINAL_CONFIGURED: &str = "terminal.configured";
/// Whoever types this code on the device brings it in.
pub const TERMINAL_CODE_ISSUED: &str = "terminal.code-issued";
/// The device has its first certificate.
pub const TERMINAL_ENROLLED: &str = "terminal.enrolled";
/// The device has another certificate, over another key.
pub const TERMINAL_RENEWED: &str = "terminal.renewed";
/// Nothing goes for a while.
pub const TERMINAL_SUSPENDED: &str = "terminal.suspended";
/// It goes on.
pub const TERMINAL_RESUMED: &str = "terminal.resumed";
/// Nobody knows where it is.
pub const TERMINAL_LOST: &str = "terminal.lost";
/// Its certificate is worth nothing any more, for good.
pub const TERMINAL_REVOKED: &str = "terminal.revoked";
/// It is out of the inventory.
pub const TERMINAL_RETIRED: &str = "terminal.retired";
/// The back office wants something done by the device.
pub const TERMINAL_ORDERED: &str = "terminal.ordered";
/// The device says that it has been done.
pub const TERMINAL_OBEYED: &str = "terminal.obeyed";
/// The device says that somebody opened it.
pub const TERMINAL_TAMPERED: &str = "terminal.tampered";
/// Somebody begins to work at the device.
pub const SHIFT_OPENED: &str = "shift.opened";
/// They end.
pub const SHIFT_CLOSED: &str = "shift.closed";

/// `terminal.registered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalRegistered {
    /// What its maker wrote on it.
    pub serial: String,
    /// What its maker calls its kind.
    pub model: String,
    /// What it is paid for at.
    pub service: Uuid,
    /// Where it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
}

/// `terminal.configured`: all that holds from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalConfigured {
    /// What it is paid for at.
    pub service: Uuid,
    /// Where it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
    /// What payers are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// How often it says that it is there.
    pub heartbeat_seconds: u32,
    /// What its maker and its owner agree on.
    #[serde(default)]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub settings: Metadata,
}

/// `terminal.code-issued`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalCodeIssued {
    /// Which code; the one before counts no more.
    pub code: Uuid,
    /// Until when it may be used.
    pub expires_at: DateTime<Utc>,
}

/// A certificate as the log knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalCertificate {
    /// Its number, bytes in hexadecimal with colons.
    pub number: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub fingerprint: String,
    /// The SHA-256 of its public key, in hexadecimal.
    pub key: String,
    /// When it began.
    pub not_before: DateTime<Utc>,
    /// When it ends.
    pub not_after: DateTime<Utc>,
}

/// `terminal.enrolled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalEnrolled {
    /// By which code.
    pub code: Uuid,
    /// With what it proves itself.
    #[serde(flatten)]
    pub certificate: TerminalCertificate,
}

/// `terminal.renewed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalRenewed {
    /// With what it proves itself from then on.
    #[serde(flatten)]
    pub certificate: TerminalCertificate,
}

/// `terminal.suspended`, `.resumed`, `.lost`, `.revoked`, `.retired`, `.tampered`: who did it is the event's actor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalChanged {}

/// What the back office can want of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Make another key and have its certificate renewed now.
    RotateCert,
    /// Close the batch of the day.
    CloseBatch,
    /// Take no payments until somebody unlocks the device.
    Lock,
    /// Forget everything.
    Wipe,
}

/// `terminal.ordered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalOrdered {
    /// What the device names when it has done it.
    pub order: Uuid,
    /// What is to be done.
    pub command: Command,
}

/// `terminal.obeyed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TerminalObeyed {
    /// Which order.
    pub order: Uuid,
}

/// `shift.opened`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftOpened {
    /// Its number on this terminal, from 1.
    pub shift: i32,
    /// Who works: a code that the service gives out, and nobody's name.
    pub operator: String,
}

/// `shift.closed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShiftClosed {
    /// Its number.
    pub shift: i32,
}

impl Command {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RotateCert, Self::CloseBatch, Self::Lock, Self::Wipe];

    /// As devices read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RotateCert => "rotate_cert",
            Self::CloseBatch => "close_batch",
            Self::Lock => "lock",
            Self::Wipe => "wipe",
        }
    }
}
