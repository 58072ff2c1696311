//! A stack of a test's own, in which commands run as processes: environment, standard input, exit code.

use secrecy::{ExposeSecret, SecretString};
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use vintem_cli::stack::Stack;
use vintem_core::migrations;
use vintem_core::secrets::{
    DatabaseRole, DatabaseSettings, LeasedDatabase, LoginMethod, Vault, VaultSettings, WrappingToken,
};

/// A database, mounts and roles of its own.
pub struct System {
    /// The development stack.
    pub stack: Stack,
    /// The name of the database.
    pub database: String,
    prefix: String,
}

impl System {
    /// Makes one; `name` keeps the tests of one process apart.
    pub async fn create(name: &str) -> Self {
        let stack = Stack::load().unwrap();
        let (database, prefix) = (format!("{name}_{}", std::process::id()), format!("{name}{}-", std::process::id()));
        stack.create_database(&database).await.unwrap();
        stack.cluster().create_key_database(&database).await.unwrap();
        stack.provision_vault(&prefix, &database).await.unwrap();
        let system = Self { stack, database, prefix };
        // Boxed, for it would make every test's future large.
        Box::pin(system.migrate()).await;
        system
    }

    /// Runs the migrations as the leased migrator, which acts as the owner.
    async fn migrate(&self) {
        let role = format!("{}migrator", self.prefix);
        let ca = self.stack.folder().authority();
        let settings = VaultSettings {
            address: self.stack.vault_address(),
            ca: ca.clone(),
            login: LoginMethod::AppRole { role_id: self.stack.role_id(&role).await.unwrap() },
            role,
            mount_prefix: self.prefix.clone(),
        };
        let vault = Vault::login(settings, WrappingToken::new(self.wrapped("migrator").await)).await.unwrap();
        let port = self.stack.cluster().port;
        let place = DatabaseSettings { host: "127.0.0.1".to_owned(), port, name: self.database.clone(), ca };
        let database = LeasedDatabase::connect(&vault, &place, DatabaseRole::Migrator, 1).await.unwrap();
        migrations::run(&mut database.pool().acquire().await.unwrap()).await.unwrap();
        database.close().await;
        vault.logout().await;
    }

    async fn wrapped(&self, role: &str) -> SecretString {
        self.stack.wrapped_secret_id(&format!("{}{role}", self.prefix)).await.unwrap()
    }

    /// The command as the role runs it, with a fresh token on its standard input.
    pub async fn vintem(&self, role: &str, arguments: &[&str]) -> Output {
        let token = self.wrapped(role).await;
        self.vintem_with(role, arguments, &[], token.expose_secret()).await
    }

    /// The command with other settings, and something else on its standard input.
    pub async fn vintem_with(&self, role: &str, arguments: &[&str], more: &[(&str, &str)], line: &str) -> Output {
        let environment =
            self.stack.environment(&self.stack.cluster(), &self.prefix, role, &self.database).await.unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_vintem"))
            .args(arguments)
            .env_clear()
            .envs(environment)
            .envs(more.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A process that refuses its settings does not read; then the pipe is closed, and that is fine.
        let _ = process.stdin.take().unwrap().write_all(format!("{line}\n").as_bytes()).await;
        process.wait_with_output().await.unwrap()
    }

    /// Leaves nothing behind.
    pub async fn remove(self) {
        self.stack.remove_vault(&self.prefix).await.unwrap();
        self.stack.drop_database(&self.database).await.unwrap();
    }
}
