//! People pay each other over HTTP: asked for, shown, confirmed by the payer's telephone and PIN.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;
use vintem_core::event_store::fresh;
use vintem_core::event_store::retention::AnswerRetention;
use vintem_tests::payer::{confirm, path};
use vintem_tests::phone::{Phone, Town};
use vintem_tests::tamper::without_triggers;

const NOTE: &str = "almoço de sexta, obrigada";

/// A payer with money, and somebody with a key.
async fn two(town: &Town) -> (Phone, Phone, String) {
    let ((_, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    town.issue(&her, "100.00").await;
    let alias = his.random_alias().await;
    (her, his, alias)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_pays_what_they_were_shown_once() {
    let town = Town::create().await;
    let (her, his, alias) = two(&town).await;
    let prices = json!({"transfer": {"fixed": "0.10", "basis_points": 50}});
    town.office.client.post("/v1/prices/BRL", &prices).await.expect(200);
    let asked = her.wants_to_pay(&alias, "12.50", Some(NOTE)).await;
    assert_eq!((asked["status"].as_str(), asked.get("note")), (Some("requires_confirmation"), None));
    let amounts = ["amount", "fee", "total"].map(|name| asked[name]["amount"].as_str().unwrap());
    assert_eq!((amounts, asked["payee"].as_str()), (["12.50", "0.16", "12.66"], Some(his.citizen())));
    assert_eq!(her.get(&path(&asked)).await.expect(200)["note"], NOTE);
    his.get(&path(&asked)).await.expect(404);
    assert_eq!(town.posted(&her).await, "100.00", "nothing has moved");

    let (body, at) = (her.confirmation(&asked), confirm(&asked));
    let first = her.post_as("c-1", &at, &body).await;
    let confirmed = first.expect(200);
    assert_eq!((confirmed["status"].as_str(), &confirmed["id"]), (Some("completed"), &asked["id"]));
    assert_eq!((&confirmed["total"]["amount"], &confirmed["available"]["amount"]), (&json!("12.66"), &json!("87.34")));
    assert_eq!((town.posted(&her).await.as_str(), town.posted(&his).await.as_str()), ("87.34", "12.50"));
    // The same again, with a signature that differs by chance, as those of P-256 do.
    let again = her.post_as("c-1", &at, &her.confirmation(&asked)).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let store = &town.office.secrets.store;
    AnswerRetention::new(store.pool("vintem_writer"), 0, Duration::ZERO, fresh::new_id()).tick().await.unwrap();
    let rendered = her.post_as("c-1", &at, &her.confirmation(&asked)).await;
    assert_eq!(
        (rendered.status, &rendered.bytes),
        (first.status, &first.bytes),
        "rendered anew when its bytes are gone"
    );
    let other = her.post_as("c-2", &at, &body).await;
    assert_eq!(other.expect(409)["code"], "charge-already-paid");
    assert_eq!(town.posted(&his).await, "12.50", "it moved once");

    let shown = her.get(&path(&asked)).await.expect(200);
    assert_eq!((&shown["status"], &shown["transaction"]), (&json!("completed"), &confirmed["transaction"]));
    let received = his.get(&path(&asked)).await.expect(200);
    assert_eq!((&received["note"], &received["amount"]["amount"]), (&json!(NOTE), &json!("12.50")), "it is for both");
    let members: Vec<&str> = received.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["amount", "completed_at", "id", "note", "status", "transaction"], "and what it cost is not");
    let transaction = received["transaction"].as_str().unwrap();
    let receipt = his.get(&format!("/v1/account/transactions/{transaction}/receipt")).await.expect(200);
    let signed = receipt["signed"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed).unwrap()).unwrap();
    let legs = claims["legs"].as_array().unwrap().iter().map(|leg| leg["amount"].as_str().unwrap());
    assert_eq!(legs.collect::<Vec<_>>(), ["12.50", "12.50"], "not by their receipt either");
    let checked = his.get(receipt["check"].as_str().unwrap()).await.expect(200);
    let legs = checked["legs"].as_array().unwrap().iter().map(|leg| leg["amount"]["amount"].as_str().unwrap());
    assert_eq!(legs.collect::<Vec<_>>(), ["12.50", "12.50"]);
    let (_, third) = town.citizen(3).await;
    third.get(&path(&asked)).await.expect(404);
    let mut superuser = store.superuser().await;
    let kept: String = sqlx::query_scalar(
        "SELECT string_agg(t, ' ') FROM (SELECT payload::text t FROM event UNION ALL SELECT convert_from(body, 'UTF8') FROM request_body) kept",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    assert!(!kept.contains("almo"), "a note is nobody else's");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pin_or_signature_moves_nothing_and_can_be_put_right_under_the_same_key() {
    let town = Town::create().await;
    let (her, his, alias) = two(&town).await;
    let asked = her.wants_to_pay(&alias, "10.00", None).await;
    let (right, at) = (her.confirmation(&asked), confirm(&asked));
    let with = |member: &str, value: Value| {
        let mut body = right.clone();
        body[member] = value;
        body
    };
    let wrong = her.post_as("c-1", &at, &with("pin", json!("908172"))).await;
    assert_eq!(wrong.expect(403)["code"], "pin-invalid");
    let mut dearer = asked.clone();
    dearer["amount"]["amount"] = json!("1.00");
    for signature in ["", "AAAA", "not base64!"].map(|text| json!(text)).into_iter().chain([
        her.confirmation(&dearer)["device_signature"].clone(),
        his.confirmation(&asked)["device_signature"].clone(),
    ]) {
        let refused = her.post_as("c-1", &at, &with("device_signature", signature)).await;
        assert_eq!(refused.expect(422)["code"], "signature-invalid");
    }
    // Whoever is paid, and anybody else, cannot confirm it; nor learn that it is there.
    his.post(&at, &his.confirmation(&asked)).await.expect(404);
    assert_eq!(her.post_as("c-1", &at, &json!({"pin": 274_906})).await.expect(422)["errors"][0]["pointer"], "/pin");
    her.post_as("c-1", &at, &right).await.expect(200);
    // The key stands for this transfer, whatever is typed.
    let second = her.wants_to_pay(&alias, "1.00", None).await;
    let mismatch = her.post_as("c-1", &confirm(&second), &her.confirmation(&second)).await;
    assert_eq!(mismatch.expect(422)["code"], "idempotency-mismatch");
    assert_eq!(town.posted(&his).await, "10.00");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_lowered_at_once_and_bind_a_confirmation() {
    let town = Town::create().await;
    let (her, his, alias) = two(&town).await;
    let now = her.get("/v1/limits").await.expect(200);
    assert_eq!((&now["limits"][1]["kind"], &now["limits"][1]["amount"]), (&json!("day"), &json!("10000.00")));
    let asked = her.patch("/v1/limits", &json!({"payment": "9.99", "night": "20000.00"})).await.expect(200);
    assert_eq!(asked["asked"][0], json!({"kind": "payment", "amount": "9.99"}));
    let now = her.get("/v1/limits").await.expect(200);
    assert_eq!(now["limits"][0]["amount"], "9.99");
    assert_eq!(
        (&now["limits"][3]["amount"], &now["limits"][3]["raise"]["amount"]),
        (&json!("1000.00"), &json!("20000.00"))
    );
    let dear = her.wants_to_pay(&alias, "10.00", None).await;
    let refused = her.post_as("c-1", &confirm(&dear), &her.confirmation(&dear)).await;
    assert_eq!(refused.expect(422)["code"], "limit-exceeded");
    let again = her.post_as("c-1", &confirm(&dear), &her.confirmation(&dear)).await;
    assert_eq!((again.status, &again.bytes), (refused.status, &refused.bytes), "kept under its key");
    let poor = his.wants_to_pay(&her.random_alias().await, "1.00", None).await;
    assert_eq!(his.confirms(&poor).await.expect(422)["code"], "insufficient-funds");
    for (body, pointer) in [(json!({}), ""), (json!({"day": "-1"}), "/day"), (json!({"day": 5}), "/day")] {
        assert_eq!(her.patch("/v1/limits", &body).await.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_nobody_confirms_in_time_is_over() {
    let town = Town::create().await;
    let (her, his, alias) = two(&town).await;
    let asked = her.wants_to_pay(&alias, "10.00", None).await;
    // The writer's clock says so, which is the database's: the commit of the request is moved into the past and back.
    let mut superuser = town.office.secrets.store.superuser().await;
    let id = asked["id"].as_str().unwrap();
    let batch = format!(
        "SELECT b.seq FROM batch b JOIN event e ON b.last_position >= e.position WHERE e.stream = '{id}' ORDER BY b.last_position, b.seq LIMIT 1"
    );
    let mut moves = async |by: &str| {
        let sql = format!(
            "UPDATE batch SET recorded_at = recorded_at + interval '{by}' WHERE seq = ({batch}) RETURNING 'moved'"
        );
        assert!(without_triggers(&mut superuser, "batch", &sql).await.is_some());
    };
    moves("-10 minutes").await;
    assert_eq!(her.get(&path(&asked)).await.expect(200)["status"], "expired");
    let late = her.post_as("c-1", &confirm(&asked), &her.confirmation(&asked)).await;
    assert_eq!(late.expect(410)["code"], "charge-expired");
    moves("10 minutes").await;
    let again = her.post_as("c-1", &confirm(&asked), &her.confirmation(&asked)).await;
    assert_eq!((again.status, &again.bytes), (late.status, &late.bytes), "kept under its key");
    assert_eq!(town.posted(&his).await, "0.00");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_up_is_its_askers_and_a_transfer_says_to_whom_and_how_much() {
    let town = Town::create().await;
    let (her, his, alias) = two(&town).await;
    let found = her.looks_up(&alias).await.expect(200);
    let brl = |amount: &str| json!({"amount": amount, "asset": "BRL"});
    let body = |lookup: &Value, amount: Value| json!({"lookup_id": lookup, "amount": amount});
    let (_, third) = town.citizen(3).await;
    let own = his.looks_up(&alias).await.expect(200);
    for (who, body, pointer) in [
        (&third, body(&found["lookup_id"], brl("1.00")), "/lookup_id"),
        (&her, body(&json!("AAAA"), brl("1.00")), "/lookup_id"),
        (&his, body(&own["lookup_id"], brl("1.00")), "/lookup_id"),
        (&her, body(&found["lookup_id"], brl("0")), "/amount/amount"),
        (&her, body(&found["lookup_id"], brl("1.001")), "/amount/amount"),
        (&her, body(&found["lookup_id"], json!({"amount": "1.00", "asset": "USD"})), "/amount/asset"),
    ] {
        let refused = who.post("/v1/transfers", &body).await.expect(422);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
    let mut long = body(&found["lookup_id"], brl("1.00"));
    long["note"] = json!("x".repeat(141));
    assert_eq!(her.post("/v1/transfers", &long).await.expect(422)["errors"][0]["pointer"], "/note");
    // A transfer under one key is one, with its note.
    long["note"] = json!(NOTE);
    let first = her.post_as("t-1", "/v1/transfers", &long).await;
    let again = her.post_as("t-1", "/v1/transfers", &long).await;
    assert_eq!((first.status.as_u16(), &again.bytes), (201, &first.bytes));
    // What was answered in time is told again after it, and nothing new is asked for with a look-up that is over.
    town.office.sleep(TimeDelta::minutes(11));
    assert_eq!(her.post_as("t-1", "/v1/transfers", &long).await.bytes, first.bytes);
    assert_eq!(her.post("/v1/transfers", &long).await.expect(409)["code"], "invalid-state");
    long["note"] = json!("another");
    assert_eq!(her.post_as("t-1", "/v1/transfers", &long).await.expect(422)["code"], "idempotency-mismatch");
    town.close().await;
}
