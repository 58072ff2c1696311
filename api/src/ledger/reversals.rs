//! `/v1/transactions/{id}/reversals`: money taken back, never more than was moved.

use super::input::{self, LineInput, Money};
use crate::answer::transaction::Reversal;
use crate::context::Write;
use crate::object::{objects, optional};
use crate::problem::Problem;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::event_store::fresh;
use vintem_core::ledger::command::Command;
use vintem_core::ledger::reversal::Reverse;

/// What to take back: everything that is left, an `amount` of both legs, or `lines`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": {"amount": "4.50", "asset": "BRL"}}))]
pub struct ReversalInput {
    /// Of both legs of a transaction of two.
    #[serde(default, deserialize_with = "optional")]
    amount: Option<Money>,
    /// Amounts of single lines, balanced per asset.
    #[serde(default, deserialize_with = "objects")]
    lines: Option<Vec<LineInput>>,
    /// For people; nothing personal.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
}

/// Reverse a transaction, wholly or in part.
#[utoipa::path(post, path = "/v1/transactions/{id}/reversals", tag = "Transactions", params(("id" = Uuid, Path, description = "The original's id")),
    request_body = ReversalInput, responses((status = 201, body = Reversal)))]
pub async fn reverse(write: Write<ReversalInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ReversalInput { amount, lines, description } } = write;
    let command = Command::Reverse(Reverse {
        transaction: input::path_id(&request)?,
        reversal: fresh::new_id(),
        extent: input::extent(amount, lines, None)?,
        description: input::text(description, "/description")?,
    });
    Ok(write::single(&context, key, command).await?.respond())
}
