//! Workers of a test's own: a virtual host and leased users.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;
use uuid::Uuid;
use vintem_cli::stack::{Broker as Node, LeaseTimes, POSTGRES, RABBITMQ};
use vintem_core::event_store::{fresh, outbox};
use vintem_core::ledger::known::Side;
use vintem_core::secrets::{BrokerRole, BrokerSettings, DatabaseRole, LeasedBroker, LeasedDatabase, Vault};
use vintem_core::telemetry::WorkerMetrics;
use vintem_workers::integrators;
use vintem_workers::projector::{Fed, Feed, FeedError, Projector};
use vintem_workers::rabbitmq::{Broker, Session, topology};
use vintem_workers::relay::Relay;
use vintem_workers::relay::range::{self, RangeMessage};

use crate::book::{Book, transfer};
use crate::store::Store;
use crate::vault::{Secrets, eventually, lease_times};

/// A ledger in which money moves until it is told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Load {
    /// Opens a book and begins.
    pub async fn begin(store: &Store) -> Self {
        let book = Book::open(store).brl().await;
        book.account("bank", Side::Debit, None).await;
        book.account("ana", Side::Credit, Some("0")).await;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let transfers = (0..20).map(|_| transfer("bank", "ana", "1.00").into()).collect();
                book.does_all(transfers, None).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        Self { stop, task }
    }

    /// Ends it.
    pub async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }

    /// A few more movements.
    pub async fn begin_more(store: &Store) {
        let book = Book::open(store);
        for _ in 0..3 {
            book.moves("bank", "ana", "1.00").await.unwrap();
        }
    }
}

/// The one projection of most tests.
pub const PROJECTION: &[&str] = &["test"];

/// Everything that workers stand on.
pub struct Plant {
    /// Database and Vault.
    pub secrets: Secrets,
    /// RabbitMQ.
    pub node: Node,
    /// The virtual host.
    pub virtual_host: String,
    /// What the workers count.
    pub metrics: Arc<WorkerMetrics>,
    vault: Vault,
    database: LeasedDatabase,
}

impl Plant {
    /// On the stack's RabbitMQ.
    pub async fn create() -> Self {
        let secrets = Secrets::create().await;
        let node = secrets.stack.broker();
        Self::of(secrets, node, lease_times()).await
    }

    /// With broker users whose lease ends soon.
    pub async fn with(times: LeaseTimes) -> Self {
        let secrets = Secrets::create().await;
        let node = secrets.stack.broker();
        Self::of(secrets, node, times).await
    }

    /// On a RabbitMQ of the test's own, which it may crash.
    pub async fn on_private_broker() -> Self {
        let secrets = Secrets::create().await;
        let node = secrets.stack.private_broker(secrets.prefix.trim_end_matches('-')).await.unwrap();
        Self::of(secrets, node, lease_times()).await
    }

    /// In a Postgres of the test's own, which it may crash.
    pub async fn on_private_cluster() -> Self {
        let secrets = Secrets::on_private_cluster(lease_times()).await;
        let node = secrets.stack.broker();
        Self::of(secrets, node, lease_times()).await
    }

    /// With the Vault of another stack.
    pub async fn on(secrets: Secrets, times: LeaseTimes) -> Self {
        let node = secrets.stack.broker();
        Self::of(secrets, node, times).await
    }

    async fn of(secrets: Secrets, node: Node, times: LeaseTimes) -> Self {
        let virtual_host = format!("{}vintem", secrets.prefix);
        node.create_virtual_host(&virtual_host).unwrap();
        secrets.stack.provision_broker_on(&node, &secrets.prefix, &virtual_host, times).await.unwrap();
        let vault = secrets.login("worker").await;
        let settings = secrets.database_settings();
        let database = LeasedDatabase::connect(&vault, &settings, DatabaseRole::Relay, 4).await.unwrap();
        Self { secrets, node, virtual_host, metrics: Arc::default(), vault, database }
    }

