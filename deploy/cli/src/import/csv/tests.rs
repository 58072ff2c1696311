//! Rows of a bank, as banks write them: what they book, and what is refused.

use super::for_each_row;
use super::mapping::Mapping;
use super::plan::Planner;
use crate::import::ReadError;
use crate::import::plan::{Chart, Fold, Mismatch, Movement, Step};

const MAPPING: &str = r#"
    source = "town-bank"
    [asset]
    code = "EUR"
    scale = 2
    [account]
    name = "Customers:{account}"
    normal_side = "credit"
    [contra]
    name = "clearing"
    normal_side = "debit"
    [rounding]
    name = "rounding"
    normal_side = "debit"
    [row]
    id = "id"
    date = "date"
    amount = "amount"
    sign = { column = "dc", increase = "C", decrease = "D" }
    residual = "rest"
    balance = "balance"
    description = "{text}"
    metadata = ["text"]
"#;

fn read(mapping: &str, file: &str) -> Result<(Vec<Step>, Chart), ReadError> {
    let mapping = Mapping::parse(mapping).unwrap();
    let mut planner = Planner::try_new(&mapping).unwrap();
    let mut steps = Vec::new();
    for_each_row(&mapping, file.as_bytes(), |row| {
        steps.extend(planner.step(&row)?);
        Ok(())
    })?;
    Ok((steps, planner.finish().0))
}

fn movements(steps: &[Step]) -> Vec<&Movement> {
    steps.iter().filter_map(|step| if let Step::Post(movement) = step { Some(movement) } else { None }).collect()
}

fn mismatches(steps: &[Step], chart: &Chart) -> Vec<Mismatch> {
    let mut fold = Fold::default();
    movements(steps).into_iter().flat_map(|movement| fold.apply(movement, chart)).collect()
}

fn refusal(mapping: &str, file: &str) -> String {
    read(mapping, file).unwrap_err().to_string()
}

const FILE: &str = "account,id,date,amount,dc,rest,balance,text\n\
    A 1,1,2024-01-02,10.00,C,0.00,10.00,salary\n\
    A 1,2,2024-01-03,2.50,D,-0.01,7.49,\n\
    B,1,2024-01-03,0.00,C,0.00,0.00,\n\
    B,2,2024-01-04,1.00,C,0,1.00,\n";

#[test]
fn a_row_books_its_amount_and_then_its_residual() {
    let (steps, chart) = read(MAPPING, FILE).unwrap();
    let rows = movements(&steps);
    assert_eq!(rows.len(), 3, "the row that moves nothing is left out");
    assert_eq!((rows[0].line, rows[1].line, rows[2].line), (2, 3, 5));
    assert_eq!(rows[1].transactions.len(), 2);
    let expectations: Vec<_> = rows[1].transactions.iter().map(|one| one.legs[0].expect_after).collect();
    assert_eq!(expectations, [None, Some(749)], "the printed balance stands on the last of the group");
    assert_eq!(rows[1].transactions[0].legs[0].debit, 250, "a shrinking liability is debited");
    let names: Vec<_> = chart.accounts().iter().map(|account| account.name.to_string()).collect();
    assert_eq!(names, ["%43ustomers:%41%201", "clearing", "rounding", "%43ustomers:%42"]);
    assert_eq!((chart.accounts()[0].min_balance, chart.accounts()[1].min_balance), (Some(0), None));
    assert_eq!(mismatches(&steps, &chart), []);
}

#[test]
fn a_second_reading_gives_the_same_steps() {
    assert_eq!(read(MAPPING, FILE).unwrap().0, read(MAPPING, FILE).unwrap().0);
}

#[test]
fn a_corrected_balance_keeps_the_ids() {
    let corrected = FILE.replace("7.49", "7.48");
    let (steps, chart) = read(MAPPING, &corrected).unwrap();
    let ids = |steps: &[Step]| {
        movements(steps).into_iter().flat_map(|row| &row.transactions).map(|one| one.row).collect::<Vec<_>>()
    };
    assert_eq!(ids(&steps), ids(&read(MAPPING, FILE).unwrap().0));
    let found = mismatches(&steps, &chart);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].to_string(),
        "line 3: Customers:A 1 (EUR) should stand at 7.48, but its movements lead to 7.49"
    );
}

#[test]
fn a_still_row_with_another_balance_is_broken() {
    let (steps, _) = read(MAPPING, &FILE.replace("0.00,C,0.00,0.00", "0.00,C,0.00,3.00")).unwrap();
    assert!(matches!(&steps[2], Step::Broken(mismatch) if mismatch.line == 4 && mismatch.expected == "3.00"));
}

#[test]
fn rows_without_ids_are_told_apart_by_counting() {
    let mapping = MAPPING.replace("id = \"id\"\n", "").replace("balance = \"balance\"\n", "");
    let file = "account,date,amount,dc,rest,text\nA,2024-01-02,1.00,C,0,x\nA,2024-01-02,1.00,C,0,x\n";
    let (steps, _) = read(&mapping, file).unwrap();
    let rows = movements(&steps);
    assert_ne!(rows[0].transactions[0].row, rows[1].transactions[0].row);
}

