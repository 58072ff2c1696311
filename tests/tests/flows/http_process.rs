//! The API as a process: what it needs to start, what it tells while it runs, how it ends.

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use vintem_tests::load::Client;
use vintem_tests::server::{Server, binary, free_port, make_client};
use vintem_tests::vault::{Secrets, Wire, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_process_serves_and_ends_in_order() {
    let secrets = Secrets::create().await;
    let mut server = Server::start(&secrets, free_port(), secrets.store.cluster.port).await;
    let client = make_client(&secrets).await;
    let http = reqwest::Client::new();
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", client.id, client.secret);
    let login =
        http.post(format!("{}/v1/token", server.url)).header("Content-Type", "application/x-www-form-urlencoded");
    let token: Value = login.body(form).send().await.unwrap().json().await.unwrap();
    let token = token["access_token"].as_str().unwrap();
    let get = |path: &str| http.get(format!("{}{path}", server.url)).bearer_auth(token);
    assert_eq!(get("/v1/accounts").send().await.unwrap().status(), 200);
    assert_eq!(get("/metrics").send().await.unwrap().status(), 404, "metrics are on the private port only");
    let metrics = reqwest::get(&server.metrics_url).await.unwrap().text().await.unwrap();
    for line in [
        r#"http_server_request_duration_seconds_count{method="GET",route="/v1/accounts",status="2xx"} 1"#,
        r#"http_server_request_duration_seconds_count{method="GET",route="unmatched",status="4xx"} 1"#,
        r#"ledger_halted{shard="0"} 0"#,
        r#"vault_lease_ttl_seconds{role="writer"}"#,
        "vault_token_ttl_seconds",
        r#"db_pool_connections{role="reader",state="idle"}"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    for (path, status) in [("/livez", 200), ("/readyz", 200), ("/v1/accounts", 404)] {
        let answer = reqwest::get(server.metrics_url.replace("/metrics", path)).await.unwrap();
        assert_eq!(answer.status(), status, "{path}, for who asks at the private port without a certificate");
    }
    let stream = get("/v1/events").header("Accept", "text/event-stream").send().await.unwrap();
    let mut chunks = stream.bytes_stream();
    assert!(chunks.next().await.unwrap().unwrap().starts_with(b"id: "));
    let asked_at = Instant::now();
    let ended = tokio::task::spawn_blocking(move || server.terminate()).await.unwrap();
    assert!(ended.success(), "{ended}");
    assert!(asked_at.elapsed() < Duration::from_secs(15), "an open stream must not hold up the end");
    assert!(chunks.next().await.is_none(), "the stream ended as streams do");
    secrets.close().await;
}

#[test]
fn a_process_that_lacks_something_says_so_and_does_not_start() {
    let start = |environment: &[(&str, &str)]| {
        let mut command = Command::new(binary("vintem-api"));
        let output = command.env_clear().envs(environment.iter().copied()).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = start(&[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("VINTEM_VAULT_ADDR is missing") && said.contains("VINTEM_LISTEN is missing"), "{said}");
    let port = free_port().to_string();
    let (listen, metrics) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{}", free_port()));
    let complete = [
        ("VINTEM_LISTEN", listen.as_str()),
        ("VINTEM_METRICS_LISTEN", metrics.as_str()),
        ("VINTEM_ISSUER", "https://test.invalid"),
        ("VINTEM_VAULT_ADDR", "https://127.0.0.1:1"),
        ("VINTEM_VAULT_CA", "/nowhere/ca.pem"),
        ("VINTEM_VAULT_ROLE", "api"),
        ("VINTEM_VAULT_ROLE_ID", "x"),
        ("VINTEM_DATABASE_HOST", "127.0.0.1"),
        ("VINTEM_DATABASE_PORT", "1"),
        ("VINTEM_DATABASE_NAME", "x"),
        ("VINTEM_DATABASE_CA", "/nowhere/ca.pem"),
    ];
    // The normal build does not become the one that believes callers.
    let (code, said) = start(&[&complete[..], &[("VINTEM_OPEN_FOR_BENCHMARKS", "yes")]].concat());
    assert_eq!(code, Some(1));
    assert!(said.contains("VINTEM_OPEN_FOR_BENCHMARKS=yes and a build"), "{said}");
    let (code, said) = start(&complete);
    assert_eq!(code, Some(1));
    assert!(said.contains("no wrapping token came on standard input"), "{said}");
    let taken = std::net::TcpListener::bind(&listen).unwrap();
    let (code, said) = start(&complete);
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("{listen} cannot be listened on")), "{said}");
    drop(taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_said_so_and_heals_by_itself() {
    let secrets = Secrets::create().await;
    let wire = Wire::to(&format!("https://127.0.0.1:{}", secrets.store.cluster.port)).await;
    let wire_port = wire.address.rsplit(':').next().unwrap().parse().unwrap();
    let server = Server::start(&secrets, free_port(), wire_port).await;
    let client = Client::new(&server.url, make_client(&secrets).await);
    client.set_up(2).await;
    let http = reqwest::Client::new();
    let token = client.token().await.unwrap();
    let move_money = || {
        let body = json!({"from": "bank", "to": "w1", "amount": {"amount": "1.00", "asset": "BRL"}});
        http.post(format!("{}/v1/transactions", server.url))
            .bearer_auth(&token)
            .header("Idempotency-Key", "away")
            .json(&body)
    };
    wire.cut();
    let away = move_money().send().await.unwrap();
    assert_eq!((away.status().as_u16(), away.headers()["retry-after"].to_str().unwrap()), (503, "1"));
    let problem: Value = away.json().await.unwrap();
    assert_eq!((problem["code"].as_str(), problem["outcome"].as_str()), (Some("database-unavailable"), Some("none")));
    let read = http.get(format!("{}/v1/accounts", server.url)).bearer_auth(&token).send().await.unwrap();
    assert_eq!(read.status(), 503);
    let ready = http.get(format!("{}/readyz", server.url)).send().await.unwrap();
    assert_eq!(ready.status(), 503);
    assert_eq!(ready.json::<Value>().await.unwrap()["code"], "database-unavailable");
    assert_eq!(http.get(format!("{}/livez", server.url)).send().await.unwrap().status(), 200);
    wire.mend();
    let is_healed =
        eventually(Duration::from_secs(20), async || move_money().send().await.unwrap().status() == 201).await;
    assert!(is_healed, "the same key succeeds once the database is back");
    drop(server);
    secrets.close().await;
}
