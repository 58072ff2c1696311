//! Everything as its operator runs it: the API and the worker as processes, a broker, load, and somebody at the end of
//! every way out. Whatever happened to it, it [ends well](Factory::ends_well) or not at all.

#![expect(clippy::disallowed_methods, reason = "a test looks at the rows from outside")]

use chrono::SecondsFormat;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;
use vintem_core::projections::ALL;
use vintem_core::telemetry::clock;

use crate::broker_wire::BrokerWire;
use crate::load::{Client, Load, WALLETS, transfer};
use crate::server::{Server, Worker, free_port, make_client};
use crate::subscriptions::{assert_complete_and_in_order, read_up_to, subscribe};
use crate::vault::eventually;
use crate::views::check_views;
use crate::webhooks::Receiver;
use crate::workers::Plant;

/// The one subscription, which asks for everything.
pub const SUBSCRIPTION: &str = "all";
/// Callers at work: enough that something happens at any moment, few enough that a small machine keeps up.
const CLIENTS: usize = 2;
/// Holds that are placed before they begin, and end one by one while they work.
const HOLDS: i64 = 12;
/// How long whoever was disturbed may take to come to the end of the log.
const PATIENCE: Duration = Duration::from_mins(1);

/// Whether outages may take their time.
pub fn is_long() -> bool {
    std::env::var_os("DEV_LONG_TESTS").is_some()
}

/// A system at work.
pub struct Factory {
    /// Database, Vault, broker.
    pub plant: Plant,
    /// The API.
    pub server: Server,
    /// The worker, with all roles unless the test says otherwise.
    pub worker: Worker,
    /// Its way to the broker.
    pub wire: BrokerWire,
    /// Who listens for webhooks of every event.
    pub receiver: Receiver,
    /// Who calls the API.
    pub client: Client,
    clients: usize,
    /// What the subscription's queue held so far.
    pub events: Vec<Value>,
}

impl Factory {
    /// Sets everything up.
    pub async fn open(plant: Plant) -> Self {
        subscribe(&plant, SUBSCRIPTION, "#", 100_000).await;
        let secrets = &plant.secrets;
        let server = Server::start(secrets, free_port(), secrets.store.cluster.port).await;
        let client = Client::new(&server.url, make_client(secrets).await);
        client.set_up(WALLETS).await;
        let receiver = Receiver::listen().await;
        let endpoint = json!({"url": receiver.url, "events": ["*"]});
        let (status, text, _) = client.insist("/v1/webhook-endpoints", "endpoint", &endpoint).await;
        assert_eq!(status, 201, "{text}");
        let wire = BrokerWire::to(plant.node.ports.amqps).await;
        let worker = start_worker(&plant, &wire, &[]).await;
        Self { plant, server, worker, wire, receiver, client, clients: 0, events: Vec::new() }
    }

    /// Starts a worker in the place of the one that is gone, with some roles or all.
    pub async fn start_worker(&mut self, roles: &[&str]) {
        self.wire.cut_and_mend();
        self.worker = start_worker(&self.plant, &self.wire, roles).await;
    }

    /// Lets callers begin, and holds end while they work.
    pub async fn load(&mut self) -> Load {
        let first = self.clients;
        self.clients += CLIENTS;
        for number in 0..HOLDS {
            let end = clock::now() + chrono::Duration::seconds(1 + number);
            let hold = json!({
                "from": "bank", "to": "w0", "amount": {"amount": "0.01", "asset": "BRL"},
                "expires_at": end.to_rfc3339_opts(SecondsFormat::Micros, true),
            });
            let placed = self.client.insist("/v1/holds", &format!("hold-{first}-{number}"), &hold).await;
            assert_eq!(placed.0, 201, "{}", placed.1);
        }
        Load::begin(&self.client, first..self.clients)
    }

    /// What waits for the end of a lease or of a claim of a dead process need not wait: that time has passed.
    pub async fn time_passes(&self) {
        self.change(
            "UPDATE clock_lease SET expires_at = clock_timestamp();
             UPDATE webhook_delivery SET due_at = clock_timestamp() WHERE state = 'pending' AND claim IS NOT NULL",
        )
        .await;
    }

