//! `/v1/requests/{key}`: what was answered under a key.
//!
//! Absence is never proof: the request may still be on its way. A key is resolved by repeating the
//! request under it.

use crate::context::Context;
use crate::key;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::webhooks::owner;
use crate::write;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use vintem_core::kernel::{Place, RefusalCode};

/// A recovered answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Recovered {
    /// The key.
    #[schema(example = "order-7")]
    key: String,
    /// The HTTP status that was answered.
    #[schema(example = 201)]
    status: u16,
    /// The code of the refusal, if it was one.
    code: Option<String>,
    /// The position of the first event, if there is one.
    #[schema(example = 1024)]
    position: Option<i64>,
    /// The body that was answered.
    #[schema(value_type = Object)]
    body: Box<RawValue>,
}

/// Recover the answer to a request of your own.
#[utoipa::path(get, path = "/v1/requests/{key}", tag = "Requests", params(("key" = String, Path, description = "The Idempotency-Key", max_length = 255, pattern = "^[ -~]+$")), responses((status = 200, body = Recovered)))]
pub async fn show(
    context: Context,
    request: HttpRequest,
    path: Result<web::Path<String>, actix_web::Error>,
) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let refuse = |detail: &str| Problem::invalid(Place::Parameter("key".to_owned()), "malformed", detail);
    let key = path.map_err(|_| refuse("the key is not UTF-8"))?.into_inner();
    key::check(key.as_bytes())
        .map_err(|(code, detail)| Problem::invalid(Place::Parameter("key".to_owned()), code, detail))?;
    let found = context.app.ledger.request(&context.actor, context.caller.subject, &key).await?;
    let Some(found) = found else {
        if let Some(answer) = context.app.webhooks.request(owner(&context), context.caller.subject, &key).await? {
            let body = raw(answer.body)?;
            return Ok(HttpResponse::Ok().json(Recovered {
                key,
                status: answer.status,
                code: answer.code,
                position: None,
                body,
            }));
        }
        let detail =
            "nothing is recorded under this key; the request may still be on its way, so repeat it under its key";
        return Err(Problem::new(Code::Business(RefusalCode::NotFound), detail).unknown());
    };
    let (code, position) = (found.answer.code.clone(), found.answer.position);
    let ready = write::recover(&context, found.answer).await?;
    let body = raw(ready.body)?;
    Ok(HttpResponse::Ok().json(Recovered { key, status: ready.status, code, position, body }))
}

fn raw(body: Vec<u8>) -> Result<Box<RawValue>, Problem> {
    let body = String::from_utf8(body).ok().and_then(|text| RawValue::from_string(text).ok());
    body.ok_or_else(|| Problem::new(Code::InternalError, "the stored answer cannot be shown"))
}
