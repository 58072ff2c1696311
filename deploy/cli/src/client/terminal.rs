//! A terminal as it connects: it shows its certificate, and believes one root. For the simulator and the tests; whoever makes terminals
//! does the same in their own language.

use secrecy::ExposeSecret as _;
use vintem_core::secrets::pki::Certificate;

/// A client of HTTP that shows a terminal's certificate. `root` is the PEM of whom it believes.
pub fn connect(certificate: &Certificate, root: &[u8]) -> Result<reqwest::Client, reqwest::Error> {
    let identity = reqwest::Identity::from_pem(certificate.pair().expose_secret().as_bytes())?;
    visitor(root)?.identity(identity).build()
}

/// The same of a device that has no certificate yet.
pub fn arrive(root: &[u8]) -> Result<reqwest::Client, reqwest::Error> {
    visitor(root)?.build()
}

fn visitor(root: &[u8]) -> Result<reqwest::ClientBuilder, reqwest::Error> {
    let root = reqwest::Certificate::from_pem(root)?;
    Ok(reqwest::Client::builder().tls_certs_only([root]).no_proxy())
}
