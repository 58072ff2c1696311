//! Receipts: what somebody can show of a transaction to a person who does not trust them.
//!
//! A receipt is a signed text (a compact JWS, `EdDSA`) of ids, amounts and times, which anybody verifies by the published keys
//! and without us; and a code, under which anybody may ask us whether it is true and whether it was reversed since. The key
//! lives in Vault's transit engine and never leaves it: receipts are believed for years, so no process may hold what could
//! forge them, and transit keeps the public half of every version for ever.
//!
//! Invariants:
//! - A transaction has one receipt, the same text and the same code whenever it is asked for.
//! - Nothing of a person is in it: no name of an account, no description, no metadata.
//! - Codes are 80 random bits and stand in no other relation to anything: knowing one tells nothing of another.
//!
//! Deliberately absent: events. That a receipt was given out moves nothing and decides nothing.

pub mod code;
mod error;
mod receipt;
mod service;
mod signer;
mod store;

pub use code::Code;
pub use error::ReceiptError;
pub use receipt::{ClaimedLeg, Claims, Reversed};
pub use service::{Checked, Given, Receipt, Receipts};
pub use signer::{PublicKeys, Signer};
