//! A caller's device: a key of P-256, as the secure hardware of telephones makes them, and the proofs that it signs. For the
//! benchmark and the tests; the product itself has no such key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use vintem_core::access::{ProofKey, Thumbprint};
use vintem_core::event_store::fresh;
use vintem_core::telemetry::clock;

/// A device.
#[derive(Debug)]
pub struct Device(EcdsaKeyPair);

impl Device {
    /// A new one.
    pub fn create() -> Self {
        Self(
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key is drawn wherever random bytes are"),
        )
    }

    /// Its public key.
    pub fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({"kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})
    }

    /// The same as those who check proofs have it.
    pub fn key(&self) -> ProofKey {
        ProofKey::from_jwk(&self.jwk().to_string()).expect("a point that was just made is one")
    }

    /// The thumbprint of its public key.
    pub fn thumbprint(&self) -> Thumbprint {
        self.key().thumbprint()
    }

    /// A fresh proof for one request.
    pub fn proof(&self, method: &str, address: &str, token: Option<&str>) -> String {
        let ath = token.map(|token| Thumbprint::of(token.as_bytes()));
        let mut claims =
            json!({"jti": fresh::new_id(), "htm": method, "htu": address, "iat": clock::now().timestamp()});
        if let Some(ath) = ath {
            claims["ath"] = json!(ath);
        }
        self.sign(&json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()}), &claims)
    }

    /// A JWS of these parts.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        format!("{text}.{}", self.sign_bytes(text.as_bytes()))
    }

    /// A signature of bytes, in base64url.
    pub fn sign_bytes(&self, bytes: &[u8]) -> String {
        let signature = self.0.sign(&SystemRandom::new(), bytes).expect("a key of P-256 signs");
        URL_SAFE_NO_PAD.encode(signature)
    }
}
