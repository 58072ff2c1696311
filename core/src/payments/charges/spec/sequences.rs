//! Whatever comes in whatever order: money is neither made nor lost, and no more goes back than came.

use super::*;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Step {
    Ask(bool),
    Confirm,
    Capture(u16, bool),
    Cancel,
    Expire,
    Reverse,
    Refund(u8, u16),
    Close,
    Wait(u16),
    Spend(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Ask),
        3 => Just(Step::Confirm),
        4 => (1..1_300_u16, any::<bool>()).prop_map(|(amount, is_final)| Step::Capture(amount, is_final)),
        1 => Just(Step::Cancel),
        1 => Just(Step::Expire),
        1 => Just(Step::Reverse),
        4 => (0..6_u8, 1..600_u16).prop_map(|(number, amount)| Step::Refund(number, amount)),
        1 => Just(Step::Close),
        1 => (0..30_u16).prop_map(Step::Wait),
        1 => (1..500_u16).prop_map(Step::Spend),
    ]
}

fn text(units: u16) -> String {
    Minor::new(units.into()).to_text(2)
}

impl World {
    fn steps(&mut self, step: &Step) {
        // Refusals are words of the business; the world panics on everything else.
        let _: Verdict = match step {
            Step::Ask(is_auto) => self.asks("10.00", if *is_auto { CaptureMode::Auto } else { CaptureMode::Manual }),
            Step::Confirm => self.confirms(),
            Step::Capture(amount, is_final) => self.captures(Some(&text(*amount)), *is_final),
            Step::Cancel => self.cancels(),
            Step::Expire => self.expires(),
            Step::Reverse => {
                let told = self.reverses();
                assert!(told.is_ok(), "a reversal is never refused: {told:?}");
                told
            }
            Step::Refund(number, amount) => self.refunds((*number).into(), &text(*amount)),
            Step::Close => self.closes(),
            Step::Wait(hours) => {
                self.overlay.now += TimeDelta::hours((*hours).into());
                Ok(true)
            }
            Step::Spend(units) => {
                let has = self.overlay.account(account("service")).unwrap().available().units();
                if has > 0 {
                    self.moves("service", "bank", has.min((*units).into()));
                }
                Ok(true)
            }
        };
    }

    fn check(&self) {
        let balances =
            ["bank", "payer", "service", "platform"].map(|name| *self.overlay.account(account(name)).unwrap());
        assert_eq!(balances.iter().map(|it| it.posted.units()).sum::<i128>(), 0, "money is neither made nor lost");
        let Slot::Charge(charge) = self.slot() else { return };
        let authorised = if charge.authorised.is_some() { charge.created.amount.units() } else { 0 };
        let counted = charge.captured().minus(charge.refundable());
        let is_undone = charge.status(self.overlay.now) == Status::Reversed;
        assert!(charge.captured().units() * 100 <= authorised * 120, "{charge:?}");
        assert!(charge.refunded() <= charge.captured() && (is_undone || counted <= charge.captured()), "{charge:?}");
        assert!(!charge.refundable().is_negative());
        let held = balances[1].held;
        let is_held = charge.open_hold().is_some_and(|hold| hold.lines[0].remaining() == held);
        assert!(is_held || (charge.open_hold().is_none() && held.is_zero()), "what is held is what the hold says");
        assert_eq!(held, balances[2].incoming);
        if is_undone {
            assert_eq!(balances[1].posted, Minor::new(10_000), "as if it had never been");
        }
    }
}

proptest! {
    #[test]
    fn refunds_stay_below_captures_and_captures_below_the_authorisation(steps in proptest::collection::vec(step(), 1..40)) {
        let mut world = given();
        for step in &steps {
            world.steps(step);
            world.check();
        }
    }
}
