//! nginx: its configuration from `deploy/nginx/vintem.conf.template`, and its process.
//!
//! Its own errors are problem documents like the API's. They are kept in a table here and rendered into
//! `problems.conf`, because nginx would otherwise need the same five lines for each.

use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use vintem_core::secrets::pki;

use super::authority;
use super::error::StackError;
use super::owner::{self, Owner};
use super::packages::find_program;
use super::process::{self, Service};
use super::state::{Folder, is_free};

/// Name of the process record, log and certificate.
pub const NAME: &str = "nginx";
/// Fast: an open event stream must not hold `down` up.
pub const STOP: Signal = Signal::SIGTERM;

const TEMPLATE: &str = include_str!("../../../nginx/vintem.conf.template");

/// One error of nginx' own.
struct Problem {
    /// What nginx makes of the request inside.
    inside: u16,
    /// What the client is told.
    status: u16,
    code: &'static str,
    title: &'static str,
    detail: &'static str,
    /// Whether the API may have done something.
    outcome: &'static str,
    retryable: bool,
}

impl Problem {
    /// `add_header` in a location replaces those above it, so they are repeated. The location has no limit of its own
    /// on the body: with one, a body that is too large would fall back to nginx' HTML page.
    fn render(&self) -> String {
        let Self { inside, status, .. } = self;
        let place = format!("/_problem/{inside}");
        format!("error_page {inside} ={status} {place};\n{}", self.at(&place))
    }

    fn at(&self, place: &str) -> String {
        let Self { status, code, title, detail, outcome, retryable, .. } = self;
        let retry = if *retryable { "    add_header Retry-After 1 always;\n" } else { "" };
        format!(
            "location = {place} {{\n    internal;\n    client_max_body_size 0;\n    default_type application/problem+json;\n\
             \x20   add_header Strict-Transport-Security \"max-age=63072000; includeSubDomains\" always;\n\
             \x20   add_header X-Content-Type-Options nosniff always;\n    add_header Cache-Control no-store always;\n{retry}\
             \x20   return {status} '{{\"type\":\"/docs/problems#{code}\",\"title\":\"{title}\",\"status\":{status},\"detail\":\"{detail}\",\
             \"code\":\"{code}\",\"retryable\":{retryable},\"outcome\":\"{outcome}\",\"trace_id\":\"$request_id\",\"errors\":[]}}';\n}}\n"
        )
    }
}

const fn refused(inside: u16, status: u16, code: &'static str, title: &'static str, detail: &'static str) -> Problem {
    Problem { inside, status, code, title, detail, outcome: "none", retryable: false }
}

const fn unknown(inside: u16, status: u16, code: &'static str, title: &'static str, detail: &'static str) -> Problem {
    Problem { inside, status, code, title, detail, outcome: "unknown", retryable: true }
}

/// What is wrong with a terminal's certificate, by the word that the configuration has for it. Inside it is always 495.
const UNFIT: [(&str, Problem); 3] = [
    (
        "expired",
        refused(
            495,
            401,
            "certificate-expired",
            "The certificate has ended",
            "The certificate is over, or its time has not come.",
        ),
    ),
    (
        "revoked",
        refused(495, 403, "certificate-revoked", "The certificate was revoked", "The certificate was revoked."),
    ),
    (
        "unknown",
        refused(
            495,
            401,
            "certificate-unknown",
            "The certificate is not one of a terminal here",
            "Nobody whom we believe vouches for the certificate.",
        ),
    ),
];

const PROBLEMS: [Problem; 16] = [
    refused(400, 400, "malformed-request", "Malformed request", "The request is not valid HTTP."),
    refused(403, 404, "not-found", "Not found", "There is nothing here."),
    refused(404, 404, "not-found", "Not found", "There is nothing here."),
    refused(405, 405, "method-not-allowed", "Method not allowed", "This method is not known here."),
    refused(408, 408, "malformed-request", "Request timeout", "The request did not arrive in time."),
    refused(413, 413, "too-large", "Too large", "The body is larger than this route takes."),
    refused(414, 414, "too-large", "Too large", "The path and query are longer than 8 KiB."),
    refused(421, 421, "not-found", "Misdirected request", "This server does not answer for that host."),
    refused(494, 431, "too-large", "Too large", "A header is longer than 8 KiB."),
    refused(
        496,
        401,
        "certificate-required",
        "Show the certificate of a terminal",
        "This port is for terminals, which show their certificate.",
    ),
    refused(497, 400, "malformed-request", "HTTPS only", "This port speaks HTTPS."),
    unknown(500, 500, "internal-error", "Internal error", "The door failed. Repeat the request under its key."),
    refused(501, 501, "method-not-allowed", "Not implemented", "The transfer coding is not known here."),
    unknown(502, 503, "overloaded", "Unavailable", "The API does not answer. Repeat the request under its key."),
    unknown(503, 503, "overloaded", "Unavailable", "The API does not answer. Repeat the request under its key."),
    unknown(
        504,
        504,
        "outcome-unknown",
        "Outcome unknown",
        "No answer came in time. Repeat the request under its key.",
    ),
];

