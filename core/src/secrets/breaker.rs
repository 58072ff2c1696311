//! A circuit breaker: once Vault has not served a few times in a row, calls fail at once instead of each waiting for
//! its own time-out, and one call at a time finds out whether Vault is back.
//!
//! Only what says that Vault as a whole does not serve counts: no answer, or sealed. An engine's own 500 (Postgres is
//! away, and it cannot make a user there) comes at once and says nothing of the others.
//!
//! Pure: it is told what time it is.

use std::time::Duration;

use tokio::time::Instant;

/// So many calls in a row may fail before the circuit opens.
const TOLERATED: u32 = 3;
/// How long it stays open the first time; doubled by each probe that fails.
const FIRST: Duration = Duration::from_millis(250);
/// The longest: Vault that is back is noticed within this.
const LONGEST: Duration = Duration::from_secs(5);
/// A probe that has not reported by then never will, because whoever made the call was cancelled.
const PROBE_MAX: Duration = Duration::from_secs(3);

/// Why Vault does not serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outage {
    /// No answer.
    Unreachable,
    /// It says so itself.
    Sealed,
}

/// Closed: calls are made, and failures counted. Open: none is made until it is time for a probe.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    outage: Outage,
    wait: Duration,
    next_probe: Instant,
    is_probed: bool,
}

impl Breaker {
    /// Whether a call may be made now; where not, why not. Who is let through while the circuit is open is the probe.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), Outage> {
        match &mut self.open {
            Some(open) if now < open.next_probe => Err(open.outage),
            Some(open) => {
                open.next_probe = now + PROBE_MAX;
                open.is_probed = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// A call was answered.
    pub(super) fn served(&mut self) {
        *self = Self::default();
    }

    /// A call was not.
    pub(super) fn failed(&mut self, now: Instant, outage: Outage) {
        match &mut self.open {
            Some(open) if open.is_probed => {
                let wait = (open.wait * 2).min(LONGEST);
                *open = Open { outage, wait, next_probe: now + wait, is_probed: false };
            }
            // One of those that were on their way when the circuit opened.
            Some(_) => {}
            None => {
                self.failures += 1;
                if self.failures >= TOLERATED {
                    self.open = Some(Open { outage, wait: FIRST, next_probe: now + FIRST, is_probed: false });
                }
            }
        }
    }

    /// Whether calls fail at once.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..TOLERATED {
            assert!(breaker.admit(now).is_ok());
            breaker.failed(now, Outage::Unreachable);
        }
        assert!(breaker.is_open());
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_scattered_ones_do_not() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.failed(now, Outage::Unreachable);
            breaker.failed(now, Outage::Unreachable);
            breaker.served();
        }
        assert!(!breaker.is_open());
        assert_eq!(opened(now).admit(now), Err(Outage::Unreachable));
    }

    #[test]
    fn one_probe_at_a_time_is_let_through_and_closes_it() {
        let now = Instant::now();
        let mut breaker = opened(now);
        let later = now + FIRST;
        assert!(breaker.admit(later).is_ok(), "the probe");
        assert!(breaker.admit(later).is_err(), "everybody else");
        breaker.served();
        assert!(breaker.admit(later).is_ok() && !breaker.is_open());
    }

    #[test]
    fn the_pause_grows_to_its_maximum_and_tells_the_newest_reason() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        now += FIRST;
        for expected in [500, 1_000, 2_000, 4_000, 5_000, 5_000].map(Duration::from_millis) {
            assert!(breaker.admit(now).is_ok());
            breaker.failed(now, Outage::Sealed);
            assert_eq!(breaker.admit(now + expected - Duration::from_millis(1)), Err(Outage::Sealed));
            now += expected;
        }
    }

    #[test]
    fn those_that_fail_late_do_not_lengthen_the_pause() {
        let now = Instant::now();
        let mut breaker = opened(now);
        for _ in 0..64 {
            breaker.failed(now, Outage::Unreachable);
        }
        assert!(breaker.admit(now + FIRST).is_ok());
    }

    #[test]
    fn a_probe_that_was_cancelled_gives_way_to_another() {
        let now = Instant::now();
        let mut breaker = opened(now);
        assert!(breaker.admit(now + FIRST).is_ok());
        assert!(breaker.admit(now + FIRST + PROBE_MAX).is_ok());
    }
}
