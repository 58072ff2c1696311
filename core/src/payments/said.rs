//! What somebody's device signs when they confirm a payment: the canonical JSON of what they were told, and nothing else.

use crate::kernel::Minor;
use crate::secrets::random;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use uuid::Uuid;

/// What a confirmation is about.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The payment.
    pub intent: Uuid,
    /// Who gets it.
    pub payee: Uuid,
    /// How much, in minor units.
    pub amount: Minor,
    /// How many decimals a minor unit has.
    pub scale: u8,
    /// Of what.
    pub asset: &'a str,
    /// What makes the signature good for this one payment.
    pub nonce: &'a str,
}

/// Draws one, so that no two payments are signed alike.
pub fn nonce() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<16>())
}

/// In the order of RFC 8785.
#[derive(Serialize)]
struct Canonical<'a> {
    amount: &'a str,
    asset: &'a str,
    intent_id: Uuid,
    nonce: &'a str,
    payee: Uuid,
}

impl Said<'_> {
    /// The bytes that are signed.
    pub fn bytes(&self) -> Vec<u8> {
        let Self { intent, payee, asset, nonce, .. } = *self;
        let said = Canonical { amount: &self.amount.to_text(self.scale), asset, intent_id: intent, nonce, payee };
        // Plain texts and ids always serialise; each is ASCII, so that this order and this form are canonical.
        serde_json::to_vec(&said).unwrap_or_default()
    }
}