#[test]
fn an_opening_balance_is_booked_where_the_mapping_has_an_account_for_it() {
    let mapping = format!("{MAPPING}\n[opening]\nname = \"opening\"\nnormal_side = \"debit\"\n");
    let file = "account,id,date,amount,dc,rest,balance,text\nA,1,2024-01-02,1.00,D,0,99.00,\nA,2,2024-01-02,1.00,C,0,100.00,\n";
    let (steps, chart) = read(&mapping, file).unwrap();
    assert_eq!(movements(&steps)[0].transactions[0].legs[0].debit, -10_000);
    assert_eq!(movements(&steps)[1].transactions.len(), 1);
    assert_eq!(mismatches(&steps, &chart), []);
}

#[test]
fn formats_of_banks_differ() {
    let mapping = r#"
        source = "sparkasse"
        asset = { code = "EUR", scale = 2 }
        account = { name = "giro", normal_side = "debit" }
        contra = { name = "others:{3}", normal_side = "debit" }
        row = { date = "1", increase = "5", decrease = "4" }
        format = { delimiter = ";", header = false, decimal_mark = ",", group_mark = ".", date = "%d.%m.%Y", newest_first = true }
    "#;
    let file = "02.01.2024;x;Rewe;-1.234,50;\n01.01.2024;y;\"Muster; GmbH\";;2.000,00\n";
    let (steps, chart) = read(mapping, file).unwrap();
    let rows = movements(&steps);
    assert_eq!((rows[0].line, rows[0].transactions[0].legs[0].debit), (2, 200_000));
    assert_eq!((rows[1].line, rows[1].transactions[0].legs[0].debit), (1, -123_450));
    assert_eq!(crate::names::decode(&chart.accounts()[1].name), "others:Muster; GmbH");
}

#[test]
fn malformed_files_are_refused_with_their_line() {
    let line =
        |row: &str| format!("account,id,date,amount,dc,rest,balance,text\nA,1,2024-01-02,1.00,C,0,1.00,\n{row}\n");
    for (row, what) in [
        ("A,1,2024-01-02,1.00,C,0,1.00,", "line 3: the id \"1\" stands twice for \"Customers:A\""),
        ("A,2,2024-13-02,1.00,C,0,1.00,", "line 3: \"2024-13-02\" is not a date like \"%Y-%m-%d\""),
        ("A,2,2024-01-02,1.005,C,0,1.00,", "line 3: \"1.005\" has more decimals than the 2 that its asset carries"),
        ("A,2,2024-01-02,-1.00,C,0,1.00,", "line 3: the amount beside a sign column is negative"),
        ("A,2,2024-01-02,1.00,X,0,1.00,", "line 3: \"X\" is neither \"C\" nor \"D\""),
        ("A,2,2024-01-02,,C,0,1.00,", "line 3: \"\" is not an amount"),
        ("A,2,2024-01-02,1.00,C,0,,", "line 3: \"\" is not an amount"),
        ("A,2", "line 3: 2 fields where the first line has 8"),
        (",2,2024-01-02,1.00,C,0,1.00,", "line 3: a column of the account's name is empty"),
    ] {
        assert_eq!(refusal(MAPPING, &line(row)), what, "{row}");
    }
    assert_eq!(refusal(MAPPING, "account,id\n"), "line 1: the file has no column \"amount\"");
    let shared = MAPPING.replace("\"clearing\"", "\"Customers:{text}\"");
    let both =
        "account,id,date,amount,dc,rest,balance,text\nA,1,2024-01-02,1.00,C,0,1.00,B\nB,1,2024-01-02,1.00,C,0,1.00,C\n";
    assert!(refusal(&shared, both).starts_with("line 3: \"Customers:B\" is both"));
}

#[test]
fn mappings_that_make_no_sense_are_refused() {
    for (from, to, what) in [
        ("residual", "residuum", "unknown field"),
        ("rest\"", "rest\"\n    increase = \"x\"", "`row` needs either"),
        ("scale = 2", "scale = 9", "above 8"),
        ("name = \"rounding\"", "name = \"rounding:{text}\"", ""),
        ("[rounding]\n    name = \"rounding\"\n    normal_side = \"debit\"", "", "need each other"),
        ("{account}", "{account", "columns in braces"),
        ("normal_side = \"credit\"", "normal_side = \"credit\"\n    min_balance = \"-1,5\"", "bound is wrong"),
    ] {
        let text = MAPPING.replacen(from, to, 1);
        assert_ne!(text, MAPPING);
        match Mapping::parse(&text) {
            Err(error) => {
                let said = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                assert!(!what.is_empty() && said.contains(what), "{said}");
            }
            Ok(mapping) => assert!(what.is_empty() && Planner::try_new(&mapping).is_err(), "{to}"),
        }
    }
}
