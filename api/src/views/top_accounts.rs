//! `/v1/reports/top-accounts`: the accounts with the largest balances of an asset.

use super::{as_of, asset, respond, scale, scope};
use crate::context::Context;
use crate::ledger::balances::AsOf;
use crate::ledger::page;
use crate::problem::{Code, Problem};
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// One page of accounts by their balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopAccountsPage {
    /// The point of the log that the view has reached.
    as_of: AsOf,
    /// The largest balance first.
    accounts: Vec<TopAccount>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// An account and its balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopAccount {
    /// The account's id.
    account: Uuid,
    /// The account's name.
    #[schema(example = "citizen:0042")]
    name: Option<String>,
    /// What is posted, in the direction of the account's normal side.
    #[schema(example = "100.00")]
    posted: String,
}

/// List the accounts of an asset by their balance, the largest first. Accounts without postings are absent.
#[utoipa::path(get, path = "/v1/reports/top-accounts", tag = "Reports", params(
    ("asset" = String, Query, description = "The asset's code"),
    ("min_position" = Option<i64>, Query, description = "A position that the view must have reached", minimum = 0),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = TopAccountsPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["asset", "min_position", "cursor", "limit"])?;
    let (asset, scope) = (asset(&query)?, scope(&context, &query)?);
    let (list, limit) = (query.list("top-accounts"), query.limit()?);
    let place: Option<String> = page::after(&context, &query, &list)?;
    let after = place.map(|text| parse(&text)).transpose()?;
    let mut seen = context.app.views.top_accounts(scope, asset, after, limit + 1).await?;
    let next = page::cut(&mut seen.rows, limit)
        .then(|| {
            seen.rows.last().map(|row| page::next(&context, &list, &format!("{}:{}", row.posted.units(), row.account)))
        })
        .flatten();
    let ids = seen.rows.iter().map(|row| row.account).collect();
    let known = context.app.ledger.known(&context.actor, ids, BTreeSet::new()).await?;
    let accounts = seen.rows.iter().map(|row| TopAccount {
        account: row.account,
        name: known.accounts.get(&row.account).and_then(|identity| identity.name.clone()),
        posted: row.posted.to_text(scale(row.scale)),
    });
    Ok(respond(seen.as_of, &TopAccountsPage { as_of: as_of(seen.as_of), accounts: accounts.collect(), next }))
}

fn parse(text: &str) -> Result<(i64, Uuid), Problem> {
    let place = text.split_once(':').and_then(|(posted, account)| Some((posted.parse().ok()?, account.parse().ok()?)));
    place.ok_or_else(|| Problem::new(Code::InternalError, "a cursor of ours cannot be read"))
}