    /// Restarts the broker in order. Minutes after its declaration, or at an orderly end, RabbitMQ 3.10 writes down where
    /// a quorum queue's files lie; one that is killed before that never finds its leader again.
    pub async fn settle(&self) {
        self.node.stop();
        self.node.start().await.unwrap();
    }

    /// What the broker tells of a queue in a column of numbers; `None` without a queue.
    pub fn told(&self, queue: &str, column: &str) -> Option<u32> {
        let arguments = ["list_queues", "--silent", "--vhost", &self.virtual_host, "name", column];
        let listed = self.node.control(&arguments, None).unwrap();
        listed.lines().find_map(|line| line.strip_prefix(queue)?.trim().parse().ok())
    }

    /// Takes a queue its process, and what waited in it; the broker keeps its name.
    pub fn loses_process(&self, queue: &str) {
        let lost = format!(
            "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"{}\">>, queue, <<\"{queue}\">>)), \
             ra:force_delete_server(quorum_queues, amqqueue:get_pid(Q)).",
            self.virtual_host
        );
        self.node.control(&["eval", &lost], None).unwrap();
    }

    /// A way to the broker as one of the roles, perhaps over a wire.
    pub async fn broker(&self, role: BrokerRole, port: u16) -> Broker {
        let settings = BrokerSettings {
            host: "localhost".to_owned(),
            port,
            virtual_host: self.virtual_host.clone(),
            ca: self.secrets.stack.folder().authority(),
        };
        Broker::new(settings, LeasedBroker::lease(&self.vault, role).await.unwrap()).unwrap()
    }

    /// Starts a relay as a process of its own would be.
    pub async fn relay(&self) -> JoinHandle<()> {
        self.relay_over(self.node.ports.amqps).await
    }

    /// Starts a relay that reaches the broker through a wire.
    pub async fn relay_over(&self, port: u16) -> JoinHandle<()> {
        self.relay_as(fresh::new_id(), port).await
    }

    /// Starts a relay under a name.
    pub async fn relay_as(&self, holder: Uuid, port: u16) -> JoinHandle<()> {
        let broker = self.broker(BrokerRole::Relay, port).await;
        let relay =
            Relay::new(self.database.pool().clone(), broker, self.metrics.clone(), 0, PROJECTION.to_vec(), holder);
        tokio::spawn(relay.run())
    }

    /// Starts a projector that notes what it is asked for.
    pub async fn projector(&self, feed: NotedFeed) -> JoinHandle<()> {
        let broker = self.broker(BrokerRole::Projector, self.node.ports.amqps).await;
        tokio::spawn(Projector::new(feed, broker, self.metrics.clone(), 0).run())
    }

    /// Reads the test projection's queue.
    pub async fn reader(&self) -> Reader {
        let session = self.broker(BrokerRole::Projector, self.node.ports.amqps).await.connect().await.unwrap();
        topology::declare(&session, 0, PROJECTION).await.unwrap();
        Reader { session }
    }

    /// Starts the role `integrators` under a name, over connections of its own.
    pub async fn integrators(&self, holder: Uuid) -> JoinHandle<()> {
        let settings = self.secrets.database_settings();
        let database = LeasedDatabase::connect(&self.vault, &settings, DatabaseRole::Integrators, 4).await.unwrap();
        let (broker, metrics) =
            (self.broker(BrokerRole::Integrators, self.node.ports.amqps).await, self.metrics.clone());
        tokio::spawn(async move {
            integrators::run(database.pool().clone(), broker, metrics, holder).await;
            drop(database);
        })
    }

    /// Where the relay stands.
    pub async fn relayed(&self) -> i64 {
        outbox::checkpoint(self.database.pool(), 0).await.unwrap().last_position
    }

    /// The pool of the relay's role.
    pub fn pool(&self) -> &sqlx::PgPool {
        self.database.pool()
    }

    /// Waits until the relay stands at the end of the log.
    pub async fn all_is_relayed(&self) -> i64 {
        let newest = self.newest().await;
        let done = eventually(Duration::from_mins(1), async || self.relayed().await == newest).await;
        assert!(done, "relayed {} of {newest}", self.relayed().await);
        newest
    }

