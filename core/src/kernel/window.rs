//! Windows of counters: which key an increment falls into, given the instant of the batch.
//!
//! The service proposes a window, a zone, an increment and a maximum; the writer, which alone
//! knows the instant that counts, turns them into the key.

use super::instant::Instant;
use chrono::{Datelike, Days, Timelike};
use chrono_tz::Tz;

/// The span over which a limit counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
    /// From 20:00 to 06:00, named by the date on which it began; outside these hours it does not count.
    Night,
    /// A calendar day, for one device.
    Device(String),
}

impl Window {
    /// The counter's key at `now`, or `None` when the window does not count then.
    pub fn key(&self, now: Instant, zone: Tz) -> Option<String> {
        let local = now.with_timezone(&zone);
        match self {
            Self::Day => Some(format!("day:{}", local.date_naive())),
            Self::Month => Some(format!("month:{}-{:02}", local.year(), local.month())),
            Self::Night if local.hour() >= 20 => Some(format!("night:{}", local.date_naive())),
            Self::Night if local.hour() < 6 => Some(format!("night:{}", local.date_naive() - Days::new(1))),
            Self::Night => None,
            Self::Device(device) => Some(format!("device:{device}:{}", local.date_naive())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_the_tenants_clock() {
        let zone = chrono_tz::America::Sao_Paulo;
        let at = |text: &str| text.parse::<Instant>().unwrap();
        assert_eq!(Window::Day.key(at("2026-03-01T02:59:59Z"), zone).unwrap(), "day:2026-02-28");
        assert_eq!(Window::Month.key(at("2026-03-01T02:59:59Z"), zone).unwrap(), "month:2026-02");
        assert_eq!(Window::Night.key(at("2026-03-01T23:00:00Z"), zone).unwrap(), "night:2026-03-01");
        assert_eq!(Window::Night.key(at("2026-03-02T08:59:59Z"), zone).unwrap(), "night:2026-03-01");
        assert_eq!(Window::Night.key(at("2026-03-02T09:00:00Z"), zone), None);
    }
}
