//! What a location says of a charge: signed, so that it is believed and the code need not be.

use crate::kernel::{Instant, instant};
use crate::payments::charges::Charge;
use crate::payments::{PaymentError, Payments};
use crate::settlement::{Provider, Service};
use serde::Serialize;
use uuid::Uuid;

/// A text of this type is no access token and no receipt, whoever signed it (RFC 8725 §3.11).
pub const CHARGE_TYPE: &str = "charge+jwt";

/// What is signed of a charge.
#[derive(Debug, Serialize)]
pub struct ChargeClaims {
    iss: String,
    iat: i64,
    exp: i64,
    charge_id: Uuid,
    payee: Payee,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<String>,
    amount: String,
    asset: String,
    nonce: String,
    expires_at: String,
}

/// Who is paid.
#[derive(Debug, Serialize)]
struct Payee {
    service_id: Uuid,
    label: String,
    provider: String,
    cnpj: String,
}

/// Who is paid by a charge and where, as the tenant knows them now.
#[derive(Debug, Clone)]
pub struct Paid {
    /// What is paid for.
    pub service: Service,
    /// Whose it is.
    pub provider: Provider,
    /// What the terminal is called.
    pub terminal: Option<String>,
}

impl ChargeClaims {
    /// Of a charge, for as long as it can be confirmed and a text like this is believed.
    pub fn of(charge: &Charge, paid: &Paid, issuer: &str, now: Instant, life: i64) -> Self {
        let (said, Paid { service, provider, terminal }) = (&charge.created, paid);
        let (iat, until) = (now.timestamp(), charge.expires_at());
        Self {
            iss: issuer.to_owned(),
            iat,
            exp: until.timestamp().min(iat + life),
            charge_id: charge.id,
            payee: Payee {
                service_id: service.id,
                label: said.service.label.clone(),
                provider: provider.says.name.clone(),
                cnpj: provider.says.cnpj.to_string(),
            },
            terminal: terminal.clone(),
            amount: said.amount.to_text(said.scale),
            asset: said.asset.clone(),
            nonce: said.nonce.clone(),
            expires_at: instant::to_text(until),
        }
    }
}

impl Payments {
    /// The tenant of a charge: whoever has scanned its code does not know it.
    pub async fn tenant_of_charge(&self, charge: Uuid) -> Result<Option<Uuid>, PaymentError> {
        Ok(super::store::tenant_of(&self.reader, charge).await?)
    }
}
