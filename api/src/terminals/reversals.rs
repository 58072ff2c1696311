//! `/v1/terminal/reversals`: a terminal takes a charge back. It is advice and no question, and is refused only when it cannot be read.

use super::acts::{self, answered};
use super::terminal;
use crate::answer::terminal_charge::TerminalReversal;
use crate::context::{Context, Write};
use crate::problem::Problem;
use crate::write;
use actix_web::HttpResponse;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use vintem_core::event_store::{Answer, Done, Outcome, StoredBody};
use vintem_core::ledger::known::Known;
use vintem_core::ledger::service::Render;
use vintem_core::payments::charges::Reversal;
use vintem_core::payments::charges::event::ReversalReason;

/// What is taken back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalReversalInput {
    /// What you call the charge.
    #[schema(example = "A7K2M9Q4X1B8C3D6E5F0G7H2J9K4")]
    txid: String,
    /// `timeout`: you had no answer. `customer`: they do not want it any more. `fault`: something is wrong.
    #[schema(value_type = String, example = "timeout")]
    reason: ReversalReason,
    /// Your own number of this message: each charge and reversal has the next one.
    #[schema(example = 1843, minimum = 1)]
    seq: i64,
}

/// Take a charge back, whatever became of it, and whether or not it ever came.
#[utoipa::path(post, path = "/v1/terminal/reversals", tag = "Terminals", request_body = TerminalReversalInput, responses((status = 200, body = TerminalReversal)))]
pub async fn reverse(asked: Write<TerminalReversalInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: TerminalReversalInput { txid, reason, seq } } = asked;
    let command = Reversal { txid, reason, seq };
    command.check()?;
    acts::note(&context, seq, &key.fingerprint).await?;
    let (own, render) = (terminal(&context)?.terminal, render(&context));
    let executed = context.app.charges.reverse(&context.actor, &key, (own, &command), &render).await?;
    let show = |slot, _| Ok(acts::bytes(&TerminalReversal::of(&slot).map_err(write::unreadable)?));
    answered(&context, executed, show).await
}

/// As other acts; that it was reversed before is said by an answer of its own, which is kept.
fn render(context: &Context) -> Render {
    let usual = acts::render(context);
    Arc::new(move |done: &Done, known: &Known| match done.outcomes.first() {
        Some(Outcome::Already(applied)) => match applied.events.first().and_then(TerminalReversal::again) {
            Some(again) => {
                let body = StoredBody::Whole(acts::bytes(&again));
                Answer { status: 200, code: None, body }
            }
            None => usual(done, known),
        },
        _ => usual(done, known),
    })
}
