//! `vintem import`: a bank's CSV file or a plain-text journal into the ledger, over the HTTP API.
//!
//! ```text
//! file ─► csv | journal ─► steps ─► lanes of batches ─► POST /v1/batches ─► verdicts ─► report
//!          (pure)          (plan)    (batch, wire)        (lane)             (verdict)   (failure)
//! ```
//!
//! Invariants: the ledger itself checks every stated balance, in the commit that books the
//! row. Rows before a refused one are in, later rows of its account are not. Every row has
//! an id of its own (`identity`), so that a second import, or one that was cut off, adds only
//! what is missing. A file is read through once before anything is posted, so that a
//! malformed last line is found first.
//!
//! Absent on purpose: any other way into the ledger than the HTTP API, and any arithmetic on
//! money that is not checked integers.

pub mod batch;
pub mod command;
pub mod csv;
pub mod failure;
pub mod identity;
pub mod input;
pub mod journal;
pub mod lane;
pub mod open;
pub mod plan;
pub mod post;
pub mod source;
pub mod verdict;
pub mod wire;

pub use command::{ImportArgs, run};

use crate::client::{ClientError, Problem};

/// Why an import ended before it was through.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The mapping of a CSV file.
    #[error("the mapping cannot be used")]
    Mapping(#[from] csv::mapping::MappingError),
    /// The file.
    #[error("the file cannot be imported")]
    Read(#[from] ReadError),
    /// A combination of options that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The API.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An account cannot be opened.
    #[error("the account {name:?} cannot be opened")]
    Open {
        /// The account, as people write it.
        name: String,
        /// What the API said.
        source: ClientError,
    },
    /// The ledger carries fewer decimals of an asset than the file needs.
    #[error("the ledger keeps {code} with {known} decimals, the file needs {needed}")]
    Scale {
        /// The asset's code.
        code: String,
        /// The ledger's scale.
        known: u32,
        /// The file's.
        needed: u32,
    },
    /// An account of this name exists and grows on the other side.
    #[error("the account {name:?} ({asset}) exists with the other normal side")]
    OtherSide {
        /// The account, as people write it.
        name: String,
        /// Its asset.
        asset: String,
    },
    /// A row is not even well-formed for the API.
    #[error("line {line}: {problem}")]
    Row {
        /// The line in the file.
        line: u64,
        /// What the API said.
        problem: Box<Problem>,
    },
    /// The answer to a batch has another number of results than the batch had items.
    #[error("the ledger answered another number of results than were asked for")]
    ResultCount,
    /// Rows were refused; they have been listed.
    #[error("{0}")]
    Refused(String),
    /// Ctrl-C.
    #[error("interrupted; what was posted stays, and the same command goes on from there")]
    Interrupted,
}

/// Why a file cannot be read into movements.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file itself.
    #[error("cannot read {path}")]
    File {
        /// The path as given.
        path: String,
        /// What the system or the decompressor said.
        source: std::io::Error,
    },
    /// A line of it.
    #[error("line {line}: {what}")]
    Line {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// Whoever took the steps wants no more of them.
    #[error("the import was stopped")]
    Stopped,
}

impl ReadError {
    /// Something wrong on a line.
    pub fn at(line: u64, what: impl Into<String>) -> Self {
        Self::Line { line, what: what.into() }
    }

    /// A failure of the CSV reader, with its line where it has one.
    pub fn from_csv(error: ::csv::Error) -> Self {
        let line = error.position().map_or(0, ::csv::Position::line);
        match error.into_kind() {
            ::csv::ErrorKind::Io(source) => Self::File { path: "the file".to_owned(), source },
            ::csv::ErrorKind::Utf8 { err, .. } => {
                Self::at(line, format!("not UTF-8 ({err}); convert the file first (iconv -t UTF-8)"))
            }
            ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Self::at(line, format!("{len} fields where the first line has {expected_len}"))
            }
            other => Self::at(line, format!("{other:?}")),
        }
    }
}
