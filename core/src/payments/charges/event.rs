//! The facts of charges as they stand in payloads: all of one charge are on its stream.

use crate::kernel::Minor;
use crate::payments::event::Party;
use crate::payments::terms::Terms;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A terminal asks for money, and somebody may confirm it.
pub const CHARGE_CREATED: &str = "charge.created";
/// Somebody confirmed it. What is captured at once is in the same commit, and so is what holds their money otherwise.
pub const CHARGE_AUTHORISED: &str = "charge.authorised";
/// Money was captured. The transaction that moved it is in the same commit.
pub const CHARGE_CAPTURED: &str = "charge.captured";
/// It was given up; what was still held is back in the same commit.
pub const CHARGE_CANCELLED: &str = "charge.cancelled";
/// The terminal took it back, maybe before it ever arrived. What goes back is in the same commit, or is a refund.
pub const CHARGE_REVERSED: &str = "charge.reversed";
/// Something of what was captured is to go back. From here on it counts.
pub const REFUND_REQUESTED: &str = "refund.requested";
/// It went back. The transaction that moved it is in the same commit.
pub const REFUND_SUCCEEDED: &str = "refund.succeeded";
/// It could not go back, and counts no more.
pub const REFUND_FAILED: &str = "refund.failed";
/// A terminal closed its batch: what came before is counted, and what comes belongs to the next one.
pub const BATCH_CLOSED: &str = "terminal.batch-closed";

/// `charge.created`: until when it can be confirmed follows from the event's instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeCreated {
    /// Which terminal asks.
    pub terminal: Uuid,
    /// What the terminal calls it.
    pub txid: String,
    /// Who is paid.
    pub service: Payee,
    /// Of what.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// How much is asked for, in minor units.
    pub amount: Minor,
    /// Whether it is captured as soon as it is confirmed.
    pub capture: CaptureMode,
    /// For so many seconds it can be confirmed.
    pub open_seconds: u16,
    /// What it is for, as the service calls it; non-personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Who stands at the terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Since when they do, as the terminal calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<String>,
    /// The terminal's own count of what it has asked.
    pub seq: i64,
    /// The terminal knows that the same was paid a moment ago, and means another one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_repeat: bool,
    /// What a payer types who cannot scan.
    pub short_code: String,
    /// What makes the payer's signature good for this one charge.
    pub nonce: String,
    /// What it is subject to, as it was then.
    pub terms: Terms,
}

/// Who is paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payee {
    /// The service.
    pub id: Uuid,
    /// As payers know it.
    pub label: String,
    /// Its account.
    pub account: Uuid,
}

/// When the money of a charge moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CaptureMode {
    /// As soon as it is confirmed.
    #[default]
    Auto,
    /// When the terminal says so; it is held meanwhile.
    Manual,
}

impl CaptureMode {
    /// As it is answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
        }
    }
}

/// `charge.authorised`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeAuthorised {
    /// Who pays.
    pub payer: Party,
    /// The device that signed, if the payer did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Uuid>,
    /// What the payer has consented to before, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandate: Option<Uuid>,
    /// What holds the money, unless it is captured in the same commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Uuid>,
}

/// `charge.captured`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeCaptured {
    /// The transaction that moved the money.
    pub transaction: Uuid,
    /// How much of it, in minor units; what the splits and the service get is together this.
    pub amount: Minor,
    /// Nothing more can be captured.
    pub is_final: bool,
    /// The batch of its terminal in which it counts.
    pub batch: i32,
}

/// `charge.cancelled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeCancelled {
    /// What was captured before, and stays so, in minor units.
    pub captured: Minor,
}

/// `charge.reversed`: alone on its stream it is a tombstone, and no charge begins there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChargeReversed {
    /// Which terminal says so.
    pub terminal: Uuid,
    /// What it calls the charge.
    pub txid: String,
    /// Why.
    pub reason: ReversalReason,
    /// The terminal's own count of what it has asked.
    pub seq: i64,
    /// What that came to.
    pub result: ReversalResult,
    /// What it took back of what was captured, in minor units.
    pub amount: Minor,
    /// The batch of its terminal in which it counts.
    pub batch: i32,
}

/// Why a terminal takes a charge back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReversalReason {
    /// It had no answer in time.
    Timeout,
    /// The customer does not want it any more.
    Customer,
    /// Something is wrong with the terminal, or with what was sold.
    Fault,
}

/// What a reversal came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReversalResult {
    /// Nothing of it was known; nothing of it can come any more.
    Tombstoned,
    /// It is as if it had never been.
    Reversed,
    /// What was captured is refunded, because it is counted already or cannot be taken back at once.
    RefundCreated,
}

/// `refund.requested`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundRequested {
    /// What the terminal calls it; of a reversal, what we do.
    pub refund: String,
    /// How much, in minor units.
    pub amount: Minor,
    /// Why.
    pub reason: RefundReason,
    /// The batch of its terminal in which it counts.
    pub batch: i32,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RefundReason {
    /// The customer wants it back.
    Customer,
    /// It was paid twice.
    Duplicate,
    /// Something is wrong with what was sold.
    Fault,
    /// The terminal took the charge back when it could not be undone.
    Reversal,
}

/// `refund.succeeded`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundSucceeded {
    /// Which one.
    pub refund: String,
    /// How much, in minor units.
    pub amount: Minor,
    /// The transaction that moved it.
    pub transaction: Uuid,
}

/// `refund.failed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundFailed {
    /// Which one.
    pub refund: String,
    /// How much did not go back, in minor units.
    pub amount: Minor,
    /// The code of the last refusal.
    pub why: String,
    /// The batch of its terminal in which that counts.
    pub batch: i32,
}

/// `terminal.batch-closed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BatchClosed {
    /// Which terminal.
    pub terminal: Uuid,
    /// Its number, from 1; also the event's version.
    pub number: i32,
    /// What the terminal has counted, by asset.
    pub counted: Vec<Tally>,
    /// The last of its own numbers that the terminal has used.
    pub last_seq: i64,
}

/// What moved in an asset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    /// Of what.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// Captured.
    pub captures: Sum,
    /// Asked to go back.
    pub refunds: Sum,
    /// Captured before, and taken back by a reversal.
    pub reversals: Sum,
}

/// How often, and how much together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sum {
    /// How often.
    pub count: i64,
    /// How much together, in minor units.
    pub amount: Minor,
}
