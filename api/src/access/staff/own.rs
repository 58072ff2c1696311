//! `/v1/staff/password` and `/v1/staff/recovery-codes`: what members change about how they prove themselves.

use super::entered;
use super::invitations::RecoveryCodes;
use super::sessions::not_proven;
use crate::answer::unstored;
use crate::context::Question;
use crate::problem::Problem;
use actix_web::HttpResponse;
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;

/// Another password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordInput {
    /// The new one: 12 to 128 characters.
    #[schema(value_type = String, example = "sete barcos e um farol", min_length = 12, max_length = 128)]
    password: SecretString,
    /// The one that is replaced.
    #[schema(value_type = String, example = "quatro rios sem ponte")]
    old_password: SecretString,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecoveryCodesInput {}

/// Change the own password. It needs a fresh second factor, and ends every other session of the member.
#[utoipa::path(post, path = "/v1/staff/password", tag = "Staff", request_body = PasswordInput, responses((status = 204)))]
pub async fn change_password(question: Question<PasswordInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: PasswordInput { password, old_password } } = question;
    let (entered, tenant) = (entered(&context)?, context.tenant.name.as_str());
    let changed = context.app.staff.change_password(&context.actor, tenant, &entered, &old_password, &password).await;
    changed.map_err(|error| not_proven(error, "/old_password", "this is not the password"))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Draw other recovery codes. It needs a fresh second factor; the codes before are worth nothing any more.
#[utoipa::path(post, path = "/v1/staff/recovery-codes", tag = "Staff", request_body = RecoveryCodesInput, responses((status = 200, body = RecoveryCodes)))]
pub async fn renew_codes(question: Question<RecoveryCodesInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: RecoveryCodesInput {} } = question;
    let codes = context.app.staff.renew_codes(&context.actor, &*entered(&context)?).await?;
    Ok(unstored(RecoveryCodes::of(&codes)))
}
