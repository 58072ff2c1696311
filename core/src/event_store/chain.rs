//! The hash chain over everything the writer records.
//!
//! `tip = SHA-256(previous tip ‖ canonical bytes of the batch)`. A tip proves the whole history
//! before it, and it is also the proof of currency: what a process has cached is current if and
//! only if the newest tip is the one it built on. Entries, counters and look-ups are derived
//! from the events and therefore not hashed.

use crate::kernel::Instant;
use aws_lc_rs::digest::{Context, SHA256};
use uuid::Uuid;

/// The chain's value after a batch.
pub type Tip = [u8; 32];

/// An epoch began: what an earlier epoch wrote beyond this point is abandoned.
pub const FLAG_RECOVERY: i16 = 1;
/// An empty batch that proves that an uncertain one before it is durable.
pub const FLAG_RESOLUTION: i16 = 2;

/// The chain's value before the first batch of a shard.
pub fn genesis(shard: i16) -> Tip {
    let mut context = Context::new(&SHA256);
    context.update(b"vintem");
    context.update(&shard.to_be_bytes());
    finish(context)
}

/// The columns of a batch row that are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// The shard.
    pub shard: i16,
    /// Its number within the shard, from 1.
    pub seq: i64,
    /// Raised by every recovery.
    pub epoch: i32,
    /// Position of its first event.
    pub first_position: i64,
    /// Position of its last event; first − 1 when it has none.
    pub last_position: i64,
    /// The one instant of everything in it.
    pub recorded_at: Instant,
    /// [`FLAG_RECOVERY`], [`FLAG_RESOLUTION`].
    pub flags: i16,
}

/// Every column of an event row.
#[derive(Debug, Clone, Copy)]
pub struct EventColumns<'a> {
    /// See [`super::proposal::Recorded`]; the names are the columns'.
    pub position: i64,
    /// Tenant.
    pub tenant: Uuid,
    /// Stream.
    pub stream: Uuid,
    /// Version within the stream.
    pub version: i32,
    /// Kind.
    pub kind: &'a str,
    /// Version of the payload's form.
    pub schema: i16,
    /// The exact bytes.
    pub payload: &'a str,
    /// Who did it.
    pub actor: &'a str,
    /// Position of the event that caused it.
    pub causation: Option<i64>,
    /// The trace it belongs to.
    pub correlation: Option<&'a str>,
    /// Value date.
    pub effective_at: Option<Instant>,
}

/// A request row without its body.
#[derive(Debug, Clone, Copy)]
pub struct RequestColumns<'a> {
    /// Tenant.
    pub tenant: Uuid,
    /// The caller's stable subject.
    pub principal: Uuid,
    /// The idempotency key.
    pub key: &'a str,
    /// What was asked.
    pub fingerprint: &'a [u8],
    /// HTTP status of the answer.
    pub status: i16,
    /// Refusal code.
    pub code: Option<&'a str>,
    /// Position of its first event.
    pub position: Option<i64>,
}

/// The tip of the batch after `previous`: its header, its events in order of position, its requests in
/// order of their keys. The writer and `vintem verify` both come here, so they cannot disagree.
pub fn tip<'a>(
    previous: &Tip,
    header: &BatchHeader,
    events: impl Iterator<Item = EventColumns<'a>>,
    mut requests: Vec<RequestColumns<'a>>,
) -> Tip {
    let mut chain = Chain::after(previous, header);
    for event in events {
        chain.event(&event);
    }
    requests.sort_unstable_by(|a, b| (a.tenant, a.principal, a.key).cmp(&(b.tenant, b.principal, b.key)));
    for request in &requests {
        chain.request(request);
    }
    finish(chain.0)
}

struct Chain(Context);

impl Chain {
    fn after(previous: &Tip, header: &BatchHeader) -> Self {
        let mut chain = Self(Context::new(&SHA256));
        chain.0.update(previous);
        chain.field(&header.shard.to_be_bytes());
        chain.field(&header.seq.to_be_bytes());
        chain.field(&header.epoch.to_be_bytes());
        chain.field(&header.first_position.to_be_bytes());
        chain.field(&header.last_position.to_be_bytes());
        chain.field(&header.recorded_at.timestamp_micros().to_be_bytes());
        chain.field(&header.flags.to_be_bytes());
        chain
    }

    fn event(&mut self, event: &EventColumns<'_>) {
        self.field(&event.position.to_be_bytes());
        self.field(event.tenant.as_bytes());
        self.field(event.stream.as_bytes());
        self.field(&event.version.to_be_bytes());
        self.field(event.kind.as_bytes());
        self.field(&event.schema.to_be_bytes());
        self.field(event.payload.as_bytes());
        self.field(event.actor.as_bytes());
        self.optional(event.causation.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        self.optional(event.correlation.map(str::as_bytes));
        self.optional(
            event.effective_at.map(|at| at.timestamp_micros().to_be_bytes()).as_ref().map(<[u8; 8]>::as_slice),
        );
    }

    fn request(&mut self, request: &RequestColumns<'_>) {
        self.field(request.tenant.as_bytes());
        self.field(request.principal.as_bytes());
        self.field(request.key.as_bytes());
        self.field(request.fingerprint);
        self.field(&request.status.to_be_bytes());
        self.optional(request.code.map(str::as_bytes));
        self.optional(request.position.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    }

    fn field(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
    }

    /// An absent value has a length that no present one can have, so NULL and '' differ.
    fn optional(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.field(bytes),
            None => self.0.update(&u64::MAX.to_be_bytes()),
        }
    }
}

/// A tip as people compare it.
pub fn hex(tip: &Tip) -> String {
    tip.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn finish(context: Context) -> Tip {
    let mut tip = [0; 32];
    tip.copy_from_slice(context.finish().as_ref());
    tip
}
