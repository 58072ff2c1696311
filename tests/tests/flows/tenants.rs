//! The life of a tenant: made, changed, suspended, resumed, called by its own names, taken away in files.

use chrono_tz::Tz;
use reqwest::Method;
use reqwest::header::HOST;
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use vintem_cli::tenant_export::{self, Export, TenantExportError};
use vintem_core::access::settings::{Change, LegalMode};
use vintem_core::access::{
    AccessError, Provisioned, change_tenant, find_tenant, provision_tenant, resume_tenant, show_tenant, suspend_tenant,
};
use vintem_core::event_store::{Limits, Shard, fresh};
use vintem_core::look_ups::AllLookUps;
use vintem_core::telemetry::clock;
use vintem_tests::api::{Api, Client, read};
use vintem_tests::store::Store;
use vintem_tests::tenants::{FOREIGN_WORD, Towns};
use vintem_tests::vault::eventually;

/// How long a process may take to hear of something.
const WITHIN: Duration = Duration::from_secs(10);

/// An operator with a writer.
struct Operator {
    session: PgConnection,
    writer: Shard,
}

impl Operator {
    async fn of(store: &Store) -> Self {
        let writer = Shard::start(0, store.writer(), Arc::new(AllLookUps), Limits::default());
        Self { session: store.session("vintem_operator").await, writer }
    }

    async fn provision(
        &mut self,
        name: &str,
        shard: Option<i16>,
        zone: Tz,
    ) -> Result<(Uuid, Provisioned), AccessError> {
        let writer = self.writer.clone();
        let (tenant, how) = provision_tenant(&mut self.session, |_| writer, name.parse()?, shard, zone).await?;
        Ok((tenant.tenant, how))
    }

    async fn change(&mut self, tenant: Uuid, change: &Change) -> Result<bool, AccessError> {
        let writer = self.writer.clone();
        change_tenant(&mut self.session, |_| writer, tenant, change).await
    }

    /// Kinds of the events in a tenant's stream.
    async fn told(&mut self, tenant: Uuid) -> Vec<String> {
        let kinds = sqlx::query_scalar("SELECT kind FROM event WHERE stream = $1 ORDER BY version").bind(tenant);
        kinds.fetch_all(&mut self.session).await.unwrap()
    }
}

async fn tenant_of(api: &Api, name: &str) -> Uuid {
    find_tenant(&mut api.store.session("vintem_operator").await, name).await.unwrap().tenant
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_was_interrupted_is_finished_by_its_repetition() {
    let store = Store::create().await;
    let mut operator = Operator::of(&store).await;
    let zone = Tz::America__Sao_Paulo;
    let (whole, how) = operator.provision("coffee-town", None, zone).await.unwrap();
    assert_eq!(how, Provisioned::Created);
    assert_eq!(operator.provision("coffee-town", None, zone).await.unwrap(), (whole, Provisioned::Existing));
    assert!(matches!(operator.provision("coffee-town", None, Tz::UTC).await, Err(AccessError::NameTaken)));
    assert!(matches!(operator.provision("coffee-town", Some(7), zone).await, Err(AccessError::NameTaken)));
    assert!(matches!(operator.provision("tea-town", Some(7), zone).await, Err(AccessError::UnknownShard)));
    // Killed after the row, and killed after the fact.
    let mut superuser = store.superuser().await;
    for (name, is_told) in [("row-town", false), ("fact-town", true)] {
        let (tenant, _) = if is_told {
            let made = operator.provision(name, None, zone).await.unwrap();
            sqlx::query("UPDATE tenant SET status = 'provisioning' WHERE name = $1")
                .bind(name)
                .execute(&mut superuser)
                .await
                .unwrap();
            made
        } else {
            let begun = "INSERT INTO tenant (shard, tenant, name, time_zone, created_at, status) VALUES (0, $1, $2, $3, now(), 'provisioning')";
            let tenant = fresh::new_id();
            sqlx::query(begun).bind(tenant).bind(name).bind(zone.name()).execute(&mut superuser).await.unwrap();
            (tenant, Provisioned::Created)
        };
        assert!(matches!(operator.change(tenant, &Change::default()).await, Err(AccessError::Unfinished)));
        assert_eq!(operator.provision(name, None, zone).await.unwrap(), (tenant, Provisioned::Finished));
        assert_eq!(operator.provision(name, None, zone).await.unwrap(), (tenant, Provisioned::Existing));
        assert_eq!(operator.told(tenant).await, ["tenant.created"], "{name}: once, however often it was begun");
    }
    // Two operators at once: one makes it, and both have it.
    let mut other = Operator::of(&store).await;
    let (one, two) =
        tokio::join!(operator.provision("twin-town", None, zone), other.provision("twin-town", None, zone));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.0, two.0);
    assert_eq!(operator.told(one.0).await, ["tenant.created"]);
    drop((operator, other));
    store.close().await;
}

