//! Keys that are replaced while everything runs: tokens, webhooks, checkpoints, and a command that is interrupted.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use reqwest::StatusCode;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::sleep;
use vintem_core::event_store::{Limits, Shard};
use vintem_core::keys::{Rotation, Step, Which};
use vintem_core::look_ups::AllLookUps;
use vintem_core::secrets::{Pace, SecretsError, Stage};
use vintem_core::telemetry::clock;
use vintem_tests::api::{Client, Keys, Server};
use vintem_tests::server::binary;
use vintem_tests::vault::{Secrets, eventually};
use vintem_tests::webhooks::{HOME, Plant, Receiver, path};

/// As the real one, but in seconds: servers of these tests look for newer keys several times a second.
const PACE: Pace = Pace { publish: Duration::from_secs(3), retire: Duration::from_secs(3) };

pub(super) fn writer(secrets: &Secrets) -> Shard {
    Shard::start(0, secrets.store.writer(), Arc::new(AllLookUps), Limits::default())
}

/// Goes on until the next step was taken.
pub(super) async fn next(rotation: &Rotation<'_>) -> Step {
    loop {
        match rotation.go_on(clock::now()).await.unwrap() {
            Step::Waits { .. } => sleep(Duration::from_millis(100)).await,
            step => return step,
        }
    }
}

/// Every `key.rotated` of the log: who, and what.
pub(super) async fn recorded(secrets: &Secrets) -> Vec<(String, Value)> {
    let mut session = secrets.store.superuser().await;
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT actor, payload::text FROM event WHERE kind = 'key.rotated' ORDER BY position")
            .fetch_all(&mut session)
            .await
            .unwrap();
    rows.into_iter().map(|(actor, payload)| (actor, serde_json::from_str(&payload).unwrap())).collect()
}

/// A token for the client's secret, from this server.
async fn token(server: &str, client: &Client) -> String {
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={}", client.id, client.secret);
    let request = client.http.post(format!("{server}/v1/token")).body(form);
    let answer = request.header("Content-Type", "application/x-www-form-urlencoded").send().await.unwrap();
    answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
}

async fn status(server: &str, client: &Client, token: &str) -> StatusCode {
    client.http.get(format!("{server}/v1/accounts")).bearer_auth(token).send().await.unwrap().status()
}

