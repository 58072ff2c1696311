//! `/v1/audit-events`: who did what, by pages and as a file.
//!
//! It reads the log itself, so what is answered is chained and cannot have been deleted. Movements of money are not in
//! it: they have lists of their own, by account.

use crate::answer::{payload, time, unstored};
use crate::context::Context;
use crate::ledger::page;
use crate::object::parse_uuid;
use crate::problem::Problem;
use crate::query::{Query, invalid};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::audit::{Audited, Search};

/// Lines of the file that are read at once, each page in a transaction of its own.
const PAGE: i64 = 1_000;
const ACTOR: usize = 100;

/// One page of who did what.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// The newest first.
    events: Vec<AuditEvent>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// Something that somebody did.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEvent {
    /// Its place in the log.
    #[schema(example = 1024)]
    position: i64,
    /// What it is about: a client, a member of the staff, an account, a holder, the tenant.
    subject: Uuid,
    /// Its number among the events of the subject, from 1: the one before says how it was before.
    #[schema(example = 2)]
    version: i32,
    /// What happened.
    #[schema(example = "holder.unmasked")]
    kind: String,
    /// Who did it: `client:<id>`, `staff:<id>`, `operator`, or a clock.
    #[schema(example = "client:01983d6c-8a00-7000-8000-0000000000ff")]
    actor: String,
    /// When it was recorded.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    recorded_at: String,
    /// The trace id of the request, as its answer and the logs have it.
    trace_id: Option<String>,
    /// The facts: how it is since then.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
}

impl AuditEvent {
    fn of(audited: Audited) -> Result<Self, Problem> {
        let payload = payload(audited.payload)?;
        Ok(Self {
            position: audited.position,
            subject: audited.subject,
            version: audited.version,
            kind: audited.kind,
            actor: audited.actor,
            recorded_at: time(audited.recorded_at),
            trace_id: audited.correlation,
            payload,
        })
    }
}

/// Search who did what, the newest first.
///
/// Everything that was changed is there but movements of money, and every look at a person's data as it is.
#[utoipa::path(get, path = "/v1/audit-events", tag = "Access", params(
    ("actor" = Option<String>, Query, description = "Only what this one did, such as `staff:<id>`"),
    ("subject" = Option<Uuid>, Query, description = "Only what is about this"),
    ("kind" = Option<String>, Query, description = "Only this kind"),
    ("from" = Option<String>, Query, description = "Recorded at or after this instant or date"),
    ("to" = Option<String>, Query, description = "Recorded at or before this instant or date"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 events", minimum = 1, maximum = 100)
), responses((status = 200, body = AuditPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["actor", "subject", "kind", "from", "to", "cursor", "limit"])?;
    let (list, limit) = (query.list("audit-events"), query.limit()?);
    let mut search = asked(&context, &query).await?;
    search.before = search.before.min(page::after(&context, &query, &list)?.unwrap_or(i64::MAX));
    let mut found = context.app.access.audit(&context.tenant, &search, limit + 1).await?;
    let is_more = page::cut(&mut found, limit);
    let oldest = found.last().map(|event| event.position).filter(|_| is_more);
    let events = found.into_iter().map(AuditEvent::of).collect::<Result<_, _>>()?;
    let next = oldest.map(|position| page::next(&context, &list, &position));
    Ok(unstored(AuditPage { events, next }))
}

/// Take who did what as a file: a line of JSON per event, the newest first, with the filters of the list.
///
/// The last line is `{"end":true,"events":<count>}`; a file without it is not whole.
#[utoipa::path(get, path = "/v1/audit-events/export", tag = "Access", params(
    ("actor" = Option<String>, Query, description = "Only what this one did, such as `staff:<id>`"),
    ("subject" = Option<Uuid>, Query, description = "Only what is about this"),
    ("kind" = Option<String>, Query, description = "Only this kind"),
    ("from" = Option<String>, Query, description = "Recorded at or after this instant or date"),
    ("to" = Option<String>, Query, description = "Recorded at or before this instant or date")
), responses((status = 200, body = String, content_type = "application/x-ndjson")))]
pub async fn export(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["actor", "subject", "kind", "from", "to"])?;
    let search = asked(&context, &query).await?;
    let first = Part { context, search, events: 0 };
    // A page that cannot be read breaks the answer off, before the line that ends it.
    let parts = stream::try_unfold(Some(first), |part| async move {
        let Some(part) = part else { return Ok::<_, Problem>(None) };
        part.next().await.map(Some)
    });
    let mut response = HttpResponse::Ok();
    response.content_type("application/x-ndjson").insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(response.streaming(parts))
}

struct Part {
    context: Context,
    search: Search,
    events: usize,
}

impl Part {
    /// The lines of the next page, and where to go on, if there is more.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), Problem> {
        let found = self.context.app.access.audit(&self.context.tenant, &self.search, PAGE).await?;
        let last = found.last().map(|event| event.position);
        self.events += found.len();
        let mut lines = Vec::new();
        for event in found {
            // Plain data always serialises.
            lines.extend(serde_json::to_vec(&AuditEvent::of(event)?).unwrap_or_default());
            lines.push(b'\n');
        }
        let Some(last) = last else {
            lines.extend(format!("{{\"end\":true,\"events\":{}}}\n", self.events).into_bytes());
            return Ok((lines.into(), None));
        };
        self.search.before = last;
        Ok((lines.into(), Some(self)))
    }
}

async fn asked(context: &Context, query: &Query) -> Result<Search, Problem> {
    let zone = context.tenant.time_zone;
    let subject = query
        .text("subject")
        .map(|text| parse_uuid(text).ok_or_else(|| invalid("subject", "malformed", "the subject is named by its id")));
    let text = |name: &str| match query.text(name) {
        Some(text) if text.is_empty() || text.len() > ACTOR => {
            Err(invalid(name, "out-of-range", &format!("the parameter has 1 to {ACTOR} characters")))
        }
        text => Ok(text.map(str::to_owned)),
    };
    let (from, to) = (query.when("from")?.map(|when| when.start(zone)), query.when("to")?.map(|when| when.end(zone)));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(invalid("from", "out-of-range", "the search would end before it begins"));
    }
    let (actor, subject, kind) = (text("actor")?, subject.transpose()?, text("kind")?);
    let (after, before) = context.app.access.recorded_between(&context.tenant, from, to).await?;
    Ok(Search { actor, subject, kind, after, before })
}
