//! Payments over HTTP: what citizens do with their money, what it costs, and how money comes into being.
//!
//! A citizen's payment is two requests: what it would be, and yes. The yes carries what only they have, a signature of their
//! device and their PIN; neither is in the request's fingerprint, so a PIN that was mistyped is not another payment.

pub mod issuances;
pub mod prices;

use crate::answer;
use crate::context::Context;
use std::sync::Arc;
use vintem_core::event_store::Done;
use vintem_core::ledger::known::Known;
use vintem_core::ledger::service::Render;

/// Makes the answer to store.
fn render(context: &Context) -> Render {
    let shown = context.shown.clone();
    Arc::new(move |done: &Done, known: &Known| answer::single(done, known, &shown))
}
