//! What integrators rely on: the schemas of payloads are those that are published, and old payloads stay readable.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use vintem_core::event_kinds::{ALL, EventKind};
use walkdir::WalkDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page(kind: &EventKind) -> PathBuf {
    root().join("docs/events").join(format!("{}.json", kind.name))
}

fn printed(kind: &EventKind) -> String {
    format!("{:#}\n", kind.schema())
}

fn fixture(kind: &EventKind) -> String {
    let path = root().join("tests/fixtures/events").join(format!("{}.json", kind.name));
    std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{} is missing: one payload as it is written", path.display()))
}

#[test]
fn the_published_schemas_are_those_of_the_code() {
    for kind in ALL {
        let published = std::fs::read_to_string(page(&kind)).unwrap_or_default();
        assert_eq!(
            published,
            printed(&kind),
            "write the pages anew: cargo dev test -p vintem-tests --test event_kinds -- --ignored"
        );
    }
    let pages = std::fs::read_dir(root().join("docs/events")).unwrap();
    let pages: BTreeSet<_> =
        pages.map(|page| page.unwrap().path()).filter(|page| page.extension().is_some_and(|e| e == "json")).collect();
    assert_eq!(pages, ALL.iter().map(page).collect(), "a page of no kind");
}

#[test]
#[ignore = "writes the pages that the test above compares"]
fn write_the_schemas() {
    for kind in ALL {
        std::fs::write(page(&kind), printed(&kind)).unwrap();
    }
}

/// One payload of each kind as an earlier version wrote it. These files are added to and never changed.
#[test]
fn old_payloads_stay_readable() {
    for kind in ALL {
        let old = fixture(&kind);
        (kind.read)(&old).unwrap_or_else(|error| panic!("an old {} cannot be read: {error}", kind.name));
        let old: Value = serde_json::from_str(&old).unwrap();
        let (mut members, mut required) = (BTreeSet::new(), BTreeSet::new());
        let page = kind.schema();
        collect(&page, &page, &mut members, &mut required);
        for member in &required {
            assert!(!old[member].is_null(), "an old {} lacks {member}, which was not always there", kind.name);
        }
        for member in old.as_object().unwrap().keys() {
            assert!(members.contains(member), "{member} of {} was removed or renamed", kind.name);
        }
    }
}

/// The members of an object, and those that it must have, through its parts.
fn collect(schema: &Value, page: &Value, members: &mut BTreeSet<String>, required: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let definition = page.pointer(name.trim_start_matches('#'));
        collect(definition.unwrap_or_else(|| panic!("{name} is not in the page")), page, members, required);
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        collect(part, page, members, required);
    }
    members.extend(schema["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned()));
    required.extend(schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap().to_owned()));
}

#[test]
fn every_kind_of_the_code_is_known() {
    let mut written = BTreeSet::new();
    for file in WalkDir::new(root().join("core/src")).into_iter().filter_map(Result::ok) {
        if file.file_name() == "event.rs" {
            let text = std::fs::read_to_string(file.path()).unwrap();
            let kinds =
                text.lines().filter(|line| line.starts_with("pub const ")).filter_map(|line| line.split('"').nth(1));
            written.extend(kinds.map(str::to_owned));
        }
    }
    assert_eq!(written, ALL.iter().map(|kind| kind.name.to_owned()).collect());
}
