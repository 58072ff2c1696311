//! Vault's bad days, under load and at the start: sealed, hanging, killed, slow, answering 500, its tokens revoked.
//!
//! The Vault is a real one of the test's own. What is leased goes on, so money moves and views follow; what needs Vault is
//! refused with 503 `vault-sealed`, at once when that is known; `/readyz` and the metrics say so; and nobody has to do anything
//! afterwards.

use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use vintem_cli::stack::{LeaseTimes, PrivateVault, Stack};
use vintem_core::event_store::fresh;
use vintem_tests::factory::Factory;
use vintem_tests::load::Client;
use vintem_tests::server::{Server, Worker, free_port, log_file, make_client};
use vintem_tests::stub::Stub;
use vintem_tests::vault::{Secrets, Wire, eventually};
use vintem_tests::workers::Plant;

/// How long whoever waited for Vault may take to notice that it is back.
const PATIENCE: Duration = Duration::from_secs(30);

/// What happens to Vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Sealed,
    Hanging,
    Killed,
    Slow,
    Broken,
}

const FAULTS: [Fault; 5] = [Fault::Sealed, Fault::Hanging, Fault::Killed, Fault::Slow, Fault::Broken];

/// A Vault of a test's own, and the wire through which processes see it.
struct Place {
    vault: PrivateVault,
    wire: Wire,
    broken: Stub,
}

impl Place {
    async fn open() -> (Self, Stack) {
        let shared = Stack::load().expect("the development stack must be up: cargo dev up");
        let id = fresh::new_id().simple().to_string();
        let (stack, vault) = shared.private_vault(&format!("v{}", &id[id.len() - 10..])).await.unwrap();
        let wire = Wire::to(&stack.vault_address()).await;
        let errors = |_: &_| (500, json!({ "errors": ["internal error"] }));
        let broken = Stub::serve(&shared, errors).await;
        let stack = stack.with_vault_at(wire.port());
        (Self { vault, wire, broken }, stack)
    }

    async fn begin(&self, fault: Fault) {
        match fault {
            Fault::Sealed => self.vault.seal().await.unwrap(),
            Fault::Hanging => self.vault.pause(),
            Fault::Killed => self.vault.crash(),
            Fault::Slow => self.wire.slow(Duration::from_secs(5)),
            Fault::Broken => self.wire.lead_to(&self.broken.address),
        }
    }

    async fn end(&self, fault: Fault) {
        match fault {
            Fault::Sealed => self.vault.unseal().await.unwrap(),
            Fault::Hanging => self.vault.resume(),
            Fault::Killed => self.vault.start().await.unwrap(),
            Fault::Slow | Fault::Broken => self.wire.mend(),
        }
    }
}

/// Asks for something that only Vault can do: sealing the secret of a new webhook endpoint, which is deleted again.
async fn needs_vault(url: &str, client: &Client, key: &str) -> (u16, Value, Duration) {
    let (began, http) = (Instant::now(), reqwest::Client::new());
    let (endpoints, token) = (format!("{url}/v1/webhook-endpoints"), client.token().await.unwrap());
    let request = http.post(&endpoints).bearer_auth(&token).header("Idempotency-Key", key);
    let body = json!({ "url": "http://127.0.0.1:9/", "events": ["asset.registered"] });
    let answer = request.json(&body).send().await.unwrap();
    let took = began.elapsed();
    let (status, body): (_, Value) = (answer.status().as_u16(), answer.json().await.unwrap());
    if let Some(id) = body["id"].as_str() {
        let deletion = http.delete(format!("{endpoints}/{id}")).bearer_auth(&token);
        let deleted = deletion.header("Idempotency-Key", format!("{key}-gone")).send().await.unwrap();
        assert!(deleted.status().is_success());
    }
    (status, body, took)
}

