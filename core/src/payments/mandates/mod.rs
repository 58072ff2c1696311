//! Mandates: somebody consents once that a service may be paid by showing the telephone, without a PIN each time. For buses, not for rent.
//!
//! ```text
//! request: service, cap per period ─► mandate.requested     (covers nothing, ends by itself)
//! confirm: device's signature, PIN ─► mandate.activated
//! pay:     a charge of that service, device's signature ─► one commit: the charge's facts + what is used of the cap
//! revoke:  ─► mandate.revoked                               (at once)
//! ```
//!
//! A person's mandates are one stream. A payment expects that stream as it saw it, so a payment and a revocation at once meet at a
//! version: whichever comes second is decided again. The cap is the writer's counter, like the limits: two payments at once cannot
//! both use what is left of it.
//!
//! Invariants:
//! - Without an active mandate of exactly that service nothing is paid without a PIN; with one, still not without the device.
//! - What is paid by mandate counts against its cap and against everything else that its owner may pay.
//! - A mandate is never changed: who wants another cap consents to another one.
//!
//! Deliberately absent: payments that the service begins. Whoever pays by mandate stands at the terminal.

mod book;
pub mod event;
mod service;
#[cfg(test)]
mod spec;

pub use book::{Covered, Mandate, Mandates, State};
pub use service::NewMandate;
