//! Secrets that everybody knows: no process takes one as its key. The list of them is read from the folder that
//! `VINTEM_VECTORS` names, and skipped where there is none.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use secrecy::SecretString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use vintem_core::secrets::{decode_key, is_weak};

/// What somebody in a hurry makes 32 bytes of.
fn as_keys(secret: &[u8]) -> Vec<[u8; 32]> {
    let mut cut = [0; 32];
    let length = secret.len().min(32);
    cut[..length].copy_from_slice(&secret[..length]);
    let mut keys = vec![cut];
    if !secret.is_empty() {
        keys.push(std::array::from_fn(|index| secret[index % secret.len()]));
    }
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        keys.extend(engine.decode(secret).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()));
    }
    keys.extend(hexadecimal(secret).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()));
    keys
}

fn hexadecimal(secret: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(secret).ok().filter(|text| text.len() == 64 && text.is_ascii())?;
    (0..64).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[test]
fn no_published_secret_is_taken_as_a_key() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("VINTEM_VECTORS").map_or_else(beside, PathBuf::from);
    let Ok(file) = std::fs::File::open(folder.join("jwt_known_weak_secrets.txt.xz")) else {
        eprintln!("skipped: no jwt_known_weak_secrets.txt.xz in {}", folder.display());
        return;
    };
    let mut list = Vec::new();
    liblzma::read::XzDecoder::new(file).read_to_end(&mut list).unwrap();
    let mut count = 0;
    let mut taken = Vec::new();
    for secret in list.split(|byte| *byte == b'\n') {
        let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
        let text = SecretString::from(String::from_utf8_lossy(secret).into_owned());
        let is_taken = decode_key(&text).is_some()
            || as_keys(secret)
                .iter()
                .any(|key| !is_weak(key) || decode_key(&SecretString::from(STANDARD.encode(key))).is_some());
        if is_taken {
            taken.push(String::from_utf8_lossy(secret).into_owned());
        }
        count += 1;
    }
    assert!(count > 100_000, "{count}");
    assert!(taken.is_empty(), "{} are taken, such as {:?}", taken.len(), &taken[..taken.len().min(5)]);
}
