//! Bad input, field by field: always a 4xx problem that names the place, never a trace in the ledger.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgConnection;
use vintem_core::event_store::fresh;
use vintem_tests::api::{Api, Read, read};

/// How many rows the ledger has; bad input adds none.
#[expect(clippy::disallowed_methods, reason = "a question about the tables, not part of the product")]
async fn rows(session: &mut PgConnection) -> i64 {
    let count = "SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM entry) + (SELECT count(*) FROM request)";
    sqlx::query_scalar(count).fetch_one(session).await.unwrap()
}

/// A write route with a body that is right.
struct Route {
    method: Method,
    path: String,
    body: Value,
}

async fn routes(api: &Api) -> Vec<Route> {
    let ids = api.client.open("BRL", &["bank", "ana"]).await;
    let moved = api.client.moves("bank", "ana", "100.00").await.expect(201);
    let money = json!({"amount": "1.00", "asset": "BRL"});
    let place = json!({"from": "ana", "to": "bank", "amount": money, "expires_at": api.in_days(2)});
    let hold = api.client.post("/v1/holds", &place).await.expect(201);
    let (account, transaction, hold) = (&ids[1], moved["id"].as_str().unwrap(), hold["id"].as_str().unwrap());
    let leg = |direction: &str, name: &str| json!({"account": name, "direction": direction, "amount": money, "expect_after": "1.00", "expect_version": 1, "expect_settings_version": 1});
    let legs = json!({"id": fresh::new_id(), "legs": [leg("debit", "ana"), leg("credit", "bank")], "effective_at": "2026-03-01",
        "description": "x", "metadata": {"order": "7"}});
    let from_to = json!({"id": fresh::new_id(), "from": "ana", "to": "bank", "amount": money});
    let place_body = json!({"id": fresh::new_id(), "from": "ana", "to": "bank", "amount": money, "expires_at": api.in_days(2),
        "over_capture_percent": 5, "description": "x", "metadata": {"order": "7"}});
    let capture = json!({"amount": money, "final": true, "description": "x", "metadata": {"order": "7"}});
    let mut item_capture = capture.clone();
    item_capture["hold"] = json!(hold);
    let items = json!({"items": [{"group": "g", "transaction": from_to}, {"hold": place_body}, {"capture": item_capture}, {"release": {"hold": hold}}]});
    let post = |path: String, body: Value| Route { method: Method::POST, path, body };
    let webhook = json!({"url": "https://example.org/", "events": ["hold.*"], "description": "x"});
    let endpoint = format!("/v1/webhook-endpoints/{}", fresh::new_id());
    let open = json!({"name": "bob", "asset": "BRL", "normal_side": "credit", "min_balance": "0", "max_balance": "10.00", "metadata": {"a": "b"}});
    vec![
        post("/v1/assets".into(), json!({"code": "USD", "scale": 2, "description": "Dollar"})),
        post("/v1/accounts".into(), open),
        Route {
            method: Method::PATCH,
            path: format!("/v1/accounts/{account}"),
            body: json!({"min_balance": "0", "max_balance": "9.00", "sends": true, "receives": true}),
        },
        post(format!("/v1/accounts/{account}/freeze"), json!({"reason": "x"})),
        post(format!("/v1/accounts/{account}/close"), json!({"reason": "x"})),
        post("/v1/transactions".into(), legs),
        post("/v1/transactions".into(), from_to),
        post(format!("/v1/transactions/{transaction}/reversals"), json!({"amount": money, "description": "x"})),
        post(format!("/v1/transactions/{transaction}/reversals"), json!({"lines": [{"line": 0, "amount": money}]})),
        post("/v1/holds".into(), place_body),
        post(format!("/v1/holds/{hold}/captures"), capture),
        post(format!("/v1/holds/{hold}/release"), json!({})),
        post(format!("/v1/holds/{hold}/extend"), json!({"expires_at": api.in_days(3)})),
        post(format!("/v1/holds/{hold}/increment"), json!({"amount": money})),
        post("/v1/batches".into(), items),
        post("/v1/webhook-endpoints".into(), webhook.clone()),
        Route { method: Method::PATCH, path: endpoint.clone(), body: webhook },
        post(format!("{endpoint}/secrets"), json!({"overlap_seconds": 5})),
        post(format!("{endpoint}/replays"), json!({"from": 1, "to": 2})),
    ]
}

