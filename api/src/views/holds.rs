//! `/v1/reports/holds`: what open holds keep back, by how long they have done so.

use super::{as_of, respond, scale, scope};
use crate::context::Context;
use crate::ledger::balances::AsOf;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use vintem_core::projections::hold_ageing::{AGES, Row};

/// Open holds by age.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldReport {
    /// The point of the log that the view has reached; ages are of now.
    as_of: AsOf,
    /// By asset, the youngest first; an age without holds is absent.
    ages: Vec<HeldForDays>,
}

/// The open holds of one age in one asset.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeldForDays {
    /// The asset's code.
    #[schema(example = "BRL")]
    asset: String,
    /// They were placed this many days ago or earlier.
    #[schema(example = 1)]
    from_days: i32,
    /// They were placed less than this many days ago; null for the oldest.
    #[schema(example = 3)]
    to_days: Option<i32>,
    /// How many holds.
    #[schema(example = 7)]
    holds: i64,
    /// What they keep back.
    #[schema(example = "70.00")]
    amount: String,
}

impl From<Row> for HeldForDays {
    fn from(row: Row) -> Self {
        let passed = usize::try_from(row.age).unwrap_or(0);
        Self {
            asset: row.asset,
            from_days: passed.checked_sub(1).and_then(|index| AGES.get(index).copied()).unwrap_or(0),
            to_days: AGES.get(passed).copied(),
            holds: row.holds,
            amount: row.amount.to_text(scale(row.scale)),
        }
    }
}

/// Read what open holds keep back, by their age.
#[utoipa::path(get, path = "/v1/reports/holds", tag = "Reports", params(
    ("asset" = Option<String>, Query, description = "Only this asset"),
    ("min_position" = Option<i64>, Query, description = "A position that the view must have reached", minimum = 0)
), responses((status = 200, body = HoldReport)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["asset", "min_position"])?;
    let seen = context.app.views.holds(scope(&context, &query)?, query.text("asset")).await?;
    let ages = seen.rows.into_iter().map(HeldForDays::from).collect();
    Ok(respond(seen.as_of, &HoldReport { as_of: as_of(seen.as_of), ages }))
}
