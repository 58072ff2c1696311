//! `/v1/terminal/…`: what terminals ask, on the port for terminals and proven by their certificate; and `/v1/admin/terminals`, where
//! the back office keeps the fleet.
//!
//! A device that has no certificate yet comes to `/v1/terminal/enrolments` on the public port, with a code. Everything else of a
//! terminal's comes over a connection that it made with its certificate; nginx hands that on ([`machine`]).

pub mod acts;
pub mod batches;
pub mod certificates;
pub mod charges;
pub mod config;
pub mod enrolments;
pub mod fleet;
pub mod heartbeats;
pub mod machine;
pub mod refunds;
pub mod reversals;
pub mod shifts;

use crate::context::Context;
use crate::problem::{Code, Problem};
use vintem_core::access::{Of, TerminalSession};

/// The terminal of a request. The policy lets nobody else come so far.
pub fn terminal(context: &Context) -> Result<TerminalSession, Problem> {
    context.caller.terminal().ok_or_else(|| Problem::new(Code::Forbidden, "this is for terminals"))
}

/// Whose rows a request is about.
pub fn of(context: &Context) -> Of {
    Of::from(&context.actor)
}
