//! One side of a conversation in SMTP, without the wire: lines in, answers out.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How large a letter may be.
pub const LETTER_BYTES: usize = 256 * 1_024;
const RECIPIENTS: usize = 100;

/// What was said so far about the next letter.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Whom the sender says they are, believed as it is.
    pub login: Option<String>,
    /// Whom the letter is for.
    pub recipients: Vec<String>,
    has_sender: bool,
}

/// What follows from a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// This is answered.
    Say(String),
    /// The letter follows, up to a line with one dot.
    Take,
    /// This is answered, and no more.
    Close(&'static str),
}

impl Session {
    /// Answers a command.
    pub fn hear(&mut self, line: &str) -> Answer {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match verb.to_ascii_uppercase().as_str() {
            "HELO" => self.begin_anew("250 mailbox"),
            "EHLO" => {
                let offers =
                    format!("250-mailbox\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-AUTH PLAIN\r\n250 SIZE {LETTER_BYTES}");
                self.begin_anew(&offers)
            }
            "AUTH" => self.log_in(rest),
            "MAIL" if path(rest, "FROM:").is_some() => {
                self.begin_anew("250 go on");
                self.has_sender = true;
                "250 go on".to_owned()
            }
            "RCPT" if self.has_sender => match path(rest, "TO:") {
                Some(recipient) if !recipient.is_empty() && self.recipients.len() < RECIPIENTS => {
                    self.recipients.push(recipient.to_owned());
                    "250 go on".to_owned()
                }
                Some(_) => "452 no such recipient, or one too many".to_owned(),
                None => "501 RCPT TO:<address>".to_owned(),
            },
            "DATA" if !self.recipients.is_empty() => return Answer::Take,
            "RCPT" | "DATA" => "503 something comes before that".to_owned(),
            "RSET" => self.begin_anew("250 forgotten"),
            "NOOP" => "250 nothing done".to_owned(),
            "QUIT" => return Answer::Close("221 goodbye"),
            "MAIL" => "501 MAIL FROM:<address>".to_owned(),
            _ => "502 not here".to_owned(),
        };
        Answer::Say(answer)
    }

    /// The letter was taken; another may follow.
    pub fn begin_anew(&mut self, answer: &str) -> String {
        self.recipients.clear();
        self.has_sender = false;
        answer.to_owned()
    }

    /// Takes any password (RFC 4616: authorization identity, name and password, separated by zeros).
    fn log_in(&mut self, rest: &str) -> String {
        let word = rest.strip_prefix("PLAIN ").and_then(|word| STANDARD.decode(word).ok());
        let text = word.and_then(|word| String::from_utf8(word).ok());
        self.login = text.and_then(|text| text.split('\0').nth(1).filter(|name| is_plain(name)).map(str::to_owned));
        if self.login.is_some() { "235 welcome" } else { "504 AUTH PLAIN and the words in base64" }.to_owned()
    }
}

/// The address between `<` and `>` after a word; what stands behind it says how the letter is written, and is all the same to us.
fn path<'a>(rest: &'a str, word: &str) -> Option<&'a str> {
    let named = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let (address, _) = rest.get(word.len()..).filter(|_| named)?.trim_start().strip_prefix('<')?.split_once('>')?;
    is_plain(address).then_some(address)
}

/// Whether it can stand in a line of its own.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(session: &mut Session, line: &str) -> String {
        match session.hear(line) {
            Answer::Say(answer) => answer[..3].to_owned(),
            Answer::Take => "take".to_owned(),
            Answer::Close(answer) => answer[..3].to_owned(),
        }
    }

    #[test]
    fn a_letter_has_a_sender_and_recipients_before_its_text() {
        let mut session = Session::default();
        for (line, answer) in [
            ("EHLO vintem.test", "250"),
            ("DATA", "503"),
            ("RCPT TO:<ana@b.test>", "503"),
            ("mail from:<no-reply@vintem.test> SIZE=12", "250"),
            ("DATA", "503"),
            ("RCPT TO:<>", "452"),
            ("RCPT TO:<a b@c.test>", "501"),
            ("RCPT TO:<joão@b.test>", "250"),
            ("RCPT TO:<ana@b.test>", "250"),
            ("DATA", "take"),
        ] {
            assert_eq!(said(&mut session, line), answer, "{line}");
        }
        assert_eq!(session.recipients, ["joão@b.test", "ana@b.test"]);
        assert_eq!(said(&mut session, "RSET"), "250");
        assert_eq!(session, Session::default());
        assert_eq!(said(&mut session, "QUIT"), "221");
    }

    #[test]
    fn whoever_logs_in_is_remembered() {
        let mut session = Session::default();
        assert_eq!(said(&mut session, "AUTH LOGIN"), "504");
        assert_eq!(said(&mut session, &format!("AUTH PLAIN {}", STANDARD.encode("\0vintem\0secret"))), "235");
        assert_eq!(session.login.as_deref(), Some("vintem"));
        assert_eq!(said(&mut session, &format!("AUTH PLAIN {}", STANDARD.encode("\0a\nb\0c"))), "504");
    }

    #[test]
    fn nobody_names_recipients_without_end_or_says_what_is_not_there() {
        let mut session = Session::default();
        said(&mut session, "MAIL FROM:<>");
        for _ in 0..RECIPIENTS {
            assert_eq!(said(&mut session, "RCPT TO:<ana@b.test>"), "250");
        }
        assert_eq!(said(&mut session, "RCPT TO:<ana@b.test>"), "452");
        for line in ["", "STARTTLS", "VRFY ana", "é", "MAIL", "MAIL FROM:ana"] {
            assert!(said(&mut session, line).starts_with('5'), "{line}");
        }
    }
}