/// Every place of a value, with what stands there.
fn places(value: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    found.push((pointer.to_owned(), value.clone()));
    if let Value::Object(members) = value {
        for (name, member) in members {
            places(member, &format!("{pointer}/{name}"), found);
        }
    }
    for (index, element) in value.as_array().into_iter().flatten().enumerate() {
        places(element, &format!("{pointer}/{index}"), found);
    }
}

/// Wrong bodies made of a right one, each with the pointer that must be named.
fn spoiled(right: &Value) -> Vec<(Value, String)> {
    let (mut found, mut bodies) = (Vec::new(), Vec::new());
    places(right, "", &mut found);
    for (pointer, value) in found {
        let mut put = |at: &str, wrong: Value| {
            let mut body = right.clone();
            *body.pointer_mut(&pointer).unwrap() = wrong;
            bodies.push((body, at.to_owned()));
        };
        let is_metadata = pointer.ends_with("/metadata");
        match &value {
            Value::Object(members) => {
                let mut more = members.clone();
                let (name, wrong) = if is_metadata { ("k", json!(1)) } else { ("surprise", json!("x")) };
                more.insert(name.into(), wrong);
                put(&format!("{pointer}/{name}"), Value::Object(more));
                put(&pointer, json!([]));
                put(&pointer, json!("x"));
            }
            Value::Array(_) => {
                put(&pointer, json!({}));
                put(&pointer, json!("x"));
                put(&format!("{pointer}/0"), json!([5]));
            }
            Value::String(text) => {
                for wrong in [json!(5), json!(1.5), json!(true), json!([]), json!({}), json!(format!("{text}\u{0}"))] {
                    put(&pointer, wrong);
                }
            }
            Value::Number(_) => {
                for wrong in [json!("5"), json!(1.5), json!(-1), json!(1e300)] {
                    put(&pointer, wrong);
                }
            }
            _ => {
                put(&pointer, json!("true"));
                put(&pointer, json!(1));
            }
        }
    }
    bodies
}

