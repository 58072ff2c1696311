//! `vintem tenant …` and `vintem client create` as processes: environment, standard input, exit code.

use crate::system::System;
use serde_json::Value;
use std::process::Output;

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
    const CLIENT: [&str; 8] =
        ["client", "create", "--tenant", "coffee-town", "--name", "till", "--scopes", "ledger:read,ledger:write"];
    let system = System::create("tenant").await;
    let tenant = printed(&system.vintem("operator", &TENANT).await);
    assert_eq!((&tenant["name"], &tenant["shard"]), (&"coffee-town".into(), &0.into()));
    let client = printed(&system.vintem("operator", &CLIENT).await);
    assert_eq!(client["tenant"], tenant["tenant"]);
    assert_eq!(client["scope"], "ledger:read ledger:write");
    assert!(client["client_secret"].as_str().unwrap().starts_with("vtm_"));

    let again = printed(&system.vintem("operator", &TENANT).await);
    assert_eq!((&again["tenant"], &again["done"]), (&tenant["tenant"], &"as it was".into()));
    let elsewhere = ["tenant", "create", "--name", "coffee-town", "--time-zone", "UTC"];
    assert!(complaint(&system.vintem("operator", &elsewhere).await).contains("the name is taken"));
    let set = [
        "tenant",
        "set",
        "coffee-town",
        "--legal-mode",
        "limited-purpose",
        "--asset",
        "BRL",
        "--citizen-asset",
        "BRL",
        "--hostname",
        "coffee.example",
    ];
    let changed = printed(&system.vintem("operator", &set).await);
    assert_eq!((&changed["done"], &changed["legal_mode"]), (&"changed".into(), &"limited-purpose".into()));
    assert_eq!(changed["citizen_asset"], "BRL");
    let suspend = ["tenant", "suspend", "coffee-town", "--reason", "unpaid"];
    assert_eq!(printed(&system.vintem("operator", &suspend).await)["status"], "suspended");
    assert_eq!(printed(&system.vintem("operator", &["tenant", "resume", "coffee-town"]).await)["status"], "active");
    assert_eq!(printed(&system.vintem("operator", &["tenant", "list"]).await).as_array().unwrap().len(), 1);
    let exported = tempfile::tempdir().unwrap();
    let export = ["tenant", "export", "coffee-town", exported.path().to_str().unwrap()];
    let manifest = printed(&system.vintem("auditor", &export).await);
    assert_eq!(manifest["tenant"]["hostnames"], serde_json::json!(["coffee.example"]));
    assert_eq!(printed(&system.vintem("auditor", &export).await), manifest, "done is done");
    assert!(
        complaint(&system.vintem("operator", &["tenant", "show", "tea-town"]).await)
            .contains("the tenant does not exist")
    );
    let unknown = ["client", "create", "--tenant", "tea-town", "--name", "till", "--scopes", "ledger:read"];
    assert!(complaint(&system.vintem("operator", &unknown).await).contains("the tenant does not exist"));
    let nowhere = ["tenant", "create", "--name", "tea-town", "--time-zone", "Atlantis"];
    assert!(complaint(&system.vintem("operator", &nowhere).await).contains("IANA"));

    let spent = system.vintem_with("operator", &TENANT, &[], "hvs.spent").await;
    let spent = complaint(&spent);
    assert!(spent.contains("wrapping token is not acceptable") && !spent.contains("hvs.spent"), "{spent}");
    assert!(complaint(&system.vintem_with("operator", &TENANT, &[], "").await).contains("the line is empty"));
    let password = [("VINTEM_DATABASE_PASSWORD", "hunter2"), ("VINTEM_DATABASE_PORT", "many")];
    let refused = complaint(&system.vintem_with("operator", &TENANT, &password, "").await);
    assert!(
        refused.contains("VINTEM_DATABASE_PASSWORD is not a setting") && refused.contains("not a port number"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"), "{refused}");
    system.remove().await;
}

#[tokio::test]
async fn keys_of_clients_are_public_and_all_tokens_end_at_once() {
    const TENANT: [&str; 6] = ["tenant", "create", "--name", "coffee-town", "--time-zone", "America/Sao_Paulo"];
    let system = System::create("tokens").await;
    let tenant = printed(&system.vintem("operator", &TENANT).await);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // The key of RFC 8037, and the same with its private half.
    let public = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let private = public.replace('}', r#","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#);
    let with_key = |name: &str, path: String| {
        let fixed = ["client", "create", "--tenant", "coffee-town", "--scopes", "ledger:read", "--name"];
        let own = [name.to_owned(), "--dpop-key".to_owned(), path];
        fixed.map(str::to_owned).into_iter().chain(own).collect::<Vec<String>>()
    };
    let create = async |arguments: Vec<String>| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        system.vintem("operator", &arguments).await
    };
    let app = printed(&create(with_key("app", file("public.jwk", public))).await);
    assert_eq!(app["dpop_key"], "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let refused = complaint(&create(with_key("other", file("private.jwk", &private))).await);
    assert!(refused.contains("holds a private key") && !refused.contains("nWGxne"), "{refused}");
    let refused = complaint(&create(with_key("other", file("none.jwk", "-----BEGIN PUBLIC KEY-----"))).await);
    assert!(refused.contains("holds no public key"), "{refused}");

    let revoked = printed(&system.vintem("operator", &["tokens", "revoke-all", "--tenant", "coffee-town"]).await);
    assert_eq!(revoked["tenant"], tenant["tenant"]);
    let revoked = printed(&system.vintem("operator", &["tokens", "revoke-all"]).await);
    assert_eq!(revoked["tenant"], tenant["tenant"]);
    let unknown = complaint(&system.vintem("operator", &["tokens", "revoke-all", "--tenant", "nowhere"]).await);
    assert!(unknown.contains("the tenant does not exist"), "{unknown}");
    system.remove().await;
}
