//! Views of the log, one endpoint per file. Each says as of which position it stands, for it may be
//! older than the ledger; `min_position` waits for one's own write.

pub mod activity;
pub mod holds;
pub mod top_accounts;
pub mod trial_balance;
pub mod volume;

use crate::answer::time;
use crate::context::Context;
use crate::ledger::balances::AsOf;
use crate::problem::Problem;
use crate::query::{Query, invalid};
use actix_web::HttpResponse;
use serde::Serialize;
use vintem_core::projections::views::{AsOf as Point, Scope};

/// How many events of the shard are newer than the answer.
const LAG: &str = "Vintem-Lag";

/// Who reads, and the position that the view must have reached.
fn scope(context: &Context, query: &Query) -> Result<Scope, Problem> {
    let min_position = query.integer("min_position", 0..=i64::MAX)?;
    Ok(Scope { shard: context.actor.shard, tenant: context.actor.origin.tenant, min_position })
}

/// The parameter `asset`, which this view cannot do without.
fn asset(query: &Query) -> Result<&str, Problem> {
    query.text("asset").ok_or_else(|| invalid("asset", "required", "name an asset by its code"))
}

/// The scale as stored; the table of assets admits 0 to 8.
fn scale(stored: i16) -> u8 {
    u8::try_from(stored).unwrap_or(0)
}

fn as_of(point: Point) -> AsOf {
    AsOf { position: point.position, recorded_at: point.recorded_at.map(time), effective_at: None }
}

fn respond(point: Point, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((LAG, point.lag)).json(body)
}
