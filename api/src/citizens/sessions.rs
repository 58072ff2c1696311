//! `/v1/sessions`: sign in, go on, look, sign out.

use super::knock::{ForTenant, Knock, key, named, trace};
use super::registrations::created;
use super::{CitizenTokens, CodeSent, NothingToSay, citizen, of};
use crate::answer::{time, unstored};
use crate::app::App;
use crate::body::Parsed;
use crate::context::{Context, Question, said};
use crate::holders::private;
use crate::ledger::input::path_id;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse, web};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::{AccessError, Of};
use vintem_core::citizens::{Answered, CitizenError, RefreshToken, SessionShown, SignIn, SignedIn};
use vintem_core::holders::details::number;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CitizenSignInInput {
    /// The tenant's name.
    #[schema(example = "coffee-town", max_length = 63)]
    tenant: String,
    /// The citizen's number.
    #[schema(value_type = String, example = "529.982.247-25")]
    cpf: SecretString,
    /// The citizen's password.
    #[schema(value_type = String, example = "quatro rios sem ponte")]
    password: SecretString,
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CodeInput {
    /// The tenant's name.
    #[schema(example = "coffee-town", max_length = 63)]
    tenant: String,
    /// The six digits that were sent.
    #[schema(value_type = String, example = "123456", pattern = "^[0-9]{6}$")]
    code: SecretString,
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshInput {
    /// The one that came last.
    #[schema(value_type = String, example = "vtr_…")]
    refresh_token: SecretString,
}

/// A session, to its owner.
#[derive(Serialize, ToSchema)]
pub struct CitizenSessionShown {
    /// Its id.
    id: Uuid,
    /// Its device.
    device_id: Uuid,
    /// When it began.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    created_at: String,
    /// When it was refreshed last.
    #[schema(example = "2026-03-02T08:00:00.000000Z")]
    refreshed_at: String,
    /// Whether it is the one that asks.
    is_current: bool,
}

/// Sessions.
#[derive(Serialize, ToSchema)]
pub struct CitizenSessionList {
    /// The newest first.
    sessions: Vec<CitizenSessionShown>,
}

impl ForTenant for CitizenSignInInput {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

impl ForTenant for CodeInput {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

/// Sign in. On a device that is yours the answer is a session; on another one a code goes to your contact first (202).
#[utoipa::path(post, path = "/v1/sessions", tag = "Citizens", request_body = CitizenSignInInput,
    responses((status = 201, body = CitizenTokens), (status = 202, body = CodeSent)), security(()))]
pub async fn sign_in(knock: Knock<CitizenSignInInput>) -> Result<HttpResponse, Problem> {
    let Knock { app, knocks, value: CitizenSignInInput { cpf, password, .. } } = knock;
    let who = SignIn { cpf: number(&private(&cpf))?, password };
    match Box::pin(app.citizens.sign_in(&knocks, &who)).await? {
        SignedIn::Opened(opened) => Ok(created(&CitizenTokens::of(&app, &opened)?)),
        SignedIn::Challenged(sent) => Ok(HttpResponse::Accepted().json(CodeSent::from(sent))),
    }
}

/// Send the code of a sign-in back. The device is yours from then on, and pays less for a day.
#[utoipa::path(post, path = "/v1/sessions/{id}/verify", tag = "Citizens", params(("id" = Uuid, Path)), request_body = CodeInput,
    responses((status = 201, body = CitizenTokens)), security(()))]
pub async fn verify(knock: Knock<CodeInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Knock { app, knocks, value: CodeInput { code, .. } } = knock;
    let answered = Answered { challenge: named(&request)?, code };
    let opened = Box::pin(app.citizens.complete_sign_in(&knocks, &answered)).await?;
    Ok(created(&CitizenTokens::of(&app, &opened)?))
}

/// Get the next tokens. An answer that was lost is given again for ten seconds; an older token ends the session.
#[utoipa::path(post, path = "/v1/sessions/refresh", tag = "Citizens", request_body = RefreshInput, responses((status = 200, body = CitizenTokens)), security(()))]
pub async fn refresh(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    let app = App::of(&request)?;
    let Parsed { value, .. } = said::<RefreshInput>(&request, &mut payload.into_inner()).await?;
    let key = key(&app, &request)?.thumbprint();
    let token = RefreshToken::read(&value.refresh_token).ok_or(CitizenError::NoSession)?;
    let tenant = match app.access.tenant(token.tenant()).await {
        Err(AccessError::UnknownTenant) => return Err(CitizenError::NoSession.into()),
        tenant => tenant?,
    };
    let of = Of { shard: tenant.shard, tenant: tenant.tenant };
    let opened = app.citizens.refresh(of, &token, key, trace(&request)).await?;
    Ok(unstored(CitizenTokens::of(&app, &opened)?))
}

/// List your open sessions.
#[utoipa::path(get, path = "/v1/sessions", tag = "Citizens", responses((status = 200, body = CitizenSessionList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    Ok(HttpResponse::Ok().json(CitizenSessionList { sessions: shown(&context).await? }))
}

/// The open sessions of the citizen who asks.
pub async fn shown(context: &Context) -> Result<Vec<CitizenSessionShown>, Problem> {
    let (holder, own) = citizen(context)?;
    let shown = |SessionShown { id, device, created_at, refreshed_at }| CitizenSessionShown {
        id,
        device_id: device,
        created_at: time(created_at),
        refreshed_at: time(refreshed_at),
        is_current: id == own.session,
    };
    Ok(context.app.citizens.sessions(of(context), holder).await?.into_iter().map(shown).collect())
}

/// End one of your sessions, this one too. Its tokens are refused within seconds.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "Citizens", params(("id" = Uuid, Path)), request_body = NothingToSay, responses((status = 204)))]
pub async fn end(question: Question<NothingToSay>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let context = question.context;
    let (holder, _) = citizen(&context)?;
    context.app.citizens.sign_out(&context.actor, holder, path_id(&request)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
