//! `/v1/reports/trial-balance`: opening balance, debits, credits and closing balance of every account over days.

use super::{as_of, asset, respond, scale, scope};
use crate::context::Context;
use crate::ledger::balances::AsOf;
use crate::ledger::page;
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::kernel::Minor;
use vintem_core::ledger::known::{Identity, Side};
use vintem_core::projections::trial_balance::Row;

/// One page of a trial balance over days.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialBalanceReport {
    /// The point of the log that the view has reached.
    as_of: AsOf,
    /// In the order of their ids.
    accounts: Vec<Turnover>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// An account over the days. Its balances are in the direction of its normal side.
#[derive(Debug, Serialize, ToSchema)]
pub struct Turnover {
    /// The account's id.
    account: Uuid,
    /// The account's name.
    #[schema(example = "citizen:0042")]
    name: Option<String>,
    /// `debit` or `credit`.
    #[schema(example = "credit")]
    normal_side: &'static str,
    /// Its balance before the first day.
    #[schema(example = "100.00")]
    opening: String,
    /// What was debited.
    #[schema(example = "30.00")]
    debit: String,
    /// What was credited.
    #[schema(example = "50.00")]
    credit: String,
    /// Its balance after the last day.
    #[schema(example = "120.00")]
    closing: String,
}

impl Turnover {
    fn of(row: &Row, identity: &Identity) -> Self {
        let (scale, side) = (scale(row.scale), identity.normal_side);
        let directed = |debited: Minor| if side == Side::Debit { debited } else { -debited };
        Self {
            account: row.account,
            name: identity.name.clone(),
            normal_side: side.as_str(),
            opening: directed(row.opening).to_text(scale),
            debit: row.debit.to_text(scale),
            credit: row.credit.to_text(scale),
            closing: directed(row.opening.plus(row.debit).minus(row.credit)).to_text(scale),
        }
    }
}

/// Read the trial balance of an asset over days, by value date: a posting that comes late counts on its day.
#[utoipa::path(get, path = "/v1/reports/trial-balance", tag = "Reports", params(
    ("asset" = String, Query, description = "The asset's code"),
    ("from" = String, Query, description = "The first day"),
    ("to" = Option<String>, Query, description = "The last day; the first where it is absent"),
    ("min_position" = Option<i64>, Query, description = "A position that the view must have reached", minimum = 0),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = TrialBalanceReport)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["asset", "from", "to", "min_position", "cursor", "limit"])?;
    let (asset, scope) = (asset(&query)?, scope(&context, &query)?);
    let from = query.date("from")?.ok_or_else(|| invalid("from", "required", "name the first day"))?;
    let to = query.date("to")?.unwrap_or(from);
    if from > to {
        return Err(invalid("from", "out-of-range", "the report would end before it begins"));
    }
    let (list, limit) = (query.list("trial-balance-report"), query.limit()?);
    let after = page::after(&context, &query, &list)?.unwrap_or(Uuid::nil());
    let mut seen = context.app.views.trial_balance(scope, asset, (from, to), after, limit + 1).await?;
    let next = page::cut(&mut seen.rows, limit)
        .then(|| seen.rows.last().map(|row| page::next(&context, &list, &row.account)))
        .flatten();
    let ids = seen.rows.iter().map(|row| row.account).collect();
    let known = context.app.ledger.known(&context.actor, ids, BTreeSet::new()).await?;
    let unknown = || Problem::new(Code::InternalError, "an account of the view is not in the ledger");
    let accounts = seen
        .rows
        .iter()
        .map(|row| known.accounts.get(&row.account).map(|identity| Turnover::of(row, identity)).ok_or_else(unknown));
    let accounts = accounts.collect::<Result<_, _>>()?;
    Ok(respond(seen.as_of, &TrialBalanceReport { as_of: as_of(seen.as_of), accounts, next }))
}
