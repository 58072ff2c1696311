//! The door to Vault and its relatives: the same calls against answers that were written down, of Vault 1.21 and as
//! OpenBao 2.6 differs from it; and the login of a cluster, whose Kubernetes is not here.
//!
//! The suite runs on whichever of both the stack found; this keeps the other one from being forgotten. Nothing here proves that
//! OpenBao answers so today, only that we could live with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use vintem_cli::stack::Stack;
use vintem_core::secrets::{LoginMethod, SecretsError, Vault, VaultHealth, VaultSettings, WrappingToken};
use vintem_tests::stub::{Asked, Stub};
use vintem_tests::vault::eventually;

/// A key that was drawn for this.
const KEY: &str = "7mugVN00ehislTQmGSW7ht7o1fXdNon60tPWQWtOi64=";

/// Whose answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Make {
    Vault,
    OpenBao,
}

/// What everything is wrapped in.
fn enveloped(make: Make, mut members: Value) -> Value {
    let mut answer = json!({
        "request_id": "1d0b8f0c-8f0d-5c1c-63a5-3d4f3a9c1f0e", "lease_id": "", "renewable": false, "lease_duration": 0,
        "data": null, "wrap_info": null, "warnings": null, "auth": null,
    });
    if make == Make::Vault {
        answer["mount_type"] = json!("kv");
    }
    answer.as_object_mut().unwrap().append(members.as_object_mut().unwrap());
    answer
}

