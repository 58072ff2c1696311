//! What a shard's writer does with its time. Everybody waits for it, so where its time goes is where the ledger's goes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What it is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for somebody to ask for something.
    Idle,
    /// It waits for a draft that is being made.
    Draft,
    /// It looks up what a batch refers to.
    LookUp,
    /// It waits for the shard's lock, and reads what is true under it.
    Lock,
    /// It decides.
    Decide,
    /// Postgres executes the batch's statements.
    Append,
    /// Postgres makes the batch durable.
    Commit,
}

/// Each with its name in metrics.
const PHASES: [(Phase, &str); 7] = [
    (Phase::Idle, "idle"),
    (Phase::Draft, "draft"),
    (Phase::LookUp, "look_up"),
    (Phase::Lock, "lock"),
    (Phase::Decide, "decide"),
    (Phase::Append, "append"),
    (Phase::Commit, "commit"),
];

/// A clock with laps, stopped by one writer and read by anybody.
#[derive(Debug)]
pub struct Times {
    began: Instant,
    /// When the newest lap ended, in microseconds since the beginning.
    lapped: AtomicU64,
    laps: [AtomicU64; PHASES.len()],
}

impl Default for Times {
    fn default() -> Self {
        Self { began: Instant::now(), lapped: AtomicU64::default(), laps: Default::default() }
    }
}

impl Times {
    /// What has passed since the lap before was spent on this.
    pub(super) fn lap(&self, phase: Phase) {
        let now = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let before = self.lapped.swap(now, Ordering::Relaxed);
        self.laps[phase as usize].fetch_add(now.saturating_sub(before), Ordering::Relaxed);
    }

    /// All laps so far, by the names of what they were spent on.
    pub fn read(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let spent = |phase: Phase| Duration::from_micros(self.laps[phase as usize].load(Ordering::Relaxed));
        PHASES.into_iter().map(move |(phase, name)| (name, spent(phase)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn laps_add_up_under_their_names() {
        assert!(PHASES.iter().enumerate().all(|(index, (phase, _))| *phase as usize == index));
        let times = Times::default();
        std::thread::sleep(Duration::from_millis(2));
        times.lap(Phase::Idle);
        times.lap(Phase::Commit);
        let spent: Vec<_> = times.read().filter(|(_, time)| *time >= Duration::from_millis(2)).collect();
        assert!(matches!(spent[..], [("idle", _)]), "{spent:?}");
    }
}
