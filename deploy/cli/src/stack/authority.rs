//! Certificates.
//!
//! Vault's PKI is the stack's authority: its root key is made inside Vault and never leaves it. One chicken and
//! one egg: Vault itself speaks only TLS, so for its very first minute it shows a certificate that `openssl`
//! signed with itself; as soon as the PKI exists, it gets a real one and the first is deleted.
//! Key and certificate of a service share one file, so that replacing the pair is one rename.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vintem_core::telemetry::clock;

use super::error::StackError;
use super::owner::{self, Owner};
use super::process;
use super::state::{Folder, State};
use super::vault::{Vault, VaultError, text};

const DAY_S: i64 = 24 * 60 * 60;
/// Lifetime of a service's certificate; renewed by an `up` in its last third.
const LEAF_DAYS: i64 = 90;

/// The file with a service's key and certificate.
pub fn pair(folder: &Path) -> PathBuf {
    folder.join("server.pem")
}

/// Vault's certificate of the first minute, as a trust anchor.
pub fn bootstrap(state: &Folder) -> PathBuf {
    state.path("vault/bootstrap.pem")
}

/// Makes the certificate that Vault shows until its PKI exists.
pub fn make_bootstrap(state: &Folder, owner: Option<Owner>) -> Result<(), StackError> {
    let folder = state.path("vault");
    let config = "[req]\ndistinguished_name=name\nx509_extensions=extensions\nprompt=no\n[name]\nCN=localhost\n\
                  [extensions]\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n";
    let place = tempfile_in(&folder)?;
    let (config_file, key, certificate) = (place.join("openssl.cnf"), place.join("key"), place.join("certificate"));
    owner::write_file(&config_file, config.as_bytes(), None, 0o600)?;
    let shown = [&config_file, &key, &certificate].map(|path| path.display().to_string());
    let arguments = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-config",
        &shown[0],
    ];
    let arguments: Vec<&str> = arguments.into_iter().chain(["-keyout", &shown[1], "-out", &shown[2]]).collect();
    process::run(Path::new("openssl"), &arguments, None, &place)?;
    let read = |path: &Path| std::fs::read(path).map_err(StackError::file("read", path));
    let public = read(&certificate)?;
    owner::write_file(&bootstrap(state), &public, None, 0o644)?;
    owner::write_file(&pair(&folder), &[read(&key)?, public].concat(), owner, 0o600)?;
    std::fs::remove_dir_all(&place).map_err(StackError::file("remove", &place))
}

fn tempfile_in(folder: &Path) -> Result<PathBuf, StackError> {
    let place = folder.join("bootstrap");
    owner::make_folder(&place, None, 0o700)?;
    Ok(place)
}

/// Makes Vault's PKI the authority, once, and leaves its root certificate where every process may read it.
pub async fn establish(vault: &Vault, state: &Folder) -> Result<(), StackError> {
    let mounts = vault.get("sys/mounts").await?;
    if mounts.pointer("/data/pki~1").is_none() {
        let config = json!({ "type": "pki", "config": { "max_lease_ttl": "87600h", "default_lease_ttl": "2160h" } });
        vault.write("sys/mounts/pki", config).await?;
    }
    let root = match vault.get("pki/cert/ca").await {
        Ok(found) => {
            text(&found, "pki/cert/ca", "/data/certificate").map(str::to_owned).ok().filter(|text| !text.is_empty())
        }
        Err(VaultError::Refused { .. }) => None,
        Err(other) => return Err(other.into()),
    };
    let root = if let Some(root) = root {
        root
    } else {
        let body =
            json!({ "common_name": "Vintem development stack", "key_type": "ec", "key_bits": 256, "ttl": "87600h" });
        let made = vault.write("pki/root/generate/internal", body).await?;
        text(&made, "pki/root/generate/internal", "/data/certificate")?.to_owned()
    };
    for service in ["vault", "postgres", "nginx", "rabbitmq"] {
        let role = json!({
            "allowed_domains": "localhost", "allow_bare_domains": true, "allow_localhost": true, "allow_ip_sans": true,
            "server_flag": true, "client_flag": false, "key_type": "ec", "key_bits": 256, "max_ttl": "2160h",
        });
        vault.write(&format!("pki/roles/{service}"), role).await?;
    }
    owner::write_file(&state.authority(), format!("{}\n", root.trim_end()).as_bytes(), None, 0o644)?;
    Ok(())
}

/// Gives a service a certificate of the authority unless it has one with a third of its life left.
/// Answers whether there is a new one, so that the service can be told.
pub async fn certify(
    vault: &Vault,
    known: &mut State,
    service: &str,
    folder: &Path,
    owner: Option<Owner>,
) -> Result<bool, StackError> {
    let ends = known.certificates.get(service).copied().unwrap_or(0);
    if ends > clock::now().timestamp() + LEAF_DAYS * DAY_S / 3 && pair(folder).is_file() {
        return Ok(false);
    }
    let (pem, ends) = issue(vault, service).await?;
    owner::write_file(&pair(folder), pem.as_bytes(), owner, 0o600)?;
    known.certificates.insert(service.to_owned(), ends);
    Ok(true)
}

/// A fresh key with its certificate for `localhost`, and when it ends.
pub async fn issue(vault: &Vault, service: &str) -> Result<(String, i64), VaultError> {
    let path = format!("pki/issue/{service}");
    let body = json!({ "common_name": "localhost", "alt_names": "localhost", "ip_sans": "127.0.0.1,::1", "ttl": format!("{}h", LEAF_DAYS * 24) });
    let answer = vault.write(&path, body).await?;
    let key = text(&answer, &path, "/data/private_key")?;
    let certificate = text(&answer, &path, "/data/certificate")?;
    let ends = answer.pointer("/data/expiration").and_then(Value::as_i64).unwrap_or(0);
    Ok((format!("{}\n{}\n", key.trim_end(), certificate.trim_end()), ends))
}

/// Whether the certificate on file is one of the authority and still valid.
pub fn is_valid(known: &State, service: &str, folder: &Path) -> bool {
    pair(folder).is_file() && known.certificates.get(service).is_some_and(|ends| *ends > clock::now().timestamp())
}
