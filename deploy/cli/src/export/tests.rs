//! What the export writes, the import reads: any names, any amounts, every assertion holding.

use chrono::{Days, NaiveDate};
use proptest::prelude::*;
use uuid::Uuid;

use super::book::Book;
use super::entry::{Assertions, Entry, write_declarations, write_entry};
use crate::import::journal::{self, Options};
use crate::import::plan::{Fold, Side, Step};
use crate::names;

/// A transfer between two of five accounts.
fn transfers() -> impl Strategy<Value = Vec<(usize, usize, i128, u64, String)>> {
    let transfer = (0..5_usize, 1..5_usize, -10_i128.pow(12)..10_i128.pow(12), 0..40_u64, "\\PC{0,20}");
    prop::collection::vec(transfer, 1..30)
}

proptest! {
    #[test]
    fn an_exported_journal_imports_with_all_its_balances(
        names in prop::collection::hash_set("[a-zé ;:(]{1,12}", 5),
        scale in 0_u32..=8,
        transfers in transfers(),
    ) {
        let mut book = Book::default();
        for (number, name) in names.iter().enumerate() {
            let encoded = names::encode(name).unwrap();
            book.enter(Uuid::from_u128(number as u128), Some(&encoded), "P-1".to_owned(), scale, Side::Credit);
        }
        let mut text = Vec::new();
        write_declarations(&mut text, &book, None).unwrap();
        let mut written: Vec<_> = transfers.into_iter().filter(|transfer| transfer.2 != 0).collect();
        written.sort_by_key(|transfer| transfer.3);
        for (from, step, minor, day, description) in &written {
            let (from, to) = (u32::try_from(*from).unwrap(), u32::try_from((from + step) % 5).unwrap());
            let date = NaiveDate::default() + Days::new(*day);
            let entry = Entry { date, description: description.clone(), legs: vec![(from, -minor), (to, *minor)], ..Entry::default() };
            write_entry(&mut text, &entry, &mut book, Assertions::All).unwrap();
        }
        let text = String::from_utf8(text).unwrap();
        let options = Options { source: "x".to_owned(), assets: [].into() };
        let (steps, chart, _) = journal::read(&text, &options).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(steps.len(), written.len());
        let mut fold = Fold::default();
        for step in &steps {
            let Step::Post(movement) = step else { return Err(TestCaseError::fail(format!("{step:?}"))) };
            prop_assert_eq!(movement.transactions[0].legs.iter().filter(|leg| leg.expect_after.is_some()).count(), 2);
            prop_assert_eq!(fold.apply(movement, &chart), vec![]);
        }
    }
}
