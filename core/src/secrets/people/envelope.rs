//! Sealing a field: AES-256-GCM under the person's key, bound to the place where the field stands.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::super::random;

/// The first byte of what is sealed this way.
const VERSION: u8 = 1;

/// The key of one person. Overwritten when it is dropped.
pub struct DataKey(Zeroizing<[u8; 32]>);

/// Where a field stands: what is sealed for one place does not open in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whose it is.
    pub tenant: Uuid,
    /// The stream that it is in.
    pub stream: Uuid,
    /// Its member.
    pub field: &'static str,
}

/// The key is another one, the place is another one, or somebody changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed field does not open")]
pub struct Unopenable;

impl Place {
    /// Each part with its length before it, so that no two places have the same bytes.
    fn bytes(&self) -> Vec<u8> {
        let parts: [&[u8]; 3] = [self.tenant.as_bytes(), self.stream.as_bytes(), self.field.as_bytes()];
        let mut bytes = Vec::with_capacity(64);
        for part in parts {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }
}

impl DataKey {
    /// Of bytes that came from Vault.
    pub fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// Seals a field: version, nonce, ciphertext and tag, as base64.
    ///
    /// The nonce is drawn: one person's key seals a few fields, and 96 bits do not meet twice among those.
    pub fn seal(&self, place: &Place, plaintext: &[u8]) -> String {
        let nonce = random::bytes::<NONCE_LEN>();
        let mut text = Zeroizing::new(plaintext.to_vec());
        let sealed = self.cipher().seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.bytes()),
            &mut text,
        );
        // AES-GCM refuses only texts of gigabytes.
        let tag = sealed.expect("a field is short");
        let mut envelope = Vec::with_capacity(1 + NONCE_LEN + text.len() + tag.as_ref().len());
        envelope.push(VERSION);
        envelope.extend(nonce);
        envelope.extend(&*text);
        envelope.extend(tag.as_ref());
        STANDARD_NO_PAD.encode(envelope)
    }

    /// Opens a field that was sealed for this place.
    pub fn open(&self, place: &Place, sealed: &str) -> Result<Zeroizing<Vec<u8>>, Unopenable> {
        let envelope = STANDARD_NO_PAD.decode(sealed).map_err(|_| Unopenable)?;
        let (&version, rest) = envelope.split_first().ok_or(Unopenable)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN).ok_or(Unopenable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unopenable)?;
        if version != VERSION {
            return Err(Unopenable);
        }
        let mut text = Zeroizing::new(sealed.to_vec());
        let opened = self.cipher().open_in_place(nonce, Aad::from(place.bytes()), &mut text).map_err(|_| Unopenable)?;
        let length = opened.len();
        text.truncate(length);
        Ok(text)
    }

    /// Made anew for each field: preparing it takes less than the field does, and so only the bytes above are secret.
    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*self.0).expect("32 bytes are a key of AES-256"))
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: Place = Place { tenant: Uuid::from_u128(1), stream: Uuid::from_u128(2), field: "name" };

    fn key(byte: u8) -> DataKey {
        DataKey::new(Zeroizing::new([byte; 32]))
    }

    #[test]
    fn a_field_opens_under_its_key_in_its_place_and_nowhere_else() {
        let sealed = key(7).seal(&HOME, b"Ana");
        assert_eq!(&**key(7).open(&HOME, &sealed).unwrap(), b"Ana");
        assert_ne!(sealed, key(7).seal(&HOME, b"Ana"), "equal texts do not look equal");
        assert_eq!(key(8).open(&HOME, &sealed), Err(Unopenable));
        for elsewhere in [
            Place { tenant: Uuid::from_u128(2), ..HOME },
            Place { stream: Uuid::from_u128(1), ..HOME },
            Place { field: "email", ..HOME },
        ] {
            assert_eq!(key(7).open(&elsewhere, &sealed), Err(Unopenable), "{elsewhere:?}");
        }
        assert_eq!(&**key(7).open(&HOME, &key(7).seal(&HOME, b"")).unwrap(), b"");
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let envelope = STANDARD_NO_PAD.decode(key(7).seal(&HOME, b"Ana")).unwrap();
        for index in 0..envelope.len() {
            let mut changed = envelope.clone();
            changed[index] ^= 1;
            assert_eq!(key(7).open(&HOME, &STANDARD_NO_PAD.encode(changed)), Err(Unopenable), "byte {index}");
            assert_eq!(key(7).open(&HOME, &STANDARD_NO_PAD.encode(&envelope[..index])), Err(Unopenable));
        }
        assert_eq!(key(7).open(&HOME, "Ana"), Err(Unopenable));
        assert_eq!(format!("{:?}", key(7)), "DataKey([REDACTED])");
    }
}
