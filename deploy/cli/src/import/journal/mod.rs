//! A plain-text accounting journal (hledger's and Ledger's format).
//!
//! A journal is a whole: it starts from nothing, and its balance assertions are checked in
//! the order of dates, not of lines. So it is read into memory, sorted (stable, so that
//! entries of one day keep their order), and resolved: amounts left out are inferred,
//! exchanges are balanced per commodity through `equity:conversion`, zero postings are
//! dropped. An assertion travels to the ledger on the leg it stands on. What no leg can carry
//! (an assertion on a zero posting, `=*`, the rest of `==`) is checked by the fold here.

pub mod amount;
pub mod assertion;
pub mod balance;
pub mod entry;
pub mod parse;
pub mod resolve;
pub mod syntax;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::ReadError;
use super::plan::{Chart, Notes, Step};
use syntax::{Cost, Journal, Quantity};

/// What the caller says about a journal that the journal itself does not.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names the origin of the entries; part of every transaction's id.
    pub source: String,
    /// Asset codes of commodity symbols, beyond the usual ones.
    pub assets: BTreeMap<String, String>,
}

impl Options {
    /// The asset code of a commodity symbol; a symbol that is no currency sign is its own code.
    fn asset<'a>(&'a self, commodity: &'a str) -> &'a str {
        if let Some(code) = self.assets.get(commodity) {
            return code;
        }
        match commodity {
            "$" | "US$" => "USD",
            "€" => "EUR",
            "£" => "GBP",
            "R$" => "BRL",
            "¥" => "JPY",
            "Kč" => "CZK",
            other => other,
        }
    }
}

/// Reads the text of a journal into steps.
pub fn read(text: &str, options: &Options) -> Result<(Vec<Step>, Chart, Notes), ReadError> {
    let mut journal = parse::parse(text)?;
    name_assets(&mut journal, options);
    // Stable: entries of one day stay in the order of the file, as hledger keeps them.
    journal.entries.sort_by_key(|entry| entry.date);
    resolve::resolve(&journal, &options.source)
}

/// Puts the asset's code wherever the journal has a symbol, so that `$5` and `5 USD` are one thing.
fn name_assets(journal: &mut Journal, options: &Options) {
    let rename = |quantity: &mut Quantity| quantity.commodity = options.asset(&quantity.commodity).to_owned();
    for posting in journal.entries.iter_mut().flat_map(|entry| &mut entry.postings) {
        posting.amount.iter_mut().for_each(rename);
        posting.assertion.iter_mut().for_each(|assertion| rename(&mut assertion.quantity));
        if let Some(Cost::Unit(price) | Cost::Total(price)) = &mut posting.cost {
            rename(price);
        }
    }
    let declared = std::mem::take(&mut journal.declared_decimals);
    for (commodity, decimals) in declared {
        journal.declared_decimals.insert(options.asset(&commodity).to_owned(), decimals);
    }
}
