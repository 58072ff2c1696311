//! An endpoint: where a tenant listens, to what, and with which secrets. Pure.

use chrono::TimeDelta;
use url::{Host, Url};
use uuid::Uuid;

use super::egress::Egress;
use crate::kernel::{Instant, Refusal, RefusalCode};

/// The longest address.
const URL_BYTES: usize = 2_048;
/// The most words of a filter.
const FILTER: usize = 50;
/// The longest word of a filter.
const WORD_BYTES: usize = 64;
/// The longest description.
const DESCRIPTION_BYTES: usize = 1_024;
/// The most endpoints of a tenant.
pub const ENDPOINTS: i64 = 50;
/// The most secrets that sign at the same time: each makes the header longer.
const SECRETS: usize = 5;
/// The longest that an old secret goes on to sign.
pub const OVERLAP_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Whether anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// What is due is sent.
    Enabled,
    /// Nothing is sent and nothing new is collected.
    Disabled(Because),
}

/// Why it is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Its owner asked for it.
    Asked,
    /// It answered 410.
    Gone,
}

impl Because {
    /// As stored and answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Gone => "gone",
        }
    }
}

/// An endpoint as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: Uuid,
    /// Where messages are posted.
    pub url: String,
    /// Which kinds of events: a kind, a family such as `hold.*`, or `*`.
    pub events: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// Whether anything is sent.
    pub state: State,
    /// When it was made.
    pub created_at: Instant,
    /// Which secrets sign, the newest first.
    pub secrets: Vec<SecretTimes>,
}

/// When a secret signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretTimes {
    /// Counted from 1.
    pub number: i32,
    /// From when on.
    pub created_at: Instant,
    /// Until when; `None` for the newest.
    pub ends_at: Option<Instant>,
}

/// An endpoint to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where messages are posted.
    pub url: String,
    /// Which kinds of events.
    pub events: Vec<String>,
    /// For people.
    pub description: Option<String>,
}

/// What is to become of an endpoint; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Where messages are posted.
    pub url: Option<String>,
    /// Which kinds of events.
    pub events: Option<Vec<String>>,
    /// For people; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
}

impl Draft {
    /// The same in its one spelling, or why not.
    pub fn checked(self, egress: &Egress) -> Result<Self, Refusal> {
        let Self { url, events, description } = self;
        Ok(Self { url: address(&url, egress)?, events: filter(events)?, description: described(description)? })
    }
}

impl Change {
    /// The same in its one spelling, or why not.
    pub fn checked(self, egress: &Egress) -> Result<Self, Refusal> {
        let Self { url, events, description } = self;
        Ok(Self {
            url: url.map(|url| address(&url, egress)).transpose()?,
            events: events.map(filter).transpose()?,
            description: description.map(described).transpose()?,
        })
    }
}

/// Which number a new secret gets, where these are alive.
///
/// When it comes, each of them ends after the overlap at the latest: that is how one that leaked is ended at once.
pub fn next_secret(alive: &[SecretTimes], overlap: TimeDelta) -> Result<i32, Refusal> {
    if alive.len() >= SECRETS && !overlap.is_zero() {
        let detail = format!(
            "at most {SECRETS} secrets sign at the same time; wait until one has ended, or rotate without overlap"
        );
        return Err(Refusal::new(RefusalCode::LimitExceeded, detail));
    }
    Ok(alive.iter().map(|secret| secret.number).max().unwrap_or(0) + 1)
}

/// How long old secrets go on to sign.
pub fn overlap(seconds: i64) -> Result<TimeDelta, Refusal> {
    if (0..=OVERLAP_SECONDS).contains(&seconds) {
        Ok(TimeDelta::seconds(seconds))
    } else {
        Err(invalid("/overlap_seconds", format!("the overlap is 0 to {OVERLAP_SECONDS} seconds")))
    }
}

