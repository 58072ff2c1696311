//! Citizens pay at terminals over HTTP: a code is scanned or typed, what it leads to is shown and signed, and the money moves once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vintem_core::payments::charges::Charge;
use vintem_core::payments::charges::event::CaptureMode;
use vintem_core::payments::qr::Location;
use vintem_tests::api::ISSUER;
use vintem_tests::client::{Client, Read, read};
use vintem_tests::phone::{PIN, Phone, Town};
use vintem_tests::python;
use vintem_tests::shops::{at, confirm, provider, service};

const RESOLUTIONS: &str = "/v1/charge-resolutions";
const HOST: &str = "vintem.test";

async fn bus(town: &Town) -> Value {
    let client = &town.office.client;
    let fees = json!({"splits": [{"name": "platform", "account": "system:fees", "price": {"fixed": "0.10", "basis_points": 0}}]});
    service(client, &provider(client, 1).await, "Ônibus Centro", fees).await
}

async fn located(client: &Client, charge: &Charge) -> Read {
    let path = format!("/v1/charge-locations/{}", Location(charge.id).to_text());
    read(client.http.get(client.request(reqwest::Method::GET, &path).build().unwrap().url().clone())).await
}

async fn has(client: &Client, account: &Value) -> String {
    let path = format!("/v1/accounts/{}/balance", account.as_str().unwrap());
    client.get(&path).await.expect(200)["posted"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_pays_what_a_code_leads_to_once() {
    let town = Town::create().await;
    let (bus, client) = (bus(&town).await, &town.office.client);
    let ((_, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    town.issue(&her, "20.00").await;
    let counter = town.counter(&bus).await;
    let charge = counter.charge("12.50").await;
    let code = counter.code(&charge, HOST).await;
    let resolved = her.ask(RESOLUTIONS, &json!({"qr": code})).await.expect(200);
    assert_eq!(resolved["charge_id"], json!(charge.id));
    let payee = json!({
        "service_id": bus["id"], "label": "Ônibus Centro", "city": "Porto Alegre", "provider": "Companhia 1 Ltda.",
        "cnpj": resolved["payee"]["cnpj"],
    });
    assert_eq!(
        (&resolved["payee"], &resolved["status"], &resolved["amount"]["amount"]),
        (&payee, &json!("created"), &json!("12.50"))
    );
    assert!(resolved.get("mandate_id").is_none());
    // The same by what people type, however they do.
    let typed = format!("{}-{}", &charge.created.short_code[..4], &charge.created.short_code[4..]).to_lowercase();
    assert_eq!(his.ask(RESOLUTIONS, &json!({"code": typed})).await.expect(200), resolved);

    let mut wrong = her.pays(&resolved);
    wrong["pin"] = json!("908172");
    assert_eq!(her.post_as("c", &confirm(&resolved), &wrong).await.expect(403)["code"], "pin-invalid");
    let mut cheaper = resolved.clone();
    cheaper["amount"]["amount"] = json!("1.25");
    assert_eq!(
        her.post_as("c", &confirm(&resolved), &her.pays(&cheaper)).await.expect(422)["code"],
        "signature-invalid"
    );
    assert_eq!(
        his.post("/v1/charges/01983d6c-8a00-7000-8000-0000000000ff/confirm", &his.pays(&resolved)).await.status,
        404
    );
    let poor = his.post(&confirm(&resolved), &his.pays(&resolved)).await;
    assert_eq!(poor.expect(422)["code"], "insufficient-funds");
    let first = her.post_as("c", &confirm(&resolved), &her.pays(&resolved)).await;
    assert_eq!(first.expect(200)["status"], "captured");
    let again = her.post_as("c", &confirm(&resolved), &her.pays(&resolved)).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    let second = his.post(&confirm(&resolved), &his.pays(&resolved)).await;
    assert_eq!(second.expect(409)["code"], "charge-already-paid");
    assert_eq!((town.posted(&her).await.as_str(), has(client, &bus["account"]).await.as_str()), ("7.50", "12.40"));

    let path = format!("/v1/charges/{}", charge.id);
    let shown = her.get(&path).await.expect(200);
    assert_eq!(
        (&shown["status"], &shown["captured"]["amount"], &shown["reference"]),
        (&json!("captured"), &json!("12.50"), &json!("linha-343"))
    );
    let receipt = format!("/v1/account/transactions/{}/receipt", shown["transactions"][0].as_str().unwrap());
    her.get(&receipt).await.expect(200);
    his.get(&path).await.expect(404);
    let paid = her.ask(RESOLUTIONS, &json!({"qr": code})).await.expect(200);
    assert_eq!(paid["status"], "captured");
    her.ask(RESOLUTIONS, &json!({"code": typed})).await.expect(404);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_answers_what_is_signed_to_anybody() {
    let town = Town::create().await;
    let (bus, client) = (bus(&town).await, &town.office.client);
    let counter = town.counter(&bus).await;
    let charge = counter.charge("12.50").await;
    let found = located(client, &charge).await;
    assert_eq!((found.status.as_u16(), &found.headers["content-type"]), (200, &"application/jose".parse().unwrap()));
    let signed = String::from_utf8(found.bytes).unwrap();
    let part = |at: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split('.').nth(at).unwrap()).unwrap()).unwrap()
    };
    let claims = part(1);
    assert_eq!((&part(0)["typ"], &claims["iss"]), (&json!("charge+jwt"), &json!(ISSUER)));
    let keys = client.get("/.well-known/jwks.json").await.expect(200);
    if let Some(verified) = python::verified(&keys, &signed) {
        assert_eq!(verified, claims);
    }
    assert_eq!(
        (&claims["charge_id"], &claims["amount"], &claims["asset"]),
        (&json!(charge.id), &json!("12.50"), &json!("BRL"))
    );
    assert_eq!(
        (&claims["payee"]["label"], &claims["payee"]["provider"]),
        (&json!("Ônibus Centro"), &json!("Companhia 1 Ltda."))
    );
    assert_eq!(claims["nonce"], charge.created.nonce);
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((1..=300).contains(&life), "no longer than the charge: {life}");
    // It opens nothing, for it is no token.
    let bare = client.http.get(client.request(reqwest::Method::GET, "/v1/accounts").build().unwrap().url().clone());
    assert_eq!(read(bare.bearer_auth(&signed)).await.status, 401);
    for nobody in [URL_SAFE_NO_PAD.encode([7_u8; 16]), charge.id.to_string(), "x".to_owned()] {
        let url = client
            .request(reqwest::Method::GET, &format!("/v1/charge-locations/{nobody}"))
            .build()
            .unwrap()
            .url()
            .clone();
        assert_eq!(read(client.http.get(url)).await.status, 404, "{nobody}");
    }
    let (_, her) = town.citizen(1).await;
    town.issue(&her, "20.00").await;
    let resolved = her.ask(RESOLUTIONS, &json!({"qr": counter.code(&charge, HOST).await})).await.expect(200);
    her.post(&confirm(&resolved), &her.pays(&resolved)).await.expect(200);
    assert_eq!(located(client, &charge).await.code(), "charge-already-paid");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_of_others_and_guesses_lead_nowhere() {
    let town = Town::create().await;
    let bus = bus(&town).await;
    let (_, her) = town.citizen(1).await;
    let counter = town.counter(&bus).await;
    let charge = counter.charge("12.50").await;
    let good = counter.code(&charge, HOST).await;
    for bad in [
        counter.code(&charge, "evil.test").await,
        good.replace("12.50", "12.51"),
        "00020126330014br.gov.bcb.pix0111123456789015204000053039865802BR5904Loja6008Brasilia62070503***6304ADB3"
            .to_owned(),
        String::new(),
    ] {
        let refused = her.ask(RESOLUTIONS, &json!({"qr": bad})).await.expect(422);
        assert_eq!(refused["errors"][0]["pointer"], "/qr", "{bad}");
    }
    for body in [json!({}), json!({"qr": good, "code": "x"})] {
        assert_eq!(her.ask(RESOLUTIONS, &body).await.expect(422)["errors"][0]["pointer"], "");
    }
    // A hundred hits: five misses are all that somebody has.
    let mut guesses = Vec::new();
    for _ in 0..7 {
        guesses.push(her.ask(RESOLUTIONS, &json!({"code": "0000-0000"})).await.status.as_u16());
    }
    assert_eq!((guesses[0], *guesses.last().unwrap()), (404, 429), "{guesses:?}");
    assert_eq!(her.ask(RESOLUTIONS, &json!({"qr": good})).await.status, 200, "what is scanned is not guessed");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_captured_later_is_held_and_a_payment_needs_exactly_one_proof() {
    let town = Town::create().await;
    let bus = bus(&town).await;
    let (_, her) = town.citizen(1).await;
    town.issue(&her, "20.00").await;
    let mut counter = town.counter(&bus).await;
    counter.capture = CaptureMode::Manual;
    let charge = counter.charge("12.50").await;
    let resolved = her.ask(RESOLUTIONS, &json!({"qr": counter.code(&charge, HOST).await})).await.expect(200);
    let signature = her.signs_charge(&resolved);
    for body in [
        json!({"device_signature": signature}),
        json!({"pin": PIN, "mandate": bus["id"], "device_signature": signature}),
    ] {
        assert_eq!(her.post(&confirm(&resolved), &body).await.expect(422)["errors"][0]["pointer"], "");
    }
    assert_eq!(her.post(&confirm(&resolved), &her.pays(&resolved)).await.expect(200)["status"], "authorised");
    let balance = her.get("/v1/account/balance").await.expect(200);
    assert_eq!((&balance["held"], &balance["available"]), (&json!("12.50"), &json!("7.50")), "{balance}");
    assert_eq!(her.get(&format!("/v1/charges/{}", charge.id)).await.expect(200)["status"], "authorised");
    town.close().await;
}

/// A mandate of a citizen's that is active.
async fn mandate(phone: &Phone, service: &Value, cap: &str) -> Value {
    let brl = |amount: &str| json!({"amount": amount, "asset": "BRL"});
    let body = json!({"service_id": service["id"], "cap": brl(cap), "per_payment": brl("6.00"), "period": "week"});
    let mandate = phone.post("/v1/mandates", &body).await.expect(201);
    let said = format!(
        r#"{{"amount":"{cap}","asset":"BRL","intent_id":{},"nonce":{},"payee":{},"per_payment":"6.00","period":"week"}}"#,
        mandate["id"], mandate["nonce"], mandate["service_id"]
    );
    let consent = json!({"pin": PIN, "device_signature": phone.device.sign_bytes(said.as_bytes())});
    phone.post(&format!("{}/confirm", at("/v1/mandates", &mandate)), &consent).await.expect(200);
    mandate
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mandate_pays_without_a_pin_up_to_its_cap_and_not_after_it_was_revoked() {
    let town = Town::create().await;
    let bus = bus(&town).await;
    let ((_, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    for phone in [&her, &his] {
        town.issue(phone, "50.00").await;
    }
    let (hers, theirs) = (mandate(&her, &bus, "10.00").await, mandate(&his, &bus, "10.00").await);
    let counter = town.counter(&bus).await;
    let tap = async |amount: &str, mandate: &Value| {
        let charge = counter.charge(amount).await;
        let resolved = her.ask(RESOLUTIONS, &json!({"qr": counter.code(&charge, HOST).await})).await.expect(200);
        let body = json!({"mandate": mandate["id"], "device_signature": her.signs_charge(&resolved)});
        (resolved.clone(), her.post(&confirm(&resolved), &body).await)
    };
    let (resolved, paid) = tap("6.00", &hers).await;
    assert_eq!((&resolved["mandate_id"], &paid.expect(200)["mandate_id"]), (&hers["id"], &hers["id"]));
    assert_eq!(tap("6.01", &hers).await.1.expect(422)["code"], "limit-exceeded", "more than at once");
    assert_eq!(tap("4.01", &hers).await.1.expect(422)["code"], "limit-exceeded", "more than is left of the cap");
    assert_eq!(tap("1.00", &theirs).await.1.expect(409)["code"], "invalid-state", "somebody else's");
    assert_eq!(tap("4.00", &hers).await.1.expect(200)["status"], "captured");
    assert_eq!(town.posted(&her).await, "40.00");
    // A mandate is no way around what its owner may pay at all.
    her.patch("/v1/limits", &json!({"payment": "0.50"})).await.expect(200);
    let second = mandate(&her, &bus, "10.00").await;
    assert_eq!(tap("1.00", &second).await.1.expect(422)["code"], "limit-exceeded");
    let small = tap("0.50", &second).await;
    assert_eq!(small.1.expect(200)["mandate_id"], second["id"]);
    assert_eq!(her.delete(&at("/v1/mandates", &second)).await.status, 204);
    assert_eq!(tap("0.50", &second).await.1.expect(409)["code"], "invalid-state");
    town.close().await;
}
