//! Webhooks over HTTP: from a posting to the server of a tenant, on good days and bad ones.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::sleep;
use vintem_core::event_store::fresh;
use vintem_core::secrets::KeyRing;
use vintem_core::telemetry::clock;
use vintem_core::webhooks::signature::{self, Secret, SigningKeys};
use vintem_core::webhooks::store::queue::{self, Attempted, Fate, Portion};
use vintem_tests::api::{Read, read};
use vintem_tests::webhooks::{HOME, Plant, Receiver, path};

#[tokio::test(flavor = "multi_thread")]
async fn a_posting_arrives_once_signed_in_both_ways_whoever_delivers() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    plant.client.moves("bank", "ana", "5.00").await.expect(201);
    let (all, holds) = (Receiver::listen().await, Receiver::listen().await);
    let endpoint = plant.endpoint(&all.url, &["transaction.*"]).await;
    let quiet = plant.endpoint(&holds.url, &["hold.placed"]).await;
    plant.work().await;
    plant.work().await;
    for _ in 0..20 {
        plant.client.moves("bank", "ana", "12.50").await.expect(201);
    }
    let received = all.receives(20).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(all.received().len(), 20, "two workers, and nothing twice");
    let mut ids: Vec<String> = received.iter().map(|message| message.id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    for message in &received {
        assert!(message.is_signed_with(&endpoint["secret"]) && message.is_signed_by(&endpoint["public_keys"][0]));
        assert!(!message.is_signed_with(&quiet["secret"]), "each endpoint has a secret of its own");
        let mut altered = message.clone();
        altered.body[10] ^= 1;
        assert!(!altered.is_signed_with(&endpoint["secret"]) && !altered.is_signed_by(&endpoint["public_keys"][0]));
    }
    assert_is_as_recorded(&plant, &received[0].json()).await;
    let delivery = plant.settled(&endpoint, "delivered", 1).await;
    assert_eq!(
        (delivery["tried"][0]["outcome"].as_str(), &delivery["tried"][0]["status"]),
        (Some("delivered"), &json!(204))
    );
    assert!(holds.received().is_empty() && plant.deliveries(&quiet).await.is_empty());
    let metrics = plant.metrics.encode();
    assert!(metrics.contains("webhook_attempts_total{outcome=\"delivered\"} 20"), "{metrics}");
    plant.close().await;
}

