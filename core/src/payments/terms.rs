//! What charges of a service are subject to: who else is paid out of them, how long they can be refunded, how they are held.
//!
//! The service's terms of the moment are frozen in each charge, so that a change of them reaches no charge that was made before.

use super::price::Price;
use crate::kernel::Minor;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The terms of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Terms {
    /// Who is paid out of what is captured, before the service gets the rest.
    pub splits: Vec<Split>,
    /// For so many days after its capture a charge can be refunded.
    pub refund_days: u16,
    /// A refund above this, in minor units, takes an approval; without it none does.
    pub approval_above: Option<Minor>,
    /// By how many per cent a final capture may exceed what was authorised, 0 to 100: for tips and fuel.
    pub over_capture_percent: u8,
    /// For so many hours an authorisation holds the payer's money, 168 at most.
    pub hold_hours: u16,
}

/// A part of each capture that is somebody else's: the platform's fee, a tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Split {
    /// As statements and reports call it.
    pub name: String,
    /// Who gets it.
    pub account: Uuid,
    /// How much.
    pub price: Price,
}

impl Default for Terms {
    fn default() -> Self {
        Self { splits: Vec::new(), refund_days: 90, approval_above: None, over_capture_percent: 0, hold_hours: 24 }
    }
}
