//! Journals as people write them: what they book, and what is refused.

use std::collections::BTreeMap;

use super::{Options, read};
use crate::import::ReadError;
use crate::import::plan::{Chart, Fold, Mismatch, Movement, Notes, Step};
use crate::money::show;
use crate::names;

fn options() -> Options {
    Options { source: "books".to_owned(), assets: BTreeMap::from([("h".to_owned(), "HOURS".to_owned())]) }
}

fn parsed(text: &str) -> (Vec<Step>, Chart, Notes) {
    read(text, &options()).unwrap()
}

fn refusal(text: &str) -> String {
    read(text, &options()).unwrap_err().to_string()
}

/// The legs of an entry as `account amount asset [= expected]`, debit positive but for the expectation.
fn legs(movement: &Movement, chart: &Chart) -> Vec<String> {
    let legs = movement.transactions[0].legs.iter().map(|leg| {
        let account = chart.get(leg.account).unwrap();
        let expected = leg.expect_after.map(|minor| format!(" = {}", show(minor, account.scale))).unwrap_or_default();
        format!("{} {} {}{expected}", names::decode(&account.name), show(leg.debit, account.scale), account.asset)
    });
    legs.collect()
}

fn posted(steps: &[Step]) -> Vec<&Movement> {
    steps.iter().filter_map(|step| if let Step::Post(movement) = step { Some(movement) } else { None }).collect()
}

fn broken(steps: &[Step], chart: &Chart) -> Vec<Mismatch> {
    let mut fold = Fold::default();
    let each = steps.iter().flat_map(|step| match step {
        Step::Post(movement) => fold.apply(movement, chart),
        Step::Broken(mismatch) => vec![mismatch.clone()],
    });
    each.collect()
}

#[test]
fn an_ordinary_entry() {
    let (steps, chart, _) = parsed(
        "; a comment\ncommodity 1.00 USD\n\n2024-01-31=2024-02-01 * (7) Café | lunch ; id:x1, a note, group:g\n    ; and more\n    Expenses:Food & Drink  12.5 USD\n    liabilities:card\n",
    );
    let entry = posted(&steps)[0];
    assert_eq!(entry.line, 4);
    assert_eq!(entry.transactions[0].description, "Café | lunch");
    let metadata: Vec<_> =
        entry.transactions[0].metadata.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        metadata,
        ["date2=2024-02-01", "status=cleared", "code=7", "id=x1", "group=g", "comment=a note; and more"]
    );
    assert_eq!(legs(entry, &chart), ["Expenses:Food & Drink 12.50 USD", "liabilities:card -12.50 USD"]);
}

#[test]
fn entries_are_sorted_by_date_before_assertions_are_checked() {
    let (steps, chart, _) = parsed(
        "2024-02-01\n  assets:a  1 EUR = 3 EUR\n  income:x\n\n2024-01-01 first\n  assets:a  1 EUR = 1 EUR\n  income:x\n\n2024-01-01 second\n  assets:a  1 EUR = 2 EUR\n  income:x  -1 EUR = -2 EUR\n",
    );
    let lines: Vec<_> = posted(&steps).iter().map(|entry| entry.line).collect();
    assert_eq!(lines, [5, 9, 1]);
    assert_eq!(broken(&steps, &chart), []);
    assert_eq!(legs(posted(&steps)[1], &chart), ["assets:a 1 EUR = 2", "income:x -1 EUR = 2"]);
}

#[test]
fn assertions_inside_an_entry_are_moved_to_its_end() {
    let (steps, chart, notes) = parsed("2024-01-01\n a  5 EUR = 5 EUR\n b  -3 EUR\n a  -2 EUR = 3 EUR\n");
    assert_eq!(legs(posted(&steps)[0], &chart), ["a 3 EUR = 3", "b -3 EUR"]);
    assert_eq!(notes.0["postings merged with another of the same account"], 1);
    let (steps, chart, _) = parsed("2024-01-01\n a  5 EUR = 6 EUR\n b  -3 EUR\n a  -2 EUR = 3 EUR\n");
    let found = broken(&steps, &chart);
    assert!(!found.is_empty() && found.iter().all(|mismatch| mismatch.account == "a (EUR)"));
}

#[test]
fn zero_postings_are_dropped_and_their_assertions_checked_here() {
    let text = "2024-01-01\n a  5 EUR\n b  -5 EUR\n c  0 EUR\n\n2024-01-02\n a  0 EUR = 5 EUR\n\n2024-01-03\n b  0 = -5 EUR\n c  0 EUR\n";
    let text = text.replace("b  0 =", "b  0 EUR =");
    let (steps, chart, notes) = parsed(&text);
    assert_eq!(posted(&steps).len(), 1);
    assert_eq!(chart.accounts().len(), 2, "an account that never moves is not opened");
    assert_eq!(notes.0["zero postings dropped"], 4);
    assert_eq!(broken(&steps, &chart), []);
    let (steps, chart, _) = parsed(&text.replace("= 5 EUR", "= 6 EUR"));
    assert_eq!(broken(&steps, &chart)[0].to_string(), "line 7: a (EUR) should stand at 6, but its movements lead to 5");
}

