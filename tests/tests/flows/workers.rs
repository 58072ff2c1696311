//! Relay and projector against a real broker, on good days and bad ones.

use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;
use vintem_cli::stack::LeaseTimes;
use vintem_core::event_store::{fresh, outbox};
use vintem_core::secrets::BrokerRole;
use vintem_tests::broker_wire::BrokerWire;
use vintem_tests::vault::eventually;
use vintem_tests::workers::{Load, NotedFeed, Plant, assert_contiguous, assert_covered};
use vintem_workers::rabbitmq::topology;
use vintem_workers::relay::range;

#[tokio::test(flavor = "multi_thread")]
async fn every_position_is_told_once_and_in_order() {
    let plant = Plant::create().await;
    let reader = plant.reader().await;
    let relay = plant.relay().await;
    let load = Load::begin(&plant.secrets.store).await;
    sleep(Duration::from_secs(2)).await;
    load.end().await;
    let newest = plant.all_is_relayed().await;
    let ranges = reader.ranges_up_to(newest).await;
    assert!(newest > 200 && ranges.len() > 5, "{newest} events in {} ranges", ranges.len());
    assert_contiguous(&ranges);
    let metrics = plant.metrics.encode();
    assert!(metrics.contains(&format!("relay_events_total{{shard=\"0\"}} {newest}")), "{metrics}");
    relay.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_under_load_loses_no_position() {
    let plant = Plant::on_private_broker().await;
    let relay = plant.relay().await;
    let feed = NotedFeed::default();
    let projector = plant.projector(feed.clone()).await;
    // Its queues are there when somebody has read them.
    drop(plant.reader().await);
    plant.settle().await;
    let load = Load::begin(&plant.secrets.store).await;
    for _ in 0..2 {
        sleep(Duration::from_secs(1)).await;
        plant.node.crash();
        plant.node.start().await.unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    load.end().await;
    let newest = plant.all_is_relayed().await;
    let is_fed = eventually(Duration::from_secs(30), async || feed.highest() == newest).await;
    assert!(is_fed, "the projector came to {} of {newest}", feed.highest());
    projector.abort();
    // What comes after the crashes comes on the queue that survived them.
    let reader = plant.reader().await;
    Load::begin_more(&plant.secrets.store).await;
    let newest = plant.all_is_relayed().await;
    assert!(reader.ranges_up_to(newest).await.last().is_some_and(|last| last.to == newest));
    relay.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_confirm_is_published_again() {
    let plant = Plant::create().await;
    let reader = plant.reader().await;
    let wire = BrokerWire::to(plant.node.ports.amqps).await;
    let relay = plant.relay_over(wire.port).await;
    let load = Load::begin(&plant.secrets.store).await;
    for _ in 0..3 {
        sleep(Duration::from_millis(800)).await;
        // Messages arrive, their confirms do not; then the connection breaks.
        wire.deafen();
        sleep(Duration::from_millis(400)).await;
        wire.cut_and_mend();
    }
    sleep(Duration::from_millis(800)).await;
    load.end().await;
    let newest = plant.all_is_relayed().await;
    let ranges = reader.ranges_up_to(newest).await;
    assert_covered(&ranges);
    let told: i64 = ranges.iter().map(|range| range.to - range.from + 1).sum();
    assert!(told > newest, "no message was told twice, so no confirm was lost");
    relay.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_relays_one_works_and_the_other_takes_over() {
    let plant = Plant::create().await;
    let reader = plant.reader().await;
    let port = plant.node.ports.amqps;
    let relays = [plant.relay_as(fresh::new_id(), port).await, plant.relay_as(fresh::new_id(), port).await];
    let load = Load::begin(&plant.secrets.store).await;
    sleep(Duration::from_secs(2)).await;
    let first = plant.relayed().await;
    assert!(first > 0);
    // The one that works dies without a word; its lease must end first.
    relays[0].abort();
    sleep(Duration::from_secs(1)).await;
    load.end().await;
    let newest = plant.all_is_relayed().await;
    let ranges = reader.ranges_up_to(newest).await;
    assert_covered(&ranges);
    // Who lost the lease and comes late cannot move the checkpoint.
    let checkpoint = outbox::checkpoint(plant.pool(), 0).await.unwrap();
    assert!(!outbox::advance(plant.pool(), 0, &checkpoint, 0).await.unwrap(), "an old fence is refused");
    for relay in relays {
        relay.abort();
    }
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_by_hand_comes_back_and_nothing_is_missed() {
    let plant = Plant::create().await;
    let relay = plant.relay().await;
    let feed = NotedFeed::default();
    let projector = plant.projector(feed.clone()).await;
    let load = Load::begin(&plant.secrets.store).await;
    sleep(Duration::from_secs(1)).await;
    let queue = topology::queue("test", 0);
    plant.node.control(&["delete_queue", "--vhost", &plant.virtual_host, &queue], None).unwrap();
    sleep(Duration::from_secs(1)).await;
    load.end().await;
    let newest = plant.all_is_relayed().await;
    let is_fed = eventually(Duration::from_secs(30), async || feed.highest() == newest).await;
    assert!(is_fed, "the projector came to {} of {newest}", feed.highest());
    relay.abort();
    projector.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_user_is_replaced_and_a_lease_that_ends_is_not_felt() {
    let plant = Plant::with(LeaseTimes { default_s: 4, max_s: 8 }).await;
    let relay = plant.relay().await;
    let load = Load::begin(&plant.secrets.store).await;
    // Longer than a user may live: others have taken over.
    sleep(Duration::from_secs(10)).await;
    let leased = format!("{}v-relay-", plant.secrets.prefix);
    let users = || plant.node.users().unwrap().into_iter().filter(|user| user.starts_with(&leased));
    let revoked: Vec<String> = users().collect();
    assert!(!revoked.is_empty());
    for user in revoked {
        // Its lease may have ended meanwhile.
        let dropped = plant.node.drop_user(&user);
        assert!(dropped.is_ok() || users().all(|left| left != user), "{dropped:?}");
    }
    sleep(Duration::from_secs(1)).await;
    load.end().await;
    plant.all_is_relayed().await;
    relay.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_fails_is_asked_again_and_a_parked_one_does_not_hold_up_its_queue() {
    let plant = Plant::create().await;
    let relay = plant.relay().await;
    let feed = NotedFeed::default();
    feed.fails.store(true, Ordering::Relaxed);
    let projector = plant.projector(feed.clone()).await;
    let load = Load::begin(&plant.secrets.store).await;
    sleep(Duration::from_secs(1)).await;
    load.end().await;
    let newest = plant.all_is_relayed().await;
    assert_eq!(feed.count(), 0);
    feed.fails.store(false, Ordering::Relaxed);
    let is_fed = eventually(Duration::from_secs(30), async || feed.highest() == newest).await;
    assert!(is_fed, "the projector came to {} of {newest}", feed.highest());
    feed.is_parked.store(true, Ordering::Relaxed);
    Load::begin_more(&plant.secrets.store).await;
    let newest = plant.all_is_relayed().await;
    let parked = eventually(Duration::from_secs(10), async || {
        feed.highest() == newest
            && plant.metrics.encode().contains("projector_parked{projection=\"test\",shard=\"0\"} 1")
    });
    assert!(parked.await);
    relay.abort();
    projector.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_may_do_what_its_name_says_and_no_more() {
    let plant = Plant::create().await;
    let reader = plant.broker(BrokerRole::Projector, plant.node.ports.amqps).await.connect().await.unwrap();
    topology::declare(&reader, 0, &["test"]).await.unwrap();
    let message = range::message(0, &outbox::Range { epoch: 1, from: 1, to: 1 });
    let published = reader.publish(&topology::exchange(0), vec![message]).await;
    assert!(published.is_err(), "a projector publishes nothing");
    let relay = plant.broker(BrokerRole::Relay, plant.node.ports.amqps).await.connect().await.unwrap();
    topology::declare(&relay, 0, &["test"]).await.unwrap();
    assert!(relay.subscribe(&topology::queue("test", 0), 1).await.is_err(), "a relay consumes nothing");
    plant.close().await;
}
