//! Endpoints: made, looked at, changed, switched, deleted; their secrets.

use super::{kept, owner, respond};
use crate::answer;
use crate::context::{Context, Write};
use crate::ledger::input::path_id;
use crate::object::nullable;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::webhooks::endpoint::{SecretTimes, overlap};
use vintem_core::webhooks::signature::Secret;
use vintem_core::webhooks::{Change, Draft, Endpoint, State};

/// How long an old secret goes on to sign unless the caller says so: a day.
const OVERLAP_SECONDS: i64 = 24 * 60 * 60;

/// An endpoint to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookEndpointInput {
    /// Where messages are posted: `https`, on the public Internet.
    #[schema(example = "https://example.org/vintem", max_length = 2048)]
    url: String,
    /// Which events: kinds such as `transaction.posted`, families such as `hold.*`, or `*`.
    #[schema(example = json!(["transaction.*", "hold.captured"]), min_items = 1, max_items = 50)]
    events: Vec<String>,
    /// For people.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
}

/// What to change; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct WebhookEndpointChange {
    /// Where messages are posted.
    #[serde(default)]
    #[schema(example = "https://example.org/vintem", max_length = 2048)]
    url: Option<String>,
    /// Which events.
    #[serde(default)]
    #[schema(example = json!(["*"]), min_items = 1, max_items = 50)]
    events: Option<Vec<String>>,
    /// For people; null takes it away.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 1024)]
    description: Option<Option<String>>,
}

/// A new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookRotation {
    /// How long the secrets before it go on to sign beside it, 0 to 604800; a day unless said otherwise. 0 ends them at once.
    #[serde(default)]
    #[schema(example = 86400, minimum = 0, maximum = 604_800)]
    overlap_seconds: Option<i64>,
}

/// Nothing to say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// An endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookEndpoint {
    /// Its id.
    id: Uuid,
    /// Where messages are posted.
    #[schema(example = "https://example.org/vintem")]
    url: String,
    /// Which events.
    #[schema(example = json!(["transaction.*", "hold.captured"]))]
    events: Vec<String>,
    /// For people.
    description: Option<String>,
    /// `enabled` or `disabled`.
    #[schema(example = "enabled")]
    state: &'static str,
    /// `asked`, or `gone` when it answered 410.
    disabled_because: Option<&'static str>,
    /// When it was made.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    created_at: String,
    /// The secrets whose `v1` signatures messages carry now, the newest first.
    secrets: Vec<WebhookSecret>,
    /// The keys that verify `v1a` signatures; they are the same for all endpoints.
    #[schema(example = json!(["whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]))]
    public_keys: Vec<String>,
}

/// When a secret signs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WebhookSecret {
    /// Counted from 1.
    #[schema(example = 1)]
    number: i32,
    /// From when on.
    created_at: String,
    /// Until when; null for the newest.
    ends_at: Option<String>,
}

/// An endpoint with its newest secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpointWithSecret {
    /// The endpoint.
    #[serde(flatten)]
    endpoint: WebhookEndpoint,
    /// The shared secret; null when this answer repeats an earlier one, because it is kept nowhere.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: Option<String>,
    /// Whether this answer repeats one that showed the secret. If that one was lost, rotate.
    secret_withheld: bool,
}

/// Every endpoint of the tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpoints {
    /// The rows.
    endpoints: Vec<WebhookEndpoint>,
}

/// A deleted endpoint.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookEndpointDeleted {
    /// Its id.
    id: Uuid,
    /// `deleted`.
    #[schema(example = "deleted")]
    state: &'static str,
}

impl WebhookEndpoint {
    fn of(endpoint: &Endpoint, public_keys: &[String]) -> Self {
        let (state, disabled_because) = match endpoint.state {
            State::Enabled => ("enabled", None),
            State::Disabled(because) => ("disabled", Some(because.as_str())),
        };
        Self {
            id: endpoint.id,
            url: endpoint.url.clone(),
            events: endpoint.events.clone(),
            description: endpoint.description.clone(),
            state,
            disabled_because,
            created_at: answer::time(endpoint.created_at),
            secrets: endpoint.secrets.iter().map(WebhookSecret::of).collect(),
            public_keys: public_keys.to_vec(),
        }
    }
}

impl WebhookSecret {
    fn of(times: &SecretTimes) -> Self {
        Self {
            number: times.number,
            created_at: answer::time(times.created_at),
            ends_at: times.ends_at.map(answer::time),
        }
    }
}

/// Plain data always serialises.
fn bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

fn show(context: &Context) -> impl Fn(&Endpoint) -> Vec<u8> {
    let public = context.app.webhooks.public_keys();
    move |endpoint| bytes(&WebhookEndpoint::of(endpoint, &public.keys))
}

/// With the secret, for the caller; or without, for the key.
fn show_with(context: &Context, secret: Option<&Secret>) -> impl Fn(&Endpoint) -> Vec<u8> {
    let public = context.app.webhooks.public_keys();
    let secret = secret.map(Secret::reveal);
    move |endpoint| {
        let endpoint = WebhookEndpoint::of(endpoint, &public.keys);
        let secret = secret.as_ref().map(|secret| secret.expose_secret().to_owned());
        bytes(&WebhookEndpointWithSecret { endpoint, secret_withheld: secret.is_none(), secret })
    }
}

