//! The beat of clocks and of whoever works off jobs.

use std::time::Duration;
use tokio::time::{Interval, MissedTickBehavior, interval};

/// Ticks at once, and then every so often. One that takes longer than that moves those after it, and none is made up for.
pub fn every(period: Duration) -> Interval {
    let mut beat = interval(period);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}
