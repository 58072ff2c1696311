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
//! - A revoked client gets no token, and its tokens are refused within seconds ([`Revocations`]); so are all tokens of a
//!   tenant that were issued before its epoch. A client whose secret is
//!   replaced has two for a while. One that is bound to networks is bound at every request, not only at its login.
//! - A token that is bound to a key or a certificate is good only together with that ([`Proofs`]).
//! - A suspended tenant writes nothing within seconds ([`Admission`]), and reads on. At a name that is registered for a tenant
//!   ([`settings::Hostname`]) another one's token finds nothing.
//!
//! Members of the staff prove themselves and are managed in [`staff`].
//!
//! Citizens and terminals prove themselves in contexts of their own; here is what their tokens and certificates come to.

mod admission;
mod caller;
mod client;
mod client_secret;
mod dpop;
mod error;
pub mod event;
mod policy;
mod proof_key;
pub mod proving;
mod provisioning;
mod revocation;
mod rights;
mod role;
mod seen;
mod service;
pub mod settings;
mod signing_key;
pub mod staff;
mod store;
mod tenant;
mod thumbprint;
mod token;
mod verifier;
#[cfg(test)]
mod wycheproof;

pub use admission::{Admission, Barred};
pub use caller::{Caller, CitizenSession, Proof, Scope, Scopes, Standing, TerminalSession, UnknownScope};
pub use client::{Client, ClientName, Listed, Terms, may_come_from};
pub use client_secret::{ClientSecret, SecretHash};
pub use dpop::{BoundToken, DpopProof, PROOF_ALGORITHMS, PROOF_SECONDS, ProofError, Proofs};
pub use error::AccessError;
pub use policy::{Denied, Need, Policy};
pub use proof_key::ProofKey;
pub use provisioning::{
    Provisioned, change_tenant, create_tenant, list_tenants, provision_tenant, resume_tenant, show_tenant,
    suspend_tenant,
};
pub use revocation::Revocations;
pub use rights::{Grant, Object, Reach, Right, Rights, UnknownGrant, Verb};
pub use role::{Conflict, Role, UnknownRole, check_together};
pub use service::{
    AccessService, NewClient, create_client, find_tenant, list_clients, revoke_client, revoke_tokens, rotate_client,
};
pub use signing_key::{JWKS_MAX_AGE, KeyError, SigningKeys, generate_signing_key};
pub use store::tenants::{Kept, at_the_door, tenant_settings};
pub use store::time_zones;
pub use tenant::{Of, Tenant, TenantName, parse_time_zone};
pub use thumbprint::{BadThumbprint, Thumbprint};
pub use token::{Confirmation, IssuedToken, TOKEN_LIFETIME};
pub use verifier::{Identified, Presented, TokenError, TokenVerifier, Validity};
