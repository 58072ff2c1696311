//! Tokens that are ours, and everything that only looks like one.

use super::*;
use crate::access::client::Terms;
use crate::access::signing_key::tests::secret;
use crate::access::token::IssuedToken;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
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
    TokenVerifier::new(Followed::fixed(Arc::clone(keys)), ISSUER, Arc::default()).verify(
        token,
        at(1),
        &Presented::default(),
    )
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
        assert_eq!(
            verifier.verify(&access_token, at(seconds), &Presented::default()),
            Ok(caller()),
            "after {seconds} s"
        );
    }
    assert_eq!(
        verifier.verify(&access_token, at(605), &Presented::default()),
        Err(TokenError::Expired),
        "from the cache"
    );
    verifier.forget_all();
    assert_eq!(verifier.verify(&access_token, at(605), &Presented::default()), Err(TokenError::Expired), "anew");
}

#[test]
fn a_token_is_good_on_its_clients_terms() {
    let keys = keys();
    let terms = Terms { expires_at: Some(at(100)), networks: vec!["10.0.0.0/8".parse().unwrap()], key: None };
    let IssuedToken { access_token, expires_in, .. } = keys.issue(ISSUER, &caller(), &terms, at(0));
    assert_eq!(expires_in, 100);
    let verifier = TokenVerifier::new(Followed::fixed(keys), ISSUER, Arc::default());
    let verify = |address: Option<&str>, seconds| {
        let address = || address.map(|text| text.parse().unwrap());
        verifier.verify(&access_token, at(seconds), &Presented { address: &address, ..Presented::default() })
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
    for more in ["", ".", "..", "...", " ", "a.b.c", &format!("{token}."), &format!("{token}A"), &format!(" {token}")] {
        assert!(verify(&keys, more).is_err(), "{more:?}");
    }
    let huge = format!("{token}{}", "A".repeat(TOKEN_BYTES_MAX));
    assert_eq!(verify(&keys, &huge), Err(TokenError::TooLong));
}

#[test]
fn a_retired_signing_key_still_verifies() {
    let before = secret(&["old"]);
    let old_pem = before.keys[0].key.clone();
    let token = SigningKeys::try_new(&before).unwrap().issue(ISSUER, &caller(), &Terms::default(), at(0)).access_token;
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
    assert_eq!(verifier.verify(&token, at(1), &Presented::default()), Ok(caller()));
    ring.promote("new", at(2));
    ring.remove("old");
    keys.swap(SigningKeys::try_new(&ring).unwrap());
    assert_eq!(verifier.verify(&token, at(3), &Presented::default()), Err(TokenError::UnknownKey));
}
