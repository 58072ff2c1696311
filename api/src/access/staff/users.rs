//! `/v1/admin/users`: who is a member of the staff, and as what.

use super::{of, over_all};
use crate::answer;
use crate::answer::staff::{StaffMember, StaffUser};
use crate::answer::unstored;
use crate::context::{Context, Write};
use crate::ledger::input::path_id;
use crate::problem::Problem;
use crate::query::Query;
use crate::write::{self, Ready};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vintem_core::access::Role;
use vintem_core::access::staff::{Invited, Login, Member, member};
use vintem_core::event_store::job::Render;
use vintem_core::event_store::{Disposed, Done};
use vintem_core::kernel::{Place, Refusal};
use vintem_core::ledger::known::Known;

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// A work name, unique in the tenant. It stands in the log for ever and must be nothing personal.
    #[schema(example = "ana.s", pattern = "^[a-z0-9][a-z0-9._-]{1,62}$")]
    login: String,
    /// What they are to be.
    #[schema(example = json!(["support"]))]
    roles: Vec<String>,
}

/// What to change: exactly one of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// All roles that the member has from then on.
    #[serde(default)]
    #[schema(example = json!(["support", "developer"]))]
    roles: Option<Vec<String>>,
    /// `suspended` shuts the member out and ends their sessions; `active` lets them back in.
    #[serde(default)]
    #[schema(example = "suspended", pattern = "^(active|suspended)$")]
    status: Option<String>,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetInput {}

/// The members of the staff.
#[derive(Serialize, ToSchema)]
pub struct UserList {
    /// By login.
    users: Vec<StaffMember>,
}

/// Invite somebody. `invitation_token` is in this answer and in no repetition of it; hand it over by a way that you trust.
#[utoipa::path(post, path = "/v1/admin/users", tag = "Staff", request_body = UserInput, responses((status = 201, body = StaffUser)))]
pub async fn invite(write: Write<UserInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: UserInput { login, roles } } = write;
    over_all(&context)?;
    let login: Login = login.parse().map_err(|refusal: Refusal| Problem::from(refusal.at("/login")))?;
    let roles = parse_roles(&roles)?;
    let (disposed, invited) = context.app.staff.invite(&context.actor, key, &login, &roles, render(&context)).await?;
    shown_once(&context, disposed, &invited).await
}

/// The members of the staff.
#[utoipa::path(get, path = "/v1/admin/users", tag = "Staff", responses((status = 200, body = UserList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    over_all(&context)?;
    let members = context.app.staff.members(of(&context.tenant)).await?;
    Ok(unstored(UserList { users: members.iter().map(StaffMember::of).collect() }))
}

/// One member.
#[utoipa::path(get, path = "/v1/admin/users/{id}", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The member's id")), responses((status = 200, body = StaffMember)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    over_all(&context)?;
    let member = context.app.staff.member(of(&context.tenant), path_id(&request)?).await?;
    Ok(unstored(StaffMember::of(&member)))
}

/// Give a member other roles, or shut them out, or let them back in. Nobody changes themselves.
#[utoipa::path(patch, path = "/v1/admin/users/{id}", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The member's id")), request_body = UserChange, responses((status = 200, body = StaffUser)))]
pub async fn change(request: HttpRequest, write: Write<UserChange>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: UserChange { roles, status } } = write;
    over_all(&context)?;
    let (id, by, staff) = (path_id(&request)?, context.caller.subject, &context.app.staff);
    let (actor, render) = (&context.actor, render(&context));
    let disposed = match (roles, status.as_deref()) {
        (Some(roles), None) => {
            let roles = parse_roles(&roles)?;
            let decide = |who: &Member| member::change_roles(who, by, &roles);
            staff.change(actor, key, id, decide, render).await?
        }
        (None, Some("suspended")) => staff.change(actor, key, id, |who| member::suspend(who, by), render).await?,
        (None, Some("active")) => staff.change(actor, key, id, |who| member::resume(who, by), render).await?,
        (None, Some(_)) => {
            let place = Place::Pointer("/status".to_owned());
            return Err(Problem::invalid(place, "out-of-range", "a status is active or suspended"));
        }
        _ => {
            let place = Place::Pointer(String::new());
            return Err(Problem::invalid(place, "required", "send exactly one of roles and status"));
        }
    };
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// Take away a member's password, device and recovery codes, end their sessions, and invite them anew: for whoever has lost
/// them. Nobody chooses them for somebody else.
#[utoipa::path(post, path = "/v1/admin/users/{id}/reset", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The member's id")), request_body = ResetInput, responses((status = 200, body = StaffUser)))]
pub async fn reset(request: HttpRequest, write: Write<ResetInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ResetInput {} } = write;
    over_all(&context)?;
    let (id, by) = (path_id(&request)?, context.caller.subject);
    let (disposed, invited) = context.app.staff.reset(&context.actor, by, key, id, render(&context)).await?;
    shown_once(&context, disposed, &invited).await
}

/// How answers are kept: without anything secret.
pub fn render(context: &Context) -> Render {
    let shown = context.shown.clone();
    Arc::new(move |done: &Done| answer::single(done, &Known::default(), &shown))
}

/// The answer, and with it what opens the invitation, if this is the first time that it is given.
async fn shown_once(context: &Context, disposed: Disposed, invited: &Invited) -> Result<HttpResponse, Problem> {
    let ready = write::answered(context, disposed, &Known::default()).await?;
    if ready.is_replay || ready.status >= 400 {
        return Ok(ready.respond());
    }
    let mut body: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&ready.body).unwrap_or_default();
    body.insert("invitation_token".to_owned(), invited.ticket.reveal().expose_secret().into());
    let body = serde_json::to_vec(&body).unwrap_or_default();
    Ok(Ready { body, ..ready }.respond())
}

fn parse_roles(names: &[String]) -> Result<Vec<Role>, Problem> {
    let mut roles = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        let place = || Place::Pointer(format!("/roles/{index}"));
        let role: Role = name.parse().map_err(|_| {
            let known: Vec<&str> = Role::all().map(Role::as_str).collect();
            Problem::invalid(place(), "out-of-range", format!("the roles are {}", known.join(", ")))
        })?;
        if roles.contains(&role) {
            return Err(Problem::invalid(place(), "duplicate-member", "the role stands twice"));
        }
        roles.push(role);
    }
    if roles.is_empty() {
        return Err(Problem::invalid(
            Place::Pointer("/roles".to_owned()),
            "required",
            "a member has at least one role",
        ));
    }
    Ok(roles)
}
