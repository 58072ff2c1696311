//! Payments: what people do with money, in words that they would use. A transfer to another person is the first of them.
//!
//! A payment is a stream of its own beside the money that it moves. Whoever pays asks first and is told everything (to
//! whom, how much, what it costs); what they confirm with their device and PIN is exactly that, and only then money moves:
//!
//! ```text
//! request: payee, amount ─► fee ─► transfer.requested                        (moves nothing, ends by itself)
//! confirm: device's signature, PIN ─► one commit: transfer.confirmed + transaction.posted + counted limits
//! ```
//!
//! The money is a transaction like any other, so statements, receipts and reversals know transfers without being told.
//! Money comes in and goes out by [`funding`]: what happens outside is followed by a job until it is known.
//! Which accounts a payment touches stands in [`posting`] and nowhere else.
//!
//! Invariants:
//! - A payment that was requested moves money at most once, and never after its time is over: the writer's clock says so.
//! - What leaves an account counts against the limits of its owner in the same commit that moves it ([`limits`]), so that
//!   two payments at once cannot both use what is left of one.
//! - A price is what the payer was told, whatever becomes of the price list meanwhile.
//! - A note is read by the two who share it and by nobody else; it stands in the log sealed twice, under each one's key.
//!
//! Terminals ask for money by [`charges`], which people find by [`qr`] codes and confirm themselves, or by [`mandates`].
//!
//! Deliberately absent: a failed transfer as a state: one that is refused
//! can be confirmed again until its time is over, because the payer may have topped up.

pub mod charges;
mod confirm;
mod error;
pub mod event;
pub mod funding;
pub mod issuance;
pub mod limits;
pub mod mandates;
pub mod posting;
pub mod price;
pub mod qr;
mod said;
mod sandbox;
mod service;
pub mod terms;
pub mod transfer;

pub use confirm::Confirm;
pub use error::PaymentError;
pub use event::Party;
pub use service::{NewTransfer, Payments, level};
