//! Finding or building Vault.
//!
//! A `vault` or `bao` on the PATH is used as it is. Otherwise Vault and its plugins for Postgres and RabbitMQ are
//! built from the Go module pinned in `deploy/vault` (`go.sum` fixes every byte), because no Debian package exists.
//! The minimal build carries neither plugin. The programs lie in the state folder, so that
//! `cargo clean` and `down` do not cost another build; `down --purge` takes them along.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::StackError;
use super::process;
use super::state::Folder;

/// The oldest Go that compiles the pinned module.
const GO_MINOR: u32 = 25;

/// A Vault that can be started.
#[derive(Debug)]
pub struct Found {
    /// `vault` or `bao`.
    pub program: PathBuf,
    /// The folder of the plugins to register, where the program has none built in.
    pub plugins: Option<PathBuf>,
}

/// What is built, and out of which package: Vault itself first, then its plugins.
const PACKAGES: [(&str, &str); 3] = [
    ("bin/vault", "github.com/hashicorp/vault"),
    (
        "bin/plugins/postgresql-database-plugin",
        "github.com/hashicorp/vault/plugins/database/postgresql/postgresql-database-plugin",
    ),
    ("bin/plugins/rabbitmq", "github.com/hashicorp/vault/builtin/logical/rabbitmq/cmd/rabbitmq"),
];

/// What is there already: built before, or on the PATH.
pub fn find(state: &Folder) -> Option<Found> {
    if PACKAGES.iter().all(|(target, _)| state.path(target).is_file()) {
        return Some(built(state));
    }
    // Programs of a distribution have the plugins built in.
    ["vault", "bao"].into_iter().find_map(on_path).map(|program| Found { program, plugins: None })
}

fn built(state: &Folder) -> Found {
    Found { program: state.path("bin/vault"), plugins: Some(state.path("bin/plugins")) }
}

/// Whether building would need a Go that is not there.
pub fn lacks_go() -> Option<StackError> {
    let advice = "install Go 1.26 or newer from https://go.dev/dl, or put a `vault` or `bao` on the PATH";
    let output = Command::new("go").args(["env", "GOVERSION"]).stderr(Stdio::null()).output();
    let Ok(output) = output else {
        return Some(StackError::Missing {
            what: "neither vault nor bao nor go is on the PATH".into(),
            advice: advice.into(),
        });
    };
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let minor = version.strip_prefix("go1.").and_then(|rest| rest.split('.').next()?.parse::<u32>().ok());
    (minor.unwrap_or(0) < GO_MINOR)
        .then(|| StackError::Missing { what: format!("{version} cannot build Vault"), advice: advice.into() })
}

/// Builds what is not there; `tell` is given each package that the compiler has begun.
pub fn build(state: &Folder, checkout: &Path, mut tell: impl FnMut(&str)) -> Result<Found, StackError> {
    let module = checkout.join("deploy/vault");
    tell("downloading modules");
    process::run(Path::new("go"), &["mod", "download"], None, &module)?;
    for (target, package) in PACKAGES {
        let target = state.path(target);
        if !target.is_file() {
            compile(&module, package, &target, &mut tell)?;
        }
    }
    Ok(built(state))
}

fn compile(module: &Path, package: &str, target: &Path, tell: &mut impl FnMut(&str)) -> Result<(), StackError> {
    use std::io::{BufRead as _, BufReader};

    // Named only when complete: a build that was interrupted leaves nothing that looks finished.
    let draft = target.with_extension("draft");
    let mut command = Command::new("go");
    command
        // The tag concerns Vault itself; the plugins do not know it.
        .args(["build", "-v", "-tags", "minimal", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"])
        .arg("-o")
        .arg(&draft)
        .arg(package);
    command.current_dir(module).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|source| StackError::Spawn { program: "go".into(), source })?;
    let mut last = Vec::new();
    if let Some(output) = child.stderr.take() {
        for (count, line) in BufReader::new(output).lines().map_while(Result::ok).enumerate() {
            tell(&format!("package {}: {line}", count + 1));
            last.push(line);
            last.drain(..last.len().saturating_sub(8));
        }
    }
    let status = child.wait().map_err(|source| StackError::Spawn { program: "go".into(), source })?;
    if !status.success() {
        return Err(StackError::Program { program: format!("go build {package}"), output: last.join("\n") });
    }
    std::fs::rename(&draft, target).map_err(StackError::file("name", target))
}

/// The first executable of this name on the PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
