//! Terminals: devices that take payments, how they come in, and what lets them go on.
//!
//! A terminal is a stream whose id follows from its serial number, so that a serial is there once. The device makes its key and never
//! shows it. Whoever registered the device reads a code out, which is typed on it; the code and the key get it a certificate
//! ([`enrolment`]), and that certificate is what it proves itself with from then on, at every request ([`presence`]).
//!
//! ```text
//! provisioned ─► code_issued ─► active ◄─► suspended          retired ─► provisioned: the device comes back
//!      ▲ time is over │           │            │
//!      └──────────────┘           ├─► lost ────┴─► revoked ─► retired
//! ```
//!
//! What a terminal is, is the fold of its stream. What of that counts at every request (whether it works, which certificate is good)
//! is a look-up row that is written in the same commit, so a suspension or a revocation holds from the next request on, whatever
//! any list of revoked certificates says. The list follows ([`revoker`]).
//!
//! Invariants:
//! - A code is good once, for minutes, for one device, and for five tries. Wrong, late and unknown ones are answered alike.
//! - The same code with the same key, and the same key at a renewal, get the same certificate: a lost answer costs no device.
//! - One certificate of a terminal is good, the newest; the one before may only ask for that one again.
//! - A message of a number that was used is the same message, or is refused.
//!
//! Deliberately absent: tokens of terminals, which would prove nothing that the certificate on the same connection does not; keys
//! made here; taking money, which is the payments' business.

mod code;
mod enrolment;
mod error;
pub mod event;
mod presence;
pub mod revoker;
mod serial;
mod service;
mod shift;
#[cfg(test)]
mod spec;
mod status;
pub(crate) mod store;
mod terminal;

pub use code::ActivationCode;
pub use enrolment::{Arrives, Enrolled, named, uri};
pub use error::TerminalError;
pub use presence::{Said, Told, patience};
pub use serial::Serial;
pub use service::{Knows, Terminals, check_place};
pub use shift::{Shifts, check_operator};
pub use status::Status;
pub use store::heartbeats::Heartbeat;
pub use store::look_ups::{Row, fold as look_ups};
pub use terminal::{Config, Issued, Terminal};