    /// The newest position of the log.
    #[expect(clippy::disallowed_methods, reason = "a question of the test about the log")]
    pub async fn newest(&self) -> i64 {
        let newest = sqlx::query_scalar("SELECT coalesce(max(last_position), 0) FROM batch");
        newest.fetch_one(self.database.pool()).await.unwrap()
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(self) {
        self.database.close().await;
        self.vault.logout().await;
        // Vault drops users one by one; where many processes died with theirs, that takes longer than it answers.
        let drop_users = async || self.secrets.stack.remove_broker_on(&self.node, &self.secrets.prefix).await.is_ok();
        assert!(eventually(Duration::from_mins(3), drop_users).await, "the users of the broker remain");
        if self.node.name == RABBITMQ {
            self.node.drop_virtual_host(&self.virtual_host).unwrap();
        } else {
            self.node.remove().unwrap();
        }
        if self.secrets.store.cluster.name == POSTGRES {
            self.secrets.close().await;
        } else {
            self.secrets.close_private().await;
        }
    }
}

/// Who reads ranges from a queue, as a projector would.
pub struct Reader {
    session: Session,
}

impl Reader {
    /// Every range up to a position, in the order of the queue.
    pub async fn ranges_up_to(self, position: i64) -> Vec<RangeMessage> {
        let mut subscription = self.session.subscribe(&topology::queue(PROJECTION[0], 0), 100).await.unwrap();
        let mut ranges = Vec::new();
        let mut highest = 0;
        while highest < position {
            let next = tokio::time::timeout(Duration::from_secs(30), subscription.next()).await;
            let delivery =
                next.unwrap_or_else(|_| panic!("nothing after {highest}, up to {position}: {ranges:?}")).unwrap();
            let range = range::read(&delivery.body).unwrap();
            highest = highest.max(range.to);
            ranges.push(range);
            delivery.acknowledge_through().await.unwrap();
        }
        self.session.close().await;
        ranges
    }
}

/// Ranges without a gap and without a repetition, from the first position.
pub fn assert_contiguous(ranges: &[RangeMessage]) {
    let mut reached = 0;
    for range in ranges {
        assert_eq!(range.from, reached + 1, "{ranges:?}");
        reached = range.to;
    }
}

/// Ranges without a gap from the first position; what is repeated was said before.
pub fn assert_covered(ranges: &[RangeMessage]) {
    let mut reached = 0;
    for range in ranges {
        assert!(range.from <= reached + 1, "a gap after {reached}: {ranges:?}");
        reached = reached.max(range.to);
    }
}

/// A feed that notes where it was asked to go, and can be told to fail.
#[derive(Debug, Clone, Default)]
pub struct NotedFeed {
    /// What it was asked for, in order.
    pub asked: Arc<Mutex<Vec<Option<i64>>>>,
    /// It cannot catch up at the moment.
    pub fails: Arc<AtomicBool>,
    /// It stands still.
    pub is_parked: Arc<AtomicBool>,
}

impl NotedFeed {
    /// The highest position that it was asked for.
    pub fn highest(&self) -> i64 {
        self.asked.lock().unwrap().iter().copied().flatten().max().unwrap_or(0)
    }

    /// How often it was asked.
    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Feed for NotedFeed {
    fn name(&self) -> &'static str {
        PROJECTION[0]
    }

    async fn catch_up(&mut self, _shard: i16, up_to: Option<i64>) -> Result<Fed, FeedError> {
        if self.fails.load(Ordering::Relaxed) {
            return Err("the database is away".into());
        }
        self.asked.lock().unwrap().push(up_to);
        if self.is_parked.load(Ordering::Relaxed) {
            Ok(Fed::Parked("poison".into()))
        } else {
            Ok(Fed::At(self.highest()))
        }
    }

    async fn is_rush(&mut self, _shard: i16) -> Result<bool, FeedError> {
        Ok(false)
    }
}
