//! A subscription: whose events, of which kinds, and how many may wait.

use super::error::SubscriptionError;
use std::str::FromStr;
use uuid::Uuid;

/// A queue of events that somebody declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Unique; part of the queue's name.
    pub name: SubscriptionName,
    /// Whose events; `None` is everybody's.
    pub tenant: Option<Uuid>,
    /// Which of them.
    pub kinds: Kinds,
    /// How many may wait.
    pub length: Length,
}

/// A name such as `coffee-town-mail`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubscriptionName(String);

impl SubscriptionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubscriptionName {
    type Err = SubscriptionError;

    fn from_str(text: &str) -> Result<Self, SubscriptionError> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = (1..=63).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('-');
        if is_name { Ok(Self(text.to_owned())) } else { Err(SubscriptionError::BadName) }
    }
}

/// A pattern of kinds, as bindings of a topic exchange have it: `hold.*`, `#`.
///
/// It is matched here and not by the broker, so that what nobody asked for costs no message, and so that a message
/// that reaches no queue says that the queue is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(String);

impl Kinds {
    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a kind is among them.
    pub fn contain(&self, kind: &str) -> bool {
        let (pattern, words): (Vec<&str>, Vec<&str>) = (self.0.split('.').collect(), kind.split('.').collect());
        fits(&pattern, &words)
    }
}

fn fits(pattern: &[&str], words: &[&str]) -> bool {
    let Some((first, pattern)) = pattern.split_first() else { return words.is_empty() };
    match (*first, words.split_first()) {
        ("#", _) => (0..=words.len()).any(|skipped| fits(pattern, &words[skipped..])),
        (_, None) => false,
        (wanted, Some((word, words))) => (wanted == "*" || wanted == *word) && fits(pattern, words),
    }
}

impl FromStr for Kinds {
    type Err = SubscriptionError;

    fn from_str(text: &str) -> Result<Self, SubscriptionError> {
        let is_word = |word: &str| {
            ["*", "#"].contains(&word)
                || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        };
        // Few words, because each `#` multiplies the ways in which the rest may fit.
        let is_pattern = text.len() <= 100 && text.split('.').count() <= 8 && text.split('.').all(is_word);
        if is_pattern { Ok(Self(text.to_owned())) } else { Err(SubscriptionError::BadKinds) }
    }
}

/// How many events may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(i32);

impl Length {
    /// The number.
    pub fn get(self) -> i32 {
        self.0
    }

    /// How many events may be published together when so many wait: half of what is free, so that nothing but a
    /// consumer that dies with more than the other half in its hands can make the queue refuse one. A refused event
    /// may have a successor that was not refused, and then the order would be lost.
    pub fn room(self, waiting: u32) -> i64 {
        let free = i64::from(self.0).saturating_sub(i64::from(waiting)).max(0);
        free / 2 + free % 2
    }
}

impl TryFrom<i32> for Length {
    type Error = SubscriptionError;

    fn try_from(length: i32) -> Result<Self, SubscriptionError> {
        if (1..=10_000_000).contains(&length) { Ok(Self(length)) } else { Err(SubscriptionError::BadLength) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_fit_like_the_keys_of_a_topic_exchange() {
        for (pattern, kind, fits) in [
            ("#", "hold.placed", true),
            ("*.*", "hold.placed", true),
            ("*", "hold.placed", false),
            ("hold.*", "hold.placed", true),
            ("hold.#", "hold.placed", true),
            ("hold.placed.#", "hold.placed", true),
            ("hold.*", "transaction.posted", false),
            ("#.posted", "transaction.posted", true),
            ("hold", "hold.placed", false),
        ] {
            assert_eq!(pattern.parse::<Kinds>().unwrap().contain(kind), fits, "{pattern} {kind}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for bad in ["", ".", "hold.", "Hold.*", "hold placed", "ho*", "#.#.#.#.#.#.#.#.#"] {
            assert!(bad.parse::<Kinds>().is_err(), "{bad}");
        }
    }

    #[test]
    fn half_of_what_is_free_is_room_and_a_full_queue_has_none() {
        let room = |length: i32, waiting| Length::try_from(length).unwrap().room(waiting);
        assert_eq!((room(100, 0), room(100, 99), room(100, 100), room(100, 170), room(1, 0)), (50, 1, 0, 0, 1));
    }
}