#[test]
fn balances_are_assigned_and_subaccounts_counted() {
    let (steps, chart, _) = parsed(
        "2024-01-01\n a:x  5 EUR\n b\n\n2024-01-02\n a:x  = 7 EUR\n b\n\n2024-01-03\n a  1 EUR =* 8 EUR\n b  -1 EUR == -8 EUR\n",
    );
    assert_eq!(legs(posted(&steps)[1], &chart), ["a:x 2 EUR = 7", "b -2 EUR"]);
    assert_eq!(broken(&steps, &chart), []);
}

#[test]
fn exchanges_balance_per_asset() {
    let (steps, chart, notes) = parsed(
        "2024-01-01\n a  10.00 EUR @ 1.10 USD\n b  -11.00 USD\n\n2024-01-02\n a  3 EUR @@ $4\n b  -4.00 USD\n\n2024-01-03\n a  1 EUR\n b  -2 USD\n\n2024-01-04\n a  2 h\n b  -2 h\n",
    );
    assert_eq!(
        legs(posted(&steps)[0], &chart),
        ["a 10.0 EUR", "b -11.0 USD", "equity:conversion -10.0 EUR", "equity:conversion 11.0 USD"]
            .map(|leg| leg.replace(".0 ", " ")),
    );
    assert_eq!(notes.0["exchange legs added on equity:conversion"], 6);
    assert_eq!(legs(posted(&steps)[3], &chart), ["a 2 HOURS", "b -2 HOURS"]);
    assert!(
        refusal("2024-01-01\n a  10 EUR @ 1.10 USD\n b  -12 USD\n")
            .starts_with("line 1: the entry does not balance: -1")
    );
}

#[test]
fn equal_entries_are_two_and_an_insertion_above_changes_no_id() {
    let twice = "2024-09-22 t\n a  50 USD\n b  -50 USD\n\n2024-09-22 t\n a  50 USD\n b  -50 USD\n";
    let (steps, ..) = parsed(twice);
    let ids: Vec<_> = posted(&steps).iter().map(|entry| entry.transactions[0].row).collect();
    assert_ne!(ids[0], ids[1]);
    let (steps, ..) = parsed(&format!("2023-01-01\n a  1 USD\n b\n\n{twice}"));
    let later: Vec<_> = posted(&steps)[1..].iter().map(|entry| entry.transactions[0].row).collect();
    assert_eq!(ids, later);
}

#[test]
fn what_would_change_the_meaning_is_refused() {
    for (text, what) in [
        ("2024-01-01\n a  1 EUR\n b  -2 EUR\n", "line 1: the entry does not balance: -1 EUR too much"),
        ("2024-01-01\n a\n b\n", "line 3: a second posting without an amount"),
        ("2024-01-01\n (a)  1 EUR\n", "line 2: a virtual posting does not balance and is not supported"),
        ("2024-01-01\n a  1 EUR {2 USD}\n", "line 2: a lot price ({…}) is not supported"),
        (
            "2024-01-01\n a  1 EUR  ; date:2024-02-01\n b\n",
            "line 2: a posting with a date of its own is not supported; split the entry",
        ),
        ("01-01\n a  1 EUR\n b\n", "line 1: \"01-01\" is not a date with its year"),
        ("2024-02-30\n a  1 EUR\n b\n", "line 1: \"2024-02-30\" is not a date with its year"),
        ("  a  1 EUR\n", "line 1: an indented line that belongs to no entry"),
        ("comment\n", "line 1: this comment block never ends (`end comment`)"),
        ("2024-01-01\n a  1 EUR @\n b\n", "line 2: \"\" is not an amount"),
        ("2024-01-01\n a  1.123456789 EUR\n b\n", "line 2: the ledger keeps 8 decimals, not more"),
        ("2024-01-01\n a  10000000000000000000 EUR\n b\n", "line 2: the amount is beyond ±10^18 minor units"),
    ] {
        assert_eq!(refusal(text), what);
    }
    for word in ["include x.journal", "alias a=b", "apply account x", "~ monthly", "= expenses"] {
        assert!(refusal(&format!("{word}\n")).contains("hledger print --explicit"), "{word}");
    }
}

#[test]
fn directives_are_understood() {
    let (steps, chart, notes) = parsed(
        "Y2024\ndecimal-mark ,\naccount tesouro ; type:L\nP 2024-01-01 EUR 1,1 USD\ncomment\n nothing here\nend comment\n\n02/03 x\n\ttesouro:caixa\t1.000,50 EUR\n\tb\n",
    );
    assert_eq!(legs(posted(&steps)[0], &chart), ["tesouro:caixa 1000.5 EUR", "b -1000.5 EUR"]);
    assert_eq!(chart.accounts()[0].normal_side, crate::import::plan::Side::Credit);
    assert_eq!(notes.0["market prices left out"], 1);
}

#[test]
fn errors_read_as_sentences() {
    assert!(matches!(read("x y\n", &options()), Err(ReadError::Line { line: 1, .. })));
}
