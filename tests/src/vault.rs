//! Mounts and roles in Vault of a test's own, for a database of its own.

use secrecy::SecretString;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use vintem_cli::stack::{LeaseTimes, Stack};
use vintem_core::secrets::{DatabaseSettings, LoginMethod, Vault, VaultSettings, WrappingToken};

use crate::store::Store;

/// How long users live in tests that do not care: with `DEV_LEASE_TTL=60` a minute, so that every test is one of rotation too.
pub fn lease_times() -> LeaseTimes {
    let seconds = std::env::var_os("DEV_LEASE_TTL").map(|text| text.to_str().unwrap().parse().unwrap());
    seconds.map_or_else(LeaseTimes::default, |seconds: u32| LeaseTimes { default_s: seconds, max_s: seconds * 2 })
}

/// Secrets for a test's database.
pub struct Secrets {
    /// The development stack.
    pub stack: Stack,
    /// The database.
    pub store: Store,
    /// Stands before every mount and role.
    pub prefix: String,
    /// What the processes tell about themselves, if not what they tell by themselves.
    pub log: Option<&'static str>,
}

impl Secrets {
    /// With the lease times of the stack, or those that `DEV_LEASE_TTL` names.
    pub async fn create() -> Self {
        Self::with(lease_times()).await
    }

    /// With lease times that a test can wait for.
    pub async fn with(times: LeaseTimes) -> Self {
        let stack = Stack::load().expect("the development stack must be up: cargo dev up");
        let store = Store::create().await;
        Self::of(stack, store, times).await
    }

    /// In a Postgres of the test's own, which it may crash.
    pub async fn on_private_cluster(times: LeaseTimes) -> Self {
        let stack = Stack::load().expect("the development stack must be up: cargo dev up");
        let id = vintem_core::event_store::fresh::new_id().simple().to_string();
        let cluster = stack.private_cluster(&format!("t{}", &id[id.len() - 10..])).await.unwrap();
        let store = Store::create_in(cluster).await;
        Self::of(stack, store, times).await
    }

    /// In the Vault of another stack.
    pub async fn on(stack: Stack, times: LeaseTimes) -> Self {
        let store = Store::create().await;
        Self::of(stack, store, times).await
    }

    async fn of(stack: Stack, store: Store, times: LeaseTimes) -> Self {
        let id = vintem_core::event_store::fresh::new_id().simple().to_string();
        // The end of a UUIDv7 is its random part.
        let prefix = format!("t{}-", &id[id.len() - 10..]);
        store.create_keys().await;
        stack.provision_vault_on(&store.cluster, &prefix, &store.name, times).await.unwrap();
        Self { stack, store, prefix, log: None }
    }

    /// What a process of the role would find in its environment.
    pub async fn vault_settings(&self, role: &str) -> VaultSettings {
        let role = format!("{}{role}", self.prefix);
        VaultSettings {
            address: self.stack.vault_address(),
            ca: self.stack.folder().authority(),
            login: LoginMethod::AppRole { role_id: self.stack.role_id(&role).await.unwrap() },
            role,
            mount_prefix: self.prefix.clone(),
        }
    }

    /// Where the database is.
    pub fn database_settings(&self) -> DatabaseSettings {
        DatabaseSettings {
            host: "127.0.0.1".to_owned(),
            port: self.store.cluster.port,
            name: self.store.name.clone(),
            ca: self.stack.folder().authority(),
        }
    }

    /// A fresh wrapped secret id of the role.
    pub async fn wrapped(&self, role: &str) -> SecretString {
        self.stack.wrapped_secret_id(&format!("{}{role}", self.prefix)).await.unwrap()
    }

    /// Logs in as a process of the role does.
    pub async fn login(&self, role: &str) -> Vault {
        let wrapping = WrappingToken::new(self.wrapped(role).await);
        Vault::login(self.vault_settings(role).await, wrapping).await.unwrap()
    }

    /// How many of these users still exist in Postgres.
    #[expect(clippy::disallowed_methods, reason = "a question about the server, not about our schema")]
    pub async fn count_users(&self, names: &[String]) -> i64 {
        let mut session = self.store.superuser().await;
        let counted = sqlx::query_scalar("SELECT count(*) FROM pg_roles WHERE rolname = ANY ($1)").bind(names);
        counted.fetch_one(&mut session).await.unwrap()
    }

    /// The same for a Postgres of the test's own, which goes too.
    pub async fn close_private(self) {
        let cluster = self.store.cluster.clone();
        self.close().await;
        cluster.remove().unwrap();
    }

    /// Removes everything; the invariants hold at the end.
    pub async fn close(self) {
        self.stack.remove_vault_on(&self.store.cluster, &self.prefix).await.unwrap();
        self.store.close().await;
    }
}

/// A wire to Vault that a test can cut, so that Vault is away for one process and nobody else; or slow, or replaced.
pub struct Wire {
    /// Where to connect instead of Vault.
    pub address: String,
    home: String,
    way: watch::Sender<Option<Way>>,
}

/// Where a wire leads, and how long until it does.
#[derive(Clone)]
struct Way {
    target: String,
    delay: Duration,
}

impl Wire {
    /// Lays the wire.
    pub async fn to(vault_address: &str) -> Self {
        let home = vault_address.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let way = watch::Sender::new(Some(Way { target: home.clone(), delay: Duration::ZERO }));
        let watched = way.subscribe();
        tokio::spawn(async move {
            while let Ok((mut inner, _)) = listener.accept().await {
                let mut watched = watched.clone();
                tokio::spawn(async move {
                    let Some(way) = watched.borrow_and_update().clone() else { return };
                    let through = async {
                        tokio::time::sleep(way.delay).await;
                        let Ok(mut outer) = TcpStream::connect(way.target).await else { return };
                        let _ = copy_bidirectional(&mut inner, &mut outer).await;
                    };
                    tokio::select! {
                        () = through => {}
                        _ = watched.changed() => {}
                    }
                });
            }
        });
        Self { address, home, way }
    }

    /// The port of [`Self::address`].
    pub fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Cuts every connection and refuses new ones.
    pub fn cut(&self) {
        self.way.send_replace(None);
    }

    /// Mends it.
    pub fn mend(&self) {
        self.slow(Duration::ZERO);
    }

    /// Cuts every connection, and lets new ones wait so long.
    pub fn slow(&self, delay: Duration) {
        self.way.send_replace(Some(Way { target: self.home.clone(), delay }));
    }

    /// Cuts every connection, and leads new ones to somebody else.
    pub fn lead_to(&self, address: &str) {
        let target = address.trim_start_matches("https://").to_owned();
        self.way.send_replace(Some(Way { target, delay: Duration::ZERO }));
    }
}

/// Waits until the condition holds, for `patience` at most.
pub async fn eventually(patience: Duration, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        if holds().await {
            return true;
        }
        if tokio::time::Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
