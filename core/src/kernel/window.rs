//! Windows of counters: which key an increment falls into, given the instant of the batch.
//!
//! The service proposes a window, a zone, an increment and a maximum; the writer, which alone
//! knows the instant that counts, turns them into the key.

use super::instant::Instant;
use chrono::{Datelike, Days, Timelike};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// A period, for one mandate.
    Mandate {
        /// Which one.
        mandate: String,
        /// How long.
        period: Period,
    },
}

/// How long a span is that somebody chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// A calendar day.
    Day,
    /// From Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
}

impl Period {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
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
            Self::Mandate { mandate, period } => {
                let span = match period {
                    Period::Day => format!("day:{}", local.date_naive()),
                    Period::Week => format!("week:{}-W{:02}", local.iso_week().year(), local.iso_week().week()),
                    Period::Month => format!("month:{}-{:02}", local.year(), local.month()),
                };
                Some(format!("mandate:{mandate}:{span}"))
            }
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
        // A week belongs to the year that has more of it.
        let week = Window::Mandate { mandate: "m".into(), period: Period::Week };
        assert_eq!(week.key(at("2027-01-03T12:00:00Z"), zone).unwrap(), "mandate:m:week:2026-W53");
        assert_eq!(week.key(at("2027-01-04T02:59:59Z"), zone).unwrap(), "mandate:m:week:2026-W53");
        assert_eq!(week.key(at("2027-01-04T03:00:00Z"), zone).unwrap(), "mandate:m:week:2027-W01");
    }
}
