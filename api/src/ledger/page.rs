//! Pages of lists.

use crate::context::Context;
use crate::problem::Problem;
use crate::query::Query;
use std::str::FromStr;
use vintem_core::kernel::Place;

/// The place that the request's cursor stands for.
pub fn after<T: FromStr>(context: &Context, query: &Query, list: &str) -> Result<Option<T>, Problem> {
    let Some(cursor) = query.text("cursor") else { return Ok(None) };
    let place = context.app.cursors.open(context.caller.tenant, list, cursor)?;
    // A signed cursor of this list holds what this version or an earlier one put into it.
    let parse = place.parse().map_err(|_| {
        Problem::invalid(Place::Parameter("cursor".to_owned()), "malformed", "the cursor is too old; begin anew")
    });
    parse.map(Some)
}

/// The cursor of the next page.
pub fn next(context: &Context, list: &str, place: &impl ToString) -> String {
    context.app.cursors.seal(context.caller.tenant, list, &place.to_string())
}

/// Cuts the one row that was read beyond the page; answers whether there is more.
pub fn cut<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    is_more
}
