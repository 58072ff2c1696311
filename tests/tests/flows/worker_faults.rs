//! Bad days of the worker as its operator runs it: one process with all roles, under load, and something breaks.
//!
//! Each ends as [`Factory::ends_well`] says: every view is the fold of the log and stands at its end, the subscription's
//! queue held every event in order, every webhook has arrived.

use std::time::Duration;
use tokio::time::sleep;
use vintem_tests::factory::Factory;
use vintem_tests::vault::eventually;
use vintem_tests::workers::Plant;

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