#[tokio::test]
async fn a_tenant_goes_to_the_shard_with_the_shortest_log() {
    let store = Store::create().await;
    sqlx::query("INSERT INTO shard (shard) VALUES (1)").execute(&mut store.superuser().await).await.unwrap();
    let mut session = store.session("vintem_operator").await;
    let writer = |shard| Shard::start(shard, store.writer(), Arc::new(AllLookUps), Limits::default());
    let mut shards = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let (tenant, _) = provision_tenant(&mut session, writer, name.parse().unwrap(), None, Tz::UTC).await.unwrap();
        shards.push(tenant.shard);
    }
    assert_eq!(shards, [0, 1, 0, 1]);
    store.remove().await;
}

async fn hears(api: &Api, until: impl AsyncFn(&Client) -> bool) {
    assert!(eventually(WITHIN, async || until(&api.client).await).await, "the process has not heard of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenant_reads_on_and_writes_nothing() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana"]).await;
    let pay = json!({"from": "bank", "to": "ana", "amount": {"amount": "1.00", "asset": "BRL"}});
    client.post_as("before", "/v1/transactions", &pay).await.expect(201);
    let stranger = api.another("tea-town", "ledger:read ledger:write ledger:admin").await;
    stranger.open("BRL", &["bank", "ana"]).await;
    let tenant = tenant_of(&api, "coffee-town").await;
    let mut operator = Operator::of(&api.store).await;
    let writer = || operator.writer.clone();
    assert!(suspend_tenant(&mut operator.session, |_| writer(), tenant, "unpaid").await.unwrap());
    assert!(!suspend_tenant(&mut operator.session, |_| writer(), tenant, "unpaid").await.unwrap(), "twice is once");
    hears(&api, async |client| client.moves("bank", "ana", "0.00").await.status == 403).await;
    let refused = client.moves("bank", "ana", "1.00").await;
    let problem = refused.expect(403);
    assert_eq!(
        (problem["code"].as_str(), problem["retryable"].as_bool(), problem["outcome"].as_str()),
        (Some("tenant-suspended"), Some(false), Some("none"))
    );
    assert_eq!(client.portuguese("/v1/transactions", &pay).await.expect(403)["title"], "A instituição está suspensa");
    // Before the body is read: a request that could not be understood is refused for the same reason.
    for (method, path) in [
        (Method::POST, "/v1/accounts"),
        (Method::POST, "/v1/batches"),
        (Method::POST, "/v1/webhook-endpoints"),
        (Method::DELETE, "/v1/webhook-endpoints/x"),
    ] {
        assert_eq!(read(client.request(method, path)).await.expect(403)["code"], "tenant-suspended", "{path}");
    }
    assert_eq!(
        client.post_as("before", "/v1/transactions", &pay).await.code(),
        "tenant-suspended",
        "not even a repetition"
    );
    assert_eq!(client.get("/v1/requests/before").await.expect(200)["status"], 201);
    assert_eq!(client.get("/v1/accounts").await.expect(200)["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(client.get("/v1/tenant").await.expect(200)["status"], "suspended");
    stranger.moves("bank", "ana", "1.00").await.expect(201);
    assert!(resume_tenant(&mut operator.session, |_| writer(), tenant).await.unwrap());
    assert!(!resume_tenant(&mut operator.session, |_| writer(), tenant).await.unwrap());
    hears(&api, async |client| client.moves("bank", "ana", "1.00").await.status == 201).await;
    assert_eq!(operator.told(tenant).await, ["tenant.created", "tenant.suspended", "tenant.resumed"]);
    drop(operator);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_binds_and_is_told() {
    let api = Api::create().await;
    let tenant = tenant_of(&api, "coffee-town").await;
    api.another("tea-town", "ledger:read").await;
    let tea = tenant_of(&api, "tea-town").await;
    let mut operator = Operator::of(&api.store).await;
    let names = BTreeSet::from(["coffee.example".parse().unwrap()]);
    let assets = Some(Some(BTreeSet::from(["BRL".to_owned()])));
    let change = Change { legal_mode: Some(LegalMode::Sandbox), assets, add: names.clone(), ..Change::default() };
    api.client.post_as("eur", "/v1/assets", &json!({"code": "EUR", "scale": 2})).await.expect(201);
    assert!(operator.change(tenant, &change).await.unwrap());
    assert!(!operator.change(tenant, &change).await.unwrap(), "twice is once");
    let real = Change { legal_mode: Some(LegalMode::Authorised), ..Change::default() };
    assert!(matches!(operator.change(tenant, &real).await, Err(AccessError::SandboxIsForEver)));
    let taken = Change { add: names.clone(), ..Change::default() };
    assert!(matches!(operator.change(tea, &taken).await, Err(AccessError::HostnameTaken)));
    assert_eq!(operator.told(tea).await, ["tenant.created"], "what is refused is not told");
    let shown = api.client.get("/v1/tenant").await.expect(200);
    assert_eq!(
        (&shown["legal_mode"], &shown["assets"], &shown["hostnames"], &shown["status"], &shown["time_zone"]),
        (&json!("sandbox"), &json!(["BRL"]), &json!(["coffee.example"]), &json!("active"), &json!("America/Sao_Paulo"))
    );
    api.client.post("/v1/assets", &json!({"code": "BRL", "scale": 2})).await.expect(201);
    let refused = api.client.post("/v1/assets", &json!({"code": "USD", "scale": 2})).await.expect(422);
    let again = api.client.post_as("eur", "/v1/assets", &json!({"code": "EUR", "scale": 2})).await;
    assert_eq!(again.headers["idempotency-replayed"], "true", "what was done before it was narrowed is told again");
    again.expect(201);
    api.client.post_as("eur", "/v1/assets", &json!({"code": "EUR", "scale": 3})).await.expect(422);
    assert_eq!((&refused["code"], &refused["errors"][0]["pointer"]), (&json!("validation-failed"), &json!("/code")));
    let given_up = Change { remove: names, assets: Some(None), ..Change::default() };
    assert!(operator.change(tenant, &given_up).await.unwrap());
    api.client.post("/v1/assets", &json!({"code": "USD", "scale": 2})).await.expect(201);
    assert!(operator.change(tea, &taken).await.unwrap(), "a name that was given up is free");
    let kept = show_tenant(&mut operator.session, tenant).await.unwrap().settings;
    assert_eq!((kept.assets, kept.hostnames.len()), (None, 0));
    let payload: String =
        sqlx::query_scalar("SELECT payload::text FROM event WHERE kind = 'tenant.changed' ORDER BY position LIMIT 1")
            .fetch_one(&mut operator.session)
            .await
            .unwrap();
    assert_eq!(payload, r#"{"legal_mode":"sandbox","assets":["BRL"],"hostnames":["coffee.example"]}"#);
    drop(operator);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_a_tenant_knows_no_other_tenants_token() {
    let api = Api::create().await;
    let stranger = api.another("tea-town", "ledger:read ledger:write ledger:admin").await;
    let mut operator = Operator::of(&api.store).await;
    let add = BTreeSet::from(["coffee.example".parse().unwrap()]);
    operator.change(tenant_of(&api, "coffee-town").await, &Change { add, ..Change::default() }).await.unwrap();
    let at = async |client: &Client, host: &str, method: Method, path: &str| {
        let request = client.request(method, path).header("Idempotency-Key", fresh::new_id().to_string());
        read(request.header(HOST, host).json(&json!({"code": "BRL", "scale": 2}))).await
    };
    hears(&api, async |_| at(&stranger, "coffee.example", Method::GET, "/v1/accounts").await.status == 404).await;
    for host in ["coffee.example", "Coffee.Example:8443", "coffee.example."] {
        for (method, path) in [
            (Method::GET, "/v1/accounts"),
            (Method::POST, "/v1/assets"),
            (Method::GET, "/v1/tenant"),
            (Method::POST, "/v1/holders"),
        ] {
            let refused = at(&stranger, host, method.clone(), path).await.expect(404);
            assert_eq!(refused["code"], "not-found", "{host} {method} {path}");
        }
        assert_eq!(at(&api.client, host, Method::GET, "/v1/accounts").await.status, 200, "{host} is its own");
    }
    for host in ["localhost", "127.0.0.1:8443", "other.example", "evil.coffee.example", "coffee.example.evil"] {
        assert_eq!(at(&stranger, host, Method::GET, "/v1/accounts").await.status, 200, "{host} is everybody's");
    }
    // What a caller says of the way it came is not believed.
    let forwarded = stranger
        .request(Method::GET, "/v1/accounts")
        .header("X-Forwarded-Host", "tea.example")
        .header(HOST, "coffee.example");
    read(forwarded).await.expect(404);
    drop(operator);
    api.close().await;
}

fn lines(folder: &std::path::Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every file is what the manifest says, and holds neither a secret nor anything of the other tenant.
fn assert_sealed_and_apart(whole: &std::path::Path, manifest: &Value, towns: &Towns) {
    for file in manifest["files"].as_array().unwrap() {
        let bytes = std::fs::read(whole.join(file["name"].as_str().unwrap())).unwrap();
        let sum =
            std::process::Command::new("sha256sum").arg(whole.join(file["name"].as_str().unwrap())).output().unwrap();
        assert!(String::from_utf8_lossy(&sum.stdout).starts_with(file["sha256"].as_str().unwrap()), "{file}");
        assert_eq!(bytes.len(), usize::try_from(file["bytes"].as_u64().unwrap()).unwrap());
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().count(), usize::try_from(file["lines"].as_u64().unwrap()).unwrap());
        assert!(
            !text.to_lowercase().contains(FOREIGN_WORD) && !text.contains(&towns.there.tenant.to_string()),
            "{file}"
        );
        for secret in
            ["Pessoa", "exemplo.com.br", "secret_hash", "sealed", "vault:v", "wrapped", &towns.here.client.secret]
        {
            assert!(!text.contains(secret), "{file} holds {secret}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_taken_away_in_files_that_hold_its_things_and_no_others() {
    let towns = Towns::create().await;
    let store = &towns.registry.secrets.store;
    let pool = store.pool("vintem_auditor");
    let mut auditor = store.session("vintem_auditor").await;
    let tenant = find_tenant(&mut auditor, "coffee-town").await.unwrap();
    let (place, now) = (tempfile::tempdir().unwrap(), clock::now());
    let (whole, torn) = (place.path().join("whole"), place.path().join("torn"));
    let manifest = tenant_export::run(&pool, &tenant, &whole, now).await.unwrap();
    // An export that dies after every page, and once with half a page behind what it noted, is the same export.
    while Export::open(&pool, &tenant, &torn, now).await.unwrap().step().await.unwrap() {
        let file = torn.join("events.ndjson");
        let half = std::fs::read_to_string(&file).unwrap() + "{\"position\": 1, \"ki";
        std::fs::write(&file, half).unwrap();
        towns.here.client.moves("bank", "ana", "0.01").await.expect(201);
    }
    let resumed = tenant_export::run(&pool, &tenant, &torn, now).await;
    assert!(resumed.is_ok(), "{resumed:?}");
    let position = manifest["up_to"]["position"].as_i64().unwrap();
    let events = lines(&whole, "events.ndjson");
    assert_eq!(events, lines(&torn, "events.ndjson")[..events.len()]);
    assert!(events.iter().all(|event| event["position"].as_i64().unwrap() <= position));
    let counted: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE tenant = $1 AND position <= $2")
        .bind(tenant.tenant)
        .bind(position)
        .fetch_one(&mut auditor)
        .await
        .unwrap();
    assert_eq!(events.len(), usize::try_from(counted).unwrap());
    for event in &events {
        let kept: String = sqlx::query_scalar("SELECT payload::text FROM event WHERE position = $1")
            .bind(event["position"].as_i64())
            .fetch_one(&mut auditor)
            .await
            .unwrap();
        assert_eq!(event["payload"], serde_json::from_str::<Value>(&kept).unwrap());
    }
    let batches: BTreeSet<i64> =
        lines(&whole, "batches.ndjson").iter().map(|batch| batch["batch"].as_i64().unwrap()).collect();
    assert!(events.iter().all(|event| batches.contains(&event["batch"].as_i64().unwrap())));
    let accounts = lines(&whole, "accounts.ndjson");
    let ana = accounts.iter().find(|account| account["id"] == towns.here.id("account")).unwrap();
    assert_eq!((&ana["posted_minor"], &ana["held_minor"]), (&json!("10000"), &json!("500")));
    assert_eq!(accounts.len(), 4);
    for (name, least) in
        [("assets", 2), ("requests", 6), ("clients", 1), ("webhook-endpoints", 1), ("subscriptions", 1)]
    {
        assert!(lines(&whole, &format!("{name}.ndjson")).len() >= least, "{name}");
    }
    assert_sealed_and_apart(&whole, &manifest, &towns);
    // Done is done; and a folder with something else in it is left alone.
    assert_eq!(tenant_export::run(&pool, &tenant, &whole, clock::now()).await.unwrap(), manifest);
    let other = find_tenant(&mut auditor, "tea-town").await.unwrap();
    for folder in [whole.as_path(), place.path()] {
        let refused = tenant_export::run(&pool, &other, folder, now).await;
        assert!(matches!(refused, Err(TenantExportError::Occupied(_))), "{refused:?}");
    }
    towns.close().await;
}
