//! What a file asks of the ledger, before anything is sent: pure data and one fold.
//!
//! A reader turns its file into [`Step`]s in order. A [`Movement`] is what one row or
//! journal entry books: its transactions commit together or not at all. Movements of one
//! [`Movement::chain`] depend on each other's balances: after the first refusal in a chain
//! nothing later of it may be posted. Chains are independent, which is what lets an import
//! post several at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;

use crate::money::show;
use crate::names;

/// Which side of the books makes an account grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Assets and expenses.
    Debit,
    /// Liabilities, equity and revenues.
    Credit,
}

/// An account as the import opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The ledger's (encoded) name.
    pub name: Arc<str>,
    /// Its one asset.
    pub asset: Arc<str>,
    /// The scale of that asset.
    pub scale: u32,
    /// The side that makes it grow.
    pub normal_side: Side,
    /// The side that the file writes without a minus: the normal side in a bank's file, debit in a journal.
    pub stated_side: Side,
    /// Least allowed balance in minor units; `None` is unlimited.
    pub min_balance: Option<i128>,
    /// Greatest allowed balance; `None` is unlimited.
    pub max_balance: Option<i128>,
}

impl Account {
    /// A balance (in the direction of the normal side) as the file would write it.
    pub fn stated(&self, balance: i128) -> String {
        show(if self.stated_side == self.normal_side { balance } else { -balance }, self.scale)
    }
}

/// Every account a file touches, in order of first appearance.
#[derive(Debug, Default)]
pub struct Chart {
    accounts: Vec<Account>,
    ids: Vec<Uuid>,
    index: HashMap<(Arc<str>, Arc<str>), u32>,
}

impl Chart {
    /// The index of an account, entered on first sight with what `open` says of it.
    pub fn enter(&mut self, account: Account) -> u32 {
        let key = (Arc::clone(&account.name), Arc::clone(&account.asset));
        if let Some(index) = self.index.get(&key) {
            return *index;
        }
        let index = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        self.accounts.push(account);
        self.index.insert(key, index);
        index
    }

    /// The index of an account seen before.
    pub fn find(&self, name: &Arc<str>, asset: &Arc<str>) -> Option<u32> {
        self.index.get(&(Arc::clone(name), Arc::clone(asset))).copied()
    }

    /// The account behind an index; `None` only when the file changed between two readings.
    pub fn get(&self, index: u32) -> Option<&Account> {
        self.accounts.get(index as usize)
    }

    /// Keeps the ids under which the ledger opened the accounts, in their order.
    pub fn opened(&mut self, ids: Vec<Uuid>) {
        self.ids = ids;
    }

    /// The ledger's id of an account; `None` before it was opened, or when the file changed between two readings.
    pub fn id(&self, index: u32) -> Option<Uuid> {
        self.ids.get(index as usize).copied()
    }

    /// All accounts.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The assets of all accounts with their scales.
    pub fn assets(&self) -> BTreeMap<Arc<str>, u32> {
        self.accounts.iter().map(|account| (Arc::clone(&account.asset), account.scale)).collect()
    }
}

/// One side of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leg {
    /// Index into the [`Chart`].
    pub account: u32,
    /// Minor units; positive debits the account, negative credits it. Never zero.
    pub debit: i128,
    /// What `posted` must be afterwards, in the direction of the account's normal side.
    pub expect_after: Option<i128>,
}

/// One transaction to post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The same for every import of the same row; the transaction's id is drawn from it.
    pub row: Uuid,
    /// When it took effect.
    pub date: NaiveDate,
    /// Free text, possibly empty.
    pub description: String,
    /// What else the file says about it.
    pub metadata: Vec<(Arc<str>, String)>,
    /// At least two, each account once, balanced per asset.
    pub legs: Vec<Leg>,
}

/// What one row or journal entry books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Where it begins in the file, from 1.
    pub line: u64,
    /// Movements with the same number depend on each other, in order.
    pub chain: u32,
    /// All or none of these.
    pub transactions: Vec<Transaction>,
}

/// A printed balance that the movements of the file do not lead to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {account} should stand at {expected}, but its movements lead to {actual}")]
pub struct Mismatch {
    /// Where the file states the balance.
    pub line: u64,
    /// The chain that cannot go on.
    pub chain: u32,
    /// The account, as people write it, with its asset.
    pub account: String,
    /// What the file states.
    pub expected: String,
    /// What the movements add up to.
    pub actual: String,
}

impl Mismatch {
    /// Spells out a difference found on `account`.
    pub fn new(line: u64, chain: u32, account: &Account, expected: i128, actual: i128) -> Self {
        Self {
            line,
            chain,
            account: format!("{} ({})", names::decode(&account.name), account.asset),
            expected: account.stated(expected),
            actual: account.stated(actual),
        }
    }
}

/// One step of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Something to post.
    Post(Movement),
    /// A balance stated where no movement can carry it to the ledger, found wrong while reading.
    Broken(Mismatch),
}

impl Step {
    /// The chain this step belongs to.
    pub fn chain(&self) -> u32 {
        match self {
            Self::Post(movement) => movement.chain,
            Self::Broken(mismatch) => mismatch.chain,
        }
    }
}

/// What a reader leaves out on purpose, counted so that the report can say so.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Notes(pub BTreeMap<&'static str, u64>);

impl Notes {
    /// One more of a kind.
    pub fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }
}

/// Balances from zero, as the movements of a file lead to them.
#[derive(Debug, Default)]
pub struct Fold {
    balances: HashMap<u32, i128>,
}

impl Fold {
    /// Applies a movement and lists the expectations that do not hold, in order.
    pub fn apply(&mut self, movement: &Movement, chart: &Chart) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        for leg in movement.transactions.iter().flat_map(|transaction| &transaction.legs) {
            let Some(account) = chart.get(leg.account) else { continue };
            let change = match account.normal_side {
                Side::Debit => leg.debit,
                Side::Credit => -leg.debit,
            };
            let balance = self.balances.entry(leg.account).or_default();
            // Amounts are within 10^18, so an i128 holds more movements than a file can have.
            *balance += change;
            if let Some(expected) = leg.expect_after.filter(|expected| expected != balance) {
                mismatches.push(Mismatch::new(movement.line, movement.chain, account, expected, *balance));
            }
        }
        mismatches
    }

    /// The balance of an account, in the direction of its normal side.
    pub fn balance(&self, account: u32) -> i128 {
        self.balances.get(&account).copied().unwrap_or_default()
    }
}
