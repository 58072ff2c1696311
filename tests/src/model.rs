//! The ledger as anyone would write it on a napkin: maps of numbers, changed one command at a time.
//!
//! It shares no code with the product. A property test runs both and compares every verdict and
//! every balance.

use std::collections::BTreeMap;

/// Balances and settings of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// Posted, in cents, in the direction of its normal side.
    pub posted: i64,
    /// Held back.
    pub held: i64,
    /// Announced.
    pub incoming: i64,
    /// Debits raise it.
    pub is_debit: bool,
    /// Lowest available, if bounded.
    pub min: Option<i64>,
    /// Highest posted and incoming, if bounded.
    pub max: Option<i64>,
    /// Frozen.
    pub is_frozen: bool,
}

/// A hold of one source and one destination.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    from: usize,
    to: usize,
    left: i64,
    is_open: bool,
}

/// A two-legged posting and what was taken back of it.
#[derive(Debug, Clone, Copy)]
pub struct Posting {
    from: usize,
    to: usize,
    left: i64,
}

/// What may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Money moves.
    Transfer(usize, usize, i64),
    /// From the first to both others.
    Split(usize, usize, usize, i64, i64),
    /// Everything available moves.
    Sweep(usize, usize),
    /// Money is held.
    Hold(usize, usize, i64),
    /// Part of the n-th hold is captured; finally or not.
    Capture(usize, i64, bool),
    /// What remains of the n-th hold is released.
    Release(usize),
    /// The n-th hold holds more.
    Increment(usize, i64),
    /// Part of the n-th posting is taken back.
    Reverse(usize, i64),
    /// The account freezes or thaws.
    Freeze(usize, bool),
    /// These happen in one request, wholly or (when grouped) not at all.
    Batch(Vec<Step>, bool),
}

/// The whole ledger.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// By number.
    pub accounts: BTreeMap<usize, Account>,
    holds: Vec<Hold>,
    postings: Vec<Posting>,
}

impl Model {
    /// With these accounts.
    pub fn new(accounts: &[Account]) -> Self {
        Self { accounts: accounts.iter().copied().enumerate().collect(), ..Self::default() }
    }

    /// How many holds there were.
    pub fn holds(&self) -> usize {
        self.holds.len()
    }

    /// How many postings there were.
    pub fn postings(&self) -> usize {
        self.postings.len()
    }

    /// Tries a step that is not a batch; answers whether it happened. When not, nothing changed.
    pub fn step(&mut self, step: &Step) -> bool {
        let before = self.clone();
        let happened = self.try_step(step).is_some();
        if !happened {
            *self = before;
        }
        happened
    }

    fn try_step(&mut self, step: &Step) -> Option<()> {
        match *step {
            Step::Transfer(from, to, amount) => {
                (from != to).then_some(())?;
                self.post(&[(from, -amount), (to, amount)])?;
                self.postings.push(Posting { from, to, left: amount });
            }
            Step::Split(from, one, two, first, second) => {
                (from != one && from != two && one != two).then_some(())?;
                self.post(&[(from, -first - second), (one, first), (two, second)])?;
            }
            Step::Sweep(from, to) => {
                (from != to).then_some(())?;
                // The account that gives is the one whose balance falls when `from` is debited.
                let gives = if self.accounts[&from].is_debit && self.accounts[&to].is_debit { to } else { from };
                let source = self.accounts[&gives];
                let amount = source.posted - source.held - source.min.unwrap_or(0).max(0);
                (amount > 0).then_some(())?;
                self.post(&[(from, -amount), (to, amount)])?;
                self.postings.push(Posting { from, to, left: amount });
            }
            Step::Hold(from, to, amount) => {
                (from != to).then_some(())?;
                self.set_aside(from, -amount, true)?;
                self.set_aside(to, amount, true)?;
                self.holds.push(Hold { from, to, left: amount, is_open: true });
            }
            Step::Increment(index, amount) => {
                let hold = *self.holds.get(index).filter(|h| h.is_open)?;
                self.set_aside(hold.from, -amount, true)?;
                self.set_aside(hold.to, amount, true)?;
                self.holds[index].left += amount;
            }
            Step::Capture(index, amount, is_final) => self.capture(index, amount, is_final)?,
            Step::Release(index) => {
                let hold = *self.holds.get(index).filter(|h| h.is_open)?;
                self.set_aside(hold.from, hold.left, false)?;
                self.set_aside(hold.to, -hold.left, false)?;
                self.holds[index] = Hold { is_open: false, left: 0, ..hold };
            }
            Step::Reverse(index, amount) => {
                let posting = *self.postings.get(index).filter(|p| p.left >= amount)?;
                self.post(&[(posting.from, amount), (posting.to, -amount)])?;
                self.postings[index].left -= amount;
            }
            Step::Freeze(account, is_frozen) => self.accounts.get_mut(&account)?.is_frozen = is_frozen,
            Step::Batch(..) => return None,
        }
        Some(())
    }

    fn capture(&mut self, index: usize, amount: i64, is_final: bool) -> Option<()> {
        let hold = *self.holds.get(index).filter(|h| h.is_open && h.left >= amount)?;
        let ends = is_final || amount == hold.left;
        let freed = if ends { hold.left } else { amount };
        // Frozen accounts refuse before anything else; the held money itself was checked at the placing.
        (!self.accounts[&hold.from].is_frozen && !self.accounts[&hold.to].is_frozen).then_some(())?;
        for (account, change, freed) in [(hold.from, -amount, freed), (hold.to, amount, -freed)] {
            let the = self.accounts.get_mut(&account)?;
            let change = if the.is_debit { -change } else { change };
            let freed = if the.is_debit { -freed } else { freed };
            // Freed is positive where money was held and negative where it was announced.
            if freed > 0 {
                the.held -= freed;
            } else {
                the.incoming += freed;
            }
            the.posted += change;
        }
        self.holds[index] = Hold { left: hold.left - freed, is_open: !ends, ..hold };
        self.postings.push(Posting { from: hold.from, to: hold.to, left: amount });
        Some(())
    }

    /// Credits are positive, debits negative.
    fn post(&mut self, legs: &[(usize, i64)]) -> Option<()> {
        for (account, credit) in legs {
            let the = self.accounts.get_mut(account)?;
            (!the.is_frozen).then_some(())?;
            let change = if the.is_debit { -credit } else { *credit };
            the.posted += change;
            let is_low = change < 0 && the.min.is_some_and(|min| the.posted - the.held < min);
            let is_high = change > 0 && the.max.is_some_and(|max| the.posted + the.incoming > max);
            (!is_low && !is_high).then_some(())?;
        }
        Some(())
    }

    /// A credit of the future: holds what will lower the account, announces what will raise it.
    fn set_aside(&mut self, account: usize, credit: i64, is_checked: bool) -> Option<()> {
        let the = self.accounts.get_mut(&account)?;
        (!is_checked || !the.is_frozen).then_some(())?;
        let future = if the.is_debit { -credit } else { credit };
        // Placing: a fall is held, a rise is announced. Returning is the opposite sign of each.
        if (future < 0) == is_checked {
            the.held -= future;
        } else {
            the.incoming += future;
        }
        let is_low = is_checked && future < 0 && the.min.is_some_and(|min| the.posted - the.held < min);
        let is_high = is_checked && future > 0 && the.max.is_some_and(|max| the.posted + the.incoming > max);
        (!is_low && !is_high).then_some(())
    }
}
