//! The message of the relay: a shard, an epoch, and the first and last of contiguous positions.
//!
//! JSON, because people look into queues and one message stands for up to some thousand events; its size does not
//! matter. It carries no event: whoever needs those reads the table, which is the truth.

use serde::{Deserialize, Serialize};
use vintem_core::event_store::outbox::Range;

use crate::rabbitmq::Outgoing;

/// The kind of the message, with its version.
const KIND: &str = "vintem.range.v1";

/// What is in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeMessage {
    /// The shard.
    pub shard: i16,
    /// The epoch that recorded the events.
    pub epoch: i32,
    /// The first position.
    pub from: i64,
    /// The last position.
    pub to: i64,
}

/// A range, ready to be published.
pub fn message(shard: i16, range: &Range) -> Outgoing {
    let Range { epoch, from, to } = *range;
    let body = serde_json::to_vec(&RangeMessage { shard, epoch, from, to }).unwrap_or_default();
    Outgoing {
        id: format!("{shard}/{epoch}/{from}-{to}"),
        kind: KIND.to_owned(),
        content_type: "application/json",
        routing_key: String::new(),
        body,
    }
}

/// Reads a message; `None` for one that is not of this kind. Members that a later version adds are ignored.
pub fn read(body: &[u8]) -> Option<RangeMessage> {
    serde_json::from_slice(body).ok().filter(|message: &RangeMessage| message.from <= message.to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_was_written() {
        let outgoing = message(2, &Range { epoch: 1, from: 11, to: 20 });
        assert_eq!(outgoing.id, "2/1/11-20");
        assert_eq!(String::from_utf8_lossy(&outgoing.body), r#"{"shard":2,"epoch":1,"from":11,"to":20}"#);
        assert_eq!(read(&outgoing.body), Some(RangeMessage { shard: 2, epoch: 1, from: 11, to: 20 }));
    }

    #[test]
    fn what_is_no_range_is_not_taken_for_one() {
        assert_eq!(read(b"hello"), None);
        assert_eq!(read(br#"{"shard":0,"epoch":1,"from":5,"to":4}"#), None);
        assert!(read(br#"{"shard":0,"epoch":1,"from":5,"to":5,"more":true}"#).is_some());
    }
}