/// Make an endpoint. Its secret is shown in this answer and never again.
///
/// It is told of events that are recorded from now on; a replay can ask for earlier ones.
#[utoipa::path(post, path = "/v1/webhook-endpoints", tag = "Webhooks", request_body = WebhookEndpointInput, responses((status = 201, body = WebhookEndpointWithSecret)))]
pub async fn create(write: Write<WebhookEndpointInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: WebhookEndpointInput { url, events, description } } = write;
    let keep = kept(&context, 201, show_with(&context, None));
    let draft = Draft { url, events, description };
    let (once, secret) = context.app.webhooks.create(owner(&context), &key, draft, &keep).await?;
    respond(once, |endpoint| Some(show_with(&context, Some(&secret))(endpoint)))
}

/// List the endpoints: all of them, for a tenant has at most 50.
#[utoipa::path(get, path = "/v1/webhook-endpoints", tag = "Webhooks", responses((status = 200, body = WebhookEndpoints)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let public = context.app.webhooks.public_keys();
    let endpoints = context.app.webhooks.list(owner(&context)).await?;
    let endpoints = endpoints.iter().map(|endpoint| WebhookEndpoint::of(endpoint, &public.keys)).collect();
    Ok(HttpResponse::Ok().json(WebhookEndpoints { endpoints }))
}

/// Read an endpoint.
#[utoipa::path(get, path = "/v1/webhook-endpoints/{id}", tag = "Webhooks", params(("id" = Uuid, Path, description = "The endpoint's id")), responses((status = 200, body = WebhookEndpoint)))]
pub async fn find(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let endpoint = context.app.webhooks.find(owner(&context), path_id(&request)?).await?;
    Ok(HttpResponse::Ok().json(WebhookEndpoint::of(&endpoint, &context.app.webhooks.public_keys().keys)))
}

/// Change an endpoint. What is due is sent to where it then leads.
#[utoipa::path(patch, path = "/v1/webhook-endpoints/{id}", tag = "Webhooks", params(("id" = Uuid, Path, description = "The endpoint's id")), request_body = WebhookEndpointChange, responses((status = 200, body = WebhookEndpoint)))]
pub async fn change(request: HttpRequest, write: Write<WebhookEndpointChange>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: WebhookEndpointChange { url, events, description } } = write;
    let (id, change) = (path_id(&request)?, Change { url, events, description });
    let keep = kept(&context, 200, show(&context));
    respond(context.app.webhooks.change(owner(&context), &key, id, change, &keep).await?, |_| None)
}

/// Delete an endpoint with its secrets and its deliveries.
#[utoipa::path(delete, path = "/v1/webhook-endpoints/{id}", tag = "Webhooks", params(("id" = Uuid, Path, description = "The endpoint's id")), responses((status = 200, body = WebhookEndpointDeleted)))]
pub async fn delete(request: HttpRequest, write: Write<Nothing>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: Nothing {} } = write;
    let id = path_id(&request)?;
    let keep = kept(&context, 200, |()| bytes(&WebhookEndpointDeleted { id, state: "deleted" }));
    respond(context.app.webhooks.delete(owner(&context), &key, id, &keep).await?, |()| None)
}

/// Enable an endpoint: what was pending goes on, what was recorded meanwhile can be asked for by a replay.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/enable", tag = "Webhooks", params(("id" = Uuid, Path, description = "The endpoint's id")), responses((status = 200, body = WebhookEndpoint)))]
pub async fn enable(request: HttpRequest, write: Write<Nothing>) -> Result<HttpResponse, Problem> {
    switch(&request, write, true).await
}

/// Disable an endpoint: nothing is sent to it and nothing new is collected for it.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/disable", tag = "Webhooks", params(("id" = Uuid, Path, description = "The endpoint's id")), responses((status = 200, body = WebhookEndpoint)))]
pub async fn disable(request: HttpRequest, write: Write<Nothing>) -> Result<HttpResponse, Problem> {
    switch(&request, write, false).await
}

async fn switch(request: &HttpRequest, write: Write<Nothing>, is_on: bool) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: Nothing {} } = write;
    let id = path_id(request)?;
    let keep = kept(&context, 200, show(&context));
    respond(context.app.webhooks.switch(owner(&context), &key, id, is_on, &keep).await?, |_| None)
}

/// Give an endpoint a new secret, which is shown in this answer and never again.
///
/// During the overlap every message carries a signature of each secret, so a receiver may change over at any time.
#[utoipa::path(post, path = "/v1/webhook-endpoints/{id}/secrets", tag = "Webhooks", params(("id" = Uuid, Path, description = "The endpoint's id")), request_body = WebhookRotation, responses((status = 201, body = WebhookEndpointWithSecret)))]
pub async fn rotate(request: HttpRequest, write: Write<WebhookRotation>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: WebhookRotation { overlap_seconds } } = write;
    let (id, overlap) = (path_id(&request)?, overlap(overlap_seconds.unwrap_or(OVERLAP_SECONDS))?);
    let keep = kept(&context, 201, show_with(&context, None));
    let (once, secret) = context.app.webhooks.rotate(owner(&context), &key, id, overlap, &keep).await?;
    respond(once, |endpoint| Some(show_with(&context, Some(&secret))(endpoint)))
}
