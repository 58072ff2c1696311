//! `/v1/terminal/shifts`: who works at a terminal.

use super::fleet::render;
use super::terminal;
use crate::answer::terminal::Shift;
use crate::context::Write;
use crate::problem::Problem;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::ledger::known::Known;
use vintem_core::terminals::check_operator;

/// Who begins.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftInput {
    /// A code that the service gives out to those who work for it. It stands in the log for ever and must be nobody's name.
    #[schema(example = "A07", pattern = "^[A-Z0-9]{1,16}$")]
    operator: String,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftEndInput {}

/// Begin a shift. One that is open is closed first.
#[utoipa::path(post, path = "/v1/terminal/shifts", tag = "Terminals", request_body = ShiftInput, responses((status = 201, body = Shift)))]
pub async fn open(write: Write<ShiftInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ShiftInput { operator } } = write;
    check_operator(&operator)?;
    let (own, terminals, render) = (terminal(&context)?.terminal, &context.app.terminals, render(&context));
    let disposed = terminals.change_own(&context.actor, key, own, |own| own.open_shift(&operator), render).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// End the shift that is open.
#[utoipa::path(post, path = "/v1/terminal/shifts/{number}/close", tag = "Terminals", params(("number" = i32, Path, description = "The shift's number")), request_body = ShiftEndInput, responses((status = 200, body = Shift)))]
pub async fn close(request: HttpRequest, write: Write<ShiftEndInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ShiftEndInput {} } = write;
    let number =
        request.match_info().get("number").and_then(|text| text.parse().ok()).ok_or_else(Problem::not_found)?;
    let (own, terminals, render) = (terminal(&context)?.terminal, &context.app.terminals, render(&context));
    let disposed = terminals.change_own(&context.actor, key, own, |own| own.close_shift(number), render).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}
