//! `/v1/contact-changes`: a citizen is reached elsewhere, in two steps.

use super::{CodeSent, citizen};
use crate::answer::{time, unstored};
use crate::context::Question;
use crate::holders::private;
use crate::ledger::input::{invalid, path_id};
use crate::problem::Problem;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vintem_core::citizens::Answered;
use vintem_core::citizens::contact::{Signed, wanted};
use vintem_core::citizens::event::ContactKind;

/// Where you want to be reached: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactInput {
    /// Another e-mail address.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "ana@exemplo.com.br", max_length = 254)]
    email: Option<SecretString>,
    /// Another phone number, with the country's code.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "+5511912345678", pattern = r"^\+[1-9][0-9]{7,14}$")]
    phone: Option<SecretString>,
}

/// That you are reached there, and that it is you.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactProofInput {
    /// The six digits that were sent to the new contact.
    #[schema(value_type = String, example = "123456", pattern = "^[0-9]{6}$")]
    code: SecretString,
    /// Your PIN.
    #[schema(value_type = String, example = "274906", pattern = "^[0-9]{6}$")]
    pin: SecretString,
    /// By the session's device, in base64url, over the canonical JSON (RFC 8785) of `contact`, as it was sent, and `intent_id`, the change's id.
    device_signature: String,
}

/// A contact that was changed.
#[derive(Serialize, ToSchema)]
pub struct ContactChanged {
    /// Which.
    contact: ContactKind,
    /// Until then your devices pay as little as new ones.
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    trusted_from: String,
}

/// Ask to be reached elsewhere. A code goes to the new contact.
#[utoipa::path(post, path = "/v1/contact-changes", tag = "Citizens", request_body = ContactInput, responses((status = 202, body = CodeSent)))]
pub async fn ask(question: Question<ContactInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: ContactInput { email, phone } } = question;
    let new = match (&email, &phone) {
        (Some(email), None) => wanted(ContactKind::Email, private(email))?,
        (None, Some(phone)) => wanted(ContactKind::Phone, private(phone))?,
        _ => return Err(invalid("", "out-of-range", "name an e-mail address or a phone number, and not both")),
    };
    let tenant = context.tenant.name.as_str();
    let sent = context.app.citizens.ask_contact(&context.actor, tenant, citizen(&context)?, new).await?;
    Ok(HttpResponse::Accepted().json(CodeSent::from(sent)))
}

/// Send the code back, with the device's signature and the PIN. The contact before is told; your devices pay less for a day, and a key by
/// which you were paid there is removed.
#[utoipa::path(post, path = "/v1/contact-changes/{id}/verify", tag = "Citizens", params(("id" = uuid::Uuid, Path)), request_body = ContactProofInput,
    responses((status = 200, body = ContactChanged)))]
pub async fn verify(question: Question<ContactProofInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Question { context, value: ContactProofInput { code, pin, device_signature } } = question;
    let (answered, tenant) = (Answered { challenge: path_id(&request)?, code }, context.tenant.name.as_str());
    let (citizens, who) = (&context.app.citizens, citizen(&context)?);
    let signed = Signed { pin, signature: device_signature };
    let change = citizens.change_contact(&context.actor, tenant, who, &answered, &signed);
    let (contact, device) = Box::pin(change).await?;
    Ok(unstored(ContactChanged { contact, trusted_from: time(device.trusted_from) }))
}
