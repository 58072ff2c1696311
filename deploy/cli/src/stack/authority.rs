//! Certificates of the stack's services, from the authority in Vault ([`pki`]).
//!
//! One chicken and one egg: Vault itself speaks only TLS, so for its very first minute it shows a certificate that `openssl`
//! signed with itself; as soon as the PKI exists, it gets a real one and the first is deleted.
//! Key and certificate of a service share one file, so that replacing the pair is one rename.

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use secrecy::ExposeSecret as _;
use serde_json::json;
use vintem_core::secrets::pki::{Certificate, Draft, Service, Signed};
use vintem_core::telemetry::clock;

use super::certifier;
use super::error::StackError;
use super::owner::{self, Owner};
use super::pki;
use super::process;
use super::servers;
use super::state::Folder;
use super::vault::{Vault, text};

/// Where the services of a stack are reached, beside the name that each bears everywhere.
pub const HOSTS: &[&str] = &["localhost", "127.0.0.1", "::1"];

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

/// Makes Vault's PKI the authority, and leaves its root certificate where every process may read it.
pub async fn establish(vault: &Vault, state: &Folder) -> Result<(), StackError> {
    let root = pki::root(vault, "").await?;
    let is_new = !pki::has_intermediate(vault).await?;
    if is_new {
        // Before there is another: a run that is interrupted in between is finished by the next one.
        forget(state, &Service::SIGNED);
    }
    pki::intermediate(vault, "", pki::SERVICE_LIFE).await?;
    if is_new {
        // The API then asks for another certificate and for the authority, the certifier for certificates.
        for process in [servers::API.name, certifier::NAME] {
            process::signal(state, process, Signal::SIGHUP);
        }
    }
    owner::write_file(&state.authority(), format!("{}\n", root.trim_end()).as_bytes(), None, 0o644)
}

/// Gives a service a certificate of the authority unless it has one with a third of its life left.
/// Answers whether there is a new one, so that the service can be told.
pub async fn certify(vault: &Vault, service: Service, folder: &Path, owner: Option<Owner>) -> Result<bool, StackError> {
    if kept(folder).is_some_and(|kept| !kept.is_due() && is_of(&kept, service)) {
        return Ok(false);
    }
    keep(&issue(vault, "", service).await?, folder, owner)?;
    Ok(true)
}

/// A certificate over a fresh key, as the stack's administrator may have it for every service; of the authority of a prefix.
pub async fn issue(vault: &Vault, prefix: &str, service: Service) -> Result<Certificate, StackError> {
    let draft = Draft::of(service, if service == Service::Api { &HOSTS[..1] } else { HOSTS })?;
    let place = if service == Service::Vault { pki::ROOT } else { pki::INTERMEDIATE };
    let path = format!("{prefix}{place}/sign/{}", service.role());
    let answer = vault.write(&path, json!({ "csr": draft.request() })).await?;
    let authority = text(&answer, &path, "/data/issuing_ca")?.to_owned();
    let certificate = text(&answer, &path, "/data/certificate")?.to_owned();
    Ok(draft.complete(&Signed { certificate, authorities: vec![authority] })?)
}

/// Writes key and certificate where the service reads them.
pub fn keep(certificate: &Certificate, folder: &Path, owner: Option<Owner>) -> Result<(), StackError> {
    owner::write_file(&pair(folder), certificate.pair().expose_secret().as_bytes(), owner, 0o600)
}

/// What is on file.
pub fn kept(folder: &Path) -> Option<Certificate> {
    let text = std::fs::read_to_string(pair(folder)).ok()?;
    Certificate::of_pair(&text).ok()
}

/// Whether the certificate on file is one of the authority and still valid.
pub fn is_valid(service: Service, folder: &Path) -> bool {
    kept(folder).is_some_and(|kept| is_of(&kept, service) && kept.facts.ends_at > clock::now())
}

/// Those of older versions of the stack, and that of Vault's first minute, name nobody.
fn is_of(certificate: &Certificate, service: Service) -> bool {
    certificate.facts.uris == [service.uri()]
}

/// Removes what an authority signed that is no more.
pub fn forget(state: &Folder, services: &[Service]) {
    for service in services {
        // Whoever has none has nothing to forget.
        let _ = std::fs::remove_file(pair(&state.path(service.as_str())));
    }
}
