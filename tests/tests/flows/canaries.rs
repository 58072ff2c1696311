//! Secrets do not get about. Some that are known here are used as their owners use them; afterwards they are looked for in
//! every place that people, tools and backups see: logs, Vault's audit log, arguments and environments of processes, the broker's queues,
//! a dump of the database.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;
use vintem_cli::stack::{LeaseTimes, PrivateVault, Stack};
use vintem_core::event_store::fresh;
use vintem_tests::factory::Factory;
use vintem_tests::load::transfer;
use vintem_tests::server::{Server, Worker, free_port, log_file};
use vintem_tests::vault::Secrets;
use vintem_tests::workers::Plant;

/// Its value is no secret: where it is not found, something that should have been looked at was not.
const CONTROL: &str = "a-mark-that-may-be-seen";

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_found_nowhere() {
    let shared = Stack::load().expect("the development stack must be up: cargo dev up");
    let id = fresh::new_id().simple().to_string();
    let (stack, vault) = shared.private_vault(&format!("v{}", &id[id.len() - 10..])).await.unwrap();
    let mut secrets = Secrets::on(stack, LeaseTimes::default()).await;
    // Whatever anybody might switch on when something is wrong.
    secrets.log = Some("trace");
    let mut factory = Factory::open(Plant::on(secrets, LeaseTimes::default()).await).await;
    let load = factory.load().await;
    load.acknowledges(20).await;
    let canaries = canaries(&factory).await;
    let body = transfer("bank", "w0", "0.01", CONTROL);
    assert_eq!(factory.client.insist("/v1/transactions", "control", &body).await.0, 201);
    load.acknowledges(20).await;
    factory.server.hang_up();
    factory.worker.hang_up();
    factory.ends_well(load).await;
    let places = places(&factory, &vault);
    for (secret, forms) in &canaries {
        for (place, content) in &places {
            for form in forms {
                assert!(!content.contains(form), "{secret} is in {place} as {form}");
            }
        }
    }
    for place in ["dump of the database", "queue of the subscription"] {
        assert!(places[place].contains(CONTROL), "nothing was in {place}");
    }
    for call in ["transit/encrypt/webhooks", "database/creds/writer", "auth/approle/login"] {
        assert!(places["audit log"].contains(call), "the audit log does not tell of {call}");
    }
    factory.close().await;
    vault.remove().unwrap();
}

/// Secrets in the forms in which they could get about.
async fn canaries(factory: &Factory) -> Vec<(&'static str, Vec<String>)> {
    let endpoint = json!({ "url": factory.receiver.url, "events": ["asset.registered"] });
    let (status, text, _) = factory.client.insist("/v1/webhook-endpoints", "canary", &endpoint).await;
    assert_eq!(status, 201, "{text}");
    let made: Value = serde_json::from_str(&text).unwrap();
    let webhook = made["secret"].as_str().unwrap();
    let bytes = STANDARD.decode(webhook.strip_prefix("whsec_").unwrap()).unwrap();
    let client = factory.client.secret();
    let signing = factory.plant.secrets.stack.vault().await.unwrap();
    let keys = signing.get(&format!("{}kv/data/webhook-signing", factory.plant.secrets.prefix)).await.unwrap();
    let signing = keys["data"]["data"]["keys"][0]["key"].as_str().unwrap().to_owned();
    vec![
        ("the webhook's secret", forms(&bytes)),
        ("the client's secret", [vec![client.clone()], forms(client.as_bytes())].concat()),
        ("an access token", vec![factory.client.token().await.unwrap()]),
        ("a signing key", vec![signing.strip_prefix("whsk_").unwrap_or(&signing).to_owned()]),
    ]
}

fn forms(bytes: &[u8]) -> Vec<String> {
    let hex = bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    // Without padding it is a part of what has it.
    let base64 = [STANDARD_NO_PAD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes)];
    let twice = [STANDARD_NO_PAD.encode(STANDARD.encode(bytes)), STANDARD_NO_PAD.encode(URL_SAFE.encode(bytes))];
    base64.into_iter().chain([hex]).chain(twice).collect()
}

/// Everything that is looked at.
fn places(factory: &Factory, vault: &PrivateVault) -> BTreeMap<String, String> {
    let secrets = &factory.plant.secrets;
    let stack = &secrets.stack;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let read = |path: &Path| std::fs::read(path).map_or_else(|error| panic!("{}: {error}", path.display()), text);
    let mut places = BTreeMap::from([
        ("audit log".to_owned(), read(&vault.node.audit_log())),
        ("log of Vault".to_owned(), read(&stack.folder().log(&vault.node.name))),
        ("log of the API".to_owned(), read(&log_file(secrets, "api"))),
        ("log of the worker".to_owned(), read(&log_file(secrets, "worker"))),
        ("log of Postgres".to_owned(), read(&stack.folder().log("postgres"))),
        ("log of RabbitMQ".to_owned(), read(&stack.folder().log("rabbitmq"))),
    ]);
    places.insert("queue of the subscription".to_owned(), Value::from(factory.events.clone()).to_string());
    let cluster = &secrets.store.cluster;
    let mut dump = Command::new(cluster.programs.join("pg_dump"));
    let socket = cluster.socket();
    dump.arg("--host").arg(socket).args([
        "--port",
        &cluster.port.to_string(),
        "--username",
        "postgres",
        &secrets.store.name,
    ]);
    let dumped = dump.output().unwrap();
    assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
    places.insert("dump of the database".to_owned(), text(dumped.stdout));
    for process in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        for file in ["cmdline", "environ"] {
            // Whoever has ended, and whom we may not look at: that is as it should be.
            if let Ok(content) = std::fs::read(process.path().join(file)) {
                places.insert(format!("{file} of process {}", process.file_name().display()), text(content));
            }
        }
    }
    places
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_leave_no_memory_behind() {
    let plant = Plant::create().await;
    let secrets = &plant.secrets;
    let server = Server::start(secrets, free_port(), secrets.store.cluster.port).await;
    let broker = secrets.stack.broker_environment(&plant.node, &plant.virtual_host);
    let worker = Worker::start(secrets, &broker, &[]).await;
    for id in [server.id(), worker.id()] {
        let limits = std::fs::read_to_string(format!("/proc/{id}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "soft and hard: {core}");
        let environment = std::fs::metadata(format!("/proc/{id}/environ")).unwrap();
        assert_eq!(environment.uid(), 0, "what is in memory is root's alone");
    }
    drop((server, worker));
    plant.close().await;
}
