//! Server-sent events: the feed, pushed.
//!
//! A write of this process wakes the stream at once; one of another process is found by looking
//! every second. A stream ends after ten minutes, like the token that opened it: the client comes
//! back with a new token and `Last-Event-ID`, as event sources do by themselves.

use super::feed::{self, Feed};
use crate::context::Context;
use crate::problem::{Code, Problem};
use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use futures_util::stream;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, timeout};

/// How often a silent stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the log is looked at without a hint.
const POLL: Duration = Duration::from_secs(1);
/// As long as a token.
const LIFETIME: Duration = Duration::from_mins(10);
/// Events per chunk.
const CHUNK: i64 = 100;

struct Stream {
    context: Context,
    after: i64,
    hint: Option<watch::Receiver<i64>>,
    ending: watch::Receiver<bool>,
    ends_at: Instant,
    spoken_at: Instant,
    _place: OwnedSemaphorePermit,
}

/// Opens a stream.
pub fn open(context: Context, after: i64) -> Result<HttpResponse, Problem> {
    let place = context
        .app
        .streams
        .clone()
        .try_acquire_owned()
        .map_err(|_| Problem::new(Code::Overloaded, "too many event streams are open"))?;
    let hint = context.app.ledger.shard(context.actor.shard).map(vintem_core::event_store::Shard::position);
    let now = Instant::now();
    let ending = context.app.ending.clone();
    let first = Stream { context, after, hint, ending, ends_at: now + LIFETIME, spoken_at: now, _place: place };
    let chunks = stream::unfold(Some(first), |stream| async move {
        let mut stream = stream?;
        let chunk = stream.next().await?;
        Some((Ok::<Bytes, Infallible>(chunk), Some(stream)))
    });
    let mut response = HttpResponse::Ok();
    response
        .content_type("text/event-stream")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"));
    Ok(response.streaming(chunks))
}

impl Stream {
    /// The next chunk; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        while Instant::now() < self.ends_at && !*self.ending.borrow() {
            // A database that is away for a moment is no reason to end: the client would only come back.
            match feed::page(&self.context, self.after, CHUNK).await {
                Ok(Feed { events, next }) => {
                    let has_moved = next > self.after;
                    self.after = next;
                    if !events.is_empty() {
                        self.spoken_at = Instant::now();
                        return Some(events.iter().flat_map(message).collect());
                    }
                    if has_moved {
                        continue;
                    }
                }
                Err(problem) => tracing::debug!(%problem, "an event stream could not look"),
            }
            if self.spoken_at.elapsed() >= HEARTBEAT {
                self.spoken_at = Instant::now();
                return Some(Bytes::from_static(b": alive\n\n"));
            }
            self.wait().await;
        }
        None
    }

    /// Until there may be something new, or it is time to look.
    async fn wait(&mut self) {
        let ending = self.ending.changed();
        match &mut self.hint {
            Some(hint) => {
                // Whichever comes first; each only means to look again.
                let _ = timeout(POLL, async {
                    tokio::select! { _ = hint.changed() => {}, _ = ending => {} }
                })
                .await;
            }
            None => _ = timeout(POLL, ending).await,
        }
    }
}

fn message(event: &super::Event) -> Vec<u8> {
    // Plain data always serialises, and JSON never holds a line break.
    let data = serde_json::to_string(event).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", event.position, event.kind).into_bytes()
}
