//! What the processes find in Vault: engines, roles, AppRoles, policies, keys.
//!
//! One set without a prefix for the stack itself; a test makes a set with a prefix of its own, for a database of
//! its own, and cannot reach anybody else's. Every step looks before it makes, so that a run that was
//! interrupted is finished by the next one.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use vintem_core::access::generate_signing_key;
use vintem_core::secrets::KeyRing;
use vintem_core::telemetry::clock;
use vintem_core::webhooks::signature;

use super::broker_users;
use super::cluster::Cluster;
use super::database::{GROUPS, KEY_GROUPS, check_name, keys_of};
use super::error::StackError;
use super::policy::{APP_ROLES, SERVERS, SUPERVISOR, render};
use super::state::State;
use super::vault::{Vault, VaultError, text};
use super::vault_node::Node;

/// The plugin that speaks Postgres.
const PLUGIN: &str = "postgresql-database-plugin";

/// How long a leased database user lives.
#[derive(Debug, Clone, Copy)]
pub struct LeaseTimes {
    /// Without renewal.
    pub default_s: u32,
    /// With renewals.
    pub max_s: u32,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self { default_s: 60 * 60, max_s: 24 * 60 * 60 }
    }
}

/// A connection of a database engine: one per database, each with a user of Vault's own.
struct Connection {
    name: &'static str,
    /// The database users that can be leased: name of the Vault role, group role.
    leased: &'static [(&'static str, &'static str)],
    /// The group roles that Vault's user may hand out.
    groups: &'static str,
}

const LEDGER: Connection = Connection { name: "ledger", leased: &LEASED, groups: GROUPS };
/// The keys of people.
const KEYS: Connection = Connection { name: "keys", leased: &LEASED_KEYS, groups: KEY_GROUPS };

const LEASED_KEYS: [(&str, &str); 4] = [
    ("keeper", "vintem_keeper"),
    ("rewrapper", "vintem_rewrapper"),
    ("indexer", "vintem_indexer"),
    ("keys-migrator", "vintem_key_owner"),
];
const LEASED: [(&str, &str); 10] = [
    ("reader", "vintem_reader"),
    ("writer", "vintem_writer"),
    ("operator", "vintem_operator"),
    ("projector", "vintem_projector"),
    ("relay", "vintem_relay"),
    ("integrators", "vintem_integrators"),
    ("editor", "vintem_editor"),
    ("webhooks", "vintem_webhooks"),
    ("auditor", "vintem_auditor"),
    ("migrator", "vintem_owner"),
];

/// What exists once per Vault: its audit log, the plugins and the login method.
pub async fn shared(vault: &Vault, known: &State, node: &Node) -> Result<(), StackError> {
    if vault.get("sys/audit").await?.pointer("/data/file~1").is_none() {
        let options = json!({ "file_path": node.audit_log().display().to_string() });
        vault.write("sys/audit/file", json!({ "type": "file", "options": options })).await?;
    }
    register(vault, known, "database", PLUGIN).await?;
    register(vault, known, "secret", broker_users::PLUGIN).await?;
    if vault.get("sys/auth").await?.pointer("/data/approle~1").is_none() {
        vault.write("sys/auth/approle", json!({ "type": "approle" })).await?;
    }
    vault.write("sys/policies/acl/supervisor", json!({ "policy": SUPERVISOR })).await?;
    Ok(())
}

/// Makes a plugin of ours known by its digest, where Vault has none built in.
async fn register(vault: &Vault, known: &State, kind: &str, name: &str) -> Result<(), StackError> {
    let Some(plugin) = known.vault_plugins.as_ref().map(|folder| folder.join(name)) else { return Ok(()) };
    let program = std::fs::read(&plugin).map_err(StackError::file("read", &plugin))?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &program);
    let sha256 = digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let body = json!({ "sha256": sha256, "command": name });
    vault.write(&format!("sys/plugins/catalog/{kind}/{name}"), body).await?;
    Ok(())
}

