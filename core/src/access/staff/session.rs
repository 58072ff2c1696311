//! How long a session lives. Pure; the clock comes from outside.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::member::Member;

/// A day at work (NIST SP 800-63B, AAL2).
pub const ABSOLUTE: TimeDelta = TimeDelta::hours(12);
/// Half an hour at lunch.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);
/// How long a second factor that was shown within a session is fresh.
pub const FRESH: TimeDelta = TimeDelta::minutes(5);
/// Uses are written down once a minute; a session may end so much earlier.
pub const TOUCH: TimeDelta = TimeDelta::minutes(1);

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub member: Uuid,
    /// The version of the member's stream that it was opened at.
    pub member_version: i32,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was used last.
    pub used_at: DateTime<Utc>,
    /// Until when its second factor is fresh.
    pub fresh_until: Option<DateTime<Utc>>,
    /// Set once somebody ended it.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Session {
    /// Whether it may be used now. A clock that went back does not lengthen it beyond what it could ever be.
    pub fn is_alive(&self, member: &Member, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none() && self.is_in_time(now) && member.may_use_session_of(self.member_version)
    }

    /// Whether neither of its two times is over.
    pub fn is_in_time(&self, now: DateTime<Utc>) -> bool {
        now < self.expires_at() && now < self.used_at + IDLE && now >= self.created_at - TOUCH
    }

    /// When it ends at the latest.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.created_at + ABSOLUTE
    }

    /// Whether its use is to be written down.
    pub fn is_to_be_touched(&self, now: DateTime<Utc>) -> bool {
        now >= self.used_at + TOUCH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_itself() {
        let begin: DateTime<Utc> = "2026-03-02T08:00:00Z".parse().unwrap();
        let session = |used: i64| Session {
            id: Uuid::nil(),
            member: Uuid::nil(),
            member_version: 2,
            created_at: begin,
            used_at: begin + TimeDelta::minutes(used),
            fresh_until: None,
            ended_at: None,
        };
        for (used, now, is_in_time) in [
            (0, 0, true),
            (0, 29, true),
            (0, 30, false),
            (29, 58, true),
            (700, 719, true),
            (719, 720, false),
            // Clocks that went wrong by an hour, either way.
            (0, 60, false),
            (0, -60, false),
        ] {
            assert_eq!(session(used).is_in_time(begin + TimeDelta::minutes(now)), is_in_time, "{used} {now}");
        }
        assert!(session(0).is_to_be_touched(begin + TOUCH) && !session(0).is_to_be_touched(begin));
    }
}
