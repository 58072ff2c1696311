//! `/v1/registrations`: a person becomes a citizen, in two steps.

use super::knock::{ForTenant, Knock, named};
use super::{CitizenTokens, CodeSent};
use crate::holders::private;
use crate::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::citizens::{Answered, Chosen, Introduction};
use vintem_core::holders::Details;

/// Who somebody says they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrationInput {
    /// The tenant's name.
    #[schema(example = "coffee-town", max_length = 63)]
    tenant: String,
    /// Eleven digits, with or without points and dash.
    #[schema(value_type = String, example = "529.982.247-25")]
    cpf: SecretString,
    /// As the person writes it.
    #[schema(value_type = String, example = "Ana Conceição", max_length = 200)]
    name: SecretString,
    /// Where the code goes. At least one of the two contacts is there.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "ana@example.org")]
    email: Option<SecretString>,
    /// With its country's code. The code goes there when there is no e-mail address.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "+5511912345678")]
    phone: Option<SecretString>,
}

/// The code, and what its owner will remember.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentInput {
    /// The tenant's name.
    #[schema(example = "coffee-town", max_length = 63)]
    tenant: String,
    /// The six digits that were sent.
    #[schema(value_type = String, example = "123456", pattern = "^[0-9]{6}$")]
    code: SecretString,
    /// 12 to 128 characters; no rules but not to be guessable.
    #[schema(value_type = String, example = "quatro rios sem ponte", min_length = 12, max_length = 128)]
    password: SecretString,
    /// Six digits that are not tried first. It counts only together with a signature of a device.
    #[schema(value_type = String, example = "274906", pattern = "^[0-9]{6}$")]
    pin: SecretString,
}

impl ForTenant for RegistrationInput {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

impl ForTenant for EnrolmentInput {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

impl EnrolmentInput {
    /// What answers a challenge, and what is chosen.
    pub fn parts(self, challenge: Uuid) -> (Answered, Chosen) {
        (Answered { challenge, code: self.code }, Chosen { password: self.password, pin: self.pin })
    }
}

/// Say who you are. A code goes to the contact, whether or not anybody of this number is registered.
#[utoipa::path(post, path = "/v1/registrations", tag = "Citizens", request_body = RegistrationInput, responses((status = 202, body = CodeSent)), security(()))]
pub async fn register(knock: Knock<RegistrationInput>) -> Result<HttpResponse, Problem> {
    let Knock { app, knocks, value: RegistrationInput { cpf, name, email, phone, .. } } = knock;
    let details =
        Details::checked(private(&name), email.as_ref().map(private), phone.as_ref().map(private), &private(&cpf))?;
    let sent = app.citizens.register(&knocks, &Introduction { details }).await?;
    Ok(HttpResponse::Accepted().json(CodeSent::from(sent)))
}

/// Send the code back, from the same device, with a password and a PIN. The answer is the first session. Should it get lost: sign in.
#[utoipa::path(post, path = "/v1/registrations/{id}/verify", tag = "Citizens", params(("id" = Uuid, Path)), request_body = EnrolmentInput,
    responses((status = 201, body = CitizenTokens)), security(()))]
pub async fn verify(knock: Knock<EnrolmentInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Knock { app, knocks, value } = knock;
    let (answered, chosen) = value.parts(named(&request)?);
    let opened = Box::pin(app.citizens.complete_registration(&knocks, &answered, &chosen)).await?;
    Ok(created(&CitizenTokens::of(&app, &opened)?))
}

/// Tokens, which nothing on the way may keep.
pub(super) fn created(tokens: &CitizenTokens) -> HttpResponse {
    HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(tokens)
}
