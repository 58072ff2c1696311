//! The door to the random generator.
//!
//! Everything that must not be guessed comes from here, and so does the jitter that keeps many
//! processes from renewing at the same instant.

use std::time::Duration;

use aws_lc_rs::rand;

/// `N` bytes nobody can guess.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // The generator of AWS-LC is seeded by the kernel and does not fail once it is.
    rand::fill(&mut bytes).expect("the system's random generator works");
    bytes
}

/// The duration, longer or shorter by up to `percent` per cent.
pub fn jitter(duration: Duration, percent: u32) -> Duration {
    let percent = percent.min(100);
    let span = u64::from(percent) * 2 + 1;
    let draw = u64::from_be_bytes(bytes::<8>()) % span;
    let factor = 100 - u64::from(percent) + draw;
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 1_000);
    Duration::from_millis(millis.saturating_mul(factor) / 100)
}

/// Waits that double up to a maximum, each with jitter.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    first: Duration,
    max: Duration,
}

impl Backoff {
    pub(super) fn new(first: Duration, max: Duration) -> Self {
        Self { next: first, first, max }
    }

    /// The next wait.
    pub(super) fn next(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(self.max);
        jitter(wait, 25)
    }

    /// Starts again from the shortest wait, after a success.
    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_bounds_and_moves() {
        let base = Duration::from_secs(100);
        let draws: Vec<_> = (0..200).map(|_| jitter(base, 10)).collect();
        assert!(draws.iter().all(|d| (90..=110).contains(&d.as_secs())));
        assert!(draws.iter().any(|d| *d != draws[0]));
    }

    #[test]
    fn backoff_doubles_to_its_maximum() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(300));
        assert!(backoff.next() <= Duration::from_millis(125));
        backoff.next();
        for _ in 0..5 {
            let wait = backoff.next();
            assert!((225..=375).contains(&wait.as_millis()), "{wait:?}");
        }
        backoff.reset();
        assert!(backoff.next() <= Duration::from_millis(125));
    }
}
