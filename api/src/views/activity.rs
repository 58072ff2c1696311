//! `/v1/accounts/{id}/activity`: what happened on an account, found by words, kind, counterparty, amount and date.

use super::{as_of, respond, scope};
use crate::answer::time;
use crate::context::Context;
use crate::ledger::balances::AsOf;
use crate::ledger::{accounts, input, page};
use crate::object::parse_uuid;
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::kernel::{Metadata, Minor};
use vintem_core::projections::activity::{Found, Search};

/// One page of what happened on an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityPage {
    /// The point of the log that the view has reached.
    as_of: AsOf,
    /// The account.
    account: Uuid,
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// The newest first.
    activity: Vec<ActivityLine>,
    /// The cursor of the next page; null on the last one. A page may hold few lines or none and still have a next one.
    next: Option<String>,
}

/// One event on the account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivityLine {
    /// Its place in the log.
    #[schema(example = 1024)]
    position: i64,
    /// `posting`, `capture`, `reversal`, `hold`, `release`, `expiry`.
    #[schema(example = "posting")]
    kind: String,
    /// The change of what is posted, or of what is available where only that changed; in the direction of the account's normal side.
    #[schema(example = "-12.50")]
    amount: String,
    /// The account on the other side, if it is alone there.
    counterparty: Option<Uuid>,
    /// Its value date; the recorded time where none was given.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    effective_at: String,
    /// The transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<Uuid>,
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
}

impl ActivityLine {
    fn of(row: Found, scale: u8) -> Result<Self, Problem> {
        let facts: Facts = serde_json::from_str(&row.payload)
            .map_err(|_| Problem::new(Code::InternalError, "the recorded facts cannot be shown"))?;
        let is_hold = row.event_kind.starts_with("hold.");
        Ok(Self {
            position: row.position,
            kind: row.kind,
            amount: row.amount.to_text(scale),
            counterparty: row.counterparty,
            effective_at: time(row.effective_at),
            transaction: (!is_hold).then_some(row.stream),
            hold: if is_hold { Some(row.stream) } else { facts.hold },
            description: facts.description,
            metadata: facts.metadata,
        })
    }
}

/// Words that one search may name.
const WORDS: usize = 8;
const KINDS: [&str; 6] = ["posting", "capture", "reversal", "hold", "release", "expiry"];

/// Search what happened on an account, the newest first.
///
/// `text` finds whole words of descriptions and of values of metadata, whatever their case and accents; all of them must be
/// there. Amounts count whichever way the money went.
#[utoipa::path(get, path = "/v1/accounts/{id}/activity", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id"),
    ("text" = Option<String>, Query, description = "Words that must all be there"),
    ("kind" = Option<String>, Query, description = "Only this kind"),
    ("counterparty" = Option<Uuid>, Query, description = "Only with this account alone on the other side"),
    ("amount_from" = Option<String>, Query, description = "The smallest amount, such as 12.50"),
    ("amount_to" = Option<String>, Query, description = "The largest amount"),
    ("from" = Option<String>, Query, description = "Effective at or after this instant or date"),
    ("to" = Option<String>, Query, description = "Effective at or before this instant or date"),
    ("min_position" = Option<i64>, Query, description = "A position that the view must have reached", minimum = 0),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = ActivityPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let known =
        ["text", "kind", "counterparty", "amount_from", "amount_to", "from", "to", "min_position", "cursor", "limit"];
    let query = Query::of(&request, &known)?;
    let id = input::path_id(&request)?;
    let (list, limit, scope) = (query.list(&format!("activity/{id}")), query.limit()?, scope(&context, &query)?);
    let before = page::after(&context, &query, &list)?.unwrap_or(i64::MAX);
    let identity = accounts::identity(&context, id).await?;
    let search = search(&context, &query, identity.scale)?;
    let seen = context.app.views.activity(scope, id, &search, before, limit).await?;
    let (found, next) = seen.rows;
    let activity = found.into_iter().map(|row| ActivityLine::of(row, identity.scale)).collect::<Result<_, _>>()?;
    let next = next.map(|position| page::next(&context, &list, &position));
    let as_of = as_of(seen.as_of);
    Ok(respond(seen.as_of, &ActivityPage { as_of, account: id, asset: identity.asset.clone(), activity, next }))
}

fn search(context: &Context, query: &Query, scale: u8) -> Result<Search, Problem> {
    let zone = context.tenant.time_zone;
    let amount = |name: &str| {
        let parse = |text| {
            Minor::parse_amount(text, scale).map_err(|error| invalid(name, "malformed", &format!("the amount {error}")))
        };
        query.text(name).map(parse).transpose()
    };
    let mut search = Search {
        words: Vec::new(),
        counterparty: None,
        kind: query.text("kind").map(str::to_owned),
        least: amount("amount_from")?,
        most: amount("amount_to")?,
        from: query.when("from")?.map(|when| when.start(zone)),
        to: query.when("to")?.map(|when| when.end(zone)),
    };
    if search.kind.as_deref().is_some_and(|kind| !KINDS.contains(&kind)) {
        return Err(invalid("kind", "out-of-range", &format!("the parameter is one of {}", KINDS.join(", "))));
    }
    if search.least.zip(search.most).is_some_and(|(least, most)| least > most) {
        return Err(invalid("amount_from", "out-of-range", "the smallest amount is above the largest"));
    }
    if search.from.zip(search.to).is_some_and(|(from, to)| from > to) {
        return Err(invalid("from", "out-of-range", "the search would end before it begins"));
    }
    if let Some(text) = query.text("counterparty") {
        let id = parse_uuid(text).ok_or_else(|| invalid("counterparty", "malformed", "name the account by its id"))?;
        search.counterparty = Some(id);
    }
    if let Some(text) = query.text("text").filter(|text| !(1..=WORDS).contains(&search.text(text))) {
        let shown: String = text.chars().take(20).collect();
        return Err(invalid("text", "out-of-range", &format!("\"{shown}\" is not 1 to {WORDS} words")));
    }
    Ok(search)
}
