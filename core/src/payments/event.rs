//! The facts of this context as they stand in payloads.

use crate::kernel::Minor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Somebody was told what a transfer would be, and may confirm it.
pub const TRANSFER_REQUESTED: &str = "transfer.requested";
/// The payer confirmed it. The transaction that moved the money is in the same commit.
pub const TRANSFER_CONFIRMED: &str = "transfer.confirmed";
/// What a person may pay was changed: down at once, up after a while.
pub const LIMITS_CHANGED: &str = "limits.changed";
/// What payments cost was changed.
pub const PRICES_CHANGED: &str = "prices.changed";
/// Money came into being, or went out of it. The transaction that did so is in the same commit.
pub const MONEY_ISSUED: &str = "money.issued";
/// Money went out of being.
pub const MONEY_REDEEMED: &str = "money.redeemed";

/// A person was told how to bring money in. What comes in time is theirs.
pub const TOPUP_REQUESTED: &str = "topup.requested";
/// It came. The transaction that put it on their account is in the same commit.
pub const TOPUP_CREDITED: &str = "topup.credited";
/// It came when it could be nobody's here any more: it is at the bank until the books give it back or issue it.
pub const TOPUP_UNCLAIMED: &str = "topup.unclaimed";
/// A person was told what would be paid out to them, and may approve it.
pub const WITHDRAWAL_REQUESTED: &str = "withdrawal.requested";
/// They approved it by device and PIN. The transaction that put the amount aside is in the same commit.
pub const WITHDRAWAL_APPROVED: &str = "withdrawal.approved";
/// It was paid out. The transaction that took the money out of being is in the same commit.
pub const WITHDRAWAL_PAID: &str = "withdrawal.paid";
/// It was not. The transaction that gave the money back is in the same commit.
pub const WITHDRAWAL_REJECTED: &str = "withdrawal.rejected";

/// `transfer.requested`: until when it can be confirmed follows from the event's instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferRequested {
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// Of what.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// What the payee gets, in minor units.
    pub amount: Minor,
    /// What it costs the payer besides, in minor units.
    pub fee: Minor,
    /// What makes the payer's signature good for this one transfer.
    pub nonce: String,
    /// What the payer writes to the payee, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<SealedNote>,
}

/// One side of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Party {
    /// The person.
    pub holder: Uuid,
    /// Their account.
    pub account: Uuid,
}

/// A text between two people, once under the key of each: who is erased takes their own copy along, and the other keeps theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SealedNote {
    /// Under the payer's key.
    pub payer: String,
    /// Under the payee's key.
    pub payee: String,
}

/// `transfer.confirmed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransferConfirmed {
    /// The transaction that moved the money.
    pub transaction: Uuid,
    /// The device that signed.
    pub device: Uuid,
}

/// `limits.changed`: what was asked for, in minor units; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LimitsChanged {
    /// How many decimals of the asset a minor unit has.
    pub scale: u8,
    /// Per payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Minor>,
    /// Per day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Minor>,
    /// Per month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<Minor>,
    /// Per night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night: Option<Minor>,
}

/// `prices.changed`: the whole list as it holds from then on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PricesChanged {
    /// How many decimals of the asset a minor unit has.
    pub scale: u8,
    /// What a transfer costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<super::price::Price>,
}

/// `money.issued` and `money.redeemed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MoneyMoved {
    /// The transaction that moved it.
    pub transaction: Uuid,
    /// What it is for, as the books number it; non-personal.
    pub reference: String,
}

/// `topup.requested`: until when money is waited for follows from the event's instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TopUpRequested {
    /// Whose account it is for.
    pub owner: Party,
    /// The way in: the name of an adapter.
    pub method: String,
    /// Of what.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// How much, in minor units.
    pub amount: Minor,
    /// What it is called outside.
    pub reference: String,
    /// What its owner has to do outside.
    pub instructions: String,
    /// For how many seconds money is waited for.
    pub open_seconds: u32,
}

/// `topup.credited`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TopUpCredited {
    /// The transaction that moved the money.
    pub transaction: Uuid,
}

/// `topup.unclaimed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TopUpUnclaimed {
    /// Why it could not be put on the account that it was for.
    pub because: Stranding,
}

/// Why money that came is nobody's here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Stranding {
    /// The time in which it was waited for was over.
    TooLate,
    /// The account that it was for is closed.
    AccountClosed,
}

/// `withdrawal.requested`: until when it can be approved follows from the event's instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalRequested {
    /// Whose money, from which account.
    pub owner: Party,
    /// The way out: the name of an adapter.
    pub method: String,
    /// Of what.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// How much, in minor units; nothing is kept of it.
    pub amount: Minor,
    /// What makes the owner's signature good for this one withdrawal.
    pub nonce: String,
}

/// `withdrawal.approved`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalApproved {
    /// The transaction that put the amount aside.
    pub transaction: Uuid,
    /// The device that signed.
    pub device: Uuid,
}

/// `withdrawal.paid`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalPaid {
    /// The transaction that took the money out of being.
    pub transaction: Uuid,
    /// What it is called outside.
    pub reference: String,
}

/// `withdrawal.rejected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WithdrawalRejected {
    /// The transaction that gave the money back.
    pub transaction: Uuid,
    /// Why.
    pub reason: Rejection,
}

/// Why a withdrawal was not paid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rejection {
    /// The bank does not pay it.
    RefusedByBank,
    /// There is no account where it should go.
    AccountUnknown,
}
