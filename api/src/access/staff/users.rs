//! `/v1/admin/users`: who is a member of the staff, and as what.

use super::{authority, of};
use crate::answer;
use crate::answer::staff::{StaffMember, StaffUser};
use crate::answer::unstored;
use crate::context::{Context, Write};
use crate::ledger::input::path_id;
use crate::object::{SomeUuid, nullable, uuid};
use crate::problem::Problem;
use crate::query::Query;
use crate::write::{self, Ready};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::staff::{Change, Invited, Login, Position};
use vintem_core::access::{Grant, Role, UnknownGrant};
use vintem_core::event_store::job::Render;
use vintem_core::event_store::{Disposed, Done};
use vintem_core::kernel::{Place, Refusal};
use vintem_core::ledger::known::Known;

/// More would be a role that nobody has written down.
const MOST_GRANTS: usize = 50;

/// Somebody to invite.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserInput {
    /// A work name, unique in the tenant. It stands in the log for ever and must be nothing personal.
    #[schema(example = "ana.s", pattern = "^[a-z0-9][a-z0-9._-]{1,62}$")]
    login: String,
    /// What they are to be. May be empty where there are grants.
    #[schema(example = json!(["support"]))]
    roles: Vec<String>,
    /// Single grants besides, as far as you hold them: `verb:object`, `verb:object:<id>`, and of users and sessions
    /// `verb:object:own`, `:unit` or `:below`.
    #[serde(default)]
    #[schema(example = json!(["view:user:below"]), max_items = 50)]
    grants: Vec<String>,
    /// Where they belong; without one they belong to no unit.
    #[serde(default, deserialize_with = "uuid")]
    unit: Option<Uuid>,
}

/// What to change: exactly one of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct UserChange {
    /// All roles that the member has from then on.
    #[serde(default)]
    #[schema(example = json!(["support", "developer"]))]
    roles: Option<Vec<String>>,
    /// All single grants that the member has beside the roles from then on. What they have already may stay; of the rest
    /// nobody gives more than they hold.
    #[serde(default)]
    #[schema(example = json!(["view:user:below"]), max_items = 50)]
    grants: Option<Vec<String>>,
    /// The unit that the member belongs to from then on; null is none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    unit: Option<Option<SomeUuid>>,
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
    let Write { context, key, value: UserInput { login, roles, grants, unit } } = write;
    let login: Login = login.parse().map_err(|refusal: Refusal| Problem::from(refusal.at("/login")))?;
    let position = Position { roles: parse_roles(&roles)?, grants: parse_grants(&grants)?, unit };
    let (authority, who) = (authority(&context).await?, (&login, &position));
    let (disposed, invited) = context.app.staff.invite(&context.actor, &authority, key, who, render(&context)).await?;
    shown_once(&context, disposed, &invited).await
}

/// The members of the staff whom the grant is about.
#[utoipa::path(get, path = "/v1/admin/users", tag = "Staff", responses((status = 200, body = UserList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let members = context.app.staff.members(of(&context.tenant), &authority(&context).await?).await?;
    Ok(unstored(UserList { users: members.iter().map(StaffMember::of).collect() }))
}

/// One member.
#[utoipa::path(get, path = "/v1/admin/users/{id}", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The member's id")), responses((status = 200, body = StaffMember)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (id, authority) = (path_id(&request)?, authority(&context).await?);
    let member = context.app.staff.member(of(&context.tenant), &authority, id).await?;
    Ok(unstored(StaffMember::of(&member)))
}

/// Give a member other roles, grants or another unit, or shut them out, or let them back in. Nobody changes themselves, and
/// whoever administers less than the whole tenant changes nobody who holds more than they do.
#[utoipa::path(patch, path = "/v1/admin/users/{id}", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The member's id")), request_body = UserChange, responses((status = 200, body = StaffUser)))]
pub async fn change(request: HttpRequest, write: Write<UserChange>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    let (id, change, authority) = (path_id(&request)?, value.change()?, authority(&context).await?);
    let staff = &context.app.staff;
    let disposed = staff.change(&context.actor, &authority, key, (id, &change), render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// Take away a member's password, device and recovery codes, end their sessions, and invite them anew: for whoever has lost
/// them. Nobody chooses them for somebody else.
#[utoipa::path(post, path = "/v1/admin/users/{id}/reset", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The member's id")), request_body = ResetInput, responses((status = 200, body = StaffUser)))]
pub async fn reset(request: HttpRequest, write: Write<ResetInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ResetInput {} } = write;
    let (id, authority) = (path_id(&request)?, authority(&context).await?);
    let (disposed, invited) = context.app.staff.reset(&context.actor, &authority, key, id, render(&context)).await?;
    shown_once(&context, disposed, &invited).await
}

impl UserChange {
    /// The one that it says.
    fn change(self) -> Result<Change, Problem> {
        let Self { roles, grants, unit, status } = self;
        match (roles, grants, unit, status.as_deref()) {
            (Some(roles), None, None, None) => Ok(Change::Roles(parse_roles(&roles)?)),
            (None, Some(grants), None, None) => Ok(Change::Grants(parse_grants(&grants)?)),
            (None, None, Some(unit), None) => Ok(Change::Unit(unit.map(|SomeUuid(unit)| unit))),
            (None, None, None, Some("suspended")) => Ok(Change::Suspend),
            (None, None, None, Some("active")) => Ok(Change::Resume),
            (None, None, None, Some(_)) => {
                let place = Place::Pointer("/status".to_owned());
                Err(Problem::invalid(place, "out-of-range", "a status is active or suspended"))
            }
            _ => {
                let place = Place::Pointer(String::new());
                Err(Problem::invalid(place, "required", "send exactly one of roles, grants, unit and status"))
            }
        }
    }
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
    let known: Vec<&str> = Role::all().map(Role::as_str).collect();
    parse(names, "roles", &format!("the roles are {}", known.join(", ")))
}

fn parse_grants(texts: &[String]) -> Result<Vec<Grant>, Problem> {
    if texts.len() > MOST_GRANTS {
        let place = Place::Pointer("/grants".to_owned());
        return Err(Problem::invalid(place, "too-long", format!("a member has at most {MOST_GRANTS} single grants")));
    }
    parse(texts, "grants", &UnknownGrant.to_string())
}

/// Reads a list in which nothing stands twice.
fn parse<T: FromStr + PartialEq>(texts: &[String], list: &str, unknown: &str) -> Result<Vec<T>, Problem> {
    let mut all = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let place = || Place::Pointer(format!("/{list}/{index}"));
        let one: T = text.parse().map_err(|_| Problem::invalid(place(), "out-of-range", unknown))?;
        if all.contains(&one) {
            return Err(Problem::invalid(place(), "duplicate-member", "it stands twice"));
        }
        all.push(one);
    }
    Ok(all)
}
