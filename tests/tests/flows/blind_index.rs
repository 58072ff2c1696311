//! The key by which people are found, replaced while they are registered, found and erased.

use crate::holders::path;
use crate::keys::{next, recorded, run_keys, writer};
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use vintem_core::holders::reindex::{Indexer, Obstacle, ReindexError};
use vintem_core::keys::{KeysError, Rotation, Step, Which};
use vintem_core::secrets::people::PersonKeys;
use vintem_core::secrets::{DatabaseRole, LeasedDatabase, Pace, Stage, Vault};
use vintem_core::telemetry::clock;
use vintem_core::verify::Silent;
use vintem_tests::api::{Client, Read, read};
use vintem_tests::factory::is_long;
use vintem_tests::people::{Registry, cpf, register_all};
use vintem_tests::phone::Town;
use vintem_tests::vault::Secrets;

/// As the real one, but in seconds: servers of these tests look for newer keys several times a second.
const PACE: Pace = Pace { publish: Duration::from_secs(3), retire: Duration::from_secs(3) };
/// Who is registered during a rotation has a number from here on.
const LATE: u32 = 1_000_000;

/// What the indexer's process has.
struct Process {
    vault: Vault,
    writer: LeasedDatabase,
    people: LeasedDatabase,
    indexer: Indexer,
}

impl Process {
    async fn start(secrets: &Secrets) -> Self {
        let vault = secrets.login("indexer").await;
        let place = secrets.database_settings();
        let writer = LeasedDatabase::connect(&vault, &place, DatabaseRole::Writer, 4).await.unwrap();
        let people = LeasedDatabase::connect(&vault, &place.keys(), DatabaseRole::Indexer, 2).await.unwrap();
        let keys = PersonKeys::new(vault.clone(), people.pool().clone());
        let indexer = Indexer::new(writer.pool().clone(), keys, Box::new(Silent));
        Self { vault, writer, people, indexer }
    }

    async fn end(self) {
        drop(self.indexer);
        self.people.close().await;
        self.writer.close().await;
        self.vault.logout().await;
    }
}

async fn look_up(client: &Client, number: u32) -> Read {
    let question = client.request(reqwest::Method::POST, "/v1/holders/lookups");
    read(question.json(&json!({"cpf": cpf(number)}))).await
}

/// Registers people of these numbers; answers where each is.
async fn register(client: &Client, numbers: std::ops::Range<u32>) -> Vec<String> {
    register_all(client, numbers).await.iter().map(path).collect()
}

