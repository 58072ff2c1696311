//! What all acts of terminals on charges have in common: how they are numbered, and how they are answered.
//!
//! An answer is rendered from the log at the act's position, now or in a year, so that none has to be kept.

use super::terminal;
use crate::answer;
use crate::context::Context;
use crate::problem::Problem;
use crate::write::{self, Ready};
use actix_web::http::header;
use actix_web::{HttpResponse, http::StatusCode};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use vintem_core::event_store::{Answer, Disposed, Done, Outcome, StoredBody};
use vintem_core::kernel::Instant;
use vintem_core::kernel::fingerprint::Fingerprint;
use vintem_core::ledger::known::Known;
use vintem_core::ledger::service::{Executed, Render};
use vintem_core::payments::charges::Slot;

/// Notes the number of a message: the same message passes again, another one of a number that was used does not.
pub async fn note(context: &Context, seq: i64, fingerprint: &Fingerprint) -> Result<(), Problem> {
    Ok(context.app.terminals.sequence(&context.actor, terminal(context)?.terminal, seq, fingerprint).await?)
}

/// Refusals are kept as they were; what was done is rendered from the log.
pub fn render(context: &Context) -> Render {
    let shown = context.shown.clone();
    Arc::new(move |done: &Done, known: &Known| match done.outcomes.first() {
        Some(Outcome::Refused(_)) => answer::single(done, known, &shown),
        _ => Answer { status: 200, code: None, body: StoredBody::Rendered },
    })
}

/// Answers an act by what it left behind: what the txid stands for, and when.
pub async fn answered(
    context: &Context,
    executed: Executed,
    show: impl Fn(Slot, Instant) -> Result<Value, Problem>,
) -> Result<HttpResponse, Problem> {
    let Executed { disposed, known } = executed;
    let (position, is_replay) = match &disposed {
        Disposed::Done(done, Answer { body: StoredBody::Rendered, .. }) => match done.outcomes.first() {
            Some(Outcome::Applied(applied) | Outcome::Already(applied)) => {
                (applied.events.first().map(|event| event.position), false)
            }
            _ => (None, false),
        },
        Disposed::Replayed(stored) if !matches!(stored.body, Some(StoredBody::Whole(_))) => (stored.position, true),
        _ => (None, false),
    };
    let Some(position) = position else {
        return Ok(write::answered(context, disposed, &known).await?.respond());
    };
    let at = context.app.charges.at(&context.actor, position).await;
    let (slot, then) = at.map_err(|error| Problem::from(error).after_the_write())?;
    let body = show(slot, then)?.to_string().into_bytes();
    Ok(Ready { status: 200, body, is_replay }.respond())
}

/// What is idempotent by its name: made now, or found as it is.
pub fn made(is_new: bool, shown: &impl Serialize) -> HttpResponse {
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(shown)
}

/// A document of ours always is JSON.
pub fn json(shown: &impl Serialize) -> Value {
    serde_json::to_value(shown).unwrap_or_default()
}
