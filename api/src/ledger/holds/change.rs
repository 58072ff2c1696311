//! `POST /v1/holds/{id}/release`, `…/extend`, `…/increment`

use crate::answer::hold::HoldChange;
use crate::context::Write;
use crate::ledger::input::{self, LineInput, Money};
use crate::object::{objects, optional};
use crate::problem::Problem;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::ledger::command::Command;
use vintem_core::ledger::reversal::Extent;

/// A release says nothing more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseInput {}

/// A new end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionInput {
    /// After the present end; all extensions together add at most 7 days.
    #[schema(example = "2026-03-10T12:00:00Z")]
    expires_at: String,
}

/// How much more to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IncrementInput {
    /// Of a hold of one or two legs.
    #[serde(default, deserialize_with = "optional")]
    amount: Option<Money>,
    /// Amounts of single lines, balanced per asset.
    #[serde(default, deserialize_with = "objects")]
    lines: Option<Vec<LineInput>>,
}

/// Release what remains of a hold.
#[utoipa::path(post, path = "/v1/holds/{id}/release", tag = "Holds", params(("id" = Uuid, Path, description = "The hold's id")),
    request_body = ReleaseInput, responses((status = 200, body = HoldChange)))]
pub async fn release(write: Write<ReleaseInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ReleaseInput {} } = write;
    let command = Command::Release { hold: input::path_id(&request)? };
    Ok(write::single(&context, key, command).await?.respond())
}

/// Let a hold last longer.
#[utoipa::path(post, path = "/v1/holds/{id}/extend", tag = "Holds", params(("id" = Uuid, Path, description = "The hold's id")),
    request_body = ExtensionInput, responses((status = 200, body = HoldChange)))]
pub async fn extend(write: Write<ExtensionInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ExtensionInput { expires_at } } = write;
    let expires_at = input::instant(&expires_at, "/expires_at", &context)?;
    let command = Command::Extend { hold: input::path_id(&request)?, expires_at };
    Ok(write::single(&context, key, command).await?.respond())
}

/// Let a hold hold more.
#[utoipa::path(post, path = "/v1/holds/{id}/increment", tag = "Holds", params(("id" = Uuid, Path, description = "The hold's id")),
    request_body = IncrementInput, responses((status = 200, body = HoldChange)))]
pub async fn increment(write: Write<IncrementInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: IncrementInput { amount, lines } } = write;
    let extent = input::extent(amount, lines, None)?;
    if extent == Extent::All {
        return Err(input::invalid("/amount", "required", "the member is required"));
    }
    let command = Command::Increment { hold: input::path_id(&request)?, extent };
    Ok(write::single(&context, key, command).await?.respond())
}
