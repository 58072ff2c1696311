//! Why the business said no.
//!
//! A refusal is an answer, not a failure: it is recorded under the caller's
//! idempotency key and repeated byte for byte. Failures (a database that is away,
//! a full queue) are [`crate::event_store::WriteError`] instead and are never recorded.

use serde::{Deserialize, Serialize};

/// Where in the request the refused thing stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A JSON pointer into the body, such as `/legs/0/amount`.
    Pointer(String),
    /// The name of a path or query parameter.
    Parameter(String),
    /// The name of a header.
    Header(String),
}

/// One refusal: a stable code for programs, a sentence for people, and the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// The stable code that clients match on.
    pub code: RefusalCode,
    /// One English sentence with the facts of this case; holds nothing personal.
    pub detail: String,
    /// The member, parameter or header at fault, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
}

impl Refusal {
    /// A refusal without a place.
    pub fn new(code: RefusalCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), place: None }
    }

    /// The same refusal, naming the member of the body at fault.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.place = Some(Place::Pointer(pointer.into()));
        self
    }

    /// The same refusal, its pointer put below `prefix` (`/items/3`): a batch item speaks of itself.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        if let Some(Place::Pointer(pointer)) = &mut self.place {
            pointer.insert_str(0, prefix);
        }
        self
    }
}

macro_rules! refusal_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident => $text:literal,)+) => {
        /// Every business refusal the core can give. `api/src/problem.rs` maps each to a status and titles.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum RefusalCode {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+
        }

        impl RefusalCode {
            /// Every code, in the order of the catalogue.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as it stands in a problem document and in the request table.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

refusal_codes! {
    /// The object does not exist, or is another tenant's. 404; decided on reads and on path ids, never frozen.
    NotFound => "not-found",
    /// A value is well-formed JSON but not allowed: too long, out of range, wrong form. 422, never frozen.
    ValidationFailed => "validation-failed",
    /// The same key, or the same item id, came before with other facts. 422.
    IdempotencyMismatch => "idempotency-mismatch",
    /// Available money is below what the movement takes. 422.
    InsufficientFunds => "insufficient-funds",
    /// The account's maximum balance would be exceeded. 422.
    BoundExceeded => "bound-exceeded",
    /// A balance would leave ±10^18 minor units. 422.
    AmountOverflow => "amount-overflow",
    /// The account is frozen, or its send or receive switch is off. 422.
    AccountFrozen => "account-frozen",
    /// The account is closed. 409.
    AccountClosed => "account-closed",
    /// The account's balances are not all zero, so it cannot be closed; or it is in a state that excludes the command. 409.
    InvalidState => "invalid-state",
    /// An account or asset of this name exists. 409.
    NameTaken => "name-taken",
    /// A living holder has this CPF. 409.
    AlreadyRegistered => "already-registered",
    /// Somebody is paid by this key already. 409.
    AliasTaken => "alias-taken",
    /// Roles that must not meet in one person. 422.
    RoleConflict => "role-conflict",
    /// The asset is not registered. 422.
    UnknownAsset => "unknown-asset",
    /// A leg names an account that does not exist here. 422.
    UnknownAccount => "unknown-account",
    /// One account stands twice in a transaction. 422.
    DuplicateAccount => "duplicate-account",
    /// Debits and credits of an asset differ. 422.
    Unbalanced => "unbalanced",
    /// An `expect_*` condition does not hold. 412.
    ConditionFailed => "condition-failed",
    /// The settings version of If-Match is not the current one. 412.
    VersionMismatch => "version-mismatch",
    /// The hold was captured finally, released or has expired. 409.
    HoldEnded => "hold-ended",
    /// The capture is above what remains of the hold (and its tolerance). 422.
    CaptureExceedsHold => "capture-exceeds-hold",
    /// Reversals together would exceed the original. 422.
    ReversalExceeds => "reversal-exceeds",
    /// A counter's maximum would be exceeded. 422.
    LimitExceeded => "limit-exceeded",
    /// The limit of a night would be exceeded. 422.
    NightLimit => "night-limit",
    /// The time in which a payment could be confirmed is over. 410.
    ChargeExpired => "charge-expired",
    /// The payment was confirmed before. 409.
    ChargeAlreadyPaid => "charge-already-paid",
    /// The charge was reversed, maybe before it arrived. 409.
    ChargeReversed => "charge-reversed",
    /// The same payer paid the same amount at the same terminal a moment ago. 409.
    PossibleDuplicate => "possible-duplicate",
    /// Refunds together would exceed what was captured. 422.
    RefundExceedsCaptured => "refund-exceeds-captured",
    /// The time in which the charge could be refunded is over. 422.
    RefundWindowClosed => "refund-window-closed",
    /// Somebody else must agree to it. 403, never frozen.
    ApprovalRequired => "approval-required",
    /// Another item of this batch item's group was refused, so the group did not happen. 422.
    GroupFailed => "group-failed",
}
