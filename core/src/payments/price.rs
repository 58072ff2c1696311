//! What a payment costs the payer, and the list that says so: one stream per tenant and asset.

use super::event::{PRICES_CHANGED, PricesChanged};
use crate::event_store::proposal::NewEvent;
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::{Minor, Refusal, RefusalCode, name};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A whole, in hundredths of a per cent.
const WHOLE: i128 = 10_000;

/// A fixed part and a part of the amount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Price {
    /// In minor units.
    pub fixed: Minor,
    /// Of the amount, in hundredths of a per cent.
    pub basis_points: u16,
}

impl Price {
    /// What an amount costs. Half a minor unit and more is rounded up, less is given away.
    pub fn of(self, amount: Minor) -> Minor {
        let share = (amount.units() * i128::from(self.basis_points) + WHOLE / 2) / WHOLE;
        self.fixed.plus(Minor::new(share))
    }
}

/// The list as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prices {
    /// How often it was changed.
    pub version: i32,
    /// What it says.
    pub list: PricesChanged,
}

impl Prices {
    /// The stream of an asset's list.
    pub fn stream(tenant: Uuid, asset: &str) -> Uuid {
        name::natural_key(tenant, "prices", &[asset])
    }

    /// Folds a list; one that nobody has written is empty, and everything is free.
    pub fn fold(events: &[Recorded]) -> Self {
        let newest = events.iter().rev().find(|event| event.kind == PRICES_CHANGED);
        let list = newest.and_then(Recorded::says).unwrap_or_default();
        Self { version: events.last().map_or(0, |event| event.version), list }
    }

    /// What a transfer costs besides its amount.
    pub fn transfer(&self, amount: Minor) -> Minor {
        self.list.transfer.map_or(Minor::ZERO, |price| price.of(amount))
    }

    /// Decides a new list.
    pub fn change(&self, stream: Uuid, list: &PricesChanged) -> Result<Decision, Refusal> {
        let malformed = |detail: &str, at: &str| Refusal::new(RefusalCode::ValidationFailed, detail).at(at);
        if let Some(price) = list.transfer {
            if price.fixed.is_negative() {
                return Err(malformed("a price is not below zero", "/transfer/fixed"));
            }
            if i128::from(price.basis_points) > WHOLE {
                return Err(malformed("no more than the amount itself", "/transfer/basis_points"));
            }
        }
        let event = NewEvent::fact(stream, self.version, PRICES_CHANGED, list);
        Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_rounded_to_whole_minor_units() {
        let price = |fixed, basis_points| Price { fixed: Minor::new(fixed), basis_points };
        for (price, amount, cost) in [
            (price(0, 0), 10_000, 0),
            (price(10, 0), 10_000, 10),
            (price(0, 50), 10_000, 50),
            (price(0, 50), 99, 0),
            (price(0, 50), 100, 1),
            (price(10, 50), 1_001, 15),
            (price(0, 10_000), 7, 7),
            (price(0, 10_000), crate::kernel::amount::LIMIT, crate::kernel::amount::LIMIT),
        ] {
            assert_eq!(price.of(Minor::new(amount)), Minor::new(cost), "{price:?} of {amount}");
        }
    }

    #[test]
    fn a_list_that_nobody_wrote_is_free_and_absurd_ones_are_refused() {
        let prices = Prices::fold(&[]);
        assert_eq!(prices.transfer(Minor::new(500)), Minor::ZERO);
        for (price, pointer) in [
            (Price { fixed: Minor::new(-1), basis_points: 0 }, "/transfer/fixed"),
            (Price { fixed: Minor::ZERO, basis_points: 10_001 }, "/transfer/basis_points"),
        ] {
            let refusal = prices.change(Uuid::nil(), &PricesChanged { scale: 2, transfer: Some(price) }).unwrap_err();
            assert_eq!(refusal.place, Some(crate::kernel::Place::Pointer(pointer.to_owned())));
        }
    }
}
