//! The log as clients read it: by pages, and pushed.

use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;
use vintem_tests::api::{Api, Client, Server};

/// Pages until there is no more.
async fn all(client: &Client, limit: usize) -> Vec<Value> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = client.get(&format!("/v1/events?after={after}&limit={limit}")).await.expect(200);
        let next = page["next"].as_i64().unwrap();
        events.extend(page["events"].as_array().unwrap().clone());
        if next == after {
            return events;
        }
        after = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_event_once_and_in_order() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana"]).await;
    let stranger = api.another("tea-town", "ledger:read ledger:write ledger:admin").await;
    stranger.open("BRL", &["bank", "bob"]).await;
    for _ in 0..7 {
        client.moves("bank", "ana", "1.00").await.expect(201);
        stranger.moves("bank", "bob", "1.00").await.expect(201);
    }
    let events = all(client, 3).await;
    let positions: Vec<i64> = events.iter().map(|event| event["position"].as_i64().unwrap()).collect();
    assert!(positions.is_sorted_by(|a, b| a < b));
    let posted: Vec<&Value> = events.iter().filter(|event| event["kind"] == "transaction.posted").collect();
    assert_eq!(posted.len(), 7);
    assert_eq!(posted[0]["payload"]["moves"][0][1], "100");
    assert_eq!(all(client, 100).await, events);
    api.close().await;
}

/// Reads a stream until it holds `count` messages; answers their ids.
async fn ids(client: &Client, after: Option<&str>, count: usize) -> Vec<String> {
    let request = client.request(Method::GET, "/v1/events").header("Accept", "text/event-stream");
    let response =
        after.into_iter().fold(request, |request, id| request.header("Last-Event-ID", id)).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut text = String::new();
    let mut chunks = response.bytes_stream();
    while text.matches("\n\n").count() < count {
        let chunk = timeout(Duration::from_secs(20), chunks.next()).await.expect("the stream is silent");
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap());
    }
    text.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_pushes_what_any_process_writes_and_goes_on_where_it_ended() {
    let api = Api::create().await;
    let client = api.client.clone();
    client.open("BRL", &["bank", "ana"]).await;
    let before = all(&client, 100).await.len();
    let seen = ids(&client, None, before).await;
    let last = seen.last().unwrap().clone();
    let beside = Server::beside(&api.server, &api.store).await;
    let other = client.at(&beside);
    let waiting = tokio::spawn({
        let (client, last) = (client.clone(), last.clone());
        async move { ids(&client, Some(&last), 2).await }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    client.moves("bank", "ana", "1.00").await.expect(201);
    other.moves("bank", "ana", "1.00").await.expect(201);
    let pushed = waiting.await.unwrap();
    let after: i64 = last.parse().unwrap();
    assert_eq!(pushed, [(after + 1).to_string(), (after + 2).to_string()]);
    beside.stop().await;
    api.close().await;
}
