//! `vintem dev …`, in a checkout `cargo dev …`.

use std::error::Error;

use clap::Subcommand;

use crate::stack;

/// What to do with the development stack.
#[derive(Debug, Subcommand)]
pub enum Dev {
    /// Install what is missing, start everything, and print where it is.
    Up {
        /// Do not ask before installing packages.
        #[arg(long, short)]
        yes: bool,
    },
}

impl Dev {
    /// Does it; the answer is the exit code.
    pub async fn run(self) -> Result<u8, Box<dyn Error>> {
        match self {
            Self::Up { yes } => stack::up::up(yes).await?,
        }
        Ok(0)
    }
}
