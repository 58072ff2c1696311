//! Publishing: persistent, mandatory, and confirmed before anybody is told that it is done.

use std::sync::atomic::Ordering;
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Confirmation};
use vintem_core::telemetry::PublishResult;

use super::connection::Session;
use super::error::{BrokerError, within};

/// How long the broker may take to confirm.
const PATIENCE: Duration = Duration::from_secs(10);
/// How soon it is noticed that the broker blocks publishers.
const GLANCE: Duration = Duration::from_millis(100);
/// Kept on disk until it is consumed.
const PERSISTENT: u8 = 2;

/// A message to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Its identity, for people who look into a queue.
    pub id: String,
    /// What it is: a kind of message with its version, or a kind of event.
    pub kind: String,
    /// Of its body.
    pub content_type: &'static str,
    /// What a topic exchange may look at; a fanout exchange does not.
    pub routing_key: String,
    /// A JSON document.
    pub body: Vec<u8>,
}

impl Session {
    /// Asks for confirms on this session's channel.
    pub async fn confirming(&self) -> Result<(), BrokerError> {
        within(PATIENCE, "confirm", self.channel.confirm_select(ConfirmSelectOptions::default())).await
    }

    /// Publishes to an exchange and waits until the broker has taken responsibility for every message. After an
    /// error it is unknown which of them it has: publish all of them again, in a new session, or in this one when it
    /// was only [blocked](BrokerError::Blocked).
    pub async fn publish(&self, exchange: &str, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        let result = tokio::select! {
            result = self.publish_all(exchange, messages) => result,
            () = self.blocked() => Err(BrokerError::Blocked),
        };
        self.is_away.store(matches!(result, Err(BrokerError::Blocked)), Ordering::Relaxed);
        result
    }

    /// Whether the broker takes no messages from this session. It then does not even hear a goodbye: whoever made new
    /// sessions instead of waiting would leave a connection and a thread behind with each.
    pub fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    async fn blocked(&self) {
        while !self.is_blocked() {
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn publish_all(&self, exchange: &str, messages: Vec<Outgoing>) -> Result<(), BrokerError> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let mut confirms = Vec::with_capacity(messages.len());
        for message in messages {
            let properties = BasicProperties::default()
                .with_delivery_mode(PERSISTENT)
                .with_content_type(message.content_type.into())
                .with_type(message.kind.as_str().into())
                .with_message_id(message.id.as_str().into());
            let key = message.routing_key.as_str().into();
            let sent = self.channel.basic_publish(exchange.into(), key, options, &message.body, properties);
            confirms.push(within(PATIENCE, "take a message", sent).await?);
        }
        for confirm in confirms {
            match within(PATIENCE, "confirm a message", confirm).await? {
                Confirmation::Ack(None) => {}
                // A mandatory message that reached no queue comes back, and is then "confirmed".
                Confirmation::Ack(Some(_)) => return Err(BrokerError::Unroutable),
                Confirmation::Nack(_) | Confirmation::NotRequested => return Err(BrokerError::Refused),
            }
        }
        Ok(())
    }
}

/// What became of messages, for the metrics.
pub fn fate(result: &Result<(), BrokerError>) -> PublishResult {
    match result {
        Ok(()) => PublishResult::Confirmed,
        Err(BrokerError::Unroutable) => PublishResult::Unroutable,
        Err(_) => PublishResult::Failed,
    }
}
