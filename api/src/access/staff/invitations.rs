//! `/v1/staff/invitations`: an invitation becomes a member, in two steps. What opens it is the only proof.

use super::of;
use super::presence::Knock;
use crate::answer::unstored;
use crate::app::App;
use crate::problem::Problem;
use actix_web::HttpResponse;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vintem_core::access::Tenant;
use vintem_core::access::staff::recovery::Codes;
use vintem_core::access::staff::{Purpose, StaffError, Ticket};

/// Whoever was invited chooses a password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptanceInput {
    /// What the administrator handed over.
    #[schema(value_type = String, example = "vti_…")]
    token: SecretString,
    /// 12 to 128 characters; no rules but not to be guessable.
    #[schema(value_type = String, example = "quatro rios sem ponte", min_length = 12, max_length = 128)]
    password: SecretString,
}

/// A code of the device that was enrolled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationInput {
    /// The same token.
    #[schema(value_type = String, example = "vti_…")]
    token: SecretString,
    /// What the device shows now.
    #[schema(value_type = String, example = "123456", pattern = "^[0-9]{6}$")]
    totp: SecretString,
}

/// For the device. Shown now and never again.
#[derive(Serialize, ToSchema)]
pub struct DeviceEnrolment {
    /// As a QR code.
    #[schema(example = "otpauth://totp/Vintem%20coffee-town:ana.s?secret=…&issuer=Vintem%20coffee-town")]
    otpauth_uri: String,
    /// To be typed.
    secret: String,
}

/// For paper. Shown now and never again.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each stands in for the device once.
    #[schema(example = json!(["0000-0000-0000-0000"]))]
    recovery_codes: Vec<String>,
}

impl RecoveryCodes {
    /// To be shown.
    pub fn of(codes: &Codes) -> Self {
        Self { recovery_codes: codes.reveal().map(str::to_owned).collect() }
    }
}

/// Choose a password and get the device's secret. May be repeated until it is confirmed; the last one counts.
#[utoipa::path(post, path = "/v1/staff/invitations/accept", tag = "Staff", request_body = AcceptanceInput, responses((status = 200, body = DeviceEnrolment)), security(()))]
pub async fn accept(knock: Knock<AcceptanceInput>) -> Result<HttpResponse, Problem> {
    let Knock { app, value: AcceptanceInput { token, password }, .. } = knock;
    let (ticket, tenant) = opened(&app, &token).await?;
    let enrolment = app.staff.accept(of(&tenant), tenant.name.as_str(), &ticket, &password).await?;
    let (otpauth_uri, secret) = (enrolment.uri.to_string(), enrolment.secret.to_string());
    Ok(unstored(DeviceEnrolment { otpauth_uri, secret }))
}

/// Confirm the device with a code of it. The invitation is used up, and the member may sign in.
#[utoipa::path(post, path = "/v1/staff/invitations/confirm", tag = "Staff", request_body = ConfirmationInput, responses((status = 200, body = RecoveryCodes)), security(()))]
pub async fn confirm(knock: Knock<ConfirmationInput>) -> Result<HttpResponse, Problem> {
    let Knock { app, value: ConfirmationInput { token, totp }, .. } = knock;
    let (ticket, tenant) = opened(&app, &token).await?;
    let codes = app.staff.confirm(of(&tenant), &ticket, totp.expose_secret()).await?;
    Ok(unstored(RecoveryCodes::of(&codes)))
}

/// What a token opens, and whose. One that is none of ours is refused like one that is used up.
async fn opened(app: &App, token: &SecretString) -> Result<(Ticket, Arc<Tenant>), Problem> {
    let ticket = Ticket::read(Purpose::Invitation, token.expose_secret()).ok_or(StaffError::NotProven)?;
    match app.access.tenant(ticket.tenant()).await {
        Ok(tenant) => Ok((ticket, tenant)),
        Err(vintem_core::access::AccessError::UnknownTenant) => Err(StaffError::NotProven.into()),
        Err(error) => Err(error.into()),
    }
}