/// The set of one prefix, for one database.
pub async fn set(
    vault: &Vault,
    cluster: &Cluster,
    prefix: &str,
    database: &str,
    times: LeaseTimes,
) -> Result<(), StackError> {
    check_prefix(prefix)?;
    mount(vault, &format!("{prefix}database"), json!({ "type": "database" })).await?;
    let keys = keys_of(database);
    for (of, database) in [(&LEDGER, database), (&KEYS, keys.as_str())] {
        connect(vault, cluster, prefix, of, database).await?;
        users(vault, prefix, of, times).await?;
    }
    for (role, policy) in APP_ROLES {
        let name = format!("{prefix}{role}");
        vault.write(&format!("sys/policies/acl/{name}"), json!({ "policy": render(policy, prefix) })).await?;
        vault.write(&format!("auth/approle/role/{name}"), app_role(role, &name)).await?;
    }
    keys_and_seals(vault, prefix).await
}

async fn keys_and_seals(vault: &Vault, prefix: &str) -> Result<(), StackError> {
    keys(vault, prefix).await?;
    transit(vault, prefix).await
}

/// The roles of a connection.
async fn users(vault: &Vault, prefix: &str, of: &Connection, times: LeaseTimes) -> Result<(), StackError> {
    for (role, group) in of.leased {
        let body = json!({
            "db_name": of.name, "creation_statements": creation(role, group), "default_ttl": times.default_s, "max_ttl": times.max_s,
            "revocation_statements": ["DROP ROLE IF EXISTS \"{{name}}\""],
        });
        vault.write(&format!("{prefix}database/roles/{role}"), body).await?;
    }
    Ok(())
}

/// Removes the set of one prefix; the users it leased are dropped.
pub async fn remove(vault: &Vault, cluster: &Cluster, prefix: &str) -> Result<(), StackError> {
    check_prefix(prefix)?;
    for (role, _) in APP_ROLES {
        vault.delete(&format!("auth/approle/role/{prefix}{role}")).await?;
        vault.delete(&format!("sys/policies/acl/{prefix}{role}")).await?;
    }
    // Removing the engine revokes its leases first, which drops the users in Postgres.
    vault.delete(&format!("sys/mounts/{prefix}database")).await?;
    vault.delete(&format!("sys/mounts/{prefix}kv")).await?;
    vault.delete(&format!("sys/mounts/{prefix}transit")).await?;
    cluster.drop_vault_user(&connection_user(prefix, &KEYS)).await?;
    cluster.drop_vault_user(&connection_user(prefix, &LEDGER)).await
}

/// Vault's user of one prefix, in Postgres and in RabbitMQ. Each has its own, because rotating its password in one engine would lock
/// every other engine with the same user out.
pub(super) fn vault_user(prefix: &str) -> String {
    if prefix.is_empty() { "vintem_vault".into() } else { format!("{prefix}vault") }
}

/// Each connection has its own, for the same reason.
fn connection_user(prefix: &str, of: &Connection) -> String {
    let user = vault_user(prefix);
    if of.name == LEDGER.name { user } else { format!("{user}-{}", of.name) }
}

/// Connects the database engine to a database; afterwards only Vault knows the password of its user.
async fn connect(
    vault: &Vault,
    cluster: &Cluster,
    prefix: &str,
    of: &Connection,
    database: &str,
) -> Result<(), StackError> {
    let (engine, user) = (format!("{prefix}database"), connection_user(prefix, of));
    let path = format!("{engine}/config/{}", of.name);
    let url = format!(
        "postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{}/{database}?sslmode=verify-full&sslrootcert={}",
        cluster.port,
        cluster.state.authority().display()
    );
    let configured = vault.find(&path).await?;
    // A release may bring a role; then the connection is made anew, and Vault's user may hand it out.
    let roles: Vec<&str> = of.leased.iter().map(|(role, _)| *role).collect();
    let same = configured.is_some_and(|found| {
        found.pointer("/data/connection_details/connection_url").and_then(Value::as_str) == Some(&url)
            && found.pointer("/data/allowed_roles") == Some(&json!(roles))
    });
    if same && cluster.has_role(&user).await? {
        return Ok(());
    }
    let password = random(vault, "hex").await?;
    cluster.create_vault_user(&user, &password, database, of.groups).await?;
    let connection = json!({
        "plugin_name": PLUGIN, "connection_url": url, "username": user, "password": password.expose_secret(),
        "password_authentication": "scram-sha-256", "allowed_roles": roles,
        "max_open_connections": 3, "max_idle_connections": 1, "max_connection_lifetime": "5m",
    });
    vault.write(&path, connection).await?;
    vault.write(&format!("{engine}/rotate-root/{}", of.name), json!({})).await?;
    Ok(())
}

