//! Subscriptions as an integrator sees them: declared, filled, read from their queue.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use vintem_core::secrets::BrokerRole;
use vintem_core::subscriptions::{Length, Subscription, store};
use vintem_workers::rabbitmq::topology;

use crate::workers::Plant;

/// Declares a subscription to everything from the beginning.
pub async fn subscribe(plant: &Plant, name: &str, kinds: &str, length: i32) {
    let mut operator = plant.secrets.store.session("vintem_operator").await;
    let subscription = Subscription {
        name: name.parse().unwrap(),
        tenant: None,
        kinds: kinds.parse().unwrap(),
        length: Length::try_from(length).unwrap(),
    };
    store::create(&mut operator, &subscription, true).await.unwrap();
}

/// How many events wait in a subscription's queue; `None` without a queue.
pub fn waiting(plant: &Plant, name: &str) -> Option<u32> {
    plant.told(&topology::events_queue(name), "messages_ready")
}

/// Up to where a subscription's events have been published.
#[expect(clippy::disallowed_methods, reason = "a question of the test about a row")]
pub async fn published(plant: &Plant, name: &str) -> i64 {
    let position = sqlx::query_scalar("SELECT position FROM subscription_checkpoint WHERE name = $1").bind(name);
    position.fetch_one(&mut plant.secrets.store.superuser().await).await.unwrap()
}

/// Reads a queue until it has been told of a position; answers the events as they came.
pub async fn read_up_to(plant: &Plant, name: &str, position: i64) -> Vec<Value> {
    let broker = plant.broker(BrokerRole::Projector, plant.node.ports.amqps).await;
    let mut session = broker.connect().await.unwrap();
    let deadline = Instant::now() + Duration::from_mins(1);
    // After a crash a queue takes its time to elect its leader.
    let mut subscription = loop {
        match session.subscribe(&topology::events_queue(name), 20).await {
            Ok(subscription) => break subscription,
            Err(error) => assert!(Instant::now() < deadline, "the queue cannot be read: {error}"),
        }
        session = broker.connect().await.unwrap();
    };
    let (mut events, mut highest) = (Vec::new(), 0);
    while highest < position {
        let next = timeout(Duration::from_secs(30), subscription.next()).await;
        let delivery = next.unwrap_or_else(|_| panic!("nothing after {highest}, up to {position}")).unwrap();
        let event: Value = serde_json::from_slice(&delivery.body).unwrap();
        highest = highest.max(position_of(&event));
        events.push(event);
        delivery.acknowledge_through().await.unwrap();
    }
    session.close().await;
    events
}

/// Where an event stands in the log.
pub fn position_of(event: &Value) -> i64 {
    event["id"].as_str().unwrap().rsplit('/').next().unwrap().parse().unwrap()
}

/// Every position is there, and whoever leaves out what he has seen gets each stream's events one after the other.
#[track_caller]
pub fn assert_complete_and_in_order(events: &[Value], newest: i64) {
    let positions: BTreeSet<i64> = events.iter().map(position_of).collect();
    assert_eq!(positions, (1..=newest).collect());
    let mut streams: BTreeMap<&str, i64> = BTreeMap::new();
    for event in events {
        let (stream, version) = (event["subject"].as_str().unwrap(), event["streamversion"].as_i64().unwrap());
        let seen = streams.entry(stream).or_default();
        assert!(version <= *seen + 1, "{stream} has version {version} after {seen}");
        *seen = version.max(*seen);
    }
}
