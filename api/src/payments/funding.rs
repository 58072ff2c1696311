//! `/v1/top-ups`, `/v1/withdrawals`: a citizen brings money in and takes it out.

use super::transfers::ConfirmInput;
use crate::answer::funding::{TopUp, Withdrawal};
use crate::citizens::citizen;
use crate::context::{Context, Proven, Write};
use crate::ledger::input::{Money, path_id};
use crate::object::object;
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::citizens::Shown;
use vintem_core::payments::Confirm;
use vintem_core::payments::Party;
use vintem_core::payments::funding::NewOrder;
use vintem_core::payments::limits::Device;

/// How much comes in, and by which way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopUpInput {
    /// How much, in the account's asset.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// The way in.
    #[schema(example = "simulated", pattern = "^simulated$")]
    method: String,
}

/// How much goes out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalInput {
    /// How much, in the account's asset.
    #[serde(deserialize_with = "object")]
    amount: Money,
}

/// Ask how to bring money in. What comes in time is on your account at once.
#[utoipa::path(post, path = "/v1/top-ups", tag = "Funding", request_body = TopUpInput, responses((status = 201, body = TopUp)))]
pub async fn top_up(write: Write<TopUpInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: TopUpInput { amount, method } } = write;
    let (new, render) = (order(&context, amount)?, super::render(&context));
    let executed = context.app.payments.request_top_up(&context.actor, &key, (&new, &method), &render).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

/// What became of a top-up of yours.
#[utoipa::path(get, path = "/v1/top-ups/{id}", tag = "Funding", params(("id" = Uuid, Path)), responses((status = 200, body = TopUp)))]
pub async fn show_top_up(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (holder, _) = citizen(&context)?;
    let found = context.app.payments.top_up(&context.actor, holder, path_id(&request)?).await?;
    Ok(HttpResponse::Ok().json(TopUp::standing(found, context.app.citizens.now())))
}

/// Ask to take money out. Nothing moves until you confirm.
#[utoipa::path(post, path = "/v1/withdrawals", tag = "Funding", request_body = WithdrawalInput, responses((status = 201, body = Withdrawal)))]
pub async fn withdraw(write: Write<WithdrawalInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: WithdrawalInput { amount } } = write;
    let (new, render) = (order(&context, amount)?, super::render(&context));
    let executed = context.app.payments.request_withdrawal(&context.actor, &key, &new, &render).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

/// Confirm a withdrawal, as a transfer; the payee that is signed is the withdrawal itself, so its id stands twice. The amount leaves your account at once; if the bank does not take it, it comes back.
#[utoipa::path(post, path = "/v1/withdrawals/{id}/confirm", tag = "Funding", params(("id" = Uuid, Path)), request_body = ConfirmInput,
    responses((status = 200, body = Withdrawal)))]
pub async fn confirm(write: Proven<ConfirmInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Proven(Write { context, key, value: ConfirmInput { pin, device_signature } }) = write;
    let (app, actor, who) = (&context.app, &context.actor, citizen(&context)?);
    let wanted = app.payments.withdrawal(actor, who.0, path_id(&request)?).await?;
    let shown = Shown { pin: &pin, signature: &device_signature, said: &wanted.said() };
    // Before the key is looked at: who cannot prove themselves is told no answer that somebody else was given.
    let confirmed = app.citizens.confirm(actor, who, &shown).await?;
    let now = app.citizens.now();
    let device = Device { id: confirmed.device, is_trusted: now >= confirmed.trusted_from };
    let by = Confirm { intent: wanted.id, holder: who.0, device, zone: context.tenant.time_zone, now };
    let executed = app.payments.approve(actor, &key, &by, &super::render(&context)).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

/// What became of a withdrawal of yours.
#[utoipa::path(get, path = "/v1/withdrawals/{id}", tag = "Funding", params(("id" = Uuid, Path)), responses((status = 200, body = Withdrawal)))]
pub async fn show_withdrawal(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (holder, _) = citizen(&context)?;
    let found = context.app.payments.withdrawal(&context.actor, holder, path_id(&request)?).await?;
    Ok(HttpResponse::Ok().json(Withdrawal::standing(found, context.app.citizens.now())))
}

fn order(context: &Context, Money { amount, asset }: Money) -> Result<NewOrder, Problem> {
    let (holder, session) = citizen(context)?;
    Ok(NewOrder { owner: Party { holder, account: session.account }, amount, asset })
}
