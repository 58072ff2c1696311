//! `/v1/transfers`: people pay each other. Asked for, shown, and confirmed by the payer's device and PIN.

use super::render;
use crate::answer::transfer::{Confirmation, OwnTransfer, Transfer};
use crate::answer::unstored;
use crate::citizens::citizen;
use crate::context::{Context, Credentials, Proven, Write};
use crate::holders::private;
use crate::ledger::input::{Money, path_id};
use crate::object::object;
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::citizens::Shown;
use vintem_core::event_store::{Disposed, Outcome};
use vintem_core::payments::limits::Device;
use vintem_core::payments::{Confirm, NewTransfer, Party};

/// Whom to pay, and how much.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferInput {
    /// What a look-up has found, within its ten minutes.
    lookup_id: String,
    /// What the payee gets.
    #[serde(deserialize_with = "object")]
    amount: Money,
    /// From you to the payee, and read by nobody else; 1 to 140 characters.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "almoço de sexta", max_length = 140)]
    note: Option<SecretString>,
}

/// That it is you, and that you want it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmInput {
    /// Your PIN.
    #[schema(value_type = String, example = "274906", pattern = "^[0-9]{6}$")]
    pub(super) pin: SecretString,
    /// By the session's device, in base64url, over the canonical JSON (RFC 8785) of `amount`, `asset`, `intent_id`, `nonce` and `payee`.
    pub(super) device_signature: String,
}

impl Credentials for ConfirmInput {
    const MEMBERS: &'static [&'static str] = &["pin", "device_signature"];
}

/// Ask what a transfer would be. It moves nothing, and ends after ten minutes unless you confirm it.
#[utoipa::path(post, path = "/v1/transfers", tag = "Transfers", request_body = TransferInput, responses((status = 201, body = Transfer)))]
pub async fn request(write: Write<TransferInput>) -> Result<HttpResponse, Problem> {
    let Write { context, mut key, value: TransferInput { lookup_id, amount: Money { amount, asset }, note } } = write;
    let (holder, own) = citizen(&context)?;
    let app = &context.app;
    let (payee, is_stale) = app.aliases.payee(context.actor.origin.tenant, holder, &lookup_id, app.citizens.now())?;
    let note = note.as_ref().map(private);
    if note.is_some() {
        // Kept for ever, so it must not be a digest that can be tried out.
        key.fingerprint = app.holders.fingerprint(&key.fingerprint)?;
    }
    let new = NewTransfer { payer: Party { holder, account: own.account }, payee, is_stale, amount, asset, note };
    let executed = app.payments.request(&context.actor, &key, &new, &render(&context)).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

/// Read a transfer of yours: one that you asked for, or one that has paid you. What it cost its payer only the payer is told.
#[utoipa::path(get, path = "/v1/transfers/{id}", tag = "Transfers", params(("id" = uuid::Uuid, Path)), responses((status = 200, body = OwnTransfer)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let ((holder, _), payments) = (citizen(&context)?, &context.app.payments);
    let transfer = payments.find(&context.actor, holder, path_id(&request)?).await?;
    let note = payments.note(&context.actor, holder, &transfer).await?;
    let note = note.map(|note| note.to_string());
    let shown = OwnTransfer::of(&transfer, holder, context.app.citizens.now(), note);
    Ok(unstored(shown.ok_or_else(Problem::not_found)?))
}

/// Confirm a transfer: the money moves now. PIN and signature are not part of what the key stands for: one that was
/// mistyped can be typed again under the same key.
#[utoipa::path(post, path = "/v1/transfers/{id}/confirm", tag = "Transfers", params(("id" = uuid::Uuid, Path)), request_body = ConfirmInput,
    responses((status = 200, body = Confirmation)))]
pub async fn confirm(request: HttpRequest, write: Proven<ConfirmInput>) -> Result<HttpResponse, Problem> {
    let Proven(Write { context, key, value: ConfirmInput { pin, device_signature } }) = write;
    let (who, app) = (citizen(&context)?, &context.app);
    let transfer = app.payments.find(&context.actor, who.0, path_id(&request)?).await?;
    // A payee reads it, too; their PIN is not asked for.
    if transfer.requested.payer.holder != who.0 {
        return Err(Problem::not_found());
    }
    let shown = Shown { pin: &pin, signature: &device_signature, said: &transfer.said() };
    let proven = app.citizens.confirm(&context.actor, who, &shown).await?;
    let now = app.citizens.now();
    let device = Device { id: proven.device, is_trusted: now >= proven.trusted_from };
    let by = Confirm { intent: transfer.id, holder: who.0, device, zone: context.tenant.time_zone, now };
    let executed = app.payments.confirm(&context.actor, &key, &by, &render(&context)).await?;
    if let Disposed::Done(done, _) = &executed.disposed
        && matches!(done.outcomes.first(), Some(Outcome::Applied(_)))
    {
        app.aliases.paid(who.0);
    }
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}
