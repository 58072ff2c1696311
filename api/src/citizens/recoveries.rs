//! `/v1/recoveries`: a citizen who has lost the telephone or the PIN starts again, in two steps.

use super::knock::{ForTenant, Knock, named};
use super::registrations::{EnrolmentInput, created};
use super::{CitizenTokens, CodeSent, NothingToSay};
use crate::context::Write;
use crate::holders::{private, render};
use crate::ledger::input::path_id;
use crate::problem::Problem;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::citizens::Recovery;
use vintem_core::holders::details::number;
use vintem_core::ledger::known::Known;

/// Who somebody says they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryInput {
    /// The tenant's name.
    #[schema(example = "coffee-town", max_length = 63)]
    tenant: String,
    /// Eleven digits, with or without points and dash.
    #[schema(value_type = String, example = "529.982.247-25")]
    cpf: SecretString,
}

impl ForTenant for RecoveryInput {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

/// Ask for a code at the contact that is known. The answer is the same whether or not there is anybody of this number.
#[utoipa::path(post, path = "/v1/recoveries", tag = "Citizens", request_body = RecoveryInput, responses((status = 202, body = CodeSent)), security(()))]
pub async fn recover(knock: Knock<RecoveryInput>) -> Result<HttpResponse, Problem> {
    let Knock { app, knocks, value } = knock;
    let sent = app.citizens.recover(&knocks, &Recovery { cpf: number(&private(&value.cpf))? }).await?;
    Ok(HttpResponse::Accepted().json(CodeSent::from(sent)))
}

/// Send the code back with another password and PIN. This device is the only one from then on, and pays less for a day.
#[utoipa::path(post, path = "/v1/recoveries/{id}/verify", tag = "Citizens", params(("id" = uuid::Uuid, Path)), request_body = EnrolmentInput,
    responses((status = 201, body = CitizenTokens)), security(()))]
pub async fn verify(knock: Knock<EnrolmentInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Knock { app, knocks, value } = knock;
    let (answered, chosen) = value.parts(named(&request)?);
    let opened = Box::pin(app.citizens.complete_recovery(&knocks, &answered, &chosen)).await?;
    Ok(created(&CitizenTokens::of(&app, &opened)?))
}

/// Take all devices of a citizen away, as when a telephone was stolen. Nobody chooses a secret for them: they recover.
#[utoipa::path(post, path = "/v1/holders/{id}/reset", tag = "Holders", params(("id" = uuid::Uuid, Path, description = "The holder's id")),
    request_body = NothingToSay, responses((status = 200, body = crate::answer::holder::CitizenReset)))]
pub async fn reset(request: HttpRequest, write: Write<NothingToSay>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: NothingToSay {} } = write;
    let disposed = context.app.citizens.reset(&context.actor, key, path_id(&request)?, render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}
