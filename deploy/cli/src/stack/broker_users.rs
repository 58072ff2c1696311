//! Vault's RabbitMQ engine: who may lease which user of the broker.
//!
//! As with Postgres, Vault has a user of its own in the broker. Its password is random, goes to both over pipes and
//! TLS, and is then forgotten here. The engine cannot rotate it and does not show it, so the proof that it works is
//! a lease; where that fails, a new password is handed over.

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::broker::Broker;
use super::error::StackError;
use super::provision::{LeaseTimes, check_prefix, mount, random, vault_user};
use super::vault::{Vault, VaultError, text};

/// Name of the plugin and type of the engine.
pub const PLUGIN: &str = "rabbitmq";
/// What belongs to subscriptions.
const INTEGRATORS: &str = r"^vintem\.(events|subscription)\.";
/// The virtual host of the stack itself.
pub const VIRTUAL_HOST: &str = "vintem";

/// The broker users that can be leased: name of the Vault role, and what its user may configure, write and read.
///
/// Both declare the topology, so that whoever comes first or finds something missing makes it. Binding a queue
/// writes the queue and reads the exchange. Only the relay publishes ranges, only the projector consumes. The
/// integrators' publisher makes, fills and deletes the queues of subscriptions, and reads none.
const LEASED: [(&str, &str, &str, &str); 3] = [
    ("relay", r"^vintem\.", r"^vintem\.", r"^vintem\.ranges\."),
    ("projector", r"^vintem\.", r"^vintem\.projection\.", r"^vintem\."),
    ("integrators", INTEGRATORS, INTEGRATORS, r"^vintem\.events\."),
];

/// The engine and roles of one prefix, for one virtual host of a broker.
pub async fn set(
    vault: &Vault,
    broker: &Broker,
    prefix: &str,
    virtual_host: &str,
    times: LeaseTimes,
) -> Result<(), StackError> {
    check_prefix(prefix)?;
    let engine = format!("{prefix}{PLUGIN}");
    mount(vault, &engine, json!({ "type": PLUGIN })).await?;
    vault.write(&format!("{engine}/config/lease"), json!({ "ttl": times.default_s, "max_ttl": times.max_s })).await?;
    for (role, configure, write, read) in LEASED {
        let hosts = json!({ virtual_host: { "configure": configure, "write": write, "read": read } });
        vault.write(&format!("{engine}/roles/{role}"), json!({ "vhosts": hosts.to_string() })).await?;
    }
    if leases(vault, &engine).await? {
        return Ok(());
    }
    let (user, password) = (vault_user(prefix), random(vault, "hex").await?);
    broker.create_administrator(&user, &password)?;
    let connection = json!({
        "connection_uri": format!("https://localhost:{}", broker.ports.management),
        "username": user, "password": password.expose_secret(),
        // Whose user it is, for people who list them.
        "username_template": format!("{prefix}v-{{{{.RoleName}}}}-{{{{random 20}}}}"),
    });
    vault.write(&format!("{engine}/config/connection"), connection).await?;
    Ok(())
}

/// Whether the engine can make users, tried with one that is given back at once.
async fn leases(vault: &Vault, engine: &str) -> Result<bool, StackError> {
    let path = format!("{engine}/creds/{}", LEASED[0].0);
    match vault.get(&path).await {
        Ok(lease) => {
            let id = text(&lease, &path, "/lease_id")?;
            vault.write("sys/leases/revoke", json!({ "lease_id": id, "sync": true })).await?;
            Ok(true)
        }
        Err(VaultError::Refused { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Removes the engine of one prefix; the users it leased are dropped, and then its own.
pub async fn remove(vault: &Vault, broker: &Broker, prefix: &str) -> Result<(), StackError> {
    check_prefix(prefix)?;
    vault.delete(&format!("sys/mounts/{prefix}{PLUGIN}")).await?;
    broker.drop_user(&vault_user(prefix))
}
