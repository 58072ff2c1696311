//! `/v1/terminal/enrolments`: a device comes in, on the public port.

use crate::access::staff::presence::Knock;
use crate::answer::terminal::TerminalConfig;
use crate::answer::time;
use crate::citizens::knock::trace;
use crate::problem::Problem;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::kernel::Refusal;
use vintem_core::secrets::pki::SigningRequest;
use vintem_core::terminals::{ActivationCode, Arrives, Enrolled, Serial, TerminalError};

/// What a device says that nobody knows yet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArrivalInput {
    /// The tenant's name.
    #[schema(example = "coffee-town", max_length = 63)]
    tenant: String,
    /// What was typed on it; groups and lower case do not matter.
    #[schema(value_type = String, example = "7K3M0-9QXT4")]
    code: SecretString,
    /// What is written on it.
    #[schema(example = "PX-200431", max_length = 64)]
    serial: String,
    /// A request for a certificate (PKCS #10, PEM) over a key of P-256 that the device made and keeps. Of what it says only the key
    /// counts.
    #[schema(example = "-----BEGIN CERTIFICATE REQUEST-----\n…")]
    csr: String,
}

/// What a device proves itself with from now on, on the port for terminals.
#[derive(Serialize, ToSchema)]
pub struct TerminalEnrolment {
    /// Who it is.
    pub terminal_id: Uuid,
    /// Its certificate and the one that vouches for it, as PEM.
    #[schema(example = "-----BEGIN CERTIFICATE-----\n…")]
    pub certificate_chain: String,
    /// From when the certificate is renewed.
    #[schema(example = "2026-03-21T12:00:00.000000Z")]
    pub renewable_from: String,
    /// When it ends.
    #[schema(example = "2026-03-31T12:00:00.000000Z")]
    pub expires_at: String,
    /// What the device is to be and do.
    pub config: TerminalConfig,
    /// The number of its next message.
    #[schema(example = 1)]
    pub next_seq: i64,
}

impl TerminalEnrolment {
    /// Of a terminal that has a certificate.
    pub fn of(enrolled: Enrolled) -> Result<Self, Problem> {
        let Enrolled { terminal, chain, next_seq } = enrolled;
        let own = terminal.certificate.as_ref().ok_or(TerminalError::Unreadable)?;
        Ok(Self {
            terminal_id: terminal.id,
            certificate_chain: chain,
            renewable_from: time(own.renewable_from()),
            expires_at: time(own.not_after),
            config: TerminalConfig::of(&terminal.config),
            next_seq,
        })
    }

    /// As a response that nobody keeps on the way.
    pub fn respond(&self) -> HttpResponse {
        HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(self)
    }
}

/// Bring a device in with the code that the back office had issued for it. Should the answer get lost: the same code and a request over
/// the same key get the same certificate, for a day.
#[utoipa::path(post, path = "/v1/terminal/enrolments", tag = "Terminals", request_body = ArrivalInput, responses((status = 201, body = TerminalEnrolment)), security(()))]
pub async fn enrol(knock: Knock<ArrivalInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Knock { app, from, value: ArrivalInput { tenant, code, serial, csr }, .. } = knock;
    let serial: Serial = serial.parse().map_err(|refusal: Refusal| Problem::from(refusal))?;
    let wanted = SigningRequest::read(&csr).map_err(TerminalError::from)?;
    let of = app.terminals.door(&tenant).await?.ok_or_else(Problem::not_found)?;
    let code = ActivationCode::read(&code);
    let arrives = Arrives { of, from, serial, code, request: wanted, trace: trace(&request) };
    let enrolled = Box::pin(app.terminals.enrol(&arrives)).await?;
    Ok(TerminalEnrolment::of(enrolled)?.respond())
}
