//! Who may do what, as people review it: the tables of `vault-policies/README.md`, beside the files that Vault takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Process, path, capabilities.
pub type Grants = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// The table of processes.
pub fn reviewed() -> Grants {
    let mut grants = Grants::new();
    let mut process = String::new();
    for [name, path, capabilities, _] in table("| Process (AppRole) |") {
        if !name.is_empty() {
            process = quoted(&name);
        }
        // What follows a semicolon explains.
        let capabilities = capabilities.split(';').next().unwrap().split(',').map(|word| word.trim().to_owned());
        let row = grants.entry(process.clone()).or_default().insert(quoted(&path), capabilities.collect());
        assert!(row.is_none(), "{process} has two rows for {path}");
    }
    grants
}

/// The table of users of the broker: name, and the patterns of what each may configure, write and read.
pub fn reviewed_broker() -> Vec<[String; 4]> {
    table("| User of the broker |").into_iter().map(|row| row.map(|cell| quoted(&cell))).collect()
}

/// The files.
pub fn written() -> Grants {
    let files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let policies = files.filter(|file| file.extension().is_some_and(|extension| extension == "hcl"));
    policies.map(|file| (file.file_stem().unwrap().to_str().unwrap().to_owned(), read(&file))).collect()
}

/// The paths of a file, each with its capabilities; ours are written one way.
fn read(file: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(file).unwrap();
    let blocks = text.split("\npath \"").skip(1);
    let paths = blocks.map(|block| {
        let (path, rest) = block.split_once('"').unwrap();
        let list = rest.split_once("capabilities").unwrap().1;
        let list = list.split_once('[').unwrap().1.split_once(']').unwrap().0;
        (path.to_owned(), list.split(',').map(|word| word.trim().trim_matches('"').to_owned()).collect())
    });
    paths.collect()
}

/// The rows of the table that begins so. A pattern's `|` stands there as `\|`.
fn table(beginning: &str) -> Vec<[String; 4]> {
    let text = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let lines = text.lines().skip_while(|line| !line.starts_with(beginning)).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|')).map(|line| {
        let line = line.replace(r"\|", "\u{0}");
        let cells: Vec<String> = line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect();
        assert_eq!(cells.len(), 6, "a row has four cells: {line}");
        [1, 2, 3, 4].map(|column| cells[column].clone())
    });
    let rows: Vec<_> = rows.collect();
    assert!(!rows.is_empty(), "the table {beginning} is gone");
    rows
}

/// The first words of code in a cell.
fn quoted(cell: &str) -> String {
    cell.split('`').nth(1).unwrap_or_else(|| panic!("nothing is quoted in {cell}")).to_owned()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("vault-policies")
}
