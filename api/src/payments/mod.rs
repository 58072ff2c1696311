//! Payments over HTTP: how money comes into being, and what payments cost.
//!
//! Deliberately absent: transfers and limits, which are their payers' and wait for them to be callers.

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
