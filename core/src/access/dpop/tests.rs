//! Proofs that are good, and one thing wrong with each of the others.

use super::*;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const BASE: &str = "https://vintem.example";
const PATH: &str = "/v1/transactions";
const NOW: i64 = 1_790_000_000;
const TOKEN: &[u8] = b"a.b.c";

/// A device's key.
enum Device {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Device {
    fn both() -> [Self; 2] {
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        [Self::P256(p256), Self::Ed25519(Ed25519KeyPair::generate().unwrap())]
    }

    fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Self::Ed25519(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())}),
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        self.sign_text(&format!("{}.{}", part(header), part(claims)))
    }

    fn sign_text(&self, text: &str) -> String {
        let signature = match self {
            Self::P256(pair) => pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(text.as_bytes()).as_ref().to_vec(),
        };
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// A proof that differs from a good one in what `alter` does; its signature is right.
    fn altered(&self, alter: impl FnOnce(&mut Value, &mut Value)) -> String {
        let alg = if matches!(self, Self::P256(_)) { "ES256" } else { "EdDSA" };
        let mut header = json!({"typ": "dpop+jwt", "alg": alg, "jwk": self.jwk()});
        let mut claims = json!({
            "jti": "1", "htm": "POST", "htu": format!("{BASE}{PATH}"), "iat": NOW, "ath": Thumbprint::of(TOKEN),
        });
        alter(&mut header, &mut claims);
        self.sign(&header, &claims)
    }

    fn thumbprint(&self) -> Thumbprint {
        ProofKey::from_jwk(&self.jwk().to_string()).unwrap().thumbprint()
    }
}

fn check(proofs: &Proofs, device: &Device, text: &str, seconds: i64) -> Result<Thumbprint, ProofError> {
    let digest = Thumbprint::of(TOKEN);
    let token = BoundToken { key: device.thumbprint(), digest: digest.as_bytes() };
    let now = DateTime::from_timestamp(NOW + seconds, 0).unwrap();
    proofs.check(&DpopProof { text, method: "POST", path: PATH }, Some(token), now)
}

#[track_caller]
fn assert_refused(error: ProofError, alter: impl Fn(&mut Value, &mut Value)) {
    for device in Device::both() {
        let text = device.altered(&alter);
        assert_eq!(check(&Proofs::new(BASE), &device, &text, 0), Err(error));
    }
}

#[test]
fn a_proof_is_good_once() {
    for device in Device::both() {
        let proofs = Proofs::new(BASE);
        let text = device.altered(|_, _| {});
        assert_eq!(check(&proofs, &device, &text, 3), Ok(device.thumbprint()));
        for seconds in [3, 30, 60] {
            assert_eq!(check(&proofs, &device, &text, seconds), Err(ProofError::Used));
        }
        // The same number under another signature: ECDSA gives as many as one likes.
        assert_eq!(check(&proofs, &device, &device.altered(|_, _| {}), 3), Err(ProofError::Used));
        assert!(check(&proofs, &device, &device.altered(|_, claims| claims["jti"] = "2".into()), 3).is_ok());
        for other in Device::both() {
            let text = other.altered(|_, _| {});
            assert!(check(&proofs, &other, &text, 3).is_ok(), "another device's numbers are its own");
        }
    }
}

#[test]
fn thumbprints_are_those_of_the_standards() {
    // RFC 9449 §6 and RFC 8037 appendix A.3.
    for (jwk, thumbprint) in [
        (
            r#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#,
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        ),
    ] {
        assert_eq!(ProofKey::from_jwk(jwk).unwrap().thumbprint().to_string(), thumbprint);
    }
}

