//! Verifying access tokens.
//!
//! The order is from cheap to dear and from outside to inside: size, cache, header, key,
//! signature, claims. Verified tokens are remembered, because a signature costs about 0.1 ms of a
//! core and one client sends thousands of requests with one token.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Validation};
use moka::sync::Cache;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::caller::{Caller, Proof, Scopes};
use super::client::may_come_from;
use super::revocation::Revocations;
use super::signing_key::SigningKeys;
use super::token::{AUDIENCE, Claims, TOKEN_LIFETIME, TOKEN_TYPE};
use crate::kernel::Network;
use crate::secrets::Followed;

/// Ours are below 700 bytes; anything longer is not worth parsing.
const TOKEN_BYTES_MAX: usize = 4_096;
/// Clocks of our own machines differ by less.
const LEEWAY_SECONDS: i64 = 5;
const REMEMBERED_MAX: u64 = 10_000;

/// Why a token is not accepted. All of these answer 401 alike; the difference is for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any of ours.
    #[error("the token is too long")]
    TooLong,
    /// Not a JWT of the form that we issue.
    #[error("the token is not of the form that we issue")]
    Malformed,
    /// Signed under a name that is not one of our keys.
    #[error("the token is signed by a key that is not ours")]
    UnknownKey,
    /// The signature is not by that key.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Issued by or for somebody else.
    #[error("the token was issued by or for somebody else")]
    WrongParty,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its client was revoked.
    #[error("the client was revoked")]
    Revoked,
    /// Its client may not call from there. The only one that is answered otherwise: the caller is known.
    #[error("the client may not call from this address")]
    WrongPlace,
}

/// Knows our keys and the tokens it verified lately.
pub struct TokenVerifier {
    keys: Followed<SigningKeys>,
    validation: Validation,
    verified: Cache<[u8; 32], Verified>,
    revocations: Arc<Revocations>,
}

#[derive(Clone)]
struct Verified {
    caller: Caller,
    networks: Arc<[Network]>,
    kid: Arc<str>,
    expires_at: i64,
}

impl TokenVerifier {
    /// A verifier of tokens by this issuer.
    pub fn new(keys: Followed<SigningKeys>, issuer: &str, revocations: Arc<Revocations>) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are checked below against the caller's clock, which tests can set.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let lifetime = Duration::from_secs(TOKEN_LIFETIME.unsigned_abs());
        let verified = Cache::builder().max_capacity(REMEMBERED_MAX).time_to_live(lifetime).build();
        Self { keys, validation, verified, revocations }
    }

    /// Who presents this token; from which address is asked only where it matters.
    pub fn verify(
        &self,
        token: &str,
        now: DateTime<Utc>,
        address: impl FnOnce() -> Option<IpAddr>,
    ) -> Result<Caller, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let now = now.timestamp();
        // The key is a digest, so that a dump of the cache holds no token.
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let keys = self.keys.load();
        let remembered = self.verified.get(&key);
        let is_remembered = remembered.is_some();
        let verified = match remembered {
            Some(verified) if keys.verifying.contains_key(&*verified.kid) => verified,
            _ => self.verify_anew(&keys, token, now)?,
        };
        if now >= verified.expires_at.saturating_add(LEEWAY_SECONDS) {
            return Err(TokenError::Expired);
        }
        if self.revocations.contains(verified.caller.subject) {
            return Err(TokenError::Revoked);
        }
        if !verified.networks.is_empty() && !may_come_from(&verified.networks, address()) {
            return Err(TokenError::WrongPlace);
        }
        let caller = verified.caller.clone();
        if !is_remembered {
            self.verified.insert(key, verified);
        }
        Ok(caller)
    }

    /// Forgets every verified token, so that each is checked again.
    pub fn forget_all(&self) {
        self.verified.invalidate_all();
    }

    fn verify_anew(&self, keys: &SigningKeys, token: &str, now: i64) -> Result<Verified, TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        // `crit` names extensions that must be understood; we know none.
        let is_ours = header.alg == Algorithm::EdDSA
            && header.typ.as_deref() == Some(TOKEN_TYPE)
            && header.crit.is_none()
            && header.zip.is_none();
        if !is_ours {
            return Err(TokenError::Malformed);
        }
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let Some(key) = keys.verifying.get(&kid) else {
            // Another process may sign with a key that this one has not heard of.
            self.keys.doubt();
            return Err(TokenError::UnknownKey);
        };
        let claims =
            jsonwebtoken::decode::<Claims>(token, key, &self.validation).map_err(|error| explain(error.kind()))?.claims;
        if now + LEEWAY_SECONDS < claims.nbf || now + LEEWAY_SECONDS < claims.iat {
            return Err(TokenError::NotYetValid);
        }
        let scopes = Scopes::parse(&claims.scope).map_err(|_| TokenError::Malformed)?;
        let caller = Caller { tenant: claims.tenant, subject: claims.sub, proof: Proof::Client(scopes) };
        let networks: Result<Vec<Network>, _> = claims.networks.iter().map(|text| text.parse()).collect();
        let networks = networks.map_err(|_| TokenError::Malformed)?.into();
        Ok(Verified { caller, networks, kid: kid.into(), expires_at: claims.exp })
    }
}

