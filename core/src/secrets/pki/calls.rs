//! What Vault's PKI engine is asked.

use vaultrs::api::pki::requests::SignCertificateRequest;

use super::certificate::Certificate;
use super::draft::{Draft, Signed};
use super::trust::{Revoked, Trust};
use super::{Facts, Service, SigningRequest, certificate::unusable};
use crate::secrets::client::Vault;
use crate::secrets::error::SecretsError;

const SIGN: &str = "pki/sign";
const READ: &str = "pki/cert";
/// The role of terminals.
const TERMINAL: &str = "terminal";

impl Vault {
    /// A new key with its certificate. Repeating is safe: what is lost on the way is a certificate whose key is gone.
    pub async fn certificate(&self, service: Service, hosts: &[&str]) -> Result<Certificate, SecretsError> {
        let draft = Draft::of(service, hosts)?;
        let (mount, role) = (&self.mount("pki"), &service.role());
        let (request, host) = (draft.request(), &service.host());
        let signed = self.call(SIGN, |client| async move {
            vaultrs::pki::cert::ca::sign(&*client, mount, role, request, host, None).await
        });
        let signed = signed.await?;
        let authorities = signed.ca_chain.unwrap_or_else(|| vec![signed.issuing_ca]);
        draft.complete(&Signed { certificate: signed.certificate, authorities })
    }

    /// A terminal's certificate over the key of its request, as one PEM text, and what it says. Its name is ours to give.
    pub async fn sign_terminal(&self, request: &SigningRequest, uri: &str) -> Result<(String, Facts), SecretsError> {
        let (mount, request) = (&self.mount("pki"), request.pem());
        let signed = self.call(SIGN, |client| async move {
            let mut named = SignCertificateRequest::builder();
            named.uri_sans(uri);
            vaultrs::pki::cert::ca::sign(&*client, mount, TERMINAL, request, "", Some(&mut named)).await
        });
        let signed = signed.await?;
        let authorities = signed.ca_chain.unwrap_or_else(|| vec![signed.issuing_ca]);
        let chain = Signed { certificate: signed.certificate, authorities }.chain();
        let facts = Facts::of_pem(&chain)?;
        Ok((chain, facts))
    }

    /// Who signs now, and which of its certificates are revoked.
    pub async fn trust(&self) -> Result<Trust, SecretsError> {
        // One after the other: while Vault is away one call finds out whether it is back, and must not be given up because
        // another beside it was spared.
        let (authority, revoked) = (self.public("pki", "ca").await?, self.public("pki", "crl").await?);
        Ok(Trust { authority, revoked })
    }

    /// The lists of revoked certificates of the authority and of its root.
    pub async fn revoked(&self) -> Result<Revoked, SecretsError> {
        let (own, of_root) = (self.public("pki", "crl").await?, self.public("pki_root", "crl").await?);
        Ok(Revoked(format!("{}\n{}\n", own.trim_end(), of_root.trim_end())))
    }

    /// Revokes a certificate by its number, and has the list of revoked ones made anew at once. Both may be repeated.
    pub async fn revoke_certificate(&self, serial: &str) -> Result<(), SecretsError> {
        let mount = &self.mount("pki");
        let revoked =
            self.call("pki/revoke", |client| async move { vaultrs::pki::cert::revoke(&*client, mount, serial).await });
        revoked.await?;
        let rotated =
            self.call("pki/crl/rotate", |client| async move { vaultrs::pki::cert::crl::rotate(&*client, mount).await });
        rotated.await.map(drop)
    }

    /// What everybody may read of an authority.
    async fn public(&self, authority: &'static str, name: &'static str) -> Result<String, SecretsError> {
        let mount = &self.mount(authority);
        let read =
            self.call(READ, |client| async move { vaultrs::pki::cert::read(&*client, mount, name).await }).await?;
        if read.certificate.is_empty() { Err(unusable()) } else { Ok(read.certificate) }
    }
}
