//! What came back, and what it cost.

use std::collections::BTreeMap;
use std::time::Duration;

/// The most latencies that are kept; a run that has more keeps the first.
const MOST_LATENCIES: usize = 20_000_000;

/// The answers of one crowd within the measured window.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Items with a definite answer, refusals too.
    pub items: u64,
    /// From the intended sending to the whole answer, in microseconds; sorted by [`Tally::close`].
    pub latencies_us: Vec<u32>,
    /// Codes of refusals and failures, and how often.
    pub codes: BTreeMap<String, u64>,
    /// How long the window was open.
    pub elapsed: Duration,
}

/// Percentiles in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latencies {
    /// The median.
    pub p50: u32,
    /// 95 of 100 are not slower.
    pub p95: u32,
    /// 99 of 100 are not slower.
    pub p99: u32,
    /// The slowest.
    pub max: u32,
}

impl Tally {
    /// Remembers an answer.
    pub fn answered(&mut self, items: u32, latency: Duration) {
        self.items += u64::from(items);
        if self.latencies_us.len() < MOST_LATENCIES {
            self.latencies_us.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
        }
    }

    /// Counts a refusal or failure.
    pub fn count(&mut self, code: &str) {
        match self.codes.get_mut(code) {
            Some(count) => *count += 1,
            None => _ = self.codes.insert(code.to_owned(), 1),
        }
    }

    /// Adds what another group of the same kind came to in the same window.
    pub fn join(&mut self, other: Self) {
        self.items += other.items;
        self.latencies_us.extend(other.latencies_us);
        self.latencies_us.sort_unstable();
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
    }

    /// Ends the window.
    pub fn close(&mut self, elapsed: Duration) {
        self.elapsed = elapsed;
        self.latencies_us.sort_unstable();
    }

    /// Items a second.
    pub fn rate(&self) -> u64 {
        crate::progress::per_second(self.items, self.elapsed)
    }

    /// The percentiles, if anything was answered.
    pub fn latencies(&self) -> Option<Latencies> {
        let last = self.latencies_us.len().checked_sub(1)?;
        let at = |percent: usize| self.latencies_us[last * percent / 100];
        Some(Latencies { p50: at(50), p95: at(95), p99: at(99), max: at(100) })
    }
}

/// The codes of what was refused in an answer: of the problem itself, or of each problem in a batch's results.
pub fn codes(status: u16, body: &[u8]) -> impl Iterator<Item = &str> {
    let (before, most) = if status < 300 { ("\"problem\":{", usize::MAX) } else { ("", 1) };
    let starts = memchr::memmem::find_iter(body, before).take(most);
    starts.map(|start| code(&body[start..]).unwrap_or("unreadable"))
}

fn code(body: &[u8]) -> Option<&str> {
    const MEMBER: &[u8] = b"\"code\":\"";
    let rest = &body[memchr::memmem::find(body, MEMBER)? + MEMBER.len()..];
    std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_latencies() {
        let mut tally = Tally::default();
        assert_eq!(tally.latencies(), None);
        for millisecond in (1..=101).rev() {
            tally.answered(10, Duration::from_millis(millisecond));
        }
        tally.close(Duration::from_millis(500));
        assert_eq!(tally.rate(), 2_020);
        let expected = Latencies { p50: 51_000, p95: 96_000, p99: 100_000, max: 101_000 };
        assert_eq!(tally.latencies(), Some(expected));
    }

    #[test]
    fn codes_are_found_in_problems_and_in_results() {
        let problem = br#"{"type":"/docs","status":422,"code":"insufficient-funds","errors":[{"code":"other"}]}"#;
        assert_eq!(codes(422, problem).collect::<Vec<_>>(), ["insufficient-funds"]);
        let results = br#"{"results":[{"status":201,"code":"already-applied"},{"status":422,"problem":{"code":"a"}},{"problem":{"code":"b","errors":[{"code":"c"}]}}]}"#;
        assert_eq!(codes(200, results).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(codes(502, b"").collect::<Vec<_>>(), ["unreadable"]);
    }
}
