//! Charges: a terminal asks for money, a payer confirms it, and both know what became of it whatever the network does.
//!
//! A charge is one stream, and its id follows from the terminal and what the terminal calls it (its txid). So asking again is asking for the
//! same one, and a reversal of something unknown stands where the charge would have begun: the two meet at version 0.
//!
//! ```text
//! nothing ──reversal──► reversed (a tombstone)
//! created ──confirm──► authorised ──capture──► captured ──refund──► partially_refunded ──► refunded
//!    ├─ cancel ─► cancelled ◄─┤                    │
//!    ├─ time ───► expired   ◄─┤                    └─ reverse, while the terminal's batch is open ─► reversed
//!    └─ reverse ► reversed  ◄─┘
//! ```
//!
//! What is captured at once goes from created to captured in one commit. Otherwise a hold of the ledger keeps the payer's money, and every
//! way out of `authorised` ends at that hold's stream, its expiry by the ledger's clock, too: exactly one of them happens. The hold and
//! the transactions are marked as the payment's own ([`super::posting`]), and the ledger's own routes leave them alone.
//!
//! Invariants:
//! - A charge is confirmed at most once, and never after its time, after it was cancelled, or after its reversal, however late or early that is.
//! - Σ refunds ≤ Σ captures ≤ what was authorised, and its tolerance on the last capture. Refunds count from when they are asked for.
//! - A reversal is refused only when it cannot be read. What cannot be taken back at once is refunded as soon as it can.
//! - What counts in a batch of a terminal is in it before it closes, or in the next one ([`batch`]).
//! - A service's terms are what they were when the charge began ([`super::terms`]).
//!
//! Deliberately absent: `settled`, which is the settlement's word and no charge's; terminals themselves and their certificates; QR
//! codes; approvals, without which refunds above the terms' threshold are refused; what a captured charge costs the payer (nothing).

pub mod batch;
mod capture;
mod charge;
mod confirm;
mod create;
pub mod event;
mod reads;
mod refund;
pub mod refunder;
mod reverse;
mod service;
mod store;

#[cfg(test)]
mod spec;

pub use batch::{Compared, Report};
pub use capture::Capture;
pub use charge::{Charge, Refund, RefundStatus, Slot, Status, Tombstone, hold_stream, stream};
pub use confirm::{Bounds, Consent, Means};
pub use create::{NewCharge, SHORT_CODE, Till};
pub use refund::NewRefund;
pub use reverse::Reversal;
pub use service::{Barred, Charges, NewClosing, NewTally};
pub(crate) use store::look_ups::fold as fold_look_ups;
