//! What is to be done at a time, again and again until it is.
//!
//! A [`Job`] is a row: a kind, a key, a payload, and when. Whoever asks for the same key again asks for nothing new.
//! Workers [`store::take`] what is due, each a few and none the same (`SKIP LOCKED`), do it, and say how it went. A
//! job that is taken is out of sight for as long as its work may take; if its worker dies, it comes back by itself. So
//! a job may be done twice, and what it does must be idempotent.
//!
//! Attempts are bounded, and so are the pauses between them ([`pause`]); a job that was given up stays and says why. What
//! was promised to somebody is not given up: its worker [insists](store::insist).
//!
//! Deliberately absent: long transactions (a job is never worked at inside of one), an order among jobs.

pub mod store;

use std::time::Duration;

/// After so many attempts a job is given up: with these pauses, in about a day.
pub const ATTEMPTS: i32 = 34;
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The shard that it is about.
    pub shard: i16,
    /// What to do.
    pub kind: String,
    /// Which one of these; unique among them.
    pub key: String,
    /// With what: a JSON document.
    pub payload: String,
    /// How often it was tried, this time included.
    pub attempts: i32,
}

/// The pause after so many failed attempts: doubled each time, up to an hour.
pub fn pause(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
    (PAUSE_MIN * 2_u32.pow(doublings)).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_end_within_a_day() {
        assert_eq!([1, 2, 3, 4].map(pause), [1, 2, 4, 8].map(Duration::from_secs));
        assert_eq!(pause(i32::MAX), PAUSE_MAX);
        let all: Duration = (1..ATTEMPTS).map(pause).sum();
        assert!((Duration::from_hours(20)..Duration::from_hours(24)).contains(&all), "{all:?}");
    }
}