#[track_caller]
fn assert_names(answer: &Read, place: &str, name: &str, what: &str) {
    let problem = answer.json();
    let status = answer.status.as_u16();
    assert!((400..500).contains(&status), "{what}: {problem}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
    assert_eq!(problem["errors"][0][place].as_str(), Some(name), "{what}: {problem}");
    assert_eq!(problem["outcome"], "none", "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_member_of_every_body_is_checked() {
    let api = Api::create().await;
    let routes = routes(&api).await;
    let mut session = api.store.superuser().await;
    let before = rows(&mut session).await;
    let mut tried = 0;
    for Route { method, path, body } in &routes {
        for (wrong, pointer) in spoiled(body) {
            let request =
                api.client.request(method.clone(), path).header("Idempotency-Key", fresh::new_id().to_string());
            let answer = read(request.json(&wrong)).await;
            assert_names(&answer, "pointer", &pointer, &format!("{method} {path} {wrong}"));
            assert_eq!(answer.status.as_u16(), 422);
            tried += 1;
        }
    }
    assert!(tried > 400, "{tried}");
    assert_eq!(rows(&mut session).await, before);
    api.close().await;
}

/// A path, a body with one wrong value, and the pointer to it.
type Wrong = (&'static str, Value, String);

fn pay(amount: &str) -> Value {
    json!({"from": "bank", "to": "ana", "amount": {"amount": amount, "asset": "BRL"}})
}

fn wrong_amounts() -> Vec<Wrong> {
    let written = "1e3|-0|-1.00|0.001|0.00|0|1_000|+1| 1|1,5||NaN|0x1|01|.5|5.|١|999999999999999999999999999999|10000000000000000.01";
    written.split('|').map(|amount| ("/v1/transactions", pay(amount), "/amount/amount".to_owned())).collect()
}

fn wrong_transactions() -> Vec<Wrong> {
    let long = "x".repeat(2_000);
    let members = [
        ("from", json!("Citizen"), "/from"),
        ("from", json!("a b"), "/from"),
        ("from", json!(long), "/from"),
        ("to", json!(""), "/to"),
        ("to", json!("caf\u{e9}"), "/to"),
        ("to", Value::Null, "/to"),
        ("id", json!("7"), "/id"),
        ("id", json!("urn:uuid:01983d6c-8a00-7000-8000-0000000000ff"), "/id"),
        ("amount", json!({"amount": "1.00", "asset": "brl"}), "/amount/asset"),
        ("amount", json!({"amount": "1.00", "asset": long}), "/amount/asset"),
        ("amount", json!({"amount": "1.00"}), "/amount/asset"),
        ("amount", json!(["1.00", "BRL"]), "/amount"),
        ("effective_at", json!("30000-01-01"), "/effective_at"),
        ("effective_at", json!("9999-12-31"), "/effective_at"),
        ("effective_at", json!("1899-12-31"), "/effective_at"),
        ("effective_at", json!("2026-02-30"), "/effective_at"),
        ("effective_at", json!("2026-03-01 10:00:00Z"), "/effective_at"),
        ("effective_at", json!("yesterday"), "/effective_at"),
        ("description", json!(long), "/description"),
        ("metadata", json!({"k": "x".repeat(20_000)}), "/metadata"),
        ("metadata", json!({"": "x"}), "/metadata"),
        ("metadata", json!({"k".repeat(65): "x"}), "/metadata"),
        ("legs", json!([]), "/from"),
    ];
    let with = |(member, value, pointer): (&str, Value, &str)| {
        let mut body = pay("1.00");
        body[member] = value;
        ("/v1/transactions", body, pointer.to_owned())
    };
    members.into_iter().map(with).collect()
}

fn wrong_lists() -> Vec<Wrong> {
    let leg = |direction: &str| json!({"account": "ana", "direction": direction, "amount": {"amount": "1.00", "asset": "BRL"}});
    let item = json!({"transaction": pay("1.00")});
    let lists = [
        ("/v1/transactions", json!({}), "/from"),
        ("/v1/transactions", json!({"legs": []}), "/legs"),
        ("/v1/transactions", json!({"legs": [leg("debit")]}), "/legs"),
        ("/v1/transactions", json!({"legs": [leg("up"), leg("credit")]}), "/legs/0/direction"),
        ("/v1/batches", json!({"items": []}), "/items"),
        ("/v1/batches", json!({"items": vec![item.clone(); 10_001]}), "/items"),
        ("/v1/batches", json!({"items": [item, {}]}), "/items/1"),
        ("/v1/batches", json!({"items": [{"group": "", "transaction": pay("1.00")}]}), "/items/0/group"),
        ("/v1/batches", json!({"items": [{"account": {"name": "Eva", "asset": "BRL"}}]}), "/items/0/account/name"),
        ("/v1/batches", json!({"items": [{"transaction": pay("1e3")}]}), "/items/0/transaction/amount/amount"),
    ];
    lists.into_iter().map(|(path, body, pointer)| (path, body, pointer.to_owned())).collect()
}

fn wrong_settings() -> Vec<Wrong> {
    let asset = |code: &str, scale: u8| json!({"code": code, "scale": scale});
    let account = |member: &str, value: &str| {
        let mut body = json!({"name": "bob", "asset": "BRL"});
        body[member] = json!(value);
        ("/v1/accounts", body, format!("/{member}"))
    };
    let hold = |expires_at: &str| json!({"from": "ana", "amount": {"amount": "1.00", "asset": "BRL"}, "expires_at": expires_at});
    vec![
        ("/v1/assets", asset("brl", 2), "/code".into()),
        ("/v1/assets", asset("", 2), "/code".into()),
        ("/v1/assets", asset(&"X".repeat(32), 2), "/code".into()),
        ("/v1/assets", asset("EUR", 9), "/scale".into()),
        account("name", "Ana"),
        account("name", "01983d6c-8a00-7000-8000-0000000000ff"),
        account("min_balance", "-0"),
        account("max_balance", "1e3"),
        account("normal_side", "left"),
        ("/v1/holds", hold("2020-01-01"), "/expires_at".into()),
        ("/v1/holds", hold("2099-01-01"), "/expires_at".into()),
        ("/v1/holds", hold("soon"), "/expires_at".into()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_value_is_refused_with_its_pointer() {
    let api = Api::create().await;
    api.client.open("BRL", &["bank", "ana"]).await;
    let mut session = api.store.superuser().await;
    let before = rows(&mut session).await;
    for (path, body, pointer) in [wrong_amounts(), wrong_transactions(), wrong_lists(), wrong_settings()].concat() {
        let answer = api.client.post(path, &body).await;
        let shown = body.to_string().chars().take(200).collect::<String>();
        assert_names(&answer, "pointer", &pointer, &format!("{path} {shown}"));
        assert_eq!(answer.status.as_u16(), 422, "{shown}");
    }
    assert_eq!(rows(&mut session).await, before);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_at_all_is_refused() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana"]).await;
    let mut session = api.store.superuser().await;
    let before = rows(&mut session).await;
    let post = || {
        client
            .request(Method::POST, "/v1/transactions")
            .header("Idempotency-Key", "k")
            .header("Content-Type", "application/json")
    };
    let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    for body in
        ["{", "{\"from\":\"a\"", "nul", "{} {}", "\u{feff}{}", "{'a':1}", deep.as_str(), "{\"a\":01}", "\"\u{1}\""]
    {
        assert_eq!(
            read(post().body(body.to_owned())).await.expect(400)["code"],
            "malformed-request",
            "{}",
            &body[..body.len().min(20)]
        );
    }
    assert_eq!(read(post().body(b"{\"from\":\"\xff\"}".to_vec())).await.expect(400)["code"], "malformed-request");
    for (body, pointer) in [
        ("[]", ""),
        ("\"x\"", ""),
        ("{\"from\":\"a\",\"from\":\"b\"}", "/from"),
        ("{\"metadata\":{\"a\":\"1\",\"a\":\"2\"}}", "/metadata/a"),
    ] {
        assert_names(&read(post().body(body)).await, "pointer", pointer, body);
    }
    let large = format!("{{\"description\":\"{}\"}}", "x".repeat(130 * 1024));
    assert_eq!(read(post().body(large)).await.expect(413)["code"], "too-large");
    let typed = |kind: &str| {
        client
            .request(Method::POST, "/v1/transactions")
            .header("Idempotency-Key", "k")
            .header("Content-Type", kind)
            .body("{}")
    };
    for kind in ["text/plain", "application/json; charset=latin1", "application/xml"] {
        assert_names(&read(typed(kind)).await, "header", "Content-Type", kind);
    }
    assert_eq!(
        read(post().header("Content-Encoding", "gzip").body("{}")).await.expect(415)["errors"][0]["header"],
        "Content-Encoding"
    );
    let keyless = client.request(Method::POST, "/v1/transactions").json(&json!({}));
    let keyless = read(keyless).await;
    assert_eq!(keyless.expect(400)["code"], "idempotency-key-missing");
    assert_names(&keyless, "header", "Idempotency-Key", "no key");
    let long = "k".repeat(5_000);
    for keys in [vec!["a", "b"], vec![long.as_str()], vec!["caf\u{e9}"]] {
        let request = keys.iter().fold(client.request(Method::POST, "/v1/transactions"), |request, key| {
            request.header("Idempotency-Key", key.as_bytes())
        });
        assert_names(&read(request.json(&json!({}))).await, "header", "Idempotency-Key", "bad key");
    }
    let asked = client.request(Method::POST, "/v1/transactions?x=1").header("Idempotency-Key", "k").json(&json!({}));
    assert_eq!(read(asked).await.expect(422)["errors"][0]["code"], "unknown-member");
    let etag =
        client.patch("/v1/accounts/01983d6c-8a00-7000-8000-0000000000ff", &json!({"sends": true}), Some("7")).await;
    assert_names(&etag, "header", "If-Match", "If-Match");
    assert_eq!(rows(&mut session).await, before);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_parameter_is_checked() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana", "bob"]).await;
    let first = client.get("/v1/accounts?limit=1").await.expect(200);
    let cursor = first["next"].as_str().unwrap();
    assert_eq!(client.get(&format!("/v1/accounts?limit=2&cursor={cursor}")).await.expect(200)["next"], Value::Null);
    let tampered = format!("{}{}", if cursor.starts_with('A') { 'B' } else { 'A' }, &cursor[1..]);
    let of_account = |query: &str| format!("/v1/accounts/{}/{query}", ids[1]);
    for (path, parameter) in [
        (format!("/v1/accounts?cursor={tampered}"), "cursor"),
        (format!("/v1/accounts?asset=BRL&cursor={cursor}"), "cursor"),
        (format!("/v1/assets?cursor={cursor}"), "cursor"),
        (of_account(&format!("entries?cursor={cursor}")), "cursor"),
        ("/v1/accounts?cursor=".into(), "cursor"),
        ("/v1/accounts?limit=0".into(), "limit"),
        ("/v1/accounts?limit=101".into(), "limit"),
        ("/v1/accounts?limit=1e1".into(), "limit"),
        ("/v1/accounts?limit=5&limit=6".into(), "limit"),
        ("/v1/accounts?name=Ana".into(), "name"),
        ("/v1/accounts?asset=brl".into(), "asset"),
        ("/v1/accounts?page=2".into(), "page"),
        ("/v1/accounts?name=%00".into(), "name"),
        ("/v1/accounts?name=%FF".into(), "name"),
        (of_account("balance?at=yesterday"), "at"),
        (of_account("balance?at=9999-12-31"), "at"),
        (of_account("balance?effective_at=0000-00-00"), "effective_at"),
        (of_account("balance?on=2026-01-01"), "on"),
        (of_account("entries?include=all"), "include"),
        (of_account("entries?from=2026-02-01&to=2026-01-01"), "from"),
        ("/v1/transactions".into(), "metadata"),
        ("/v1/transactions?metadata=x".into(), "metadata"),
        ("/v1/holds".into(), "account"),
        ("/v1/holds?account=ana".into(), "account"),
        ("/v1/events?after=-1".into(), "after"),
        ("/v1/events?after=x".into(), "after"),
        ("/v1/ledger/trial-balance?at=x".into(), "at"),
        ("/v1/accounts/7".into(), "id"),
        ("/v1/transactions/%00".into(), "id"),
        (format!("/v1/requests/{}", "k".repeat(300)), "key"),
        ("/v1/requests/caf%C3%A9".into(), "key"),
        ("/v1/requests/%FF".into(), "key"),
    ] {
        assert_names(&client.get(&path).await, "parameter", parameter, &path);
    }
    let request =
        client.request(Method::GET, "/v1/events").header("Accept", "text/event-stream").header("Last-Event-ID", "x");
    assert_names(&read(request).await, "header", "Last-Event-ID", "Last-Event-ID");
    api.close().await;
}
