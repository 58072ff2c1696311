//! What stands for a bank where money is not money: the hundredths of an amount say what happens, always the same.
//!
//! ```text
//! hundredths   top-up                                    withdrawal
//! .01          never funded, expires after 3 s           paid at once
//! .02          funded after an hour                      paid after an hour
//! .03          funded at once                            rejected: refused-by-bank
//! .04          funded after 4 s, expired after 3 s       rejected: account-unknown
//! other        funded at once                            paid at once
//! ```

use super::{Away, Direction, FundingAdapter, Order, Progress, Started};
use crate::payments::event::Rejection;
use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};
use std::time::Duration;

/// So long a top-up waits that has no word of its own.
const OPEN_SECONDS: u32 = 24 * 60 * 60;
/// One that nobody will fund in time: long enough to see it wait.
const BRIEFLY_SECONDS: u32 = 3;
/// One that comes too late.
const LATE: TimeDelta = TimeDelta::seconds(4);
const LATER: TimeDelta = TimeDelta::hours(1);

/// The adapter `simulated`.
#[derive(Debug, Clone, Copy)]
pub struct Simulator;

impl FundingAdapter for Simulator {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn start<'a>(&'a self, order: &'a Order) -> BoxFuture<'a, Result<Started, Away>> {
        ready(Ok(started(order))).boxed()
    }

    fn follow<'a>(&'a self, order: &'a Order, waited: TimeDelta) -> BoxFuture<'a, Result<Progress, Away>> {
        ready(Ok(progress(order, waited))).boxed()
    }
}

fn started(order: &Order) -> Started {
    let is_brief = order.direction == Direction::In && matches!(hundredths(order), 1 | 4);
    Started {
        reference: format!("sim-{}", order.id.simple()),
        instructions: "Nothing has to be done: the simulator sends the money, as the hundredths of the amount say."
            .to_owned(),
        open_seconds: if is_brief { BRIEFLY_SECONDS } else { OPEN_SECONDS },
    }
}

fn progress(order: &Order, waited: TimeDelta) -> Progress {
    let done = match order.direction {
        Direction::In => Progress::Funded,
        Direction::Out => Progress::Paid,
    };
    let after = |pause: TimeDelta| match (pause - waited).to_std() {
        Ok(rest) if rest > Duration::ZERO => Progress::Pending { again: rest },
        _ => done,
    };
    match (order.direction, hundredths(order)) {
        (Direction::In, 1) => Progress::Over,
        (_, 2) => after(LATER),
        (Direction::Out, 3) => Progress::Rejected { reason: Rejection::RefusedByBank },
        (Direction::In, 4) => after(LATE),
        (Direction::Out, 4) => Progress::Rejected { reason: Rejection::AccountUnknown },
        _ => done,
    }
}

/// The first two decimals of an amount; of an asset without decimals they are zero.
fn hundredths(order: &Order) -> i128 {
    let whole = 10_i128.pow(u32::from(order.scale));
    order.amount.units() % whole * 100 / whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Minor;
    use uuid::Uuid;

    fn order(direction: Direction, amount: i128, scale: u8) -> Order {
        Order { id: Uuid::from_u128(1), direction, amount: Minor::new(amount), scale, asset: "BRL".into() }
    }

    fn after(direction: Direction, amount: i128, seconds: i64) -> Progress {
        progress(&order(direction, amount, 2), TimeDelta::seconds(seconds))
    }

    #[test]
    fn the_hundredths_of_an_amount_say_what_happens() {
        use Direction::{In, Out};
        let pending = |seconds| Progress::Pending { again: Duration::from_secs(seconds) };
        for (direction, amount, seconds, expected) in [
            (In, 1_000, 0, Progress::Funded),
            (In, 1_001, 9, Progress::Over),
            (In, 1_002, 0, pending(3_600)),
            (In, 1_002, 3_600, Progress::Funded),
            (In, 1_003, 0, Progress::Funded),
            (In, 1_004, 1, pending(3)),
            (In, 1_004, 4, Progress::Funded),
            (Out, 1_000, 0, Progress::Paid),
            (Out, 1_001, 0, Progress::Paid),
            (Out, 1_002, 600, pending(3_000)),
            (Out, 1_002, 3_601, Progress::Paid),
            (Out, 1_003, 0, Progress::Rejected { reason: Rejection::RefusedByBank }),
            (Out, 1_004, 0, Progress::Rejected { reason: Rejection::AccountUnknown }),
        ] {
            assert_eq!(after(direction, amount, seconds), expected, "{direction:?} {amount} {seconds}");
        }
    }

    #[test]
    fn only_what_is_not_funded_in_time_is_open_briefly() {
        let open = |direction, amount| started(&order(direction, amount, 2)).open_seconds;
        assert_eq!([1_001, 1_004].map(|amount| open(Direction::In, amount)), [BRIEFLY_SECONDS; 2]);
        assert_eq!([1_000, 1_002, 1_003].map(|amount| open(Direction::In, amount)), [OPEN_SECONDS; 3]);
        // Who hears of an order twice says the same twice.
        assert_eq!(started(&order(Direction::In, 1, 2)), started(&order(Direction::In, 1, 2)));
    }

    #[test]
    fn hundredths_are_those_of_the_asset() {
        for (amount, scale, expected) in [(12_019, 3, 1), (1_201, 2, 1), (121, 1, 10), (7, 0, 0), (1, 8, 0)] {
            assert_eq!(hundredths(&order(Direction::In, amount, scale)), expected, "{amount} {scale}");
        }
    }
}
