//! Refusals that are hard to come by, for whoever builds an app: in a sandbox an amount says how a confirmation ends.
//!
//! ```text
//! amount   the confirmation of a transfer of exactly so much is refused with
//! 4.01     insufficient-funds
//! 4.02     limit-exceeded
//! 4.03     night-limit
//! 4.04     account-frozen
//! 4.05     account-closed
//! 4.06     bound-exceeded
//! 4.07     charge-expired
//! 4.08     charge-already-paid
//! ```
//!
//! Each is refused as if it were so, under its key like any other, after the device and the PIN have proven themselves. Nowhere but in a
//! tenant whose legal mode is `sandbox` does an amount say anything.

use crate::kernel::{Minor, Refusal, RefusalCode};

/// What a confirmation of so much ends with in a sandbox.
pub fn refusal(amount: Minor, scale: u8) -> Option<Refusal> {
    let (code, detail) = match amount.to_text(scale).trim_end_matches('0') {
        "4.01" => (RefusalCode::InsufficientFunds, "0.00 is available and 0.00 must remain"),
        "4.02" => (RefusalCode::LimitExceeded, "the limit per day would be exceeded"),
        "4.03" => (RefusalCode::NightLimit, "the limit per night would be exceeded"),
        "4.04" => (RefusalCode::AccountFrozen, "the account is frozen"),
        "4.05" => (RefusalCode::AccountClosed, "the account is closed"),
        "4.06" => (RefusalCode::BoundExceeded, "the balance would be above what the account may hold"),
        "4.07" => (RefusalCode::ChargeExpired, "the time to confirm this transfer is over"),
        "4.08" => (RefusalCode::ChargeAlreadyPaid, "this transfer was confirmed before"),
        _ => return None,
    };
    Some(Refusal::new(code, format!("{detail} (as the sandbox plays it)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_says_what_happens_at_every_scale_and_others_say_nothing() {
        let code = |units, scale| refusal(Minor::new(units), scale).map(|refusal| refusal.code);
        assert_eq!(code(401, 2), Some(RefusalCode::InsufficientFunds));
        assert_eq!(code(4_080, 3), Some(RefusalCode::ChargeAlreadyPaid));
        for (units, scale) in [(400, 2), (409, 2), (1_401, 2), (401, 0), (4_011, 3), (4, 0)] {
            assert_eq!(code(units, scale), None, "{units} {scale}");
        }
    }
}