/// An address that messages may be posted to. What a name resolves to is looked at each time they are.
fn address(text: &str, egress: &Egress) -> Result<String, Refusal> {
    let refuse = |detail: &str| Err(invalid("/url", detail));
    if text.len() > URL_BYTES {
        return refuse("the URL has at most 2048 bytes");
    }
    let Ok(url) = Url::parse(text) else { return refuse("this is not an absolute URL") };
    if url.scheme() != "https" && !(url.scheme() == "http" && egress.permits_plain_text()) {
        return refuse("the URL begins with https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return refuse("the URL has no user, password or fragment");
    }
    let ip = match url.host() {
        Some(Host::Ipv4(ip)) => Some(ip.into()),
        Some(Host::Ipv6(ip)) => Some(ip.into()),
        Some(Host::Domain(_)) => None,
        None => return refuse("the URL names a host"),
    };
    if ip.is_some_and(|ip| !egress.permits(ip)) {
        return refuse("the URL leads to an address that is not of the public Internet");
    }
    Ok(url.into())
}

/// A filter of event kinds, sorted and without repetition.
fn filter(mut words: Vec<String>) -> Result<Vec<String>, Refusal> {
    if !(1..=FILTER).contains(&words.len()) {
        return Err(invalid("/events", format!("a filter has 1 to {FILTER} words")));
    }
    for (index, word) in words.iter().enumerate() {
        if !is_filter_word(word) {
            let detail =
                "an event is named by its kind, such as transaction.posted, by its family, such as hold.*, or by *";
            return Err(invalid(&format!("/events/{index}"), detail));
        }
    }
    words.sort();
    words.dedup();
    Ok(words)
}

fn is_filter_word(word: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_kind = |(family, rest): (&str, &str)| is_name(family) && (rest == "*" || is_name(rest));
    word.len() <= WORD_BYTES && (word == "*" || word.split_once('.').is_some_and(is_kind))
}

fn described(text: Option<String>) -> Result<Option<String>, Refusal> {
    if text.as_ref().is_some_and(|text| text.len() > DESCRIPTION_BYTES) {
        return Err(invalid("/description", format!("the description has at most {DESCRIPTION_BYTES} bytes")));
    }
    Ok(text)
}

fn invalid(pointer: &str, detail: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::ValidationFailed, detail).at(pointer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(url: &str, egress: &Egress) -> Option<String> {
        address(url, egress).ok()
    }

    #[test]
    fn an_address_is_https_and_public() {
        let production = Egress::default();
        assert_eq!(accepted("HTTPS://Example.org:443/a?b=c", &production).unwrap(), "https://example.org/a?b=c");
        assert!(accepted("https://93.184.216.34/hook", &production).is_some());
        for bad in [
            "",
            "/hook",
            "example.org/hook",
            "http://example.org/hook",
            "ftp://example.org",
            "https://user@example.org/",
            "https://:secret@example.org/",
            "https://example.org/#fragment",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data/",
            &format!("https://example.org/{}", "x".repeat(URL_BYTES)),
        ] {
            assert_eq!(accepted(bad, &production), None, "{bad}");
        }
        let development = Egress::allowing(vec!["127.0.0.0/8".parse().unwrap()]);
        assert!(accepted("http://127.0.0.1:9000/hook", &development).is_some());
        assert!(accepted("http://10.0.0.1/hook", &development).is_none());
    }

    #[test]
    fn a_filter_names_kinds_families_or_everything() {
        let words = |words: &[&str]| filter(words.iter().map(|word| (*word).to_owned()).collect());
        assert_eq!(words(&["hold.*", "*", "account.opened", "*"]).unwrap(), ["*", "account.opened", "hold.*"]);
        assert!(words(&[]).is_err() && words(&["*"; 51]).is_err());
        for bad in ["", ".", "hold", "hold.", ".*", "*.placed", "hold.placed.x", "Hold.placed", "hold.p%", "hold.**"] {
            let refusal = words(&["*", bad]).unwrap_err();
            assert_eq!(refusal.place, Some(crate::kernel::Place::Pointer("/events/1".to_owned())), "{bad}");
        }
    }

    #[test]
    fn secrets_are_counted_and_bounded() {
        let secret = |number| SecretTimes { number, created_at: Instant::default(), ends_at: None };
        let day = TimeDelta::days(1);
        assert_eq!(next_secret(&[], day).unwrap(), 1);
        assert_eq!(next_secret(&[secret(7), secret(6)], day).unwrap(), 8);
        let many: Vec<SecretTimes> = (1..=5).map(secret).collect();
        assert_eq!(next_secret(&many, day).unwrap_err().code, RefusalCode::LimitExceeded);
        assert_eq!(next_secret(&many, TimeDelta::zero()).unwrap(), 6, "all the others end at once");
        assert!(overlap(0).is_ok() && overlap(OVERLAP_SECONDS).is_ok());
        assert!(overlap(-1).is_err() && overlap(OVERLAP_SECONDS + 1).is_err());
    }
}
