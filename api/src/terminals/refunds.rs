//! `/v1/terminal/charges/{txid}/refunds`: what goes back after it was captured. A refund is named by its terminal, as charges are.

use super::charges::txid;
use super::{acts, terminal};
use crate::answer::terminal_charge::TerminalRefund;
use crate::answer::unstored;
use crate::context::{Context, Named};
use crate::ledger::input::Money;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::payments::charges::event::RefundReason;
use vintem_core::payments::charges::{Charge, NewRefund};

/// What goes back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalRefundInput {
    /// How much.
    amount: Money,
    /// `customer`, `duplicate` or `fault`.
    #[schema(value_type = String, example = "customer")]
    reason: RefundReason,
}

/// Give back something of what was captured, within the service's window. It counts at once; `processing` means that the money follows as soon as
/// the service has it.
#[utoipa::path(put, path = "/v1/terminal/charges/{txid}/refunds/{refund}", tag = "Terminals",
    params(("txid" = String, Path), ("refund" = String, Path, description = "26 to 35 letters and digits, yours to draw")),
    request_body = TerminalRefundInput, responses((status = 201, body = TerminalRefund), (status = 200, description = "It was asked for before", body = TerminalRefund)))]
pub async fn give_back(request: HttpRequest, named: Named<TerminalRefundInput>) -> Result<HttpResponse, Problem> {
    let Named { context, value: TerminalRefundInput { amount, reason }, .. } = named;
    let id = refund(&request)?.to_owned();
    let new = NewRefund { id, amount: amount.amount, asset: amount.asset, reason };
    let own = (terminal(&context)?.terminal, txid(&request)?);
    let (charge, is_new) = context.app.charges.refund(&context.actor, own, &new).await?;
    Ok(acts::made(is_new, &of(&charge, &new.id)?))
}

/// Read a refund.
#[utoipa::path(get, path = "/v1/terminal/charges/{txid}/refunds/{refund}", tag = "Terminals", params(("txid" = String, Path), ("refund" = String, Path)),
    responses((status = 200, body = TerminalRefund)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let own = terminal(&context)?.terminal;
    let charge = context.app.charges.find(&context.actor, own, txid(&request)?).await?;
    Ok(unstored(of(&charge, refund(&request)?)?))
}

fn of(charge: &Charge, id: &str) -> Result<TerminalRefund, Problem> {
    let found = charge.refund(id).ok_or_else(Problem::not_found)?;
    Ok(TerminalRefund::of(charge, found))
}

fn refund(request: &HttpRequest) -> Result<&str, Problem> {
    request.match_info().get("refund").ok_or_else(Problem::not_found)
}
