//! Leased users change under load, and nobody notices: not one request fails, and nothing of the old users stays.

use serde_json::json;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::sleep;
use vintem_core::secrets::{DatabaseRole, LeasedDatabase};
use vintem_tests::factory::{Factory, is_long};
use vintem_tests::load::{Client, Told, WALLETS, transfer};
use vintem_tests::vault::{Secrets, eventually};
use vintem_tests::workers::Plant;

/// Callers at once, each with a connection of its own.
const CALLERS: usize = 64;
/// Between two rotations.
const PAUSE: Duration = Duration::from_secs(2);
/// Leased users of the database that have sessions: three of the API and six of the worker.
const ROLES: usize = 9;

/// Callers who move money as fast as they are answered; what they were told that was no answer, and how long each took.
async fn callers(client: &Client, round: &str, during: impl Future<Output = ()>) -> (Vec<String>, Vec<Duration>) {
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let mut tasks = JoinSet::new();
    for number in 0..CALLERS {
        let (client, stop, told, round) = (client.clone(), stop.clone(), told.clone(), round.to_owned());
        tasks.spawn(async move {
            for turn in 0.. {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let key = format!("{round}-{number}-{turn}");
                let body = transfer("bank", &format!("w{}", number % WALLETS), "0.01", &key);
                let began = Instant::now();
                let (answer, _) = client.post("/v1/transactions", &key, &body).await;
                let mut told = told.lock().unwrap();
                match answer {
                    Told::Answer(201, _) => told.1.push(began.elapsed()),
                    other => told.0.push(format!("{key}: {other:?}")),
                }
            }
        });
    }
    during.await;
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    Arc::into_inner(told).unwrap().into_inner().unwrap()
}

fn percentile(times: &mut [Duration], hundredth: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() - 1) * hundredth / 100]
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_replaced_again_and_again_without_a_failed_request() {
    let rotations = if is_long() { 20 } else { 4 };
    let factory = Factory::open(Plant::create().await).await;
    let (failed, mut quiet) = callers(&factory.client, "quiet", sleep(PAUSE * rotations)).await;
    assert!(failed.is_empty(), "{failed:#?}");
    let before = users(&factory).await;
    let rotating = async {
        for _ in 0..rotations {
            factory.server.hang_up();
            factory.worker.hang_up();
            sleep(PAUSE).await;
        }
    };
    let (failed, mut busy) = callers(&factory.client, "busy", rotating).await;
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), busy.len());
    for (name, times) in [("quiet", &mut quiet), ("rotating", &mut busy)] {
        let (half, most) = (percentile(times, 50), percentile(times, 99));
        println!("{name}: {} requests by {CALLERS} callers, p50 {half:?}, p99 {most:?}", times.len());
    }
    // Connections of the last but one user may rest in a pool that nobody uses now.
    let mut present = Vec::new();
    let is_clean = eventually(Duration::from_secs(30), async || {
        present = users(&factory).await;
        present.len() == ROLES
    });
    assert!(is_clean.await, "sessions of old users: {present:?}");
    assert!(before.iter().all(|user| !present.contains(user)), "each was replaced: {before:?}, {present:?}");
    let leased = format!("{}v-", factory.plant.secrets.prefix);
    let broker = || {
        let connections = factory.plant.node.control(&["list_connections", "--silent", "user"], None).unwrap();
        let own = connections.lines().filter(|user| user.starts_with(&leased)).map(str::to_owned);
        own.collect::<BTreeSet<_>>()
    };
    let is_clean = eventually(Duration::from_secs(30), async || broker().len() == 3).await;
    assert!(is_clean, "connections of old users of the broker: {:?}", broker());
    factory.worker_is("ready").await;
    factory.close().await;
}

/// The leased users of API and worker that have sessions. The test itself holds one more.
async fn users(factory: &Factory) -> Vec<String> {
    let own: String = sqlx::query_scalar("SELECT session_user::text").fetch_one(factory.plant.pool()).await.unwrap();
    let sql = "SELECT DISTINCT usename::text FROM pg_stat_activity
               WHERE datname = current_database() AND application_name LIKE 'vintem-%' AND usename LIKE 'v-%' AND usename <> $1";
    let users = sqlx::query_scalar(sql).bind(own);
    users.fetch_all(&mut factory.plant.secrets.store.superuser().await).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_user_is_missed_for_about_a_second() {
    let secrets = Secrets::create().await;
    let vault = secrets.login("api").await;
    let database =
        LeasedDatabase::connect(&vault, &secrets.database_settings(), DatabaseRole::Reader, 8).await.unwrap();
    let failures = Arc::new(Mutex::new(Vec::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (pool, failures, stop) = (database.pool().clone(), failures.clone(), stop.clone());
        tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                // A table, because a user that is no more may still compute.
                if sqlx::query_scalar::<_, i64>("SELECT count(*) FROM shard").fetch_one(&pool).await.is_err() {
                    failures.lock().unwrap().push(Instant::now());
                }
                sleep(Duration::from_millis(10)).await;
            }
        });
    }
    sleep(Duration::from_secs(1)).await;
    assert!(failures.lock().unwrap().is_empty());
    let revoke = format!("sys/leases/revoke-prefix/{}database/creds", secrets.prefix);
    secrets.stack.vault().await.unwrap().write(&revoke, json!({ "sync": true })).await.unwrap();
    sleep(Duration::from_secs(8)).await;
    stop.store(true, Ordering::Relaxed);
    tasks.join_all().await;
    let failures = Arc::into_inner(failures).unwrap().into_inner().unwrap();
    let (first, last) = (failures.first().unwrap(), failures.last().unwrap());
    println!("{} failures within {:?}", failures.len(), *last - *first);
    assert!(*last - *first < Duration::from_secs(4), "{:?}", *last - *first);
    assert!(database.state().borrow().generation >= 2);
    database.close().await;
    vault.logout().await;
    secrets.close().await;
}
