//! The authority in Vault: a root, and an intermediate that it signed, which signs for services and for terminals.
//!
//! Both keys are made inside Vault and never leave it. The root signs two things: the intermediate, and Vault's own
//! certificate, because a Vault cannot be asked for one before it runs. Everybody trusts the root alone, so the intermediate
//! can be replaced without telling anybody.
//! A role grants one identity, its URI, for a short time: days for services, which renew by themselves, a month for terminals.

use std::time::Duration;

use serde_json::{Value, json};
use vintem_core::secrets::pki::Service;

use super::error::StackError;
use super::nginx::Nginx;
use super::provision::{check_prefix, mount};
use super::vault::{Vault, VaultError, text};

/// Where the root is.
pub const ROOT: &str = "pki_root";
/// Where the intermediate is.
pub const INTERMEDIATE: &str = "pki";
/// The role of terminals.
pub const TERMINAL: &str = "terminal";
/// How long certificates of services live.
pub const SERVICE_LIFE: Duration = Duration::from_hours(72);
/// Vault's own: whoever unseals it renews it.
const VAULT_LIFE: Duration = Duration::from_hours(90 * 24);
const TERMINAL_LIFE: Duration = Duration::from_hours(30 * 24);
const INTERMEDIATE_LIFE: &str = "43800h";
const ROOT_LIFE: &str = "87600h";
/// How long moving a mount may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The root, made once; answers its certificate.
pub async fn root(vault: &Vault, prefix: &str) -> Result<String, StackError> {
    check_prefix(prefix)?;
    let place = format!("{prefix}{ROOT}");
    if prefix.is_empty() {
        adopt(vault).await?;
    }
    mount(vault, &place, engine(ROOT_LIFE)).await?;
    let found = certificate(vault, &place).await?;
    let root = if let Some(found) = found {
        found
    } else {
        let path = format!("{place}/root/generate/internal");
        let body =
            json!({ "common_name": "Vintem development stack", "key_type": "ec", "key_bits": 256, "ttl": ROOT_LIFE });
        text(&vault.write(&path, body).await?, &path, "/data/certificate")?.to_owned()
    };
    vault.write(&format!("{place}/config/crl"), lists()).await?;
    vault.write(&format!("{place}/roles/{}", Service::Vault.role()), service(Service::Vault, VAULT_LIFE)).await?;
    Ok(root)
}

/// The intermediate with its roles. `life` is that of services' certificates.
pub async fn intermediate(vault: &Vault, prefix: &str, life: Duration) -> Result<(), StackError> {
    check_prefix(prefix)?;
    let place = format!("{prefix}{INTERMEDIATE}");
    mount(vault, &place, engine(INTERMEDIATE_LIFE)).await?;
    if certificate(vault, &place).await?.is_none() {
        sign_intermediate(vault, &format!("{prefix}{ROOT}"), &place).await?;
    }
    let at = |name: &str| format!("{}/v1/{place}/{name}", vault.address());
    let places = json!({ "issuing_certificates": [at("ca")], "crl_distribution_points": [at("crl")] });
    vault.write(&format!("{place}/config/urls"), places).await?;
    vault.write(&format!("{place}/config/crl"), lists()).await?;
    let tidy = json!({
        "enabled": true, "interval_duration": "12h", "safety_buffer": "72h", "tidy_cert_store": true,
        "tidy_revoked_certs": true, "tidy_revoked_cert_issuer_associations": true,
    });
    vault.write(&format!("{place}/config/auto-tidy"), tidy).await?;
    for of in Service::SIGNED {
        vault.write(&format!("{place}/roles/{}", of.role()), service(of, life)).await?;
    }
    vault.write(&format!("{place}/roles/{TERMINAL}"), terminal()).await?;
    Ok(())
}

/// The lists of revoked certificates of intermediate and root, as nginx reads them.
pub async fn revoked(vault: &Vault, prefix: &str) -> Result<String, StackError> {
    let mut lists = Vec::new();
    for place in [INTERMEDIATE, ROOT] {
        let path = format!("{prefix}{place}/cert/crl");
        let found = vault.get(&path).await?;
        lists.push(text(&found, &path, "/data/certificate")?.trim_end().to_owned() + "\n");
    }
    Ok(lists.concat())
}

/// Has an nginx let in and refuse whom Vault says that it may and must not.
pub async fn supply(vault: &Vault, prefix: &str, nginx: &Nginx) -> Result<(), StackError> {
    let intermediate = certificate(vault, &format!("{prefix}{INTERMEDIATE}")).await?;
    nginx.admit(&intermediate.unwrap_or_default())?;
    nginx.refuse(&revoked(vault, prefix).await?)
}

