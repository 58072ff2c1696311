//! `/v1/staff/sessions`: sign in, look, show the second factor again, sign out.

use super::presence::{Knock, clear_cookie, set_cookie, ticket};
use super::{entered, of};
use crate::answer::{time, unstored};
use crate::context::{Context, Question};
use crate::ledger::input::path_id;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::staff::{Entered, OpenSession, SecondFactor, Seen, SignIn, StaffError};
use vintem_core::kernel::Place;

/// Who signs in. Exactly one of `totp` and `recovery_code` is there.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignInInput {
    /// The tenant's name.
    #[schema(example = "coffee-town", max_length = 63)]
    tenant: String,
    /// The member's login.
    #[schema(example = "ana.s", max_length = 63)]
    login: String,
    /// The member's password.
    #[schema(value_type = String, example = "quatro rios sem ponte")]
    password: SecretString,
    /// The code that the member's device shows.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "123456", pattern = "^[0-9]{6}$")]
    totp: Option<SecretString>,
    /// One of the member's recovery codes, when the device is lost.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "0000-0000-0000-0000")]
    recovery_code: Option<SecretString>,
}

/// A second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StepUpInput {
    /// The code that the member's device shows now; each counts once.
    #[schema(value_type = String, example = "123456", pattern = "^[0-9]{6}$")]
    totp: SecretString,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignOutInput {}

/// A session, to its owner.
#[derive(Serialize, ToSchema)]
pub struct OwnSession {
    /// Which.
    #[serde(flatten)]
    session: SessionShown,
    /// The member's roles as of now.
    #[schema(example = json!(["support"]))]
    roles: Vec<&'static str>,
    /// To be sent as the header `X-CSRF-Token` with everything that changes something.
    csrf_token: String,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub struct SessionShown {
    /// Its id.
    id: Uuid,
    /// Whose it is.
    member: Uuid,
    /// Their login.
    #[schema(example = "ana.s")]
    login: String,
    /// When it was opened.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    created_at: String,
    /// When it was used last, to the minute.
    #[schema(example = "2026-03-01T12:10:00.000000Z")]
    used_at: String,
    /// When it ends, however much it is used; half an hour without use ends it earlier.
    #[schema(example = "2026-03-02T00:00:00.000000Z")]
    expires_at: String,
    /// Until when the second factor is fresh enough for rights over money.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:05:00.000000Z")]
    fresh_until: Option<String>,
    /// Where it was opened from; only to its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "203.0.113.7")]
    address: Option<String>,
    /// What the browser said that it is; only to its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    device: Option<String>,
}

/// Sessions.
#[derive(Serialize, ToSchema)]
pub struct SessionList {
    /// The newest first.
    sessions: Vec<SessionShown>,
}

/// How long the second factor is fresh now.
#[derive(Serialize, ToSchema)]
pub struct SteppedUp {
    /// Until then.
    #[schema(example = "2026-03-01T12:05:00.000000Z")]
    fresh_until: String,
}

/// Sign in. The session's cookie comes in a header; whatever was wrong, the refusal is the same.
#[utoipa::path(post, path = "/v1/staff/sessions", tag = "Staff", request_body = SignInInput, responses((status = 201, body = OwnSession)), security(()))]
pub async fn sign_in(knock: Knock<SignInInput>) -> Result<HttpResponse, Problem> {
    let Knock { app, from, device, value: SignInInput { tenant, login, password, totp, recovery_code } } = knock;
    let factor = match (totp, recovery_code) {
        (Some(code), None) => SecondFactor::Code(code),
        (None, Some(code)) => SecondFactor::RecoveryCode(code),
        _ => {
            let place = Place::Pointer("/totp".to_owned());
            return Err(Problem::invalid(place, "required", "send exactly one of totp and recovery_code"));
        }
    };
    let signed_in =
        app.staff.sign_in(SignIn { tenant, login, password, factor }, from, Seen::new(from, device.as_deref())).await?;
    let shown = OwnSession::of(&signed_in.entered, signed_in.ticket.csrf());
    let mut response = HttpResponse::Created();
    response.insert_header((header::SET_COOKIE, set_cookie(&signed_in.ticket)));
    Ok(response.insert_header((header::CACHE_CONTROL, "no-store")).json(shown))
}

/// The session that the request came with, and its `csrf_token`: what a page asks for when it is loaded anew.
#[utoipa::path(get, path = "/v1/staff/sessions/current", tag = "Staff", responses((status = 200, body = OwnSession)))]
pub async fn current(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let csrf = ticket(request.headers())?.map(|ticket| ticket.csrf()).unwrap_or_default();
    Ok(unstored(OwnSession::of(&*entered(&context)?, csrf)))
}

/// The member's own open sessions.
#[utoipa::path(get, path = "/v1/staff/sessions", tag = "Staff", responses((status = 200, body = SessionList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let sessions = context.app.staff.own_sessions(of(&context.tenant), context.caller.subject).await?;
    Ok(unstored(SessionList::of(sessions)))
}

