//! SHA-256 of something public that a caller can prove to have: a key (RFC 7638) or a certificate (RFC 8705).

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// 32 bytes, written in base64url as tokens have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

/// The text is not the base64url of 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a thumbprint is the base64url of 32 bytes")]
pub struct BadThumbprint;

impl Thumbprint {
    /// Of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
        Self(hash)
    }

    /// From the stored bytes; `None` if they are not 32.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Thumbprint {
    type Err = BadThumbprint;

    fn from_str(text: &str) -> Result<Self, BadThumbprint> {
        // Room for one byte more than a thumbprint has, which the decoder asks for before it counts.
        let mut room = [0; 33];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut room).map_err(|_| BadThumbprint)?;
        Self::from_stored(&room[..length]).ok_or(BadThumbprint)
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_it_prints_and_in_no_other_way() {
        let thumbprint = Thumbprint::of(b"key");
        let text = thumbprint.to_string();
        assert_eq!((text.len(), text.parse()), (43, Ok(thumbprint)));
        assert_eq!(Thumbprint::from_stored(thumbprint.as_bytes()), Some(thumbprint));
        assert_eq!(serde_json::to_value(thumbprint).unwrap(), text);
        let padded = format!("{text}=");
        for bad in ["", &text[1..], &padded, &text.replace(&text[..1], "+"), &format!("{}B", &text[..42])] {
            assert_eq!(bad.parse::<Thumbprint>(), Err(BadThumbprint), "{bad:?}");
        }
        assert!(Thumbprint::from_stored(&[0; 31]).is_none());
    }
}