#[test]
fn it_is_good_for_one_method_and_one_address() {
    for htm in ["GET", "post", ""] {
        assert_refused(ProofError::OtherRequest, |_, claims| claims["htm"] = htm.into());
    }
    for htu in [
        "https://vintem.example/v1/holds",
        "https://vintem.example/v1/transactions/",
        "http://vintem.example/v1/transactions",
        "https://vintem.example:8443/v1/transactions",
        "https://vintem.example.evil.example/v1/transactions",
        "https://evil@vintem.example/v1/transactions",
        "/v1/transactions",
        "",
        "?",
    ] {
        assert_refused(ProofError::OtherRequest, |_, claims| claims["htu"] = htu.into());
    }
    for device in Device::both() {
        for htu in [
            "https://vintem.example/v1/transactions?a=b#c",
            "HTTPS://Vintem.Example:443/v1/transactions",
            "https://vintem.example/v1/./holds/../transactions",
        ] {
            let text = device.altered(|_, claims| claims["htu"] = htu.into());
            assert!(check(&Proofs::new(BASE), &device, &text, 0).is_ok(), "{htu}");
        }
    }
}

#[test]
fn it_is_good_for_a_minute_and_not_before_the_process_began() {
    let [device, _] = Device::both();
    let text = device.altered(|_, _| {});
    for (seconds, is_timely) in [(-61, false), (-60, true), (0, true), (60, true), (61, false), (86_400, false)] {
        let checked = check(&Proofs::new(BASE), &device, &text, seconds);
        assert_eq!(checked.err(), (!is_timely).then_some(ProofError::OtherTime), "{seconds}");
    }
    let started = |seconds| Proofs::new(BASE).since(DateTime::from_timestamp(NOW + seconds, 0).unwrap());
    assert!(check(&started(0), &device, &text, 5).is_ok());
    assert_eq!(check(&started(1), &device, &text, 5), Err(ProofError::OtherTime));
    for iat in [json!(i64::MIN), json!(i64::MAX), json!(0), json!(-1)] {
        assert_refused(ProofError::OtherTime, |_, claims| claims["iat"] = iat.clone());
    }
    for iat in [json!("1790000000"), json!(1e300), json!(u64::MAX), Value::Null] {
        assert_refused(ProofError::Malformed, |_, claims| claims["iat"] = iat.clone());
    }
}

#[test]
fn it_is_good_for_one_token_and_by_one_key() {
    for ath in [json!(Thumbprint::of(b"another")), json!(""), json!("x"), Value::Null] {
        assert_refused(ProofError::OtherToken, |_, claims| claims["ath"] = ath.clone());
    }
    assert_refused(ProofError::OtherToken, |_, claims| _ = claims.as_object_mut().unwrap().remove("ath"));
    let [device, other] = Device::both();
    assert_eq!(check(&Proofs::new(BASE), &device, &other.altered(|_, _| {}), 0), Err(ProofError::OtherKey));
    // Without a token, for a token, any key will do, and `ath` is nobody's.
    let proof = DpopProof { text: &other.altered(|_, claims| claims["ath"] = "x".into()), method: "POST", path: PATH };
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    assert_eq!(Proofs::new(BASE).check(&proof, None, now), Ok(other.thumbprint()));
}

