//! What was seen lately, in a memory that is bounded: two generations, of which the older one goes as a whole.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Each has a lock of its own, so that threads rarely wait for each other.
const PARTS: usize = 16;

/// Digests, each kept for at least one life and at most two.
pub struct Seen {
    life_seconds: i64,
    most_per_part: usize,
    parts: [Mutex<Part>; PARTS],
}

#[derive(Default)]
struct Part {
    began: i64,
    young: HashSet<u128>,
    old: HashSet<u128>,
}

impl Seen {
    /// A memory of so many digests.
    pub fn new(life_seconds: i64, most: usize) -> Self {
        Self { life_seconds, most_per_part: most / PARTS, parts: Default::default() }
    }

    /// Whether a digest is new; then it is not any more. `None` where there is no room, and so no answer.
    pub fn insert(&self, digest: u128, now: i64) -> Option<bool> {
        let part = usize::from(digest.to_be_bytes()[0]) % PARTS;
        // A thread that panicked between two lines has left two sets that are whole.
        let mut part = self.parts[part].lock().unwrap_or_else(PoisonError::into_inner);
        let age = now.saturating_sub(part.began);
        if age >= self.life_seconds {
            let before = std::mem::take(&mut part.young);
            part.old = if age >= 2 * self.life_seconds { HashSet::new() } else { before };
            part.began = now;
        }
        if part.old.contains(&digest) || part.young.contains(&digest) {
            return Some(false);
        }
        if part.young.len() + part.old.len() >= self.most_per_part {
            return None;
        }
        Some(part.young.insert(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_new_once_in_its_life() {
        let seen = Seen::new(100, 1_600);
        assert_eq!(seen.insert(7, 1_000), Some(true));
        for now in [1_000, 1_050, 1_099, 1_100, 1_150, 1_199] {
            assert_eq!(seen.insert(7, now), Some(false), "at {now}");
        }
        assert_eq!(seen.insert(8, 1_250), Some(true), "another generation begins");
        assert_eq!(seen.insert(7, 1_251), Some(true), "two lives are over");
    }

    #[test]
    fn each_is_kept_for_a_whole_life_wherever_it_falls() {
        for first in 0..300 {
            let seen = Seen::new(100, 1_600);
            for now in (1_000..1_000 + first).step_by(7) {
                seen.insert((1 << 64) | u128::try_from(now).unwrap(), now);
            }
            assert_eq!(seen.insert(7, 1_000 + first), Some(true));
            for age in [0, 1, 50, 99, 100] {
                assert_eq!(seen.insert(7, 1_000 + first + age), Some(false), "{first} {age}");
            }
        }
    }

    #[test]
    fn without_room_there_is_no_answer_but_what_is_known_stays_known() {
        let seen = Seen::new(100, 2 * PARTS);
        assert_eq!((seen.insert(1, 0), seen.insert(2, 0)), (Some(true), Some(true)));
        assert_eq!(seen.insert(3, 0), None);
        assert_eq!(seen.insert(1, 0), Some(false));
        assert_eq!(seen.insert(3, 300), Some(true));
    }
}
