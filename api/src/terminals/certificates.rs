//! `/v1/terminal/certificates`: the next certificate, asked for with the one that is good or, if its answer was lost, the one before.

use super::enrolments::TerminalEnrolment;
use super::terminal;
use crate::context::Question;
use crate::problem::Problem;
use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::secrets::pki::SigningRequest;
use vintem_core::terminals::TerminalError;

/// The next key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenewalInput {
    /// A request for a certificate (PKCS #10, PEM) over another key of P-256.
    #[schema(example = "-----BEGIN CERTIFICATE REQUEST-----\n…")]
    csr: String,
}

/// Have the certificate renewed, from two thirds of its life on, or when the terminal was told `rotate_cert`. From the answer on the
/// certificate before is good for nothing but asking for this one again, over the same key.
#[utoipa::path(post, path = "/v1/terminal/certificates", tag = "Terminals", request_body = RenewalInput, responses((status = 201, body = TerminalEnrolment)))]
pub async fn renew(question: Question<RenewalInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: RenewalInput { csr } } = question;
    let wanted = SigningRequest::read(&csr).map_err(TerminalError::from)?;
    let session = terminal(&context)?;
    let renewed = Box::pin(context.app.terminals.renew(&context.actor, &session, &wanted)).await?;
    Ok(TerminalEnrolment::of(renewed)?.respond())
}
