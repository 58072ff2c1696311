//! `/v1/admin/providers`, `/v1/admin/services`: who is paid at terminals, and for what.
//!
//! Clients administer all of the tenant's; members of the staff those that their grant is about, which may be those of their unit. A page
//! of a list may be shorter than was asked for, because it leaves out what the caller does not look after.

pub mod providers;
pub mod services;

use crate::answer;
use crate::context::Context;
use crate::ledger::input::invalid;
use crate::problem::Problem;
use std::sync::Arc;
use vintem_core::event_store::Done;
use vintem_core::ledger::known::Known;
use vintem_core::ledger::service::Render;

/// Makes the answer to store.
fn render(context: &Context) -> Render {
    let shown = context.shown.clone();
    Arc::new(move |done: &Done, known: &Known| answer::single(done, known, &shown))
}

fn nothing_to_change() -> Problem {
    invalid("", "required", "name at least one member to change")
}