async fn published(server: &str, client: &Client) -> Vec<String> {
    let jwks: Value =
        client.http.get(format!("{server}/.well-known/jwks.json")).send().await.unwrap().json().await.unwrap();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_change_their_key_under_traffic_and_no_request_notices() {
    let secrets = Secrets::create().await;
    let vaults = [secrets.login("api").await, secrets.login("api").await];
    let servers = [
        Server::with_keys(&secrets.store, Keys::follow(&vaults[0]).await).await,
        Server::with_keys(&secrets.store, Keys::follow(&vaults[1]).await).await,
    ];
    let [one, two] = [servers[0].url(""), servers[1].url("")];
    let client = servers[0].client(&secrets.store, "coffee-town", "ledger:read").await;
    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let traffic = {
        let (one, two, client, stop, calls) = (one.clone(), two.clone(), client.clone(), stop.clone(), calls.clone());
        tokio::spawn(async move {
            // Each token is fresh, signed by one process and shown to both.
            while !stop.load(Ordering::Relaxed) {
                let given = token(&one, &client).await;
                assert_eq!(status(&two, &client, &given).await, StatusCode::OK, "after {calls:?} calls");
                assert_eq!(status(&one, &client, &given).await, StatusCode::OK);
                calls.fetch_add(2, Ordering::Relaxed);
            }
        })
    };
    let (keyholder, shard) = (secrets.login("keyholder").await, writer(&secrets));
    let rotation = Rotation::new(&keyholder, &shard, Which::TokenSigning, PACE);
    let before = token(&one, &client).await;
    let old = rotation.state().await.unwrap().current;

    let Step::Announced { kid: new } = rotation.begin(clock::now()).await.unwrap() else { panic!("not begun") };
    let both = async || published(&two, &client).await == [old.clone(), new.clone()];
    assert!(eventually(Duration::from_secs(2), both).await, "the new key is published before it signs");
    assert_eq!(rotation.state().await.unwrap().current, old);

    assert_eq!(next(&rotation).await, Step::Replaced { kid: new.clone(), old: old.clone() });
    assert_eq!(published(&one, &client).await.len(), 2, "the old one is still published");
    assert_eq!(status(&two, &client, &before).await, StatusCode::OK, "what it signed lives on");
    assert_eq!(next(&rotation).await, Step::Removed { kid: old.clone() });
    assert_eq!(next(&rotation).await, Step::AtRest);

    let gone = async || status(&two, &client, &before).await == StatusCode::UNAUTHORIZED;
    assert!(eventually(Duration::from_secs(2), gone).await, "also for who had verified it before");
    assert_eq!(published(&two, &client).await, std::slice::from_ref(&new));
    stop.store(true, Ordering::Relaxed);
    traffic.await.unwrap();
    assert!(calls.load(Ordering::Relaxed) > 20, "{calls:?}");
    let fact = json!({"key": "token-signing", "kid": new, "replaced": old});
    assert_eq!(recorded(&secrets).await, [("keyholder".to_owned(), fact)]);
    drop(shard);
    for server in servers {
        server.stop().await;
    }
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_rotation_is_gone_on_with_by_whoever_comes_next() {
    let secrets = Secrets::create().await;
    let shard = writer(&secrets);
    let (first, second) = (secrets.login("keyholder").await, secrets.login("keyholder").await);
    let of = |vault| Rotation::new(vault, &shard, Which::Cursor, PACE);
    let Step::Announced { kid } = of(&first).begin(clock::now()).await.unwrap() else { panic!("not begun") };
    first.logout().await;

    let again = of(&second).begin(clock::now()).await.unwrap();
    assert!(
        matches!(&again, Step::Waits { stage: Stage::Announced { kid: waits, .. }, .. } if *waits == kid),
        "{again:?}"
    );
    sleep(PACE.publish).await;
    // Two at once: one of them takes the step, the other sees that it was taken, and the log tells of it once.
    let third = secrets.login("keyholder").await;
    let (rotations, now) = ([of(&second), of(&third)], clock::now());
    let steps = tokio::join!(rotations[0].go_on(now), rotations[1].go_on(now));
    let taken = [steps.0.unwrap(), steps.1.unwrap()];
    let is_taken = |step: &&Step| matches!(step, Step::Replaced { .. });
    assert_eq!(taken.iter().filter(is_taken).count(), 1, "{taken:?}");
    assert_eq!(rotations[0].state().await.unwrap().current, kid);
    second.logout().await;

    assert!(matches!(next(&rotations[1]).await, Step::Removed { .. }));
    assert_eq!(next(&rotations[1]).await, Step::AtRest);
    assert_eq!(recorded(&secrets).await.len(), 1);
    // At once, for a key that leaked: all three steps are due.
    let leaked = Rotation::new(&third, &shard, Which::Cursor, Pace::AT_ONCE);
    assert!(matches!(leaked.begin(clock::now()).await.unwrap(), Step::Announced { .. }));
    assert!(matches!(leaked.go_on(clock::now()).await.unwrap(), Step::Replaced { .. }));
    assert!(matches!(leaked.go_on(clock::now()).await.unwrap(), Step::Removed { kid: gone } if gone == kid));
    third.logout().await;
    drop(shard);
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_signed_by_both_keys_while_receivers_learn_the_new_one() {
    let mut plant = Plant::create(HOME).await;
    plant.client.open("BRL", &["bank", "ana"]).await;
    let receiver = Receiver::listen().await;
    let endpoint = plant.endpoint(&receiver.url, &["transaction.posted"]).await;
    let keys = async |plant: &Plant| {
        let shown = plant.client.get(&path(&endpoint)).await.expect(200);
        shown["public_keys"].as_array().unwrap().clone()
    };
    plant.work().await;
    let old = keys(&plant).await.remove(0);
    let (keyholder, shard) = (plant.secrets.login("keyholder").await, writer(&plant.secrets));
    let rotation = Rotation::new(&keyholder, &shard, Which::WebhookSigning, PACE);
    assert!(matches!(rotation.begin(clock::now()).await.unwrap(), Step::Announced { .. }));
    assert!(eventually(Duration::from_secs(2), async || keys(&plant).await.len() == 2).await);
    let new = keys(&plant).await.remove(1);
    assert!(matches!(next(&rotation).await, Step::Replaced { .. }));

    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    let overlapping = receiver.receives(1).await.remove(0);
    assert!(overlapping.is_signed_by(&old) && overlapping.is_signed_by(&new));
    assert!(matches!(next(&rotation).await, Step::Removed { .. }));
    assert_eq!(next(&rotation).await, Step::AtRest);
    assert!(eventually(Duration::from_secs(2), async || keys(&plant).await == std::slice::from_ref(&new)).await);
    sleep(Duration::from_secs(1)).await;
    plant.client.moves("bank", "ana", "1.00").await.expect(201);
    let after = receiver.receives(2).await.remove(1);
    assert!(!after.is_signed_by(&old) && after.is_signed_by(&new));
    keyholder.logout().await;
    drop(shard);
    plant.close().await;
}

#[tokio::test]
async fn checkpoints_are_signed_inside_vault_and_every_version_verifies() {
    let secrets = Secrets::create().await;
    let (worker, keyholder, shard) =
        (secrets.login("worker").await, secrets.login("keyholder").await, writer(&secrets));
    let rotation = Rotation::new(&keyholder, &shard, Which::Checkpoint, Which::Checkpoint.pace());
    let first = worker.sign("checkpoint", b"tip 1").await.unwrap();
    let replaced = rotation.begin(clock::now()).await.unwrap();
    assert_eq!(replaced, Step::Replaced { kid: "v2".to_owned(), old: "v1".to_owned() });
    assert_eq!(rotation.go_on(clock::now()).await.unwrap(), Step::AtRest);
    let second = worker.sign("checkpoint", b"tip 1").await.unwrap();
    assert_eq!((first.version, second.version), (1, 2));
    let public = keyholder.public_keys("checkpoint").await.unwrap();
    for signature in [&first, &second] {
        let key = UnparsedPublicKey::new(&ED25519, public[&signature.version]);
        key.verify(b"tip 1", &signature.bytes).unwrap();
        assert!(key.verify(b"tip 2", &signature.bytes).is_err());
    }
    // Who signs cannot change the key, and who changes it cannot sign.
    let forbidden = |error: SecretsError| matches!(error, SecretsError::Forbidden { .. });
    assert!(forbidden(worker.rotate("checkpoint").await.unwrap_err()));
    assert!(forbidden(keyholder.sign("checkpoint", b"tip 1").await.unwrap_err()));
    assert!(forbidden(secrets.login("api").await.sign("checkpoint", b"tip 1").await.unwrap_err()));
    let fact = json!({"key": "checkpoint", "kid": "v2", "replaced": "v1"});
    assert_eq!(recorded(&secrets).await, [("keyholder".to_owned(), fact)]);
    drop(shard);
    secrets.close().await;
}

/// Runs `vintem keys …` as its process; answers what it prints, or what it complains of.
pub(super) async fn run_keys(secrets: &Secrets, role: &str, arguments: &[&str]) -> Result<String, String> {
    let store = &secrets.store;
    let environment = secrets.stack.environment(&store.cluster, &secrets.prefix, role, &store.name);
    let mut child = Command::new(binary("vintem"))
        .arg("keys")
        .args(arguments)
        .envs(environment.await.unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let line = secrets.wrapped(role).await;
    writeln!(child.stdin.take().unwrap(), "{}", line.expose_secret()).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    let [said, complained] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    if output.status.success() { Ok(said) } else { Err(complained) }
}

async fn keys(secrets: &Secrets, arguments: &[&str]) -> String {
    run_keys(secrets, "keyholder", arguments).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_did_and_when_to_come_back() {
    let secrets = Secrets::create().await;
    let begun = keys(&secrets, &["rotate", "token-signing", "--no-wait"]).await;
    assert!(begun.contains("is published and does not sign yet"), "{begun}");
    assert!(begun.contains("signs when every process and every cache knows it"), "{begun}");
    assert!(begun.contains("to do      run this again from "), "{begun}");
    let listed = keys(&secrets, &["list"]).await;
    assert_eq!(listed.lines().count(), 6, "{listed}");
    assert!(listed.lines().next().unwrap().contains("is published and may sign from "), "{listed}");
    let again = keys(&secrets, &["rotate", "token-signing", "--no-wait"]).await;
    assert!(again.starts_with("token-signing: a rotation is under way; going on with it\n"), "{again}");
    let at_once = keys(&secrets, &["rotate", "token-signing", "--at-once"]).await;
    assert!(at_once.contains(" signs in the place of ") && at_once.contains(" is gone"), "{at_once}");
    assert!(keys(&secrets, &["rotate", "checkpoint"]).await.contains("v2 signs in the place of v1"));
    assert!(keys(&secrets, &["list"]).await.contains("checkpoint       v2\n"));
    assert!(keys(&secrets, &["rotate", "receipt"]).await.contains("v2 signs in the place of v1"));
    secrets.close().await;
}
