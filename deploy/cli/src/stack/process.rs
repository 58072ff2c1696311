//! Starting, watching and stopping background processes.
//!
//! A process is known by its number *and* its start time, so that a number the kernel has given to somebody
//! else in the meantime is never signalled. Each runs in a session of its own (Ctrl-C at the terminal does not
//! reach it), with an empty environment, its output in a log file, and its working folder inside the state
//! folder: by that, processes whose record was lost to a crash are still recognised as ours.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::error::StackError;
use super::owner::{self, Owner};
use super::state::Folder;

/// Programs of others that are ours when they work inside the state folder.
const FOREIGN_PROGRAMS: [&str; 10] = [
    "postgres",
    "initdb",
    "nginx",
    "vault",
    "bao",
    "postgresql-database-plugin",
    // RabbitMQ is a program of the Erlang machine, which has helpers.
    "beam.smp",
    "erl_child_setup",
    "inet_gethost",
    "epmd",
];

/// How to run a service.
#[derive(Debug)]
pub struct Service {
    /// Name of its record and its log.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments; never a secret.
    pub arguments: Vec<OsString>,
    /// Its whole environment besides `PATH`, `HOME` and `LANG`; never a secret.
    pub environment: Vec<(String, String)>,
    /// Whom it runs as.
    pub owner: Option<Owner>,
    /// Where it works, inside the state folder.
    pub folder: PathBuf,
    /// The signal that makes it end in an orderly way.
    pub stop: Signal,
    /// One secret line for its standard input.
    pub secret_line: Option<SecretString>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    pid: i32,
    /// Field 22 of `/proc/<pid>/stat`, in clock ticks since boot.
    started: u64,
}

impl Service {
    /// The running process of this service, if it runs.
    pub fn running(&self, state: &Folder) -> Option<i32> {
        running(state, &self.name)
    }

    /// Starts the process; what an earlier, lost one left behind is ended first.
    pub fn start(self, state: &Folder) -> Result<i32, StackError> {
        end_strays(state, &self.folder, self.stop);
        let log_path = state.log(&self.name);
        let log = open_log(&log_path)?;
        let errors = log.try_clone().map_err(StackError::file("open", &log_path))?;
        // setsid(1) gives the process its own session and then becomes the program: the number stays the same.
        let mut command = Command::new("setsid");
        command.arg(&self.program).args(&self.arguments).current_dir(&self.folder).env_clear();
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LANG", "C.UTF-8");
        command.env("HOME", &self.folder).envs(self.environment).stdout(log).stderr(errors);
        command.stdin(if self.secret_line.is_some() { Stdio::piped() } else { Stdio::null() });
        if let Some(owner) = self.owner {
            command.gid(owner.gid).uid(owner.uid);
        }
        let mut child = command
            .spawn()
            .map_err(|source| StackError::Spawn { program: self.program.display().to_string(), source })?;
        let pid = i32::try_from(child.id()).unwrap_or_default();
        remember(state, &self.name, pid)?;
        if let (Some(line), Some(mut pipe)) = (self.secret_line, child.stdin.take()) {
            let written = writeln!(pipe, "{}", line.expose_secret());
            written.map_err(StackError::file("write to the input of", &self.program))?;
        }
        Ok(pid)
    }
}

/// The recorded process of a service, if it still runs.
pub fn running(state: &Folder, name: &str) -> Option<i32> {
    let text = fs::read(record_path(state, name)).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    (start_time(record.pid) == Some(record.started)).then_some(record.pid)
}

/// Signals a service that runs; for a reload, for instance.
pub fn signal(state: &Folder, name: &str, signal: Signal) {
    if let Some(pid) = running(state, name) {
        send(pid, signal);
    }
}

/// Ends a service and forgets it. Whoever does not end in 20 s in the orderly way is killed.
pub fn stop(state: &Folder, name: &str, signal: Signal) {
    if let Some(pid) = running(state, name) {
        send(pid, signal);
        if !wait_until(Duration::from_secs(20), || running(state, name).is_none()) {
            send(pid, Signal::SIGKILL);
            wait_until(Duration::from_secs(5), || running(state, name).is_none());
        }
    }
    forget(state, name);
}

/// Ends a service at once, as a crash would; for tests.
pub fn crash(state: &Folder, name: &str) {
    if let Some(pid) = running(state, name) {
        send(pid, Signal::SIGKILL);
        wait_until(Duration::from_secs(5), || running(state, name).is_none());
    }
}

/// Ends what a service has started, as a crash of it would; whoever supervises starts it again.
pub fn crash_children(state: &Folder, name: &str) {
    let Some(pid) = running(state, name) else { return };
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
        send(child, Signal::SIGKILL);
    }
}

/// The names of all services that have a record.
pub fn recorded(state: &Folder) -> Vec<String> {
    let Ok(entries) = fs::read_dir(state.path("run")) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".json").map(str::to_owned)
    });
    names.collect()
}

/// Ends processes that work in `folder` or below and are ours, though no record names them.
pub fn end_strays(state: &Folder, folder: &Path, signal: Signal) {
    let found = || strays(state.root(), folder);
    for (round, signal) in [signal, Signal::SIGQUIT, Signal::SIGKILL].into_iter().enumerate() {
        for pid in found() {
            send(pid, signal);
        }
        if wait_until(Duration::from_secs(if round == 0 { 8 } else { 3 }), || found().is_empty()) {
            return;
        }
    }
}

