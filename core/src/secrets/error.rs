//! What can go wrong between us and Vault, without a word of what is secret.

use rustify::errors::ClientError as RestError;
use vaultrs::error::ClientError;

use super::breaker::Outage;

/// A failure of a call to Vault, or of the leased database behind it.
///
/// Causes from `vaultrs` are not kept as `source()`: they carry whole response bodies, and a
/// response body may hold the secret itself.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// No connection, or no answer in time.
    #[error("Vault cannot be reached ({call})")]
    Unreachable {
        /// The call that was tried.
        call: &'static str,
    },
    /// Vault answers, but is sealed or cannot serve.
    #[error("Vault is sealed ({call})")]
    Sealed {
        /// The call that was tried.
        call: &'static str,
    },
    /// The policy of our role does not allow the call, or our token has ended.
    #[error("Vault does not allow the call: {call} (403)")]
    Forbidden {
        /// The call that was tried.
        call: &'static str,
    },
    /// Any other refusal.
    #[error("Vault answered {status} to {call}")]
    Status {
        /// The call that was tried.
        call: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// An answer that is not what the call promises; its text is withheld.
    #[error("Vault's answer to {call} is not of the expected form")]
    Malformed {
        /// The call that was tried.
        call: &'static str,
    },
    /// A certificate, or a request for one, that is of no use.
    #[error("a certificate cannot be used: {reason}")]
    Certificate {
        /// What is wrong.
        reason: &'static str,
    },
    /// A key that is not 32 bytes in base64, or is one that others know.
    #[error(
        "the key {path} in Vault is not the base64 of 32 random bytes: it is weak or published, or has another form"
    )]
    BadKey {
        /// Where it is in the KV engine.
        path: String,
    },
    /// The client could not be built, mostly because the CA file cannot be read.
    #[error("the connection to Vault cannot be set up: {reason}")]
    Setup {
        /// What is wrong.
        reason: String,
    },
    /// Standard input held no wrapping token.
    #[error("no wrapping token came on standard input: {reason}")]
    WrappingTokenMissing {
        /// What is wrong with the line.
        reason: &'static str,
    },
    /// The wrapping token is spent, expired or not ours: somebody may have used it before us.
    #[error("the wrapping token is not acceptable: {reason}; treat it as stolen and mint a new one")]
    WrappingTokenRejected {
        /// What is wrong with the token.
        reason: &'static str,
    },
    /// The database of people's keys could not answer.
    #[error("the database of keys is not available")]
    KeyDatabase {
        /// Postgres's own words.
        source: sqlx::Error,
    },
    /// Postgres did not take the leased user.
    #[error("Postgres did not accept the leased user of role {role}")]
    Database {
        /// The database role.
        role: &'static str,
        /// Postgres's own words.
        source: sqlx::Error,
    },
}

impl SecretsError {
    /// Whether the same call may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Sealed { .. } | Self::Database { .. } | Self::KeyDatabase { .. } => true,
            Self::Status { status, .. } => *status == 429 || *status >= 500,
            _ => false,
        }
    }

    /// In one word, for metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Sealed { .. } => "sealed",
            Self::Forbidden { .. } => "forbidden",
            Self::Malformed { .. } => "malformed",
            _ => "refused",
        }
    }

    /// What it says of Vault as a whole.
    pub(super) fn outage(&self) -> Option<Outage> {
        match self {
            Self::Unreachable { .. } => Some(Outage::Unreachable),
            Self::Sealed { .. } => Some(Outage::Sealed),
            _ => None,
        }
    }

    /// A call that was not made.
    pub(super) fn spared(call: &'static str, outage: Outage) -> Self {
        match outage {
            Outage::Unreachable => Self::Unreachable { call },
            Outage::Sealed => Self::Sealed { call },
        }
    }

    /// Keeps of a client error what may be printed.
    pub(super) fn from_client(call: &'static str, error: &ClientError) -> Self {
        match error {
            ClientError::APIError { code, .. }
            | ClientError::RestClientError { source: RestError::ServerResponseError { code, .. } } => {
                Self::from_status(call, *code)
            }
            ClientError::RestClientError {
                source: RestError::RequestError { .. } | RestError::ResponseError { .. },
            } => Self::Unreachable { call },
            _ => Self::Malformed { call },
        }
    }

    fn from_status(call: &'static str, status: u16) -> Self {
        match status {
            403 => Self::Forbidden { call },
            503 => Self::Sealed { call },
            _ => Self::Status { call, status },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_never_reaches_the_error() {
        let leaky = ClientError::RestClientError {
            source: RestError::ResponseParseError {
                source: anyhow_like("expected value"),
                content: Some("{\"password\":\"hunter2\"}".to_owned()),
            },
        };
        let error = SecretsError::from_client("database/creds", &leaky);
        assert!(!format!("{error:?} {error}").contains("hunter2"));
        assert!(!error.is_transient());
    }

    #[test]
    fn sealed_and_busy_are_transient_and_forbidden_is_not() {
        for (status, transient) in [(503, true), (429, true), (500, true), (403, false), (400, false), (404, false)] {
            let error = ClientError::APIError { code: status, errors: vec![] };
            assert_eq!(SecretsError::from_client("x", &error).is_transient(), transient, "{status}");
        }
    }

    /// `rustify` wants its own error type here, which converts from any standard error.
    fn anyhow_like<E: From<std::fmt::Error>>(_: &str) -> E {
        E::from(std::fmt::Error)
    }
}
