//! Debian packages: which programs the stack needs, and how to get them without their default services.
//!
//! A package of a server starts it, enables it at boot, and Postgres' even makes a cluster. None of that is wanted:
//! the stack runs its own instances. So while packages are installed, `policy-rc.d` forbids starting services and
//! `createcluster.d` forbids the default cluster; afterwards both are as before, and what was not enabled is disabled.

use std::io::IsTerminal as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::StackError;
use super::owner;
use super::ui::{self, Step};
use super::vault_build::on_path;

/// The oldest Postgres the schema is tested on.
pub const POSTGRES_MAJOR_MIN: u32 = 15;

const POLICY: &str = "/usr/sbin/policy-rc.d";
const POLICY_SAVED: &str = "/usr/sbin/policy-rc.d.vintem-saved";
const FORBID: &str =
    "#!/bin/sh\n# Written by `vintem dev up` while it installs packages; removed afterwards.\nexit 101\n";
const CLUSTERS: &str = "/etc/postgresql-common/createcluster.d";
const CLUSTER_FILE: &str = "/etc/postgresql-common/createcluster.d/vintem.conf";

/// The packages whose programs are not there.
pub fn missing() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if postgres_programs(None).is_none() {
        missing.push("postgresql");
    }
    for (program, package) in [("nginx", "nginx"), ("openssl", "openssl"), ("rabbitmq-server", "rabbitmq-server")] {
        if find_program(program).is_none() {
            missing.push(package);
        }
    }
    missing
}

/// Installs what is missing; asks first on a terminal.
pub fn ensure(yes: bool) -> Result<(), StackError> {
    restore_policy()?;
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if find_program("apt-get").is_none() {
        return Err(StackError::Missing {
            what: format!("{list} is not installed"),
            advice: "install it with your package manager".into(),
        });
    }
    if !owner::is_root() {
        let advice = format!(
            "run as root:\n    mkdir -p {CLUSTERS} && echo 'create_main_cluster = false' > {CLUSTER_FILE}\n    \
             apt-get update && apt-get install --no-install-recommends {list}\n    systemctl disable --now nginx postgresql rabbitmq-server epmd.socket epmd.service"
        );
        return Err(StackError::Missing { what: format!("{list} is not installed"), advice });
    }
    let asks = std::io::stdin().is_terminal() && std::env::var_os("CI").is_none() && !yes;
    if asks && !ui::agree(&format!("Install {list} with apt-get (their own services stay off)?")) {
        return Err(StackError::Declined(format!("{list} is needed and was not installed")));
    }
    install(&missing)
}

fn install(packages: &[&str]) -> Result<(), StackError> {
    let mut step = Step::begin("Packages", &format!("installing {}", packages.join(", ")));
    let guard = Guard::new(packages)?;
    if !Path::new("/var/lib/apt/lists")
        .read_dir()
        .is_ok_and(|mut lists| lists.any(|list| list.is_ok_and(|list| list.path().is_file())))
    {
        apt(&["update"])?;
    }
    let options = ["install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold"];
    let arguments: Vec<&str> = options.iter().chain(packages).copied().collect();
    // Lists that are some weeks old name files that are gone.
    if apt(&arguments).is_err() {
        step.tell("apt-get update");
        apt(&["update"])?;
        apt(&arguments)?;
    }
    drop(guard);
    if let Some(package) = missing().first() {
        return Err(StackError::Missing {
            what: format!(
                "{package} was installed and is still not usable (Postgres must be {POSTGRES_MAJOR_MIN} or newer)"
            ),
            advice: "use Debian 12 or newer, Ubuntu 24.04 or newer, or the packages of apt.postgresql.org".into(),
        });
    }
    step.done(&packages.join(", "));
    Ok(())
}

