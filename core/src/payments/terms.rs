//! What charges of a service are subject to: who else is paid out of them, how long they can be refunded, how they are held.
//!
//! The service's terms of the moment are frozen in each charge, so that a change of them reaches no charge that was made before.

use super::price::Price;
use crate::kernel::{Instant, Minor};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// The terms of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Terms {
    /// Who is paid out of what is captured, before the service gets the rest.
    pub splits: Vec<Split>,
    /// For so many days after its capture a charge can be refunded.
    pub refund_days: u16,
    /// Refunds of one charge that together are above this, in minor units, take an approval; without it none does.
    pub approval_above: Option<Minor>,
    /// By how many per cent a final capture may exceed what was authorised, 0 to 100: for tips and fuel.
    pub over_capture_percent: u8,
    /// For so many hours an authorisation holds the payer's money, 168 at most.
    pub hold_hours: u16,
}

/// A part of each capture that is somebody else's: the platform's fee, a tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Split {
    /// As statements and reports call it.
    pub name: String,
    /// Who gets it.
    pub account: Uuid,
    /// How much.
    pub price: Price,
}

impl Default for Terms {
    fn default() -> Self {
        Self { splits: Vec::new(), refund_days: 90, approval_above: None, over_capture_percent: 0, hold_hours: 24 }
    }
}

impl Terms {
    /// What each of the splits and, last, the service gets of a capture; `None` when the splits take more than there is.
    ///
    /// A split is rounded as its price is, half up to a minor unit, and the service gets the rest. So the parts are together the
    /// whole, and what rounding gives or takes is the service's.
    pub fn divide(&self, service: Uuid, amount: Minor) -> Option<Vec<(Uuid, Minor)>> {
        let mut parts: Vec<(Uuid, Minor)> = Vec::with_capacity(self.splits.len() + 1);
        let (mut rest, mut own) = (amount, Minor::ZERO);
        for split in &self.splits {
            let part = split.price.of(amount);
            rest = rest.minus(part);
            // A transaction names an account once.
            match parts.iter_mut().find(|(account, _)| *account == split.account) {
                _ if split.account == service => own = own.plus(part),
                Some((_, sum)) => *sum = sum.plus(part),
                None => parts.push((split.account, part)),
            }
        }
        if rest.is_negative() {
            return None;
        }
        parts.push((service, rest.plus(own)));
        Some(parts)
    }

    /// Until when an authorisation of about now holds.
    pub fn held_until(&self, now: Instant) -> Instant {
        now + TimeDelta::hours(i64::from(self.hold_hours))
    }

    /// Until when what was captured can be refunded.
    pub fn refundable_until(&self, captured_at: Instant) -> Instant {
        captured_at + TimeDelta::days(i64::from(self.refund_days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: Uuid = Uuid::from_u128(1);

    fn terms(splits: &[(u128, i128, u16)]) -> Terms {
        let split = |(account, fixed, basis_points): &(u128, i128, u16)| Split {
            name: "platform".into(),
            account: Uuid::from_u128(*account),
            price: Price { fixed: Minor::new(*fixed), basis_points: *basis_points },
        };
        Terms { splits: splits.iter().map(split).collect(), ..Terms::default() }
    }

    fn divided(terms: &Terms, amount: i128) -> Option<Vec<(u128, i128)>> {
        let parts = terms.divide(SERVICE, Minor::new(amount))?;
        Some(parts.iter().map(|(account, part)| (account.as_u128(), part.units())).collect())
    }

    #[test]
    fn splits_are_rounded_half_up_and_the_service_gets_the_rest() {
        assert_eq!(divided(&terms(&[]), 1_000), Some(vec![(1, 1_000)]));
        assert_eq!(divided(&terms(&[(2, 10, 0), (3, 0, 250)]), 1_001), Some(vec![(2, 10), (3, 25), (1, 966)]));
        assert_eq!(divided(&terms(&[(2, 0, 5_000), (3, 0, 5_000)]), 1), None, "two halves of one are two");
        assert_eq!(divided(&terms(&[(2, 10, 0)]), 10), Some(vec![(2, 10), (1, 0)]));
        assert_eq!(divided(&terms(&[(2, 10, 0)]), 9), None);
        assert_eq!(divided(&terms(&[(2, 1, 0), (1, 2, 0), (2, 3, 0)]), 10), Some(vec![(2, 4), (1, 6)]), "each once");
    }
}
