//! A database of a test's own, with the product's schema and roles.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool};
use std::sync::Arc;
use vintem_cli::stack::database::keys_of;
use vintem_cli::stack::{Cluster, Stack};
use vintem_core::event_store::Credentials;
use vintem_core::migrations;
use vintem_core::verify::{self, Report, Silent};

/// A fresh database with the schema.
pub struct Store {
    /// Where it lives.
    pub cluster: Cluster,
    /// Its name.
    pub name: String,
}

impl Store {
    /// In the stack's Postgres.
    pub async fn create() -> Self {
        let stack = Stack::load().expect("the development stack must be up: cargo dev up");
        Self::create_in(stack.cluster()).await
    }

    /// In a Postgres that the test may kill.
    pub async fn create_in(cluster: Cluster) -> Self {
        let name = format!("test_{}", vintem_core::event_store::fresh::new_id().simple());
        cluster.create_database(&name).await.unwrap();
        let store = Self { cluster, name };
        let mut owner = store.session("vintem_owner").await;
        migrations::run(&mut owner).await.unwrap();
        store
    }

    /// The database of its people's keys, for tests that have a Vault.
    pub async fn create_keys(&self) {
        self.cluster.create_key_database(&self.name).await.unwrap();
        let mut owner = self.keys_session("vintem_key_owner").await;
        migrations::run_keys(&mut owner).await.unwrap();
    }

    /// A session in it that acts as one of the group roles.
    pub async fn keys_session(&self, role: &str) -> PgConnection {
        let options = self.cluster.superuser_options(&keys_of(&self.name)).options([("role", role)]);
        options.connect().await.unwrap()
    }

    /// Connection options that act as one of the group roles.
    pub fn options(&self, role: &str) -> PgConnectOptions {
        self.cluster.superuser_options(&self.name).options([("role", role)])
    }

    /// A session that acts as one of the group roles.
    pub async fn session(&self, role: &str) -> PgConnection {
        self.options(role).connect().await.unwrap()
    }

    /// A session of the superuser.
    pub async fn superuser(&self) -> PgConnection {
        self.cluster.superuser(&self.name).await.unwrap()
    }

    /// A pool that acts as one of the group roles.
    pub fn pool(&self, role: &str) -> PgPool {
        PgPoolOptions::new().max_connections(4).connect_lazy_with(self.options(role))
    }

    /// What a writer connects with.
    pub fn writer(&self) -> Credentials {
        let options = self.options("vintem_writer");
        Arc::new(move || (1, options.clone()))
    }

    /// What is posted on an account, in minor units.
    #[expect(clippy::disallowed_methods, reason = "a question of a test about a row")]
    pub async fn posted(&self, account: &str) -> i64 {
        let sql = "SELECT e.posted FROM account a JOIN entry e USING (shard, account) WHERE a.name = $1 ORDER BY e.version DESC LIMIT 1";
        sqlx::query_scalar(sql).bind(account).fetch_one(&mut self.superuser().await).await.unwrap()
    }

    /// What `vintem verify` says of the one shard.
    pub async fn verify(&self) -> Report {
        let mut session =
            self.options("vintem_auditor").options([("default_transaction_read_only", "on")]).connect().await.unwrap();
        let report = verify::run(&mut session, 0, &mut Silent).await.unwrap();
        session.close().await.unwrap();
        report
    }

    /// Ends the test: the invariants hold, and nothing stays behind.
    pub async fn close(self) {
        let mut session = self.superuser().await;
        crate::book::check_invariants(&mut session).await;
        session.close().await.unwrap();
        let report = self.verify().await;
        assert!(report.findings.is_empty(), "{:#?}", report.findings);
        self.remove().await;
    }

    /// Ends a test whose ledger is broken on purpose.
    pub async fn remove(self) {
        self.cluster.drop_database(&keys_of(&self.name)).await.unwrap();
        self.cluster.drop_database(&self.name).await.unwrap();
    }
}
