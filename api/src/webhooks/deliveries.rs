//! What became of messages, and sending them again.

use super::{kept, owner, respond};
use crate::answer;
use crate::context::{Context, Write};
use crate::ledger::input::path_id;
use crate::ledger::page;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vintem_core::kernel::Place;
use vintem_core::webhooks::store::log::{Attempt, Delivery, Wanted};

/// The states of a delivery.
const STATES: [&str; 3] = ["pending", "delivered", "failed"];

/// A message to an endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// Where its event stands in the log.
    #[schema(example = 1024)]
    position: i64,
    /// The epoch of the log that recorded the event.
    #[schema(example = 1)]
    epoch: i32,
    /// What happened.
    #[schema(example = "transaction.posted")]
    kind: String,
    /// `pending`; `delivered`; or `failed`, which stays so until it is asked for again.
    #[schema(example = "delivered")]
    state: String,
    /// When it is tried next, while it is pending.
    due_at: Option<String>,
    /// How often it was tried.
    #[schema(example = 1)]
    attempts: i32,
    /// What each attempt met, in order.
    tried: Vec<WebhookAttempt>,
}

/// What an attempt met.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAttempt {
    /// Counted from 1.
    #[schema(example = 1)]
    number: i32,
    /// When it ended.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    at: String,
    /// How long it took.
    #[schema(example = 37)]
    milliseconds: i32,
    /// The HTTP status, where there was an answer.
    #[schema(example = 204)]
    status: Option<i16>,
    /// `delivered`, `rejected`, `redirected`, `gone`, `timed-out`, `unreachable`, `address-refused` or `abandoned`.
    #[schema(example = "delivered")]
    outcome: String,
}

/// One page of deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDeliveries {
    /// The newest event first.
    deliveries: Vec<WebhookDelivery>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// Which events to send again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookReplay {
    /// The first position.
    #[schema(example = 1024, minimum = 1)]
    from: i64,
    /// The last position, at most 9,999 behind the first; the first itself unless said otherwise.
    #[serde(default)]
    #[schema(example = 1030, minimum = 1)]
    to: Option<i64>,
}

/// What is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookReplayed {
    /// The first position.
    #[schema(example = 1024)]
    from: i64,
    /// The last position.
    #[schema(example = 1030)]
    to: i64,
    /// How many deliveries are due now.
    #[schema(example = 3)]
    deliveries: u64,
}

impl From<Delivery> for WebhookDelivery {
    fn from(delivery: Delivery) -> Self {
        Self {
            position: delivery.position,
            epoch: delivery.epoch,
            kind: delivery.kind,
            state: delivery.state,
            due_at: delivery.due_at.map(answer::time),
            attempts: delivery.attempts,
            tried: delivery.tried.into_iter().map(WebhookAttempt::from).collect(),
        }
    }
}

impl From<Attempt> for WebhookAttempt {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            at: answer::time(attempt.at),
            milliseconds: attempt.milliseconds,
            status: attempt.status,
            outcome: attempt.outcome,
        }
    }
}

/// List what became of an endpoint's messages. Settled ones are kept for 30 days.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}/deliveries", tag = "Webhooks", params(
    ("id" = uuid::Uuid, Path, description = "The endpoint's id"),
    ("state" = Option<String>, Query, description = "Only `pending`, `delivered` or `failed` ones"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = WebhookDeliveries)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["state", "cursor", "limit"])?;
    let (endpoint, limit) = (path_id(&request)?, query.limit()?);
    let state = query.text("state");
    if state.is_some_and(|state| !STATES.contains(&state)) {
        let detail = "a delivery is pending, delivered or failed";
        return Err(Problem::invalid(Place::Parameter("state".to_owned()), "out-of-range", detail));
    }
    let list = query.list(&format!("webhook-deliveries/{endpoint}"));
    let before = page::after::<Spot>(&context, &query, &list)?.unwrap_or(Spot(i32::MAX, i64::MAX));
    let wanted = Wanted { endpoint, state, before: (before.0, before.1), limit: limit + 1 };
    let mut rows = context.app.webhooks.deliveries(owner(&context), wanted).await?;
    let is_more = page::cut(&mut rows, limit);
    let reached = rows.last().filter(|_| is_more).map(|row| Spot(row.epoch, row.position));
    let next = reached.map(|reached| page::next(&context, &list, &reached));
    let deliveries = rows.into_iter().map(WebhookDelivery::from).collect();
    Ok(HttpResponse::Ok().json(WebhookDeliveries { deliveries, next }))
}

/// Send what an endpoint wants of these positions once more, or for the first time: one event, or a range of them.
///
/// A message that is sent again has the id that it had. Receivers tell by it that they know the message.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/replays", tag = "Webhooks", params(("id" = uuid::Uuid, Path, description = "The endpoint's id")), request_body = WebhookReplay, responses((status = 202, body = WebhookReplayed)))]
pub async fn replay(request: HttpRequest, write: Write<WebhookReplay>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: WebhookReplay { from, to } } = write;
    let (id, to) = (path_id(&request)?, to.unwrap_or(from));
    let keep = kept(&context, 202, |deliveries: &u64| {
        // Plain data always serialises.
        serde_json::to_vec(&WebhookReplayed { from, to, deliveries: *deliveries }).unwrap_or_default()
    });
    respond(context.app.webhooks.replay(owner(&context), &key, id, (from, to), &keep).await?, |_| None)
}

/// Where a list of deliveries goes on.
struct Spot(i32, i64);

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl std::str::FromStr for Spot {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (epoch, position) = text.split_once('.').unwrap_or_default();
        Ok(Self(epoch.parse()?, position.parse()?))
    }
}
