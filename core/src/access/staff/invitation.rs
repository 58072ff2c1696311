//! An invitation: one use, three days, and only the last one counts.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Over a weekend.
pub const LIFE: TimeDelta = TimeDelta::hours(72);

/// The one that a member may accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    /// Its id; what opens it is kept apart, as a digest.
    pub id: Uuid,
    /// From then on it is worth nothing.
    pub expires_at: DateTime<Utc>,
}

impl Invitation {
    /// Whether this is the one that was presented, in time.
    pub fn admits(&self, presented: Uuid, now: DateTime<Utc>) -> bool {
        self.id == presented && now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_one_counts_and_for_three_days() {
        let begin: DateTime<Utc> = "2026-03-02T08:00:00Z".parse().unwrap();
        let invitation = Invitation { id: Uuid::from_u128(1), expires_at: begin + LIFE };
        assert!(invitation.admits(Uuid::from_u128(1), begin + TimeDelta::hours(71)));
        assert!(!invitation.admits(Uuid::from_u128(1), begin + TimeDelta::hours(72)));
        assert!(!invitation.admits(Uuid::from_u128(2), begin));
    }
}
