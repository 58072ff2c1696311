//! `/v1/ledger/trial-balance`: every account at one position, and the sums per asset.

use super::balances::AsOf;
use super::page;
use crate::answer::time;
use crate::context::Context;
use crate::problem::{Code, Problem};
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::ledger::store::accounts::ListedBalance;
use vintem_core::ledger::trial_balance::Total as Sum;

/// One page of a trial balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrialBalance {
    /// The position that every page of this trial balance stands at.
    as_of: AsOf,
    /// Sums per asset over all accounts; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<Vec<Total>>,
    /// In the order of their opening.
    accounts: Vec<Row>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// The sums of an asset; equal, or the ledger does not balance.
#[derive(Debug, Serialize, ToSchema)]
pub struct Total {
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// Balances on the debit side.
    #[schema(example = "1000.00")]
    debit: String,
    /// Balances on the credit side.
    #[schema(example = "1000.00")]
    credit: String,
}

/// One account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Row {
    /// The account's id.
    account: Uuid,
    /// The account's name.
    #[schema(example = "citizen:0042")]
    name: Option<String>,
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// `debit` or `credit`.
    #[schema(example = "credit")]
    normal_side: &'static str,
    /// What is posted, in the direction of the normal side.
    #[schema(example = "100.00")]
    posted: String,
}

impl From<ListedBalance> for Row {
    fn from(row: ListedBalance) -> Self {
        Self {
            account: row.id,
            name: row.name,
            asset: row.asset,
            normal_side: row.normal_side.as_str(),
            posted: row.posted.to_text(row.scale),
        }
    }
}

impl From<(String, Sum)> for Total {
    fn from((asset, Sum { scale, debit, credit }): (String, Sum)) -> Self {
        Self { asset, debit: debit.to_text(scale), credit: credit.to_text(scale) }
    }
}

/// Where a trial balance goes on: its position, and the account it came to.
struct Place {
    position: i64,
    account: i64,
}

/// Read the trial balance, now or as recorded at an instant or at the end of a date.
#[utoipa::path(get, path = "/v1/ledger/trial-balance", tag = "Ledger", params(
    ("at" = Option<String>, Query, description = "Recorded instant or date"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = TrialBalance)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["at", "cursor", "limit"])?;
    let at = query.when("at")?.map(|when| when.end(context.tenant.time_zone));
    let (list, limit) = (query.list("trial-balance"), query.limit()?);
    let place: Option<String> = page::after(&context, &query, &list)?;
    let place = place.map(|text| parse(&text)).transpose()?;
    let (ledger, actor) = (&context.app.ledger, &context.actor);
    // Later pages stand where the first one stood, whatever was recorded since.
    let mut point = ledger.point(actor, at).await?;
    let is_newest = at.is_none();
    if let Some(place) = &place {
        point = ledger.point_at(actor, place.position).await?;
    }
    let after = place.as_ref().map_or(0, |place| place.account);
    let mut rows = ledger.balances_at(actor, point.position, is_newest, after, limit + 1).await?;
    let end = page::cut(&mut rows, limit).then(|| rows.last().map(|row| row.number)).flatten();
    let next = end.map(|number| page::next(&context, &list, &format!("{}:{number}", point.position)));
    let totals = match place {
        Some(_) => None,
        None => Some(ledger.totals_at(actor, point.position, is_newest).await?.into_iter().map(Total::from).collect()),
    };
    let as_of = AsOf { position: point.position, recorded_at: point.recorded_at.map(time), effective_at: None };
    Ok(HttpResponse::Ok().json(TrialBalance {
        as_of,
        totals,
        accounts: rows.into_iter().map(Row::from).collect(),
        next,
    }))
}

fn parse(text: &str) -> Result<Place, Problem> {
    let place = text.split_once(':').and_then(|(position, account)| {
        Some(Place { position: position.parse().ok()?, account: account.parse().ok()? })
    });
    place.ok_or_else(|| Problem::new(Code::InternalError, "a cursor of ours cannot be read"))
}
