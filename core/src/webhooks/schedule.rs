//! When a delivery that failed is tried again.
//!
//! Ten attempts over about 75 hours: soon at first, because most faults are short, and then rarely, because a server that
//! is down over a weekend comes back. Each wait is drawn anew from ±20 %, so that what failed together does not return
//! together.

use std::time::Duration;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// After the first failure, the second, and so on, in milliseconds.
const WAITS_MS: [u64; 9] =
    [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
/// By how many per cent a wait may be longer or shorter.
const JITTER: u64 = 20;
/// The longest that an endpoint may ask us to wait.
const ASKED_MAX: Duration = Duration::from_millis(24 * HOUR);

/// How long to wait after so many failures of a round; `None` when it was the last attempt.
///
/// `draw` is any number, at best a random one; `asked` is what the endpoint's `Retry-After` says, which only prolongs.
pub fn wait_after(failures: u32, draw: u64, asked: Option<Duration>) -> Option<Duration> {
    let index = usize::try_from(failures.checked_sub(1)?).ok()?;
    let wait = *WAITS_MS.get(index)?;
    let span = wait * JITTER / 100;
    let wait = Duration::from_millis(wait - span + draw % (2 * span + 1));
    Some(asked.map_or(wait, |asked| wait.max(asked.min(ASKED_MAX))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_take_about_three_days() {
        let shortest: Vec<Duration> = (1..).map_while(|failures| wait_after(failures, 0, None)).collect();
        assert_eq!(shortest.len(), 9);
        let seconds: u64 = shortest.iter().map(Duration::as_secs).sum();
        assert_eq!(seconds * 5 / 4 / 3_600, 75, "hours, without jitter");
    }

    #[test]
    fn waits_keep_to_their_bounds_and_move_with_the_draw() {
        for failures in 1..10 {
            let shortest = wait_after(failures, 0, None).unwrap();
            let middle = shortest * 5 / 4;
            for draw in [1, 7, 12_345, 987_654_321, u64::MAX] {
                let wait = wait_after(failures, draw, None).unwrap();
                assert!(wait >= shortest && wait <= middle * 6 / 5, "{failures} {draw} {wait:?}");
            }
            assert_ne!(wait_after(failures, 0, None), wait_after(failures, 1_234, None));
        }
    }

    #[test]
    fn an_endpoint_may_ask_for_patience_but_not_for_haste_or_for_ever() {
        let asked = |seconds| wait_after(1, 0, Some(Duration::from_secs(seconds))).unwrap().as_secs();
        assert_eq!((asked(0), asked(60), asked(10_000_000)), (4, 60, 86_400));
        assert_eq!(wait_after(10, 0, Some(Duration::from_secs(1))), None, "the last attempt is the last");
        assert_eq!(wait_after(0, 0, None), None, "nothing has failed");
    }
}
