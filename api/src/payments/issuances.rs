//! `/v1/issuances`, `/v1/redemptions`: money comes into being and goes out of it.

use crate::answer::payment::Issuance;
use crate::context::Write;
use crate::ledger::input::Money;
use crate::object::{object, some_uuid};
use crate::problem::Problem;
use crate::write;
use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::payments::issuance::{Direction, Move};

/// Whose money, how much, and what for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IssuanceInput {
    /// The account's id.
    #[serde(deserialize_with = "some_uuid")]
    account: Uuid,
    /// How much.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// What it is for, as the books number it: what came in at the bank, say.
    #[schema(example = "TED/2026-118", pattern = "^[A-Za-z0-9._:/-]{1,64}$")]
    reference: String,
}

/// Issue money: it comes into being on an account, against what backs it (`system:issued`).
#[utoipa::path(post, path = "/v1/issuances", tag = "Money", request_body = IssuanceInput, responses((status = 201, body = Issuance)))]
pub async fn issue(write: Write<IssuanceInput>) -> Result<HttpResponse, Problem> {
    moved(write, Direction::Issue).await
}

/// Redeem money: it goes out of being, as it was paid out outside.
#[utoipa::path(post, path = "/v1/redemptions", tag = "Money", request_body = IssuanceInput, responses((status = 201, body = Issuance)))]
pub async fn redeem(write: Write<IssuanceInput>) -> Result<HttpResponse, Problem> {
    moved(write, Direction::Redeem).await
}

async fn moved(write: Write<IssuanceInput>, direction: Direction) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: IssuanceInput { account, amount: Money { amount, asset }, reference } } = write;
    let (id, transaction) = (fresh::new_id(), fresh::new_id());
    let command = Move { direction, id, transaction, account, amount, asset, reference };
    let render = super::render(&context);
    let executed = context.app.payments.issue(&context.actor, &key, &command, &render).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}