/// Show the second factor again, for five minutes of what needs it fresh.
#[utoipa::path(post, path = "/v1/staff/sessions/current/step-up", tag = "Staff", request_body = StepUpInput, responses((status = 200, body = SteppedUp)))]
pub async fn step_up(question: Question<StepUpInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: StepUpInput { totp } } = question;
    let entered = entered(&context)?;
    let stepped = context.app.staff.step_up(&context.actor, &entered, totp.expose_secret()).await;
    let fresh_until =
        stepped.map_err(|error| not_proven(error, "/totp", "the code does not count now, or did before"))?;
    Ok(unstored(SteppedUp { fresh_until: time(fresh_until) }))
}

/// Sign out: the session that the request came with.
#[utoipa::path(delete, path = "/v1/staff/sessions/current", tag = "Staff", responses((status = 204)))]
pub async fn sign_out(question: Question<SignOutInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: SignOutInput {} } = question;
    let entered = entered(&context)?;
    context.app.staff.sign_out(&context.actor, entered.member.id, entered.session.id).await?;
    Ok(HttpResponse::NoContent().insert_header((header::SET_COOKIE, clear_cookie())).finish())
}

/// End one of the member's own sessions, on whatever machine it is. Ending it twice is no error.
#[utoipa::path(delete, path = "/v1/staff/sessions/{id}", tag = "Staff", params(("id" = Uuid, Path, description = "The session's id")), responses((status = 204)))]
pub async fn end(request: HttpRequest, question: Question<SignOutInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: SignOutInput {} } = question;
    let ended = context.app.staff.sign_out(&context.actor, context.caller.subject, path_id(&request)?).await;
    ended.map_err(not_there)?;
    Ok(HttpResponse::NoContent().finish())
}

impl OwnSession {
    fn of(entered: &Entered, csrf_token: String) -> Self {
        let login = entered.member.login.clone();
        let session = OpenSession { session: entered.session.clone(), login, seen: Seen::default() };
        let roles = entered.member.position.roles.iter().map(|role| role.as_str()).collect();
        Self { session: SessionShown::of(session), roles, csrf_token }
    }
}

impl SessionList {
    /// Of those that are open.
    pub fn of(sessions: Vec<OpenSession>) -> Self {
        Self { sessions: sessions.into_iter().map(SessionShown::of).collect() }
    }
}

impl SessionShown {
    fn of(OpenSession { session, login, seen }: OpenSession) -> Self {
        Self {
            id: session.id,
            member: session.member,
            login,
            created_at: time(session.created_at),
            used_at: time(session.used_at),
            expires_at: time(session.expires_at()),
            fresh_until: session.fresh_until.map(time),
            address: seen.address,
            device: seen.device,
        }
    }
}

/// Within a session it is known who asks: what was not proven is a value that is wrong.
pub fn not_proven(error: StaffError, pointer: &str, detail: &str) -> Problem {
    match error {
        StaffError::NotProven => Problem::invalid(Place::Pointer(pointer.to_owned()), "malformed", detail),
        error => error.into(),
    }
}

/// A session that a path names is an object like others.
pub fn not_there(error: StaffError) -> Problem {
    match error {
        StaffError::NoSession => Problem::not_found(),
        error => error.into(),
    }
}
