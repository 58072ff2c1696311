//! `/v1/account/entries`, `/v1/account/statement` and `/v1/account/transactions/{id}/receipt`: what moved, and the papers of it.
//!
//! A line shows what happened to one's own account and no other leg, so it is the same for its owner as for a service client, less
//! the metadata, which programs write for programs. Descriptions are for people, and stay.

use super::identity;
use crate::context::Context;
use crate::documents::receipt::{self, Receipt};
use crate::documents::statement;
use crate::ledger::input::path_id;
use crate::ledger::statements::{self, Statement};
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use vintem_core::telemetry::clock;

/// Read what moved on your account.
///
/// Parameters, order and shape are those of `/v1/accounts/{id}/entries`; `metadata` is always empty.
#[utoipa::path(get, path = "/v1/account/entries", tag = "Account", params(
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
    let query = Query::of(&request, &statements::PARAMETERS)?;
    let identity = identity(&context).await?;
    Ok(HttpResponse::Ok().json(statements::of(&context, &query, &identity).await?.for_its_owner()))
}

/// Take your statement as a file. Parameters and forms are those of `/v1/accounts/{id}/statement`.
#[utoipa::path(get, path = "/v1/account/statement", tag = "Account", params(
    ("format" = String, Query, description = "`csv`, `ofx` or `pdf`"),
    ("from" = Option<String>, Query, description = "The first day", example = "2026-03-01"),
    ("to" = Option<String>, Query, description = "The last day", example = "2026-03-31")
), responses((status = 200, content((String = "text/csv"), (String = "application/x-ofx"), (String = "application/pdf")))))]
pub async fn download(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["format", "from", "to"])?;
    let identity = identity(&context).await?;
    statement::of(context, &query, identity).await
}

/// Take the receipt of a transaction of yours. One that names more people than you and the other side is not for you: 404.
#[utoipa::path(get, path = "/v1/account/transactions/{id}/receipt", tag = "Account", params(("id" = uuid::Uuid, Path, description = "The transaction's id")), responses((status = 200, body = Receipt)))]
pub async fn take_receipt(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (own, id) = (identity(&context).await?.id, path_id(&request)?);
    let found = context.app.receipts.of_own(&context.actor, &context.tenant, own, id, clock::now()).await?;
    Ok(receipt::given(found.ok_or_else(Problem::not_found)?))
}
