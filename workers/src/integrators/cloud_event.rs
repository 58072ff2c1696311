//! An event as a CloudEvent 1.0 in JSON, the structured mode of its binding to AMQP.

use serde::Serialize;
use serde_json::value::RawValue;
use vintem_core::event_store::feed::Event;
use vintem_core::kernel::Instant;

use crate::rabbitmq::Outgoing;

const CONTENT_TYPE: &str = "application/cloudevents+json; charset=UTF-8";

/// What CloudEvents names, and behind it our extensions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: String,
    time: String,
    datacontenttype: &'static str,
    tenant: String,
    /// The event's number in its stream (the subject): with it a reader sees what comes twice.
    streamversion: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    effectiveat: Option<String>,
    data: &'a RawValue,
}

/// The message of an event of a shard; `None` for one whose facts are no JSON, which the table does not take.
pub fn message(shard: i16, event: &Event) -> Option<Outgoing> {
    let id = format!("{shard}/{}/{}", event.epoch, event.position);
    let cloud_event = CloudEvent {
        specversion: "1.0",
        id: &id,
        source: format!("/vintem/shards/{shard}"),
        kind: &event.kind,
        subject: event.stream.to_string(),
        time: text(event.recorded_at),
        datacontenttype: "application/json",
        tenant: event.tenant.to_string(),
        streamversion: event.version,
        effectiveat: event.effective_at.map(text),
        data: serde_json::from_str(&event.payload).ok()?,
    };
    let body = serde_json::to_vec(&cloud_event).ok()?;
    let routing_key = format!("{}.{}", event.tenant, event.kind);
    Some(Outgoing { id, kind: event.kind.clone(), content_type: CONTENT_TYPE, routing_key, body })
}

fn text(instant: Instant) -> String {
    instant.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use uuid::Uuid;

    #[test]
    fn an_event_is_a_cloud_event_with_its_facts_as_they_are() {
        let event = Event {
            position: 17,
            tenant: Uuid::from_u128(1),
            stream: Uuid::from_u128(2),
            version: 3,
            kind: "hold.placed".to_owned(),
            payload: r#"{"expires_at": "2026-03-01T12:00:00Z","moves":[]}"#.to_owned(),
            effective_at: None,
            epoch: 1,
            recorded_at: "2026-02-28T12:00:00.000001Z".parse().unwrap(),
        };
        let message = message(0, &event).unwrap();
        assert_eq!(message.routing_key, "00000000-0000-0000-0000-000000000001.hold.placed");
        let read: Value = serde_json::from_slice(&message.body).unwrap();
        let expected = json!({
            "specversion": "1.0", "id": "0/1/17", "source": "/vintem/shards/0", "type": "hold.placed",
            "subject": "00000000-0000-0000-0000-000000000002", "time": "2026-02-28T12:00:00.000001Z",
            "datacontenttype": "application/json", "tenant": "00000000-0000-0000-0000-000000000001",
            "streamversion": 3, "data": {"expires_at": "2026-03-01T12:00:00Z", "moves": []},
        });
        assert_eq!(read, expected);
        // Not read and written again, which could change a number.
        assert!(String::from_utf8_lossy(&message.body).contains(&event.payload));
    }
}
