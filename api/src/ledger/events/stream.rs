//! Server-sent events: a source of events, pushed.
//!
//! A write of this process wakes the stream at once; one of another process is found by looking
//! every second. A stream ends after ten minutes, or with the token that opened it: the client comes
//! back with a new token and `Last-Event-ID`, as event sources do by themselves.

use super::places::Place;
use crate::context::Context;
use crate::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::header;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How often a silent stream says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the log is looked at without a hint.
const POLL: Duration = Duration::from_secs(1);
/// As long as a token.
const LIFETIME: Duration = Duration::from_mins(10);
/// Events per chunk.
pub const CHUNK: i64 = 100;

/// What is pushed.
pub trait Source: 'static {
    /// So long it waits after a hint, and between two looks.
    const PAUSE: Duration = Duration::ZERO;

    /// What there is after a position.
    async fn page(&mut self, context: &Context, after: i64) -> Result<Pushed, Problem>;
}

/// Messages, and where to go on.
pub struct Pushed {
    /// As they are sent.
    pub messages: Vec<u8>,
    /// The position up to which the log was looked at.
    pub next: i64,
}

struct Stream<S> {
    context: Context,
    source: S,
    after: i64,
    hint: Option<watch::Receiver<i64>>,
    ending: watch::Receiver<bool>,
    ends_at: Instant,
    spoken_at: Instant,
    place: Place,
}

/// Opens a stream after a position.
pub fn open<S: Source>(context: Context, source: S, place: Place, after: i64) -> HttpResponse {
    let hint = context.app.ledger.shard(context.actor.shard).map(vintem_core::event_store::Shard::position);
    let (now, ending) = (Instant::now(), context.app.ending.clone());
    let first = Stream { context, source, after, hint, ending, ends_at: now + LIFETIME, spoken_at: now, place };
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
    response.streaming(chunks)
}

impl<S: Source> Stream<S> {
    /// The next chunk; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        while self.goes_on() {
            // A database that is away for a moment is no reason to end: the client would only come back.
            match self.source.page(&self.context, self.after).await {
                Ok(Pushed { messages, next }) => {
                    let has_moved = next > self.after;
                    self.after = next;
                    if !messages.is_empty() {
                        self.spoken_at = Instant::now();
                        return Some(messages.into());
                    }
                    if has_moved && S::PAUSE.is_zero() {
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

    /// Until its time is over, the process ends, its caller would not be let in any more, or comes again elsewhere.
    fn goes_on(&self) -> bool {
        Instant::now() < self.ends_at && !*self.ending.borrow() && !self.place.is_lost() && self.context.is_still_good()
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
        sleep(S::PAUSE).await;
    }
}

/// One message. Plain data always serialises, and JSON never holds a line break.
pub fn message(position: i64, kind: &str, event: &impl Serialize) -> Vec<u8> {
    let data = serde_json::to_string(event).unwrap_or_default();
    format!("id: {position}\nevent: {kind}\ndata: {data}\n\n").into_bytes()
}
