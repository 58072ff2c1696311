//! `vintem simulate`: terminals and telephones over a network that fails, and a reckoning in the end that must be exact.
//!
//! Everything is real but the people: HTTP through nginx, certificates that the authority signed, PINs that are hashed. Chance
//! follows from one seed and the names of messages ([`chance`]), never from time, so a seed that fails can be run again.
//!
//! ```text
//! founding ─► citizens, money, a service, terminals ─► run: terminals ask (terminal), citizens pay (street, phone), the wire fails
//!          ─► the network is whole again: everybody asks for what they do not know ─► books: every journal beside the ledger
//! ```
//!
//! Invariants: a message is written into the journal before it is sent and repeated as it was; after the settling no device may
//! believe anything that the ledger does not say, no citizen may have paid twice, no hold may be left.
//!
//! Deliberately absent: load at any price. It is slow on purpose where devices are; `vintem bench` measures.

pub mod books;
pub mod chance;
pub mod command;
pub mod devices;
pub mod founding;
pub mod journal;
pub mod phone;
pub mod registry;
pub mod run;
pub mod screen;
pub mod street;
pub mod tally;
pub mod terminal;
pub mod wire;

pub use command::{Simulate, command};

use vintem_core::citizens::CitizenError;
use vintem_core::kernel::Refusal;
use vintem_core::secrets::SecretsError;

use crate::bench::BenchError;
use crate::client::ClientError;
use crate::stack::StackError;

/// Why a simulation could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// The API.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The development stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// What citizens are made with.
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// Whom devices believe.
    #[error("the authority's certificate cannot be read")]
    Root(#[source] std::io::Error),
    /// Keys and certificates.
    #[error("the devices have no secrets")]
    Secrets(#[from] SecretsError),
    /// Citizens.
    #[error("the citizens could not settle")]
    Citizens(#[from] CitizenError),
    /// What they are made of.
    #[error("somebody could not be made: {0:?}")]
    Refused(Refusal),
    /// An answer that is none.
    #[error("the API answered something unexpected: {0}")]
    Unexpected(String),
    /// The ledger and the devices differ.
    #[error("{0} differences; the same seed lets the same things happen again")]
    Differs(usize),
}

impl From<Refusal> for SimulationError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