/// Rows by version of their key.
async fn rows(secrets: &Secrets) -> Vec<(i16, i64)> {
    let mut session = secrets.store.superuser().await;
    let rows = sqlx::query_as("SELECT version, count(*) FROM personal_key GROUP BY version ORDER BY version");
    rows.fetch_all(&mut session).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_registered_found_and_erased_while_their_key_changes() {
    let registry = Registry::create().await;
    let secrets = &registry.secrets;
    let many: u32 = if is_long() { 5_000 } else { 300 };
    let paths = register(&registry.client, 1..many + 1).await;
    let (stop, late, looked) = (AtomicBool::new(false), AtomicU32::new(LATE), AtomicU32::new(0));
    let registers = async {
        while !stop.load(Ordering::Relaxed) {
            let number = late.load(Ordering::Relaxed);
            register(&registry.client, number..number + 1).await;
            late.store(number + 1, Ordering::Relaxed);
            // One number is one person, whichever key finds it.
            assert_eq!(registry.register("Another", &cpf(number)).await.status, 409);
        }
    };
    let looks = async {
        // The first twenty are erased meanwhile.
        for number in (21..=many).cycle().step_by(7) {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            look_up(&registry.client, number).await.expect(200);
            looked.fetch_add(1, Ordering::Relaxed);
        }
    };
    let erases = async {
        for path in &paths[..20] {
            registry.client.post(&format!("{path}/erasure"), &json!({})).await.expect(200);
            sleep(Duration::from_millis(300)).await;
        }
    };
    let rotates = async {
        rotate(secrets).await;
        stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(registers, looks, erases, rotates);

    let late = late.into_inner();
    assert!(late > LATE + 20 && looked.into_inner() > 20);
    let living = i64::from(many - 20 + late - LATE);
    assert_eq!(rows(secrets).await, [(2, living)], "each who lives has one row, under the new key");
    for number in (21..=many).step_by(9).chain(LATE..late) {
        look_up(&registry.client, number).await.expect(200);
    }
    for number in 1..=20 {
        look_up(&registry.client, number).await.expect(404);
    }
    assert_eq!(registry.register("Another", &cpf(many)).await.status, 409);
    registry.register("Erased", &cpf(1)).await.expect(201);
    let fact = json!({"key": "blind-index", "kid": "2", "replaced": "1"});
    assert_eq!(recorded(secrets).await, [("indexer".to_owned(), fact)], "one event");
    registry.close().await;
}

/// A whole rotation, whose first half is killed again and again.
async fn rotate(secrets: &Secrets) {
    let shard = writer(secrets);
    let begins = Process::start(secrets).await;
    let rotation = Rotation::new(&begins.vault, &shard, Which::BlindIndex, PACE).with_rows(&begins.indexer);
    assert_eq!(rotation.begin(clock::now()).await.unwrap(), Step::Announced { kid: "2".to_owned() });
    sleep(PACE.publish).await;
    for milliseconds in [5, 15, 40, 80, 150] {
        // Wherever it is then, it goes no further.
        if timeout(Duration::from_millis(milliseconds), rotation.go_on(clock::now())).await.is_ok() {
            break;
        }
    }
    begins.end().await;
    let ends = Process::start(secrets).await;
    let rotation = Rotation::new(&ends.vault, &shard, Which::BlindIndex, PACE).with_rows(&ends.indexer);
    let mut step = rotation.begin(clock::now()).await.unwrap();
    let mut taken = Vec::new();
    while step != Step::AtRest {
        if !matches!(step, Step::Waits { .. }) {
            taken.push(step);
        }
        step = next(&rotation).await;
    }
    let (old, new) = ("1".to_owned(), "2".to_owned());
    let expected =
        [Step::Replaced { kid: new, old: old.clone() }, Step::Removed { kid: old.clone() }, Step::Cleared { kid: old }];
    assert!(expected.ends_with(&taken) && taken.len() >= 2, "{taken:?}");
    assert_eq!(rotation.state().await.unwrap().stage, Stage::AtRest);
    ends.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_key_stays_while_somebody_can_only_be_found_by_it() {
    let registry = Registry::create().await;
    let secrets = &registry.secrets;
    let paths = register(&registry.client, 1..4).await;
    let lost: uuid::Uuid = paths[1].rsplit('/').next().unwrap().parse().unwrap();
    let mut keys = secrets.store.keys_session("vintem_key_owner").await;
    sqlx::query("DELETE FROM person_key WHERE person = $1").bind(lost).execute(&mut keys).await.unwrap();

    let (shard, process) = (writer(secrets), Process::start(secrets).await);
    let rotation = Rotation::new(&process.vault, &shard, Which::BlindIndex, PACE).with_rows(&process.indexer);
    assert!(matches!(rotation.begin(clock::now()).await.unwrap(), Step::Announced { .. }));
    sleep(PACE.publish).await;
    let refused = rotation.go_on(clock::now()).await.unwrap_err();
    let KeysError::Reindex(ReindexError::Left { count: 1, owner, why: Obstacle::KeyGone }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(owner, lost);
    assert_eq!(rows(secrets).await, [(1, 3), (2, 2)]);
    assert!(recorded(secrets).await.is_empty());
    // What the message advises.
    registry.client.post(&format!("{}/erasure", paths[1]), &json!({})).await.expect(200);
    assert!(matches!(next(&rotation).await, Step::Replaced { .. }));
    assert!(matches!(next(&rotation).await, Step::Removed { .. }));
    assert!(matches!(next(&rotation).await, Step::Cleared { .. }));
    assert_eq!(rows(secrets).await, [(2, 2)]);
    process.end().await;
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_its_rows_does_not_become_current() {
    let secrets = Secrets::create().await;
    let (shard, vault) = (writer(&secrets), secrets.login("indexer").await);
    let rotation = Rotation::new(&vault, &shard, Which::BlindIndex, Pace::AT_ONCE);
    assert!(matches!(rotation.begin(clock::now()).await.unwrap(), Step::Announced { .. }));
    assert!(matches!(rotation.go_on(clock::now()).await, Err(KeysError::WithoutRows)));
    vault.logout().await;
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_is_the_indexers() {
    let secrets = Secrets::create().await;
    let begun = run_keys(&secrets, "indexer", &["rotate", "blind-index", "--no-wait"]).await.unwrap();
    assert!(begun.contains("blind-index: 2 is published and does not sign yet"), "{begun}");
    assert!(begun.contains("to do      run this again from "), "{begun}");
    let listed = run_keys(&secrets, "indexer", &["list"]).await.unwrap();
    assert!(listed.contains("; 2 is published and may sign from "), "{listed}");
    assert!(listed.contains("token-signing    is shown to the keyholder\n"), "{listed}");
    let refused = run_keys(&secrets, "indexer", &["rotate", "blind-index", "--at-once"]).await.unwrap_err();
    assert!(refused.contains("people are found by this key"), "{refused}");
    let refused = run_keys(&secrets, "keyholder", &["rotate", "blind-index", "--no-wait"]).await.unwrap_err();
    assert!(refused.contains("run it as the indexer"), "{refused}");
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_found_by_their_aliases_under_another_key() {
    let town = Town::create().await;
    let ((ana, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    for kind in ["cpf", "email", "phone"] {
        her.post("/v1/aliases", &json!({"kind": kind})).await.expect(201);
    }
    let (one, another) = (her.random_alias().await, his.random_alias().await);
    rotate(&town.office.secrets).await;
    assert_eq!(rows(&town.office.secrets).await, [(2, 2 + 4 + 1)], "two people and their aliases");
    for alias in [&*ana.cpf, &ana.email, "+5511912345678", &one] {
        assert_eq!(his.looks_up(alias).await.expect(200)["display_name"], "Ana 1.");
    }
    her.looks_up(&another).await.expect(200);
    // A key that goes has no row left, under whichever version.
    let own = her.get("/v1/aliases").await.expect(200);
    for alias in own["aliases"].as_array().unwrap() {
        assert_eq!(her.delete(&format!("/v1/aliases/{}", alias["id"].as_str().unwrap())).await.status, 204);
    }
    assert_eq!(rows(&town.office.secrets).await, [(2, 2 + 1)]);
    town.close().await;
}