fn strays(root: &Path, folder: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.filter(|pid| start_time(*pid).is_some() && is_ours(*pid, root, folder)).collect()
}

fn is_ours(pid: i32, root: &Path, folder: &Path) -> bool {
    let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok();
    let (Some(program), Some(works_in)) = (link("exe"), link("cwd")) else { return false };
    // A port mapper that Erlang started itself works in `/`, but keeps the home that we gave its node.
    let lives_in = || {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let home = environment.split(|byte| *byte == 0).find_map(|variable| variable.strip_prefix(b"HOME="))?;
        Some(PathBuf::from(OsStr::from_bytes(home)))
    };
    let is_inside = works_in.starts_with(folder)
        || (program.ends_with("epmd") && lives_in().is_some_and(|home| home.starts_with(folder)));
    if !is_inside {
        return false;
    }
    // A replaced program is shown with this suffix.
    let text = program.to_string_lossy().into_owned();
    let program = Path::new(text.strip_suffix(" (deleted)").unwrap_or(&text));
    let name = program.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    program.starts_with(root.join("bin")) || FOREIGN_PROGRAMS.contains(&name)
}

fn remember(state: &Folder, name: &str, pid: i32) -> Result<(), StackError> {
    // A child that is gone already leaves a record that never matches.
    let record = Record { pid, started: start_time(pid).unwrap_or(0) };
    let text = serde_json::to_vec(&record).unwrap_or_default();
    owner::write_file(&record_path(state, name), &text, None, 0o644)
}

fn forget(state: &Folder, name: &str) {
    // Nothing depends on the record being gone: a dead process is recognised without it.
    let _ = fs::remove_file(record_path(state, name));
}

fn record_path(state: &Folder, name: &str) -> PathBuf {
    state.path("run").join(format!("{name}.json"))
}

fn open_log(path: &Path) -> Result<fs::File, StackError> {
    OpenOptions::new().create(true).append(true).open(path).map_err(StackError::file("open", path))
}

fn send(pid: i32, signal: Signal) {
    // The process may end between the look and the signal, which is what was wanted.
    let _ = kill(Pid::from_raw(pid), signal);
}

/// When a living process started; `None` for one that is gone or only waits to be collected by its parent.
fn start_time(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything, so count from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        // Where we are the parent, collecting it is on us; elsewhere this does nothing.
        let _ = waitpid(Pid::from_raw(pid), Some(WaitPidFlag::WNOHANG));
        return None;
    }
    fields.nth(18)?.parse().ok()
}

/// Looks every 20 ms until `done` or the time is over; answers whether it was done.
fn wait_until(patience: Duration, done: impl Fn() -> bool) -> bool {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    done()
}

/// Runs a short program to its end; what it prints becomes the error's text when it fails.
pub fn run(program: &Path, arguments: &[&str], owner: Option<Owner>, folder: &Path) -> Result<String, StackError> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).env("LC_ALL", "C.UTF-8");
    if let Some(owner) = owner {
        command.gid(owner.gid).uid(owner.uid);
    }
    finish(command, None)
}

/// The same for a command that was put together elsewhere; a secret goes in by its standard input.
pub fn finish(mut command: Command, secret_line: Option<&SecretString>) -> Result<String, StackError> {
    let first = command.get_args().next().unwrap_or_default().display();
    let shown = format!("{} {first}", command.get_program().display());
    let failed = |source| StackError::Spawn { program: shown.clone(), source };
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if secret_line.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(failed)?;
    if let (Some(line), Some(mut pipe)) = (secret_line, child.stdin.take()) {
        // A program that does not read says why by itself.
        let _ = writeln!(pipe, "{}", line.expose_secret());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let end: Vec<&str> = text.trim().lines().rev().take(8).collect();
    Err(StackError::Program { program: shown, output: end.into_iter().rev().collect::<Vec<_>>().join("\n") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Folder) -> Service {
        Service {
            name: "sleeper".into(),
            program: "/bin/sleep".into(),
            arguments: vec!["60".into()],
            environment: Vec::new(),
            owner: None,
            folder: folder.root().to_path_buf(),
            stop: Signal::SIGTERM,
            secret_line: None,
        }
    }

    #[test]
    fn a_process_is_found_again_stopped_and_forgotten() {
        let place = tempfile::tempdir().unwrap();
        let state = Folder::at(place.path().to_path_buf());
        state.create().unwrap();
        let pid = sleeper(&state).start(&state).unwrap();
        assert_eq!(running(&state, "sleeper"), Some(pid));
        assert_eq!(recorded(&state), ["sleeper"]);
        stop(&state, "sleeper", Signal::SIGTERM);
        assert_eq!(running(&state, "sleeper"), None);
        assert!(recorded(&state).is_empty());
    }

    #[test]
    fn a_record_whose_number_belongs_to_somebody_else_is_not_ours() {
        let place = tempfile::tempdir().unwrap();
        let state = Folder::at(place.path().to_path_buf());
        state.create().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let record = Record { pid: own, started: start_time(own).unwrap() + 1 };
        fs::write(record_path(&state, "other"), serde_json::to_vec(&record).unwrap()).unwrap();
        assert_eq!(running(&state, "other"), None);
    }
}
