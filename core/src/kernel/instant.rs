//! Instants, bare dates and the tenant's time zone.
//!
//! Postgres keeps microseconds, so every instant that is compared or hashed is cut to them.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, SubsecRound, TimeZone, Utc};
use chrono_tz::Tz;

/// An instant in UTC.
pub type Instant = DateTime<Utc>;

/// What a caller may write where an instant is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// RFC 3339 with an offset.
    At(Instant),
    /// `YYYY-MM-DD`: its start for postings, its end for balances, in the tenant's zone.
    On(NaiveDate),
}

impl When {
    /// Reads RFC 3339 or a bare date.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() == 10 {
            return NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self::On);
        }
        // chrono also takes a blank for the `T`; one form is enough.
        let form = text.as_bytes().get(10).is_some_and(|b| *b == b'T');
        let instant = form.then(|| DateTime::parse_from_rfc3339(text).ok()).flatten()?;
        Some(Self::At(instant.with_timezone(&Utc).trunc_subsecs(6)))
    }

    /// The instant for a posting: a date means its first moment.
    pub fn start(self, zone: Tz) -> Instant {
        match self {
            Self::At(instant) => instant,
            Self::On(date) => start_of_day(date, zone),
        }
    }

    /// The instant for a balance: a date means its last microsecond.
    pub fn end(self, zone: Tz) -> Instant {
        match self {
            Self::At(instant) => instant,
            Self::On(date) => start_of_day(date + Days::new(1), zone) - Duration::microseconds(1),
        }
    }
}

/// The first moment of a day. Where clocks jump over midnight the day begins after the jump.
fn start_of_day(date: NaiveDate, zone: Tz) -> Instant {
    let midnight = date.and_time(NaiveTime::MIN);
    (0..=24)
        .find_map(|quarter| zone.from_local_datetime(&(midnight + Duration::minutes(15 * quarter))).earliest())
        .map_or_else(|| midnight.and_utc(), |local| local.with_timezone(&Utc))
}

/// Whether an effective instant is between 1900-01-01 and 400 days from now.
pub fn is_effective_range(at: Instant, now: Instant) -> bool {
    NaiveDate::from_ymd_opt(1900, 1, 1).is_some_and(|first| at.date_naive() >= first) && at <= now + Duration::days(400)
}

/// RFC 3339 in UTC with microseconds: the one form in answers.
pub fn to_text(at: Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_a_day_of_the_tenant() {
        let day = When::parse("2026-03-01").unwrap();
        let zone = chrono_tz::America::Sao_Paulo;
        assert_eq!(to_text(day.start(zone)), "2026-03-01T03:00:00.000000Z");
        assert_eq!(to_text(day.end(zone)), "2026-03-02T02:59:59.999999Z");
    }

    #[test]
    fn a_day_without_midnight_begins_after_the_jump() {
        let day = When::parse("2018-11-04").unwrap();
        assert_eq!(to_text(day.start(chrono_tz::America::Sao_Paulo)), "2018-11-04T03:00:00.000000Z");
    }

    #[test]
    fn only_two_forms_are_read() {
        assert!(
            When::parse("2026-03-01T10:00:00.123456789-03:00")
                .is_some_and(|w| matches!(w, When::At(at) if at.timestamp_subsec_nanos() == 123_456_000))
        );
        for text in [
            "",
            "2026-3-1",
            "2026-02-30",
            "2026-03-01 10:00:00Z",
            "2026-03-01T10:00:00",
            "20260301",
            "yesterday",
            "+2026-03-01",
        ] {
            assert_eq!(When::parse(text), None, "{text}");
        }
    }
}