/// Whether there is an intermediate.
pub async fn has_intermediate(vault: &Vault) -> Result<bool, StackError> {
    Ok(certificate(vault, INTERMEDIATE).await?.is_some())
}

/// Removes both of a test.
pub async fn remove(vault: &Vault, prefix: &str) -> Result<(), StackError> {
    check_prefix(prefix)?;
    for place in [INTERMEDIATE, ROOT] {
        vault.delete(&format!("sys/mounts/{prefix}{place}")).await?;
    }
    Ok(())
}

/// A stack of an older version has its root where the intermediate belongs. It is moved and not replaced, so that nobody
/// has to learn of another root.
async fn adopt(vault: &Vault) -> Result<(), StackError> {
    let mounts = vault.get("sys/mounts").await?;
    let has = |name: &str| mounts.pointer(&format!("/data/{name}~1")).is_some();
    if !has(INTERMEDIATE) || has(ROOT) {
        return Ok(());
    }
    vault.write("sys/remount", json!({ "from": INTERMEDIATE, "to": ROOT })).await?;
    let end = tokio::time::Instant::now() + PATIENCE;
    while certificate(vault, ROOT).await?.is_none() && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn sign_intermediate(vault: &Vault, root: &str, place: &str) -> Result<(), StackError> {
    let path = format!("{place}/intermediate/generate/internal");
    let body = json!({ "common_name": "Vintem services and terminals", "key_type": "ec", "key_bits": 256 });
    let made = vault.write(&path, body).await?;
    let request = text(&made, &path, "/data/csr")?;
    let path = format!("{root}/root/sign-intermediate");
    let body = json!({
        "csr": request, "common_name": "Vintem services and terminals", "ttl": INTERMEDIATE_LIFE, "max_path_length": 0,
    });
    let signed = vault.write(&path, body).await?;
    let chain = [text(&signed, &path, "/data/certificate")?, text(&signed, &path, "/data/issuing_ca")?].join("\n");
    vault.write(&format!("{place}/intermediate/set-signed"), json!({ "certificate": chain })).await?;
    Ok(())
}

/// The certificate of an authority, once it has one.
async fn certificate(vault: &Vault, place: &str) -> Result<Option<String>, StackError> {
    let path = format!("{place}/cert/ca");
    match vault.get(&path).await {
        Ok(found) => {
            Ok(text(&found, &path, "/data/certificate").ok().filter(|text| !text.is_empty()).map(str::to_owned))
        }
        Err(VaultError::Refused { .. }) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn engine(life: &str) -> Value {
    json!({ "type": "pki", "config": { "max_lease_ttl": life, "default_lease_ttl": "72h" } })
}

/// A list of revoked certificates is good for three days and made anew in time, and at once by whoever revokes.
fn lists() -> Value {
    json!({ "expiry": "72h", "auto_rebuild": true, "auto_rebuild_grace_period": "24h" })
}

/// What each service is granted: to be itself, on this machine.
fn service(of: Service, life: Duration) -> Value {
    let life = format!("{}s", life.as_secs());
    json!({
        "allowed_domains": [of.host()], "allow_bare_domains": true, "allow_subdomains": false, "allow_glob_domains": false,
        "allow_localhost": true, "allow_ip_sans": of != Service::Api, "allowed_uri_sans": [of.uri()],
        "server_flag": true, "client_flag": of.is_client(), "code_signing_flag": false, "email_protection_flag": false,
        "key_type": "ec", "key_bits": 256, "key_usage": ["DigitalSignature"],
        "use_csr_common_name": true, "use_csr_sans": true, "ttl": life, "max_ttl": life,
    })
}

/// A terminal is named by whoever signs for it and not by its own request, of which only the key counts.
fn terminal() -> Value {
    let life = format!("{}s", TERMINAL_LIFE.as_secs());
    json!({
        "allowed_domains": [], "allow_localhost": false, "allow_ip_sans": false, "allowed_uri_sans": ["urn:vintem:terminal:*"],
        "server_flag": false, "client_flag": true, "code_signing_flag": false, "email_protection_flag": false,
        "key_type": "ec", "key_bits": 256, "key_usage": ["DigitalSignature"],
        "use_csr_common_name": false, "use_csr_sans": false, "require_cn": false, "ttl": life, "max_ttl": life,
    })
}
