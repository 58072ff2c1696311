//! `/v1/reports/volume`: how much was moved per day, asset and kind, and how often.

use super::{as_of, respond, scale, scope};
use crate::context::Context;
use crate::ledger::balances::AsOf;
use crate::ledger::page;
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use actix_web::{HttpRequest, HttpResponse};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;
use vintem_core::projections::volume::{Filter, Row};

/// One page of volumes.
#[derive(Debug, Serialize, ToSchema)]
pub struct VolumePage {
    /// The point of the log that the view has reached.
    as_of: AsOf,
    /// By day, asset and kind.
    volumes: Vec<DailyVolume>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// What was moved on a day in an asset by a kind of event.
#[derive(Debug, Serialize, ToSchema)]
pub struct DailyVolume {
    /// The day of the value dates, in the tenant's time zone.
    #[schema(example = "2026-03-01")]
    day: String,
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// `posting`, `capture`, `reversal`, `hold`, `release`, `expiry`.
    #[schema(example = "posting")]
    kind: String,
    /// How many events.
    #[schema(example = 120)]
    count: i64,
    /// The sum of their debits; of holds what was set aside or given back.
    #[schema(example = "540.00")]
    amount: String,
}

impl From<Row> for DailyVolume {
    fn from(row: Row) -> Self {
        let amount = row.amount.to_text(scale(row.scale));
        Self { day: row.day.to_string(), asset: row.asset, kind: row.kind, count: row.count, amount }
    }
}

/// Read the volume per day, asset and kind, by value date.
#[utoipa::path(get, path = "/v1/reports/volume", tag = "Reports", params(
    ("from" = Option<String>, Query, description = "The first day"),
    ("to" = Option<String>, Query, description = "The last day"),
    ("asset" = Option<String>, Query, description = "Only this asset"),
    ("kind" = Option<String>, Query, description = "Only this kind"),
    ("min_position" = Option<i64>, Query, description = "A position that the view must have reached", minimum = 0),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = VolumePage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["from", "to", "asset", "kind", "min_position", "cursor", "limit"])?;
    let owned = |name| query.text(name).map(str::to_owned);
    let filter =
        Filter { from: query.date("from")?, to: query.date("to")?, asset: owned("asset"), kind: owned("kind") };
    if filter.from.zip(filter.to).is_some_and(|(from, to)| from > to) {
        return Err(invalid("from", "out-of-range", "the report would end before it begins"));
    }
    let (list, limit, scope) = (query.list("volume"), query.limit()?, scope(&context, &query)?);
    let place: Option<String> = page::after(&context, &query, &list)?;
    let after = place.map(|text| parse(&text)).transpose()?;
    let mut seen = context.app.views.volume(scope, &filter, after.as_ref(), limit + 1).await?;
    let next = page::cut(&mut seen.rows, limit)
        .then(|| {
            seen.rows.last().map(|row| page::next(&context, &list, &format!("{}:{}:{}", row.day, row.kind, row.asset)))
        })
        .flatten();
    let volumes = seen.rows.into_iter().map(DailyVolume::from).collect();
    Ok(respond(seen.as_of, &VolumePage { as_of: as_of(seen.as_of), volumes, next }))
}

fn parse(text: &str) -> Result<(NaiveDate, String, String), Problem> {
    let mut parts = text.splitn(3, ':');
    let mut place = || Some((parts.next()?.parse().ok()?, parts.next()?.to_owned(), parts.next()?.to_owned()));
    let (day, kind, asset) =
        place().ok_or_else(|| Problem::new(Code::InternalError, "a cursor of ours cannot be read"))?;
    Ok((day, asset, kind))
}
