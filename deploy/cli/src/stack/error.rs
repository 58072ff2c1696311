//! What can go wrong with the stack, and what the person at the keyboard can do about it.

use std::path::PathBuf;

use vintem_core::secrets::SecretsError;

use super::first::FirstError;
use super::vault::VaultError;

/// A failure of the development stack. `Display` says what failed, `source` why, [`StackError::advice`] what to do.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// Something this machine lacks.
    #[error("{what}")]
    Missing {
        /// What is missing, as a sentence without its full stop.
        what: String,
        /// The command or step that provides it.
        advice: String,
    },
    /// A file or folder could not be read or written.
    #[error("could not {doing} {}", path.display())]
    File {
        /// The verb: `read`, `write`, `create` …
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program could not be started at all.
    #[error("could not run {program}")]
    Spawn {
        /// The program.
        program: String,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// A program ran and failed.
    #[error("{program} failed: {output}")]
    Program {
        /// The program and its first arguments.
        program: String,
        /// The end of what it printed.
        output: String,
    },
    /// A service did not become ready.
    #[error("{service} {what}")]
    Service {
        /// The service's name as `status` prints it.
        service: String,
        /// What was observed, as the end of a sentence.
        what: String,
        /// Its log.
        log: PathBuf,
    },
    /// A recorded port is held by somebody else's program.
    #[error("port {port} of {service} is taken by another program")]
    PortTaken {
        /// The service that needs the port.
        service: String,
        /// The port.
        port: u16,
    },
    /// Vault refused or did not answer.
    #[error("a call to Vault failed")]
    Vault(#[from] VaultError),
    /// A certificate, or the login of who has it signed.
    #[error("a certificate could not be had")]
    Certificate(#[from] SecretsError),
    /// Postgres refused or did not answer.
    #[error("could not {doing}")]
    Postgres {
        /// What was being done, in the infinitive.
        doing: String,
        /// The driver's answer.
        source: sqlx::Error,
    },
    /// The state file is not one of ours, or of another version.
    #[error("{} is not a state file of this version of the stack", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// Schema, first tenant or first client.
    #[error("the ledger could not be prepared")]
    First(#[from] FirstError),
    /// A name that could not be put into a statement or a path.
    #[error("{0:?} is not a name of small letters, digits, _ and -")]
    Name(String),
    /// The person was asked and said no.
    #[error("stopped: {0}")]
    Declined(String),
}

impl StackError {
    /// The next step for the person who reads the message, where there is one better than reading the cause.
    pub fn advice(&self) -> Option<String> {
        match self {
            Self::Missing { advice, .. } => Some(advice.clone()),
            Self::Service { log, .. } => Some(format!("its log is {}", log.display())),
            Self::PortTaken { .. } => Some(
                "stop that program, or let the stack choose new ports: cargo dev down --purge, cargo dev up".into(),
            ),
            Self::Vault(VaultError::Unreachable { .. }) | Self::Postgres { source: sqlx::Error::Io(_), .. } => {
                Some("is the stack up? cargo dev status, cargo dev up".into())
            }
            Self::State { .. } => Some("start afresh: cargo dev down --purge, cargo dev up".into()),
            Self::File { .. }
            | Self::Spawn { .. }
            | Self::Program { .. }
            | Self::Vault(_)
            | Self::Certificate(_)
            | Self::Postgres { .. }
            | Self::First(_)
            | Self::Name(_)
            | Self::Declined(_) => None,
        }
    }

    /// A file error as a closure for `map_err`.
    pub(super) fn file(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { doing, path, source }
    }

    /// A Postgres error as a closure for `map_err`.
    pub(super) fn postgres(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Postgres { doing, source }
    }
}
