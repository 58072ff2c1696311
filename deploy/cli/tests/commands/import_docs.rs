//! The example of docs/import.md must do what the page says.

use vintem_cli::import::csv::mapping::Mapping;
use vintem_cli::import::source::Source;

const PAGE: &str = include_str!("../../../../docs/import.md");

fn block(language: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_example_file_and_its_mapping_agree() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), block("csv")).unwrap();
    let (source, survey) = Source::csv(file.path().to_owned(), Mapping::parse(block("toml")).unwrap()).unwrap();
    assert_eq!((survey.movements, survey.expectations), (5, 5));
    let names: Vec<_> = survey.chart.accounts().iter().map(|account| &*account.name).collect();
    assert_eq!(names, ["customers:1001", "clearing", "customers:1002", "rounding"]);
    assert_eq!(source.mismatches(&survey.chart).unwrap(), []);
}
