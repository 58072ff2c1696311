//! March in a small town, made up from a seed: pure.
//!
//! Two hundred citizens load their cards, shop, ride buses, and now and then want to spend
//! more than they have. Every balance is followed here too, so that the story knows which
//! payments the ledger must refuse, and what every account must hold in the end.

use std::collections::HashMap;

use chrono::{Datelike as _, NaiveDate, Weekday};
use uuid::Uuid;

use super::random::Random;
use crate::import::identity::{Part, RowIdentity};

const CITIZENS: u32 = 200;
const SHOPS: &[(&str, u32, u32)] = &[
    ("bakery", 150, 2_800),
    ("market", 900, 18_000),
    ("pharmacy", 700, 12_000),
    ("butcher", 1_500, 9_500),
    ("bookshop", 1_900, 15_000),
    ("cafe", 400, 3_900),
    ("greengrocer", 500, 6_000),
    ("hardware", 800, 30_000),
    ("cinema", 1_200, 4_800),
    ("hairdresser", 2_500, 9_000),
];
const LINES: &[&str] = &["1-centre", "2-station", "3-hospital", "4-beach"];
/// A ride costs the same everywhere.
const FARE: i128 = 470;

/// Where the money of the cards comes from and goes to.
pub const RESERVE: &str = "town:reserve";

/// Someone pays someone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The transaction's id.
    pub id: Uuid,
    /// The day.
    pub date: NaiveDate,
    /// Who pays (is debited).
    pub from: String,
    /// Who is paid (is credited).
    pub to: String,
    /// In cents.
    pub cents: i128,
    /// What for.
    pub description: String,
    /// The payer does not have it, so the ledger must refuse.
    pub is_refused: bool,
}

/// A payment that is taken back, wholly or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// The payment.
    pub of: Uuid,
    /// In cents.
    pub cents: i128,
}

/// Money that is set aside for a shop, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// The hold's id.
    pub id: Uuid,
    /// Whose money.
    pub citizen: String,
    /// For whom.
    pub shop: String,
    /// In cents.
    pub cents: i128,
    /// What becomes of it.
    pub then: Then,
}

/// The end of a deposit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// So many cents are paid, the rest is free again.
    Captured(i128),
    /// All of it is free again.
    Released,
    /// It is still held.
    Open,
}

/// A month of the town.
#[derive(Debug)]
pub struct Month {
    /// Everyone with a card, by account name.
    pub citizens: Vec<String>,
    /// Every shop and bus line.
    pub merchants: Vec<String>,
    /// What is paid, day by day, in order.
    pub days: Vec<Vec<Transfer>>,
    /// What is taken back afterwards.
    pub refunds: Vec<Refund>,
    /// What is set aside afterwards.
    pub deposits: Vec<Deposit>,
    /// What every account holds in the end, in cents and in the direction of its normal side.
    pub balances: HashMap<String, i128>,
}

struct Author {
    seed: u64,
    random: Random,
    written: u32,
    balances: HashMap<String, i128>,
}

/// The month of a seed.
pub fn tell(seed: u64) -> Month {
    let mut author = Author { seed, random: Random::seeded(seed), written: 0, balances: HashMap::new() };
    let citizens: Vec<String> = (1..=CITIZENS).map(|number| format!("citizen:{number:04}")).collect();
    let shops = SHOPS.iter().map(|(name, ..)| format!("shop:{name}"));
    let merchants: Vec<String> = shops.chain(LINES.iter().map(|line| format!("bus:{line}"))).collect();
    let first = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap_or_default();
    let days: Vec<_> = first.iter_days().take(31).map(|date| author.day(date, &citizens, &merchants)).collect();
    let refunds = author.refunds(&days);
    let deposits = author.deposits(&citizens);
    Month { citizens, merchants, days, refunds, deposits, balances: author.balances }
}

impl Author {
    fn day(&mut self, date: NaiveDate, citizens: &[String], merchants: &[String]) -> Vec<Transfer> {
        let mut day = Vec::new();
        for citizen in citizens {
            let low = self.balance(citizen) < 2_000;
            // Wages come on the fifth; between them people load what they need.
            if date.day() == 5 || (low && self.random.chance(40)) {
                let cents = i128::from(self.random.between(30, 400)) * 100;
                day.push(self.pay(date, RESERVE, citizen, cents, "card loaded"));
            }
            let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
            if self.random.chance(if weekend { 20 } else { 55 }) && self.tries(citizen, 2 * FARE) {
                let line = format!("bus:{}", self.random.pick(LINES));
                day.extend((0..2).map(|_| self.pay(date, citizen, &line, FARE, "ride")));
            }
            if self.random.chance(if weekend { 70 } else { 35 }) {
                let (shop, least, most) = *self.random.pick(SHOPS);
                let cents = i128::from(self.random.between(least, most));
                if !self.tries(citizen, cents) {
                    continue;
                }
                day.push(self.pay(date, citizen, &format!("shop:{shop}"), cents, "purchase"));
            }
        }
        if date.weekday() == Weekday::Fri {
            for merchant in merchants {
                // Merchants are paid out once a week and keep a tenth for refunds.
                let cents = self.balance(merchant) / 10 * 9;
                if cents > 0 {
                    day.push(self.pay(date, merchant, RESERVE, cents, "weekly payout"));
                }
            }
        }
        day
    }

