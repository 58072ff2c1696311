//! `/v1/terminal/config`: what a terminal is to be and do, once per version.

use super::{of, terminal};
use crate::answer::terminal::TerminalConfig;
use crate::context::Context;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::http::header::{self, EntityTag, Header as _, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};

/// Read your configuration. With `If-None-Match` of the version that you have, 304 says that there is no other.
#[utoipa::path(get, path = "/v1/terminal/config", tag = "Terminals", responses((status = 200, body = TerminalConfig), (status = 304, description = "It is the one that you have")))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let own = context.app.terminals.own(of(&context), terminal(&context)?.terminal).await?;
    let tag = EntityTag::new_strong(own.config.version.to_string());
    let is_known = match IfNoneMatch::parse(&request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut answer = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header((header::ETAG, tag.to_string())).insert_header((header::CACHE_CONTROL, "private, no-cache"));
    Ok(if is_known { answer.finish() } else { answer.json(TerminalConfig::of(&own.config)) })
}