    /// The answer to a question about the database.
    pub async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.plant.secrets.store.superuser().await).await.unwrap()
    }

    /// Changes the database, as nobody but its owner may.
    pub async fn change(&self, sql: &str) {
        sqlx::raw_sql(sql).execute(&mut self.plant.secrets.store.superuser().await).await.unwrap();
    }

    /// Takes the worker's users of the database away.
    pub async fn drop_database_users(&self) {
        // The writer is left, for the API is one too.
        let roles = "'vintem-relay', 'vintem-projector', 'vintem-integrators', 'vintem-webhooks', 'vintem-auditor'";
        let users = format!(
            "SELECT DISTINCT usename::text FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ({roles}) AND usename LIKE 'v-%'"
        );
        let mut superuser = self.plant.secrets.store.superuser().await;
        let users: Vec<String> = sqlx::query_scalar(&users).fetch_all(&mut superuser).await.unwrap();
        assert!(users.len() >= 5, "{users:?}");
        for (number, user) in users.iter().enumerate() {
            // Every other one finds the door closed; the rest keep sessions of users that are no more.
            let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{user}';");
            let sql = format!("{} DROP ROLE \"{user}\"", if number % 2 == 0 { end.as_str() } else { "" });
            sqlx::raw_sql(&sql).execute(&mut superuser).await.unwrap();
        }
    }

    /// Moves money once; answers the event's position.
    pub async fn moves(&self, amount: &str) -> i64 {
        let body = transfer("bank", "w0", amount, "once");
        let (status, text, _) = self.client.insist("/v1/transactions", &format!("once-{amount}"), &body).await;
        assert_eq!(status, 201, "{text}");
        serde_json::from_str::<Value>(&text).unwrap()["position"].as_i64().unwrap()
    }

    /// How far all projections have come, added up.
    pub async fn projected(&self) -> i64 {
        self.count("SELECT coalesce(sum(position), 0)::bigint FROM projection").await
    }

    /// The sum of a metric of the worker over all its labels.
    pub async fn metric(&self, name: &str) -> i64 {
        let text = self.worker.metrics().await;
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<i64>().unwrap()).sum()
    }

    /// Waits until the worker says of itself what it should, and is of use all the same.
    pub async fn worker_is(&self, word: &str) {
        let expected = Some((200, word.to_owned()));
        let mut said = None;
        let is_so = eventually(Duration::from_secs(30), async || {
            said = self.worker.status().await;
            said == expected
        });
        assert!(is_so.await, "the worker says {said:?}");
    }

    /// The common ending of every fault: whatever follows from the log has followed.
    pub async fn ends_well(&mut self, load: Load) {
        load.end().await;
        let is_over = eventually(PATIENCE, async || self.count("SELECT count(*) FROM open_hold").await == 0).await;
        assert!(is_over, "the clocks did not end every hold");
        let newest = self.count("SELECT max(last_position) FROM batch").await;
        self.views_arrive(newest).await;
        self.events.extend(read_up_to(&self.plant, SUBSCRIPTION, newest).await);
        assert_complete_and_in_order(&self.events, newest);
        self.webhooks_arrive(newest).await;
        self.worker_is("ready").await;
        assert_eq!(self.metric("drift_found_total").await, 0);
        assert_eq!(self.count("SELECT count(*) FROM halt").await, 0);
    }

    /// Every view comes to the end of the log and is what it says.
    async fn views_arrive(&self, newest: i64) {
        let sql = format!("SELECT count(*) FROM projection WHERE position = {newest} AND parked_at IS NULL");
        let all = i64::try_from(ALL.len()).unwrap();
        let have = eventually(PATIENCE, async || self.count(&sql).await == all).await;
        assert!(have, "up to {newest}:\n{}", self.worker.metrics().await);
        check_views(&mut self.plant.secrets.store.superuser().await).await;
    }

    /// Every event has its delivery, and every delivery that counts as made has arrived.
    async fn webhooks_arrive(&self, newest: i64) {
        let checkpoint = "SELECT coalesce(max(position), 0) FROM webhook_checkpoint";
        let are_made = eventually(PATIENCE, async || self.count(checkpoint).await == newest).await;
        assert!(are_made, "the collector came to {} of {newest}", self.count(checkpoint).await);
        let missing = "SELECT count(*) FROM event e JOIN webhook_endpoint w ON w.tenant = e.tenant AND w.from_position < e.position
                       LEFT JOIN webhook_delivery d ON d.endpoint = w.endpoint AND d.position = e.position
                       WHERE d.position IS NULL AND '*' = ANY (w.events)";
        assert_eq!(self.count(missing).await, 0, "events without a delivery");
        self.time_passes().await;
        // The other side has always listened, so nothing is left to be tried again when all had their turn.
        let open = "SELECT count(*) FROM webhook_delivery WHERE state <> 'delivered'";
        let are_delivered = eventually(PATIENCE, async || self.count(open).await == 0).await;
        assert!(are_delivered, "{} webhooks are not delivered", self.count(open).await);
        let arrived: HashSet<String> = self.receiver.received().into_iter().map(|message| message.id).collect();
        let ids = "SELECT format('msg_%s_%s_%s', shard, epoch, position) FROM webhook_delivery";
        let ids: Vec<String> =
            sqlx::query_scalar(ids).fetch_all(&mut self.plant.secrets.store.superuser().await).await.unwrap();
        let lost: Vec<&String> = ids.iter().filter(|id| !arrived.contains(*id)).collect();
        assert!(!ids.is_empty() && lost.is_empty(), "{lost:?} count as delivered and never came");
    }

    /// Ends everything in order and leaves nothing behind; the invariants hold.
    pub async fn close(mut self) {
        assert!(self.worker.terminate().success());
        assert!(self.server.terminate().success());
        self.plant.close().await;
    }
}

async fn start_worker(plant: &Plant, wire: &BrokerWire, roles: &[&str]) -> Worker {
    let secrets = &plant.secrets;
    let mut broker = secrets.stack.broker_environment(&plant.node, &plant.virtual_host);
    broker.push(("VINTEM_BROKER_PORT".to_owned(), wire.port.to_string()));
    Worker::start(secrets, &broker, roles).await
}
