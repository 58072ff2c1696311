//! Does an entry balance, and what do the amounts left out of it amount to?
//!
//! Entries balance at cost: `10 EUR @ 1.10 USD` counts as 11 USD. Costs are summed with
//! eighteen decimals and compared at the commodity's own, as hledger compares them.

use std::collections::BTreeMap;

use super::syntax::{Cost, Posting, Quantity};

const COST_DECIMALS: u32 = 18;

/// Sums per commodity with [`COST_DECIMALS`] decimals.
#[derive(Debug, Default)]
pub struct CostSums<'j> {
    sums: BTreeMap<&'j str, i128>,
    priced: bool,
}

impl<'j> CostSums<'j> {
    /// Adds a posting's amount at its cost.
    pub fn add(&mut self, posting: &'j Posting) -> Result<(), String> {
        let Some(amount) = &posting.amount else { return Ok(()) };
        let (commodity, value) = match &posting.cost {
            None => (&amount.commodity, raise(amount.number.mantissa, amount.number.decimals)),
            Some(Cost::Unit(price)) => (&price.commodity, times(amount, price)),
            Some(Cost::Total(total)) => {
                let value = raise(total.number.mantissa.abs(), total.number.decimals);
                (&total.commodity, value.map(|value| value * amount.number.mantissa.signum()))
            }
        };
        self.priced |= posting.cost.is_some();
        self.add_value(commodity, value)
    }

    /// Adds an amount that was worked out in minor units.
    pub fn add_minor(&mut self, commodity: &'j str, minor: i128, scale: u32) -> Result<(), String> {
        self.add_value(commodity, raise(minor, scale))
    }

    fn add_value(&mut self, commodity: &'j str, value: Option<i128>) -> Result<(), String> {
        let sum = self.sums.entry(commodity).or_default();
        *sum = value.and_then(|value| sum.checked_add(value)).ok_or("the amounts are too large to add up")?;
        Ok(())
    }

    /// The sums that are not zero at their commodity's scale, in minor units.
    pub fn remainders(&self, scale: impl Fn(&str) -> u32) -> Vec<(&'j str, i128)> {
        let rounded =
            self.sums.iter().map(|(commodity, sum)| (*commodity, round(*sum, COST_DECIMALS - scale(commodity))));
        rounded.filter(|(_, minor)| *minor != 0).collect()
    }

    /// Two commodities that cancel each other without a price: an exchange at whatever rate they imply.
    pub fn is_plain_exchange(&self, remainders: &[(&str, i128)]) -> bool {
        match remainders {
            [(_, a), (_, b)] => !self.priced && a.signum() != b.signum(),
            _ => false,
        }
    }
}

fn raise(mantissa: i128, decimals: u32) -> Option<i128> {
    10_i128.checked_pow(COST_DECIMALS.checked_sub(decimals)?)?.checked_mul(mantissa)
}

fn times(amount: &Quantity, price: &Quantity) -> Option<i128> {
    let mantissa = amount.number.mantissa.checked_mul(price.number.mantissa)?;
    raise(mantissa, amount.number.decimals + price.number.decimals)
}

/// Half away from zero.
fn round(value: i128, decimals: u32) -> i128 {
    let unit = 10_i128.pow(decimals);
    let half = unit / 2 * value.signum();
    (value + half) / unit
}
