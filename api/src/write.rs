//! Writes: one command or a batch, under a key, to its one answer.
//!
//! The answer of a single write is made inside the writer and stored with its key; a replay sends
//! the stored bytes. What was too large to keep, or was deleted after its time, is rendered again
//! from the log.

use crate::answer::batch::{self, Outline};
use crate::answer::{self, Fact, Unreadable};
use crate::app::App;
use crate::context::Context;
use crate::problem::{Code, Problem};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, web};
use std::sync::Arc;
use vintem_core::event_store::{Answer, Applied, Disposed, Done, Outcome, RequestKey, StoredAnswer, StoredBody};
use vintem_core::kernel::RefusalCode;
use vintem_core::ledger::command::{Command, Grouped};
use vintem_core::ledger::known::Known;
use vintem_core::ledger::service::{Actor, Executed, WriteRequest};
use vintem_core::telemetry::ProposalResult;

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// An answer's status and bytes.
#[derive(Debug)]
pub struct Ready {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Vec<u8>,
    /// Whether it was given before.
    pub is_replay: bool,
}

impl Ready {
    /// As a response.
    pub fn respond(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.content_type(if self.status < 400 { "application/json" } else { "application/problem+json" });
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if self.is_replay {
            response.insert_header((REPLAYED, HeaderValue::from_static("true")));
        }
        response.body(self.body)
    }
}

/// Does one command and answers it.
pub async fn single(context: &Context, key: RequestKey, command: Command) -> Result<Ready, Problem> {
    let shown = context.shown.clone();
    let render = Arc::new(move |done: &Done, known: &Known| answer::single(done, known, &shown));
    let request = WriteRequest { key: Some(key), commands: vec![command.into()], is_batch: false, render };
    let Executed { disposed, known } = context.app.ledger.execute(&context.actor, &request).await?;
    answered(context, disposed, &known).await
}

/// The answer to a single write that the writer has disposed of.
pub async fn answered(context: &Context, disposed: Disposed, known: &Known) -> Result<Ready, Problem> {
    match disposed {
        Disposed::Done(done, Answer { status, body, .. }) => {
            count(context, &done);
            let body = match (body, done.outcomes.first()) {
                (StoredBody::Whole(body), _) => body,
                (_, Some(Outcome::Applied(applied) | Outcome::Already(applied))) => show(applied, known)?,
                _ => return Err(unreadable(Unreadable)),
            };
            Ok(Ready { status, body, is_replay: false })
        }
        other => replay_or_refuse(context, other).await,
    }
}

/// Does a batch and answers it. It runs beside the threads that serve requests, for deciding
/// thousands of items takes longer than others should wait.
pub async fn batch(context: &Context, key: RequestKey, commands: Vec<Grouped>) -> Result<Ready, Problem> {
    let (app, actor, lang) = (context.app.clone(), context.actor.clone(), context.shown.lang);
    let members: Vec<&'static str> = commands.iter().map(|grouped| grouped.command.member()).collect();
    let outlined = Arc::new(move |done: &Done, _: &Known| {
        // An outline is plain data, which always serialises.
        let outline = serde_json::to_vec(&Outline::of(done, &members, lang)).unwrap_or_default();
        Answer { status: 200, code: None, body: StoredBody::Outline(outline) }
    });
    let request = WriteRequest { key: Some(key), commands, is_batch: true, render: outlined };
    let work = context.app.bulk.spawn(async move { execute_batch(&app, &actor, &request).await });
    let (disposed, rendered) =
        work.await.map_err(|_| Problem::new(Code::OutcomeUnknown, "the work on the batch ended early"))??;
    match (disposed, rendered) {
        (Disposed::Done(done, _), Some(body)) => {
            count(context, &done);
            Ok(Ready { status: 200, body: body?, is_replay: false })
        }
        (other, _) => replay_or_refuse(context, other).await,
    }
}

type Rendered = Option<Result<Vec<u8>, Problem>>;

async fn execute_batch(app: &App, actor: &Actor, request: &WriteRequest) -> Result<(Disposed, Rendered), Problem> {
    let Executed { disposed, known } = app.ledger.execute(actor, request).await?;
    let rendered = match &disposed {
        Disposed::Done(done, Answer { body: StoredBody::Outline(outline), .. }) => {
            Some(render_done(done, outline, &known))
        }
        _ => None,
    };
    Ok((disposed, rendered))
}

fn render_done(done: &Done, outline: &[u8], known: &Known) -> Result<Vec<u8>, Problem> {
    let outline: Outline = serde_json::from_slice(outline).map_err(|_| unreadable(Unreadable))?;
    batch::render(&outline, batch::done_facts(done), known).map_err(unreadable)
}

async fn replay_or_refuse(context: &Context, disposed: Disposed) -> Result<Ready, Problem> {
    match disposed {
        Disposed::Replayed(stored) => {
            context.app.metrics.idempotency_replay();
            context.app.metrics.proposals(context.actor.shard, ProposalResult::Replayed, 1);
            recover(context, stored).await
        }
        Disposed::Mismatch => Err(Problem::new(
            Code::Business(RefusalCode::IdempotencyMismatch),
            "the key was used before for another request",
        )),
        // The service decides conflicts again itself.
        Disposed::Done(..) | Disposed::Conflict(_) => Err(unreadable(Unreadable)),
    }
}

/// A stored answer, rendered again where its bytes were not kept.
pub async fn recover(context: &Context, stored: StoredAnswer) -> Result<Ready, Problem> {
    let ready = |body| Ready { status: stored.status, body, is_replay: true };
    let (ledger, actor) = (&context.app.ledger, &context.actor);
    match (stored.body, stored.position) {
        (Some(StoredBody::Whole(body)), _) => Ok(ready(body)),
        (Some(StoredBody::Outline(outline)), _) => {
            let outline: Outline = serde_json::from_slice(&outline).map_err(|_| unreadable(Unreadable))?;
            let recalled = ledger.recall_batch(actor, &outline.traces()).await;
            let (items, known) = recalled.map_err(|error| Problem::from(error).after_the_write())?;
            let render = move || {
                batch::render(
                    &outline,
                    items.iter().map(|(events, entries)| (events.as_slice(), entries.as_slice())),
                    &known,
                )
            };
            let body = web::block(render).await.map_err(|_| unreadable(Unreadable))?;
            Ok(ready(body.map_err(unreadable)?))
        }
        (_, Some(position)) => {
            let facts = ledger.recall(actor, position).await.map_err(|error| Problem::from(error).after_the_write())?;
            let entries = facts.entries_of(&facts.events);
            let fact = Fact::of(&facts.events, &entries, &facts.known).map_err(unreadable)?;
            Ok(ready(fact.bytes()))
        }
        (_, None) => Err(unreadable(Unreadable)),
    }
}

fn show(applied: &Applied, known: &Known) -> Result<Vec<u8>, Problem> {
    Fact::of(&applied.events, &applied.entries, known).map(|fact| fact.bytes()).map_err(unreadable)
}

/// It was written, but its answer cannot be shown.
pub fn unreadable(error: Unreadable) -> Problem {
    tracing::error!(%error, "an answer could not be rendered");
    Problem::new(Code::InternalError, "the request was recorded, but its answer cannot be shown").after_the_write()
}

fn count(context: &Context, done: &Done) {
    let refused = done.outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Refused(_))).count();
    let count = |result, count: usize| {
        if count > 0 {
            context.app.metrics.proposals(context.actor.shard, result, u64::try_from(count).unwrap_or(u64::MAX));
        }
    };
    count(ProposalResult::Refused, refused);
    count(ProposalResult::Committed, done.outcomes.len() - refused);
}
