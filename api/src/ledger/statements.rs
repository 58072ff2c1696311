//! `/v1/accounts/{id}/entries`: the statement.
//!
//! Lines stand in recorded order, because each carries the balances after it. `from` and `to` select
//! by value date (the recorded time where none was given), as a person asks for a month: a posting
//! that came late for March is a line of March, in its place of the recorded order.

use super::page;
use super::{accounts, input};
use crate::answer::{Balance, time};
use crate::context::Context;
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::kernel::Metadata;
use vintem_core::ledger::event;
use vintem_core::ledger::statement::Period;
use vintem_core::ledger::store::statement::LineRow;

/// One page of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct Statement {
    /// The account.
    account: Uuid,
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// In recorded order.
    entries: Vec<Line>,
    /// The cursor of the next page; null on the last one. A page may hold few lines or none and still have a next one.
    next: Option<String>,
}

/// One line of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub struct Line {
    /// Its place in the log.
    #[schema(example = 1024)]
    position: i64,
    /// When it was recorded.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    recorded_at: String,
    /// Its value date; the recorded time where none was given.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    effective_at: String,
    /// `posting`, `capture`, `reversal`; with holds also `hold`, `release` and `expiry`.
    #[schema(example = "posting")]
    kind: &'static str,
    /// Change of what is posted, in the direction of the account's normal side; zero for holds.
    #[schema(example = "-12.50")]
    amount: String,
    /// The balances after it.
    balance: Balance,
    /// The transaction that was posted or reversed.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Uuid>,
    /// The reversal.
    #[serde(skip_serializing_if = "Option::is_none")]
    reversal: Option<Uuid>,
    /// The hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<Uuid>,
    /// For people.
    description: Option<String>,
    /// The integrator's own facts.
    metadata: Metadata,
}

/// The members of payloads that a line shows.
#[derive(Deserialize)]
struct Facts {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    hold: Option<Uuid>,
    #[serde(default)]
    reversal: Option<Uuid>,
}

impl Line {
    fn of(row: &LineRow, scale: u8) -> Result<Self, Problem> {
        let facts: Facts = serde_json::from_str(&row.payload)
            .map_err(|_| Problem::new(Code::InternalError, "the recorded facts cannot be shown"))?;
        let is_hold = row.event_kind.starts_with("hold.");
        Ok(Self {
            position: row.position,
            recorded_at: time(row.recorded_at),
            effective_at: time(row.effective_at.unwrap_or(row.recorded_at)),
            kind: match (row.kind, &*row.event_kind) {
                (_, event::TRANSACTION_REVERSED) => "reversal",
                (3, _) => "capture",
                (4, _) => "release",
                (5, _) => "expiry",
                (2, _) => "hold",
                _ => "posting",
            },
            amount: row.amount.to_text(scale),
            balance: Balance::of(row.posted, row.held, row.incoming, row.version, scale),
            transaction: (!is_hold).then_some(row.stream),
            reversal: facts.reversal,
            hold: if is_hold { Some(row.stream) } else { facts.hold },
            description: facts.description,
            metadata: facts.metadata,
        })
    }
}

/// Read an account's statement.
///
/// `from` and `to` select by value date (a date is its start for `from` and its end for `to`, in the tenant's time zone); lines
/// stand in recorded order.
#[utoipa::path(get, path = "/v1/accounts/{id}/entries", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id"),
    ("from" = Option<String>, Query, description = "Effective at or after this instant or date"),
    ("to" = Option<String>, Query, description = "Effective at or before this instant or date"),
    ("include" = Option<String>, Query, description = "`holds` adds lines that moved no money"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = Statement)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["from", "to", "include", "cursor", "limit"])?;
    let zone = context.tenant.time_zone;
    let with_holds = match query.text("include") {
        None => false,
        Some("holds") => true,
        Some(_) => return Err(invalid("include", "malformed", "the parameter is `holds` or absent")),
    };
    let period = Period {
        from: query.when("from")?.map(|when| when.start(zone)),
        to: query.when("to")?.map(|when| when.end(zone)),
        with_holds,
    };
    if period.from.zip(period.to).is_some_and(|(from, to)| from > to) {
        return Err(invalid("from", "out-of-range", "the statement would end before it begins"));
    }
    let id = input::path_id(&request)?;
    let (list, limit) = (query.list(&format!("entries/{id}")), query.limit()?);
    let after = page::after(&context, &query, &list)?.unwrap_or(0);
    let identity = accounts::identity(&context, id).await?;
    let found = context.app.ledger.statement(&context.actor, identity.number, period, after, limit).await?;
    let entries = found.lines.iter().map(|row| Line::of(row, identity.scale)).collect::<Result<_, _>>()?;
    let next = found.next.map(|version| page::next(&context, &list, &version));
    Ok(HttpResponse::Ok().json(Statement { account: id, asset: identity.asset.clone(), entries, next }))
}
