//! From one line on standard input to a Vault token.
//!
//! The line is a *wrapping token*: it can be spent once, and looking it up tells where the
//! wrapped value was made. If somebody intercepted it, either they spent it (our unwrap fails) or
//! they wrapped something of theirs (the path differs). Both are alarms, not retries.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;
use vaultrs::client::VaultClient;
use zeroize::Zeroizing;

use super::client::{client, retrying};
use super::error::SecretsError;
use super::settings::VaultSettings;
use super::token::Token;

const APPROLE: &str = "approle";
const KUBERNETES: &str = "kubernetes";
/// A wrapping token is around a hundred characters; more is not one.
const LINE_MAX: u64 = 4_096;

/// How a process proves to Vault who it is.
#[derive(Debug, Clone)]
pub enum LoginMethod {
    /// By a role id and a secret id, which comes wrapped on standard input.
    AppRole {
        /// `VINTEM_VAULT_ROLE_ID`: a name and not a secret.
        role_id: String,
    },
    /// By the token of its service account.
    Kubernetes {
        /// `VINTEM_VAULT_TOKEN_FILE`: where the cluster puts it, and replaces it before it ends.
        token_file: PathBuf,
    },
}

/// What is presented at each login.
pub(super) enum Proof {
    SecretId { role_id: String, secret_id: SecretString },
    ServiceAccount(PathBuf),
}

/// A token that unwraps one secret id, once.
pub struct WrappingToken(SecretString);

impl WrappingToken {
    /// Takes a token that came by another way than standard input.
    pub fn new(token: SecretString) -> Self {
        Self(token)
    }
}

impl std::fmt::Debug for WrappingToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrappingToken([REDACTED])")
    }
}

/// Reads the wrapping token from one line of standard input.
pub fn read_wrapping_token() -> Result<WrappingToken, SecretsError> {
    read_line(std::io::stdin().lock())
}

fn read_line(input: impl BufRead) -> Result<WrappingToken, SecretsError> {
    let missing = |reason| SecretsError::WrappingTokenMissing { reason };
    let mut line = Zeroizing::new(String::new());
    input.take(LINE_MAX).read_line(&mut line).map_err(|_| missing("it cannot be read"))?;
    let token = line.trim();
    // Vault's tokens are of these characters; anything else would not fit into a header.
    let plausible = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if token.is_empty() {
        return Err(missing("the line is empty"));
    }
    if !token.bytes().all(plausible) {
        return Err(missing("the line is not a token"));
    }
    Ok(WrappingToken(SecretString::from(token)))
}

#[derive(Deserialize)]
struct WrappedSecretId {
    secret_id: SecretString,
}

/// What the settings ask for, with the secret id out of its wrapping.
pub(super) async fn proof(
    http: &reqwest::Client,
    settings: &VaultSettings,
    wrapping: Option<WrappingToken>,
) -> Result<Proof, SecretsError> {
    match (&settings.login, wrapping) {
        (LoginMethod::Kubernetes { token_file }, _) => Ok(Proof::ServiceAccount(token_file.clone())),
        (LoginMethod::AppRole { role_id }, Some(wrapping)) => {
            let secret_id = unwrap_secret_id(http, settings, wrapping).await?;
            Ok(Proof::SecretId { role_id: role_id.clone(), secret_id })
        }
        (LoginMethod::AppRole { .. }, None) => {
            Err(SecretsError::WrappingTokenMissing { reason: "an AppRole needs one" })
        }
    }
}

/// Looks the wrapping token up, checks where it was made, and spends it.
async fn unwrap_secret_id(
    http: &reqwest::Client,
    settings: &VaultSettings,
    WrappingToken(wrapping): WrappingToken,
) -> Result<SecretString, SecretsError> {
    let rejected = |reason| {
        // The operator must learn of it, and the token itself must not be in the log.
        tracing::error!(security_alert = true, role = %settings.role, reason, "wrapping token rejected");
        SecretsError::WrappingTokenRejected { reason }
    };
    // The token is its own permission, so it is the client's token and never also a parameter:
    // with both, Vault spends it on authenticating the call.
    let client = client(http, &settings.address, wrapping.expose_secret())?;
    let lookup = || async {
        vaultrs::sys::wrapping::lookup(&client, wrapping.expose_secret())
            .await
            .map_err(|error| SecretsError::from_client("sys/wrapping/lookup", &error))
    };
    let found = match retrying(lookup, || true).await {
        Ok(found) => found,
        Err(error) if error.is_transient() => return Err(error),
        Err(_) => return Err(rejected("it is unknown, spent or expired")),
    };
    if found.creation_path != format!("auth/{APPROLE}/role/{}/secret-id", settings.role) {
        return Err(rejected("it does not wrap a secret id of our role"));
    }
    // Not repeated: a lost answer has spent the token, and a second try would look like theft.
    match vaultrs::sys::wrapping::unwrap::<WrappedSecretId>(&client, None).await {
        Ok(unwrapped) => Ok(unwrapped.secret_id),
        Err(error) => match SecretsError::from_client("sys/wrapping/unwrap", &error) {
            error if error.is_transient() => Err(error),
            _ => Err(rejected("it could not be unwrapped")),
        },
    }
}

/// Logs in.
pub(super) async fn login(
    anonymous: &VaultClient,
    role: &str,
    proof: &Proof,
) -> Result<(SecretString, Token), SecretsError> {
    let login = || async {
        match proof {
            Proof::SecretId { role_id, secret_id } => {
                vaultrs::auth::approle::login(anonymous, APPROLE, role_id, secret_id.expose_secret())
                    .await
                    .map_err(|error| SecretsError::from_client("auth/approle/login", &error))
            }
            Proof::ServiceAccount(file) => {
                let token = service_account_token(file)?;
                vaultrs::auth::kubernetes::login(anonymous, KUBERNETES, role, token.expose_secret())
                    .await
                    .map_err(|error| SecretsError::from_client("auth/kubernetes/login", &error))
            }
        }
    };
    let asked_at = Instant::now();
    let auth = retrying(login, || true).await?;
    let token = Token::granted(asked_at, auth.lease_duration, auth.renewable);
    Ok((SecretString::from(auth.client_token), token))
}

/// Read anew at each login: the cluster replaces it every hour or so.
fn service_account_token(file: &Path) -> Result<SecretString, SecretsError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| SecretsError::Setup { reason: format!("{} cannot be read: {error}", file.display()) })?;
    Ok(SecretString::from(Zeroizing::new(text).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_is_the_token() {
        let token = read_line(&b"hvs.CAESIJ_x-1\nsecond line\n"[..]).unwrap();
        assert_eq!(token.0.expose_secret(), "hvs.CAESIJ_x-1");
        assert_eq!(format!("{token:?}"), "WrappingToken([REDACTED])");
    }

    #[test]
    fn nothing_and_nonsense_are_refused() {
        for input in [&b""[..], b"\n", b"two words\n", b"caf\xc3\xa9\n", b"\xff\xfe\n", b"a\0b\n"] {
            let refused = read_line(input).map(|_| ());
            assert!(matches!(refused, Err(SecretsError::WrappingTokenMissing { .. })), "{input:?}");
        }
    }
}
