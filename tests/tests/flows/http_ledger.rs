//! The contract over real HTTP: what the API promises, called as a client calls it.

use serde_json::{Value, json};
use std::time::Duration;
use vintem_core::event_store::fresh;
use vintem_core::event_store::retention::AnswerRetention;
use vintem_tests::api::{Api, Read};

fn brl(amount: &str) -> Value {
    json!({"amount": amount, "asset": "BRL"})
}

fn pay(from: &str, to: &str, amount: &str) -> Value {
    json!({"from": from, "to": to, "amount": brl(amount)})
}

fn is_replay(read: &Read) -> bool {
    read.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

#[tokio::test(flavor = "multi_thread")]
async fn money_moves_and_is_read_back() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana", "shop"]).await;
    let funded = client.moves("bank", "ana", "100.00").await.expect(201);
    assert_eq!(funded["legs"][0]["balance"]["posted"], "100.00");
    assert_eq!(funded["legs"][1]["name"], "ana");
    let details = json!({"effective_at": "2026-03-01", "description": "Coffee", "metadata": {"order": "7"}});
    let mut body = json!({"from": "ana", "to": ids[2], "amount": brl("12.50")});
    body.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
    let paid = client.post("/v1/transactions", &body).await.expect(201);
    let leg = json!({"line": 0, "account": ids[1], "name": "ana", "direction": "debit", "amount": brl("12.50"),
        "balance": {"posted": "87.50", "held": "0.00", "incoming": "0.00", "available": "87.50", "version": 2}});
    assert_eq!(paid["legs"][0], leg);
    assert_eq!(paid["effective_at"], "2026-03-01T03:00:00.000000Z");
    let balance = client.get(&format!("/v1/accounts/{}/balance", ids[1])).await.expect(200);
    assert_eq!((balance["posted"].as_str(), balance["version"].as_i64()), (Some("87.50"), Some(2)));
    let statement = client.get(&format!("/v1/accounts/{}/entries", ids[1])).await.expect(200);
    let lines: Vec<_> = statement["entries"].as_array().unwrap().iter().map(|line| &line["amount"]).collect();
    assert_eq!(lines, ["100.00", "-12.50"]);
    assert_eq!(statement["entries"][1]["transaction"], paid["id"]);
    assert_eq!(statement["next"], Value::Null);
    let found = client.get("/v1/transactions?metadata%5Border%5D=7").await.expect(200);
    assert_eq!(found["transactions"][0]["id"], paid["id"]);
    assert_eq!(client.get("/v1/transactions?metadata%5Border%5D=8").await.expect(200)["transactions"], json!([]));
    let trial = client.get("/v1/ledger/trial-balance").await.expect(200);
    assert_eq!(trial["totals"], json!([{"asset": "BRL", "debit": "100.00", "credit": "100.00"}]));
    assert_eq!(trial["accounts"].as_array().unwrap().len(), 3);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_one_answer_byte_for_byte() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana", "bob"]).await;
    let first = client.post_as("fund", "/v1/transactions", &pay("bank", "ana", "10.00")).await;
    // The order of members and white space make no other request.
    let again = r#"{ "amount": {"asset":"BRL", "amount":"10.00"}, "to":"ana", "from":"bank" }"#;
    let again = client.post_text("fund", "/v1/transactions", again).await;
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert!(!is_replay(&first) && is_replay(&again));
    let other = client.post_as("fund", "/v1/transactions", &pay("bank", "ana", "10.01")).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (422, "idempotency-mismatch"));
    let elsewhere = client.post_as("fund", "/v1/holds", &pay("bank", "ana", "10.00")).await;
    assert_eq!(elsewhere.status.as_u16(), 422);

    let refused = client.post_as("too-much", "/v1/transactions", &pay("ana", "bob", "99.00")).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "insufficient-funds"));
    client.moves("bank", "ana", "500.00").await.expect(201);
    let still = client.post_as("too-much", "/v1/transactions", &pay("ana", "bob", "99.00")).await;
    assert_eq!((refused.bytes, refused.status), (still.bytes.clone(), still.status), "refusals are frozen too");

    // What was wrong with the request itself is judged again.
    let wrong = client.post_as("typo", "/v1/transactions", &pay("ana", "bob", "1.005")).await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (422, "validation-failed"));
    client.post_as("typo", "/v1/transactions", &pay("ana", "bob", "1.00")).await.expect(201);

    let recovered = client.get("/v1/requests/fund").await.expect(200);
    assert_eq!((recovered["status"].as_u64(), &recovered["body"]), (Some(201), &first.json()));
    let recovered = client.get("/v1/requests/too-much").await.expect(200);
    assert_eq!((recovered["code"].as_str(), &recovered["body"]), (Some("insufficient-funds"), &still.json()));
    let unknown = client.get("/v1/requests/never").await.expect(404);
    assert_eq!(unknown["outcome"], "unknown");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_too_large_to_keep_is_rendered_again_the_same() {
    let api = Api::create().await;
    let client = &api.client;
    let names: Vec<String> = (0..80).map(|number| format!("citizen:{number:04}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).chain(["bank"]).collect();
    client.open("BRL", &names).await;
    let leg = |name: &str, direction: &str, amount: &str| json!({"account": name, "direction": direction, "amount": brl(amount)});
    let mut legs: Vec<Value> = names[..80].iter().map(|name| leg(name, "credit", "1.00")).collect();
    legs.push(leg("bank", "debit", "80.00"));
    let body = json!({"legs": legs, "metadata": {"run": "wages"}});
    let first = client.post_as("wages", "/v1/transactions", &body).await;
    first.expect(201);
    assert!(first.bytes.len() > 16 * 1024);
    client.moves("bank", "citizen:0003", "5.00").await.expect(201);
    let again = client.post_as("wages", "/v1/transactions", &body).await;
    assert!(is_replay(&again));
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(client.get("/v1/requests/wages").await.expect(200)["body"], first.json());
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_outlives_the_bytes_that_were_kept_of_it() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana", "bob"]).await;
    let calls = [
        ("paid", "/v1/transactions", pay("bank", "ana", "10.00")),
        ("refused", "/v1/transactions", pay("ana", "bob", "99.00")),
        ("hold", "/v1/holds", json!({"from": "ana", "amount": brl("2.00"), "expires_at": api.in_days(2)})),
        ("batch", "/v1/batches", json!({"items": [{"transaction": pay("ana", "bob", "99.00")}]})),
    ];
    let mut first = Vec::new();
    for (key, path, body) in &calls {
        first.push(client.post_as(key, path, body).await);
    }
    let mut clock = AnswerRetention::new(api.store.pool("vintem_writer"), 0, Duration::ZERO, fresh::new_id());
    // The asset, three accounts, the payment and the hold; no event could render the other two.
    assert_eq!(clock.tick().await.unwrap(), 6);
    assert_eq!(clock.tick().await.unwrap(), 0);
    for ((key, path, body), first) in calls.iter().zip(&first) {
        let again = client.post_as(key, path, body).await;
        assert!(is_replay(&again), "{key}");
        assert_eq!(String::from_utf8_lossy(&first.bytes), String::from_utf8_lossy(&again.bytes), "{key}");
    }
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_another_tenant_took_is_taken() {
    let api = Api::create().await;
    let other = api.another("tea-town", "ledger:read ledger:write ledger:admin").await;
    let mut body = pay("bank", "ana", "1.00");
    body["id"] = json!("01983d6c-8a00-7000-8000-00000000000a");
    for client in [&api.client, &other] {
        client.open("BRL", &["bank", "ana"]).await;
    }
    let theirs = api.client.post("/v1/transactions", &body).await.expect(201);
    let refused = other.post("/v1/transactions", &body).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "idempotency-mismatch"));
    let path = format!("/v1/transactions/{}", theirs["id"].as_str().unwrap());
    other.get(&path).await.expect(404);
    other.post(&format!("{path}/reversals"), &json!({"amount": brl("1.00")})).await.expect(404);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_every_item_and_replays_the_same_bytes() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana", "bob"]).await;
    client.moves("bank", "ana", "100.00").await.expect(201);
    let hold = json!({"from": "ana", "to": "bob", "amount": brl("20.00"), "expires_at": api.in_days(2)});
    let one = client.post("/v1/holds", &hold).await.expect(201)["id"].clone();
    let two = client.post("/v1/holds", &hold).await.expect(201)["id"].clone();
    let id = "01983d6c-8a00-7000-8000-00000000000a";
    let mut own = pay("ana", "bob", "1.00");
    own["id"] = json!(id);
    let items = json!({"items": [
        {"transaction": own},
        {"group": "a", "transaction": pay("ana", "bob", "2.00")},
        {"group": "a", "transaction": pay("ana", "bob", "9999.00")},
        {"group": "a", "transaction": pay("ana", "bob", "3.00")},
        {"capture": {"hold": one, "amount": brl("15.00"), "final": true}},
        {"release": {"hold": two}},
        {"release": {"hold": two}},
        {"hold": {"from": "ana", "amount": brl("5.00"), "expires_at": api.in_days(1)}},
        {"release": {"hold": "01983d6c-8a00-7000-8000-0000000000ff"}},
        {"transaction": pay("ana", "nobody", "1.00")},
        {"account": {"name": "eva", "asset": "BRL"}},
        {"account": {"name": "bob", "asset": "BRL"}},
    ]});
    let first = client.post_as("batch", "/v1/batches", &items).await;
    let results = first.expect(200)["results"].as_array().unwrap().clone();
    let statuses: Vec<u64> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 422, 422, 422, 201, 200, 409, 201, 404, 422, 201, 409]);
    let codes: Vec<&str> = results.iter().map(|result| result["problem"]["code"].as_str().unwrap_or("")).collect();
    let expected = [
        "",
        "group-failed",
        "insufficient-funds",
        "group-failed",
        "",
        "",
        "hold-ended",
        "",
        "not-found",
        "unknown-account",
        "",
        "name-taken",
    ];
    assert_eq!(codes, expected);
    assert_eq!(results[10]["account"]["name"], "eva");
    assert_eq!(results[11]["problem"]["errors"][0]["pointer"], "/items/11/account/name");
    assert_eq!(results[2]["problem"]["errors"][0]["pointer"], "/items/2/transaction/from");
    assert_eq!(results[4]["capture"]["transaction"]["legs"][0]["balance"]["posted"], "84.00");
    assert_eq!(results[5]["release"]["change"], "released");
    client.moves("bank", "ana", "1.00").await.expect(201);
    let again = client.post_as("batch", "/v1/batches", &items).await;
    assert!(is_replay(&again));
    assert_eq!(String::from_utf8_lossy(&first.bytes), String::from_utf8_lossy(&again.bytes));
    assert_eq!(client.get("/v1/requests/batch").await.expect(200)["body"], first.json());

    // An item with an id of its own is known under any key.
    let repeated = client.post("/v1/batches", &json!({"items": [items["items"][0]]})).await.expect(200);
    assert_eq!(repeated["results"][0]["code"], "already-applied");
    assert_eq!(repeated["results"][0]["transaction"], results[0]["transaction"]);
    client.post("/v1/transactions", &items["items"][0]["transaction"]).await.expect(200);
    let mut changed = items["items"][0].clone();
    changed["transaction"]["amount"] = brl("1.01");
    let changed = client.post("/v1/batches", &json!({"items": [changed]})).await.expect(200);
    assert_eq!(changed["results"][0]["problem"]["code"], "idempotency-mismatch");
    let portuguese =
        client.portuguese("/v1/batches", &json!({"items": [{"transaction": pay("ana", "bob", "9999.00")}]})).await;
    assert_eq!(portuguese.expect(200)["results"][0]["problem"]["title"], "Não há saldo disponível suficiente");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_is_placed_changed_captured_and_released() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana", "hotel"]).await;
    client.moves("bank", "ana", "100.00").await.expect(201);
    let body = json!({"from": "ana", "to": "hotel", "amount": brl("40.00"), "expires_at": api.in_days(3), "over_capture_percent": 10});
    let hold = client.post("/v1/holds", &body).await.expect(201);
    assert_eq!((hold["status"].as_str(), &hold["legs"][0]["balance"]["available"]), (Some("open"), &json!("60.00")));
    assert_eq!(hold["legs"][1]["balance"]["incoming"], "40.00");
    let path = |rest: &str| format!("/v1/holds/{}{rest}", hold["id"].as_str().unwrap());
    let more = client.post(&path("/increment"), &json!({"amount": brl("10.00")})).await.expect(200);
    assert_eq!(more["accounts"][0]["balance"]["held"], "50.00");
    let longer = client.post(&path("/extend"), &json!({"expires_at": api.in_days(5)})).await.expect(200);
    assert_eq!((longer["change"].as_str(), longer["version"].as_i64()), (Some("extended"), Some(3)));
    let part = client.post(&path("/captures"), &json!({"amount": brl("20.00")})).await.expect(201);
    assert_eq!((&part["ends"], &part["transaction"]["legs"][1]["balance"]["posted"]), (&json!(false), &json!("20.00")));
    let wrong =
        client.post(&path("/captures"), &json!({"amount": {"amount": "1.00", "asset": "USD"}})).await.expect(422);
    assert_eq!(wrong["errors"][0]["pointer"], "/amount/asset");
    let open = client.get(&format!("/v1/holds?account={}", ids[1])).await.expect(200);
    assert_eq!(open["holds"][0]["legs"][0]["remaining"], "30.00");
    let over = client.post(&path("/captures"), &json!({"amount": brl("35.01"), "final": true})).await.expect(422);
    assert_eq!(over["code"], "capture-exceeds-hold");
    let rest = client.post(&path("/captures"), &json!({"amount": brl("35.00"), "final": true})).await.expect(201);
    assert_eq!(rest["ends"], true);
    let ended = client.get(&path("")).await.expect(200);
    assert_eq!((ended["status"].as_str(), ended["captures"].as_array().unwrap().len()), (Some("captured"), 2));
    assert_eq!(client.post(&path("/release"), &json!({})).await.expect(409)["code"], "hold-ended");
    let body = json!({"from": "ana", "amount": brl("5.00"), "expires_at": api.in_days(3)});
    let open = client.post("/v1/holds", &body).await.expect(201);
    let to = json!({"all": true, "to": "hotel"});
    client.post(&format!("/v1/holds/{}/captures", open["id"].as_str().unwrap()), &to).await.expect(201);
    let statement = client.get(&format!("/v1/accounts/{}/entries?include=holds", ids[1])).await.expect(200);
    let kinds: Vec<&str> =
        statement["entries"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["posting", "hold", "hold", "capture", "capture", "hold", "capture"]);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reversals_take_back_no_more_than_was_moved() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana"]).await;
    let moved = client.moves("bank", "ana", "10.00").await.expect(201);
    let path = format!("/v1/transactions/{}/reversals", moved["id"].as_str().unwrap());
    let part = client.post(&path, &json!({"amount": brl("4.00"), "description": "too much"})).await.expect(201);
    assert_eq!(part["legs"][1]["balance"]["posted"], "6.00");
    assert_eq!(client.post(&path, &json!({"amount": brl("6.01")})).await.expect(422)["code"], "reversal-exceeds");
    let lines = json!({"lines": [{"line": 0, "amount": brl("1.00")}, {"line": 1, "amount": brl("1.00")}]});
    client.post(&path, &lines).await.expect(201);
    let rest = client.post(&path, &json!({})).await.expect(201);
    assert_eq!(rest["legs"][0]["amount"], brl("5.00"));
    let whole = client.get(&format!("/v1/transactions/{}", moved["id"].as_str().unwrap())).await.expect(200);
    let reversals = whole["reversals"].as_array().unwrap();
    assert_eq!((reversals.len(), &reversals[0]["id"]), (3, &part["id"]));
    let reversal = format!("/v1/transactions/{}/reversals", part["id"].as_str().unwrap());
    client.post(&reversal, &json!({})).await.expect(404);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_limited_frozen_and_closed() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana"]).await;
    let path = |rest: &str| format!("/v1/accounts/{}{rest}", ids[1]);
    let shown = client.get(&path("")).await;
    assert_eq!(shown.headers["etag"], "\"1\"");
    let limited = client.patch(&path(""), &json!({"max_balance": "50.00"}), Some("\"1\"")).await;
    assert_eq!(
        (limited.headers["etag"].to_str().unwrap(), &limited.expect(200)["max_balance"]),
        ("\"2\"", &json!("50.00"))
    );
    let stale = client.patch(&path(""), &json!({"max_balance": null}), Some("\"1\"")).await;
    assert_eq!((stale.status.as_u16(), stale.code().as_str()), (412, "version-mismatch"));
    assert_eq!(client.moves("bank", "ana", "50.01").await.expect(422)["code"], "bound-exceeded");
    client.moves("bank", "ana", "50.00").await.expect(201);
    client.post(&path("/freeze"), &json!({"reason": "lost card"})).await.expect(200);
    assert_eq!(client.moves("ana", "bank", "1.00").await.expect(422)["code"], "account-frozen");
    client.post_text("thaw", &path("/unfreeze"), "").await.expect(200);
    assert_eq!(client.post(&path("/close"), &json!({})).await.expect(409)["code"], "invalid-state");
    let all = json!({"from": "ana", "to": "bank", "amount": brl("available")});
    client.post("/v1/transactions", &all).await.expect(201);
    assert_eq!(client.post(&path("/close"), &json!({})).await.expect(200)["status"], "closed");
    assert_eq!(client.moves("bank", "ana", "1.00").await.expect(409)["code"], "account-closed");
    let taken = client.post("/v1/accounts", &json!({"name": "ana", "asset": "BRL"})).await.expect(409);
    assert_eq!((taken["code"].as_str(), taken["errors"][0]["pointer"].as_str()), (Some("name-taken"), Some("/name")));
    let listed = client.get("/v1/accounts?name=ana&asset=BRL").await.expect(200);
    assert_eq!(listed["accounts"][0]["id"].as_str(), Some(ids[1].as_str()));
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_times_are_travelled() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana"]).await;
    let deposit = |amount: &str, date: &str| {
        let mut body = pay("bank", "ana", amount);
        body["effective_at"] = json!(date);
        body
    };
    let march = client.post("/v1/transactions", &deposit("10.00", "2026-03-10")).await.expect(201);
    client.post("/v1/transactions", &deposit("5.00", "2026-02-10")).await.expect(201);
    let now = client.moves("bank", "ana", "1.00").await.expect(201);
    let path = |query: &str| format!("/v1/accounts/{}/{query}", ids[1]);
    let posted = async |query: &str| client.get(&path(query)).await.expect(200)["posted"].as_str().unwrap().to_owned();
    assert_eq!(posted("balance").await, "16.00");
    assert_eq!(posted("balance?effective_at=2026-02-09").await, "0.00");
    assert_eq!(posted("balance?effective_at=2026-02-10").await, "5.00");
    assert_eq!(posted("balance?effective_at=2026-03-10").await, "15.00");
    let at = march["recorded_at"].as_str().unwrap();
    assert_eq!(posted(&format!("balance?at={at}")).await, "10.00");
    assert_eq!(posted(&format!("balance?at={at}&effective_at=2026-02-10")).await, "0.00", "not known then");
    assert_eq!(posted("balance?at=2020-01-01").await, "0.00");
    let of_february = client.get(&path("entries?from=2026-02-01&to=2026-02-28")).await.expect(200);
    let lines = of_february["entries"].as_array().unwrap();
    assert_eq!((lines.len(), &lines[0]["amount"]), (1, &json!("5.00")));
    let today = now["recorded_at"].as_str().unwrap();
    let newest = client.get(&path(&format!("entries?from={today}"))).await.expect(200);
    assert_eq!(newest["entries"].as_array().unwrap().len(), 1);
    let then = client.get(&format!("/v1/ledger/trial-balance?at={at}")).await.expect(200);
    assert_eq!(then["totals"][0]["debit"], "10.00");
    api.close().await;
}