impl std::fmt::Debug for TokenVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenVerifier").field("keys", &self.keys).finish_non_exhaustive()
    }
}

fn explain(kind: &jsonwebtoken::errors::ErrorKind) -> TokenError {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => TokenError::BadSignature,
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => TokenError::WrongParty,
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::Terms;
    use super::super::signing_key::tests::secret;
    use super::super::token::IssuedToken;
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};
    use uuid::Uuid;

    const ISSUER: &str = "https://vintem.example";
    const NOW: i64 = 1_790_000_000;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(NOW + seconds, 0).unwrap()
    }

    fn scopes() -> Scopes {
        Scopes::parse("ledger:read ledger:write").unwrap()
    }

    fn caller() -> Caller {
        Caller { tenant: Uuid::from_u128(7), subject: Uuid::from_u128(9), proof: Proof::Client(scopes()) }
    }

    fn keys() -> Arc<SigningKeys> {
        Arc::new(SigningKeys::try_new(&secret(&["new", "old"])).unwrap())
    }

    fn verify(keys: &Arc<SigningKeys>, token: &str) -> Result<Caller, TokenError> {
        TokenVerifier::new(Followed::fixed(Arc::clone(keys)), ISSUER, Arc::default()).verify(token, at(1), || None)
    }

    /// A token that differs from ours in one place; the signature is right.
    fn altered(keys: &SigningKeys, alter: impl Fn(&mut Header, &mut Value)) -> String {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some("new".to_owned());
        let mut claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::from_u128(9), "client_id": Uuid::from_u128(9),
            "tenant": Uuid::from_u128(7), "scope": "ledger:read", "jti": Uuid::nil(),
            "iat": NOW, "nbf": NOW, "exp": NOW + 600,
        });
        alter(&mut header, &mut claims);
        jsonwebtoken::encode(&header, &claims, &keys.current).unwrap()
    }

    fn assert_refused(alter: impl Fn(&mut Header, &mut Value), error: TokenError) {
        let keys = keys();
        assert_eq!(verify(&keys, &altered(&keys, alter)), Err(error));
    }

    #[test]
    fn our_own_token_is_accepted_until_it_ends() {
        let keys = keys();
        let IssuedToken { access_token, scope, .. } = keys.issue(ISSUER, &caller(), &Terms::default(), at(0));
        assert_eq!(scope, "ledger:read ledger:write");
        let verifier = TokenVerifier::new(Followed::fixed(keys), ISSUER, Arc::default());
        for seconds in [0, 1, 599, 604] {
            assert_eq!(verifier.verify(&access_token, at(seconds), || None), Ok(caller()), "after {seconds} s");
        }
        assert_eq!(verifier.verify(&access_token, at(605), || None), Err(TokenError::Expired), "from the cache");
        verifier.forget_all();
        assert_eq!(verifier.verify(&access_token, at(605), || None), Err(TokenError::Expired), "anew");
    }

    #[test]
    fn a_token_is_good_on_its_clients_terms() {
        let keys = keys();
        let terms = Terms { expires_at: Some(at(100)), networks: vec!["10.0.0.0/8".parse().unwrap()] };
        let IssuedToken { access_token, expires_in, .. } = keys.issue(ISSUER, &caller(), &terms, at(0));
        assert_eq!(expires_in, 100);
        let verifier = TokenVerifier::new(Followed::fixed(keys), ISSUER, Arc::default());
        let verify = |address: Option<&str>, seconds| {
            verifier.verify(&access_token, at(seconds), || address.map(|text| text.parse().unwrap()))
        };
        // Wrong first, so that what is remembered afterwards is not what decides.
        for _ in 0..2 {
            assert_eq!(verify(Some("192.0.2.1"), 1), Err(TokenError::WrongPlace));
            assert_eq!(verify(None, 1), Err(TokenError::WrongPlace));
            assert_eq!(verify(Some("10.9.9.9"), 1), Ok(caller()));
            assert_eq!(verify(Some("10.9.9.9"), 105), Err(TokenError::Expired));
        }
    }

    #[test]
    fn nothing_altered_is_the_base_of_the_other_tests() {
        let keys = keys();
        assert!(verify(&keys, &altered(&keys, |_, _| {})).is_ok());
    }

    #[test]
    fn other_parties_and_other_kinds_of_token_are_refused() {
        assert_refused(|_, claims| claims["iss"] = "https://evil.example".into(), TokenError::WrongParty);
        assert_refused(|_, claims| claims["aud"] = "another".into(), TokenError::WrongParty);
        assert_refused(|_, claims| claims["aud"] = json!([AUDIENCE]), TokenError::Malformed);
        assert_refused(|header, _| header.typ = Some("JWT".to_owned()), TokenError::Malformed);
        assert_refused(|header, _| header.typ = None, TokenError::Malformed);
        assert_refused(|header, _| header.crit = Some(vec!["b64".to_owned()]), TokenError::Malformed);
        for claim in ["iss", "aud", "sub", "tenant", "scope", "jti", "iat", "nbf", "exp"] {
            assert_refused(|_, claims| _ = claims.as_object_mut().unwrap().remove(claim), TokenError::Malformed);
        }
        assert_refused(|_, claims| claims["scope"] = "ledger:everything".into(), TokenError::Malformed);
        assert_refused(|_, claims| claims["tenant"] = "not a uuid".into(), TokenError::Malformed);
    }

    #[test]
    fn times_outside_of_the_tokens_life_are_refused() {
        assert_refused(|_, claims| claims["exp"] = (NOW - 60).into(), TokenError::Expired);
        assert_refused(|_, claims| claims["nbf"] = (NOW + 60).into(), TokenError::NotYetValid);
        assert_refused(|_, claims| claims["iat"] = (NOW + 60).into(), TokenError::NotYetValid);
    }

    #[test]
    fn keys_that_are_not_ours_are_refused() {
        assert_refused(|header, _| header.kid = Some("unknown".to_owned()), TokenError::UnknownKey);
        assert_refused(|header, _| header.kid = None, TokenError::UnknownKey);
        // The name of another key of ours, signed by the current one.
        assert_refused(|header, _| header.kid = Some("old".to_owned()), TokenError::BadSignature);
        let stranger = keys().issue(ISSUER, &caller(), &Terms::default(), at(0)).access_token;
        assert_eq!(verify(&keys(), &stranger), Err(TokenError::BadSignature));
    }

    #[test]
    fn the_algorithm_is_not_read_from_the_header() {
        let keys = keys();
        let payload = altered(&keys, |_, _| {}).split('.').nth(1).unwrap().to_owned();
        for alg in ["none", "None", "NONE"] {
            let header = json!({ "alg": alg, "typ": TOKEN_TYPE, "kid": "new" }).to_string();
            let token = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(verify(&keys, &token), Err(TokenError::Malformed), "{alg}");
        }
        // HMAC keyed with the published key: the oldest confusion of all.
        let published = URL_SAFE_NO_PAD.decode(keys.jwks()["keys"][0]["x"].as_str().unwrap()).unwrap();
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some("new".to_owned());
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(&payload).unwrap()).unwrap();
        let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&published)).unwrap();
        assert_eq!(verify(&keys, &forged), Err(TokenError::Malformed));
    }

    #[test]
    fn damage_anywhere_is_refused() {
        let keys = keys();
        let token = keys.issue(ISSUER, &caller(), &Terms::default(), at(0)).access_token;
        for end in 0..token.len() {
            assert!(verify(&keys, &token[..end]).is_err(), "cut after {end} characters");
        }
        for place in (0..token.len()).step_by(7) {
            let mut bytes = token.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'Q' } else { b'A' };
            assert!(verify(&keys, std::str::from_utf8(&bytes).unwrap()).is_err(), "changed at {place}");
        }
        for more in
            ["", ".", "..", "...", " ", "a.b.c", &format!("{token}."), &format!("{token}A"), &format!(" {token}")]
        {
            assert!(verify(&keys, more).is_err(), "{more:?}");
        }
        let huge = format!("{token}{}", "A".repeat(TOKEN_BYTES_MAX));
        assert_eq!(verify(&keys, &huge), Err(TokenError::TooLong));
    }

    #[test]
    fn a_retired_signing_key_still_verifies() {
        let before = secret(&["old"]);
        let old_pem = before.keys[0].key.clone();
        let token =
            SigningKeys::try_new(&before).unwrap().issue(ISSUER, &caller(), &Terms::default(), at(0)).access_token;
        let mut after = secret(&["new", "old"]);
        after.keys[1].key = old_pem;
        let keys = Arc::new(SigningKeys::try_new(&after).unwrap());
        assert_eq!(verify(&keys, &token), Ok(caller()));
    }

    #[test]
    fn a_token_ends_with_its_key_also_when_it_was_verified_before() {
        let mut ring = secret(&["new", "old"]);
        ring.current = "old".to_owned();
        let keys = Followed::fixed(SigningKeys::try_new(&ring).unwrap());
        let token = keys.load().issue(ISSUER, &caller(), &Terms::default(), at(0)).access_token;
        let verifier = TokenVerifier::new(keys.clone(), ISSUER, Arc::default());
        assert_eq!(verifier.verify(&token, at(1), || None), Ok(caller()));
        ring.promote("new", at(2));
        ring.remove("old");
        keys.swap(SigningKeys::try_new(&ring).unwrap());
        assert_eq!(verifier.verify(&token, at(3), || None), Err(TokenError::UnknownKey));
    }
}
