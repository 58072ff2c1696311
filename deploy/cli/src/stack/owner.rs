//! Whom the services run as.
//!
//! Started by root, no service stays root: Postgres, RabbitMQ and nginx become the user of their Debian package, Vault
//! and the API become users that exist only as numbers (from the range systemd reserves for such dynamic users), one
//! pair per state folder, so that nothing has to be added to or removed from `/etc/passwd`.
//! Started by anybody else, every service runs as that person.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::unistd::{Uid, User};

use super::error::StackError;

/// First number of the range that systemd's `DynamicUser=` uses (61184–65519); Debian never assigns these.
const DYNAMIC_FIRST: u32 = 61_184;
/// Pairs that fit into the range.
const DYNAMIC_PAIRS: u32 = 2_000;

/// A user and group by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// The owner of each service; `None` = the person who runs the command.
#[derive(Debug, Clone, Copy, Default)]
pub struct Owners {
    /// Postgres.
    pub postgres: Option<Owner>,
    /// nginx.
    pub nginx: Option<Owner>,
    /// Vault.
    pub vault: Option<Owner>,
    /// The API, the worker and their supervisors.
    pub api: Option<Owner>,
    /// RabbitMQ.
    pub rabbitmq: Option<Owner>,
}

impl Owners {
    /// The owners for a state folder whose identity number is `seed`.
    pub fn of_this_machine(seed: u64) -> Self {
        if !Uid::effective().is_root() {
            return Self::default();
        }
        let pair = u32::try_from(seed % u64::from(DYNAMIC_PAIRS)).unwrap_or(0);
        let dynamic = |offset: u32| {
            let id = DYNAMIC_FIRST + pair * 2 + offset;
            Some(Owner { uid: id, gid: id })
        };
        Self {
            postgres: package_user("postgres"),
            nginx: package_user("www-data"),
            vault: dynamic(0),
            api: dynamic(1),
            rabbitmq: package_user("rabbitmq"),
        }
    }
}

/// Whether services must give up root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// The name of the person who runs the command, for Postgres' map of socket users.
pub fn login_name() -> Option<String> {
    User::from_uid(Uid::effective()).ok().flatten().map(|user| user.name)
}

fn package_user(name: &str) -> Option<Owner> {
    let user = User::from_name(name).ok().flatten()?;
    Some(Owner { uid: user.uid.as_raw(), gid: user.gid.as_raw() })
}

/// Makes a folder (and its parents), gives it to `owner`, and sets its mode.
pub fn make_folder(path: &Path, owner: Option<Owner>, mode: u32) -> Result<(), StackError> {
    std::fs::create_dir_all(path).map_err(StackError::file("create", path))?;
    hand_over(path, owner, mode)
}

/// Writes a file whole or not at all: a reader, or a run after Ctrl-C, never sees half of it.
pub fn write_file(path: &Path, content: &[u8], owner: Option<Owner>, mode: u32) -> Result<(), StackError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    // The mode is given at creation: a secret is never readable by others, not even for a moment.
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode & 0o700)
        .open(&draft)
        .map_err(StackError::file("create", &draft))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(StackError::file("write", &draft))?;
    hand_over(&draft, owner, mode)?;
    std::fs::rename(&draft, path).map_err(StackError::file("write", path))
}

/// Removes a folder with all that is in it, if it is there.
pub fn remove_folder(path: &Path) -> Result<(), StackError> {
    match std::fs::remove_dir_all(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StackError::File { doing: "remove", path: path.into(), source })
        }
        _ => Ok(()),
    }
}

fn hand_over(path: &Path, owner: Option<Owner>, mode: u32) -> Result<(), StackError> {
    if let Some(owner) = owner {
        std::os::unix::fs::chown(path, Some(owner.uid), Some(owner.gid))
            .map_err(StackError::file("hand over", path))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(StackError::file("protect", path))
}

/// Lets everybody run a program.
pub fn make_executable(path: &Path) -> Result<(), StackError> {
    hand_over(path, None, 0o755)
}
