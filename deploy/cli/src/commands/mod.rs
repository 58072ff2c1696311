//! The sub-commands, one file each: arguments in, one call into the library, an exit code out.

pub mod client;
pub mod dev;
pub mod keys;
pub mod migrate;
pub mod rebuild;
pub mod recover;
pub mod rewrap;
pub mod staff;
pub mod subscription;
pub mod tenant;
pub mod tokens;
pub mod verify;

use std::error::Error;
use std::process::ExitCode;

use crate::stack::{StackError, ui};

/// Says what failed, why, and what to do; the exit code of a failed command.
pub fn complain(error: &(dyn Error + 'static)) -> ExitCode {
    ui::say(&format!("error: {error}"));
    let mut cause = error.source();
    while let Some(reason) = cause {
        ui::say(&format!("  because: {reason}"));
        cause = reason.source();
    }
    if let Some(advice) = error.downcast_ref::<StackError>().and_then(StackError::advice) {
        ui::say(&format!("  what to do: {advice}"));
    }
    ExitCode::FAILURE
}
