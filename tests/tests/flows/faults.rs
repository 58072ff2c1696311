//! Bad days: the API killed, its connections cut in the middle, Postgres crashed, all under load.
//!
//! Afterwards every acknowledged transfer is there exactly once, and every key that was left open
//! has one definite answer and exactly one effect.

use std::collections::HashMap;
use std::time::Duration;
use vintem_cli::stack::LeaseTimes;
use vintem_tests::load::{Client, Load, WALLETS, settle};
use vintem_tests::server::{Server, free_port, make_client};
use vintem_tests::vault::{Secrets, Wire};

const CLIENTS: usize = 8;

async fn begin(secrets: &Secrets, url: &str) -> (Client, Load) {
    let client = Client::new(url, make_client(secrets).await);
    client.set_up(WALLETS).await;
    let load = Load::begin(&client, 0..CLIENTS);
    (client, load)
}

/// Calls the clients back, settles every key and compares with what the log holds.
async fn end(secrets: &Secrets, client: &Client, load: Load) {
    let journal = load.end().await;
    let (statuses, acknowledged, open) = settle(client, &journal).await;
    assert!(acknowledged > 100, "only {acknowledged} acknowledged: too little load to mean anything");
    assert!(open > 0, "no fault hit a request");
    let effects = effects(secrets).await;
    for (key, status) in &statuses {
        let expected = i64::from(*status == 201);
        assert_eq!(effects.get(key).copied().unwrap_or(0), expected, "effects of {key}, answered {status}");
    }
    assert_eq!(
        effects.keys().filter(|mark| !statuses.contains_key(*mark) && *mark != "funding").count(),
        0,
        "effects without a key"
    );
}

/// How often each mark stands in the log.
#[expect(clippy::disallowed_methods, reason = "a question of the test about the log")]
async fn effects(secrets: &Secrets) -> HashMap<String, i64> {
    let sql =
        "SELECT payload -> 'metadata' ->> 'mark', count(*) FROM event WHERE kind = 'transaction.posted' GROUP BY 1";
    let rows: Vec<(String, i64)> = sqlx::query_as(sql).fetch_all(&mut secrets.store.superuser().await).await.unwrap();
    rows.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_killed_twenty_times_under_load_loses_and_doubles_nothing() {
    let secrets = Secrets::create().await;
    let (port, database) = (free_port(), secrets.store.cluster.port);
    let mut server = Server::start(&secrets, port, database).await;
    let (client, load) = begin(&secrets, &server.url).await;
    for round in 0..20u64 {
        load.acknowledges(6).await;
        tokio::time::sleep(Duration::from_millis((round * 37) % 200)).await;
        server.kill();
        server = Server::start(&secrets, port, database).await;
    }
    end(&secrets, &client, load).await;
    drop(server);
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_in_the_middle_leave_every_key_definite() {
    let secrets = Secrets::create().await;
    let wire = Wire::to(&format!("https://127.0.0.1:{}", secrets.store.cluster.port)).await;
    let wire_port = wire.address.rsplit(':').next().unwrap().parse().unwrap();
    let server = Server::start(&secrets, free_port(), wire_port).await;
    let (client, load) = begin(&secrets, &server.url).await;
    for round in 0..30u64 {
        load.acknowledges(4).await;
        tokio::time::sleep(Duration::from_millis((round * 41) % 130)).await;
        wire.cut();
        // Every third time Postgres stays away for longer than one try.
        tokio::time::sleep(Duration::from_millis(if round % 3 == 0 { 400 } else { 5 })).await;
        wire.mend();
    }
    load.acknowledges(4).await;
    // A cut that is healed within the writer's patience need not be felt by anyone. This one lasts longer than it
    // asks about a COMMIT without an answer, which is longest.
    wire.cut();
    tokio::time::sleep(Duration::from_secs(12)).await;
    wire.mend();
    end(&secrets, &client, load).await;
    drop(server);
    secrets.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_crashed_under_load_loses_and_doubles_nothing() {
    let secrets = Secrets::on_private_cluster(LeaseTimes::default()).await;
    let database = secrets.store.cluster.port;
    let server = Server::start(&secrets, free_port(), database).await;
    let (client, load) = begin(&secrets, &server.url).await;
    for round in 0..4u64 {
        load.acknowledges(30).await;
        secrets.store.cluster.crash();
        if round == 3 {
            tokio::time::sleep(Duration::from_secs(12)).await;
        }
        secrets.store.cluster.start().await.unwrap();
    }
    end(&secrets, &client, load).await;
    drop(server);
    secrets.close_private().await;
}
