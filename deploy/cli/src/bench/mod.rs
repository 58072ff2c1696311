//! `vintem bench`: a load generator that drives a running stack over HTTP and prints one table.
//!
//! A [`case::Case`] is one or two crowds of clients, each with a pool of requests written beforehand
//! ([`request`]), so that the generator spends its time on sockets and nothing else. [`load`] runs the
//! crowds from one thread over connections that stay open ([`wire`]), [`tally`] keeps what came back,
//! [`table`] prints it. [`ground`] makes the tenant, the client and the accounts that the load needs.
//!
//! Against the development stack the processor time of each process and the bytes of Postgres stand
//! beside every figure, and [`ceiling`] measures in the same run what bare rows of the product's shape
//! cost in the same server. [`growth`] fills a ledger and measures on the way, [`views`] looks at those
//! who follow it, [`oracle`] at what times give away,
//! [`auth`] at what knowing the caller costs, [`confirm`] at what is left for others while people confirm. Any other ledger is driven
//! by address and client alone.
//!
//! Invariants: a latency counts from the instant at which the request was meant to leave; what is answered
//! during the warm-up is not counted; nothing grows without bound; every key is fresh unless replays are
//! what is measured.
//!
//! Deliberately absent: assertions on figures. Machines differ; ratios within one run are what counts.

pub mod auth;
pub mod case;
pub mod ceiling;
pub mod choice;
pub mod citizens;
pub mod command;
pub mod confirm;
pub mod ground;
pub mod growth;
pub mod load;
pub mod oracle;
pub mod request;
pub mod run;
pub mod table;
pub mod tally;
pub mod verdict;
pub mod views;
pub mod wire;

pub use command::{Bench, command};

use crate::client::ClientError;
use crate::stack::StackError;

/// The asset of everything that is moved.
const ASSET: &str = "BRL";

/// Why a benchmark could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The options do not go together.
    #[error("{0}")]
    Usage(String),
    /// The API.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The development stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The certificate authority or the name of the server.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The ground could not be prepared.
    #[error("{what} was not done: {last}")]
    Undone {
        /// What was to be done.
        what: &'static str,
        /// What came back last.
        last: String,
    },
    /// The threads of the generator.
    #[error("the generator cannot run")]
    Runtime(#[source] std::io::Error),
    /// Postgres, asked for the ceiling.
    #[error("the ceiling cannot be measured")]
    Postgres(#[from] sqlx::Error),
    /// The ceiling's schema.
    #[error("the ceiling's database cannot be migrated")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// Too little room.
    #[error("{needed} GB are needed for that many entries, {free} GB are free")]
    Space {
        /// Gigabytes.
        needed: u64,
        /// Gigabytes.
        free: u64,
    },
}
