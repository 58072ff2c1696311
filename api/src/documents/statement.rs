//! `/v1/accounts/{id}/statement`: a statement as a file.

use super::csv::Csv;
use super::entry::{Entry, Head, Paper};
use super::ofx::{self, Ofx};
use super::pdf::{self, Paged};
use crate::context::Context;
use crate::ledger::{accounts, input};
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use chrono::{Datelike as _, NaiveDate, TimeDelta};
use futures_util::stream;
use std::sync::Arc;
use vintem_core::kernel::{Minor, When};
use vintem_core::ledger::known::Identity;
use vintem_core::ledger::statement::Period;
use vintem_core::telemetry::clock;

/// Days between the first and the last of a statement, both counted.
const LONGEST: i64 = 366;
/// Lines read at once, each page in a transaction of its own.
const PAGE: i64 = 1_000;

/// A form that a statement is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Ofx,
    Pdf,
}

impl Form {
    fn of(query: &Query, asset: &str) -> Result<Self, Problem> {
        match query.text("format") {
            Some("csv") => Ok(Self::Csv),
            Some("ofx") if ofx::is_currency(asset) => Ok(Self::Ofx),
            Some("ofx") => {
                Err(invalid("format", "out-of-range", "OFX knows currencies of three letters; take csv or pdf"))
            }
            Some("pdf") => Ok(Self::Pdf),
            _ => Err(invalid("format", "required", "the format is csv, ofx or pdf")),
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ofx => "ofx",
            Self::Pdf => "pdf",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ofx => "application/x-ofx; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }
}

/// Take an account's statement as a file: opening balance, lines, closing balance.
///
/// `from` and `to` are days in the tenant's time zone, both part of it, at most 366: this month so far, if they are absent. Lines
/// are picked by value date and stand in recorded order, as the ledger stood at one position. `Accept-Language` chooses
/// between English and Portuguese. A CSV or OFX file that breaks off lacks its closing balance. A PDF has at most 10,000 lines.
#[utoipa::path(get, path = "/v1/accounts/{id}/statement", tag = "Accounts", params(("id" = uuid::Uuid, Path, description = "The account's id"),
    ("format" = String, Query, description = "`csv`, `ofx` or `pdf`"),
    ("from" = Option<String>, Query, description = "The first day", example = "2026-03-01"),
    ("to" = Option<String>, Query, description = "The last day", example = "2026-03-31")
), responses((status = 200, content((String = "text/csv"), (String = "application/x-ofx"), (String = "application/pdf")))))]
pub async fn download(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["format", "from", "to"])?;
    let identity = accounts::identity(&context, input::path_id(&request)?).await?;
    of(context, &query, identity).await
}

/// The statement of an account that its caller may see.
pub async fn of(context: Context, query: &Query, identity: Arc<Identity>) -> Result<HttpResponse, Problem> {
    let form = Form::of(query, &identity.asset)?;
    let (from, to) = period(&context, query)?;
    let zone = context.tenant.time_zone;
    let (begin, end) = (When::On(from).start(zone), When::On(to).end(zone));
    let frame = context.app.ledger.frame(&context.actor, identity.number, begin, end).await?;
    let head = Head {
        lang: context.shown.lang,
        zone,
        tenant: context.tenant.name.as_str().to_owned(),
        account: identity.id,
        name: identity.name.clone(),
        asset: identity.asset.clone(),
        scale: identity.scale,
        from,
        to,
        made_at: frame.point.recorded_at.unwrap_or_else(clock::now),
        position: frame.point.position,
        opening: frame.opening,
        closing: frame.closing,
    };
    let period = Period { from: Some(begin), to: Some(end), last: Some(frame.last), ..Period::default() };
    let name = format!("{}-{from}-{to}.{}", head.lang.file(), form.ending());
    let reading = Reading { balance: frame.opening, context, identity, period, after: Some(0) };
    let mut response = HttpResponse::Ok();
    response
        .content_type(form.media_type())
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    Ok(match form {
        Form::Csv => response.streaming(parts(Box::new(Csv(head)), reading)),
        Form::Ofx => response.streaming(parts(Box::new(Ofx(head)), reading)),
        Form::Pdf => response.body(paged(head, reading).await?),
    })
}

fn period(context: &Context, query: &Query) -> Result<(NaiveDate, NaiveDate), Problem> {
    let today = clock::now().with_timezone(&context.tenant.time_zone).date_naive();
    let to = query.date("to")?.unwrap_or(today);
    let from = query.date("from")?.unwrap_or_else(|| to.with_day(1).unwrap_or(to));
    if from > to {
        return Err(invalid("from", "out-of-range", "the statement would end before it begins"));
    }
    if to - from >= TimeDelta::days(LONGEST) {
        return Err(invalid("from", "out-of-range", &format!("a statement is of {LONGEST} days at most")));
    }
    Ok((from, to))
}

/// Where the reading of lines has come to.
struct Reading {
    context: Context,
    identity: Arc<Identity>,
    period: Period,
    balance: Minor,
    after: Option<i64>,
}

impl Reading {
    /// The next lines; `None` when there are no more.
    async fn next(&mut self) -> Result<Option<Vec<Entry>>, Problem> {
        let Some(after) = self.after else { return Ok(None) };
        let Context { app, actor, tenant, .. } = &self.context;
        let page = app.ledger.statement(actor, self.identity.number, self.period, after, PAGE).await?;
        self.after = page.next;
        let mut entries = Vec::with_capacity(page.lines.len());
        for row in &page.lines {
            let entry = Entry::of(row, self.balance, tenant.time_zone)?;
            self.balance = entry.balance;
            entries.push(entry);
        }
        Ok(Some(entries))
    }
}

/// What is still to be written of a file.
enum Part {
    Begin(Box<dyn Paper>, Reading),
    Lines(Box<dyn Paper>, Reading),
    Nothing,
}

/// A file that is written while it is read. A page that cannot be read breaks it off before its closing balance.
fn parts(paper: Box<dyn Paper>, reading: Reading) -> impl futures_util::Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(Part::Begin(paper, reading), |part| async move {
        Ok::<_, Problem>(match part {
            Part::Begin(mut paper, reading) => Some((paper.begin().into(), Part::Lines(paper, reading))),
            Part::Lines(mut paper, mut reading) => match reading.next().await? {
                Some(entries) => Some((paper.lines(&entries).into(), Part::Lines(paper, reading))),
                None => Some((paper.end().into(), Part::Nothing)),
            },
            Part::Nothing => None,
        })
    })
}

/// A document that is drawn when all of it is there, beside the threads that serve requests.
async fn paged(head: Head, mut reading: Reading) -> Result<Vec<u8>, Problem> {
    let mut paper = Paged::new(head);
    while let Some(entries) = reading.next().await? {
        paper.lines(&entries);
        if paper.count() > pdf::MOST_LINES {
            let detail = format!("a PDF has at most {} lines; take a shorter period, csv or ofx", pdf::MOST_LINES);
            return Err(invalid("format", "out-of-range", &detail));
        }
    }
    let drawn = reading.context.app.bulk.spawn_blocking(move || paper.end()).await;
    drawn.map_err(|_| Problem::new(Code::InternalError, "the document could not be drawn"))
}
