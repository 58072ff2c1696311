//! Citizens consent once that a service is paid without a PIN each time, and take it back.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use vintem_tests::phone::{PIN, Phone, Town};
use vintem_tests::shops::{SERVICES, at, provider, service};

const MANDATES: &str = "/v1/mandates";

/// A bus, and what somebody would consent to.
async fn bus(town: &Town) -> (Value, Value) {
    let client = &town.office.client;
    let bus = service(client, &provider(client, 1).await, "Ônibus Centro", json!({})).await;
    let brl = |amount: &str| json!({"amount": amount, "asset": "BRL"});
    let body = json!({"service_id": bus["id"], "cap": brl("10.00"), "per_payment": brl("6.00"), "period": "week"});
    (bus, body)
}

/// What confirms a mandate as it was shown: the members of RFC 8785 in their order, made without the product's code.
fn consent(phone: &Phone, mandate: &Value) -> Value {
    let said = BTreeMap::from([
        ("amount", &mandate["cap"]["amount"]),
        ("asset", &mandate["cap"]["asset"]),
        ("intent_id", &mandate["id"]),
        ("nonce", &mandate["nonce"]),
        ("payee", &mandate["service_id"]),
        ("per_payment", &mandate["per_payment"]["amount"]),
        ("period", &mandate["period"]),
    ]);
    let said = serde_json::to_vec(&said).unwrap();
    json!({"pin": PIN, "device_signature": phone.device.sign_bytes(&said)})
}

fn confirm(mandate: &Value) -> String {
    format!("{}/confirm", at(MANDATES, mandate))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_is_asked_for_consented_to_and_taken_back() {
    let town = Town::create().await;
    let (bus, body) = bus(&town).await;
    let ((_, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    let asked = her.post_as("m", MANDATES, &body).await;
    let mandate = asked.expect(201);
    assert_eq!((&mandate["status"], &mandate["label"]), (&json!("requested"), &bus["label"]));
    assert_eq!(her.post_as("m", MANDATES, &body).await.bytes, asked.bytes);

    let mut cheaper = mandate.clone();
    cheaper["cap"]["amount"] = json!("1.00");
    let mut wrong = consent(&her, &mandate);
    wrong["pin"] = json!("908172");
    assert_eq!(her.post(&confirm(&mandate), &consent(&her, &cheaper)).await.expect(422)["code"], "signature-invalid");
    assert_eq!(her.post(&confirm(&mandate), &wrong).await.expect(403)["code"], "pin-invalid");
    his.post(&confirm(&mandate), &consent(&his, &mandate)).await.expect(404);
    let active = her.post_as("c", &confirm(&mandate), &consent(&her, &mandate)).await;
    assert_eq!(active.expect(200)["status"], "active");
    let again = her.post_as("c", &confirm(&mandate), &consent(&her, &mandate)).await;
    assert_eq!((again.status, &again.bytes), (active.status, &active.bytes));
    let twice = her.post(&confirm(&mandate), &consent(&her, &mandate)).await;
    assert_eq!(twice.expect(409)["code"], "invalid-state");

    let listed = her.get(MANDATES).await.expect(200);
    assert_eq!((&listed["mandates"][0]["status"], listed["mandates"][0].get("nonce")), (&json!("active"), None));
    assert_eq!(his.get(MANDATES).await.expect(200)["mandates"], json!([]));
    assert_eq!(his.delete(&at(MANDATES, &mandate)).await.status, 404);
    for _ in 0..2 {
        assert_eq!(her.delete(&at(MANDATES, &mandate)).await.status, 204);
    }
    assert_eq!(her.get(MANDATES).await.expect(200)["mandates"][0]["status"], "revoked");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_consented_to_is_named() {
    let town = Town::create().await;
    let (bus, body) = bus(&town).await;
    let (_, her) = town.citizen(1).await;
    let with = |member: &str, value: Value| {
        let mut body = body.clone();
        body[member] = value;
        body
    };
    let brl = |amount: &str| json!({"amount": amount, "asset": "BRL"});
    for (body, pointer) in [
        (with("service_id", json!("01983d6c-8a00-7000-8000-0000000000ff")), "/service_id"),
        (with("cap", brl("0")), "/cap/amount"),
        (with("cap", json!({"amount": "1.00", "asset": "USD"})), "/cap/asset"),
        (with("per_payment", brl("10.01")), "/per_payment/amount"),
        (with("per_payment", json!({"amount": "1.00", "asset": "USD"})), "/per_payment/asset"),
        (with("period", json!("year")), "/period"),
    ] {
        assert_eq!(her.post(MANDATES, &body).await.expect(422)["errors"][0]["pointer"], pointer, "{body}");
    }
    town.office.client.patch(&at(SERVICES, &bus), &json!({"status": "suspended"}), None).await.expect(200);
    assert_eq!(her.post(MANDATES, &body).await.expect(422)["errors"][0]["pointer"], "/service_id");
    town.close().await;
}
