//! The one door to Vault, to the environment and to the random generator.
//!
//! A process starts with nothing secret: its environment names where Vault and the others are, and
//! one line on standard input holds a wrapping token. From that it unwraps the secret id of its
//! AppRole, logs in, and leases everything else (in a cluster the token of its service account takes the place of both):
//!
//! ```text
//! stdin ─► wrapping token ─► lookup, path check, unwrap ─► login ─► token (renewed at ⅔, login again if it ends)
//!                                                                    ├─► kv        kept in memory, looked at every half minute
//!                                                                    ├─► database  leased user (renewed at ⅔, rotated before its end)
//!                                                                    ├─► rabbitmq  the same
//!                                                                    ├─► pki       certificates over keys made here, replaced at ⅔ ([`pki`])
//!                                                                    └─► transit   seals, opens and signs, the key stays; wraps the keys of [`people`]
//! ```
//!
//! Invariants:
//! - Nothing secret is printable: secrets are `SecretString`, and errors carry a status code and
//!   the name of the call, never a body.
//! - Each call to Vault ends within seconds, and at once where those before it were in vain
//!   ([`breaker`]). Only calls that may be repeated are repeated.
//! - A rotation replaces the user below a pool without a failed request: connections of the old
//!   user are closed at their next use, the old user is revoked after the last could be in use.
//!   Who holds a connection to the broker is told, and makes another. A SIGHUP rotates all of them.
//! - A user that was taken away before its time is noticed within a second and replaced.
//! - With Vault sealed or away, what is leased goes on; whatever needs Vault fails with a typed
//!   error, and the loops heal by themselves.
//! - Start-up fails closed: without secrets there is no process.
//!
//! Absent on purpose: any cache on disk, any password in a variable, `vaultrs` elsewhere.

mod blind_index;
mod breaker;
mod broker;
mod client;
mod database;
mod environment;
mod error;
mod followed;
mod funding;
mod hardening;
mod keeper;
mod kv;
mod lease;
mod login;
mod mail;
pub mod people;
pub mod pki;
pub mod random;
mod rates;
mod ring;
mod rotation;
mod settings;
mod token;
mod transit;
mod transport;
mod weak;

pub use blind_index::{BlindIndex, Pepper, RequestDigest};
pub use broker::{BrokerRole, BrokerUser, LeasedBroker};
pub use client::{Vault, VaultHealth};
pub use database::{DatabaseRole, LeasedDatabase};
pub use environment::SettingsError;
pub use error::SecretsError;
pub use followed::{FOLLOW_EVERY, Followed};
pub use hardening::keep_memory_private;
pub use keeper::LeaseState;
pub use kv::decode_key;
pub use login::{LoginMethod, WrappingToken, read_wrapping_token};
pub use mail::{MailSettings, MailTransport};
pub use rates::RateSettings;
pub use ring::{KeyRing, Pace, RingKey, Stage};
pub use rotation::rotate_on_hangup;
pub use settings::{
    BrokerSettings, DatabaseSettings, ProcessSettings, ServerSettings, TelemetrySettings, VaultSettings, WorkerSettings,
};
pub use transit::Signature;
pub use transport::Transport;
pub use weak::is_weak;
