//! `/v1/account` and `/v1/account/balance`.

use super::identity;
use crate::answer::{Balance, time};
use crate::context::Context;
use crate::ledger::{accounts, balances};
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::ledger::known::Identity;

/// An account, to its owner.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnAccount {
    /// Its id, by which others pay to it.
    id: Uuid,
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// `open`, `frozen` or `closed`.
    #[schema(example = "open")]
    status: &'static str,
    /// When it was opened.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    opened: Option<String>,
}

/// A balance, to its owner.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnBalance {
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// What can be spent: total less held.
    #[schema(example = "80.00")]
    available: String,
    /// What is kept back for payments that are not finished.
    #[schema(example = "20.00")]
    held: String,
    /// What is announced to come.
    #[schema(example = "0.00")]
    pending_in: String,
    /// What is there.
    #[schema(example = "100.00")]
    total: String,
    /// The newest position of the log that it knows of.
    #[schema(example = 1024)]
    position: i64,
    /// When that was recorded.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    as_of: Option<String>,
}

/// Read your account.
#[utoipa::path(get, path = "/v1/account", tag = "Account", responses((status = 200, body = OwnAccount)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let identity = identity(&context).await?;
    Ok(HttpResponse::Ok().json(account(&context, &identity).await?))
}

/// Read your balance.
#[utoipa::path(get, path = "/v1/account/balance", tag = "Account", responses((status = 200, body = OwnBalance)))]
pub async fn show_balance(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let identity = identity(&context).await?;
    Ok(HttpResponse::Ok().json(balance(&context, &identity).await?))
}

/// An account as its owner sees it.
pub async fn account(context: &Context, identity: &Identity) -> Result<OwnAccount, Problem> {
    let row = accounts::one(context, identity.id).await?;
    let opened = context.app.ledger.opened_at(&context.actor, identity.number).await?.map(time);
    Ok(OwnAccount { id: identity.id, asset: identity.asset.clone(), status: row.status.as_str(), opened })
}

/// Its balance now.
pub async fn balance(context: &Context, identity: &Identity) -> Result<OwnBalance, Problem> {
    let (Balance { posted, held, incoming, available, .. }, point) =
        balances::recorded(context, identity, None).await?;
    Ok(OwnBalance {
        asset: identity.asset.clone(),
        available,
        held,
        pending_in: incoming,
        total: posted,
        position: point.position,
        as_of: point.recorded_at.map(time),
    })
}