const HEADER: &str = "# Written by `vintem dev up`; changes are overwritten.\n";

fn problems() -> String {
    PROBLEMS.iter().fold(HEADER.to_owned(), |text, problem| text + &problem.render())
}

fn unfit() -> String {
    UNFIT.iter().fold(HEADER.to_owned(), |text, (word, problem)| text + &problem.at(&format!("/_unfit/{word}")))
}

fn render(values: &[(&str, String)]) -> String {
    values.iter().fold(TEMPLATE.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// Since 1.25.1 HTTP/2 is a directive of its own and the older spelling is warned about.
fn http2(version: &str) -> (&'static str, &'static str) {
    if number(version) >= (1, 25, 1) { ("", "http2 on;") } else { (" http2", "") }
}

/// Since 1.27.4 a connection that is kept open outlives a reload for a while, so that nobody writes to one that is being closed.
fn kept(version: &str) -> &'static str {
    if number(version) >= (1, 27, 4) { "keepalive_min_timeout 10s;" } else { "" }
}

fn number(version: &str) -> (u32, u32, u32) {
    let number = version.rsplit_once("nginx/").map_or("", |(_, number)| number);
    let mut parts = number.split(|sign: char| !sign.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// One nginx.
#[derive(Debug, Clone)]
pub struct Nginx {
    /// Name of its process record and log.
    pub name: String,
    /// Its folder, inside the state folder.
    pub folder: PathBuf,
    /// Where it listens.
    pub port: u16,
    /// Where it does for terminals.
    pub terminal_port: u16,
    /// Whether old terminals may speak TLS 1.2.
    pub takes_old_terminals: bool,
    /// Where the API does.
    pub api_port: u16,
    /// The root of the API's certificate.
    pub authority: PathBuf,
    /// Whom it runs as.
    pub owner: Option<Owner>,
    pub(super) state: Folder,
}

impl Nginx {
    /// Makes its folders.
    pub fn initialise(&self) -> Result<(), StackError> {
        owner::make_folder(&self.folder, self.owner, 0o755)?;
        owner::make_folder(&self.folder.join("tmp"), self.owner, 0o700)
    }

    /// Writes the configuration, has nginx check it, and starts nginx or makes it read it again.
    pub fn ensure(&self) -> Result<(), StackError> {
        let (place, owner) = (&self.folder, self.owner);
        let program = find_program("nginx").ok_or_else(|| StackError::Missing {
            what: "nginx is not installed".into(),
            advice: "cargo dev up".into(),
        })?;
        self.initialise()?;
        self.publish()?;
        let configuration = self.configuration(&program)?;
        let file = place.join("nginx.conf");
        let mut changed = false;
        for (name, text) in [("problems.conf", problems()), ("unfit.conf", unfit()), ("nginx.conf", configuration)] {
            let file = place.join(name);
            changed |= std::fs::read_to_string(&file).ok().as_ref() != Some(&text);
            owner::write_file(&file, text.as_bytes(), owner, 0o644)?;
        }
        if process::running(&self.state, &self.name).is_some() {
            if changed {
                process::signal(&self.state, &self.name, Signal::SIGHUP);
            }
            return Ok(());
        }
        let shown = file.display().to_string();
        process::run(&program, &["-t", "-q", "-e", "stderr", "-c", &shown], owner, place)?;
        process::end_strays(&self.state, place, STOP);
        if let Some(port) = [self.port, self.terminal_port].into_iter().find(|port| !is_free(*port)) {
            return Err(StackError::PortTaken { service: self.name.clone(), port });
        }
        let service = Service {
            name: self.name.clone(),
            program,
            arguments: vec!["-e".into(), "stderr".into(), "-c".into(), file.into()],
            environment: Vec::new(),
            owner,
            folder: place.clone(),
            stop: STOP,
            secret_line: None,
        };
        service.start(&self.state).map(drop)
    }

    /// Lets it use the key and certificate on file for every handshake that begins from now on. Each pair has a folder of its own,
    /// and one link says which is in use: nginx opens a file twice, for the certificate and for the key, and both times must
    /// find the same pair.
    pub fn publish(&self) -> Result<(), StackError> {
        let kept = authority::kept(&self.folder).ok_or_else(|| StackError::Missing {
            what: format!("{} has no certificate", self.name),
            advice: "cargo dev up".into(),
        })?;
        let pairs = self.folder.join("pairs");
        let (current, draft) = (self.folder.join("current"), self.folder.join("current.draft"));
        let place = pairs.join(kept.facts.serial.replace(':', ""));
        // Nothing is in the last, which is nginx' root: a file that is served by mistake would be a key.
        for folder in [&pairs, &place, &place.join("root")] {
            owner::make_folder(folder, self.owner, 0o700)?;
        }
        authority::keep(&kept, &place, self.owner)?;
        // A handshake may have begun with the one before.
        let before = std::fs::read_link(&current).unwrap_or_default();
        let _ = std::fs::remove_file(&draft);
        std::os::unix::fs::symlink(&place, &draft).map_err(StackError::file("make", &draft))?;
        std::fs::rename(&draft, &current).map_err(StackError::file("name", &current))?;
        let others = std::fs::read_dir(&pairs).map_err(StackError::file("read", &pairs))?;
        for other in others.flatten().map(|entry| entry.path()).filter(|path| *path != place && *path != before) {
            owner::remove_folder(&other)?;
        }
        Ok(())
    }

    /// Has it refuse certificates that stand in these lists.
    pub fn refuse(&self, lists: &str) -> Result<(), StackError> {
        self.read_anew("revoked.pem", lists)
    }

    /// Has it let in terminals that this authority vouches for.
    pub fn admit(&self, authority: &str) -> Result<(), StackError> {
        self.read_anew("terminals.pem", authority)
    }

    /// It reads such files only as it starts, so one that runs is made to read everything anew: requests and streams under way are
    /// finished by the processes of before.
    fn read_anew(&self, name: &str, text: &str) -> Result<(), StackError> {
        let file = self.folder.join(name);
        if std::fs::read_to_string(&file).is_ok_and(|known| known == text) {
            return Ok(());
        }
        owner::write_file(&file, text.as_bytes(), self.owner, 0o644)?;
        if process::running(&self.state, &self.name).is_some() {
            process::signal(&self.state, &self.name, Signal::SIGHUP);
        }
        Ok(())
    }

    /// Stops it and removes everything of it.
    pub fn remove(&self) -> Result<(), StackError> {
        process::stop(&self.state, &self.name, STOP);
        owner::remove_folder(&self.folder)?;
        for log in [self.state.log(&self.name), self.access_log()] {
            // A log without its server tells nobody anything.
            let _ = std::fs::remove_file(log);
        }
        Ok(())
    }

    fn configuration(&self, program: &Path) -> Result<String, StackError> {
        let version = Command::new(program)
            .arg("-v")
            .output()
            .map_err(|source| StackError::Spawn { program: "nginx".into(), source })?;
        let version = String::from_utf8_lossy(&version.stderr);
        let (http2_listen, http2_directive) = http2(version.trim());
        let access_log = self.access_log();
        // nginx opens the access log itself, as its own user.
        if !access_log.exists() {
            owner::write_file(&access_log, b"", self.owner, 0o644)?;
        }
        Ok(render(&[
            ("folder", self.folder.display().to_string()),
            ("access_log", access_log.display().to_string()),
            ("authority", self.authority.display().to_string()),
            ("api_name", pki::Service::Api.host()),
            ("api_port", self.api_port.to_string()),
            ("https_port", self.port.to_string()),
            ("terminal_port", self.terminal_port.to_string()),
            ("terminal_protocols", self.terminal_protocols().to_owned()),
            ("http2_listen", http2_listen.to_owned()),
            ("http2_directive", http2_directive.to_owned()),
            ("kept", kept(version.trim()).to_owned()),
        ]))
    }

    fn terminal_protocols(&self) -> &'static str {
        if self.takes_old_terminals { "TLSv1.2 TLSv1.3" } else { "TLSv1.3" }
    }

    fn access_log(&self) -> PathBuf {
        self.state.log(&format!("{}-access", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_of_the_template_is_filled() {
        let names = [
            "folder",
            "access_log",
            "authority",
            "api_name",
            "api_port",
            "https_port",
            "terminal_port",
            "terminal_protocols",
            "http2_listen",
            "http2_directive",
            "kept",
        ];
        let text = render(&names.map(|name| (name, "value".to_owned())));
        assert!(!text.contains("${folder}"));
        let left: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && line.contains("${")).collect();
        assert_eq!(left, Vec::<&str>::new());
    }

    #[test]
    fn nothing_goes_to_the_api_in_clear() {
        let passed: Vec<&str> = TEMPLATE.lines().filter(|line| line.contains("proxy_pass ")).collect();
        assert!(passed.len() > 5 && passed.iter().all(|line| line.contains("proxy_pass https://api;")), "{passed:?}");
    }

    #[test]
    fn http2_is_spelt_as_the_installed_version_wants_it() {
        assert_eq!(http2("nginx version: nginx/1.22.1"), (" http2", ""));
        assert_eq!(http2("nginx version: nginx/1.24.0 (Ubuntu)"), (" http2", ""));
        assert_eq!(http2("nginx version: nginx/1.25.1"), ("", "http2 on;"));
        assert_eq!(http2("nginx version: nginx/1.28.0"), ("", "http2 on;"));
        assert_eq!(kept("nginx version: nginx/1.22.1"), "");
        assert_eq!(kept("nginx version: nginx/1.27.4"), "keepalive_min_timeout 10s;");
    }

    #[test]
    fn every_problem_is_a_json_document() {
        let text = problems() + &unfit();
        let bodies: Vec<&str> = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("return ")?.split_once(" '")?.1.strip_suffix("';"))
            .collect();
        assert_eq!(bodies.len(), PROBLEMS.len() + UNFIT.len());
        for body in bodies {
            let problem: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(problem["status"].is_u64() && problem["code"].is_string() && problem["trace_id"] == "$request_id");
        }
    }
}
