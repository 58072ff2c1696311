//! How one entry of the journal is written.

use std::collections::BTreeSet;
use std::io::{self, Write};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::book::Book;
use crate::money::show;

/// One movement of the ledger, as the journal needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The day of effect in the export's time zone.
    pub date: NaiveDate,
    /// The description.
    pub description: String,
    /// Tags: the ledger's own, then the metadata.
    pub tags: Vec<(String, String)>,
    /// Accounts by their index in the book, with minor units, debit positive.
    pub legs: Vec<(u32, i128)>,
    /// An account outside of the ledger that takes the other side; its amount is left to be inferred.
    #[serde(skip)]
    pub other_side: Option<&'static str>,
}

/// Which postings carry an assertion of the balance after them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assertions<'a> {
    /// All of them.
    All,
    /// Those of these accounts; the balances of the others are not known to the export.
    Only(&'a [u32]),
}

impl Assertions<'_> {
    fn covers(self, account: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(accounts) => accounts.contains(&account),
        }
    }
}

/// Writes the declarations that `hledger check --strict` asks for.
pub fn write_declarations(out: &mut impl Write, book: &Book, only: Option<&BTreeSet<u32>>) -> io::Result<()> {
    for (asset, scale) in book.assets() {
        // The decimal mark must stand even where there are no decimals.
        let point = if scale == 0 { "." } else { "" };
        writeln!(out, "commodity {}{point} {}", show(10_i128.pow(3 + scale), scale), symbol(asset))?;
    }
    writeln!(out)?;
    for name in book.names(only) {
        writeln!(out, "account {name}")?;
    }
    writeln!(out)
}

/// Writes an entry and books it.
pub fn write_entry(out: &mut impl Write, entry: &Entry, book: &mut Book, assertions: Assertions<'_>) -> io::Result<()> {
    writeln!(out, "{} {}", entry.date, plain(&entry.description).replace(';', ","))?;
    for (name, value) in &entry.tags {
        let name = plain(name).replace([' ', ','], "-");
        writeln!(out, "    ; {name}:{}", plain(value))?;
    }
    for (index, debit) in &entry.legs {
        let balance = book.apply(*index, *debit);
        let account = book.account(*index);
        let asset = symbol(&account.asset);
        write!(out, "    {:<40}  {:>14} {asset}", account.shown, show(*debit, account.scale))?;
        if assertions.covers(*index) {
            write!(out, " = {} {asset}", show(balance, account.scale))?;
        }
        writeln!(out)?;
    }
    if let Some(other_side) = entry.other_side {
        writeln!(out, "    {other_side}")?;
    }
    writeln!(out)
}

/// A commodity symbol; anything but letters needs quotes.
fn symbol(asset: &str) -> String {
    if asset.chars().all(char::is_alphabetic) { asset.to_owned() } else { format!("\"{asset}\"") }
}

/// One line, whatever the text holds.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::plan::Side;
    use uuid::Uuid;

    fn book() -> Book {
        let mut book = Book::default();
        book.enter(Uuid::from_u128(1), Some("assets:bank"), "EUR".to_owned(), 2, Side::Debit);
        book.enter(Uuid::from_u128(2), Some("income"), "EUR".to_owned(), 2, Side::Credit);
        book.enter(Uuid::from_u128(3), Some("points"), "P-1".to_owned(), 0, Side::Credit);
        book
    }

    fn entry(legs: Vec<(u32, i128)>) -> Entry {
        Entry {
            date: NaiveDate::from_ymd_opt(2024, 2, 29).unwrap(),
            description: "rent; and\nmore".to_owned(),
            tags: vec![("id".to_owned(), "7".to_owned()), ("paid by".to_owned(), "a\tb".to_owned())],
            legs,
            other_side: None,
        }
    }

    #[test]
    fn an_entry_reads_as_a_journal_and_asserts_running_balances() {
        let (mut book, mut out) = (book(), Vec::new());
        write_entry(&mut out, &entry(vec![(0, 1_250), (1, -1_250)]), &mut book, Assertions::All).unwrap();
        out.clear();
        write_entry(&mut out, &entry(vec![(0, 50), (1, -50)]), &mut book, Assertions::Only(&[0])).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "2024-02-29 rent, and more",
                "; id:7",
                "; paid-by:a b",
                "assets:bank 0.50 EUR = 13.00 EUR",
                "income -0.50 EUR",
                ""
            ]
        );
    }

    #[test]
    fn declarations_name_every_account_and_commodity() {
        let mut out = Vec::new();
        write_declarations(&mut out, &book(), None).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "commodity 1000.00 EUR\ncommodity 1000. \"P-1\"\n\naccount assets:bank\naccount income\naccount points\n\n"
        );
    }
}
