//! The stack's mailbox: a mail server that takes every letter and delivers none, so that developers and tests see what
//! the product tells people.
//!
//! A process of its own ([`receiver`]) on the loopback address: it speaks as much SMTP as senders need ([`session`]) and keeps
//! the newest letters as files ([`letters`]), which `cargo dev mail` prints and tests wait for.
//!
//! Deliberately absent: TLS, delivery, and any check of who sends. `mailin-embedded`, the server that could be had
//! instead, bounds neither lines nor letters and has a thread for each connection.

mod letters;
mod receiver;
mod session;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::net::TcpListener;

pub use letters::Letter;

use super::error::StackError;
use super::process::{self, Service};
use super::servers::install;
use super::ui::say;
use super::{Stack, owner, state};

/// Name of its folder, and of the process record and log.
pub const NAME: &str = "mailbox";
/// How it is asked to end.
pub const STOP: Signal = Signal::SIGTERM;
/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks for new letters.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Starts it, or starts it anew when the program is another than the one that runs.
pub fn ensure(stack: &Stack) -> Result<(), StackError> {
    let (state, port) = (stack.folder(), stack.known().ports.mail());
    let own = std::env::current_exe().map_err(StackError::file("find", "this program"))?;
    let program = state.path("bin/mailbox");
    if install(&own, &program)? {
        process::stop(state, NAME, STOP);
    }
    if process::running(state, NAME).is_some() {
        return Ok(());
    }
    if !state::is_free(port) {
        return Err(StackError::PortTaken { service: NAME.into(), port });
    }
    let (folder, owner) = (folder(stack), state.owners().api);
    owner::make_folder(&folder, owner, 0o700)?;
    let arguments = ["dev".into(), "receive".into(), "--state".into(), state.root().into()];
    let service = Service {
        name: NAME.into(),
        program,
        arguments: arguments.to_vec(),
        environment: Vec::new(),
        owner,
        folder,
        stop: STOP,
        secret_line: None,
    };
    service.start(state)?;
    let end = Instant::now() + PATIENCE;
    while !listens(stack) {
        if Instant::now() > end || process::running(state, NAME).is_none() {
            let what = "does not listen".to_owned();
            return Err(StackError::Service { service: NAME.into(), what, log: state.log(NAME) });
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether it takes letters.
pub fn listens(stack: &Stack) -> bool {
    std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, stack.known().ports.mail())).is_ok()
}

/// Where its letters are.
pub fn folder(stack: &Stack) -> PathBuf {
    stack.folder().path(NAME)
}

/// What a process finds in its environment that sends its messages here.
pub fn environment(stack: &Stack) -> Vec<(String, String)> {
    let variables = [
        ("VINTEM_SMTP", format!("127.0.0.1:{}", stack.known().ports.mail())),
        ("VINTEM_SMTP_TLS", "off".into()),
        ("VINTEM_SMTP_FROM", "Vintem <no-reply@vintem.test>".into()),
        ("VINTEM_SMS_GATEWAY", "sms.vintem.test".into()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The process's whole life.
pub async fn receive(stack: &Stack) -> Result<(), StackError> {
    let folder = folder(stack);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, stack.known().ports.mail())).await;
    let listener = listener.map_err(StackError::file("listen for letters for", &folder))?;
    let signals = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    let mut told = signals.map_err(StackError::file("listen for signals in", &folder))?;
    tokio::select! {
        _ = told.recv() => {}
        () = receiver::serve(listener, &folder) => {}
    }
    Ok(())
}

/// The newest letters, newest last; those to one recipient where one is named.
pub fn newest(folder: &Path, recipient: Option<&str>, count: usize) -> Result<Vec<Letter>, StackError> {
    letters::newest(folder, recipient, count).map_err(StackError::file("read letters in", folder))
}

/// Prints the newest letters, and goes on with what comes. Standard output, because it is the result of the command.
pub fn print(stack: &Stack, recipient: Option<&str>, count: usize, follow: bool) -> Result<(), StackError> {
    let folder = folder(stack);
    let mut shown = newest(&folder, recipient, count)?;
    if shown.is_empty() {
        say("There is no mail yet.");
    }
    for letter in &shown {
        println!("{letter}");
    }
    if !follow {
        return Ok(());
    }
    loop {
        std::thread::sleep(LOOK_EVERY);
        let now = newest(&folder, recipient, letters::KEPT)?;
        let last = shown.last().map(|letter| letter.name.clone()).unwrap_or_default();
        for letter in now.iter().filter(|letter| letter.name > last) {
            println!("{letter}");
        }
        shown = now;
    }
}
