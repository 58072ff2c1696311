//! What a terminal asks for: checked, and begun once.

use super::charge::{Charge, Slot, already, reversed};
use super::event::{self, CaptureMode, ChargeCreated};
use crate::event_store::overlay::id_taken;
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal};
use crate::kernel::{Minor, Refusal, RefusalCode, spoken};
use crate::payments::said;
use crate::payments::terms::Terms;
use crate::secrets::random;
use std::ops::RangeInclusive;
use uuid::Uuid;

/// A txid, and what a terminal calls a refund, has so many letters and digits.
const TXID: RangeInclusive<usize> = 26..=35;
/// A reference fits into a QR code of the payment schemes.
const REFERENCE: RangeInclusive<usize> = 1..=25;
/// For so many seconds at most a charge can be confirmed.
pub const LONGEST: u16 = 900;
/// The largest number that every JSON reader keeps exactly.
const LAST_SEQ: i64 = (1 << 53) - 1;
/// So many letters are forty bits: nobody guesses one that is open.
pub const SHORT_CODE: usize = 8;

/// At which terminal, and what is true of its service now.
#[derive(Debug, Clone)]
pub struct Till {
    /// The terminal.
    pub terminal: Uuid,
    /// Who is paid at it.
    pub service: event::Payee,
    /// On which terms.
    pub terms: Terms,
}

/// What a terminal asks for.
#[derive(Debug, Clone)]
pub struct NewCharge {
    /// What it calls it.
    pub txid: String,
    /// Decimal text.
    pub amount: String,
    /// Of what.
    pub asset: String,
    /// Whether it is captured as soon as it is confirmed.
    pub capture: CaptureMode,
    /// For so many seconds it can be confirmed, 1 to 900.
    pub open_seconds: u16,
    /// What it is for; non-personal.
    pub reference: Option<String>,
    /// Who stands at the terminal.
    pub operator: Option<String>,
    /// Since when they do.
    pub shift: Option<String>,
    /// The terminal's own count of what it has asked.
    pub seq: i64,
    /// It means another payment, although the same was paid a moment ago.
    pub is_repeat: bool,
}

/// Whether a text is what a terminal may call something.
pub fn check_txid(text: &str, pointer: &str) -> Result<(), Refusal> {
    let is_txid = TXID.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_txid { Ok(()) } else { Err(malformed("26 to 35 letters and digits", pointer)) }
}

/// Whether a number is one that a terminal may count by.
pub fn check_seq(seq: i64) -> Result<(), Refusal> {
    if (1..=LAST_SEQ).contains(&seq) { Ok(()) } else { Err(malformed("a number from 1 to 2^53 - 1", "/seq")) }
}

impl NewCharge {
    /// Checks everything but the amount, which needs its asset.
    pub fn check(&self) -> Result<(), Refusal> {
        check_txid(&self.txid, "/txid")?;
        check_seq(self.seq)?;
        if !(1..=LONGEST).contains(&self.open_seconds) {
            return Err(malformed("1 to 900 seconds", "/expires_in"));
        }
        for (text, pointer) in
            [(&self.reference, "/reference"), (&self.operator, "/operator_id"), (&self.shift, "/shift")]
        {
            if text.as_ref().is_some_and(|text| !is_reference(text)) {
                return Err(malformed("1 to 25 letters, digits and ._:/-", pointer));
            }
        }
        Ok(())
    }

    /// What is recorded of it.
    pub fn facts(&self, till: &Till, scale: u8, amount: Minor) -> ChargeCreated {
        ChargeCreated {
            terminal: till.terminal,
            txid: self.txid.clone(),
            service: till.service.clone(),
            asset: self.asset.clone(),
            scale,
            amount,
            capture: self.capture,
            open_seconds: self.open_seconds,
            reference: self.reference.clone(),
            operator: self.operator.clone(),
            shift: self.shift.clone(),
            seq: self.seq,
            is_repeat: self.is_repeat,
            short_code: spoken::code(&random::bytes::<SHORT_CODE>()),
            nonce: said::nonce(),
            terms: till.terms.clone(),
        }
    }
}

/// Decides a creation. The same request again is the same charge; the terms of the service may have changed meanwhile.
pub fn create(slot: &Slot, facts: &ChargeCreated) -> Result<Decision, Refusal> {
    let id = match slot {
        Slot::Free(id) => *id,
        Slot::Tombstone(tombstone) => {
            let current = StreamVersion { stream: tombstone.recorded.stream, version: tombstone.recorded.version };
            return Ok(Decision::Refuse(reversed(), vec![current]));
        }
        Slot::Charge(charge) => return Ok(again(charge, facts)),
    };
    if facts.terms.divide(facts.service.account, facts.amount).is_none() {
        return Err(malformed("the amount is below what others are paid out of it", "/amount"));
    }
    let event = NewEvent::fact(id, 0, event::CHARGE_CREATED, facts);
    Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
}

fn again(charge: &Charge, facts: &ChargeCreated) -> Decision {
    if charge.reversed.is_some() {
        return charge.refuse(reversed());
    }
    if asked(&charge.created) == asked(facts) {
        return already(&charge.recorded);
    }
    Decision::Refuse(Refusal { place: None, ..id_taken() }, Vec::new())
}

/// What the terminal itself has said.
fn asked(facts: &ChargeCreated) -> impl PartialEq + '_ {
    let ChargeCreated {
        txid, asset, amount, capture, open_seconds, reference, operator, shift, seq, is_repeat, ..
    } = facts;
    ((txid, asset, amount, capture), (open_seconds, reference, operator, shift), (seq, is_repeat))
}

fn is_reference(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    REFERENCE.contains(&text.len()) && text.bytes().all(is_plain)
}

pub(super) fn malformed(detail: &str, pointer: &str) -> Refusal {
    Refusal::new(RefusalCode::ValidationFailed, detail).at(pointer)
}
