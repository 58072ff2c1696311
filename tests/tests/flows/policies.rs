//! Least privilege in Vault and in RabbitMQ: every process can do what its rows of `vault-policies/README.md` say, and
//! nothing of what stands in the rows of others. Nothing here names a row: a new one is tested because it is there.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use vintem_cli::stack::pki;
use vintem_cli::stack::policy::{APP_ROLES, SUPERVISOR, place, render};
use vintem_cli::stack::vault::{Vault, VaultError};
use vintem_tests::certificates::Authority;
use vintem_tests::policies::{Grants, reviewed, reviewed_broker, written};
use vintem_tests::server::Worker;
use vintem_tests::vault::{Secrets, eventually};
use vintem_tests::workers::Plant;

/// What is nobody's, beside everything that is only somebody else's.
const NOBODYS: [&str; 40] = [
    "sys/mounts",
    "sys/mounts/kv",
    "sys/remount",
    "sys/auth",
    "sys/auth/approle",
    "sys/audit",
    "sys/audit/file",
    "sys/policies/acl",
    "sys/policies/acl/api",
    "sys/policies/acl/root",
    "sys/seal",
    "sys/rotate",
    "sys/leases/lookup/database/creds/writer",
    "sys/leases/revoke-prefix/database/creds",
    "sys/leases/revoke-force/database/creds",
    "sys/plugins/catalog/database/postgresql-database-plugin",
    "sys/storage/raft/snapshot",
    "auth/token/create",
    "auth/token/create-orphan",
    "auth/approle/role/api",
    "auth/approle/role/api/role-id",
    "auth/approle/role/auditor/secret-id",
    "identity/entity",
    "database/config/ledger",
    "database/roles/writer",
    "database/rotate-root/ledger",
    "kv/metadata/token-signing",
    "kv/destroy/token-signing",
    "transit/keys/webhooks",
    "transit/export/encryption-key/webhooks",
    "transit/keys/webhooks/config",
    "rabbitmq/config/connection",
    "pki/issue/service-api",
    "pki/sign/service-vault",
    "pki/sign/terminal",
    "pki/sign-verbatim",
    "pki/roles/service-api",
    "pki/config/crl",
    "pki/root",
    "pki/config/issuers",
];

#[test]
fn the_table_says_what_the_files_say() {
    let (reviewed, written) = (reviewed(), written());
    assert_eq!(reviewed, written);
    let installed: BTreeSet<&str> = APP_ROLES.iter().map(|(name, _)| *name).chain(["supervisor"]).collect();
    assert_eq!(installed, reviewed.keys().map(String::as_str).collect(), "each file has its AppRole");
}

#[tokio::test]
async fn each_process_may_do_what_is_in_its_rows_and_nothing_of_the_others() {
    let plant = Plant::create().await;
    let secrets = &plant.secrets;
    let administrator = secrets.stack.vault().await.unwrap();
    let authority = Authority::create(&secrets.stack, &secrets.prefix, pki::SERVICE_LIFE).await;
    let supervisor = format!("sys/policies/acl/{}supervisor", secrets.prefix);
    administrator.write(&supervisor, json!({ "policy": render(SUPERVISOR, &secrets.prefix) })).await.unwrap();
    let grants = reviewed();
    let everything: BTreeMap<&str, BTreeSet<&str>> = everything(&grants);
    for (process, rows) in &grants {
        let token = token_of(secrets, process).await;
        assert_capabilities(secrets, process, &token, rows, &everything).await;
        let own = administrator.with_token(token);
        for (path, capabilities) in &everything {
            let granted = rows.get(*path);
            for capability in capabilities {
                let is_granted = granted.is_some_and(|granted| granted.contains(*capability));
                let is_done = tries(&own, &place(path, &secrets.prefix), capability).await;
                assert_eq!(is_done, is_granted, "{process}: {capability} {path}");
            }
        }
    }
    administrator.delete(&supervisor).await.unwrap();
    authority.remove(&secrets.stack).await;
    plant.close().await;
}

/// Every path of the table, with everything that anybody may do with it, and what is nobody's.
fn everything(grants: &Grants) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut everything: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, capabilities) in grants.values().flatten() {
        everything.entry(path).or_default().extend(capabilities.iter().map(String::as_str));
    }
    for path in NOBODYS {
        everything.entry(path).or_insert_with(|| ["read", "update"].into());
    }
    everything
}

