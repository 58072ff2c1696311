//! `cargo dev test`: the services that tests need, then the test runner as it is.

use std::ffi::OsString;
use std::process::Command;

use super::error::StackError;
use super::state::{Folder, find_checkout};
use super::up;

/// Runs the tests of the workspace; answers the runner's exit code.
pub async fn test(arguments: Vec<OsString>) -> Result<u8, StackError> {
    let checkout = find_checkout()?;
    let folder = Folder::of_checkout(&checkout);
    {
        let _one_at_a_time = up::begin(&folder)?;
        up::services(&folder, &checkout, false).await?;
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--release", "--workspace"]).args(arguments).current_dir(&checkout);
    // Tests find the state folder by this also when they work in another folder.
    command.env("DEV_STACK_STATE", folder.root());
    let status = command.status().map_err(|source| StackError::Spawn { program: "cargo test".into(), source })?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
