//! The readers on real files, without a ledger: every stated balance must follow from the rows before it.
//!
//! The files are third-party and no part of this repository. The tests read them from the
//! folder named by `VINTEM_VECTORS` (default: `shared/data` beside the checkout) and skip
//! themselves with a word when it is absent.

use std::path::PathBuf;

use vintem_cli::import::csv::mapping::Mapping;
use vintem_cli::import::journal;
use vintem_cli::import::source::Source;

/// A real bank's rows: amounts in the smallest unit, a sign column, what it carried beyond print.
const CZECH_BANK: &str = r#"
    source = "czech-bank"
    [asset]
    code = "CZK"
    scale = 2
    [account]
    name = "bank:{account_id}"
    normal_side = "credit"
    min_balance = "unlimited"
    [contra]
    name = "bank:counterparties"
    normal_side = "debit"
    [rounding]
    name = "bank:rounding"
    normal_side = "debit"
    [row]
    id = "trans_id"
    date = "date"
    amount = "amount_haler"
    sign = { column = "sign", increase = "+", decrease = "-" }
    residual = "residual_haler"
    balance = "balance_haler"
    description = "{operation} {purpose}"
    metadata = ["partner_bank", "partner_account", "source"]
    [format]
    amounts = "minor"
"#;

fn vector(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = std::env::var_os("VINTEM_VECTORS").map_or_else(beside, PathBuf::from).join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}

#[test]
fn six_years_of_a_bank_add_up_row_by_row() {
    let Some(path) = vector("czech_bank_1993_1998.csv.xz") else { return };
    let (source, survey) = Source::csv(path, Mapping::parse(CZECH_BANK).unwrap()).unwrap();
    assert_eq!((survey.movements, survey.expectations), (75_152, 75_152));
    assert_eq!(survey.chart.accounts().len(), 3_015 + 2);
    assert_eq!(survey.notes.0.len(), 0);
    assert_eq!(source.mismatches(&survey.chart).unwrap(), []);
}

#[test]
fn one_balance_changed_by_a_haler_is_one_mismatch() {
    let Some(path) = vector("czech_bank_1993_1998.csv.xz") else { return };
    let mut text = String::new();
    std::io::Read::read_to_string(&mut vintem_cli::import::input::open(&path).unwrap(), &mut text).unwrap();
    let line = text.lines().nth(39_999).unwrap();
    let fields: Vec<&str> = line.split(',').collect();
    let balance: i64 = fields[7].parse().unwrap();
    let changed = line.replacen(&format!(",{balance},"), &format!(",{},", balance + 1), 1);
    let copy = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(copy.path(), text.replacen(line, &changed, 1)).unwrap();
    let (source, survey) = Source::csv(copy.path().to_owned(), Mapping::parse(CZECH_BANK).unwrap()).unwrap();
    let mismatches = source.mismatches(&survey.chart).unwrap();
    assert_eq!(mismatches.iter().map(|mismatch| mismatch.line).collect::<Vec<_>>(), [40_000]);
}

#[test]
fn a_real_journal_keeps_all_its_assertions() {
    let Some(path) = vector("open_collective.journal") else { return };
    let options = journal::Options { source: "journal".to_owned(), assets: [].into() };
    let (source, survey) = Source::journal(&path, &options).unwrap();
    assert_eq!((survey.movements, survey.expectations), (1_929, 1_039));
    assert_eq!(survey.notes.0.iter().collect::<Vec<_>>(), [(&"zero postings dropped", &6)]);
    assert_eq!(source.mismatches(&survey.chart).unwrap(), []);
}
