//! `/v1/holders`: people, and forgetting them.
//!
//! Nothing personal is ever in a path, a query, a stored answer or a log; it travels in bodies only.

use crate::answer::holder::{Holder, HolderDetails};
use crate::answer::{self, unstored};
use crate::citizens::of;
use crate::context::{Context, Question, Write};
use crate::ledger::input::{invalid, path_id};
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::job::Render;
use vintem_core::event_store::{Done, RequestKey};
use vintem_core::holders::details::{self, Private};
use vintem_core::holders::event::{HolderUnmasked, Reason};
use vintem_core::holders::{Details, Found};
use vintem_core::ledger::known::Known;

/// A person to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderInput {
    /// Their name.
    #[schema(value_type = String, example = "Ana Conceição", min_length = 1, max_length = 200)]
    name: SecretString,
    /// Their e-mail address; this or a phone number must be there.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "ana@exemplo.com.br", max_length = 254)]
    email: Option<SecretString>,
    /// Their phone number, with the country's code.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "+5511912345678", pattern = r"^\+[1-9][0-9]{7,14}$")]
    phone: Option<SecretString>,
    /// Their CPF: 11 digits, or `ddd.ddd.ddd-dd`.
    #[schema(value_type = String, example = "529.982.247-25")]
    cpf: SecretString,
}

/// Whom to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderLookup {
    /// Their CPF.
    #[schema(value_type = String, example = "529.982.247-25")]
    cpf: SecretString,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HolderErasureInput {}

/// Register a person. The answer holds nothing personal; read the holder for that.
///
/// A second one with the same CPF is refused with `already-registered`.
#[utoipa::path(post, path = "/v1/holders", tag = "Holders", request_body = HolderInput, responses((status = 201, body = Holder)))]
pub async fn register(write: Write<HolderInput>) -> Result<HttpResponse, Problem> {
    let Write { context, mut key, value: HolderInput { name, email, phone, cpf } } = write;
    let (email, phone) = (email.as_ref().map(private), phone.as_ref().map(private));
    let details = Details::checked(private(&name), email, phone, &private(&cpf))?;
    // Kept for ever, so it must not be a digest that can be tried out.
    key.fingerprint = context.app.holders.fingerprint(&key.fingerprint)?;
    let disposed = context.app.holders.register(&context.actor, key, &details, render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// Read a holder, masked. Once they are erased, the status says so and the personal members are absent.
#[utoipa::path(get, path = "/v1/holders/{id}", tag = "Holders", params(("id" = uuid::Uuid, Path, description = "The holder's id")), responses((status = 200, body = HolderDetails)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    Ok(masked(&context.app.holders.find(&context.actor, path_id(&request)?).await?))
}

/// Find a holder by CPF, masked. A question and not a write: it needs no `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/holders/lookups", tag = "Holders", request_body = HolderLookup, responses((status = 200, body = HolderDetails)))]
pub async fn look_up(question: Question<HolderLookup>) -> Result<HttpResponse, Problem> {
    let Question { context, value: HolderLookup { cpf } } = question;
    Ok(masked(&context.app.holders.look_up(&context.actor, &details::number(&private(&cpf))?).await?))
}

/// Read a holder as they are. Who asked, and what for, is recorded before the answer; asking twice is recorded twice.
#[utoipa::path(post, path = "/v1/holders/{id}/unmask", tag = "Holders", params(("id" = uuid::Uuid, Path, description = "The holder's id")), request_body = HolderUnmasked, responses((status = 200, body = HolderDetails)))]
pub async fn unmask(request: HttpRequest, question: Question<HolderUnmasked>) -> Result<HttpResponse, Problem> {
    let Question { context, value } = question;
    if value.reason == Reason::Portability {
        return Err(invalid("/reason", "out-of-range", "only the person themselves gives this reason"));
    }
    let found = context.app.holders.unmask(&context.actor, path_id(&request)?, &value).await?;
    Ok(unstored(HolderDetails::of(&found.holder, found.details.as_ref())))
}

/// Erase a holder for good: the key to what the ledger knows of the person is destroyed. Their money stays as it is.
///
/// The answer says when that is complete in live systems and in backups. An erasure of an erased holder is answered alike. While a
/// withdrawal of theirs is approved and neither paid nor rejected it is `invalid-state`.
#[utoipa::path(post, path = "/v1/holders/{id}/erasure", tag = "Holders", params(("id" = uuid::Uuid, Path, description = "The holder's id")), request_body = HolderErasureInput, responses((status = 200, body = Holder)))]
pub async fn erase(request: HttpRequest, write: Write<HolderErasureInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: HolderErasureInput {} } = write;
    let (id, caller) = (path_id(&request)?, context.caller.subject);
    erased(&context, (caller, id), key, render(&context)).await
}

/// Erases a person, and what they prove themselves with.
pub(crate) async fn erased(
    context: &Context,
    (requested_by, holder): (Uuid, Uuid),
    key: RequestKey,
    render: Render,
) -> Result<HttpResponse, Problem> {
    let citizens = &context.app.citizens;
    let disposed = citizens.erase(&context.actor, requested_by, key, holder, render).await?;
    citizens.forget(of(context), holder).await.map_err(|error| Problem::from(error).after_the_write())?;
    Ok(write::answered(context, disposed, &Known::default()).await?.respond())
}

/// A text of a body, for core; overwritten when it is dropped, like the one it was copied from.
pub(crate) fn private(text: &SecretString) -> Private {
    Private::new(text.expose_secret().to_owned())
}

pub(crate) fn render(context: &Context) -> Render {
    let shown = context.shown.clone();
    Arc::new(move |done: &Done| answer::single(done, &Known::default(), &shown))
}

fn masked(found: &Found) -> HttpResponse {
    unstored(HolderDetails::masked(&found.holder, found.details.as_ref()))
}
