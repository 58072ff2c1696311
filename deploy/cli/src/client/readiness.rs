//! Whether requests get through: the door, the API, Vault and Postgres.

use std::path::Path;
use std::time::Duration;

/// Long enough for a busy machine, short enough to be asked again.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks `/readyz`; the error is what is in the way, in a few words.
pub async fn ask(base: &str, authority: &Path) -> Result<(), String> {
    let text = std::fs::read(authority).map_err(|error| format!("{}: {error}", authority.display()))?;
    let trusted = reqwest::Certificate::from_pem_bundle(&text).map_err(|error| super::problem::chain(&error))?;
    let builder = reqwest::Client::builder().tls_certs_only(trusted).no_proxy().timeout(PATIENCE);
    let http = builder.build().map_err(|error| super::problem::chain(&error))?;
    let answer = http.get(format!("{base}/readyz")).send().await;
    let answer = answer.map_err(|error| super::problem::chain(&error.without_url()))?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("it answers {}", answer.status())) }
}
