//! Who may connect at all: TLS 1.3, our own certificate, and one of the client's that says it is the door. And whose certificate the
//! door may show for somebody else.
//!
//! Certificate, authority and list of revoked ones are replaced while connections go on: each handshake takes what is newest.
//! Sessions are not resumed, because a resumed one would not show its certificate again, revoked or not.

use arc_swap::ArcSwap;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
};
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::time::Duration;
use vintem_core::secrets::pki::{Certificate, Facts, Identity, Service, Trust};
use vintem_core::secrets::{FOLLOW_EVERY, SecretsError, Transport, Vault};

/// Who may come: the door, and nobody else.
const CLIENT: Service = Service::Nginx;

/// Beside the name that the door wants to see: the machine's own, for who works on it.
const HOSTS: &[&str] = &["localhost"];

/// Why there is no server that speaks TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Vault gave no certificate or no authority.
    #[error("there is no certificate to show, or nobody to believe")]
    Secrets(#[from] SecretsError),
    /// What it gave cannot be used.
    #[error("a certificate or a list of revoked ones cannot be used: {0}")]
    Unusable(String),
}

fn unusable(error: impl std::fmt::Display) -> TlsError {
    TlsError::Unusable(error.to_string())
}

/// What a server that stands behind the door has.
#[derive(Debug)]
pub struct Mutual {
    /// How it listens.
    pub server: ServerConfig,
    /// How it judges certificates that the door was shown.
    pub judge: Judge,
}

/// Judges certificates that came to the door, by the same authority and list that the door itself is let in by.
#[derive(Debug, Clone)]
pub struct Judge(Newest);

/// Why a certificate is good for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Its time is over, or has not come.
    Expired,
    /// It is on the list.
    Revoked,
    /// Our authority did not sign it for a client, or it cannot be told.
    Unknown,
}

type Newest = Arc<ArcSwap<Arc<dyn ClientCertVerifier>>>;

impl Judge {
    /// Whether our authority signed it for a client, its time has come and is not over, and it was not revoked.
    pub fn check(&self, der: &[u8]) -> Result<(), Unfit> {
        let judged = self.0.load().verify_client_cert(&CertificateDer::from(der), &[], UnixTime::now());
        judged.map(drop).map_err(|error| match error {
            Error::InvalidCertificate(
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. },
            ) => Unfit::Expired,
            Error::InvalidCertificate(CertificateError::Revoked) => Unfit::Revoked,
            other => {
                tracing::info!(error = %other, "a certificate that the door let pass was refused");
                Unfit::Unknown
            }
        })
    }
}

/// How a process listens, and how it judges certificates that the door was shown: without a door it believes none.
pub async fn for_transport(
    vault: &Vault,
    transport: Transport,
) -> Result<(Option<ServerConfig>, Option<Judge>), TlsError> {
    match transport {
        Transport::Plain => Ok((None, None)),
        Transport::Mutual => {
            mutual(vault, FOLLOW_EVERY).await.map(|Mutual { server, judge }| (Some(server), Some(judge)))
        }
    }
}

/// A server that shows our newest certificate and lets in whom the newest trust says, looked at so often.
pub async fn mutual(vault: &Vault, every: Duration) -> Result<Mutual, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let identity = Identity::obtain(vault, Service::Api, HOSTS).await?;
    let trust = vault.follow_trust(every).await?;
    let shown = Shown::follow(identity, Arc::clone(&provider))?;
    let guard = Guard::follow(trust, Arc::clone(&provider))?;
    let judge = Judge(Arc::clone(&guard.newest));
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13]);
    let mut config =
        builder.map_err(unusable)?.with_client_cert_verifier(Arc::new(guard)).with_cert_resolver(Arc::new(shown));
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Mutual { server: config, judge })
}

/// Our certificate.
#[derive(Debug)]
struct Shown(Arc<ArcSwap<CertifiedKey>>);

impl Shown {
    fn follow(mut identity: Identity, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let newest = Arc::new(ArcSwap::from_pointee(certified(&identity.newest(), &provider)?));
        let shown = Arc::clone(&newest);
        tokio::spawn(async move {
            while let Some(next) = identity.next().await {
                match certified(&next, &provider) {
                    Ok(next) => newest.store(Arc::new(next)),
                    Err(error) => tracing::error!(%error, "a new certificate is not shown; the one before it is"),
                }
            }
        });
        Ok(Self(shown))
    }
}

fn certified(certificate: &Certificate, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificate.chain.as_bytes()).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.expose_secret().as_bytes()).map_err(unusable)?;
    CertifiedKey::from_der(chain.map_err(unusable)?, key, provider).map_err(unusable)
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

/// Whom we let in.
#[derive(Debug)]
struct Guard {
    newest: Newest,
    client: String,
}

impl Guard {
    fn follow(
        mut trust: tokio::sync::watch::Receiver<Arc<Trust>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, TlsError> {
        let first = verifier(&trust.borrow_and_update(), &provider)?;
        let newest = Arc::new(ArcSwap::from_pointee(first));
        let guard = Self { newest: Arc::clone(&newest), client: CLIENT.uri() };
        tokio::spawn(async move {
            while trust.changed().await.is_ok() {
                match verifier(&trust.borrow_and_update(), &provider) {
                    Ok(next) => newest.store(Arc::new(next)),
                    Err(error) => tracing::error!(%error, "a new list of revoked certificates is not used"),
                }
            }
        });
        Ok(guard)
    }
}

/// The authority vouches for clients by itself, whoever vouches for it: so nothing that the root signs for others gets in. A
/// list that is out of date counts as none, which lets in nobody.
fn verifier(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let mut authorities = RootCertStore::empty();
    authorities.add(CertificateDer::from_pem_slice(trust.authority.as_bytes()).map_err(unusable)?).map_err(unusable)?;
    let revoked = CertificateRevocationListDer::from_pem_slice(trust.revoked.as_bytes()).map_err(unusable)?;
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(provider));
    let built = builder.with_crls([revoked]).enforce_revocation_expiration().build();
    built.map_err(unusable)
}

impl ClientCertVerifier for Guard {
    /// Names of authorities would have to live as long as the server does, and the door has one certificate to show.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.newest.load().verify_client_cert(own, intermediates, now)?;
        let facts = Facts::of_der(own).map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if facts.uris.contains(&self.client) {
            return Ok(verified);
        }
        tracing::warn!(uris = ?facts.uris, serial = facts.serial, "a certificate of ours that is not the door's was refused");
        Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.newest.load().verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.newest.load().verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.newest.load().supported_verify_schemes()
    }
}
