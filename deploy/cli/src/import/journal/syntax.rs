//! What a journal says, before anything is inferred from it.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::money::Written;

/// A whole journal.
#[derive(Debug, Default)]
pub struct Journal {
    /// The entries, in the order of the file.
    pub entries: Vec<Entry>,
    /// The decimals that each commodity's directive shows.
    pub declared_decimals: BTreeMap<String, u32>,
    /// Account types from `account` directives, by name: the letter after `type:`.
    pub account_types: BTreeMap<String, char>,
    /// Lines that were left out on purpose.
    pub skipped: BTreeMap<&'static str, u64>,
}

/// One dated entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line of its date, from 1.
    pub line: u64,
    /// Its date.
    pub date: NaiveDate,
    /// Everything after the date that is no mark, code or comment.
    pub description: String,
    /// Marks, code, tags and comments.
    pub metadata: Vec<(String, String)>,
    /// Its postings, as written.
    pub postings: Vec<Posting>,
}

/// One posting line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Its line, from 1.
    pub line: u64,
    /// The account, as written.
    pub account: String,
    /// The amount; `None` is to be inferred.
    pub amount: Option<Quantity>,
    /// What the amount was exchanged for.
    pub cost: Option<Cost>,
    /// The balance that must stand after this posting.
    pub assertion: Option<Assertion>,
}

/// A number of a commodity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// The commodity's symbol.
    pub commodity: String,
    /// The number as written.
    pub number: Written,
}

/// A price annotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cost {
    /// `@`: for one unit.
    Unit(Quantity),
    /// `@@`: for the whole amount.
    Total(Quantity),
}

/// A balance assertion; without an amount on its posting, an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// What must stand.
    pub quantity: Quantity,
    /// `==`: and nothing in any other commodity.
    pub sole: bool,
    /// `=*`: counting the subaccounts too.
    pub inclusive: bool,
}
