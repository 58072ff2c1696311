//! Bad days of the worker as its operator runs it: one process with all roles, under load, and something breaks.
//!
//! Each ends as [`Factory::ends_well`] says: every view is the fold of the log and stands at its end, the subscription's
//! queue held every event in order, every webhook has arrived.

use std::time::Duration;
use tokio::time::{Instant, sleep};
use vintem_core::event_store::outbox;
use vintem_core::projections::{ALL, find, rebuild};
use vintem_core::secrets::BrokerRole;
use vintem_core::verify::Silent;
use vintem_tests::factory::{Factory, SUBSCRIPTION, is_long};
use vintem_tests::subscriptions::waiting;
use vintem_tests::vault::eventually;
use vintem_tests::workers::Plant;
use vintem_workers::rabbitmq::{Outgoing, Session, topology};
use vintem_workers::relay::range;

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_twenty_times_under_load_leaves_nothing_undone() {
    let mut factory = Factory::open(Plant::create().await).await;
    let load = factory.load().await;
    let (mut redelivered, mut unacknowledged) = (0, 0);
    for round in 0..20u64 {
        let works = async || factory.metric("projector_messages_total").await > 0;
        assert!(eventually(Duration::from_secs(20), works).await, "no message was worked off in round {round}");
        redelivered += factory.metric("projector_redeliveries_total").await;
        if round % 2 == 0 {
            sleep(Duration::from_millis((round * 173) % 700)).await;
        } else {
            // What it applies from now on it cannot acknowledge, so here it surely dies between the two.
            factory.wire.mute();
            let before = factory.projected().await;
            let applies = eventually(Duration::from_secs(1), async || factory.projected().await > before);
            unacknowledged += u32::from(applies.await);
        }
        factory.worker.kill();
        factory.time_passes().await;
        factory.start_worker(&[]).await;
    }
    factory.ends_well(load).await;
    assert!(
        redelivered > 0 && unacknowledged > 0,
        "{redelivered} messages came twice, {unacknowledged} kills fell between"
    );
    factory.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_or_short_of_disk_only_delays() {
    let mut factory = Factory::open(Plant::on_private_broker().await).await;
    let is_there = eventually(Duration::from_mins(1), async || waiting(&factory.plant, SUBSCRIPTION).is_some()).await;
    assert!(is_there, "the subscription has no queue");
    broker_is_away(&mut factory).await;
    disk_is_full(&mut factory).await;
    factory.close().await;
}

/// Stopped in order, and away for a while.
async fn broker_is_away(factory: &mut Factory) {
    let load = factory.load().await;
    load.acknowledges(50).await;
    factory.plant.node.stop();
    let away = Instant::now();
    factory.worker_is("degraded").await;
    let (projected, delivered) = (factory.projected().await, factory.receiver.received().len());
    // Nobody waits for it to be back: not who deploys, and not whoever needs none.
    factory.worker.kill();
    factory.time_passes().await;
    factory.start_worker(&[]).await;
    while away.elapsed() < Duration::from_secs(if is_long() { 60 } else { 10 }) {
        load.acknowledges(20).await;
        assert!(factory.server.is_ready().await);
        factory.worker_is("degraded").await;
    }
    assert!(factory.projected().await > projected, "views are brought up to date without being told");
    assert!(factory.receiver.received().len() > delivered, "webhooks go on");
    factory.plant.node.start().await.unwrap();
    factory.ends_well(load).await;
}

/// The broker takes nothing from publishers until there is room again.
async fn disk_is_full(factory: &mut Factory) {
    let load = factory.load().await;
    load.acknowledges(50).await;
    factory.plant.node.control(&["set_disk_free_limit", "100000GB"], None).unwrap();
    // What was on its way is through.
    sleep(Duration::from_secs(2)).await;
    let (relayed, projected) = (factory.plant.relayed().await, factory.projected().await);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(if is_long() { 60 } else { 15 }) {
        load.acknowledges(20).await;
        assert!(factory.server.is_ready().await);
    }
    factory.worker_is("degraded").await;
    let connections = factory.plant.node.control(&["list_connections", "--silent", "user"], None).unwrap();
    let connections = connections.lines().filter(|user| !user.trim().is_empty()).count();
    assert!(connections <= ALL.len() + 2, "blocked publishers open ever more connections: {connections}");
    assert_eq!(factory.plant.relayed().await, relayed, "nothing counts as published");
    assert!(factory.projected().await > projected, "views are brought up to date without being told");
    factory.plant.node.control(&["set_disk_free_limit", "200MB"], None).unwrap();
    factory.ends_well(load).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_crashed_and_restarted_is_waited_for() {
    let mut factory = Factory::open(Plant::on_private_cluster().await).await;
    let load = factory.load().await;
    let cluster = factory.plant.secrets.store.cluster.clone();
    for round in 0..4 {
        load.acknowledges(30).await;
        if round % 2 == 0 {
            cluster.crash();
        } else {
            cluster.stop();
        }
        if round == 3 {
            // Longer than anybody waits for a connection.
            sleep(Duration::from_secs(5)).await;
        }
        cluster.start().await.unwrap();
    }
    load.acknowledges(30).await;
    assert!(factory.worker.is_running(), "it waits, it does not give up");
    factory.ends_well(load).await;
    factory.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_come_twice_late_never_or_from_nowhere_change_nothing() {
    let mut factory = Factory::open(Plant::create().await).await;
    let load = factory.load().await;
    let relay = relay(&factory).await;
    for round in 0..6 {
        load.acknowledges(20).await;
        let newest = factory.plant.newest().await;
        // The newest before the older, each twice, and some of a future that may never come.
        let told = [(newest - 3, newest), (newest - 9, newest - 4), (1, 5), (newest + 90, newest + 99), (2, newest)];
        let told =
            told.into_iter().chain(told).map(|(from, to)| range::message(0, &outbox::Range { epoch: 1, from, to }));
        let strange = [br#"{"shard":7,"epoch":1,"from":1,"to":9}"#.as_slice(), b"hello", b""];
        let strange = strange.map(|body| Outgoing { body: body.to_vec(), ..hollow() });
        relay.publish(&topology::exchange(0), told.chain(strange).collect()).await.unwrap();
        if round % 3 == 2 {
            for projection in ALL {
                let queue = topology::queue(projection.name(), 0);
                let purge = ["purge_queue", "--vhost", &factory.plant.virtual_host, &queue];
                factory.plant.node.control(&purge, None).unwrap();
            }
        }
    }
    factory.ends_well(load).await;
    relay.close().await;
    factory.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_of_which_the_broker_kept_only_the_name_is_made_anew() {
    let mut factory = Factory::open(Plant::create().await).await;
    let load = factory.load().await;
    load.acknowledges(20).await;
    // What RabbitMQ leaves when it is killed in a queue's first minutes.
    for projection in [ALL[0], ALL[1]] {
        factory.plant.loses_process(&topology::queue(projection.name(), 0));
    }
    load.acknowledges(50).await;
    let newest = factory.plant.newest().await;
    let is_told = eventually(Duration::from_mins(2), async || factory.plant.relayed().await >= newest).await;
    assert!(is_told, "the relay came to {} of {newest}", factory.plant.relayed().await);
    factory.ends_well(load).await;
    factory.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn views_that_nobody_feeds_fill_no_queue_and_are_caught_up_with() {
    let mut factory = Factory::open(Plant::create().await).await;
    factory.worker.kill();
    factory.time_passes().await;
    factory.start_worker(&["relay", "integrators", "clocks", "webhooks"]).await;
    let load = factory.load().await;
    let relay = relay(&factory).await;
    // As many as a queue holds, told by the relay over weeks, or here by its user within seconds.
    for _ in 0..BOUND / 1_000 {
        let range = outbox::Range { epoch: 1, from: 1, to: 1 };
        let told = (0..1_000).map(|_| range::message(0, &range)).collect();
        relay.publish(&topology::exchange(0), told).await.unwrap();
    }
    let projected = factory.projected().await;
    load.acknowledges(200).await;
    let newest = factory.plant.newest().await;
    let is_told = eventually(Duration::from_secs(20), async || factory.plant.relayed().await >= newest).await;
    assert!(is_told, "a full queue holds up nobody");
    assert_eq!(factory.projected().await, projected);
    for projection in ALL {
        // RabbitMQ counts a quorum queue's messages every few seconds.
        let queue = topology::queue(projection.name(), 0);
        let messages = || factory.plant.told(&queue, "messages");
        let is_full = eventually(Duration::from_secs(20), async || messages() == Some(BOUND)).await;
        assert!(is_full, "{queue} holds {:?} of {BOUND}: the oldest make room", messages());
    }
    assert!(factory.worker.terminate().success());
    factory.start_worker(&[]).await;
    factory.ends_well(load).await;
    relay.close().await;
    factory.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_one_view_cannot_fold_stops_that_view_until_it_is_rebuilt() {
    let mut factory = Factory::open(Plant::create().await).await;
    let load = factory.load().await;
    // Somebody's idea of what an amount may be.
    factory.change("ALTER TABLE activity ADD CONSTRAINT idea CHECK (abs(amount) <> 7777)").await;
    let position = factory.moves("77.77").await;
    let is_parked = eventually(Duration::from_secs(30), async || {
        factory.worker.metrics().await.contains(r#"projector_parked{projection="activity",shard="0"} 1"#)
    });
    assert!(is_parked.await);
    load.acknowledges(50).await;
    let beyond = format!("SELECT count(*) FROM projection WHERE position > {position}");
    let others = i64::try_from(ALL.len()).unwrap() - 1;
    let go_on = eventually(Duration::from_secs(30), async || factory.count(&beyond).await == others).await;
    assert!(go_on, "one view holds up others");
    factory.worker_is("ready").await;
    factory.change("ALTER TABLE activity DROP CONSTRAINT idea").await;
    let mut owner = factory.plant.secrets.store.session("vintem_owner").await;
    rebuild::rebuild(&mut owner, find("activity").unwrap(), &[0], &mut Silent).await.unwrap();
    factory.ends_well(load).await;
    factory.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_that_somebody_took_away_are_replaced() {
    let mut factory = Factory::open(Plant::create().await).await;
    let load = factory.load().await;
    load.acknowledges(50).await;
    let leased = format!("{}v-", factory.plant.secrets.prefix);
    for user in factory.plant.node.users().unwrap().into_iter().filter(|user| user.starts_with(&leased)) {
        factory.plant.node.drop_user(&user).unwrap();
    }
    load.acknowledges(50).await;
    factory.drop_database_users().await;
    load.acknowledges(50).await;
    factory.ends_well(load).await;
    factory.close().await;
}

/// How many ranges a queue holds.
const BOUND: u32 = 10_000;

/// A session of the user that publishes ranges.
async fn relay(factory: &Factory) -> Session {
    let broker = factory.plant.broker(BrokerRole::Relay, factory.plant.node.ports.amqps).await;
    let session = broker.connect().await.unwrap();
    session.confirming().await.unwrap();
    session
}

/// A message of no kind that anybody knows.
fn hollow() -> Outgoing {
    let (id, kind, routing_key) = (String::new(), String::new(), String::new());
    Outgoing { id, kind, content_type: "text/plain", routing_key, body: Vec::new() }
}
