//! The door to Vault against a real Vault: login, leases, renewal, rotation, and Vault away.

use secrecy::SecretString;
use serde_json::json;
use sqlx::{ConnectOptions as _, Connection as _};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;
use vintem_cli::stack::LeaseTimes;
use vintem_core::access::SigningKeys;
use vintem_core::secrets::{DatabaseRole, KeyRing, LeasedDatabase, SecretsError, Vault, VaultHealth, WrappingToken};
use vintem_tests::vault::{Secrets, Wire, eventually};

#[tokio::test]
async fn a_process_logs_in_reads_its_keys_and_leases_its_users() {
    let secrets = Secrets::create().await;
    let vault = secrets.login("api").await;
    assert_eq!(vault.health().await, VaultHealth::Ready);
    assert!(vault.token_remaining() > Duration::from_mins(30));
    let keys: KeyRing = vault.read("token-signing").await.unwrap();
    assert!(SigningKeys::try_new(&keys).is_ok());
    assert_ne!(*vault.read_key("cursor").await.unwrap(), [0; 32]);
    assert!(matches!(vault.read_key("another").await, Err(SecretsError::Forbidden { .. })));

    let database =
        LeasedDatabase::connect(&vault, &secrets.database_settings(), DatabaseRole::Reader, 4).await.unwrap();
    let (user, is_reader, is_tls, is_read_only): (String, bool, bool, String) = sqlx::query_as(
        "SELECT session_user::text, pg_has_role(session_user, 'vintem_reader', 'member'),
                (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), current_setting('default_transaction_read_only')",
    )
    .fetch_one(database.pool())
    .await
    .unwrap();
    assert!(user.starts_with("v-") && is_reader && is_tls, "{user}");
    assert_eq!(is_read_only, "on");
    let (generation, options) = database.current();
    assert_eq!(generation, 1);
    options.connect().await.unwrap().close().await.unwrap();
    let refused = LeasedDatabase::connect(&vault, &secrets.database_settings(), DatabaseRole::Operator, 1).await;
    assert!(matches!(refused, Err(SecretsError::Forbidden { .. })), "the API's policy ends at its own roles");

    let users = [user];
    assert_eq!(secrets.count_users(&users).await, 1);
    database.close().await;
    vault.logout().await;
    let gone = eventually(Duration::from_secs(10), async || secrets.count_users(&users).await == 0).await;
    assert!(gone, "logging out ends the lease, and Vault drops the user");
    secrets.close().await;
}

#[tokio::test]
async fn a_wrapping_token_is_good_once_and_for_its_own_role() {
    let secrets = Secrets::create().await;
    let settings = secrets.vault_settings("api").await;
    let login = async |token: &SecretString| Vault::login(settings.clone(), WrappingToken::new(token.clone())).await;
    let token = secrets.wrapped("api").await;
    assert!(login(&token).await.is_ok());
    let spent = login(&token).await.unwrap_err();
    assert!(matches!(spent, SecretsError::WrappingTokenRejected { .. }), "{spent}");
    // A genuine token that wraps another role's secret id: what a thief would slip in.
    let foreign = login(&secrets.wrapped("migrator").await).await.unwrap_err();
    assert!(matches!(foreign, SecretsError::WrappingTokenRejected { .. }), "{foreign}");
    assert!(foreign.to_string().contains("our role"), "{foreign}");
    let invented = login(&SecretString::from("hvs.invented")).await.unwrap_err();
    assert!(matches!(invented, SecretsError::WrappingTokenRejected { .. }), "{invented}");
    secrets.close().await;
}

#[tokio::test]
async fn a_strange_authority_is_not_trusted() {
    let secrets = Secrets::create().await;
    let own = tempfile::NamedTempFile::new().unwrap();
    let wrapping = || async { WrappingToken::new(secrets.wrapped("api").await) };
    let mut settings = secrets.vault_settings("api").await;
    settings.ca = own.path().to_owned();
    let error = Vault::login(settings.clone(), wrapping().await).await.unwrap_err();
    assert!(matches!(error, SecretsError::Setup { .. }), "{error}");
    settings.ca = "/nowhere/ca.pem".into();
    let error = Vault::login(settings, wrapping().await).await.unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    secrets.close().await;
}