fn apt(arguments: &[&str]) -> Result<(), StackError> {
    let mut command = Command::new("apt-get");
    command.args(["-q", "-o", "DPkg::Lock::Timeout=120"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive").env("NEEDRESTART_SUSPEND", "1").stdin(Stdio::null());
    let program = format!("apt-get {}", arguments.first().copied().unwrap_or_default());
    let output = command.output().map_err(|source| StackError::Spawn { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last: Vec<&str> = text.trim().lines().rev().take(6).collect();
    Err(StackError::Program { program, output: last.into_iter().rev().collect::<Vec<_>>().join("\n") })
}

/// While it lives, installing a package starts nothing and makes no cluster.
struct Guard {
    /// Services that were not enabled before and shall not be afterwards.
    disable: Vec<&'static str>,
    made_folder: bool,
}

impl Guard {
    fn new(packages: &[&str]) -> Result<Self, StackError> {
        if Path::new(POLICY).exists() {
            std::fs::rename(POLICY, POLICY_SAVED).map_err(StackError::file("set aside", POLICY))?;
        }
        std::fs::write(POLICY, FORBID).map_err(StackError::file("write", POLICY))?;
        std::fs::set_permissions(POLICY, std::fs::Permissions::from_mode(0o755))
            .map_err(StackError::file("protect", POLICY))?;
        let made_folder = !Path::new(CLUSTERS).exists();
        owner::make_folder(Path::new(CLUSTERS), None, 0o755)?;
        owner::write_file(Path::new(CLUSTER_FILE), b"create_main_cluster = false\n", None, 0o644)?;
        let services = [
            ("postgresql", "postgresql"),
            ("nginx", "nginx"),
            ("rabbitmq-server", "rabbitmq-server"),
            // Erlang's port mapper, which comes along.
            ("rabbitmq-server", "epmd.service"),
            ("rabbitmq-server", "epmd.socket"),
        ];
        let disable =
            services.into_iter().filter(|(package, _)| packages.contains(package)).map(|(_, service)| service);
        Ok(Self { disable: disable.filter(|service| !is_enabled(service)).collect(), made_folder })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        for service in &self.disable {
            systemctl(&["disable", service]);
        }
        let _ = std::fs::remove_file(CLUSTER_FILE);
        if self.made_folder {
            let _ = std::fs::remove_dir(CLUSTERS);
        }
        if let Err(error) = restore_policy() {
            ui::say(&format!("! {error}"));
        }
    }
}

/// Puts the machine's own policy back, also after a run that was interrupted.
fn restore_policy() -> Result<(), StackError> {
    let ours = std::fs::read_to_string(POLICY).is_ok_and(|text| text == FORBID);
    if ours {
        std::fs::remove_file(POLICY).map_err(StackError::file("remove", POLICY))?;
    }
    if Path::new(POLICY_SAVED).exists() {
        std::fs::rename(POLICY_SAVED, POLICY).map_err(StackError::file("put back", POLICY))?;
    }
    Ok(())
}

fn is_enabled(service: &str) -> bool {
    systemctl(&["is-enabled", service])
}

/// A machine without systemd starts nothing by itself, so a failure means nothing.
fn systemctl(arguments: &[&str]) -> bool {
    let mut command = Command::new("systemctl");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// A program on the PATH or where Debian keeps what only root uses.
pub fn find_program(name: &str) -> Option<PathBuf> {
    on_path(name).or_else(|| {
        ["/usr/sbin", "/sbin", "/usr/bin"]
            .into_iter()
            .map(|folder| Path::new(folder).join(name))
            .find(|file| file.is_file())
    })
}

/// The programs of the newest usable Postgres, or of exactly the version that existing data needs.
pub fn postgres_programs(major: Option<u32>) -> Option<PathBuf> {
    let entries = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let versions = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let wanted = |version: &u32| major.map_or(*version >= POSTGRES_MAJOR_MIN, |major| *version == major);
    let folder = |version: u32| Path::new("/usr/lib/postgresql").join(version.to_string()).join("bin");
    let complete =
        |folder: &PathBuf| ["postgres", "initdb", "psql"].iter().all(|program| folder.join(program).exists());
    let mut found: Vec<u32> = versions.filter(wanted).filter(|version| complete(&folder(*version))).collect();
    found.sort_unstable();
    found.pop().map(folder)
}