/// The message says what the feed of events says.
async fn assert_is_as_recorded(plant: &Plant, message: &Value) {
    let position = message["data"]["position"].as_i64().unwrap();
    let feed = plant.client.get(&format!("/v1/events?after={}&limit=1", position - 1)).await.expect(200);
    let event = &feed["events"][0];
    assert_eq!((&message["type"], &message["timestamp"]), (&event["kind"], &event["recorded_at"]));
    for member in ["position", "id", "version", "effective_at", "payload"] {
        assert_eq!(message["data"][member], event[member], "{member}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_tried_again_and_410_ends_it_until_somebody_says_otherwise() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    let receiver = Receiver::listen().await;
    let endpoint = plant.endpoint(&receiver.url, &["transaction.posted"]).await;
    plant.work().await;
    receiver.will_answer(&["500 No", "204 No Content", "410 Gone"]);
    let first = plant.client.moves("bank", "ana", "1.00").await.expect(201)["position"].as_i64().unwrap();
    let delivery = plant.settled(&endpoint, "delivered", 2).await;
    assert_eq!(delivery["tried"][0]["outcome"], "rejected");
    let messages = receiver.received();
    assert_eq!((&messages[0].id, &messages[0].body), (&messages[1].id, &messages[1].body));
    assert!(messages.iter().all(|message| message.is_signed_with(&endpoint["secret"])));

    plant.client.moves("bank", "ana", "2.00").await.expect(201);
    let gone = plant.settled(&endpoint, "failed", 1).await;
    assert_eq!(gone["tried"][0]["outcome"], "gone");
    let shown = plant.client.get(&path(&endpoint)).await.expect(200);
    assert_eq!((shown["state"].as_str(), shown["disabled_because"].as_str()), (Some("disabled"), Some("gone")));
    // What is recorded meanwhile is not collected.
    let last = plant.client.moves("bank", "ana", "3.00").await.expect(201)["position"].as_i64().unwrap();
    let replays = format!("{}/replays", path(&endpoint));
    let range = json!({"from": first, "to": last});
    assert_eq!(plant.client.post(&replays, &range).await.expect(409)["code"], "invalid-state");
    sleep(Duration::from_secs(1)).await;
    assert_eq!(receiver.received().len(), 3);

    plant.client.post(&format!("{}/enable", path(&endpoint)), &json!({})).await.expect(200);
    assert_eq!(plant.client.post(&replays, &range).await.expect(202)["deliveries"], 3);
    let messages = receiver.receives(6).await;
    let positions: Vec<i64> = {
        let mut positions: Vec<i64> =
            messages[3..].iter().map(|message| message.json()["data"]["position"].as_i64().unwrap()).collect();
        positions.sort_unstable();
        positions
    };
    assert_eq!((positions[0], positions[2]), (first, last));
    assert!(messages[3..].iter().any(|message| message.id == messages[0].id), "a replay keeps the id");
    plant.client.post(&replays, &json!({"from": last})).await.expect(202);
    receiver.receives(7).await;
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_overlap_while_one_replaces_another() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    let receiver = Receiver::listen().await;
    let endpoint = plant.endpoint(&receiver.url, &["*"]).await;
    plant.work().await;
    let secrets = format!("{}/secrets", path(&endpoint));
    let second = plant.client.post(&secrets, &json!({"overlap_seconds": 3600})).await.expect(201);
    assert_eq!(second["secrets"].as_array().unwrap().len(), 2);
    assert!(second["secrets"][0]["ends_at"].is_null() && !second["secrets"][1]["ends_at"].is_null());
    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    let message = receiver.receives(1).await.remove(0);
    assert!(message.is_signed_with(&endpoint["secret"]) && message.is_signed_with(&second["secret"]));
    let third = plant.client.post(&secrets, &json!({"overlap_seconds": 0})).await.expect(201);
    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    let message = receiver.receives(2).await.remove(1);
    assert!(message.is_signed_with(&third["secret"]) && message.is_signed_by(&endpoint["public_keys"][0]));
    assert!(!message.is_signed_with(&endpoint["secret"]) && !message.is_signed_with(&second["secret"]));
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_for_the_network_that_we_stand_in() {
    let mut plant = Plant::create(&[]).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    for url in [
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://10.0.0.7/hook",
        "https://169.254.169.254/",
        "http://example.org/",
    ] {
        let refused =
            plant.client.post("/v1/webhook-endpoints", &json!({"url": url, "events": ["*"]})).await.expect(422);
        assert_eq!(refused["errors"][0]["pointer"], "/url", "{url}");
    }
    // A name is looked at when it is resolved, which is at each attempt.
    let receiver = Receiver::listen().await;
    let url = receiver.url.replace("http://127.0.0.1", "https://localhost");
    let endpoint = plant.endpoint(&url, &["transaction.posted"]).await;
    plant.work().await;
    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    let delivery = plant.settled(&endpoint, "pending", 1).await;
    assert_eq!(delivery["tried"][0]["outcome"], "address-refused");
    assert!(delivery["due_at"].is_string() && receiver.received().is_empty());
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_leads_nowhere_and_an_answer_without_end_is_left() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    let (receiver, other) = (Receiver::listen().await, Receiver::listen().await);
    let endpoint = plant.endpoint(&receiver.url, &["transaction.posted"]).await;
    let long = "x".repeat(64 * 1024);
    receiver.will_answer(&[
        &format!("302 Found\r\nLocation: {}", other.url),
        &format!("200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n{long}"),
    ]);
    plant.work().await;
    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    let delivery = plant.settled(&endpoint, "delivered", 2).await;
    assert_eq!(
        (delivery["tried"][0]["outcome"].as_str(), &delivery["tried"][0]["status"]),
        (Some("redirected"), &json!(302))
    );
    assert!(other.received().is_empty());
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_made_once_per_key_and_its_secret_is_shown_once() {
    let plant = Plant::create(HOME).await;
    let client = &plant.client;
    let body = json!({"url": "https://example.org/hook", "events": ["*"], "description": "till"});
    let first = client.post_as("k1", "/v1/webhook-endpoints", &body).await.expect(201);
    assert!(first["secret"].as_str().unwrap().starts_with("whsec_") && first["secret_withheld"] == false);
    let again = client.post_as("k1", "/v1/webhook-endpoints", &body).await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let again = again.expect(201);
    assert_eq!((&again["id"], &again["secret"], &again["secret_withheld"]), (&first["id"], &Value::Null, &json!(true)));
    let other = json!({"url": "https://example.org/other", "events": ["*"]});
    assert_eq!(client.post_as("k1", "/v1/webhook-endpoints", &other).await.expect(422)["code"], "idempotency-mismatch");
    let recovered = client.get("/v1/requests/k1").await.expect(200);
    assert_eq!((&recovered["status"], &recovered["body"]["secret"]), (&json!(201), &Value::Null));
    client.post_as("k2", "/v1/assets", &json!({"code": "BRL", "scale": 2})).await.expect(201);
    assert_eq!(client.post_as("k2", "/v1/webhook-endpoints", &body).await.expect(422)["code"], "idempotency-mismatch");

    let changed =
        client.patch(&path(&first), &json!({"events": ["hold.*"], "description": null}), None).await.expect(200);
    assert_eq!((&changed["events"], &changed["description"]), (&json!(["hold.*"]), &Value::Null));
    assert_eq!(changed["url"], "https://example.org/hook");
    client.post(&format!("{}/disable", path(&first)), &json!({})).await.expect(200);
    assert_eq!(client.get("/v1/webhook-endpoints").await.expect(200)["endpoints"][0]["disabled_because"], "asked");
    assert_sealed(&plant, first["secret"].as_str().unwrap()).await;

    let stranger = plant.server.client(&plant.secrets.store, "tea-town", "ledger:read ledger:write ledger:admin").await;
    assert_eq!(stranger.get("/v1/webhook-endpoints").await.expect(200)["endpoints"], json!([]));
    stranger.get(&path(&first)).await.expect(404);
    stranger.post(&format!("{}/secrets", path(&first)), &json!({})).await.expect(404);
    stranger.post(&format!("{}/replays", path(&first)), &json!({"from": 1})).await.expect(404);
    delete(&stranger, &first, "k").await.expect(404);
    let deleted = delete(client, &first, "k3").await.expect(200);
    assert_eq!(deleted["state"], "deleted");
    assert_eq!(delete(client, &first, "k3").await.expect(200), deleted);
    delete(client, &first, "k4").await.expect(404);
    client.get(&path(&first)).await.expect(404);
    plant.close().await;
}

async fn delete(client: &vintem_tests::api::Client, endpoint: &Value, key: &str) -> Read {
    read(client.request(Method::DELETE, &path(endpoint)).header("Idempotency-Key", key)).await
}

/// The secret stands nowhere in the database, and what stands there is for who delivers.
#[expect(clippy::disallowed_methods, reason = "a question about the tables, not part of the product")]
async fn assert_sealed(plant: &Plant, secret: &str) {
    let mut session = plant.secrets.store.superuser().await;
    let raw = secret.trim_start_matches("whsec_");
    let found: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM webhook_secret s WHERE s::text LIKE '%' || $1 || '%')
              + (SELECT count(*) FROM webhook_request r WHERE convert_from(r.body, 'UTF8') LIKE '%' || $1 || '%')",
    )
    .bind(raw)
    .fetch_one(&mut session)
    .await
    .unwrap();
    assert_eq!(found, 0);
    for role in ["vintem_reader", "vintem_editor", "vintem_auditor", "vintem_writer"] {
        let mut session = plant.secrets.store.session(role).await;
        let read = sqlx::query("SELECT sealed FROM webhook_secret").execute(&mut session).await;
        assert!(read.is_err(), "{role} reads sealed secrets");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_worker_had_claimed_is_delivered_and_its_late_word_does_not_count() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    let receiver = Receiver::listen().await;
    let endpoint = plant.endpoint(&receiver.url, &["transaction.posted"]).await;
    let position = plant.client.moves("bank", "ana", "1.00").await.expect(201)["position"].as_i64().unwrap();
    plant.client.post(&format!("{}/replays", path(&endpoint)), &json!({"from": position})).await.expect(202);
    let (pool, portion) = (plant.database.pool().clone(), Portion { per_endpoint: 8, total: 8, seconds: 2 });
    let claimed = queue::claim(&pool, fresh::new_id(), &[], portion).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert!(queue::claim(&pool, fresh::new_id(), &[], portion).await.unwrap().is_empty(), "it is somebody's");
    plant.work().await;
    assert_eq!(receiver.receives(1).await.len(), 1);
    plant.settled(&endpoint, "delivered", 1).await;
    let late = Attempted { milliseconds: 1, status: Some(500), outcome: "rejected", fate: Fate::Failed };
    assert!(!queue::settle(&pool, claimed[0].at, claimed[0].claim, late).await.unwrap());
    plant.settled(&endpoint, "delivered", 1).await;
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_vault_nothing_leaves_unsigned_and_nothing_counts_as_an_attempt() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    let receiver = Receiver::listen().await;
    let endpoint = plant.endpoint(&receiver.url, &["transaction.posted"]).await;
    plant.work().await;
    plant.wire.cut();
    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    sleep(Duration::from_secs(3)).await;
    plant.settled(&endpoint, "pending", 0).await;
    assert!(receiver.received().is_empty());
    plant.wire.mend();
    assert!(receiver.receives(1).await[0].is_signed_with(&endpoint["secret"]));
    plant.settled(&endpoint, "delivered", 1).await;
    plant.wire.cut();
    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    assert!(receiver.receives(2).await[1].is_signed_with(&endpoint["secret"]), "what was opened goes on to sign");
    plant.wire.mend();
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_answers_holds_up_nobody() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    // Connections come into being, and nobody reads them.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = plant.endpoint(&format!("http://{}/", silent.local_addr().unwrap()), &["transaction.posted"]).await;
    let receiver = Receiver::listen().await;
    plant.endpoint(&receiver.url, &["transaction.posted"]).await;
    plant.work().await;
    let leg = json!({"from": "bank", "to": "ana", "amount": {"amount": "1.00", "asset": "BRL"}});
    let items: Vec<Value> = (0..200).map(|_| json!({"transaction": leg})).collect();
    let began = std::time::Instant::now();
    plant.client.post("/v1/batches", &json!({"items": items})).await.expect(200);
    receiver.receives(200).await;
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}: before the first of the slow ones was given up",
        began.elapsed()
    );
    assert_eq!(plant.deliveries(&slow).await[0]["state"], "pending");
    plant.close().await;
}

/// Third-party vectors, read from the folder that `VINTEM_VECTORS` names; skipped when they are not there.
#[test]
fn signatures_are_those_of_standard_webhooks() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("VINTEM_VECTORS").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read(folder.join("standard_webhooks_vectors.json")) else {
        eprintln!("skipped: no standard_webhooks_vectors.json in {}", folder.display());
        return;
    };
    let vectors: Value = serde_json::from_slice(&text).unwrap();
    let text = |member: &str| vectors["sign"][member].as_str().unwrap().to_owned();
    let secret = STANDARD.decode(text("secret").trim_start_matches("whsec_")).unwrap();
    let keys = SigningKeys::try_new(&KeyRing::new(signature::generate_signing_key(), clock::now())).unwrap();
    let sign = |body: &str| {
        let secret = Secret::from_bytes(secret.clone().into());
        signature::header(
            &text("id"),
            vectors["sign"]["timestamp"].as_i64().unwrap(),
            body.as_bytes(),
            &[&secret],
            &keys,
        )
    };
    let signed = sign(&text("payload"));
    assert_eq!(signed.split(' ').next().unwrap(), text("signature"));
    assert_ne!(sign(&text("payload").replace('4', "5")).split(' ').next().unwrap(), text("signature"));
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let content = format!("{}.{}.{}", text("id"), vectors["sign"]["timestamp"], text("payload"));
    for wrong in
        vectors["must_reject"].as_array().unwrap().iter().filter_map(|wrong| wrong.as_str()?.strip_prefix("v1,"))
    {
        let refused = STANDARD.decode(wrong).map_or(true, |tag| hmac::verify(&key, content.as_bytes(), &tag).is_err());
        assert!(refused, "{wrong}");
    }
}
