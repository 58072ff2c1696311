//! What people keep: statements as files for spreadsheets, for finance programs and for paper, and receipts.
//!
//! A statement says what it began with, its lines, and what it ended with, in the tenant's time zone and in the caller's
//! language. It is written from the ledger itself, as it stood at one position: that is fixed first, then lines are read in
//! pages, each in a short transaction of its own, so that no snapshot grows old and no file grows in memory.
//!
//! Invariants:
//! - Opening balance plus the lines is the closing balance, to the minor unit, whatever is recorded meanwhile.
//! - What a caller may download is what the list of entries shows them; nothing here knows a person.
//! - A text that somebody wrote can neither become a formula in a spreadsheet nor an element in a file of tags.
//!
//! Deliberately absent: documents that are stored. The same period of the same account gives the same lines again.

pub mod csv;
pub mod entry;
pub mod ofx;
pub mod pdf;
pub mod receipt;
pub mod statement;
pub mod words;