    /// Who knows that the card is empty seldom tries.
    fn tries(&mut self, citizen: &str, cents: i128) -> bool {
        self.balance(citizen) >= cents || self.random.chance(10)
    }

    /// A payment, booked here if the payer has the money.
    fn pay(&mut self, date: NaiveDate, from: &str, to: &str, cents: i128, description: &str) -> Transfer {
        let is_refused = from != RESERVE && self.balance(from) < cents;
        if !is_refused {
            self.book(from, to, cents);
        }
        let (from, to, description) = (from.to_owned(), to.to_owned(), description.to_owned());
        Transfer { id: self.id("transfer"), date, from, to, cents, description, is_refused }
    }

    fn refunds(&mut self, days: &[Vec<Transfer>]) -> Vec<Refund> {
        let mut refunds = Vec::new();
        let purchases = days.iter().flatten().filter(|paid| paid.description == "purchase" && !paid.is_refused);
        for purchase in purchases {
            if refunds.len() < 40 && self.random.chance(2) && self.balance(&purchase.to) >= purchase.cents {
                let is_whole = self.random.chance(60);
                let cents = if is_whole { purchase.cents } else { purchase.cents / 2 };
                self.book(&purchase.to, &purchase.from, cents);
                refunds.push(Refund { of: purchase.id, cents });
            }
        }
        refunds
    }

    fn deposits(&mut self, citizens: &[String]) -> Vec<Deposit> {
        let mut deposits = Vec::new();
        for citizen in citizens {
            let cents = i128::from(self.random.between(20, 60)) * 100;
            if deposits.len() == 30 || self.balance(citizen) < cents || !self.random.chance(50) {
                continue;
            }
            let shop = format!("shop:{}", self.random.pick(&["hardware", "bookshop", "hairdresser"]));
            let then = match self.random.between(1, 3) {
                1 => Then::Captured(cents / 4 * 3),
                2 => Then::Released,
                _ => Then::Open,
            };
            if let Then::Captured(taken) = then {
                self.book(citizen, &shop, taken);
            }
            deposits.push(Deposit { id: self.id("deposit"), citizen: citizen.clone(), shop, cents, then });
        }
        deposits
    }

    fn book(&mut self, from: &str, to: &str, cents: i128) {
        // Cards are debts of the town, the reserve is its asset: paying in raises both.
        for (account, sign) in [(from, -1), (to, 1)] {
            let direction = if account == RESERVE { -sign } else { sign };
            *self.balances.entry(account.to_owned()).or_default() += direction * cents;
        }
    }

    fn balance(&self, account: &str) -> i128 {
        self.balances.get(account).copied().unwrap_or_default()
    }

    fn id(&mut self, kind: &str) -> Uuid {
        self.written += 1;
        let facts = [kind, &self.seed.to_string(), &self.written.to_string()];
        RowIdentity::of("vintem demonstration", facts).part(Part::Amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_one_story() {
        let (once, again) = (tell(7), tell(7));
        assert_eq!(once.days, again.days);
        assert_eq!(once.balances, again.balances);
        assert_ne!(once.days, tell(8).days);
    }

    #[test]
    fn the_month_has_everything_and_nobody_is_in_debt() {
        let month = tell(7);
        let paid: Vec<_> = month.days.iter().flatten().collect();
        assert_eq!(month.days.len(), 31);
        assert!(paid.len() > 5_000, "{}", paid.len());
        assert!(paid.iter().filter(|transfer| transfer.is_refused).count() > 10);
        assert!(month.refunds.len() > 10 && month.deposits.len() > 10);
        for then in [Then::Released, Then::Open] {
            assert!(month.deposits.iter().any(|deposit| deposit.then == then));
        }
        assert!(month.balances.values().all(|balance| *balance >= 0));
        let cards: i128 = month.balances.iter().filter(|(name, _)| *name != RESERVE).map(|(_, balance)| balance).sum();
        assert_eq!(cards, month.balances[RESERVE], "every cent on a card lies in the reserve");
    }
}
