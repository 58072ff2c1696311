//! A certificate with its key, and what it says of itself.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

use crate::secrets::error::SecretsError;
use crate::secrets::random::jitter;
use crate::telemetry::clock;

/// A certificate, the ones that vouch for it, and its key.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate and the intermediate behind it, as PEM.
    pub chain: String,
    /// Its key, as PEM.
    pub key: SecretString,
    /// What it says.
    pub facts: Facts,
    /// When it is to be replaced.
    renew_at: DateTime<Utc>,
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its number, as Vault writes it: bytes in hexadecimal, with colons.
    pub serial: String,
    /// The URIs it stands for.
    pub uris: Vec<String>,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub fingerprint: String,
    /// The SHA-256 of its public key, in hexadecimal.
    pub key: String,
    /// When it began.
    pub begins_at: DateTime<Utc>,
    /// When it ends.
    pub ends_at: DateTime<Utc>,
}

impl Facts {
    /// Of the first certificate in a PEM text.
    pub fn of_pem(text: &str) -> Result<Self, SecretsError> {
        Self::of_der(&der(text)?)
    }

    /// Of a certificate in its bytes.
    pub fn of_der(der: &[u8]) -> Result<Self, SecretsError> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(|_| unusable())?;
        let names = certificate.subject_alternative_name().map_err(|_| unusable())?;
        let names = names.map(|names| names.value.general_names.as_slice()).unwrap_or_default();
        let uris = names.iter().filter_map(|name| match name {
            GeneralName::URI(uri) => Some((*uri).to_owned()),
            _ => None,
        });
        let instant = |seconds| DateTime::from_timestamp(seconds, 0).ok_or_else(unusable);
        let bytes = certificate.raw_serial().iter().map(|byte| format!("{byte:02x}"));
        Ok(Self {
            serial: bytes.collect::<Vec<_>>().join(":"),
            uris: uris.collect(),
            fingerprint: hex(digest(&SHA256, der).as_ref()),
            key: hex(digest(&SHA256, certificate.public_key().raw).as_ref()),
            begins_at: instant(certificate.validity().not_before.timestamp())?,
            ends_at: instant(certificate.validity().not_after.timestamp())?,
        })
    }
}

impl Certificate {
    /// A certificate just signed.
    pub(super) fn new(chain: String, key: SecretString) -> Result<Self, SecretsError> {
        let facts = Facts::of_pem(&chain)?;
        // Vault lets a certificate begin a little in the past, for clocks that are slow; its life begins now.
        let renew_at = two_thirds(clock::now(), facts.ends_at);
        Ok(Self { chain, key, facts, renew_at })
    }

    /// One that was kept: the key and the chain in one PEM text.
    pub fn of_pair(pair: &str) -> Result<Self, SecretsError> {
        let start = pair.find("-----BEGIN CERTIFICATE-----").ok_or_else(unusable)?;
        let (key, chain) = pair.split_at(start);
        let facts = Facts::of_pem(chain)?;
        let renew_at = two_thirds(facts.begins_at, facts.ends_at);
        Ok(Self { chain: chain.to_owned(), key: key.to_owned().into(), facts, renew_at })
    }

    /// Key and chain in one PEM text, so that replacing both in a file is one rename.
    pub fn pair(&self) -> SecretString {
        format!("{}\n{}", self.key.expose_secret().trim_end(), self.chain).into()
    }

    /// Whether two thirds of its life are over.
    pub fn is_due(&self) -> bool {
        self.until_due().is_zero()
    }

    /// How long until then.
    pub(super) fn until_due(&self) -> Duration {
        (self.renew_at - clock::now()).to_std().unwrap_or_default()
    }
}

/// The bytes of the first certificate in a PEM text.
pub fn der(text: &str) -> Result<Vec<u8>, SecretsError> {
    let blocks = Pem::iter_from_buffer(text.as_bytes()).filter_map(Result::ok);
    let block = blocks.into_iter().find(|block| block.label == "CERTIFICATE").ok_or_else(unusable)?;
    Ok(block.contents)
}

/// Two digits a byte.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Two thirds of the way, with jitter, so that a fleet does not renew at once.
fn two_thirds(from: DateTime<Utc>, to: DateTime<Utc>) -> DateTime<Utc> {
    let life = (to - from).to_std().unwrap_or_default();
    from + TimeDelta::from_std(jitter(life * 2 / 3, 10)).unwrap_or_default()
}

pub(super) fn unusable() -> SecretsError {
    SecretsError::Certificate { reason: "it is not a certificate that we can read" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::pki::{Draft, Service};

    #[test]
    fn renewal_comes_at_two_thirds_with_a_tenth_of_jitter() {
        let begin = clock::now();
        for _ in 0..50 {
            let wait = (two_thirds(begin, begin + TimeDelta::hours(72)) - begin).num_minutes();
            assert!((43 * 60..=53 * 60).contains(&wait), "{wait}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_an_error() {
        let request = Draft::of(Service::Api, &[]).unwrap();
        for text in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", request.request()] {
            assert!(Facts::of_pem(text).is_err(), "{text}");
            assert!(Certificate::of_pair(text).is_err(), "{text}");
        }
    }
}