/// Asks Vault itself, for every path at once: also of what is never tried here, such as deleting.
async fn assert_capabilities(
    secrets: &Secrets,
    process: &str,
    token: &SecretString,
    rows: &BTreeMap<String, BTreeSet<String>>,
    everything: &BTreeMap<&str, BTreeSet<&str>>,
) {
    let placed: Vec<String> = everything.keys().map(|path| place(path, &secrets.prefix)).collect();
    let question = json!({ "token": token.expose_secret(), "paths": placed });
    let answer = secrets.stack.vault().await.unwrap().write("sys/capabilities", question).await.unwrap();
    for (path, placed) in everything.keys().zip(&placed) {
        let has: BTreeSet<String> = serde_json::from_value(answer["data"][placed].clone()).unwrap();
        let should = rows.get(*path).cloned().unwrap_or_else(|| ["deny".to_owned()].into());
        assert_eq!(has, should, "{process}: {path}");
    }
}

/// Whether Vault lets it through; what it then makes of an empty question is another matter.
async fn tries(vault: &Vault, path: &str, capability: &str) -> bool {
    let role = path.strip_prefix("auth/approle/role/").and_then(|path| path.strip_suffix("/secret-id"));
    let tried = match (role, capability) {
        (Some(role), _) => {
            let bare = vault.write(path, json!({})).await;
            assert!(is_refused(&bare), "{path} answers without a wrapping");
            vault.wrapped_secret_id(role).await.map(|_| Value::Null)
        }
        (None, "read") => vault.get(path).await,
        (None, "create" | "update") => vault.write(path, json!({})).await,
        (None, other) => panic!("{other} is a grant that this test does not know how to try"),
    };
    !is_refused(&tried)
}

/// Forbidden, or nothing that anybody could do there.
fn is_refused<T>(answer: &Result<T, VaultError>) -> bool {
    answer.as_ref().is_err_and(|error| error.status().is_some_and(|status| status == 403 || status == 405))
}

/// Logs in as the process.
async fn token_of(secrets: &Secrets, process: &str) -> SecretString {
    let vault = secrets.stack.vault().await.unwrap();
    let name = format!("{}{process}", secrets.prefix);
    let answer = if process == "supervisor" {
        vault.write("auth/token/create-orphan", json!({ "policies": [name], "ttl": "5m" })).await
    } else {
        let made = vault.write(&format!("auth/approle/role/{name}/secret-id"), json!({})).await.unwrap();
        let role = secrets.stack.role_id(&name).await.unwrap();
        let login = json!({ "role_id": role, "secret_id": made["data"]["secret_id"] });
        vault.write("auth/approle/login", login).await
    };
    answer.unwrap()["auth"]["client_token"].as_str().unwrap().into()
}

#[tokio::test]
async fn users_of_the_broker_may_do_what_the_table_says() {
    let plant = Plant::create().await;
    let vault = plant.secrets.stack.vault().await.unwrap();
    for [role, configure, write, read] in reviewed_broker() {
        let lease = vault.get(&format!("{}rabbitmq/creds/{role}", plant.secrets.prefix)).await.unwrap();
        let user = lease["data"]["username"].as_str().unwrap();
        let listed = |verb: &str| {
            let arguments = ["--quiet", "--no-table-headers", verb, user];
            let arguments = &arguments[..if verb == "list_users" { 3 } else { 4 }];
            plant.node.control(arguments, None).unwrap()
        };
        let expected = format!("{}\t{configure}\t{write}\t{read}", plant.virtual_host);
        assert_eq!(listed("list_user_permissions").trim(), expected, "{role}, in no other virtual host");
        let users = listed("list_users");
        let tags = users.lines().find_map(|line| line.strip_prefix(user)).unwrap();
        assert_eq!(tags.trim(), "[]", "{role} administers nothing");
    }
    let has_role = vault.get(&format!("{}rabbitmq/creds/another", plant.secrets.prefix)).await;
    assert!(has_role.is_err());
    let listed = vault.get(&format!("{}rabbitmq/roles?list=true", plant.secrets.prefix)).await.unwrap();
    let roles: BTreeSet<String> = serde_json::from_value(listed["data"]["keys"].clone()).unwrap();
    assert_eq!(roles, reviewed_broker().into_iter().map(|[role, ..]| role).collect(), "each role has its row");
    plant.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_of_the_worker_works_alone_with_its_own_rights() {
    let plant = Plant::create().await;
    let broker = plant.secrets.stack.broker_environment(&plant.node, &plant.virtual_host);
    for role in ["relay", "projector", "integrators", "clocks", "webhooks"] {
        let mut worker = Worker::start_as(&plant.secrets, role, &broker, &[role]).await;
        let mut said = None;
        let is_ready = eventually(Duration::from_secs(30), async || {
            said = worker.status().await;
            said == Some((200, "ready".to_owned()))
        });
        assert!(is_ready.await, "{role} says {said:?}");
        assert!(worker.terminate().success());
    }
    plant.close().await;
}
