//! The identity of a row: what makes a second import of it add nothing.
//!
//! A row is known again by what it *is*, not by where it stands: by the source's name
//! and the id the bank gave it, or else by its content and, among equals, its number.
//! Line numbers would shift with the first line inserted above, and a second import would
//! book everything below twice. Printed balances are left out, so that a file with a
//! corrected balance is still the same file.

use std::collections::HashMap;

use aws_lc_rs::digest::{Context, SHA256, digest};
use uuid::Uuid;

/// Which part of a row a transaction books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The balance an account brings along from before the file.
    Opening,
    /// The amount itself.
    Amount,
    /// What the bank carried beyond the printed amount.
    Residual,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Amount => "amount",
            Self::Residual => "residual",
        }
    }
}

/// A row's 128-bit name, drawn by SHA-256 from the parts that make it what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowIdentity([u8; 16]);

impl RowIdentity {
    /// The identity of a row with these facts, each length-prefixed so that they cannot run together.
    pub fn of<'a>(source: &str, facts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(b"vintem import row\0");
        update(&mut context, source);
        for fact in facts {
            update(&mut context, fact);
        }
        Self(half(context))
    }

    /// The identity of one part of the row (a UUID of version 8).
    pub fn part(self, part: Part) -> Uuid {
        let mut context = Context::new(&SHA256);
        context.update(&self.0);
        update(&mut context, part.word());
        Uuid::new_v8(half(context))
    }

    /// The identity of the `number`-th row with the same facts; the first keeps the plain one.
    fn numbered(self, number: u32) -> Self {
        if number == 0 {
            return self;
        }
        let mut context = Context::new(&SHA256);
        context.update(&self.0);
        context.update(&number.to_be_bytes());
        Self(half(context))
    }
}

/// Tells rows with equal facts apart by counting them.
#[derive(Debug, Default)]
pub struct Occurrences(HashMap<RowIdentity, u32>);

impl Occurrences {
    /// The identity of the next row with these facts.
    pub fn next(&mut self, identity: RowIdentity) -> RowIdentity {
        let seen = self.0.entry(identity).or_default();
        let number = *seen;
        *seen += 1;
        identity.numbered(number)
    }
}

/// The id of the transaction that books a part of a row, given the id of its first account.
///
/// Ids are one space for all tenants of a ledger, and an account's id is a tenant's own: two
/// tenants may import the same file.
pub fn transaction_id(row: Uuid, account: Uuid) -> Uuid {
    let mut context = Context::new(&SHA256);
    context.update(row.as_bytes());
    context.update(account.as_bytes());
    let mut id = half(context);
    // A bank's file stands account by account. Ids that begin alike lie together in the ledger's index, so that a
    // batch touches tens of its pages and not a thousand; what remains of the digest is plenty.
    id[..4].copy_from_slice(&account.as_bytes()[..4]);
    Uuid::new_v8(id)
}

/// A name for some bytes: equal bytes, equal name.
pub fn content_name(bytes: &[u8]) -> String {
    let mut name = [0; 16];
    name.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..16]);
    Uuid::new_v8(name).simple().to_string()
}

fn update(context: &mut Context, fact: &str) {
    context.update(&(fact.len() as u64).to_be_bytes());
    context.update(fact.as_bytes());
}

fn half(context: Context) -> [u8; 16] {
    let digest = context.finish();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_rows_get_ids_of_their_own_in_a_stable_order() {
        let plain = RowIdentity::of("bank", ["2024-01-01", "5.00"]);
        let mut first_run = Occurrences::default();
        let first: Vec<_> = (0..3).map(|_| first_run.next(plain)).collect();
        let mut second_run = Occurrences::default();
        let second: Vec<_> = (0..3).map(|_| second_run.next(plain)).collect();
        assert_eq!(first, second);
        assert_eq!(first[0], plain);
        assert_ne!(first[1], first[2]);
    }

    #[test]
    fn facts_do_not_run_together() {
        assert_ne!(RowIdentity::of("bank", ["ab", "c"]), RowIdentity::of("bank", ["a", "bc"]));
        assert_ne!(RowIdentity::of("bank", ["a"]), RowIdentity::of("bank2", ["a"]));
    }

    #[test]
    fn the_parts_of_a_row_are_different_transactions() {
        let row = RowIdentity::of("bank", ["7"]);
        assert_ne!(row.part(Part::Amount), row.part(Part::Residual));
        assert_eq!(row.part(Part::Amount).get_version_num(), 8);
    }
}
