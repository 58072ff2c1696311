//! Receipts: believed by whoever has the published keys, checked by anybody, forged by nobody.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::time::Duration;
use vintem_core::secrets::RateSettings;
use vintem_tests::api::{Api, Server, read};
use vintem_tests::people::Registry;
use vintem_tests::python;

fn brl(amount: &str) -> Value {
    json!({"amount": amount, "asset": "BRL"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_true_without_the_server_and_checked_by_anybody() {
    let people = Registry::create().await;
    let client = &people.client;
    let ids = client.open("BRL", &["bank", "ana:secret-name", "shop"]).await;
    client.moves("bank", "ana:secret-name", "100.00").await.expect(201);
    let body = json!({"from": "ana:secret-name", "to": "shop", "amount": brl("12.50"), "description": "secret-words", "metadata": {"order": "secret-order"}});
    let paid = client.post("/v1/transactions", &body).await.expect(201);
    let (id, path) =
        (paid["id"].as_str().unwrap(), format!("/v1/transactions/{}/receipt", paid["id"].as_str().unwrap()));

    // Asked for by many at once, it is one.
    let asked = futures_util::future::join_all((0..8).map(|_| client.get(&path))).await;
    let given = asked[0].expect(200);
    assert!(asked.iter().all(|other| other.expect(200) == given));
    let (code, receipt) = (given["code"].as_str().unwrap(), given["signed"].as_str().unwrap());
    let anybody = reqwest::Client::new();
    let keys = read(anybody.get(people.server.url("/.well-known/jwks.json"))).await.expect(200);
    let payload = URL_SAFE_NO_PAD.decode(receipt.split('.').nth(1).unwrap()).unwrap();
    assert!(!String::from_utf8(payload).unwrap().contains("secret"));
    if let Some(claims) = python::verified(&keys, receipt) {
        assert_eq!((&claims["transaction"], &claims["position"]), (&paid["id"], &paid["position"]));
        assert_eq!((claims["code"].as_str(), claims["tenant"].as_str()), (Some(code), Some("coffee-town")));
        let leg = |account: &String, direction: &str| json!({"account": account, "direction": direction, "amount": "12.50", "asset": "BRL"});
        assert_eq!(claims["legs"], json!([leg(&ids[1], "debit"), leg(&ids[2], "credit")]));
        let mut parts: Vec<String> = receipt.split('.').map(str::to_owned).collect();
        let other = URL_SAFE_NO_PAD.encode(
            URL_SAFE_NO_PAD
                .decode(&parts[1])
                .unwrap()
                .iter()
                .map(|byte| if *byte == b'5' { b'9' } else { *byte })
                .collect::<Vec<u8>>(),
        );
        parts[1] = other;
        assert_eq!(python::verified(&keys, &parts.join(".")), Some(json!("forged")));
    }

    let check = async |code: &str| read(anybody.get(people.server.url(&format!("/v1/receipts/{code}")))).await;
    let checked = check(code).await.expect(200);
    assert_eq!(checked["reversed"], "no");
    assert_eq!(checked["recorded_at"], paid["recorded_at"]);
    assert_eq!(
        checked["legs"][0],
        json!({"account": format!("…{}", &ids[1][32..]), "direction": "debit", "amount": brl("12.50")})
    );
    let text = checked.to_string();
    assert!(!text.contains("secret") && !text.contains(&ids[1]) && !text.contains(id), "{text}");
    assert_eq!(check(&code.to_lowercase().replace('-', "")).await.expect(200), checked);
    for (amount, reversed) in [("2.50", "partly"), ("10.00", "wholly")] {
        client.post(&format!("/v1/transactions/{id}/reversals"), &json!({"amount": brl(amount)})).await.expect(201);
        assert_eq!(check(code).await.expect(200)["reversed"], reversed);
    }
    // The receipt is what it was; a token it is not, and a code that nobody has is nobody's.
    assert_eq!(client.get(&path).await.expect(200), given);
    let token = read(anybody.get(people.server.url("/v1/accounts")).bearer_auth(receipt)).await;
    assert_eq!(token.status.as_u16(), 401);
    for nobodys in ["0000-0000-0000-0000", "short", "%00", "0000-0000-0000-000U"] {
        assert_eq!(check(nobodys).await.status.as_u16(), 404, "{nobodys}");
    }
    let stranger = people.server.client(&people.secrets.store, "tea-town", "ledger:read").await;
    assert_eq!(stranger.get(&path).await.status.as_u16(), 404);
    people.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_outlives_its_key_and_given_ones_outlive_an_absent_vault() {
    let people = Registry::create().await;
    let client = &people.client;
    client.open("BRL", &["bank", "ana"]).await;
    let mut paths = Vec::new();
    for _ in 0..3 {
        let paid = client.moves("bank", "ana", "1.00").await.expect(201);
        paths.push(format!("/v1/transactions/{}/receipt", paid["id"].as_str().unwrap()));
    }
    let before = client.get(&paths[0]).await.expect(200);
    people.secrets.login("keyholder").await.rotate("receipt").await.unwrap();
    let after = client.get(&paths[1]).await.expect(200);
    let keys = client.get("/.well-known/jwks.json").await.expect(200);
    let kid = |given: &Value| {
        let head = given["signed"].as_str().unwrap().split('.').next().unwrap().to_owned();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(head).unwrap()).unwrap()["kid"].clone()
    };
    assert_eq!((kid(&before), kid(&after)), (json!("receipt-1"), json!("receipt-2")));
    for given in [&before, &after] {
        if let Some(claims) = python::verified(&keys, given["signed"].as_str().unwrap()) {
            assert_eq!(claims["code"], given["code"]);
        }
    }
    people.wire.cut();
    let refused = client.get(&paths[2]).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (503, "vault-sealed"));
    assert_eq!(client.get(&paths[0]).await.expect(200), before);
    people.wire.mend();
    people.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_codes_out_is_slowed_down() {
    let api = Api::create().await;
    let rates = RateSettings {
        principal: "1000000/1".parse().unwrap(),
        address: "20/60".parse().unwrap(),
        device: "1000000/1".parse().unwrap(),
        exempt: Vec::new(),
    };
    let slow = Server::with_rates(&api.store, rates).await;
    let mut statuses = Vec::new();
    for _ in 0..25 {
        statuses.push(read(api.client.http.get(slow.url("/v1/receipts/0000-0000-0000-0000"))).await.status.as_u16());
    }
    assert_eq!((statuses[0], statuses[24]), (404, 429));
    assert!(statuses.iter().filter(|status| **status == 404).count() <= 21);
    tokio::time::timeout(Duration::from_secs(20), slow.stop()).await.unwrap();
    api.close().await;
}