async fn readiness(server: &Server) -> (u16, Value) {
    let answer = reqwest::get(format!("{}/readyz", server.url)).await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn metric(server: &Server, line: &str) -> bool {
    reqwest::get(&server.metrics_url).await.unwrap().text().await.unwrap().lines().any(|found| found == line)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_vault_money_moves_and_all_heals() {
    let (place, stack) = Place::open().await;
    let plant = Plant::on(Secrets::on(stack, LeaseTimes::default()).await, LeaseTimes::default()).await;
    let mut factory = Factory::open(plant).await;
    let load = factory.load().await;
    for fault in FAULTS {
        load.acknowledges(20).await;
        place.begin(fault).await;
        is_without_vault(&factory, fault).await;
        load.acknowledges(20).await;
        place.end(fault).await;
        let server = &factory.server;
        let key = format!("healed-{fault:?}");
        let mut last = None;
        let is_healed = eventually(PATIENCE, async || {
            last = Some(needs_vault(&server.url, &factory.client, &key).await);
            last.as_ref().is_some_and(|(status, ..)| *status == 201)
        });
        assert!(is_healed.await, "{fault:?}: {last:?}");
        let is_told = eventually(PATIENCE, async || readiness(server).await.1["vault"] == "ok").await;
        assert!(is_told && metric(server, "vault_serves 1").await, "{fault:?}");
    }
    factory.ends_well(load).await;
    factory.close().await;
    place.vault.remove().unwrap();
}

/// What is leased goes on, and what is not says so.
async fn is_without_vault(factory: &Factory, fault: Fault) {
    let server = &factory.server;
    let word = if matches!(fault, Fault::Sealed | Fault::Broken) { "sealed" } else { "unavailable" };
    let mut said = Value::Null;
    let is_told = eventually(PATIENCE, async || {
        let (status, report) = readiness(server).await;
        assert!(status == 200 && report["status"] != "not-ready", "{fault:?}: what is leased goes on: {report}");
        said = report;
        said["vault"] == word
    });
    assert!(is_told.await, "{fault:?}: {said}");
    let mut last = Duration::MAX;
    for attempt in 0..4 {
        let (status, problem, took) =
            needs_vault(&server.url, &factory.client, &format!("away-{fault:?}-{attempt}")).await;
        assert_eq!((status, problem["code"].as_str()), (503, Some("vault-sealed")), "{fault:?}: {problem}");
        assert_eq!(problem["outcome"], "none");
        last = took;
    }
    // Three attempts of two seconds each would be six; the circuit is long open by now, and at most a probe is waited for.
    assert!(last < Duration::from_secs(5), "{fault:?}: the last call still took {last:?}");
    if fault != Fault::Broken {
        assert!(metric(server, "vault_serves 0").await, "{fault:?}");
    }
    factory.worker_is("ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_users_that_are_revoked_are_replaced() {
    let (place, stack) = Place::open().await;
    let plant = Plant::on(Secrets::on(stack, LeaseTimes::default()).await, LeaseTimes::default()).await;
    let mut factory = Factory::open(plant).await;
    let load = factory.load().await;
    load.acknowledges(50).await;
    let users = "SELECT count(DISTINCT usename) FROM pg_stat_activity WHERE datname = current_database() AND usename LIKE 'v-%'";
    assert!(factory.count(users).await >= 8, "every role of API and worker has its user");
    // All tokens of processes, and with them every user that they leased.
    let revoke = "sys/leases/revoke-prefix/auth/approle/login";
    place.vault.administrator.write(revoke, json!({ "sync": true })).await.unwrap();
    let healed = eventually(PATIENCE, async || {
        needs_vault(&factory.server.url, &factory.client, "after-the-token").await.0 == 201
    });
    assert!(healed.await, "a new login");
    load.acknowledges(50).await;
    for engine in ["database", "rabbitmq"] {
        let revoke = format!("sys/leases/revoke-prefix/{}{engine}/creds", factory.plant.secrets.prefix);
        place.vault.administrator.write(&revoke, json!({ "sync": true })).await.unwrap();
        load.acknowledges(50).await;
    }
    factory.ends_well(load).await;
    factory.close().await;
    place.vault.remove().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_waits_for_vault_to_serve() {
    let (place, stack) = Place::open().await;
    let plant = Plant::on(Secrets::on(stack, LeaseTimes::default()).await, LeaseTimes::default()).await;
    let secrets = &plant.secrets;
    let broker = secrets.stack.broker_environment(&plant.node, &plant.virtual_host);
    place.wire.cut();
    let port = free_port();
    let recovery = async {
        // What a process needs before it can wait for Vault came from there, too.
        let waits =
            |role| std::fs::read_to_string(log_file(secrets, role)).is_ok_and(|log| log.contains("waiting for Vault"));
        assert!(eventually(PATIENCE, async || waits("api") && waits("worker")).await, "both wait");
        place.vault.seal().await.unwrap();
        place.wire.mend();
        stays_out(port, Fault::Sealed).await;
        place.begin(Fault::Slow).await;
        place.vault.unseal().await.unwrap();
        stays_out(port, Fault::Slow).await;
        place.begin(Fault::Broken).await;
        stays_out(port, Fault::Broken).await;
        place.wire.mend();
    };
    let server = Server::start(secrets, port, secrets.store.cluster.port);
    let ((), mut server, mut worker) = tokio::join!(recovery, server, Worker::start(secrets, &broker, &[]));
    let client = Client::new(&server.url, make_client(secrets).await);
    assert_eq!(needs_vault(&server.url, &client, "first").await.0, 201);
    assert_eq!(worker.status().await, Some((200, "ready".to_owned())));
    assert!(worker.terminate().success() && server.terminate().success());
    plant.close().await;
    place.vault.remove().unwrap();
}

/// A process without secrets does not look alive.
async fn stays_out(port: u16, fault: Fault) {
    sleep(Duration::from_secs(3)).await;
    // The address is taken already, and nobody answers there.
    let answer = timeout(Duration::from_secs(1), reqwest::get(format!("http://127.0.0.1:{port}/livez"))).await;
    assert!(!answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success())), "{fault:?}");
}
