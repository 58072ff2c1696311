//! Sealing with a key that never leaves Vault (the transit engine).
//!
//! The keys are derived ones: the context belongs to the ciphertext, so a row's ciphertext that is copied into another
//! row does not open there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vaultrs::api::transit::requests::{DecryptDataRequest, EncryptDataRequest};
use zeroize::Zeroizing;

use super::client::Vault;
use super::error::SecretsError;

const OPEN: &str = "transit/decrypt";

impl Vault {
    /// Seals bytes for a context. Repeating is safe: each time there is another ciphertext of the same.
    pub async fn seal(&self, key: &str, context: &[u8], plaintext: &[u8]) -> Result<String, SecretsError> {
        let mount = &self.mount("transit");
        let plaintext = &Zeroizing::new(STANDARD.encode(plaintext));
        let context = &STANDARD.encode(context);
        let sealed = self.call("transit/encrypt", |client| async move {
            let mut options = EncryptDataRequest::builder();
            options.context(context.as_str());
            vaultrs::transit::data::encrypt(&*client, mount, key, plaintext, Some(&mut options)).await
        });
        Ok(sealed.await?.ciphertext)
    }

    /// Opens what was sealed for the same context.
    pub async fn open(&self, key: &str, context: &[u8], sealed: &str) -> Result<Zeroizing<Vec<u8>>, SecretsError> {
        let mount = &self.mount("transit");
        let context = &STANDARD.encode(context);
        let opened = self.call(OPEN, |client| async move {
            let mut options = DecryptDataRequest::builder();
            options.context(context.as_str());
            vaultrs::transit::data::decrypt(&*client, mount, key, sealed, Some(&mut options)).await
        });
        let plaintext = Zeroizing::new(opened.await?.plaintext);
        let bytes = STANDARD.decode(plaintext.as_bytes()).map_err(|_| SecretsError::Malformed { call: OPEN })?;
        Ok(Zeroizing::new(bytes))
    }
}
