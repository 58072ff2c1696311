//! The log as a whole: its pages, and the same pushed.

use super::Event;
use super::stream::{self, Pushed, Source};
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

/// The log as a stream.
pub struct Log;

impl Source for Log {
    async fn page(&mut self, context: &Context, after: i64) -> Result<Pushed, Problem> {
        let Feed { events, next } = page(context, after, stream::CHUNK).await?;
        let messages = events.iter().flat_map(|event| stream::message(event.position, &event.kind, event)).collect();
        Ok(Pushed { messages, next })
    }
}
