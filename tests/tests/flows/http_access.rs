//! Who may call what: tokens, scopes, tenants, and the routes that need none.

use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use vintem_api::operations::openapi;
use vintem_api::routes::ROUTES;
use vintem_core::access::{Grant, Need, Policy, revoke_client};
use vintem_core::event_store::{Limits, Shard};
use vintem_core::look_ups::AllLookUps;
use vintem_tests::api::{Api, read};
use vintem_tests::vault::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_objects_do_not_exist() {
    let api = Api::create().await;
    let ids = api.client.open("BRL", &["bank", "ana"]).await;
    let moved = api.client.moves("bank", "ana", "10.00").await.expect(201);
    let hold = json!({"from": "ana", "amount": {"amount": "1.00", "asset": "BRL"}, "expires_at": api.in_days(1)});
    let hold = api.client.post("/v1/holds", &hold).await.expect(201);
    let stranger = api.another("tea-town", "ledger:read ledger:write ledger:admin").await;
    let (transaction, hold) = (moved["id"].as_str().unwrap(), hold["id"].as_str().unwrap());
    for path in [
        format!("/v1/accounts/{}", ids[1]),
        format!("/v1/accounts/{}/balance", ids[1]),
        format!("/v1/accounts/{}/entries", ids[1]),
        format!("/v1/transactions/{transaction}"),
        format!("/v1/holds/{hold}"),
        format!("/v1/holds?account={}", ids[1]),
        "/v1/assets/BRL".to_owned(),
    ] {
        assert_eq!(stranger.get(&path).await.expect(404)["code"], "not-found", "{path}");
    }
    for path in [
        format!("/v1/transactions/{transaction}/reversals"),
        format!("/v1/holds/{hold}/release"),
        format!("/v1/holds/{hold}/captures"),
        format!("/v1/accounts/{}/freeze", ids[1]),
    ] {
        assert_eq!(stranger.post(&path, &json!({})).await.expect(404)["code"], "not-found", "{path}");
    }
    stranger.open("BRL", &["bank"]).await;
    let leg = json!({"from": "bank", "to": ids[1], "amount": {"amount": "1.00", "asset": "BRL"}});
    assert_eq!(stranger.post("/v1/transactions", &leg).await.expect(422)["code"], "unknown-account");
    let events = stranger.get("/v1/events").await.expect(200);
    let kinds: Vec<&str> =
        events["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert!(!kinds.contains(&"transaction.posted"), "{kinds:?}");
    assert_eq!(stranger.get("/v1/accounts").await.expect(200)["accounts"].as_array().unwrap().len(), 1);
    let trial = stranger.get("/v1/ledger/trial-balance").await.expect(200);
    assert_eq!(trial["totals"], json!([{"asset": "BRL", "debit": "0.00", "credit": "0.00"}]));
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_given_for_secrets_by_form_or_basic() {
    let api = Api::create().await;
    let (id, secret) = (api.client.id.to_string(), api.client.secret.clone());
    let post = |form: String| {
        let request = api.client.http.post(api.server.url("/v1/token"));
        request.header("Content-Type", "application/x-www-form-urlencoded").body(form)
    };
    let grant = "grant_type=client_credentials".to_owned();
    let given = read(post(format!("{grant}&scope=ledger%3Aread")).basic_auth(&id, Some(&secret))).await;
    let token = given.expect(200);
    assert_eq!((token["token_type"].as_str(), token["expires_in"].as_i64()), (Some("Bearer"), Some(600)));
    assert_eq!(token["scope"], "ledger:read");
    assert_eq!(given.headers["cache-control"], "no-store");
    for (form, status, error) in [
        (format!("{grant}&client_id={id}&client_secret=wrong"), 401, "invalid_client"),
        (format!("{grant}&client_id=nobody&client_secret={secret}"), 401, "invalid_client"),
        (format!("{grant}&client_id={id}&client_secret={secret}&scope=everything"), 422, "invalid_scope"),
        (format!("{grant}&client_id={id}"), 422, "invalid_request"),
        (format!("client_id={id}&client_secret={secret}"), 422, "invalid_request"),
        ("grant_type=password".to_owned(), 422, "unsupported_grant_type"),
        (format!("{grant}&{grant}"), 422, "invalid_request"),
    ] {
        let refused = read(post(form)).await;
        assert_eq!(refused.expect(status)["error"], error);
        assert_eq!(refused.headers["content-type"], "application/problem+json");
    }
    let json = api.client.http.post(api.server.url("/v1/token")).json(&json!({}));
    assert_eq!(read(json).await.expect(415)["code"], "unsupported-media-type");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_clients_token_ends_within_seconds() {
    let api = Api::create().await;
    api.client.get("/v1/accounts").await.expect(200);
    let mut operator = api.store.session("vintem_operator").await;
    let shard = Shard::start(0, api.store.writer(), Arc::new(AllLookUps), Limits::default());
    revoke_client(&mut operator, |_| shard, api.client.id).await.unwrap();
    let is_out = eventually(Duration::from_secs(10), async || api.client.get("/v1/accounts").await.status == 401).await;
    assert!(is_out, "its token is still good");
    assert_eq!(api.client.get("/v1/accounts").await.code(), "unauthenticated");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_is_open_and_the_rest_does_not_exist() {
    let api = Api::create().await;
    let get = |path: &str| api.client.http.get(api.server.url(path));
    assert_eq!(read(get("/livez")).await.status.as_u16(), 200);
    assert_eq!(read(get("/readyz")).await.expect(200)["status"], "ready");
    assert_eq!(read(get("/.well-known/jwks.json")).await.expect(200)["keys"].as_array().unwrap().len(), 1);
    for path in ["/docs/", "/docs", "/docs/problems", "/docs/swagger-ui.css"] {
        assert_eq!(read(get(path)).await.status.as_u16(), 200, "{path}");
    }
    for path in ["/", "/metrics", "/v1", "/v1/", "/v1/accounts/", "/v1/unknown", "/admin"] {
        let answer = read(get(path)).await;
        assert_eq!(
            (answer.expect(404)["code"].as_str(), answer.json()["instance"].as_str()),
            (Some("not-found"), Some(path))
        );
    }
    let wrong = read(api.client.http.delete(api.server.url("/v1/accounts"))).await;
    assert_eq!(
        (wrong.expect(405)["code"].as_str(), wrong.headers["allow"].to_str().unwrap()),
        (Some("method-not-allowed"), "POST, GET")
    );
    assert_eq!(read(api.client.http.head(api.server.url("/v1/accounts"))).await.status.as_u16(), 405);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let traced = read(get("/v1/accounts").header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))).await;
    assert_eq!(traced.expect(401)["trace_id"], trace);
    let portuguese = read(get("/v1/accounts").header("Accept-Language", "pt-BR,pt;q=0.9")).await;
    assert_eq!(portuguese.expect(401)["title"], "O chamador não é conhecido");
    let problem = portuguese.json();
    assert_eq!(
        (problem["type"].as_str(), problem["outcome"].as_str()),
        (Some("/docs/problems#unauthenticated"), Some("none"))
    );
    api.close().await;
}

#[test]
fn the_contract_names_every_route_and_no_other() {
    let contract: Value = serde_json::to_value(openapi::contract()).unwrap();
    assert!(contract["openapi"].as_str().unwrap().starts_with("3.1"));
    let documented =
        |entry: &&vintem_api::routes::Entry| !matches!(entry.path, "/openapi.json" | "/docs" | "/docs/problems");
    let paths = contract["paths"].as_object().unwrap();
    for entry in ROUTES.iter().filter(documented) {
        let operation = &paths[entry.path][entry.method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{} {} is not in the contract", entry.method, entry.path);
        assert!(operation["responses"]["422"].is_object(), "{}", entry.path);
        if let Policy::Granted { client: Some(scope), .. } = entry.policy {
            assert_eq!(operation["security"][0]["client"][0], scope.as_str());
        }
        if let Policy::Granted { staff: Some(Need { verb, object, .. }), .. } = entry.policy {
            let by_session = operation["security"].as_array().unwrap().last().unwrap();
            assert_eq!(by_session["session"][0], Grant::all(verb, object).to_string());
        }
    }
    let operations: usize = paths.values().map(|item| item.as_object().unwrap().len()).sum();
    assert_eq!(operations, ROUTES.iter().filter(documented).count());
}
