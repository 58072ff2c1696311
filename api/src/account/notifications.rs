//! `/v1/notifications`: what happened to a citizen's account and devices, the newest first.
//!
//! It is read from the log. There is no inbox and nothing to mark as read: a telephone keeps the highest position that it has
//! shown. Sign-ins are listed as long as their sessions are remembered.

use super::feed::{self, OwnEvent};
use super::identity;
use crate::context::Context;
use crate::ledger::page;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use vintem_core::ledger::touching::Touched;

/// One page of what happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct Notifications {
    /// The newest first.
    notifications: Vec<OwnEvent>,
    /// The cursor of the next page; null on the last one. A page may hold few rows or none and still have a next one.
    next: Option<String>,
}

/// List what happened to your account and your devices, the newest first.
#[utoipa::path(get, path = "/v1/notifications", tag = "Account", params(
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = Notifications)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["cursor", "limit"])?;
    let identity = identity(&context).await?;
    let (list, limit) = (query.list(&format!("notifications/{}", identity.id)), query.limit()?);
    let before = page::after(&context, &query, &list)?.unwrap_or(i64::MAX);
    let followed = feed::followed(&context, &identity).await?;
    let found = context.app.ledger.touched_before(&context.actor, &followed, before, limit).await?;
    let Touched { touches, known, next } = found;
    let notifications = touches.iter().filter_map(|touch| OwnEvent::of(touch, &identity, &known)).collect();
    let next = next.map(|position| page::next(&context, &list, &position));
    Ok(HttpResponse::Ok().json(Notifications { notifications, next }))
}
