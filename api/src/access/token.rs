//! `POST /v1/token`: the client credentials grant of OAuth 2.0 (RFC 6749 §4.4).

use crate::answer::unstored;
use crate::app::App;
use crate::body;
use crate::context::{address, proof};
use crate::object::parse_uuid;
use crate::problem::{Code, Problem};
use crate::routes;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::Confirmation;
use vintem_core::kernel::Place;
use vintem_core::telemetry::clock;

/// A token for ten minutes, or until its client ends.
#[derive(Serialize, ToSchema)]
pub struct TokenAnswer {
    /// To be sent as `Authorization: Bearer <token>`, or `DPoP <token>` with a proof.
    access_token: String,
    /// `Bearer`, or `DPoP` for a token that is bound to the key of the request's proof.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds that it is good for.
    #[schema(example = 600)]
    expires_in: i64,
    /// What it is good for.
    #[schema(example = "ledger:read ledger:write")]
    scope: String,
}

/// The form of a token request. Id and secret may stand in HTTP Basic instead.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only describes the form: its members are read one by one, secrets into types of their own"
)]
pub struct TokenForm {
    /// `client_credentials`.
    #[schema(example = "client_credentials")]
    grant_type: String,
    /// The client's id.
    client_id: Option<Uuid>,
    /// The client's secret.
    client_secret: Option<String>,
    /// Narrows the token's scopes.
    #[schema(example = "ledger:read")]
    scope: Option<String>,
}

struct Grant {
    client: Uuid,
    secret: SecretString,
    scope: Option<String>,
}

/// Get a token for a client's secret.
#[utoipa::path(post, path = "/v1/token", tag = "Access", request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenAnswer)), security(()))]
pub async fn issue(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let limit = routes::find(&request).map_or(0, routes::Entry::body_limit);
    let form = body::read(&request, &mut payload.into_inner(), limit, "application/x-www-form-urlencoded").await?;
    let form = std::str::from_utf8(&form).map_err(|_| malformed("the form is not UTF-8"))?;
    let Grant { client, secret, scope } = grant(&request, form)?;
    let proof = proof(&request).map_err(|problem| problem.oauth("invalid_dpop_proof"))?;
    let shows = || {
        let key = proof.map(|proof| app.verifier.proofs().check(&proof, None, clock::now())).transpose()?;
        Ok(Confirmation { key, certificate: None })
    };
    let token = app.access.issue_token(client, &secret, scope.as_deref(), address(&request), shows).await?;
    let answer = TokenAnswer {
        access_token: token.access_token,
        token_type: token.token_type,
        expires_in: token.expires_in,
        scope: token.scope,
    };
    Ok(unstored(answer))
}

fn grant(request: &HttpRequest, form: &str) -> Result<Grant, Problem> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(form)
        .map_err(|_| malformed("the form cannot be read"))?
        .into_inner();
    let (mut id, mut secret, mut scope, mut grant_type) = (None, None, None, None);
    for (name, value) in pairs {
        let slot = match name.as_str() {
            "grant_type" => &mut grant_type,
            "client_id" => &mut id,
            "client_secret" => &mut secret,
            "scope" => &mut scope,
            // RFC 6749 asks to ignore what is not known.
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(parameter(&name, "duplicate-member", "the parameter stands twice"));
        }
    }
    match grant_type.as_deref() {
        Some("client_credentials") => {}
        Some(_) => {
            return Err(parameter("grant_type", "out-of-range", "the only grant is client_credentials")
                .oauth("unsupported_grant_type"));
        }
        None => return Err(parameter("grant_type", "required", "the parameter is required")),
    }
    let (id, secret) = match basic(request)? {
        Some(_) if secret.is_some() => {
            return Err(malformed("the client's secret stands in the header and in the form"));
        }
        Some(credentials) => credentials,
        None => (
            id.ok_or_else(|| parameter("client_id", "required", "the parameter is required"))?,
            secret.ok_or_else(|| parameter("client_secret", "required", "the parameter is required"))?,
        ),
    };
    // What is no id is the id of no client; the answer is the same as for an unknown one.
    let client = parse_uuid(&id).unwrap_or(Uuid::nil());
    Ok(Grant { client, secret: SecretString::from(secret), scope })
}

/// Id and secret of HTTP Basic.
fn basic(request: &HttpRequest) -> Result<Option<(String, String)>, Problem> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else { return Ok(None) };
    let encoded = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .map(|(_, rest)| rest.trim());
    let decoded = encoded.and_then(|text| STANDARD.decode(text).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
    let credentials =
        decoded.as_deref().and_then(|text| text.split_once(':')).map(|(id, secret)| (id.to_owned(), secret.to_owned()));
    credentials.map(Some).ok_or_else(|| {
        let place = Place::Header("Authorization".to_owned());
        let detail = "the Authorization header is not `Basic <id:secret in base64>`";
        Problem::new(Code::Unauthenticated, detail)
            .with(crate::problem::Fault { place, code: "malformed", detail: detail.to_owned() })
            .oauth("invalid_client")
    })
}

fn malformed(detail: &str) -> Problem {
    Problem::new(Code::MalformedRequest, detail).oauth("invalid_request")
}

fn parameter(name: &str, code: &'static str, detail: &str) -> Problem {
    Problem::invalid(Place::Parameter(name.to_owned()), code, detail).oauth("invalid_request")
}
