//! What a look-up gives: a text that names whom it found, to the one who asked, for ten minutes.
//!
//! It is kept nowhere. Whoever has it learns nothing that the answer has not said but an id, and nobody else can use it.

use super::error::AliasError;
use crate::kernel::{Instant, Refusal, RefusalCode};
use crate::payments::Party;
use crate::secrets::Pepper;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// How long a look-up is good: long enough to type an amount, and short enough that a key has hardly changed hands.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);

const DOMAIN: &[u8] = b"alias-lookup";
const SAYS: usize = 16 + 16 + 8;
const BYTES: usize = SAYS + 32;

/// Makes one. The asker is in the proof alone: who presents it is known anyway.
pub fn issue(pepper: &Pepper, (tenant, asker): (Uuid, Uuid), payee: Party, now: Instant) -> String {
    let until = (now + LIFETIME).timestamp();
    let says = [payee.holder.as_bytes(), payee.account.as_bytes(), &until.to_be_bytes()[..]].concat();
    let proof = prove(pepper, tenant, asker, &says);
    URL_SAFE_NO_PAD.encode([&says[..], &proof].concat())
}

/// Whom it names, to its asker, and whether its time is over: a request that was answered in time is repeated after it.
pub fn read(
    pepper: &Pepper,
    (tenant, asker): (Uuid, Uuid),
    text: &str,
    now: Instant,
) -> Result<(Party, bool), AliasError> {
    let none = || Refusal::new(RefusalCode::ValidationFailed, "this is no look-up of yours").at("/lookup_id");
    let payee = opened(pepper, (tenant, asker), text, now);
    payee.ok_or_else(|| none().into())
}

fn opened(pepper: &Pepper, (tenant, asker): (Uuid, Uuid), text: &str, now: Instant) -> Option<(Party, bool)> {
    let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (says, proof) = bytes.split_at(SAYS);
    if !bool::from(prove(pepper, tenant, asker, says).ct_eq(proof)) {
        return None;
    }
    let until = i64::from_be_bytes(says[32..].try_into().ok()?);
    let id = |range: std::ops::Range<usize>| Uuid::from_slice(&says[range]).ok();
    Some((Party { holder: id(0..16)?, account: id(16..32)? }, now.timestamp() >= until))
}

fn prove(pepper: &Pepper, tenant: Uuid, asker: Uuid, says: &[u8]) -> [u8; 32] {
    pepper.name(&[DOMAIN, tenant.as_bytes(), asker.as_bytes(), says])
}
