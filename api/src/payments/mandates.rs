//! `/v1/mandates`: consents, once, that a service is paid without a PIN each time.

use super::render;
use super::transfers::ConfirmInput;
use crate::answer::mandate::{Mandate, MandateConsent, MandateList};
use crate::answer::unstored;
use crate::citizens::{NothingToSay, citizen};
use crate::context::{Context, Proven, Question, Write};
use crate::ledger::input::{Money, invalid, path_id};
use crate::object::{object, optional, some_uuid};
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::citizens::Shown;
use vintem_core::kernel::window::Period;
use vintem_core::payments::limits::Device;
use vintem_core::payments::mandates::NewMandate;
use vintem_core::payments::{Confirm, Party};

/// What to consent to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MandateInput {
    /// What may be paid: `service_id` of a charge.
    #[serde(deserialize_with = "some_uuid")]
    service_id: Uuid,
    /// How much in each period, in the service's asset.
    #[serde(deserialize_with = "object")]
    cap: Money,
    /// How much at once, no more than the cap; absent is as much as the cap.
    #[serde(default, deserialize_with = "optional")]
    per_payment: Option<Money>,
    /// What the cap is of, in the institution's time zone.
    #[schema(value_type = String, example = "week", pattern = "^(day|week|month)$")]
    period: Period,
}

/// Ask what a mandate would allow. It covers nothing, and ends after ten minutes unless you confirm it.
#[utoipa::path(post, path = "/v1/mandates", tag = "Terminals", request_body = MandateInput, responses((status = 201, body = Mandate)))]
pub async fn request(write: Write<MandateInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: MandateInput { service_id, cap, per_payment, period } } = write;
    let ((holder, own), app) = (citizen(&context)?, &context.app);
    let service = app.services.find(&context.actor, service_id).await?.filter(|service| service.is_open);
    let service = service.ok_or_else(|| invalid("/service_id", "malformed", "there is no such service"))?;
    let per_payment = per_payment.map(|money| ("/per_payment/asset", money));
    for (pointer, asset) in [("/cap/asset", &cap.asset)]
        .into_iter()
        .chain(per_payment.iter().map(|(pointer, money)| (*pointer, &money.asset)))
    {
        if *asset != service.asset {
            return Err(invalid(pointer, "malformed", format!("the service is paid in {}", service.asset)));
        }
    }
    let new = NewMandate {
        payer: Party { holder, account: own.account },
        service: (service.id, service.label),
        asset: service.asset,
        cap: cap.amount,
        per_payment: per_payment.map(|(_, money)| money.amount),
        period,
    };
    let what = (&new, app.citizens.now());
    let executed = app.payments.request_mandate(&context.actor, &key, what, &render(&context)).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

/// Your mandates.
#[utoipa::path(get, path = "/v1/mandates", tag = "Terminals", responses((status = 200, body = MandateList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let ((holder, _), app) = (citizen(&context)?, &context.app);
    let (mandates, now) = (app.payments.mandates(&context.actor, holder).await?, app.citizens.now());
    Ok(unstored(MandateList { mandates: mandates.all.iter().map(|one| Mandate::standing(one, now)).collect() }))
}

/// Consent to a mandate, as a transfer is confirmed. What is signed has `per_payment` and `period` besides, as they were answered.
#[utoipa::path(post, path = "/v1/mandates/{id}/confirm", tag = "Terminals", params(("id" = Uuid, Path)), request_body = ConfirmInput,
    responses((status = 200, body = MandateConsent)))]
pub async fn confirm(request: HttpRequest, write: Proven<ConfirmInput>) -> Result<HttpResponse, Problem> {
    let Proven(Write { context, key, value: ConfirmInput { pin, device_signature } }) = write;
    let (who, app) = (citizen(&context)?, &context.app);
    let mandate = app.payments.mandate(&context.actor, who.0, path_id(&request)?).await?;
    let shown = Shown { pin: &pin, signature: &device_signature, said: &mandate.said() };
    // Before the key is looked at: who cannot prove themselves is told no answer that somebody else was given.
    let proven = app.citizens.confirm(&context.actor, who, &shown).await?;
    let now = app.citizens.now();
    let device = Device { id: proven.device, is_trusted: now >= proven.trusted_from };
    let by = Confirm { intent: mandate.id(), holder: who.0, device, zone: context.tenant.time_zone, now };
    let executed = app.payments.activate_mandate(&context.actor, &key, &by, &render(&context)).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

/// Revoke a mandate, at once. Doing it twice is no error.
#[utoipa::path(delete, path = "/v1/mandates/{id}", tag = "Terminals", params(("id" = Uuid, Path)), request_body = NothingToSay, responses((status = 204)))]
pub async fn revoke(question: Question<NothingToSay>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let context = question.context;
    let (holder, _) = citizen(&context)?;
    context.app.payments.revoke_mandate(&context.actor, holder, path_id(&request)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
