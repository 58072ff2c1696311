//! Letters as files: what was sent, and before it one line for each thing that only the envelope knows.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use mail_parser::MessageParser;
use vintem_core::telemetry::clock;

/// How many letters are kept.
pub const KEPT: usize = 1_000;
const RECIPIENT: &str = "Delivered-To: ";
const LOGIN: &str = "X-Login: ";
const ENDING: &str = ".eml";

/// A letter that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The name of its file; later ones sort later.
    pub name: String,
    /// Whom the sender logged in as.
    pub login: Option<String>,
    /// Whom it is for, as the envelope says.
    pub recipients: Vec<String>,
    /// What it is about.
    pub subject: String,
    /// Its text, decoded, with the line ends of this machine.
    pub text: String,
}

impl fmt::Display for Letter {
    /// For a terminal, which a letter must not command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |text: &str| text.replace(|c: char| c.is_control() && c != '\n' && c != '\t', "");
        writeln!(f, "To:      {}", plain(&self.recipients.join(", ")))?;
        writeln!(f, "Subject: {}\n", plain(&self.subject))?;
        writeln!(f, "{}", plain(self.text.trim_end()))
    }
}

/// Keeps a letter, and forgets the oldest.
pub fn keep(folder: &Path, login: Option<&str>, recipients: &[String], text: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // By time across restarts, by count within a microsecond.
    let name = format!("{:020}-{:010}", clock::now().timestamp_micros(), NEXT.fetch_add(1, Ordering::Relaxed));
    let login = login.map(|login| format!("{LOGIN}{login}\r\n")).into_iter();
    let envelope: String = login.chain(recipients.iter().map(|to| format!("{RECIPIENT}{to}\r\n"))).collect();
    let draft = folder.join(format!("{name}.draft"));
    fs::write(&draft, [envelope.as_bytes(), text].concat())?;
    // A reader never sees half of it.
    fs::rename(&draft, folder.join(format!("{name}{ENDING}")))?;
    let files = files(folder)?;
    for old in &files[..files.len().saturating_sub(KEPT)] {
        match fs::remove_file(old) {
            // Another connection was quicker.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The newest, newest last; those to one recipient where one is named.
pub fn newest(folder: &Path, recipient: Option<&str>, count: usize) -> io::Result<Vec<Letter>> {
    let mut found = Vec::new();
    for file in files(folder)?.iter().rev() {
        if found.len() == count {
            break;
        }
        let content = match fs::read(file) {
            // It was the oldest just now.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            content => content?,
        };
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let letter = read(name, &content);
        let is_for = |wanted: &str| letter.recipients.iter().any(|to| to.eq_ignore_ascii_case(wanted));
        if recipient.is_none_or(is_for) {
            found.push(letter);
        }
    }
    found.reverse();
    Ok(found)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    let mut files: Vec<_> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == &ENDING[1..])).collect();
    files.sort();
    Ok(files)
}

fn read(name: String, content: &[u8]) -> Letter {
    let (mut login, mut recipients, mut rest) = (None, Vec::new(), content);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = String::from_utf8_lossy(&rest[..end]);
        if let Some(recipient) = line.strip_prefix(RECIPIENT) {
            recipients.push(recipient.trim_end().to_owned());
        } else if let Some(name) = line.strip_prefix(LOGIN) {
            login = Some(name.trim_end().to_owned());
        } else {
            break;
        }
        rest = &rest[end + 1..];
    }
    let letter = MessageParser::default().parse(rest).unwrap_or_default();
    let subject = letter.subject().unwrap_or_default().to_owned();
    let text = letter.body_text(0).unwrap_or_default().replace("\r\n", "\n");
    Letter { name, login, recipients, subject, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_in_order() {
        let place = tempfile::tempdir().unwrap();
        let to = |name: &str| vec![format!("{name}@b.test"), "all@b.test".to_owned()];
        for number in 0..KEPT + 3 {
            let text = format!("Subject: {number}\r\n\r\ntext\r\n");
            let name = if number % 2 == 0 { "even" } else { "odd" };
            keep(place.path(), Some("vintem"), &to(name), text.as_bytes()).unwrap();
        }
        let all = newest(place.path(), Some("all@b.test"), KEPT + 3).unwrap();
        assert_eq!((all.len(), all[0].subject.as_str()), (KEPT, "3"));
        let even = newest(place.path(), Some("Even@b.test"), 2).unwrap();
        assert_eq!(even.iter().map(|letter| letter.subject.as_str()).collect::<Vec<_>>(), ["1000", "1002"]);
        assert_eq!((&even[0].login, &even[0].recipients), (&Some("vintem".to_owned()), &to("even")));
    }

    #[test]
    fn a_letter_does_not_command_a_terminal() {
        let printed = read("1".into(), b"Delivered-To: a@b\r\nSubject: x\r\n\r\n\x1b[2Jcode 123456\r\n").to_string();
        assert!(printed.contains("To:      a@b\nSubject: x\n\n[2Jcode 123456\n"), "{printed:?}");
    }
}
