//! The facts of mandates: all of a person's are on one stream.

use crate::kernel::Minor;
use crate::kernel::window::Period;
use crate::payments::event::Party;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Somebody was told what a mandate would allow, and may consent to it.
pub const MANDATE_REQUESTED: &str = "mandate.requested";
/// They consented, by device and PIN.
pub const MANDATE_ACTIVATED: &str = "mandate.activated";
/// It allows nothing any more.
pub const MANDATE_REVOKED: &str = "mandate.revoked";

/// `mandate.requested`: until when it can be confirmed follows from the event's instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MandateRequested {
    /// Its id.
    pub mandate: Uuid,
    /// Whose it is.
    pub payer: Party,
    /// What may be paid.
    pub service: Uuid,
    /// As its owner was shown it.
    pub label: String,
    /// Of what.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// How much in each period, in minor units.
    pub cap: Minor,
    /// How much at once, in minor units; as much as the cap where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_payment: Option<Minor>,
    /// What the cap is of.
    pub period: Period,
    /// What makes the owner's signature good for this one mandate.
    pub nonce: String,
}

/// `mandate.activated`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MandateActivated {
    /// Which one.
    pub mandate: Uuid,
    /// The device that signed.
    pub device: Uuid,
}

/// `mandate.revoked`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MandateRevoked {
    /// Which one.
    pub mandate: Uuid,
}
