//! The facts of the ledger as they stand in payloads. The writer adds `moves` and `counts`.
//!
//! Members may be added, never renamed or removed: old history stays readable.

use super::known::Side;
use crate::event_store::Recorded;
use crate::event_store::proposal::{EntryKind, Status};
use crate::kernel::{Instant, Metadata, Minor};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An asset can be used.
pub const ASSET_REGISTERED: &str = "asset.registered";
/// An account exists.
pub const ACCOUNT_OPENED: &str = "account.opened";
/// An account's bounds, switches or status changed.
pub const ACCOUNT_CHANGED: &str = "account.changed";
/// What may still come back to an account changed; the stream is beside the account's.
pub const RETURNS_CHANGED: &str = "returns.changed";
/// Money was posted.
pub const TRANSACTION_POSTED: &str = "transaction.posted";
/// A transaction was reversed, wholly or in part.
pub const TRANSACTION_REVERSED: &str = "transaction.reversed";
/// Money was held back.
pub const HOLD_PLACED: &str = "hold.placed";
/// A hold was captured; the money moved in the transaction named.
pub const HOLD_CAPTURED: &str = "hold.captured";
/// What remained was released.
pub const HOLD_RELEASED: &str = "hold.released";
/// The hold lasts longer.
pub const HOLD_EXTENDED: &str = "hold.extended";
/// The hold holds more.
pub const HOLD_INCREMENTED: &str = "hold.incremented";
/// The hold's time was over; what remained returned.
pub const HOLD_EXPIRED: &str = "hold.expired";

/// `asset.registered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssetRegistered {
    /// Its code, for instance `BRL`.
    pub code: String,
    /// Decimals of its minor unit, 0 to 8.
    pub scale: u8,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `account.opened`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountOpened {
    /// Unique per tenant and asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The asset's code.
    pub asset: String,
    /// The asset's scale, repeated so that the event can be read alone.
    pub scale: u8,
    /// The side that raises it.
    pub normal_side: Side,
    /// Bounds, switches, status at the beginning.
    #[serde(flatten)]
    pub settings: AccountChanged,
    /// The integrator's own facts.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// `account.changed`: all settings as they hold after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountChanged {
    /// Minor units; absent is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_balance: Option<Minor>,
    /// Minor units; absent is unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_balance: Option<Minor>,
    /// Money may leave.
    pub sends: bool,
    /// Money may arrive.
    pub receives: bool,
    /// Open, frozen or closed.
    pub status: Status,
    /// Why, in the caller's words (freezing and closing).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The account is frozen by the person whose it is; when they have recovered, it is not any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_owner: bool,
}

/// `transaction.posted`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionPosted {
    /// For people; non-personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The integrator's own facts.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
    /// The hold that it captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Uuid>,
    /// The payment that it is of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Uuid>,
    /// Only that payment takes it back: it counts what it has moved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_bound: bool,
}

/// `transaction.reversed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionReversed {
    /// The reversal's own id.
    pub reversal: Uuid,
    /// Which line of the original each move takes back.
    pub lines: Vec<u16>,
    /// For people; non-personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// `hold.placed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldPlaced {
    /// From this instant on it counts as ended.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Instant,
    /// By how many per cent a final capture may exceed it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub over_capture_percent: u8,
    /// The payment that it is of, and that alone captures and releases it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Uuid>,
    /// For people; non-personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The integrator's own facts.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

/// `hold.captured`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldCaptured {
    /// The transaction that moved the money.
    pub transaction: Uuid,
    /// Captured per line of the hold, in minor units.
    pub lines: Vec<(u16, Minor)>,
    /// Whether the hold ended with it.
    pub ends: bool,
}

/// `returns.changed`: all that may come back as it is from then on. While something may, the account is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReturnsChanged {
    /// The payments on their way out, the oldest first.
    pub pending: Vec<Uuid>,
}

/// `hold.extended`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldExtended {
    /// The new end.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Instant,
}

/// How the statement calls the entries of an event; `None` for a kind that moves nothing.
///
/// The entries say it in a column of their own; this is the same told from the log, for who checks them.
pub fn entry_kind(kind: &str, payload: &str) -> Option<EntryKind> {
    Some(match kind {
        TRANSACTION_POSTED if captured_hold(payload).is_some() => EntryKind::Capture,
        TRANSACTION_POSTED => EntryKind::Posting,
        TRANSACTION_REVERSED => EntryKind::Reversal,
        HOLD_PLACED | HOLD_INCREMENTED => EntryKind::Hold,
        HOLD_RELEASED => EntryKind::Release,
        HOLD_EXPIRED => EntryKind::Expiry,
        _ => return None,
    })
}

/// What caused a posting besides its own command: the hold that it captured, or the payment that it is of.
pub fn cause(recorded: &Recorded) -> Option<Uuid> {
    let is_posting = recorded.kind == TRANSACTION_POSTED;
    let TransactionPosted { hold, payment, .. } =
        is_posting.then(|| serde_json::from_str(&recorded.payload)).and_then(Result::ok)?;
    hold.or(payment)
}

/// The hold that a posting captured.
pub fn captured_hold(payload: &str) -> Option<Uuid> {
    // Nearly no posting captures; the text is searched first because reading it costs far more.
    let facts = payload.contains("\"hold\":").then(|| serde_json::from_str::<TransactionPosted>(payload));
    facts?.ok()?.hold
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(percent: &u8) -> bool {
    *percent == 0
}

/// The frozen legs of any event that moves money: account and the changes of posted, held, incoming.
pub type MoveFact = (Uuid, Minor, Minor, Minor);

/// The part of a payload that holds the legs.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Moves {
    /// In the order of the command's lines.
    #[serde(default)]
    pub moves: Vec<MoveFact>,
}
