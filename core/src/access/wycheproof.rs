//! Wycheproof's vectors against the code that verifies tokens and proofs. They are read from the folder that `VINTEM_VECTORS`
//! names, and skipped where there is none.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::dpop::{DpopProof, Proofs};
use super::proof_key::{Jws, ProofKey};
use super::signing_key::{SigningKeys, tests::secret};
use super::verifier::{Presented, TokenVerifier};
use crate::secrets::Followed;
use crate::telemetry::clock;

#[derive(Deserialize)]
struct Header {
    alg: String,
}

fn groups(name: &str) -> Vec<Value> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("VINTEM_VECTORS").map_or_else(beside, PathBuf::from);
    let Ok(text) = std::fs::read(folder.join(name)) else {
        eprintln!("skipped: no {name} in {}", folder.display());
        return Vec::new();
    };
    let file: Value = serde_json::from_slice(&text).unwrap();
    file["testGroups"].as_array().unwrap().clone()
}

fn hex(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// What a proof's signature is checked with: the parts, the algorithm that is the key's own, the signature.
fn is_signed_by(jwk: &Value, jws: &str) -> bool {
    let (Ok(key), Some(jws)) = (ProofKey::from_jwk(&jwk.to_string()), Jws::parse(jws)) else { return false };
    let header: Result<Header, _> = serde_json::from_slice(&jws.header);
    header.is_ok_and(|header| key.signs_with(&header.alg)) && key.has_signed(jws.signed.as_bytes(), &jws.signature)
}

#[test]
fn signatures_of_ed25519_are_judged_alike() {
    let mut judged = 0;
    let groups = groups("wycheproof_ed25519_test.json");
    for group in &groups {
        let key = ProofKey::from_jwk(&group["publicKeyJwk"].to_string()).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let is_valid = key.has_signed(&hex(&test["msg"]), &hex(&test["sig"]));
            assert_eq!(is_valid, test["result"] == "valid", "{}: {}", test["tcId"], test["comment"]);
            judged += 1;
        }
    }
    assert!(groups.is_empty() || judged > 100, "{judged}");
}

#[test]
fn of_jws_only_those_by_our_kinds_of_key_are_accepted() {
    let (mut judged, mut accepted) = (0, 0);
    let all = [groups("wycheproof_json_web_signature_test.json"), groups("wycheproof_json_web_key_test.json")].concat();
    let keys = Arc::new(SigningKeys::try_new(&secret(&["a"])).unwrap());
    let verifier = TokenVerifier::new(Followed::fixed(keys), "https://vintem.example", Arc::default());
    let proofs = Proofs::new("https://vintem.example");
    for group in &all {
        let public = group.get("public").or_else(|| group.get("private")).unwrap();
        let set = public["keys"].as_array().cloned().unwrap_or_else(|| vec![public.clone()]);
        for test in group["tests"].as_array().unwrap() {
            let Some(jws) = test["jws"].as_str() else { continue };
            let is_ours = |jwk: &Value| jwk["crv"] == "P-256" && jwk["alg"] == "ES256" && jwk.get("d").is_none();
            for jwk in &set {
                let is_valid = is_signed_by(jwk, jws);
                assert!(!is_valid || is_ours(jwk), "{}: another's key", test["tcId"]);
                // The keys of a set that are not meant have signed nothing, whatever is said of the whole.
                assert!(!is_valid || test["result"] == "valid", "{}: {}", test["tcId"], test["comment"]);
                assert!(is_valid || test["result"] != "valid" || !is_ours(jwk), "{}", test["tcId"]);
                accepted += usize::from(is_valid);
            }
            assert!(verifier.verify(jws, clock::now(), &Presented::default()).is_err(), "{}", test["tcId"]);
            let proof = DpopProof { text: jws, method: "GET", path: "/" };
            assert!(proofs.check(&proof, None, clock::now()).is_err(), "{}", test["tcId"]);
            judged += 1;
        }
    }
    assert!(all.is_empty() || (judged > 400 && accepted == 2), "{judged} {accepted}");
}