fn health(make: Make, is_sealed: bool) -> Value {
    let mut health = json!({
        "initialized": true, "sealed": is_sealed, "standby": is_sealed, "server_time_utc": 1_795_860_000,
        "version": "2.6.2", "cluster_name": "vault-cluster-5f2b", "cluster_id": "6b1b5a6f-3f8a-4a50-8a5c-4f0c7d6b1c11",
    });
    if make == Make::Vault {
        let more = json!({
            "performance_standby": false, "replication_performance_mode": "disabled", "replication_dr_mode": "disabled",
            "version": "1.21.2", "enterprise": false, "echo_duration_ms": 0, "clock_skew_ms": 0,
        });
        health.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    health
}

fn forbidden(make: Make) -> (u16, Value) {
    let words = match make {
        Make::Vault => "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n",
        Make::OpenBao => "permission denied",
    };
    (403, json!({ "errors": [words] }))
}

fn authenticated(make: Make) -> Value {
    let token = if make == Make::Vault { "hvs.CAESIBmWyVgR" } else { "s.9rQyAqRGJ1xkT0" };
    json!({ "auth": {
        "client_token": token, "accessor": "7GJr2bJt", "policies": ["api", "default"], "token_policies": ["api", "default"],
        "metadata": { "role_name": "api" }, "lease_duration": 3600, "renewable": true, "entity_id": "e", "token_type": "service",
        "orphan": true, "mfa_requirement": null, "num_uses": 0,
    } })
}

fn answer(make: Make, asked: &Asked) -> (u16, Value) {
    let path = asked.path.split('?').next().unwrap();
    let members = match path.trim_start_matches("/v1/") {
        "sys/health" => return (200, health(make, false)),
        "sys/wrapping/lookup" => json!({ "data": {
            "creation_path": "auth/approle/role/api/secret-id", "creation_time": "2026-11-28T09:00:00.000000000Z", "creation_ttl": 120,
        } }),
        "sys/wrapping/unwrap" => json!({ "data": {
            "secret_id": "3f5e9f6c-0d1c-4a7b-9a55-0e4a1b0c9d77", "secret_id_accessor": "a", "secret_id_num_uses": 20, "secret_id_ttl": 259_200,
        } }),
        "auth/approle/login" | "auth/kubernetes/login" => authenticated(make),
        "kv/data/cursor" => json!({ "data": {
            "data": { "key": KEY },
            "metadata": { "created_time": "2026-11-28T09:00:00Z", "custom_metadata": null, "deletion_time": "", "destroyed": false, "version": 1 },
        } }),
        "transit/encrypt/webhooks" => json!({ "data": { "ciphertext": "vault:v1:AAAA", "key_version": 1 } }),
        _ => return forbidden(make),
    };
    (200, enveloped(make, members))
}

fn settings(stack: &Stack, stub: &Stub, login: LoginMethod) -> VaultSettings {
    let address = stub.address.clone();
    VaultSettings {
        address,
        ca: stack.folder().authority(),
        role: "api".to_owned(),
        login,
        mount_prefix: String::new(),
    }
}

fn app_role() -> LoginMethod {
    LoginMethod::AppRole { role_id: "role".to_owned() }
}

#[tokio::test]
async fn both_makes_are_understood() {
    let stack = Stack::load().expect("the development stack must be up: cargo dev up");
    for make in [Make::Vault, Make::OpenBao] {
        let stub = Stub::serve(&stack, move |asked| answer(make, asked)).await;
        let wrapping = WrappingToken::new(SecretString::from("s.wrapping"));
        let vault = Vault::login(settings(&stack, &stub, app_role()), wrapping).await.unwrap();
        assert_eq!(vault.health().await, VaultHealth::Ready, "{make:?}");
        assert!(vault.token_remaining() > Duration::from_mins(59));
        assert_eq!(STANDARD.encode(*vault.read_key("cursor").await.unwrap()), KEY);
        assert_eq!(vault.seal("webhooks", b"row", b"secret").await.unwrap(), "vault:v1:AAAA");
        let refused = vault.read_key("another").await;
        assert!(matches!(refused, Err(SecretsError::Forbidden { .. })), "{make:?}: {refused:?}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_says_sealed_is_believed() {
    let stack = Stack::load().expect("the development stack must be up: cargo dev up");
    for make in [Make::Vault, Make::OpenBao] {
        let status = Arc::new(AtomicU16::new(200));
        let told = status.clone();
        let stub = Stub::serve(&stack, move |asked| match told.load(Ordering::Relaxed) {
            200 => answer(make, asked),
            // Busy once, and then not.
            429 => {
                told.store(200, Ordering::Relaxed);
                (429, json!({ "errors": ["request rate limit exceeded"] }))
            }
            503 if asked.path.starts_with("/v1/sys/health") => (503, health(make, true)),
            503 => (503, json!({ "errors": ["Vault is sealed"] })),
            other => (other, json!({ "errors": ["internal error"] })),
        })
        .await;
        let wrapping = WrappingToken::new(SecretString::from("s.wrapping"));
        let vault = Vault::login(settings(&stack, &stub, app_role()), wrapping).await.unwrap();
        status.store(429, Ordering::Relaxed);
        assert!(vault.read_key("cursor").await.is_ok());
        status.store(500, Ordering::Relaxed);
        let before = stub.count("/v1/kv");
        let refused = vault.read_key("cursor").await;
        assert!(matches!(refused, Err(SecretsError::Status { status: 500, .. })), "{refused:?}");
        assert_eq!(stub.count("/v1/kv") - before, 3, "tried three times");
        status.store(503, Ordering::Relaxed);
        assert_eq!(vault.health().await, VaultHealth::Sealed);
        for _ in 0..10 {
            let refused = vault.read_key("cursor").await;
            assert!(matches!(refused, Err(SecretsError::Sealed { .. })), "{refused:?}");
        }
        assert!(stub.count("/v1/kv") - before < 10, "a circuit that is open spares the calls");
        assert!(vault.metrics().contains("vault_serves 0"), "{}", vault.metrics());
        status.store(200, Ordering::Relaxed);
        let is_back = eventually(Duration::from_secs(10), async || vault.read_key("cursor").await.is_ok());
        assert!(is_back.await && vault.metrics().contains("vault_serves 1"), "{}", vault.metrics());
    }
}

#[tokio::test]
async fn in_a_cluster_the_token_of_the_service_account_is_read_anew_at_each_login() {
    // Vault's Kubernetes login asks the cluster about the token, which cannot run here; what is tested is our half.
    let stack = Stack::load().expect("the development stack must be up: cargo dev up");
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "eyJ.first").unwrap();
    let stub = Stub::serve(&stack, move |asked| answer(Make::Vault, asked)).await;
    let login = LoginMethod::Kubernetes { token_file: file.path().to_owned() };
    let vault = Vault::connect(settings(&stack, &stub, login)).await.unwrap();
    assert_eq!(STANDARD.encode(*vault.read_key("cursor").await.unwrap()), KEY);
    std::fs::write(file.path(), "eyJ.second\n").unwrap();
    // A refusal makes it doubt its token, and here renewing is refused as well.
    assert!(vault.read_key("another").await.is_err());
    let logins = || {
        let asked = stub.asked.lock().unwrap();
        let logins = asked.iter().filter(|asked| asked.path == "/v1/auth/kubernetes/login");
        logins.map(|asked| asked.body.clone()).collect::<Vec<_>>()
    };
    assert!(eventually(Duration::from_secs(15), async || logins().len() >= 2).await);
    assert_eq!(logins()[0], json!({ "role": "api", "jwt": "eyJ.first" }));
    assert_eq!(logins()[1], json!({ "role": "api", "jwt": "eyJ.second" }));
    assert_eq!(stub.count("/v1/sys/wrapping"), 0);
}
