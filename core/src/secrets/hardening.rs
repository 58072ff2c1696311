//! What is in memory stays there.

use nix::sys::prctl::set_dumpable;
use nix::sys::resource::{Resource, setrlimit};

/// No core dump is ever written of this process or of one that it starts, and no other process of its user may look into its memory,
/// its environment or its open files. Called before there is a secret.
pub fn keep_memory_private() -> std::io::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    set_dumpable(false)?;
    Ok(())
}
