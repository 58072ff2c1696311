//! What a terminal shows and a telephone scans: the merchant-presented codes of `EMVCo`, of which Pix's are one kind and ours another.
//!
//! ```text
//! text ─► elements (tag, length, value), templates of them ([`tlv`]) ─► checksum ─► a charge of ours ([`charge`])
//! ```
//!
//! Codes are pure; only whose a charge is, the database says. A code says where the charge is ([`charge::Location`]) and what a person may read of it meanwhile. What it says is not believed: the
//! checksum finds a scratch and no forger, and a sticker with another's code is a good code. What is believed is what the location
//! answers, signed.
//!
//! Invariants:
//! - Reading is strict: a length that does not fit, a tag that stands twice, an order that is not the specification's, is no code.
//! - What was written reads as what it was made of, and nothing else does.
//! - Ours never claim to be Pix: they carry an identifier of our own, and other people's wallets know that they cannot pay them.
//!
//! Deliberately absent: codes that payers show, static codes without a charge, and the fields that only card schemes need.

pub mod charge;
mod checksum;
mod claims;
mod currency;
mod store;
pub mod tlv;

pub use charge::{ChargeCode, Location, NotOurs};
pub use claims::{CHARGE_TYPE, ChargeClaims, Paid};
