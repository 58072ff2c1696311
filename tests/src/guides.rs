//! What the guides for people who build on the product say of errors, held against the catalogue.

use std::collections::BTreeSet;
use std::path::Path;
use vintem_api::problem::Code;

/// A page under `docs`.
pub fn guide(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// How many codes the table of every error of a guide does not name. What it names, there is.
pub fn unnamed(guide: &str) -> usize {
    let known: BTreeSet<&str> = Code::all().iter().map(|code| code.meaning().code).collect();
    let table = guide.split("## Every error").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('|').next());
    let named: BTreeSet<&str> =
        rows.flat_map(|cell| cell.split(['`', ',', ' ']).filter(|word| !word.is_empty())).collect();
    assert!(named.is_subset(&known), "{:?}", named.difference(&known));
    known.len() - named.len()
}
