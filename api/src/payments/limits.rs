//! `/v1/limits`: what somebody may pay, as they want it.

use super::render;
use crate::answer::limits::{LimitsAsked, LimitsNow};
use crate::citizens::citizen;
use crate::context::{Context, Write};
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::kernel::{Minor, Refusal};
use vintem_core::payments::event::LimitsChanged;
use vintem_core::payments::{Party, level};

/// Limits to be; those that are absent stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PayerLimitsInput)]
pub struct LimitsInput {
    /// Of one payment.
    #[serde(default)]
    #[schema(example = "500.00")]
    payment: Option<String>,
    /// Of a calendar day.
    #[serde(default)]
    #[schema(example = "1000.00")]
    day: Option<String>,
    /// Of a calendar month.
    #[serde(default)]
    #[schema(example = "5000.00")]
    month: Option<String>,
    /// From 20:00 to 06:00.
    #[serde(default)]
    #[schema(example = "200.00")]
    night: Option<String>,
}

/// What you may pay.
#[utoipa::path(get, path = "/v1/limits", tag = "Transfers", responses((status = 200, body = LimitsNow)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let ((holder, own), app) = (citizen(&context)?, &context.app);
    let account = app.ledger.identity(&context.actor, own.account).await?.ok_or_else(Problem::not_found)?;
    let limits = app.payments.limits(&context.actor, holder, account.scale).await?;
    Ok(HttpResponse::Ok().json(LimitsNow::of(&limits, &account.asset, account.scale, app.citizens.now())))
}

/// Change what you may pay: less holds at once, more after 24 hours.
#[utoipa::path(patch, path = "/v1/limits", tag = "Transfers", request_body = LimitsInput, responses((status = 200, body = LimitsAsked)))]
pub async fn change(write: Write<LimitsInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: LimitsInput { payment, day, month, night } } = write;
    let (holder, own) = citizen(&context)?;
    let wanted = |scale| {
        let read = |text: &Option<String>, pointer: &str| -> Result<Option<Minor>, Refusal> {
            text.as_deref().map(|text| level(text, scale, pointer)).transpose()
        };
        let (payment, day) = (read(&payment, "/payment")?, read(&day, "/day")?);
        Ok(LimitsChanged { scale, payment, day, month: read(&month, "/month")?, night: read(&night, "/night")? })
    };
    let (payments, party) = (&context.app.payments, Party { holder, account: own.account });
    let executed = payments.change_limits(&context.actor, &key, party, wanted, &render(&context)).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}
