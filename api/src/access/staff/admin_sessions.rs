//! `/v1/admin/sessions`: everybody's sessions, for whoever may see and end them.

use super::sessions::{SessionList, not_there};
use super::users::render;
use super::{authority, of};
use crate::answer::unstored;
use crate::context::{Context, Write};
use crate::ledger::input::path_id;
use crate::object::parse_uuid;
use crate::problem::Problem;
use crate::query::{Query, invalid};
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::access::staff::Member;
use vintem_core::access::staff::session::Session;
use vintem_core::ledger::known::Known;

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationInput {}

/// The open sessions of all members whom the grant is about, or of one.
#[utoipa::path(get, path = "/v1/admin/sessions", tag = "Staff", params(("member" = Option<uuid::Uuid>, Query, description = "Only this member's")), responses((status = 200, body = SessionList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["member"])?;
    let parse = |text| parse_uuid(text).ok_or_else(|| invalid("member", "malformed", "the parameter is a member's id"));
    let member = query.text("member").map(parse).transpose()?;
    let authority = authority(&context).await?;
    let sees = |session: &Session, member: &Member| authority.covers(session.id, member);
    Ok(unstored(SessionList::of(context.app.staff.sessions(of(&context.tenant), member, sees).await?)))
}

/// End somebody's session. It is over at once.
#[utoipa::path(delete, path = "/v1/admin/sessions/{id}", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The session's id")), responses((status = 200, body = crate::answer::staff::SessionEnded)))]
pub async fn revoke(request: HttpRequest, write: Write<RevocationInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: RevocationInput {} } = write;
    let (id, authority) = (path_id(&request)?, authority(&context).await?);
    let revoked = context.app.staff.revoke(&context.actor, &authority, key, id, render(&context)).await;
    Ok(write::answered(&context, revoked.map_err(not_there)?, &Known::default()).await?.respond())
}
