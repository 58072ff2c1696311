//! `/v1/account/events`: what happens to a citizen's account, pushed.
//!
//! It is the same as the newest of `/v1/notifications`, so that a telephone reads these once and then listens. It looks a moment
//! after the log has moved: a session's row follows its fact within milliseconds, and what many write at once is one look.

use super::feed::{self, OwnEvent};
use super::identity;
use crate::citizens::citizen;
use crate::context::Context;
use crate::ledger::events::last_event_id;
use crate::ledger::events::stream::{self, Pushed, Source};
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;
use std::time::Duration;
use vintem_core::ledger::known::Identity;
use vintem_core::ledger::touching::Touched;

/// The log, as far as it touches one account.
struct Own {
    identity: Arc<Identity>,
    is_new: bool,
}

/// Listen to what happens to your account.
///
/// Each message is an `OwnEvent` under its position; a stream begins now, or after the position in `Last-Event-ID`. It ends with the token
/// that opened it, after ten minutes at most, and when the same session opens another one: come back with `Last-Event-ID`.
#[utoipa::path(get, path = "/v1/account/events", tag = "Account", params(
    ("Last-Event-ID" = Option<i64>, Header, description = "Where a stream goes on")
), responses((status = 200, content((OwnEvent = "text/event-stream")))))]
pub async fn listen(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (_, session) = citizen(&context)?;
    let identity = identity(&context).await?;
    let after = match last_event_id(&request)? {
        Some(position) => position,
        None => context.app.ledger.newest(&context.actor).await?,
    };
    let place = context.app.streams.of_session(session.session)?;
    Ok(stream::open(context, Own { identity, is_new: true }, place, after))
}

impl Source for Own {
    const PAUSE: Duration = Duration::from_millis(250);

    async fn page(&mut self, context: &Context, after: i64) -> Result<Pushed, Problem> {
        // A position without an event: who is cut off before they have heard of any goes on from here.
        let mut messages = if self.is_new { format!("id: {after}\n\n").into_bytes() } else { Vec::new() };
        let (ledger, actor) = (&context.app.ledger, &context.actor);
        let newest = ledger.newest(actor).await?;
        let mut next = newest.max(after);
        if newest > after {
            // Asked for each time, after the position: a session may be new.
            let followed = feed::followed(context, &self.identity).await?;
            let found = ledger.touched_after(actor, &followed, (after, newest), stream::CHUNK).await?;
            let Touched { touches, known, next: cut } = found;
            let events = touches.iter().filter_map(|touch| OwnEvent::of(touch, &self.identity, &known));
            messages.extend(events.flat_map(|event| stream::message(event.position, &event.kind, &event)));
            next = cut.unwrap_or(next);
        }
        self.is_new = false;
        Ok(Pushed { messages, next })
    }
}
