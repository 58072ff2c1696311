//! The library of the stack against the running stack (`cargo dev test` sees to it that it runs).

use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, Executor, PgConnection, Row};
use vintem_cli::stack::vault::Vault;
use vintem_cli::stack::{Cluster, Stack, StackError};

/// What a process does at its start: unwrap, log in, lease a database user.
async fn log_in(stack: &Stack, prefix: &str, role: &str) -> Vault {
    let app_role = format!("{prefix}{role}");
    let wrapped = stack.wrapped_secret_id(&app_role).await.unwrap();
    let bare = Vault::new(&stack.vault_address(), &[&stack.folder().authority()]).unwrap();
    let unwrapped = bare.with_token(wrapped).write("sys/wrapping/unwrap", json!({})).await.unwrap();
    let secret_id = unwrapped.pointer("/data/secret_id").unwrap();
    let login = json!({ "role_id": stack.role_id(&app_role).await.unwrap(), "secret_id": secret_id });
    let answer = bare.write("auth/approle/login", login).await.unwrap();
    bare.with_token(answer.pointer("/auth/client_token").unwrap().as_str().unwrap().to_owned().into())
}

async fn lease(
    stack: &Stack,
    cluster: &Cluster,
    vault: &Vault,
    path: &str,
    database: &str,
) -> Result<PgConnection, sqlx::Error> {
    let answer = vault.get(path).await.unwrap();
    let member = |name: &str| answer.pointer(name).unwrap().as_str().unwrap().to_owned();
    let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(cluster.port).database(database);
    let options = options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(stack.folder().authority());
    PgConnection::connect_with(&options.username(&member("/data/username")).password(&member("/data/password"))).await
}

#[tokio::test]
async fn a_test_gets_a_database_and_secrets_of_its_own() {
    let stack = Stack::load().unwrap();
    let (database, prefix) = (format!("own_{}", std::process::id()), format!("own{}-", std::process::id()));
    stack.create_database(&database).await.unwrap();
    stack.cluster().create_key_database(&database).await.unwrap();
    stack.provision_vault(&prefix, &database).await.unwrap();
    let cluster = stack.cluster();

    let migrator = log_in(&stack, &prefix, "migrator").await;
    let mut session =
        lease(&stack, &cluster, &migrator, &format!("{prefix}database/creds/migrator"), &database).await.unwrap();
    session.execute("CREATE TABLE made (id int)").await.unwrap();
    let owned = "SELECT FROM pg_tables WHERE tablename = 'made' AND tableowner = 'vintem_owner'";
    assert!(session.fetch_optional(owned).await.unwrap().is_some(), "what the migrator makes belongs to the group");
    session.close().await.unwrap();

    let api = log_in(&stack, &prefix, "api").await;
    let mut session =
        lease(&stack, &cluster, &api, &format!("{prefix}database/creds/reader"), &database).await.unwrap();
    assert!(session.execute("SELECT FROM made").await.is_err(), "a reader has only what was granted");
    session.close().await.unwrap();
    assert!(
        lease(&stack, &cluster, &api, &format!("{prefix}database/creds/writer"), "vintem").await.is_ok(),
        "members of the group may open it"
    );
    assert_eq!(
        api.get("database/creds/reader").await.unwrap_err().status().unwrap(),
        403,
        "the stack's own engine is out of reach"
    );
    assert_eq!(api.get(&format!("{prefix}database/creds/operator")).await.unwrap_err().status().unwrap(), 403);
    let key = api.get(&format!("{prefix}kv/data/token-signing")).await.unwrap();
    assert_eq!(key.pointer("/data/data/current"), key.pointer("/data/data/keys/0/kid"));

    stack.remove_vault(&prefix).await.unwrap();
    stack.drop_database(&database).await.unwrap();
    assert!(!cluster.has_database(&database).await.unwrap());
    assert!(!cluster.has_role(&format!("{prefix}vault")).await.unwrap());
}

#[tokio::test]
async fn the_supervisor_can_mint_wrapped_secret_ids_and_nothing_else() {
    let stack = Stack::load().unwrap();
    let root = stack.vault().await.unwrap();
    let body = json!({ "policies": ["supervisor"], "ttl": "1m", "no_default_policy": true });
    let answer = root.write("auth/token/create-orphan", body).await.unwrap();
    let supervisor = root.with_token(answer.pointer("/auth/client_token").unwrap().as_str().unwrap().to_owned().into());
    assert!(!supervisor.wrapped_secret_id("api").await.unwrap().expose_secret().is_empty());
    assert_eq!(
        supervisor.write("auth/approle/role/api/secret-id", json!({})).await.unwrap_err().status().unwrap(),
        403
    );
    assert!(supervisor.wrapped_secret_id("operator").await.is_err());
    assert!(supervisor.get("database/creds/writer").await.is_err());
}

#[tokio::test]
async fn a_private_server_survives_a_crash_and_leaves_nothing() {
    let stack = Stack::load().unwrap();
    let cluster = stack.private_cluster(&format!("crash{}", std::process::id())).await.unwrap();
    cluster.create_database("kept").await.unwrap();
    cluster.crash();
    assert!(cluster.superuser("kept").await.is_err());
    cluster.start().await.unwrap();
    assert!(cluster.has_database("kept").await.unwrap());
    let mut session = cluster.superuser("kept").await.unwrap();
    let checksums = session.fetch_one("SHOW data_checksums").await.unwrap();
    assert_eq!(checksums.get::<&str, _>(0), "on");
    cluster.remove().unwrap();
    assert!(!cluster.folder.exists());
}

#[tokio::test]
async fn nobody_enters_as_superuser_over_tcp() {
    let stack = Stack::load().unwrap();
    let options =
        PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(stack.cluster().port).username("postgres");
    for mode in [PgSslMode::Disable, PgSslMode::Require] {
        let error = PgConnection::connect_with(&options.clone().ssl_mode(mode)).await.unwrap_err();
        assert!(error.to_string().contains("pg_hba.conf rejects"), "{error}");
    }
    let error = stack.create_database("Robert'); DROP TABLE students").await.unwrap_err();
    assert!(matches!(error, StackError::Name(_)));
}
