//! `/v1/pin` and `/v1/password`: a citizen chooses other secrets, knowing the password.

use super::citizen;
use crate::context::Question;
use crate::problem::Problem;
use actix_web::HttpResponse;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

/// Another PIN.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PinInput {
    /// The citizen's password.
    #[schema(value_type = String, example = "quatro rios sem ponte")]
    password: SecretString,
    /// Six digits that are not tried first.
    #[schema(value_type = String, example = "274906", pattern = "^[0-9]{6}$")]
    pin: SecretString,
}

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CitizenPasswordInput)]
pub struct PasswordInput {
    /// The one until now.
    #[schema(value_type = String, example = "quatro rios sem ponte")]
    old_password: SecretString,
    /// 12 to 128 characters; no rules but not to be guessable.
    #[schema(value_type = String, example = "cinco pontes sem rio", min_length = 12, max_length = 128)]
    password: SecretString,
}

/// Choose another PIN. One that is locked stays locked; recover instead.
#[utoipa::path(post, path = "/v1/pin", tag = "Citizens", request_body = PinInput, responses((status = 204)))]
pub async fn change_pin(question: Question<PinInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: PinInput { password, pin } } = question;
    context.app.citizens.change_pin(&context.actor, citizen(&context)?, &password, &pin).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Choose another password.
#[utoipa::path(post, path = "/v1/password", tag = "Citizens", request_body = PasswordInput, responses((status = 204)))]
pub async fn change_password(question: Question<PasswordInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: PasswordInput { old_password, password } } = question;
    let tenant = context.tenant.name.as_str();
    let who = citizen(&context)?;
    context.app.citizens.change_password(&context.actor, who, tenant, &old_password, &password).await?;
    Ok(HttpResponse::NoContent().finish())
}
