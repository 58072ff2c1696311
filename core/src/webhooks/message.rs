//! What is posted: one event, in the envelope of Standard Webhooks.
//!
//! The bytes follow from the recorded event alone, so every attempt posts the same.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::kernel::Instant;
use crate::kernel::instant::to_text;

/// A recorded event on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is about.
    pub stream: Uuid,
    /// Its number within the stream.
    pub version: i32,
    /// What happened.
    pub kind: String,
    /// The facts.
    pub payload: String,
    /// Its value date, where one was given.
    pub effective_at: Option<Instant>,
    /// When it was recorded.
    pub recorded_at: Instant,
}

#[derive(Serialize)]
struct Envelope<'a> {
    r#type: &'a str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    position: i64,
    id: Uuid,
    version: i32,
    effective_at: Option<String>,
    payload: &'a RawValue,
}

/// The message's id. Without a point, because points separate what is signed.
pub fn id(shard: i16, epoch: i32, position: i64) -> String {
    format!("msg_{shard}_{epoch}_{position}")
}

/// The body, with the members that `/v1/events` has too. `None` for a payload that is not JSON, which the log cannot hold.
pub fn body(position: i64, event: &Event) -> Option<Vec<u8>> {
    let payload: &RawValue = serde_json::from_str(&event.payload).ok()?;
    let envelope = Envelope {
        r#type: &event.kind,
        timestamp: to_text(event.recorded_at),
        data: Data {
            position,
            id: event.stream,
            version: event.version,
            effective_at: event.effective_at.map(to_text),
            payload,
        },
    };
    serde_json::to_vec(&envelope).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_envelope_has_type_timestamp_and_data_and_the_payload_keeps_its_bytes() {
        let event = Event {
            stream: Uuid::from_u128(7),
            version: 1,
            kind: "transaction.posted".to_owned(),
            payload: r#"{"moves":[ ["x","1250"]]}"#.to_owned(),
            effective_at: None,
            recorded_at: "2026-03-01T12:00:00Z".parse().unwrap(),
        };
        let body = String::from_utf8(body(1024, &event).unwrap()).unwrap();
        assert_eq!(
            body,
            r#"{"type":"transaction.posted","timestamp":"2026-03-01T12:00:00.000000Z","data":{"position":1024,"id":"00000000-0000-0000-0000-000000000007","version":1,"effective_at":null,"payload":{"moves":[ ["x","1250"]]}}}"#
        );
        assert_eq!(id(0, 1, 1024), "msg_0_1_1024");
    }
}
