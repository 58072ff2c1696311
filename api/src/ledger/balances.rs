//! `/v1/accounts/{id}/balance`: now, as recorded at an instant, or as effective at one.

use super::{accounts, input};
use crate::answer::{Balance, time};
use crate::context::Context;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::read::Point;
use vintem_core::kernel::Instant;
use vintem_core::ledger::known::Identity;
use vintem_core::ledger::statement::BalanceAt as BalanceFound;
use vintem_core::ledger::store::balances::Balances;

/// An account's balances and as of when.
#[derive(Debug, Serialize, ToSchema)]
pub struct BalanceAt {
    /// The account.
    account: Uuid,
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// What was posted, in the direction of the account's normal side.
    #[schema(example = "100.00")]
    posted: String,
    /// What holds keep back; absent for an effective instant, because holds have no value date. So are the next three.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "20.00")]
    held: Option<String>,
    /// What holds announce to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0.00")]
    incoming: Option<String>,
    /// What can be spent: posted less held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "80.00")]
    available: Option<String>,
    /// The account's entry version.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 7)]
    version: Option<i64>,
    /// What the balances know of.
    as_of: AsOf,
}

/// A point of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AsOf {
    /// The newest position that is known.
    #[schema(example = 1024)]
    pub position: i64,
    /// When it was recorded; null before the first.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub recorded_at: Option<String>,
    /// The effective instant, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_at: Option<String>,
}

/// The balances of an account that its caller may see, now or as recorded at an instant, and what they know of.
pub async fn recorded(
    context: &Context,
    identity: &Identity,
    at: Option<Instant>,
) -> Result<(Balance, Point), Problem> {
    let BalanceFound { point, balances } = context.app.ledger.balance(&context.actor, identity.number, at).await?;
    let Balances { posted, held, incoming, version } = balances;
    Ok((Balance::of(posted, held, incoming, version, identity.scale), point))
}

/// Read an account's balance.
///
/// `at` looks back in recorded time: what the ledger said then. `effective_at` looks at value dates: what had been posted with
/// a value date up to then, as the ledger knows now, or knew `at`. A date means its end in the tenant's time zone.
#[utoipa::path(get, path = "/v1/accounts/{id}/balance", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id"),
    ("at" = Option<String>, Query, description = "Recorded instant or date"),
    ("effective_at" = Option<String>, Query, description = "Effective instant or date")
), responses((status = 200, body = BalanceAt)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["at", "effective_at"])?;
    let zone = context.tenant.time_zone;
    let at = query.when("at")?.map(|when| when.end(zone));
    let effective_at = query.when("effective_at")?.map(|when| when.end(zone));
    let identity = accounts::identity(&context, input::path_id(&request)?).await?;
    let as_of = |point: Point| AsOf {
        position: point.position,
        recorded_at: point.recorded_at.map(time),
        effective_at: effective_at.map(time),
    };
    let (account, scale) = (identity.id, identity.scale);
    let answer = match effective_at {
        None => {
            let (Balance { posted, held, incoming, available, version }, point) =
                recorded(&context, &identity, at).await?;
            let (held, incoming, available) = (Some(held), Some(incoming), Some(available));
            BalanceAt {
                account,
                asset: identity.asset.clone(),
                posted,
                held,
                incoming,
                available,
                version: Some(version),
                as_of: as_of(point),
            }
        }
        Some(instant) => {
            let ledger = &context.app.ledger;
            let (point, posted) = ledger.effective_balance(&context.actor, identity.number, instant, at).await?;
            let posted = posted.to_text(scale);
            BalanceAt {
                account,
                asset: identity.asset.clone(),
                posted,
                held: None,
                incoming: None,
                available: None,
                version: None,
                as_of: as_of(point),
            }
        }
    };
    Ok(HttpResponse::Ok().json(answer))
}
