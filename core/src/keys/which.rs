//! Which keys there are, and how long the steps of their rotation are apart.

use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::access::{JWKS_MAX_AGE, TOKEN_LIFETIME, generate_signing_key};
use crate::secrets::{FOLLOW_EVERY, Pace, random};
use crate::webhooks::signature;

/// How long until every process uses what is new: time for several looks, one of which may fail.
const KNOWN: Duration = Duration::from_secs(4 * FOLLOW_EVERY.as_secs());
/// Receivers of webhooks learn of a new public key when somebody looks it up.
const RECEIVERS_LEARN: Duration = Duration::from_hours(7 * 24);
/// Nobody goes on with a list after a day.
const CURSORS_LIVE: Duration = Duration::from_hours(24);

/// A key of the installation that can be rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Ed25519, signs access tokens.
    TokenSigning,
    /// Ed25519, signs webhooks beside their endpoints' own secrets.
    WebhookSigning,
    /// HMAC, seals cursors of lists.
    Cursor,
    /// Ed25519 inside Vault, signs checkpoints of the log.
    Checkpoint,
    /// HMAC, makes the digests that people are found by.
    BlindIndex,
    /// Ed25519 inside Vault, signs receipts.
    Receipt,
}

/// There is no key of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no key {0}; there are token-signing, webhook-signing, cursor, checkpoint, blind-index and receipt")]
pub struct UnknownKey(String);

impl Which {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::TokenSigning, Self::WebhookSigning, Self::Cursor, Self::Checkpoint, Self::BlindIndex, Self::Receipt];

    /// The name in commands, in Vault and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenSigning => "token-signing",
            Self::WebhookSigning => "webhook-signing",
            Self::Cursor => "cursor",
            Self::Checkpoint => "checkpoint",
            Self::BlindIndex => "blind-index",
            Self::Receipt => "receipt",
        }
    }

    /// The process that may rotate it, by its AppRole.
    pub fn keeper(self) -> &'static str {
        match self {
            Self::BlindIndex => "indexer",
            _ => "keyholder",
        }
    }

    /// Whether it never leaves Vault, which knows all of its versions for ever.
    pub fn is_inside_vault(self) -> bool {
        matches!(self, Self::Checkpoint | Self::Receipt)
    }

    /// How long the steps are apart so that nobody notices.
    pub fn pace(self) -> Pace {
        match self {
            // Until the last process looks, it signs with the old key; those tokens live longest.
            Self::TokenSigning => Pace {
                publish: Duration::from_secs(JWKS_MAX_AGE) + KNOWN,
                retire: Duration::from_secs(TOKEN_LIFETIME.unsigned_abs()) + KNOWN,
            },
            // Both keys sign all the while.
            Self::WebhookSigning => Pace { publish: KNOWN, retire: RECEIVERS_LEARN },
            Self::Cursor => Pace { publish: KNOWN, retire: CURSORS_LIVE },
            // Until the last process looks, it knows nothing of the new key, and then still writes under the old one.
            Self::BlindIndex => Pace { publish: KNOWN, retire: KNOWN },
            // Vault verifies with every version for ever.
            Self::Checkpoint | Self::Receipt => Pace::AT_ONCE,
        }
    }

    /// A new key of a ring. Those of transit are made inside Vault.
    pub(super) fn generate(self) -> SecretString {
        match self {
            Self::TokenSigning => generate_signing_key(),
            Self::WebhookSigning => signature::generate_signing_key(),
            Self::Cursor | Self::Checkpoint | Self::BlindIndex | Self::Receipt => {
                SecretString::from(STANDARD.encode(*Zeroizing::new(random::bytes::<32>())))
            }
        }
    }
}

impl FromStr for Which {
    type Err = UnknownKey;

    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        Self::ALL.into_iter().find(|which| which.as_str() == text).ok_or_else(|| UnknownKey(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cache_outlives_a_wait() {
        let tokens = Which::TokenSigning.pace();
        assert!(tokens.publish > Duration::from_secs(JWKS_MAX_AGE) + 2 * FOLLOW_EVERY);
        assert!(tokens.retire > Duration::from_secs(TOKEN_LIFETIME.unsigned_abs()) + 2 * FOLLOW_EVERY);
        for which in Which::ALL {
            assert_eq!(which.as_str().parse(), Ok(which));
        }
        assert!("root".parse::<Which>().unwrap_err().to_string().contains("token-signing"));
    }
}
