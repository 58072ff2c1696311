//! One-time codes by time (RFC 6238): SHA-1, six digits, steps of 30 seconds, because that is what every device speaks.

use chrono::{DateTime, Utc};
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::secrets::random;

/// Seconds of a step.
const STEP: u64 = 30;
/// Steps before and after the present one that count: people type slowly, and devices' clocks differ.
const SKEW: u16 = 1;
/// 160 bits, as RFC 4226 recommends.
const BYTES: usize = 20;

/// What a device and we share. Overwritten when it is dropped.
pub struct DeviceSecret(Zeroizing<[u8; BYTES]>);

/// What a device is told: once, and kept nowhere in clear.
pub struct Enrolment {
    /// `otpauth://…`, to be shown as a QR code.
    pub uri: Zeroizing<String>,
    /// The same secret to be typed.
    pub secret: Zeroizing<String>,
}

impl DeviceSecret {
    /// Draws one.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random::bytes()))
    }

    /// From bytes that were kept sealed; `None` if they are not as many.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// From what was told to be typed: for who plays a device. `None` if it is no such secret.
    pub fn typed(text: &str) -> Option<Self> {
        Self::from_bytes(Secret::try_from_base32(text).ok()?.as_ref())
    }

    /// To be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        &*self.0
    }

    /// The step that a code belongs to, if it is one of those that count now. Each may be used once: whoever asks keeps the
    /// step and takes only later ones.
    pub fn step_of(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let is_code = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        let now = u64::try_from(now.timestamp()).ok()?;
        let step = is_code.then(|| self.totp(None).check(code, now)).flatten()?;
        i64::try_from(step).ok()
    }

    /// The code of an instant, as the device shows it.
    pub fn code_at(&self, at: DateTime<Utc>) -> String {
        self.totp(None).generate(u64::try_from(at.timestamp()).unwrap_or(0)).to_string()
    }

    /// What the device of a member is told.
    pub fn enrolment(&self, tenant: &str, login: &str) -> Enrolment {
        let totp = self.totp(Some((tenant, login)));
        Enrolment {
            uri: Zeroizing::new(totp.to_url().unwrap_or_default()),
            secret: Zeroizing::new(totp.secret().to_base32()),
        }
    }

    fn totp(&self, label: Option<(&str, &str)>) -> Totp {
        let builder = Builder::new().with_secret(Secret::new_stack(*self.0)).with_skew(SKEW).with_step_duration(STEP);
        let builder = match label {
            Some((tenant, login)) => builder.with_issuer(Some(format!("Vintem {tenant}"))).with_account_name(login),
            None => builder,
        };
        builder.build().expect("20 bytes, six digits and a name without a colon are what RFC 6238 allows")
    }
}

impl std::fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSecret([REDACTED])")
    }
}

impl std::fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Enrolment([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::path::{Path, PathBuf};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn rfc() -> DeviceSecret {
        DeviceSecret::from_bytes(b"12345678901234567890").unwrap()
    }

    #[test]
    fn the_codes_of_rfc_6238() {
        // Appendix B has eight digits; six are the last ones of them.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(rfc().code_at(at(seconds)), code[2..]);
            assert_eq!(rfc().step_of(&code[2..], at(seconds)), Some(seconds / 30));
        }
    }

    /// Third-party vectors, read from the folder that `VINTEM_VECTORS` names; skipped when they are not there.
    #[test]
    fn the_published_vectors_where_they_are_at_hand() {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
        let folder = std::env::var_os("VINTEM_VECTORS").map_or_else(beside, PathBuf::from);
        let Ok(text) = std::fs::read_to_string(folder.join("rfc6238_totp_vectors.json")) else {
            eprintln!("skipped: no vectors in {}", folder.display());
            return;
        };
        let vectors: Vec<Value> = serde_json::from_str(&text).unwrap();
        let of_sha1: Vec<&Value> = vectors.iter().filter(|vector| vector["alg"] == "sha1").collect();
        assert!(!of_sha1.is_empty());
        for vector in of_sha1 {
            let secret = DeviceSecret::from_bytes(vector["secret_ascii"].as_str().unwrap().as_bytes()).unwrap();
            let code = secret.code_at(at(vector["unix"].as_i64().unwrap()));
            assert!(vector["totp8"].as_str().unwrap().ends_with(&code), "{vector}");
        }
    }

    #[test]
    fn a_code_counts_a_step_before_and_after_and_no_longer() {
        let now = 1_790_000_010;
        let code = rfc().code_at(at(now));
        for (shift, counts) in
            [(-60, false), (-30, true), (0, true), (30, true), (60, false), (3_600, false), (-3_600, false)]
        {
            assert_eq!(rfc().step_of(&code, at(now + shift)), counts.then_some(now / 30), "{shift}");
        }
        for bad in ["", "12345", "1234567", "12345a", " 12345", "１２３４５６", "-12345"] {
            assert_eq!(rfc().step_of(bad, at(now)), None, "{bad:?}");
        }
        assert_eq!(rfc().step_of(&code, at(-1)), None);
    }

    #[test]
    fn a_device_is_told_whose_secret_it_is() {
        let told = rfc().enrolment("coffee-town", "ana.s");
        assert_eq!(&*told.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(DeviceSecret::typed(&told.secret).unwrap().as_bytes(), rfc().as_bytes());
        assert!(DeviceSecret::typed("GEZDGN").is_none() && DeviceSecret::typed("no secret").is_none());
        assert!(told.uri.starts_with("otpauth://totp/Vintem%20coffee-town:ana.s?secret=GEZDGN"), "{}", &*told.uri);
        assert_eq!(format!("{:?} {told:?}", rfc()), "DeviceSecret([REDACTED]) Enrolment([REDACTED])");
    }
}
