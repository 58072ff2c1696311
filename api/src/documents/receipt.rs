//! `/v1/transactions/{id}/receipt` and `/v1/receipts/{code}`: a receipt, and whether it is true.

use crate::answer::{Money, time, unstored};
use crate::app::App;
use crate::context::Context;
use crate::ledger::input;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use vintem_core::receipts::{Code, Reversed};
use vintem_core::telemetry::clock;

/// A receipt to be handed on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipt {
    /// The code by which anybody may ask for it.
    #[schema(example = "7K3M-09QX-T4WB-2HZD")]
    code: String,
    /// A compact JWS (`EdDSA`) of ids, amounts and times; `/.well-known/jwks.json` has the key.
    signed: String,
    /// Where to ask.
    #[schema(example = "/v1/receipts/7K3M-09QX-T4WB-2HZD")]
    check: String,
}

/// What is true of a receipt now; accounts are masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckedReceipt {
    /// Its code.
    #[schema(example = "7K3M-09QX-T4WB-2HZD")]
    code: String,
    /// The institution that gave it out.
    #[schema(example = "coffee-town")]
    tenant: String,
    /// When it was given out.
    #[schema(example = "2026-03-01T12:00:05.000000Z")]
    issued_at: String,
    /// When the money moved.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    recorded_at: String,
    /// Its value date.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    effective_at: String,
    /// What moved, leg by leg; of more than two accounts only those that gave.
    legs: Vec<MaskedLeg>,
    /// Whether it was taken back since: `no`, `partly` or `wholly`.
    reversed: Reversed,
}

/// One account's part.
#[derive(Debug, Serialize, ToSchema)]
pub struct MaskedLeg {
    /// The end of the account's id.
    #[schema(example = "…3f6f")]
    account: String,
    /// `debit` or `credit`.
    #[schema(example = "debit")]
    direction: &'static str,
    /// How much.
    amount: Money,
}

/// Take the receipt of a transaction: signed, and the same whenever it is asked for.
#[utoipa::path(get, path = "/v1/transactions/{id}/receipt", tag = "Transactions", params(("id" = uuid::Uuid, Path, description = "The transaction's id")), responses((status = 200, body = Receipt)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let id = input::path_id(&request)?;
    let found = context.app.receipts.of(&context.actor, &context.tenant, id, clock::now()).await?;
    Ok(given(found.ok_or_else(Problem::not_found)?))
}

/// The answer that hands a receipt out.
pub fn given(receipt: vintem_core::receipts::Receipt) -> HttpResponse {
    let code = receipt.code.to_string();
    unstored(Receipt { check: format!("/v1/receipts/{code}"), code, signed: receipt.signed })
}

/// Ask whether a receipt is true, and whether it was reversed since. Anybody may.
#[utoipa::path(get, path = "/v1/receipts/{code}", tag = "Transactions", params(("code" = String, Path, description = "The receipt's code")), responses((status = 200, body = CheckedReceipt)), security(()))]
pub async fn check(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let app = App::of(&request)?;
    let code = request.match_info().get("code").and_then(Code::read).ok_or_else(Problem::not_found)?;
    let given = app.receipts.given(&code).await?.ok_or_else(Problem::not_found)?;
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    app.access.admission().admit(given.tenant, host, false)?;
    let tenant = app.access.tenant(given.tenant).await?;
    let found = app.receipts.check(&tenant, &given).await?.ok_or_else(Problem::not_found)?;
    let is_pair = found.legs.len() <= 2;
    let legs = found.legs.into_iter().filter(|leg| is_pair || leg.direction == "debit").map(|leg| MaskedLeg {
        account: format!("…{}", &leg.account.simple().to_string()[28..]),
        direction: leg.direction,
        amount: Money { amount: leg.amount, asset: leg.asset },
    });
    let (recorded_at, effective_at) = found.times;
    Ok(unstored(CheckedReceipt {
        code: code.to_string(),
        tenant: tenant.name.as_str().to_owned(),
        issued_at: time(found.issued_at),
        recorded_at,
        effective_at,
        legs: legs.collect(),
        reversed: found.reversed,
    }))
}
