//! What somebody else wants a certificate for: only the key in it counts, and that whoever asks has it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{OID_EC_P256, OID_KEY_TYPE_EC_PUBLIC_KEY, OID_SIG_ECDSA_WITH_SHA256};
use x509_parser::prelude::FromDer as _;

use super::certificate::hex;

/// The longest request that is read; one with a key of P-256 has some 300 bytes.
const BYTES: usize = 4_096;

/// A request for a certificate that proves itself (RFC 2986), over a key of P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRequest {
    pem: String,
    key: String,
}

/// Why a request is none that we take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// Not one PEM block of a request.
    #[error("this is not one request for a certificate in PEM (`BEGIN CERTIFICATE REQUEST`)")]
    Malformed,
    /// Another kind of key.
    #[error("the request is over a key of another kind than P-256")]
    Key,
    /// Not signed by that key.
    #[error("the request is not signed by its own key with ECDSA and SHA-256")]
    Signature,
}

impl SigningRequest {
    /// Reads one and checks its signature.
    pub fn read(pem: &str) -> Result<Self, BadRequest> {
        if pem.len() > BYTES {
            return Err(BadRequest::Malformed);
        }
        let (rest, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).map_err(|_| BadRequest::Malformed)?;
        if block.label != "CERTIFICATE REQUEST" || !rest.trim_ascii().is_empty() {
            return Err(BadRequest::Malformed);
        }
        let (rest, request) = X509CertificationRequest::from_der(&block.contents).map_err(|_| BadRequest::Malformed)?;
        if !rest.is_empty() {
            return Err(BadRequest::Malformed);
        }
        let info = &request.certification_request_info;
        let algorithm = &info.subject_pki.algorithm;
        let curve = algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
        if algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY || curve != Some(OID_EC_P256) {
            return Err(BadRequest::Key);
        }
        if request.signature_algorithm.algorithm != OID_SIG_ECDSA_WITH_SHA256 {
            return Err(BadRequest::Signature);
        }
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &info.subject_pki.subject_public_key.data);
        key.verify(info.raw, &request.signature_value.data).map_err(|_| BadRequest::Signature)?;
        // Written anew, so that nothing but the one block travels.
        let own = super::draft::pem("CERTIFICATE REQUEST", &block.contents);
        Ok(Self { pem: own, key: hex(digest(&SHA256, info.subject_pki.raw).as_ref()) })
    }

    /// The request, as PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The SHA-256 of its public key, in hexadecimal: two requests over one key are one.
    pub fn key(&self) -> &str {
        &self.key
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Draft, Service};
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};

    #[test]
    fn a_request_that_proves_itself_is_read() {
        let draft = Draft::of(Service::Nginx, &[]).unwrap();
        let request = SigningRequest::read(draft.request()).unwrap();
        assert_eq!((request.pem(), request.key().len()), (draft.request(), 64));
        let another = Draft::of(Service::Nginx, &[]).unwrap();
        assert_ne!(request.key(), SigningRequest::read(another.request()).unwrap().key());
        assert_eq!(request, SigningRequest::read(&format!("\n{}\n", draft.request())).unwrap());
    }

    #[test]
    fn what_is_none_is_refused() {
        let good = Draft::of(Service::Nginx, &[]).unwrap().request().to_owned();
        for bad in [
            String::new(),
            "nonsense".to_owned(),
            good.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
            format!("{good}{good}"),
            "A".repeat(BYTES + 1),
        ] {
            assert_eq!(SigningRequest::read(&bad), Err(BadRequest::Malformed), "{bad:.40}");
        }
    }

    #[test]
    fn another_kind_of_key_is_refused() {
        for kind in [&PKCS_ED25519, &PKCS_ECDSA_P384_SHA384] {
            let key = KeyPair::generate_for(kind).unwrap();
            let request = CertificateParams::default().serialize_request(&key).unwrap();
            let pem = super::super::draft::pem("CERTIFICATE REQUEST", request.der());
            assert_eq!(SigningRequest::read(&pem), Err(BadRequest::Key));
        }
    }

    #[test]
    fn a_request_that_was_changed_does_not_prove_itself() {
        let good = Draft::of(Service::Nginx, &[]).unwrap().request().to_owned();
        let body: String = good.lines().filter(|line| !line.starts_with('-')).collect();
        let mut der = STANDARD.decode(body).unwrap();
        let last = der.len() - 1;
        der[last] ^= 1;
        let forged = super::super::draft::pem("CERTIFICATE REQUEST", &der);
        assert_eq!(SigningRequest::read(&forged), Err(BadRequest::Signature));
    }
}
