//! Pages of the log.

use super::Event;
use crate::context::Context;
use crate::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

/// One page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Feed {
    /// In order.
    pub events: Vec<Event>,
    /// Where to go on: the next `after`.
    #[schema(example = 1124)]
    pub next: i64,
}

/// The events after a position.
pub async fn page(context: &Context, after: i64, limit: i64) -> Result<Feed, Problem> {
    let window = context.app.ledger.events(&context.actor, after, limit).await?;
    let events = window.events.iter().map(Event::of).collect::<Result<_, _>>()?;
    Ok(Feed { events, next: window.next })
}
