//! Who may do what: tenants, their service clients and staff, tokens, scopes, grants and rights.
//!
//! A service client proves itself with its secret and receives a token for ten minutes; every
//! other request carries that token and nothing else. A token is verified with keys in memory,
//! without a call to Vault or Postgres, so that writes go on while either is away.
//!
//! Invariants:
//! - A tenant lives in one shard for ever; no request names its tenant, the token does.
//! - The algorithm of a token is bound to our keys and never read from its header.
//! - Keys change while the process runs: a token is good for as long as its key is in the ring, also one verified before.
//! - A client's secret is shown once and kept as a digest; a wrong secret and an unknown client
//!   cost the same and answer the same.
//! - Whether a caller may use a route is decided in one place ([`Policy::admit`]), by the table of routes alone.
//! - Scopes grant exactly what they name; none implies another. Staff have grants (a verb on a kind of objects, as far as
//!   it reaches) and, apart from them, rights over money and secrets, which need a second factor shown minutes ago.
//! - Who administers users has no right over money, and a maker is not a checker ([`check_together`]).
//! - A revoked client gets no token, and its tokens are refused within seconds ([`Revocations`]). A client whose secret is
//!   replaced has two for a while. One that is bound to networks is bound at every request, not only at its login.
//!
//! Absent: citizens and terminals, which come with their own contexts.

mod caller;
mod client;
mod client_secret;
mod error;
pub mod event;
mod policy;
mod revocation;
mod rights;
mod role;
mod service;
mod signing_key;
mod store;
mod tenant;
mod token;
mod verifier;

pub use caller::{Caller, Proof, Scope, Scopes, Standing, UnknownScope};
pub use client::{Client, ClientName, Listed, Terms, may_come_from};
pub use client_secret::{ClientSecret, SecretHash};
pub use error::AccessError;
pub use policy::{Denied, Need, Policy};
pub use revocation::Revocations;
pub use rights::{Grant, Object, Reach, Right, Rights, UnknownGrant, Verb};
pub use role::{Conflict, Role, UnknownRole, check_together};
pub use service::{
    AccessService, NewClient, create_client, create_tenant, find_tenant, list_clients, revoke_client, rotate_client,
};
pub use signing_key::{JWKS_MAX_AGE, KeyError, SigningKeys, generate_signing_key};
pub use store::time_zones;
pub use tenant::{Tenant, TenantName, parse_time_zone};
pub use token::{IssuedToken, TOKEN_LIFETIME};
pub use verifier::{TokenError, TokenVerifier};
