//! Events for integrators, through a real broker: each at least once, in order, and nobody held up by anybody.

use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;
use vintem_core::event_store::fresh;
use vintem_core::secrets::BrokerRole;
use vintem_core::subscriptions::store;
use vintem_tests::subscriptions::{
    assert_complete_and_in_order, position_of, published, read_up_to, subscribe, waiting,
};
use vintem_tests::vault::eventually;
use vintem_tests::workers::{Load, Plant};
use vintem_workers::rabbitmq::topology;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_comes_in_order_and_only_to_those_who_asked() {
    let plant = Plant::create().await;
    subscribe(&plant, "all", "#", 100_000).await;
    subscribe(&plant, "accounts", "account.*", 100_000).await;
    let integrators = plant.integrators(fresh::new_id()).await;
    let load = Load::begin(&plant.secrets.store).await;
    sleep(Duration::from_secs(2)).await;
    load.end().await;
    let newest = plant.newest().await;
    let events = read_up_to(&plant, "all", newest).await;
    assert_complete_and_in_order(&events, newest);
    assert_eq!(events.len(), usize::try_from(newest).unwrap(), "nothing failed, so nothing came twice");
    let accounts: Vec<&Value> = events.iter().filter(|event| event["type"] == "account.opened").collect();
    assert!(accounts.len() >= 2 && accounts[0]["data"]["asset"] == "BRL", "{accounts:?}");
    let asked = read_up_to(&plant, "accounts", position_of(accounts[accounts.len() - 1])).await;
    assert_eq!(asked.iter().collect::<Vec<_>>(), accounts);
    integrators.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_holds_up_nobody_else_and_loses_nothing() {
    let plant = Plant::create().await;
    subscribe(&plant, "slow", "#", 40).await;
    subscribe(&plant, "quick", "#", 100_000).await;
    let integrators = plant.integrators(fresh::new_id()).await;
    let load = Load::begin(&plant.secrets.store).await;
    sleep(Duration::from_secs(2)).await;
    load.end().await;
    let newest = plant.newest().await;
    assert!(newest > 400);
    assert_complete_and_in_order(&read_up_to(&plant, "quick", newest).await, newest);
    let is_full = eventually(Duration::from_secs(10), async || {
        plant.metrics.encode().contains(r#"subscription_full{subscription="slow"} 1"#)
    });
    assert!(is_full.await, "{}", plant.metrics.encode());
    assert!(waiting(&plant, "slow").unwrap() <= 40);
    // Read at last, it gets everything, in its order.
    assert_complete_and_in_order(&read_up_to(&plant, "slow", newest).await, newest);
    let metrics = plant.metrics.encode();
    assert!(!metrics.contains(r#"result="failed",subscription="slow""#), "no event was ever refused: {metrics}");
    integrators.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_copies_one_works_and_the_other_takes_over() {
    let plant = Plant::create().await;
    subscribe(&plant, "all", "#", 100_000).await;
    let copies = [plant.integrators(fresh::new_id()).await, plant.integrators(fresh::new_id()).await];
    let load = Load::begin(&plant.secrets.store).await;
    sleep(Duration::from_secs(3)).await;
    // One of them dies without a word; when it is the one that works, its lease must end first.
    copies[0].abort();
    sleep(Duration::from_secs(1)).await;
    load.end().await;
    let newest = plant.newest().await;
    assert_complete_and_in_order(&read_up_to(&plant, "all", newest).await, newest);
    copies[1].abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_under_load_loses_no_event() {
    let plant = Plant::on_private_broker().await;
    subscribe(&plant, "all", "#", 100_000).await;
    let integrators = plant.integrators(fresh::new_id()).await;
    assert!(eventually(Duration::from_mins(1), async || waiting(&plant, "all").is_some()).await);
    plant.settle().await;
    let load = Load::begin(&plant.secrets.store).await;
    for _ in 0..2 {
        sleep(Duration::from_secs(1)).await;
        plant.node.crash();
        plant.node.start().await.unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    load.end().await;
    let newest = plant.newest().await;
    assert!(eventually(Duration::from_mins(2), async || published(&plant, "all").await == newest).await);
    assert_complete_and_in_order(&read_up_to(&plant, "all", newest).await, newest);
    integrators.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_by_hand_comes_back_and_a_removed_subscription_goes() {
    let plant = Plant::create().await;
    subscribe(&plant, "mail", "#", 1_000).await;
    let integrators = plant.integrators(fresh::new_id()).await;
    Load::begin(&plant.secrets.store).await.end().await;
    let newest = plant.newest().await;
    let came = eventually(Duration::from_secs(20), async || {
        waiting(&plant, "mail").is_some_and(|count| i64::from(count) == newest)
    });
    assert!(came.await);
    plant
        .node
        .control(&["delete_queue", "--vhost", &plant.virtual_host, &topology::events_queue("mail")], None)
        .unwrap();
    // What waited in it is gone, and in the log; what comes now finds the queue made again.
    Load::begin_more(&plant.secrets.store).await;
    let later = plant.newest().await;
    let came = eventually(Duration::from_secs(20), async || waiting(&plant, "mail").is_some());
    assert!(came.await);
    let events = read_up_to(&plant, "mail", later).await;
    assert_eq!(events.iter().map(position_of).collect::<Vec<_>>(), (newest + 1..=later).collect::<Vec<_>>());

    let mut operator = plant.secrets.store.session("vintem_operator").await;
    store::remove(&mut operator, "mail").await.unwrap();
    let is_gone = eventually(Duration::from_secs(20), async || {
        waiting(&plant, "mail").is_none() && store::list(&mut operator).await.unwrap().is_empty()
    });
    assert!(is_gone.await);
    integrators.abort();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_user_of_the_broker_reaches_subscriptions_and_nothing_else() {
    let plant = Plant::create().await;
    let user = plant.broker(BrokerRole::Integrators, plant.node.ports.amqps).await;
    let session = user.connect().await.unwrap();
    topology::declare_subscription(&session, "mail", 10).await.unwrap();
    assert!(session.subscribe(&topology::events_queue("mail"), 1).await.is_err(), "it reads no queue");
    let session = user.connect().await.unwrap();
    assert!(topology::declare(&session, 0, &["test"]).await.is_err(), "ranges are the relay's");
    plant.close().await;
}
