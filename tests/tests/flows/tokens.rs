//! Tokens in other hands: bound to a key or a certificate, revoked all at once, and asked for too often.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use vintem_core::access::{
    Caller, Confirmation, NewClient, Proof, Scopes, Terms, Thumbprint, create_client, find_tenant, revoke_tokens,
};
use vintem_core::event_store::{Limits, Shard};
use vintem_core::look_ups::AllLookUps;
use vintem_core::secrets::RateSettings;
use vintem_core::telemetry::clock;
use vintem_tests::api::{Api, Client, ISSUER, Read, Server, read};
use vintem_tests::device::Device;
use vintem_tests::store::Store;
use vintem_tests::vault::eventually;

const ACCOUNTS: &str = "/v1/accounts";

fn writer(api: &Api) -> Shard {
    Shard::start(0, api.store.writer(), Arc::new(AllLookUps), Limits { queue: 100, cached_accounts: 100 })
}

fn address(path: &str) -> String {
    format!("{ISSUER}{path}")
}

/// Asks for a token with a client's secret, and with a proof if there is one.
async fn log_in(api: &Api, client: &Client, proof: Option<&str>) -> Read {
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", client.id, client.secret);
    let request = client.http.post(api.server.url("/v1/token"));
    let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(form);
    read(proof.into_iter().fold(request, |request, proof| request.header("DPoP", proof))).await
}

fn bound(client: &Client, url: &str, token: &str, proof: &str) -> RequestBuilder {
    client.http.get(url).header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
}

