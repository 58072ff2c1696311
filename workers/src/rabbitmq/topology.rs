//! Exchanges and queues, and every argument of them.
//!
//! One fanout exchange per shard, and bound to it one queue per projection: a projection that falls behind or stands
//! still delays no other. Queues are quorum queues (confirmed means replicated) with a single active consumer (so two
//! workers keep the order), and they are bounded by dropping their oldest messages: a dropped range is a gap, which
//! the projector reads from the table, so a slow projection never fills the broker.
//!
//! Each subscription of an integrator has an exchange and a queue to itself. Its queue refuses what it cannot hold, and
//! nothing but its own exchange leads there: RabbitMQ refuses a message when any of its queues does, so behind a
//! common exchange one full queue would stop them all. Since each message has exactly one queue to go to, they are
//! mandatory as well: one that comes back says that somebody deleted the queue.
//!
//! `deploy/rabbitmq/definitions.json` is this file's export (without subscriptions, which come and go), for brokers that are set up before the first worker comes.

use std::time::Duration;

use lapin::ExchangeKind;
use lapin::options::{
    ExchangeDeclareOptions, ExchangeDeleteOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use serde_json::{Value, json};

use super::connection::Session;
use super::error::{BrokerError, within};

/// Raised with every change below: names carry it, and old and new stand beside each other during a deployment.
const VERSION: u32 = 1;
/// Ranges that may wait, of up to some thousand events each.
const LENGTH_MAX: i64 = 10_000;
/// How often a range is given to a consumer that dies of it. A dropped range is read from the table like any other
/// gap, so this only ends the redelivery.
const DELIVERIES_MAX: i64 = 20;
/// The most often that an event may be given to an integrator's consumer: beyond it the broker would drop the event, which
/// nobody would read again.
const UNLIMITED: i64 = 1_000_000_000;
/// Replicas of a queue, where the cluster has as many nodes.
const REPLICAS: i64 = 3;
const PATIENCE: Duration = Duration::from_secs(10);

/// The exchange that a shard's ranges go to.
pub fn exchange(shard: i16) -> String {
    format!("vintem.ranges.v{VERSION}.{shard}")
}

/// The queue of a projection's shard.
pub fn queue(projection: &str, shard: i16) -> String {
    format!("vintem.projection.v{VERSION}.{projection}.{shard}")
}

/// The exchange of a subscription.
pub fn events_exchange(subscription: &str) -> String {
    format!("vintem.events.v{VERSION}.{subscription}")
}

/// The queue of a subscription.
pub fn events_queue(subscription: &str) -> String {
    format!("vintem.subscription.v{VERSION}.{subscription}")
}

/// The arguments of every queue of ranges.
fn arguments() -> [(&'static str, Value); 7] {
    bounded(LENGTH_MAX, "drop-head", DELIVERIES_MAX)
}

fn bounded(length: i64, overflow: &str, deliveries: i64) -> [(&'static str, Value); 7] {
    [
        ("x-queue-type", json!("quorum")),
        ("x-single-active-consumer", json!(true)),
        ("x-max-length", json!(length)),
        ("x-overflow", json!(overflow)),
        ("x-delivery-limit", json!(deliveries)),
        ("x-quorum-initial-group-size", json!(REPLICAS)),
        ("x-queue-leader-locator", json!("balanced")),
    ]
}

/// Declares what a shard needs: whoever comes first makes it, and whoever finds something missing makes it again.
pub async fn declare(session: &Session, shard: i16, projections: &[&str]) -> Result<(), BrokerError> {
    let (channel, exchange) = (&session.channel, exchange(shard));
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared =
        channel.exchange_declare(exchange.as_str().into(), ExchangeKind::Fanout, durable, FieldTable::default());
    within(PATIENCE, "declare an exchange", declared).await?;
    for projection in projections {
        let queue = queue(projection, shard);
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        within(PATIENCE, "declare a queue", channel.queue_declare(queue.as_str().into(), durable, table(arguments())))
            .await?;
        let bound = channel.queue_bind(
            queue.as_str().into(),
            exchange.as_str().into(),
            "".into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        );
        within(PATIENCE, "bind a queue", bound).await?;
    }
    Ok(())
}

/// Deletes a shard's queues, with the ranges that wait in them.
pub async fn delete(session: &Session, shard: i16, projections: &[&str]) -> Result<(), BrokerError> {
    for projection in projections {
        let queue = queue(projection, shard);
        let deleted = session.channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default());
        within(PATIENCE, "delete a queue", deleted).await?;
    }
    Ok(())
}

/// Declares what a subscription needs.
pub async fn declare_subscription(session: &Session, subscription: &str, length: i32) -> Result<(), BrokerError> {
    let exchange = events_exchange(subscription);
    let durable = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared =
        session.channel.exchange_declare(exchange.as_str().into(), ExchangeKind::Topic, durable, FieldTable::default());
    within(PATIENCE, "declare an exchange", declared).await?;
    waiting(session, subscription, length).await?;
    let bound = session.channel.queue_bind(
        events_queue(subscription).as_str().into(),
        exchange.as_str().into(),
        "#".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    within(PATIENCE, "bind a queue", bound).await
}

/// How many events wait in a subscription's queue for somebody to take them. Declaring it once more is how one asks.
pub async fn waiting(session: &Session, subscription: &str, length: i32) -> Result<u32, BrokerError> {
    let (queue, arguments) = (events_queue(subscription), bounded(length.into(), "reject-publish", UNLIMITED));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared = session.channel.queue_declare(queue.as_str().into(), durable, table(arguments));
    Ok(within(PATIENCE, "declare a queue", declared).await?.message_count())
}

/// Takes a subscription down, with what waits in its queue.
pub async fn delete_subscription(session: &Session, subscription: &str) -> Result<(), BrokerError> {
    let (exchange, queue) = (events_exchange(subscription), events_queue(subscription));
    let deleted = session.channel.exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default());
    within(PATIENCE, "delete an exchange", deleted).await?;
    let deleted = session.channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default());
    within(PATIENCE, "delete a queue", deleted).await.map(drop)
}

fn table(arguments: [(&'static str, Value); 7]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in arguments {
        let value = match value {
            Value::Bool(value) => AMQPValue::Boolean(value),
            Value::Number(value) => AMQPValue::LongLongInt(value.as_i64().unwrap_or_default()),
            other => AMQPValue::LongString(LongString::from(other.as_str().unwrap_or_default())),
        };
        table.insert(name.into(), value);
    }
    table
}

/// The same as a definitions file of RabbitMQ.
pub fn definitions(virtual_host: &str, shards: &[i16], projections: &[&str]) -> Value {
    let queues = || shards.iter().flat_map(|shard| projections.iter().map(move |projection| (*shard, *projection)));
    let arguments: serde_json::Map<String, Value> =
        arguments().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    json!({
        "vhosts": [{ "name": virtual_host }],
        "exchanges": shards.iter().map(|shard| json!({
            "name": exchange(*shard), "vhost": virtual_host, "type": "fanout",
            "durable": true, "auto_delete": false, "internal": false, "arguments": {},
        })).collect::<Vec<_>>(),
        "queues": queues().map(|(shard, projection)| json!({
            "name": queue(projection, shard), "vhost": virtual_host,
            "durable": true, "auto_delete": false, "arguments": arguments,
        })).collect::<Vec<_>>(),
        "bindings": queues().map(|(shard, projection)| json!({
            "source": exchange(shard), "vhost": virtual_host, "destination": queue(projection, shard),
            "destination_type": "queue", "routing_key": "", "arguments": {},
        })).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_carry_the_version() {
        assert_eq!(exchange(0), "vintem.ranges.v1.0");
        assert_eq!(queue("volume", 3), "vintem.projection.v1.volume.3");
        assert_eq!(events_exchange("mail"), "vintem.events.v1.mail");
        assert_eq!(events_queue("mail"), "vintem.subscription.v1.mail");
    }

    #[test]
    fn the_exported_definitions_are_these() {
        let exported: Value = serde_json::from_str(include_str!("../../../deploy/rabbitmq/definitions.json")).unwrap();
        let expected = definitions("vintem", &[0], &crate::projector::projections());
        assert_eq!(exported, expected, "write this to deploy/rabbitmq/definitions.json:\n{expected:#}");
    }
}
