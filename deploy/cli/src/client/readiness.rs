//! Whether requests get through: the door, the API, Vault and Postgres.

use std::path::Path;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

/// Long enough for a busy machine, short enough to be asked again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks `/readyz`, behind the door with its key and certificate; the error is what is in the way, in a few words.
pub async fn ask(base: &str, authority: &Path, identity: Option<&SecretString>) -> Result<(), String> {
    let text = std::fs::read(authority).map_err(|error| format!("{}: {error}", authority.display()))?;
    let trusted = reqwest::Certificate::from_pem_bundle(&text).map_err(|error| super::problem::chain(&error))?;
    let mut builder = reqwest::Client::builder().tls_certs_only(trusted).no_proxy().timeout(PATIENCE);
    if let Some(pem) = identity {
        let identity = reqwest::Identity::from_pem(pem.expose_secret().as_bytes());
        builder = builder.identity(identity.map_err(|error| super::problem::chain(&error))?);
    }
    let http = builder.build().map_err(|error| super::problem::chain(&error))?;
    let answer = http.get(format!("{base}/readyz")).send().await;
    let answer = answer.map_err(|error| super::problem::chain(&error.without_url()))?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("it answers {}", answer.status())) }
}
