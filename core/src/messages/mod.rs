//! Short messages to people, such as the one-time codes of a registration.
//!
//! ```text
//! use case ─ post ─► queue of 1,000 ─► one task: up to 32 messages at a time, each tried for two minutes ─► sender (SMTP)
//! ```
//!
//! Invariants:
//! - Posting never waits and says nothing of the addressee: it takes the same time for whoever exists and whoever does not.
//! - A message is tried a few times and given up after two minutes: a code that comes later is of no use, and whoever waits for
//!   one asks for another. What is given up or dropped is counted and warned of.
//! - Neither contact nor text reaches a log, an error or a label.
//! - Nothing travels in clear to another machine, and no password stands in the environment.
//!
//! Deliberately absent: a table of messages. It would keep codes and contacts beyond their use, and a message that a crash
//! loses is asked for again.

mod error;
mod message;
mod messenger;
mod smtp;

pub use error::{SendError, SetupError};
pub use message::{Contact, Message};
pub use messenger::{Counts, Messenger, Sender};
pub use smtp::{Login, Smtp};