/// Members of a group role; the migrator acts as it, so that what it makes belongs to the group.
fn creation(role: &str, group: &str) -> Vec<String> {
    let create = format!(
        "CREATE ROLE \"{{{{name}}}}\" LOGIN PASSWORD '{{{{password}}}}' VALID UNTIL '{{{{expiration}}}}' IN ROLE {group}"
    );
    let become_group = role.ends_with("migrator").then(|| format!("ALTER ROLE \"{{{{name}}}}\" SET ROLE {group}"));
    std::iter::once(create).chain(become_group).collect()
}

/// A server renews its token for as long as it lives; a command's token ends with the day.
fn app_role(role: &str, name: &str) -> Value {
    let mut body = json!({
        "token_policies": [name], "bind_secret_id": true, "token_bound_cidrs": ["127.0.0.1/32"], "secret_id_bound_cidrs": ["127.0.0.1/32"],
    });
    let times = if SERVERS.contains(&role) {
        // It logs in again by itself when Vault was away for longer than its token lives.
        json!({ "token_period": "1h", "secret_id_ttl": "72h", "secret_id_num_uses": 20 })
    } else {
        json!({ "token_ttl": "1h", "token_max_ttl": "24h", "secret_id_ttl": "10m", "secret_id_num_uses": 1 })
    };
    if let (Some(body), Some(times)) = (body.as_object_mut(), times.as_object()) {
        body.extend(times.clone());
    }
    body
}

/// The keys that never leave Vault: those that seal secrets of webhook endpoints and wrap the keys of people, derived, so
/// that each ciphertext belongs to its row; and those that sign checkpoints of the log and receipts.
async fn transit(vault: &Vault, prefix: &str) -> Result<(), StackError> {
    mount(vault, &format!("{prefix}transit"), json!({ "type": "transit" })).await?;
    let keys = [
        ("webhooks", json!({ "type": "aes256-gcm96", "derived": true })),
        ("people", json!({ "type": "aes256-gcm96", "derived": true })),
        ("checkpoint", json!({ "type": "ed25519" })),
        ("receipt", json!({ "type": "ed25519" })),
    ];
    for (name, key) in keys {
        let path = format!("{prefix}transit/keys/{name}");
        if vault.find(&path).await?.is_none() {
            vault.write(&path, key).await?;
        }
    }
    Ok(())
}

/// The rings of the API's and the worker's keys, made once and from then on changed by `vintem keys rotate` only.
async fn keys(vault: &Vault, prefix: &str) -> Result<(), StackError> {
    let engine = format!("{prefix}kv");
    mount(vault, &engine, json!({ "type": "kv", "options": { "version": "2" } })).await?;
    ring(vault, &engine, "token-signing", generate_signing_key()).await?;
    ring(vault, &engine, "cursor", random(vault, "base64").await?).await?;
    let path = format!("{engine}/data/request-digest");
    if find_secret(vault, &path).await?.is_none() {
        let key = random(vault, "base64").await?;
        vault.write(&path, json!({ "options": { "cas": 0 }, "data": { "key": key.expose_secret() } })).await?;
    }
    let path = format!("{engine}/data/blind-index");
    if !has_ring(vault, &path).await? {
        // Before there was a ring there was one key, by which people are still found.
        let found = find_secret(vault, &path).await?;
        let known = found.as_ref().and_then(|found| found.pointer("/data/data/keys/0/key")?.as_str());
        let key = match known {
            Some(key) => SecretString::from(key),
            None => random(vault, "base64").await?,
        };
        vault.write(&path, json!({ "data": KeyRing::numbered(key, clock::now()).to_secret() })).await?;
    }
    keep_newest_only(vault, &engine, "blind-index").await?;
    webhook_keys(vault, &engine).await
}

