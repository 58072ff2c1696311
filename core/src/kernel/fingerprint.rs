//! What makes two requests the same: method, path and the canonical form of the body.

use aws_lc_rs::digest;

/// SHA-256 over method, path and canonical body.
pub type Fingerprint = [u8; 32];

/// The fingerprint of a request. `canonical_body` is the JCS form (RFC 8785), without credential members.
pub fn fingerprint(method: &str, path: &str, canonical_body: &[u8]) -> Fingerprint {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [method.as_bytes(), path.as_bytes(), canonical_body] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// The JCS form of a JSON value: member order, white space and number spelling no longer matter.
pub fn canonical(value: &serde_json::Value) -> Result<Vec<u8>, serde_json::Error> {
    serde_json_canonicalizer::to_vec(value)
}