/// Many callers use a pool while its users come and go; returns the users that served them.
async fn users_under_load(database: &LeasedDatabase, time: Duration) -> Vec<String> {
    let users = Arc::new(Mutex::new(BTreeSet::new()));
    let stop = Arc::new(AtomicBool::new(false));
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let (pool, users, stop) = (database.pool().clone(), Arc::clone(&users), Arc::clone(&stop));
        callers.spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let user: String = sqlx::query_scalar("SELECT session_user::text").fetch_one(&pool).await.unwrap();
                users.lock().unwrap().insert(user);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
    }
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    callers.join_all().await;
    users.lock().unwrap().iter().cloned().collect()
}

#[tokio::test]
async fn a_pool_outlives_its_users_without_a_failed_query() {
    // A user lives for 6 s, with renewals for 12 s: it must be replaced several times.
    let secrets = Secrets::with(LeaseTimes { default_s: 6, max_s: 12 }).await;
    let vault = secrets.login("api").await;
    let database =
        LeasedDatabase::connect(&vault, &secrets.database_settings(), DatabaseRole::Reader, 4).await.unwrap();
    let users = users_under_load(&database, Duration::from_secs(40)).await;
    let state = *database.state().borrow();
    assert!(users.len() >= 3 && state.generation >= 3, "{users:?}, {state:?}");
    assert!(!state.failing);
    assert!(secrets.count_users(&users).await <= 2, "Vault drops the users that were replaced");
    database.close().await;
    vault.logout().await;
    secrets.close().await;
}

#[tokio::test]
async fn a_token_that_nears_its_end_is_replaced_and_the_users_with_it() {
    let secrets = Secrets::create().await;
    let role = format!("auth/approle/role/{}api", secrets.prefix);
    let short = json!({ "token_period": 0, "token_ttl": "4s", "token_max_ttl": "8s" });
    secrets.stack.vault().await.unwrap().write(&role, short).await.unwrap();
    let vault = secrets.login("api").await;
    // The lease would last an hour, but it hangs on a token of seconds.
    let database =
        LeasedDatabase::connect(&vault, &secrets.database_settings(), DatabaseRole::Writer, 4).await.unwrap();
    let users = users_under_load(&database, Duration::from_secs(30)).await;
    assert!(users.len() >= 3, "{users:?}");
    assert!(vault.read_key("cursor").await.is_ok());
    database.close().await;
    vault.logout().await;
    secrets.close().await;
}

#[tokio::test]
async fn with_vault_away_the_leased_goes_on_and_all_heals_afterwards() {
    let secrets = Secrets::with(LeaseTimes { default_s: 8, max_s: 3_600 }).await;
    let wire = Wire::to(&secrets.stack.vault_address()).await;
    let mut settings = secrets.vault_settings("api").await;
    settings.address = wire.address.clone();
    let vault = Vault::login(settings, WrappingToken::new(secrets.wrapped("api").await)).await.unwrap();
    let database =
        LeasedDatabase::connect(&vault, &secrets.database_settings(), DatabaseRole::Reader, 2).await.unwrap();
    let serves = async || sqlx::query_scalar::<_, i32>("SELECT 1").fetch_one(database.pool()).await.is_ok();
    wire.cut();
    assert_eq!(vault.health().await, VaultHealth::Unreachable);
    assert!(matches!(vault.read_key("cursor").await, Err(SecretsError::Unreachable { .. })));
    assert!(serves().await, "what is leased goes on");
    let reported = async || database.state().borrow().failing;
    assert!(eventually(Duration::from_secs(15), reported).await, "a renewal that fails is reported");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(database.state().borrow().expires_at < tokio::time::Instant::now(), "the user has ended by now");
    wire.mend();
    let healed = async || serves().await && !database.state().borrow().failing;
    assert!(eventually(Duration::from_secs(20), healed).await, "a new user takes over by itself");
    assert!(vault.read_key("cursor").await.is_ok());
    database.close().await;
    vault.logout().await;
    secrets.close().await;
}
