//! `/v1/events`: the tenant's log, by pages or as a stream.

mod feed;
pub mod places;
pub(crate) mod stream;

use crate::answer::payload;
use crate::context::Context;
use crate::problem::{Code, Fault, Problem};
use crate::query::Query;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::kernel::Place;

pub use feed::Feed;

/// One event as recorded. Money in `payload` is in minor units, in the direction of the account's normal side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its place in the log; the cursor of the feed.
    #[schema(example = 1024)]
    position: i64,
    /// The stream: the transaction, hold, account or asset that it is about.
    id: Uuid,
    /// Its number within the stream, from 1.
    #[schema(example = 1)]
    version: i32,
    /// What happened.
    #[schema(example = "transaction.posted")]
    kind: String,
    /// When it was recorded.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    recorded_at: String,
    /// Its value date, where one was given.
    effective_at: Option<String>,
    /// The facts; `moves` lists account and the changes of posted, held and incoming.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
}

impl Event {
    fn of(recorded: &Recorded) -> Result<Self, Problem> {
        let payload = payload(recorded.payload.to_string())?;
        Ok(Self {
            position: recorded.position,
            id: recorded.stream,
            version: recorded.version,
            kind: recorded.kind.to_string(),
            recorded_at: crate::answer::time(recorded.recorded_at),
            effective_at: recorded.effective_at.map(crate::answer::time),
            payload,
        })
    }
}

/// Read the events after a position: as a page, or with `Accept: text/event-stream` as a stream.
///
/// A page looks at a bounded part of the log and always answers `next`; ask again with it as `after`. An answer that holds no
/// events and whose `next` is what you sent says that you have seen everything.
#[utoipa::path(get, path = "/v1/events", tag = "Events", params(
    ("after" = Option<i64>, Query, description = "Position after which to begin; 0 is the beginning", minimum = 0),
    ("limit" = Option<i64>, Query, description = "1 to 100 events", minimum = 1, maximum = 100),
    ("Last-Event-ID" = Option<i64>, Header, description = "Where a stream goes on; wins over `after`")
), responses((status = 200, content((Feed = "application/json"), (String = "text/event-stream")))))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["after", "limit"])?;
    let after = query.integer("after", 0..=i64::MAX)?.unwrap_or(0);
    let last_event_id = last_event_id(&request)?;
    let accept = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept
        .split(',')
        .any(|range| range.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")))
    {
        let place = context.app.streams.of_integrators()?;
        return Ok(stream::open(context, feed::Log, place, last_event_id.unwrap_or(after)));
    }
    let feed = feed::page(&context, after, query.limit()?).await?;
    Ok(HttpResponse::Ok().json(feed))
}

/// Where a stream that broke off goes on.
pub fn last_event_id(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get("Last-Event-ID") else { return Ok(None) };
    let position: Option<i64> = value
        .to_str()
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok());
    position.map(Some).ok_or_else(|| {
        let detail = "Last-Event-ID is the position of an event".to_owned();
        Problem::new(Code::MalformedRequest, detail.clone()).with(Fault {
            place: Place::Header("Last-Event-ID".to_owned()),
            code: "malformed",
            detail,
        })
    })
}
