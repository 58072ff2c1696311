//! `vintem tenant create` and `vintem client create` as processes: environment, standard input, exit code.

#![expect(clippy::unwrap_used, reason = "a helper of a test that cannot go on may panic")]

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::process::{Output, Stdio};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use vintem_cli::stack::Stack;
use vintem_core::migrations;
use vintem_core::secrets::{DatabaseRole, DatabaseSettings, LeasedDatabase, Vault, VaultSettings, WrappingToken};

struct System {
    stack: Stack,
    prefix: String,
    database: String,
    environment: Vec<(String, String)>,
}

impl System {
    async fn create() -> Self {
        let stack = Stack::load().unwrap();
        let (database, prefix) = (format!("tenant_{}", std::process::id()), format!("tenant{}-", std::process::id()));
        stack.create_database(&database).await.unwrap();
        stack.provision_vault(&prefix, &database).await.unwrap();
        let environment = stack.environment(&stack.cluster(), &prefix, "operator", &database).await.unwrap();
        let system = Self { stack, prefix, database, environment };
        system.migrate().await;
        system
    }

    /// Runs the migrations as the leased migrator, which acts as the owner.
    async fn migrate(&self) {
        let role = format!("{}migrator", self.prefix);
        let ca = self.stack.folder().authority();
        let settings = VaultSettings {
            address: self.stack.vault_address(),
            ca: ca.clone(),
            role_id: self.stack.role_id(&role).await.unwrap(),
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

    /// The command as an operator runs it, with a fresh token on its standard input.
    async fn vintem(&self, arguments: &[&str]) -> Output {
        let token = self.wrapped("operator").await;
        self.vintem_with(arguments, &[], token.expose_secret()).await
    }

    async fn vintem_with(&self, arguments: &[&str], more: &[(&str, &str)], line: &str) -> Output {
        let mut process = Command::new(env!("CARGO_BIN_EXE_vintem"))
            .args(arguments)
            .env_clear()
            .envs(self.environment.clone())
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

    async fn remove(self) {
        self.stack.remove_vault(&self.prefix).await.unwrap();
        self.stack.drop_database(&self.database).await.unwrap();
    }
}

fn printed(output: &Output) -> Value {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success() && output.stdout.is_empty());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn an_operator_creates_a_tenant_and_a_client_whose_secret_is_shown_once() {
    const TENANT: [&str; 6] = ["tenant", "create", "--name", "coffee-town", "--time-zone", "America/Sao_Paulo"];
    const CLIENT: [&str; 8] = ["client", "create", "--tenant", "coffee-town", "--name", "till", "--scopes", "ledger:read,ledger:write"];
    let system = System::create().await;
    let tenant = printed(&system.vintem(&TENANT).await);
    assert_eq!((&tenant["name"], &tenant["shard"]), (&"coffee-town".into(), &0.into()));
    let client = printed(&system.vintem(&CLIENT).await);
    assert_eq!(client["tenant"], tenant["tenant"]);
    assert_eq!(client["scope"], "ledger:read ledger:write");
    assert!(client["client_secret"].as_str().unwrap().starts_with("vtm_"));

    assert!(complaint(&system.vintem(&TENANT).await).contains("the name is taken"));
    let unknown = ["client", "create", "--tenant", "tea-town", "--name", "till", "--scopes", "ledger:read"];
    assert!(complaint(&system.vintem(&unknown).await).contains("the tenant does not exist"));
    let nowhere = ["tenant", "create", "--name", "tea-town", "--time-zone", "Atlantis"];
    assert!(complaint(&system.vintem(&nowhere).await).contains("IANA"));

    let spent = system.vintem_with(&TENANT, &[], "hvs.spent").await;
    let spent = complaint(&spent);
    assert!(spent.contains("wrapping token is not acceptable") && !spent.contains("hvs.spent"), "{spent}");
    assert!(complaint(&system.vintem_with(&TENANT, &[], "").await).contains("the line is empty"));
    let password = [("VINTEM_DATABASE_PASSWORD", "hunter2"), ("VINTEM_DATABASE_PORT", "many")];
    let refused = complaint(&system.vintem_with(&TENANT, &password, "").await);
    assert!(refused.contains("VINTEM_DATABASE_PASSWORD is not a setting") && refused.contains("not a port number"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
    system.remove().await;
}
