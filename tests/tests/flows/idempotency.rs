//! The contract of keys, where no other part shows it: what is under way, whose a key is, and who is told what was done.

use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use vintem_tests::api::Api;
use vintem_tests::phone::Town;
use vintem_tests::vault::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_said_to_be_so_which_is_not_final() {
    let api = Api::create().await;
    let body = json!({"code": "BRL", "scale": 2});
    // Whoever holds the shard keeps every writer waiting.
    let mut session = api.store.superuser().await;
    sqlx::query("BEGIN").execute(&mut session).await.unwrap();
    sqlx::query("SELECT shard FROM shard WHERE shard = 0 FOR UPDATE").execute(&mut session).await.unwrap();
    let post = async || api.client.post_as("once", "/v1/assets", &body).await;
    let told = {
        let first = post();
        // One of them is under way, whichever came first; the others are told so.
        let again = async {
            loop {
                if let Ok(told) = timeout(Duration::from_secs(1), post()).await {
                    break told;
                }
            }
        };
        tokio::pin!(first, again);
        tokio::select! {
            told = timeout(Duration::from_secs(20), &mut again) => told.unwrap(),
            told = &mut first => told,
        }
    };
    let problem = told.expect(409);
    assert_eq!((&problem["code"], &problem["outcome"]), (&json!("request-in-flight"), &json!("unknown")));
    assert!(problem["retryable"] == json!(true) && told.headers.contains_key("retry-after"));
    sqlx::query("ROLLBACK").execute(&mut session).await.unwrap();
    let is_done = eventually(Duration::from_secs(20), async || post().await.status == 201).await;
    assert!(is_done, "the same key has its answer when it is done");
    assert_eq!(post().await.headers["idempotency-replayed"], "true");
    assert_eq!(api.client.get("/v1/assets").await.expect(200)["assets"].as_array().unwrap().len(), 1);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_its_callers_own_and_tells_nobody_who_may_not_ask_any_more() {
    let town = Town::create().await;
    let ((_, phone), (_, rui)) = (town.citizen(1).await, town.citizen(2).await);
    let body = json!({"kind": "random"});
    let first = phone.post_as("k-1", "/v1/aliases", &body).await;
    let other = rui.post_as("k-1", "/v1/aliases", &body).await;
    assert_ne!(first.expect(201)["id"], other.expect(201)["id"], "the same words of two people are two keys");
    let again = phone.post_as("k-1", "/v1/aliases", &body).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    // Her telephone is taken away: it is let in before it is told anything.
    town.office.client.post(&format!("/v1/holders/{}/reset", phone.citizen()), &json!({})).await.expect(200);
    let is_out = async || phone.post_as("k-1", "/v1/aliases", &body).await.status == 401;
    assert!(eventually(Duration::from_secs(15), is_out).await);
    assert!(!phone.post_as("k-1", "/v1/aliases", &body).await.headers.contains_key("idempotency-replayed"));
    town.close().await;
}
