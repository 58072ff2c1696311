//! Which accounts a transfer is between.

use crate::demo::random::Random;

/// The account that everybody uses at once.
pub const HOT: &str = "bench:hot";

/// How transfers are spread over the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// Every account is as likely as every other.
    Uniform,
    /// All take from one account.
    HotDebit,
    /// All give to one account.
    HotCredit,
    /// The n-th account is n times less likely than the first.
    Zipf,
}

/// Draws accounts.
pub struct Choice {
    random: Random,
    accounts: u32,
    spread: Spread,
    /// Sums of the weights up to each account; only for [`Spread::Zipf`].
    sums: Vec<u64>,
}

impl Choice {
    /// Over so many accounts; at least two.
    pub fn new(seed: u64, accounts: u32, spread: Spread) -> Self {
        let weight = |rank: u32| (1_u64 << 32) / u64::from(rank);
        let add = |sum: &mut u64, rank| {
            *sum += weight(rank);
            Some(*sum)
        };
        let ranks = if spread == Spread::Zipf { accounts } else { 0 };
        Self { random: Random::seeded(seed), accounts, spread, sums: (1..=ranks).scan(0, add).collect() }
    }

    /// Who gives and who takes; never the same account.
    pub fn pair(&mut self) -> (String, String) {
        let from = self.one();
        match self.spread {
            Spread::HotDebit => return (HOT.to_owned(), name(from)),
            Spread::HotCredit => return (name(from), HOT.to_owned()),
            Spread::Uniform | Spread::Zipf => {}
        }
        let to = self.one();
        let to = if to == from { (to + 1) % self.accounts } else { to };
        (name(from), name(to))
    }

    /// One account's number.
    pub fn one(&mut self) -> u32 {
        let Some(total) = self.sums.last() else { return self.random.between(0, self.accounts - 1) };
        let drawn = self.random.draw() % total;
        u32::try_from(self.sums.partition_point(|sum| *sum <= drawn)).unwrap_or_default()
    }
}

/// The name of the account of a number.
pub fn name(number: u32) -> String {
    format!("bench:{number:07}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_of_two_and_the_first_is_the_most_likely() {
        for spread in [Spread::Uniform, Spread::Zipf, Spread::HotCredit, Spread::HotDebit] {
            let mut choice = Choice::new(1, 2, spread);
            assert!((0..100).map(|_| choice.pair()).all(|(from, to)| from != to));
        }
        let mut choice = Choice::new(1, 1_000, Spread::Zipf);
        let drawn: Vec<u32> = (0..10_000).map(|_| choice.one()).collect();
        let of = |number| drawn.iter().filter(|one| **one == number).count();
        assert!(drawn.iter().all(|one| *one < 1_000) && of(0) > 900 && of(0) > of(1) && of(1) > of(9));
    }
}