#[track_caller]
fn assert_dpop_invalid(answer: &Read) {
    assert_eq!(answer.expect(401)["code"], "dpop-invalid");
    let challenge = answer.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("DPoP ") && challenge.contains("algs=\"ES256 EdDSA\""), "{challenge}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_bound_to_a_key_is_worth_nothing_without_it() {
    let api = Api::create().await;
    let (device, stranger) = (Device::create(), Device::create());
    let proof = device.proof("POST", &address("/v1/token"), None);
    let given = log_in(&api, &api.client, Some(&proof)).await.expect(200);
    assert_eq!(given["token_type"], "DPoP");
    let token = given["access_token"].as_str().unwrap();
    assert_dpop_invalid(&log_in(&api, &api.client, Some(&proof)).await);

    let url = api.server.url(ACCOUNTS);
    let send = async |proof: &str| read(bound(&api.client, &url, token, proof)).await;
    let good = || device.proof("GET", &address(ACCOUNTS), Some(token));
    let once = good();
    send(&once).await.expect(200);
    assert_dpop_invalid(&send(&once).await);
    let query = format!("{url}?limit=1");
    read(bound(&api.client, &query, token, &good())).await.expect(200);
    for wrong in [
        device.proof("POST", &address(ACCOUNTS), Some(token)),
        device.proof("GET", &address("/v1/holds"), Some(token)),
        device.proof("GET", &url, Some(token)),
        device.proof("GET", &address(ACCOUNTS), Some(&api.client.token)),
        device.proof("GET", &address(ACCOUNTS), None),
        stranger.proof("GET", &address(ACCOUNTS), Some(token)),
        "a.b.c".to_owned(),
        String::new(),
    ] {
        assert_dpop_invalid(&send(&wrong).await);
    }
    assert_dpop_invalid(&read(api.client.http.get(&url).bearer_auth(token)).await);
    let without = api.client.http.get(&url).header("Authorization", format!("DPoP {token}"));
    assert_dpop_invalid(&read(without).await);
    assert_dpop_invalid(&read(bound(&api.client, &url, token, &good()).header("DPoP", good())).await);
    // A token that is bound to nothing goes on as before, and is not sent as one that is.
    api.client.get(ACCOUNTS).await.expect(200);
    let proof = device.proof("GET", &address(ACCOUNTS), Some(&api.client.token));
    assert_dpop_invalid(&read(bound(&api.client, &url, &api.client.token, &proof)).await);
    send(&good()).await.expect(200);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_a_key_logs_in_with_that_key_only() {
    let api = Api::create().await;
    let device = Device::create();
    let mut operator = api.store.session("vintem_operator").await;
    let tenant = find_tenant(&mut operator, "coffee-town").await.unwrap().tenant;
    let terms = Terms { key: Some(device.thumbprint()), ..Terms::default() };
    let scopes = Scopes::parse("ledger:read").unwrap();
    let new = NewClient { tenant, name: "app".parse().unwrap(), scopes, terms };
    let (made, secret) = create_client(&mut operator, &writer(&api), new).await.unwrap();
    let mut client = api.client.clone();
    (client.id, client.secret) = (made.client, secret.reveal().to_owned());
    let proof = |device: &Device| device.proof("POST", &address("/v1/token"), None);
    let without = log_in(&api, &client, None).await;
    assert_dpop_invalid(&without);
    assert_eq!(without.json()["error"], "invalid_dpop_proof");
    assert_dpop_invalid(&log_in(&api, &client, Some(&proof(&Device::create()))).await);
    assert_eq!(log_in(&api, &client, Some(&proof(&device))).await.expect(200)["token_type"], "DPoP");
    // Whoever has the key and not the secret learns nothing of either.
    let mut guess = client.clone();
    guess.secret = "wrong".to_owned();
    assert_eq!(log_in(&api, &guess, Some(&proof(&device))).await.expect(401)["code"], "unauthenticated");
    let said: String = sqlx::query_scalar("SELECT payload::text FROM event WHERE stream = $1")
        .bind(made.client)
        .fetch_one(&mut operator)
        .await
        .unwrap();
    assert!(said.contains(&device.thumbprint().to_string()), "{said}");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_bound_to_a_certificate_needs_the_connection() {
    let api = Api::create().await;
    let caller = own_caller(&api).await;
    let certificate = Some(Thumbprint::of(b"a certificate"));
    let confirmation = Confirmation { key: None, certificate };
    let keys = api.server.keys().tokens.load();
    let token = keys.issue_bound(ISSUER, &caller, &Terms::default(), confirmation, clock::now()).access_token;
    let refused = read(api.client.http.get(api.server.url(ACCOUNTS)).bearer_auth(&token)).await;
    assert_eq!(refused.expect(401)["code"], "unauthenticated");
    let plain = keys.issue(ISSUER, &caller, &Terms::default(), clock::now()).access_token;
    read(api.client.http.get(api.server.url(ACCOUNTS)).bearer_auth(&plain)).await.expect(200);
    api.close().await;
}

async fn own_caller(api: &Api) -> Caller {
    let mut operator = api.store.session("vintem_operator").await;
    let tenant = find_tenant(&mut operator, "coffee-town").await.unwrap().tenant;
    Caller { tenant, subject: api.client.id, proof: Proof::Client(Scopes::parse("ledger:read").unwrap()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_tokens_of_a_tenant_end_at_once_and_nobody_elses() {
    let api = Api::create().await;
    let other = api.another("tea-town", "ledger:read").await;
    let mut operator = api.store.session("vintem_operator").await;
    let tenant = find_tenant(&mut operator, "coffee-town").await.unwrap().tenant;
    api.client.get(ACCOUNTS).await.expect(200);
    let until = revoke_tokens(&mut operator, |_| writer(&api), tenant).await.unwrap();
    let is_out = eventually(Duration::from_secs(10), async || api.client.get(ACCOUNTS).await.status == 401).await;
    assert!(is_out, "its token is still good");
    other.get(ACCOUNTS).await.expect(200);
    // The second of the revocation is over by now, so what is issued from here on is good.
    let given = log_in(&api, &api.client, None).await.expect(200);
    let mut fresh = api.client.clone();
    fresh.token = given["access_token"].as_str().unwrap().to_owned();
    fresh.get(ACCOUNTS).await.expect(200);
    let facts: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT tenant, payload::text FROM event WHERE kind = 'tokens.revoked'")
            .fetch_all(&mut operator)
            .await
            .unwrap();
    assert_eq!(facts.len(), 1);
    let said: Value = serde_json::from_str(&facts[0].1).unwrap();
    assert_eq!((facts[0].0, &said["until"]), (tenant, &json!(until)));
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let store = Store::create().await;
    let rates = |exempt: &[&str]| RateSettings {
        principal: "5/5".parse().unwrap(),
        device: "5/5".parse().unwrap(),
        address: "60/60".parse().unwrap(),
        exempt: exempt.iter().map(|name| (*name).to_owned()).collect(),
    };
    let server = Server::with_rates(&store, rates(&["bench"])).await;
    let (client, bench) =
        (server.client(&store, "town", "ledger:read").await, server.client(&store, "bench", "ledger:read").await);
    for _ in 0..5 {
        client.get(ACCOUNTS).await.expect(200);
    }
    let refused = client.get(ACCOUNTS).await;
    assert_eq!(refused.expect(429)["code"], "rate-limited");
    let wait: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!(wait, 1);
    for _ in 0..20 {
        bench.get(ACCOUNTS).await.expect(200);
    }
    tokio::time::sleep(Duration::from_secs(wait)).await;
    client.get(ACCOUNTS).await.expect(200);
    // Health is asked by machines that restart what says no.
    for _ in 0..100 {
        assert_eq!(read(client.http.get(server.url("/livez"))).await.status.as_u16(), 200);
    }
    server.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_one_whoever_it_speaks_for() {
    let store = Store::create().await;
    let rates = RateSettings { device: "6/60".parse().unwrap(), ..RateSettings::default() };
    let server = Server::with_rates(&store, rates).await;
    let (device, other) = (Device::create(), Device::create());
    let mut statuses = Vec::new();
    let callers =
        [server.client(&store, "town", "ledger:read").await, server.client(&store, "harbour", "ledger:read").await];
    for (client, device) in [(&callers[0], &device), (&callers[1], &device), (&callers[0], &other)] {
        let proof = device.proof("POST", &address("/v1/token"), None);
        let form = "application/x-www-form-urlencoded";
        let request = client.http.post(server.url("/v1/token")).header("DPoP", proof).header("Content-Type", form);
        let request = request.basic_auth(client.id, Some(&client.secret)).body("grant_type=client_credentials");
        let given = read(request).await.expect(200);
        let token = given["access_token"].as_str().unwrap();
        for _ in 0..4 {
            let proof = device.proof("GET", &address(ACCOUNTS), Some(token));
            let answer = read(bound(client, &server.url(ACCOUNTS), token, &proof)).await;
            statuses.push(answer.status.as_u16());
        }
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429, 429, 200, 200, 200, 200]);
    // Without a key there is no device.
    for _ in 0..10 {
        callers[1].get(ACCOUNTS).await.expect(200);
    }
    server.stop().await;
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_tries_secrets_is_slowed_down_by_address() {
    let store = Store::create().await;
    let rates = RateSettings { address: "100/100".parse().unwrap(), ..RateSettings::default() };
    let server = Server::with_rates(&store, rates).await;
    let client = server.client(&store, "town", "ledger:read").await;
    let log_in = async |secret: &str, from: &str| {
        let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", client.id);
        let request = client.http.post(server.url("/v1/token")).header("X-Forwarded-For", from);
        read(request.header("Content-Type", "application/x-www-form-urlencoded").body(form)).await
    };
    // A wrong secret costs twenty right ones.
    for _ in 0..5 {
        assert_eq!(log_in("wrong", "2001:db8::1").await.expect(401)["error"], "invalid_client");
    }
    for from in ["2001:db8::1", "2001:db8::ffff:7"] {
        let refused = log_in(&client.secret, from).await;
        assert_eq!(refused.expect(429)["code"], "rate-limited", "{from}");
        assert!(refused.headers.contains_key("retry-after"));
    }
    log_in(&client.secret, "2001:db8:0:1::1").await.expect(200);
    for _ in 0..90 {
        log_in(&client.secret, "192.0.2.9").await.expect(200);
    }
    // Tokens that are none are counted too; who is known is not held up by others behind the same address.
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..150 {
        let request = client.http.get(server.url(ACCOUNTS)).header("X-Forwarded-For", "192.0.2.10");
        seen.insert(read(request.bearer_auth("a.b.c")).await.status.as_u16());
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [401, 429]);
    read(client.request(Method::GET, ACCOUNTS).header("X-Forwarded-For", "192.0.2.10")).await.expect(200);
    // Every login is one, also that of people.
    let guess = json!({"login": "ana", "password": "guess"});
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..120 {
        let request = client.http.post(server.url("/v1/staff/sessions")).header("X-Forwarded-For", "192.0.2.11");
        seen.insert(read(request.json(&guess)).await.status.as_u16());
    }
    assert!(seen.contains(&429) && seen.iter().all(|status| *status < 500), "{seen:?}");
    server.stop().await;
    store.close().await;
}
