//! How often something may happen: a bucket that fills evenly, by the generic cell rate algorithm (ATM Forum, I.371).
//!
//! A bucket is one number, the moment at which it is full again, so it is changed without a lock. Crates for this can refuse and
//! cannot charge what has happened already, which failed logins need.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// So many at once, and as many again, evenly, over some seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    seconds: u32,
}

/// The text is not of the form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a count and a number of seconds, such as 3000/10")]
pub struct BadRate;

impl Rate {
    /// So many in so many seconds; neither is zero.
    pub const fn try_new(count: u32, seconds: u32) -> Option<Self> {
        if count == 0 || seconds == 0 { None } else { Some(Self { count, seconds }) }
    }

    /// How long an empty bucket takes to fill.
    pub fn filling(self) -> Duration {
        Duration::from_nanos(self.span())
    }

    fn span(self) -> u64 {
        u64::from(self.seconds) * 1_000_000_000
    }

    fn step(self) -> u64 {
        (self.span() / u64::from(self.count)).max(1)
    }
}

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        let (count, seconds) = text.split_once('/').ok_or(BadRate)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| BadRate);
        Self::try_new(number(count)?, number(seconds)?).ok_or(BadRate)
    }
}

/// What is left of a rate. Times are those of one clock that never goes back.
#[derive(Debug, Default)]
pub struct Bucket {
    full_at: AtomicU64,
}

impl Bucket {
    /// Takes a part, or says how long to wait for it.
    pub fn take(&self, rate: Rate, now: Duration, cost: u32) -> Result<(), Duration> {
        let (now, cost) = (nanoseconds(now), rate.step().saturating_mul(u64::from(cost)));
        let taken = |full_at: u64| {
            let next = full_at.max(now).saturating_add(cost);
            (next - now <= rate.span()).then_some(next)
        };
        match self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken) {
            Ok(_) => Ok(()),
            Err(full_at) => {
                let next = full_at.max(now).saturating_add(cost);
                Err(Duration::from_nanos(next.saturating_sub(now).saturating_sub(rate.span())))
            }
        }
    }

    /// Takes a part of what has happened already, also on credit; no debt is longer than one filling.
    pub fn charge(&self, rate: Rate, now: Duration, cost: u32) {
        let (now, cost) = (nanoseconds(now), rate.step().saturating_mul(u64::from(cost)));
        let most = now.saturating_add(rate.span().saturating_mul(2));
        let charged = |full_at: u64| Some(full_at.max(now).saturating_add(cost).min(most.max(full_at)));
        // It never refuses.
        let _ = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, charged);
    }

    /// Gives a part back. A bucket that is full stays so, because what lies before now counts for nothing.
    pub fn give(&self, rate: Rate, cost: u32) {
        let cost = rate.step().saturating_mul(u64::from(cost));
        let _ = self
            .full_at
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| Some(full_at.saturating_sub(cost)));
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RATE: Rate = Rate { count: 10, seconds: 5 };

    fn at(millis: u64) -> Duration {
        Duration::from_secs(1_000) + Duration::from_millis(millis)
    }

    #[test]
    fn so_many_at_once_and_then_one_by_one() {
        let bucket = Bucket::default();
        for _ in 0..10 {
            assert_eq!(bucket.take(RATE, at(0), 1), Ok(()));
        }
        assert_eq!(bucket.take(RATE, at(0), 1), Err(Duration::from_millis(500)));
        assert_eq!(bucket.take(RATE, at(499), 1), Err(Duration::from_millis(1)));
        assert_eq!(bucket.take(RATE, at(500), 1), Ok(()));
        assert_eq!(bucket.take(RATE, at(500), 2), Err(Duration::from_secs(1)));
        for _ in 0..10 {
            assert_eq!(bucket.take(RATE, at(60_000), 1), Ok(()), "never more than full");
        }
        assert!(bucket.take(RATE, at(60_000), 1).is_err());
    }

    #[test]
    fn a_charge_is_owed_for_one_filling_at_most() {
        let bucket = Bucket::default();
        bucket.charge(RATE, at(0), 4);
        assert_eq!(bucket.take(RATE, at(0), 6), Ok(()));
        bucket.charge(RATE, at(0), 3);
        assert_eq!(bucket.take(RATE, at(0), 1), Err(Duration::from_secs(2)));
        bucket.charge(RATE, at(0), u32::MAX);
        assert_eq!(bucket.take(RATE, at(0), 1), Err(Duration::from_millis(5_500)));
    }

    #[test]
    fn what_is_given_back_is_there_and_never_above_full() {
        let bucket = Bucket::default();
        bucket.take(RATE, at(0), 10).unwrap();
        bucket.give(RATE, 2);
        assert_eq!(bucket.take(RATE, at(0), 2), Ok(()));
        assert!(bucket.take(RATE, at(0), 1).is_err());
        bucket.give(RATE, 100);
        assert_eq!(bucket.take(RATE, at(0), 10), Ok(()));
        assert!(bucket.take(RATE, at(0), 1).is_err());
    }

    #[test]
    fn rates_are_read() {
        assert_eq!("10/5".parse(), Ok(RATE));
        for bad in ["", "10", "10/", "/5", "0/5", "5/0", "-1/5", "1.5/5", "10/5/1", "99999999999/1"] {
            assert_eq!(bad.parse::<Rate>(), Err(BadRate), "{bad:?}");
        }
    }

    proptest! {
        /// In no stretch of time is more let through than fills the bucket once and what flows in meanwhile; and who waits
        /// as long as he is told is let through.
        #[test]
        fn no_stretch_lets_more_through(
            count in 1..50_u32,
            seconds in 1..20_u32,
            pauses in prop::collection::vec(0..900_u64, 1..200),
        ) {
            let (rate, bucket) = (Rate { count, seconds }, Bucket::default());
            let mut now = 0;
            let mut passed: Vec<u64> = Vec::new();
            for pause in pauses {
                now += pause;
                if let Err(wait) = bucket.take(rate, at(now), 1) {
                    prop_assert!(wait > Duration::ZERO && wait <= Duration::from_nanos(rate.step()));
                    now += u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap();
                    prop_assert_eq!(bucket.take(rate, at(now), 1), Ok(()));
                }
                passed.push(now);
                for (index, began) in passed.iter().enumerate() {
                    let flowed = (now - began) * u64::from(count) / (u64::from(seconds) * 1_000);
                    let let_through = u64::try_from(passed.len() - index).unwrap();
                    prop_assert!(let_through <= u64::from(count) + flowed + 1);
                }
            }
        }
    }
}