#[test]
fn the_algorithm_is_the_keys_own() {
    for alg in ["none", "HS256", "RS256", "ES384", "ES512", "es256", "", "PS256"] {
        assert_refused(ProofError::BadKey, |header, _| header["alg"] = alg.into());
    }
    let [p256, ed25519] = Device::both();
    let crossed = |device: &Device, alg: &str| {
        check(&Proofs::new(BASE), device, &device.altered(|header, _| header["alg"] = alg.into()), 0)
    };
    assert_eq!(crossed(&p256, "EdDSA"), Err(ProofError::BadKey));
    assert_eq!(crossed(&ed25519, "ES256"), Err(ProofError::BadKey));
    assert!(crossed(&ed25519, "Ed25519").is_ok(), "its name in RFC 9864");
    for jwk in [
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "EC", "crv": "P-256", "x": "", "y": ""}),
        json!({"kty": "EC", "crv": "secp256k1", "x": p256.jwk()["x"], "y": p256.jwk()["y"]}),
        json!({"kty": "OKP", "crv": "X25519", "x": ed25519.jwk()["x"]}),
        json!({"kty": "EC", "crv": "P-256", "x": p256.jwk()["x"]}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"}),
    ] {
        let text = p256.altered(|header, _| header["jwk"] = jwk.clone());
        let error = check(&Proofs::new(BASE), &p256, &text, 0).unwrap_err();
        assert!(matches!(error, ProofError::BadKey | ProofError::PrivateKey), "{jwk}: {error}");
    }
    // A point that is not on the curve is a key that has signed nothing.
    let mut jwk = p256.jwk();
    jwk["y"] = jwk["x"].clone();
    let text = p256.altered(|header, _| header["jwk"] = jwk.clone());
    let key = ProofKey::from_jwk(&jwk.to_string()).unwrap();
    assert!(!key.has_signed(b"x", &[1; 64]));
    let now = DateTime::from_timestamp(NOW, 0).unwrap();
    let proof = DpopProof { text: &text, method: "POST", path: PATH };
    assert_eq!(Proofs::new(BASE).check(&proof, None, now), Err(ProofError::BadSignature));
}

#[test]
fn a_private_key_is_refused_by_name() {
    assert_refused(ProofError::PrivateKey, |header, _| header["jwk"]["d"] = "AAAA".into());
    assert_eq!(ProofKey::from_jwk(r#"{"kty":"oct","k":"AAAA"}"#).unwrap_err(), ProofError::PrivateKey);
    assert!(!ProofError::PrivateKey.to_string().contains("AAAA"));
}

#[test]
fn other_forms_are_refused() {
    assert_refused(ProofError::Malformed, |header, _| header["typ"] = "JWT".into());
    assert_refused(ProofError::Malformed, |header, _| header["crit"] = json!(["b64"]));
    for member in ["typ", "alg", "jwk"] {
        assert_refused(ProofError::Malformed, |header, _| _ = header.as_object_mut().unwrap().remove(member));
    }
    for member in ["jti", "htm", "htu", "iat"] {
        assert_refused(ProofError::Malformed, |_, claims| _ = claims.as_object_mut().unwrap().remove(member));
    }
    for jti in [json!(""), json!("j".repeat(257)), json!(1), Value::Null] {
        assert_refused(ProofError::Malformed, |_, claims| claims["jti"] = jti.clone());
    }
    let [device, _] = Device::both();
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": device.jwk()}).to_string();
    let claims = format!(r#"{{"jti":"1","jti":"2","htm":"POST","htu":"{BASE}{PATH}","iat":{NOW}}}"#);
    let deep = format!("{{\"a\":{}", "[".repeat(500));
    for claims in [claims.as_bytes(), deep.as_bytes(), b"\xff", b"[]", b"null", b""] {
        let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(claims));
        assert_eq!(check(&Proofs::new(BASE), &device, &device.sign_text(&text), 0), Err(ProofError::Malformed));
    }
}

#[test]
fn damage_anywhere_is_refused() {
    for device in Device::both() {
        let proofs = Proofs::new(BASE);
        let text = device.altered(|_, _| {});
        for end in 0..text.len() {
            assert!(check(&proofs, &device, &text[..end], 0).is_err(), "cut after {end} characters");
        }
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'Q' } else { b'A' };
            assert!(check(&proofs, &device, std::str::from_utf8(&bytes).unwrap(), 0).is_err(), "changed at {place}");
        }
        for more in ["", ".", "..", "...", "a.b.c", "ação.é.ü", &format!("{text}."), &format!("{text}A")] {
            assert!(check(&proofs, &device, more, 0).is_err(), "{more:?}");
        }
        assert_eq!(check(&proofs, &device, &"A".repeat(100_000), 0), Err(ProofError::Malformed));
        assert!(check(&proofs, &device, &text, 0).is_ok(), "none of these has used it up");
    }
}
