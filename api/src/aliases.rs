//! `/v1/aliases`, `/v1/alias-lookups`: the keys by which people are paid, and finding people by them.
//!
//! A key never stands in a path, a query or a stored answer; it travels in bodies only.

use crate::answer::alias::{Alias, AliasList};
use crate::answer::unstored;
use crate::citizens::{NothingToSay, citizen};
use crate::context::{Context, Question, Write};
use crate::holders::{private, render};
use crate::ledger::input::path_id;
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vintem_core::aliases::{Alias as Key, Found, Kind};
use vintem_core::ledger::known::Known;
use vintem_core::payments::Party;

/// A key to have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasInput {
    /// `cpf`, `phone` and `email` are what is known of you; `random` is drawn.
    #[schema(value_type = String, example = "email", pattern = "^(cpf|phone|email|random)$")]
    kind: Kind,
}

/// Whom to look for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AliasLookup {
    /// What the key is; without it, by its looks: a number without a plus is a CPF.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "phone", pattern = "^(cpf|phone|email|random)$")]
    kind: Option<Kind>,
    /// The key.
    #[schema(value_type = String, example = "+5511912345678", max_length = 254)]
    alias: SecretString,
}

/// Somebody who can be paid: enough of them to see that it is the right person.
#[derive(Debug, Serialize, ToSchema)]
pub struct AliasFound {
    /// What a transfer is asked for with: yours, for ten minutes.
    lookup_id: String,
    /// First name and an initial.
    #[schema(example = "Ana C.")]
    display_name: String,
    /// The six digits in the middle.
    #[schema(example = "***.982.247-**")]
    masked_cpf: String,
}

/// List your keys.
#[utoipa::path(get, path = "/v1/aliases", tag = "Aliases", responses((status = 200, body = AliasList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (holder, _) = citizen(&context)?;
    let own = context.app.aliases.list(&context.actor, holder).await?;
    Ok(unstored(AliasList { aliases: own.iter().map(Alias::own).collect() }))
}

/// Have one more key, for your account; five at most. A key that is somebody's is refused with `alias-taken`.
#[utoipa::path(post, path = "/v1/aliases", tag = "Aliases", request_body = AliasInput, responses((status = 201, body = Alias)))]
pub async fn register(write: Write<AliasInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: AliasInput { kind } } = write;
    let (holder, own) = citizen(&context)?;
    let who = Party { holder, account: own.account };
    let disposed = context.app.aliases.register(&context.actor, &key, (who, kind), &render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// Give a key up: nobody finds you by it any more, and somebody else may have it.
#[utoipa::path(delete, path = "/v1/aliases/{id}", tag = "Aliases", params(("id" = uuid::Uuid, Path)), request_body = NothingToSay, responses((status = 204)))]
pub async fn remove(question: Question<NothingToSay>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let context = question.context;
    let (holder, _) = citizen(&context)?;
    context.app.aliases.remove(&context.actor, holder, path_id(&request)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Find whom to pay. A question and not a write: it needs no `Idempotency-Key`. One that finds nobody costs twenty that find somebody.
#[utoipa::path(post, path = "/v1/alias-lookups", tag = "Aliases", request_body = AliasLookup, responses((status = 200, body = AliasFound)))]
pub async fn look_up(question: Question<AliasLookup>) -> Result<HttpResponse, Problem> {
    let Question { context, value: AliasLookup { kind, alias } } = question;
    let (holder, _) = citizen(&context)?;
    let (alias, now) = (Key::read(kind, &private(&alias))?, context.app.citizens.now());
    let Found { lookup_id, name, cpf } = context.app.aliases.look_up(&context.actor, holder, &alias, now).await?;
    Ok(unstored(AliasFound { lookup_id, display_name: name.to_string(), masked_cpf: cpf.to_string() }))
}
