//! Names that clients give to accounts and assets, and the identities derived from them.

use aws_lc_rs::digest;
use uuid::Uuid;

/// Whether a text may name an account: `^[a-z0-9:_.%-]{1,255}$`.
pub fn is_account_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b":_.%-".contains(&b);
    (1..=255).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether a text may be an asset's code: `^[A-Z][A-Z0-9._-]{0,30}$`, so that it never looks like a number.
pub fn is_asset_code(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b"._-".contains(&b);
    text.len() <= 31 && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(allowed)
}

/// The stream of a natural key. Two claims of one key meet at one stream, where the
/// second finds a version and is refused: uniqueness without a unique index as control flow.
pub fn natural_key(tenant: Uuid, kind: &str, parts: &[&str]) -> Uuid {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(tenant.as_bytes());
    for part in std::iter::once(&kind).chain(parts) {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    uuid_of_digest(&bytes)
}

/// The identity of a named account: pure, so that resolving a name needs no look-up.
pub fn account_id(tenant: Uuid, name: &str, asset: &str) -> Uuid {
    natural_key(tenant, "account", &[name, asset])
}

/// The stream of an asset.
pub fn asset_id(tenant: Uuid, code: &str) -> Uuid {
    natural_key(tenant, "asset", &[code])
}

/// A `UUIDv8` of the SHA-256 of the bytes.
pub fn uuid_of_digest(bytes: &[u8]) -> Uuid {
    let digest = digest::digest(&digest::SHA256, bytes);
    let mut half = [0; 16];
    half.copy_from_slice(&digest.as_ref()[..16]);
    Uuid::new_v8(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_grammar() {
        assert!(is_account_name("citizen:0042") && is_account_name("assets:bank%20account"));
        assert!(
            !is_account_name("")
                && !is_account_name("Citizen")
                && !is_account_name("a b")
                && !is_account_name(&"a".repeat(256))
        );
        assert!(
            is_asset_code("BRL")
                && is_asset_code("POINTS-2026")
                && !is_asset_code("brl")
                && !is_asset_code("1BRL")
                && !is_asset_code("")
        );
    }

    #[test]
    fn parts_cannot_run_into_each_other() {
        let tenant = Uuid::nil();
        assert_ne!(natural_key(tenant, "account", &["ab", "c"]), natural_key(tenant, "account", &["a", "bc"]));
        assert_eq!(account_id(tenant, "a", "BRL"), account_id(tenant, "a", "BRL"));
        assert_ne!(account_id(tenant, "a", "BRL"), account_id(Uuid::max(), "a", "BRL"));
    }
}
