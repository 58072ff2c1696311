//! A key made here, and the request that asks the authority to sign it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, SanType};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::Service;
use super::certificate::Certificate;
use crate::secrets::error::SecretsError;

/// A certificate before it is signed.
#[derive(Debug)]
pub struct Draft {
    request: String,
    key: SecretString,
}

/// What the authority made of a request, as PEM.
#[derive(Debug)]
pub struct Signed {
    /// The certificate.
    pub certificate: String,
    /// Who vouches for it: the signer first.
    pub authorities: Vec<String>,
}

impl Draft {
    /// For a service, which is also reached under these host names and addresses. Each call makes another key.
    pub fn of(service: Service, hosts: &[&str]) -> Result<Self, SecretsError> {
        let impossible = |_| SecretsError::Certificate { reason: "a request for it cannot be made" };
        let names: Vec<String> = std::iter::once(service.host()).chain(hosts.iter().map(ToString::to_string)).collect();
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(impossible)?;
        let mut wanted = CertificateParams::new(names).map_err(impossible)?;
        wanted.distinguished_name = DistinguishedName::new();
        wanted.distinguished_name.push(DnType::CommonName, service.host());
        wanted.subject_alt_names.push(SanType::URI(service.uri().try_into().map_err(impossible)?));
        let request = wanted.serialize_request(&key).map_err(impossible)?;
        let request = pem("CERTIFICATE REQUEST", request.der());
        Ok(Self { request, key: pem("PRIVATE KEY", key.serialized_der()).into() })
    }

    /// Of a device, whose name whoever signs gives it.
    pub fn of_device() -> Result<Self, SecretsError> {
        let impossible = |_| SecretsError::Certificate { reason: "a request for it cannot be made" };
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(impossible)?;
        let mut wanted = CertificateParams::default();
        wanted.distinguished_name = DistinguishedName::new();
        let request = wanted.serialize_request(&key).map_err(impossible)?;
        let request = pem("CERTIFICATE REQUEST", request.der());
        Ok(Self { request, key: pem("PRIVATE KEY", key.serialized_der()).into() })
    }

    /// The request, as PEM.
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The certificate, once signed. What vouches for itself is left out: whoever checks has the root already.
    pub fn complete(self, signed: &Signed) -> Result<Certificate, SecretsError> {
        self.with_chain(signed.chain())
    }

    /// The certificate, from a chain that somebody else had signed.
    pub fn with_chain(self, chain: String) -> Result<Certificate, SecretsError> {
        Certificate::new(chain, self.key)
    }
}

impl Signed {
    /// The certificate and who vouches for it, as one PEM text, without the root.
    pub(super) fn chain(&self) -> String {
        let intermediates = self.authorities.iter().filter(|authority| !is_root(authority));
        let chain: Vec<&str> =
            std::iter::once(&self.certificate).chain(intermediates).map(|text| text.trim_end()).collect();
        chain.join("\n") + "\n"
    }
}

/// The text form of bytes (RFC 7468).
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = Zeroizing::new(STANDARD.encode(der));
    // The last line is shorter, and base64 is ASCII, so that a line may end anywhere.
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line));
    lines.fold(format!("-----BEGIN {label}-----\n"), |pem, line| pem + &line + "\n")
        + &format!("-----END {label}-----\n")
}

fn is_root(authority: &str) -> bool {
    let pem = x509_parser::pem::parse_x509_pem(authority.as_bytes());
    pem.is_ok_and(|(_, pem)| pem.parse_x509().is_ok_and(|found| found.issuer() == found.subject()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn each_draft_has_a_key_of_its_own_and_shows_none() {
        let drafts = [(); 2].map(|()| Draft::of(Service::Nginx, &["localhost", "127.0.0.1"]).unwrap());
        assert_ne!(drafts[0].key.expose_secret(), drafts[1].key.expose_secret());
        assert!(drafts[0].request().starts_with("-----BEGIN CERTIFICATE REQUEST-----"));
        assert!(!format!("{:?}", drafts[0]).contains("PRIVATE KEY"));
    }
}
