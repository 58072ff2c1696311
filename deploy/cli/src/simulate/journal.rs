//! What a terminal writes down and keeps through everything: which payments it began, under which numbers, and what it believes of
//! each. It is all that is left after a reboot, and what the ledger is held against in the end.

use super::chance::Chance;

/// What a terminal believes of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It does not know yet.
    Open,
    /// So much was taken, in cents.
    Paid(u64),
    /// Nothing was, and nothing will be.
    NotPaid,
}

/// A reversal, repeated until it is answered: always the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insistence {
    /// Its number.
    pub seq: u64,
    /// Its key.
    pub key: String,
}

/// A refund that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its id, as the terminal drew it.
    pub id: String,
    /// In cents.
    pub amount: u64,
    /// Whether it was done; unknown while it is `None`.
    pub done: Option<bool>,
}

/// A payment that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// As the terminal names it.
    pub txid: String,
    /// The number of the message that began it.
    pub seq: u64,
    /// In cents.
    pub amount: u64,
    /// Whether the money is held first.
    pub is_manual: bool,
    /// Which citizen was asked.
    pub payer: usize,
    /// What the terminal believes.
    pub belief: Belief,
    /// Under which key how much of a hold is to be taken, once that was decided.
    pub capture: Option<(String, u64)>,
    /// That it is to be taken back, and why, once that was decided.
    pub reversal: Option<(Insistence, &'static str)>,
    /// What was given back.
    pub refunds: Vec<Refund>,
}

/// All lines of a terminal.
#[derive(Debug, Default)]
pub struct Journal {
    /// The oldest first.
    pub lines: Vec<Line>,
    last_seq: u64,
}

impl Line {
    /// What the terminal has of it in the end, in cents.
    pub fn kept(&self) -> u64 {
        let Belief::Paid(captured) = self.belief else { return 0 };
        captured - self.given_back()
    }

    /// What it believes to have been given back.
    pub fn given_back(&self) -> u64 {
        self.refunds.iter().filter(|refund| refund.done == Some(true)).map(|refund| refund.amount).sum()
    }

    /// Whether something about it is unknown.
    pub fn is_open(&self) -> bool {
        self.belief == Belief::Open || self.refunds.iter().any(|refund| refund.done.is_none())
    }
}

impl Journal {
    /// The number of the next message.
    pub fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// The number and the key of the next message.
    pub fn insist(&mut self, chance: &mut Chance) -> Insistence {
        Insistence { seq: self.next_seq(), key: chance.key() }
    }

    /// The places of lines of which something is unknown.
    pub fn open(&self) -> Vec<usize> {
        self.lines.iter().enumerate().filter(|(_, line)| line.is_open()).map(|(place, _)| place).collect()
    }

    /// Number and amount of what was captured; of what was given back.
    pub fn counted(&self) -> [(u64, u64); 2] {
        let paid = self.lines.iter().filter_map(|line| match line.belief {
            Belief::Paid(captured) => Some(captured),
            _ => None,
        });
        let back = self.lines.iter().flat_map(|line| &line.refunds).filter(|refund| refund.done == Some(true));
        [sum(paid), sum(back.map(|refund| refund.amount))]
    }
}

fn sum(amounts: impl Iterator<Item = u64>) -> (u64, u64) {
    amounts.fold((0, 0), |(count, total), amount| (count + 1, total + amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(belief: Belief, refunds: &[(u64, Option<bool>)]) -> Line {
        let refund = |(amount, done): &(u64, Option<bool>)| Refund { id: String::new(), amount: *amount, done: *done };
        Line {
            txid: String::new(),
            seq: 1,
            amount: 500,
            is_manual: false,
            payer: 0,
            belief,
            capture: None,
            reversal: None,
            refunds: refunds.iter().map(refund).collect(),
        }
    }

    #[test]
    fn a_line_is_open_while_something_is_unknown() {
        assert!(line(Belief::Open, &[]).is_open());
        assert!(!line(Belief::NotPaid, &[]).is_open());
        assert!(line(Belief::Paid(500), &[(100, None)]).is_open());
        assert!(!line(Belief::Paid(500), &[(100, Some(false))]).is_open());
    }

    #[test]
    fn what_is_kept_is_what_was_taken_less_what_was_given_back() {
        assert_eq!(line(Belief::Paid(500), &[(100, Some(true)), (50, Some(false))]).kept(), 400);
        assert_eq!(line(Belief::NotPaid, &[]).kept(), 0);
        let journal = Journal {
            lines: vec![line(Belief::Paid(500), &[(100, Some(true))]), line(Belief::NotPaid, &[])],
            last_seq: 9,
        };
        assert_eq!(journal.counted(), [(1, 500), (1, 100)]);
    }
}
