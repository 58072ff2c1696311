//! The accounts of an export, and their balances as the journal is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;

use crate::import::plan::Side;
use crate::names;

/// An account as the journal shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: Uuid,
    /// The ledger's name.
    pub name: Option<String>,
    /// What the journal calls it.
    pub shown: String,
    /// Its asset's code.
    pub asset: String,
    /// The scale of the asset.
    pub scale: u32,
    /// The side that makes it grow; a journal writes debits without a minus.
    pub normal_side: Side,
}

impl Account {
    /// Whether a caller means this account by `text`.
    pub fn is_named(&self, text: &str) -> bool {
        self.shown == text || self.name.as_deref() == Some(text) || text.parse() == Ok(self.id)
    }
}

/// Every account that has been opened up to the export's position.
#[derive(Debug, Default)]
pub struct Book {
    accounts: Vec<Account>,
    index: HashMap<Uuid, u32>,
    balances: Vec<Balance>,
}

/// What the journal has written of an account.
#[derive(Debug, Default, Clone, Copy)]
struct Balance {
    debit: i128,
    moved: bool,
}

impl Book {
    /// Enters an account under its ledger name, or under its id where it has none.
    pub fn enter(&mut self, id: Uuid, name: Option<&str>, asset: String, scale: u32, normal_side: Side) {
        let shown = name.map_or_else(|| format!("unnamed:{id}"), shown);
        let index = u32::try_from(self.accounts.len()).unwrap_or(u32::MAX);
        self.accounts.push(Account { id, name: name.map(str::to_owned), shown, asset, scale, normal_side });
        self.balances.push(Balance::default());
        self.index.insert(id, index);
    }

    /// The index of an account.
    pub fn find(&self, id: &Uuid) -> Option<u32> {
        self.index.get(id).copied()
    }

    /// The accounts of a name (in the ledger's form or in people's) or id: one per asset that has it.
    pub fn named(&self, text: &str) -> Vec<u32> {
        (0_u32..).zip(&self.accounts).filter(|(_, account)| account.is_named(text)).map(|(index, _)| index).collect()
    }

    /// The account behind an index.
    pub fn account(&self, index: u32) -> &Account {
        &self.accounts[index as usize]
    }

    /// Books a change; the balance after it, debit positive.
    pub fn apply(&mut self, index: u32, debit: i128) -> i128 {
        let balance = &mut self.balances[index as usize];
        balance.debit += debit;
        balance.moved = true;
        balance.debit
    }

    /// Every account with its balance so far, debit positive.
    pub fn balances(&self) -> impl Iterator<Item = (u32, i128)> {
        (0_u32..).zip(&self.balances).map(|(index, balance)| (index, balance.debit))
    }

    /// The accounts that no entry has touched.
    pub fn still(&self) -> impl Iterator<Item = u32> {
        (0_u32..).zip(&self.balances).filter(|(_, balance)| !balance.moved).map(|(index, _)| index)
    }

    /// The assets with their scales, in order of their codes.
    pub fn assets(&self) -> BTreeMap<&str, u32> {
        self.accounts.iter().map(|account| (account.asset.as_str(), account.scale)).collect()
    }

    /// The names of some accounts, or of all, each once and in order.
    pub fn names(&self, only: Option<&BTreeSet<u32>>) -> Vec<&str> {
        let accounts = (0_u32..).zip(&self.accounts);
        let accounts = accounts.filter(|(index, _)| only.is_none_or(|only| only.contains(index)));
        let mut names: Vec<_> = accounts.map(|(_, account)| account.shown.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// The decoded name where a journal can hold it, otherwise the name as the ledger keeps it.
///
/// A name that needs the ledger's form always carries a `%`, and decoded names that carry
/// one stay in the ledger's form too, so that two accounts never end up under one name.
fn shown(name: &str) -> String {
    let decoded = names::decode(name);
    let speaks_syntax =
        decoded.starts_with(['(', '[', '*', '!', ' ']) || decoded.ends_with(' ') || decoded.contains("  ");
    let unsafe_character = |c: char| c.is_control() || matches!(c, ';' | '%' | '"') || (c.is_whitespace() && c != ' ');
    if speaks_syntax || decoded.chars().any(unsafe_character) { name.to_owned() } else { decoded }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_where_a_journal_can_hold_them() {
        for (name, expected) in [
            ("expenses:%4fpen%20%53ource", "expenses:Open Source"),
            ("c%c3%a2mbio", "câmbio"),
            ("a%20%20b", "a%20%20b"),
            ("%28a%29", "%28a%29"),
            ("a%3bb", "a%3bb"),
            ("5%25", "5%25"),
            ("a%0ab", "a%0ab"),
            ("%20a", "%20a"),
        ] {
            assert_eq!(shown(name), expected);
        }
    }

    #[test]
    fn accounts_are_found_by_any_of_their_names() {
        let mut book = Book::default();
        let id = Uuid::from_u128(7);
        book.enter(id, Some("c%c3%a2mbio"), "BRL".to_owned(), 2, Side::Debit);
        book.enter(Uuid::from_u128(8), Some("c%c3%a2mbio"), "EUR".to_owned(), 2, Side::Debit);
        book.enter(Uuid::from_u128(9), None, "EUR".to_owned(), 2, Side::Debit);
        assert_eq!(book.named("câmbio"), [0, 1]);
        assert_eq!(book.named("c%c3%a2mbio"), [0, 1]);
        assert_eq!(book.named(&id.to_string()), [0]);
        assert_eq!(book.account(2).shown, format!("unnamed:{}", Uuid::from_u128(9)));
        assert!(book.named("nobody").is_empty());
    }
}
