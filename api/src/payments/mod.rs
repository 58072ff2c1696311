//! Payments over HTTP: how money comes into being, what payments cost, and how people pay each other.

pub mod charges;
pub mod funding;
pub mod issuances;
pub mod limits;
pub mod mandates;
pub mod prices;
pub mod transfers;

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
