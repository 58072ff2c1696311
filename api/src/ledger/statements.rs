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
use vintem_core::event_store::proposal::EntryKind;
use vintem_core::kernel::{Metadata, Minor, Place};
use vintem_core::ledger::known::Identity;
use vintem_core::ledger::statement::Period;
use vintem_core::ledger::store::statement::{Filter, LineRow};

/// What a statement is asked with.
pub const PARAMETERS: [&str; 9] = ["from", "to", "include", "type", "direction", "min", "max", "cursor", "limit"];

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

impl Statement {
    /// Without what programs have noted for themselves.
    #[must_use]
    pub fn for_its_owner(mut self) -> Self {
        for line in &mut self.entries {
            line.metadata.clear();
        }
        self
    }
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
            kind: kind_of(row.kind),
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

/// The kinds of lines, as they are called here.
const KINDS: [(EntryKind, &str); 6] = [
    (EntryKind::Posting, "posting"),
    (EntryKind::Capture, "capture"),
    (EntryKind::Reversal, "reversal"),
    (EntryKind::Hold, "hold"),
    (EntryKind::Release, "release"),
    (EntryKind::Expiry, "expiry"),
];

/// What a kind is called.
pub fn kind_of(stored: i16) -> &'static str {
    KINDS.iter().find(|(kind, _)| *kind as i16 == stored).map_or("posting", |(_, name)| name)
}

/// The filters of a request beyond its dates.
fn filter(query: &Query, scale: u8) -> Result<Filter, Problem> {
    let kind = query.text("type").map(|text| {
        let found = KINDS.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind);
        let detail = "the type is posting, capture, reversal, hold, release or expiry";
        found.ok_or_else(|| invalid("type", "malformed", detail))
    });
    let is_in = match query.text("direction") {
        None => None,
        Some("in") => Some(true),
        Some("out") => Some(false),
        Some(_) => return Err(invalid("direction", "malformed", "the direction is in or out")),
    };
    let bound = |name: &str| {
        let read = |text| match Minor::parse_balance(text, scale) {
            Ok(bound) if !bound.is_negative() => Ok(bound),
            Ok(_) => Err(invalid(name, "out-of-range", "the bound is not below zero; `direction` says which way")),
            Err(error) => {
                Err(Problem::invalid(Place::Parameter(name.to_owned()), "malformed", format!("the bound {error}")))
            }
        };
        query.text(name).map(read).transpose()
    };
    Ok(Filter { kind: kind.transpose()?, is_in, least: bound("min")?, most: bound("max")? })
}

/// Read an account's statement.
///
/// `from` and `to` select by value date (a date is its start for `from` and its end for `to`, in the tenant's time zone); lines
/// stand in recorded order.
#[utoipa::path(get, path = "/v1/accounts/{id}/entries", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id"),
    ("from" = Option<String>, Query, description = "Effective at or after this instant or date"),
    ("to" = Option<String>, Query, description = "Effective at or before this instant or date"),
    ("include" = Option<String>, Query, description = "`holds` adds lines that moved no money"),
    ("type" = Option<String>, Query, description = "Only `posting`, `capture`, `reversal`, `hold`, `release` or `expiry`; the last three with their lines"),
    ("direction" = Option<String>, Query, description = "Only what came `in` or went `out`"),
    ("min" = Option<String>, Query, description = "Only amounts from this on, whatever their direction", example = "10.00"),
    ("max" = Option<String>, Query, description = "Only amounts up to this, whatever their direction", example = "99.99"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = Statement)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &PARAMETERS)?;
    let identity = accounts::identity(&context, input::path_id(&request)?).await?;
    Ok(HttpResponse::Ok().json(of(&context, &query, &identity).await?))
}

/// A page of the statement of an account that its caller may see.
pub async fn of(context: &Context, query: &Query, identity: &Identity) -> Result<Statement, Problem> {
    let id = identity.id;
    let filter = filter(query, identity.scale)?;
    let zone = context.tenant.time_zone;
    let with_holds = match query.text("include") {
        None => matches!(filter.kind, Some(EntryKind::Hold | EntryKind::Release | EntryKind::Expiry)),
        Some("holds") => true,
        Some(_) => return Err(invalid("include", "malformed", "the parameter is `holds` or absent")),
    };
    let period = Period {
        from: query.when("from")?.map(|when| when.start(zone)),
        to: query.when("to")?.map(|when| when.end(zone)),
        with_holds,
        filter,
        last: None,
    };
    if period.from.zip(period.to).is_some_and(|(from, to)| from > to) {
        return Err(invalid("from", "out-of-range", "the statement would end before it begins"));
    }
    let (list, limit) = (query.list(&format!("entries/{id}")), query.limit()?);
    let after = page::after(context, query, &list)?.unwrap_or(0);
    let found = context.app.ledger.statement(&context.actor, identity.number, period, after, limit).await?;
    let entries = found.lines.iter().map(|row| Line::of(row, identity.scale)).collect::<Result<_, _>>()?;
    let next = found.next.map(|version| page::next(context, &list, &version));
    Ok(Statement { account: id, asset: identity.asset.clone(), entries, next })
}
