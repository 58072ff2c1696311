//! `GET /v1/holds` and `GET /v1/holds/{id}`

use crate::answer::Unreadable;
use crate::answer::hold::Hold;
use crate::context::Context;
use crate::ledger::accounts;
use crate::ledger::input;
use crate::ledger::page;
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::telemetry::clock;

/// One page of holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldPage {
    /// The rows.
    holds: Vec<Hold>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// Read a hold as it stands.
#[utoipa::path(get, path = "/v1/holds/{id}", tag = "Holds", params(("id" = Uuid, Path, description = "The hold's id")), responses((status = 200, body = Hold)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let id = input::path_id(&request)?;
    let (folded, facts) = context.app.ledger.hold(&context.actor, id).await?.ok_or_else(Problem::not_found)?;
    let hold = Hold::standing(&folded, Some(clock::now()), &facts.known).map_err(unreadable)?;
    Ok(HttpResponse::Ok().json(hold))
}

/// List the open holds on an account.
#[utoipa::path(get, path = "/v1/holds", tag = "Holds", params(
    ("account" = Uuid, Query, description = "The account's id"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = HoldPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["account", "cursor", "limit"])?;
    let text = query.text("account").ok_or_else(|| invalid("account", "required", "name the account by its id"))?;
    let id =
        crate::object::parse_uuid(text).ok_or_else(|| invalid("account", "malformed", "name the account by its id"))?;
    let (list, limit) = (query.list("holds"), query.limit()?);
    let after: Option<Uuid> = page::after(&context, &query, &list)?;
    let account = accounts::identity(&context, id).await?;
    let (mut folded, facts) = context.app.ledger.open_holds(&context.actor, account.number, after, limit + 1).await?;
    let next = page::cut(&mut folded, limit)
        .then(|| folded.last().map(|last| page::next(&context, &list, &last.id)))
        .flatten();
    let now = clock::now();
    let items = folded
        .iter()
        .map(|hold| Hold::standing(hold, Some(now), &facts.known))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    Ok(HttpResponse::Ok().json(HoldPage { holds: items, next }))
}

fn unreadable(error: Unreadable) -> Problem {
    Problem::new(Code::InternalError, error.to_string())
}
