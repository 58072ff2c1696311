//! Metadata: what integrators hang on transactions and accounts, declared non-personal.

use super::name::uuid_of_digest;
use super::refusal::{Refusal, RefusalCode};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Sorted, so that the same facts always have the same bytes.
pub type Metadata = BTreeMap<String, String>;

/// All keys and values together, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;

/// Checks the size; keys are 1 to 64 bytes.
pub fn check(metadata: &Metadata) -> Result<(), Refusal> {
    if let Some(key) = metadata.keys().find(|k| k.is_empty() || k.len() > 64) {
        let shown: String = key.chars().take(20).collect();
        return Err(Refusal::new(
            RefusalCode::ValidationFailed,
            format!("the metadata key \"{shown}\" is not 1 to 64 bytes long"),
        )
        .at("/metadata"));
    }
    let bytes: usize = metadata.iter().map(|(k, v)| k.len() + v.len()).sum();
    if bytes > MAX_BYTES {
        return Err(Refusal::new(
            RefusalCode::ValidationFailed,
            format!("metadata has {bytes} bytes, at most {MAX_BYTES} are allowed"),
        )
        .at("/metadata"));
    }
    Ok(())
}

/// The look-up key of one member: equality of the digest stands for equality of the text.
pub fn digest(key: &str, value: &str) -> Uuid {
    let mut bytes = Vec::with_capacity(8 + key.len() + value.len());
    bytes.extend_from_slice(&(key.len() as u64).to_be_bytes());
    bytes.extend_from_slice(key.as_bytes());
    bytes.extend_from_slice(value.as_bytes());
    uuid_of_digest(&bytes)
}
