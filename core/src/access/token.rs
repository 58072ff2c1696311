//! Access tokens: JWTs by RFC 9068, signed with Ed25519, good for ten minutes.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::caller::{Caller, CitizenSession};
use super::client::Terms;
use super::signing_key::SigningKeys;
use super::thumbprint::Thumbprint;
use crate::event_store::fresh;

/// How long a token is good at most, in seconds. Short, because only a client can be revoked, and no single token.
pub const TOKEN_LIFETIME: i64 = 600;
/// Whom our tokens are for: this API and no other.
pub(super) const AUDIENCE: &str = "vintem";
/// The type of an access token, so that no other JWT of ours passes for one.
pub(super) const TOKEN_TYPE: &str = "at+jwt";

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    pub(super) sub: Uuid,
    pub(super) client_id: Uuid,
    pub(super) tenant: Uuid,
    pub(super) scope: String,
    /// The session of a citizen; others have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) citizen: Option<CitizenSession>,
    /// Where the token may come from; anywhere when there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) networks: Vec<String>,
    /// What whoever sends it must prove to have; nothing when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cnf: Option<Confirmation>,
    pub(super) jti: Uuid,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
}

/// What a token is bound to (RFC 7800). A member that we do not know binds to something that we cannot check.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmation {
    /// A key, which signs a proof for each request (RFC 9449).
    #[serde(rename = "jkt", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Thumbprint>,
    /// A certificate, which the connection is made with (RFC 8705).
    #[serde(rename = "x5t#S256", default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
}

impl Confirmation {
    /// Whether the token is good in anybody's hands.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// A signed token on its way to the client.
pub struct IssuedToken {
    /// The JWT.
    pub access_token: String,
    /// Seconds until it ends.
    pub expires_in: i64,
    /// What was granted, separated by spaces.
    pub scope: String,
    /// How it is to be sent: `Bearer`, or `DPoP` where it is bound to a key.
    pub token_type: &'static str,
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl SigningKeys {
    /// Signs a token for the caller on its client's terms, in the name of the issuer.
    pub fn issue(&self, issuer: &str, caller: &Caller, terms: &Terms, now: DateTime<Utc>) -> IssuedToken {
        self.issue_bound(issuer, caller, terms, Confirmation::default(), now)
    }

    /// The same for one that is good only with what it is bound to.
    pub fn issue_bound(
        &self,
        issuer: &str,
        caller: &Caller,
        terms: &Terms,
        confirmation: Confirmation,
        now: DateTime<Utc>,
    ) -> IssuedToken {
        let issued_at = now.timestamp();
        let remaining = terms.expires_at.map_or(TOKEN_LIFETIME, |end| end.timestamp() - issued_at);
        let expires_in = TOKEN_LIFETIME.min(remaining);
        let scope = caller.scopes().to_string();
        let claims = Claims {
            iss: issuer.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: caller.subject,
            client_id: caller.subject,
            tenant: caller.tenant,
            scope: scope.clone(),
            citizen: caller.citizen(),
            networks: terms.networks.iter().map(ToString::to_string).collect(),
            cnf: (!confirmation.is_none()).then_some(confirmation),
            jti: fresh::new_id(),
            iat: issued_at,
            nbf: issued_at,
            exp: issued_at + expires_in,
        };
        let access_token = self.sign(TOKEN_TYPE, &claims);
        let token_type = if confirmation.key.is_some() { "DPoP" } else { "Bearer" };
        IssuedToken { access_token, expires_in, scope, token_type }
    }

    /// Anything else that is believed for as long as a token, at most: its type keeps one from passing for the other (RFC 8725 §3.11).
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(typ.to_owned());
        header.kid = Some(self.current_kid.clone());
        jsonwebtoken::encode(&header, claims, &self.current)
            .expect("a key that was taken signs, and the claims are plain JSON")
    }
}
