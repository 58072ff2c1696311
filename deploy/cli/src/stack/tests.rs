//! `cargo dev test`: the stack as it is in this checkout, then the test runner as it is.

use std::ffi::OsString;
use std::path::Path;
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
        let stack = up::services(&folder, &checkout, false).await?;
        // A simulation plays in the stack itself, and must meet this build there.
        up::product(&stack, &checkout).await?;
    }
    // Tests start the product's own processes, which a test run alone does not build.
    let built = cargo(&checkout, &["build", "--release", "--workspace"], Vec::new(), &folder)?;
    if built != 0 {
        return Ok(built);
    }
    cargo(&checkout, &["test", "--release", "--workspace"], arguments, &folder)
}

fn cargo(checkout: &Path, command: &[&str], arguments: Vec<OsString>, folder: &Folder) -> Result<u8, StackError> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    cargo.args(command).args(arguments).current_dir(checkout);
    // Tests find the state folder by this also when they work in another folder.
    cargo.env("DEV_STACK_STATE", folder.root());
    let status = cargo.status().map_err(|source| StackError::Spawn { program: "cargo".into(), source })?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