/// The public halves are written first: where they are missing, no private one has signed anything yet.
async fn webhook_keys(vault: &Vault, engine: &str) -> Result<(), StackError> {
    let key = signature::generate_signing_key();
    let public = signature::SigningKeys::try_new(&KeyRing::new(key.clone(), clock::now())).map(|keys| keys.public());
    if let Ok(public) = public
        && !has_ring(vault, &format!("{engine}/data/webhook-signing")).await?
    {
        vault.write(&format!("{engine}/data/webhook-public"), json!({ "data": { "keys": public.keys } })).await?;
    }
    ring(vault, engine, "webhook-signing", key).await
}

/// A ring of one key, unless there is one.
async fn ring(vault: &Vault, engine: &str, name: &str, key: SecretString) -> Result<(), StackError> {
    let path = format!("{engine}/data/{name}");
    if !has_ring(vault, &path).await? {
        let ring = KeyRing::new(key, clock::now());
        vault.write(&path, json!({ "data": ring.to_secret() })).await?;
    }
    keep_newest_only(vault, engine, name).await
}

/// Each change names the version that it replaces, and no older one is kept: a key that was taken out of the ring is nowhere.
async fn keep_newest_only(vault: &Vault, engine: &str, name: &str) -> Result<(), StackError> {
    let rule = json!({ "max_versions": 1, "cas_required": true });
    vault.write(&format!("{engine}/metadata/{name}"), rule).await?;
    Ok(())
}

/// What versions before rings have left there counts as nothing.
async fn has_ring(vault: &Vault, path: &str) -> Result<bool, StackError> {
    let found = find_secret(vault, path).await?;
    Ok(found.is_some_and(|found| found.pointer("/data/data/keys/0/added_at").is_some()))
}

/// A fresh engine answers 400 until it has prepared its storage, which takes some tenths of a second.
async fn find_secret(vault: &Vault, path: &str) -> Result<Option<Value>, StackError> {
    for _ in 0..100 {
        match vault.find(path).await {
            Err(VaultError::Refused { status, .. }) if status.as_u16() == 400 => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            other => return Ok(other?),
        }
    }
    Ok(vault.find(path).await?)
}

/// 32 bytes from Vault's generator.
pub(super) async fn random(vault: &Vault, format: &str) -> Result<SecretString, VaultError> {
    let answer = vault.write("sys/tools/random/32", json!({ "format": format })).await?;
    text(&answer, "sys/tools/random/32", "/data/random_bytes").map(|found| SecretString::from(found.to_owned()))
}

/// Looks first: Vault logs an error for a mount that exists.
pub(super) async fn mount(vault: &Vault, path: &str, body: Value) -> Result<(), VaultError> {
    let mounts = vault.get("sys/mounts").await?;
    if mounts.pointer("/data").is_some_and(|mounts| mounts.get(format!("{path}/")).is_some()) {
        return Ok(());
    }
    vault.write(&format!("sys/mounts/{path}"), body).await.map(drop)
}

pub(super) fn check_prefix(prefix: &str) -> Result<(), StackError> {
    if prefix.is_empty() { Ok(()) } else { check_name(prefix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_migrators_act_as_their_groups() {
        for (role, group) in LEASED.into_iter().chain(LEASED_KEYS) {
            let statements = creation(role, group);
            assert!(
                statements[0].ends_with(&format!("IN ROLE {group}"))
                    && statements[0].contains("VALID UNTIL '{{expiration}}'")
            );
            assert_eq!(statements.len(), if matches!(role, "migrator" | "keys-migrator") { 2 } else { 1 });
        }
    }
}
