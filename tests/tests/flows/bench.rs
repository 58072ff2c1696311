//! The benchmark against a server of a test's own, within tiny bounds: every case is answered as it should be. No
//! figure is looked at.

use std::time::Duration;
use vintem_cli::bench::case::{CASES, Way};
use vintem_cli::bench::ceiling;
use vintem_cli::bench::ground::Ground;
use vintem_cli::bench::load::Timing;
use vintem_cli::bench::run::{Plan, Stage, run};
use vintem_cli::client::Connection;
use vintem_cli::stack::Stack;
use vintem_tests::api::Api;

const ACCOUNTS: u32 = 30;
/// Turns of each group. The window is far wider than they take, so that all of them are counted.
const TURNS: u64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_and_the_ceiling_is_measured() {
    let api = Api::create().await;
    let connection = Connection {
        url: Some(api.server.url("")),
        ca: None,
        client_id: Some(api.client.id.to_string()),
        client_secret_file: None,
        identity: None,
    };
    let ground = Ground::with(&connection, api.client.secret.clone().into(), None).await.unwrap();
    let stage = Stage::of(ground);
    stage.prepare(ACCOUNTS).await.unwrap();
    // The second time there is nothing to do.
    stage.prepare(ACCOUNTS).await.unwrap();
    let timing = Timing { warm_up: Duration::ZERO, measured: Duration::from_mins(2), most: TURNS };
    let plan = Plan { accounts: ACCOUNTS, timing, rate: None, only: Vec::new() };
    let lines = Box::pin(run(&stage, &plan, None, None)).await.unwrap();

    let groups: usize = CASES.iter().filter(|case| case.way == Way::Api).map(|case| case.groups.len()).sum();
    assert_eq!(lines.len(), groups);
    for line in &lines {
        let requests = if line.name == "hold+capture" { 2 * TURNS } else { TURNS };
        assert_eq!(line.tally.items, requests * u64::from(line.batch), "{line:?}");
        let refused: u64 = line.tally.codes.values().sum();
        let expected = if line.name.starts_with("half refused") { line.tally.items / 2 } else { 0 };
        assert_eq!(refused, expected, "{line:?}");
        assert!(line.tally.codes.keys().all(|code| code == "insufficient-funds"), "{line:?}");
    }

    let stack = Stack::load().unwrap();
    let ceiling = ceiling::measure(&stack, &api.store.name, ACCOUNTS, 10).await.unwrap();
    assert!(ceiling.figures.len() == 6 && ceiling.figures.iter().all(|figure| figure.rate > 0), "{ceiling}");
    assert!(ceiling.to_string().contains("INSERT INTO entry"));
    api.close().await;
}
