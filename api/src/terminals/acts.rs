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

/// Where in the log the answer of an act is to be read, and whether it was given before; nothing where the answer was kept.
pub fn unkept(disposed: &Disposed) -> Option<(i64, bool)> {
    match disposed {
        Disposed::Done(done, Answer { body: StoredBody::Rendered, .. }) => match done.outcomes.first()? {
            Outcome::Applied(applied) | Outcome::Already(applied) => Some((applied.events.first()?.position, false)),
            Outcome::Refused(_) => None,
        },
        Disposed::Replayed(stored) if !matches!(stored.body, Some(StoredBody::Whole(_))) => {
            Some((stored.position?, true))
        }
        _ => None,
    }
}

/// Answers an act by what it left behind: what the txid stands for, and when.
pub async fn answered(
    context: &Context,
    executed: Executed,
    show: impl Fn(Slot, Instant) -> Result<Vec<u8>, Problem>,
) -> Result<HttpResponse, Problem> {
    let Executed { disposed, known } = executed;
    let Some((position, is_replay)) = unkept(&disposed) else {
        return Ok(write::answered(context, disposed, &known).await?.respond());
    };
    let at = context.app.charges.at(&context.actor, position).await;
    let (slot, then) = at.map_err(|error| Problem::from(error).after_the_write())?;
    Ok(Ready { status: 200, body: show(slot, then)?, is_replay }.respond())
}

/// What is idempotent by its name: made now, or found as it is.
pub fn made(is_new: bool, shown: &impl Serialize) -> HttpResponse {
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(shown)
}

/// A document of ours always is JSON.
pub fn bytes(shown: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(shown).unwrap_or_default()
}
