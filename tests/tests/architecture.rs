//! The rules of the house, as tests: who may know whom, which door each library has, how big things get.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

const FILE_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the product below a folder: path from the root, and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = root();
    let files = WalkDir::new(root.join(folder))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|f| f.path().extension().is_some_and(|e| e == "rs"));
    files
        .map(|f| {
            (f.path().strip_prefix(&root).unwrap().display().to_string(), std::fs::read_to_string(f.path()).unwrap())
        })
        .filter(|(path, _)| !path.contains("/target/"))
        .collect()
}

/// Lines of code: without comments and blank lines.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"))
}

fn mentions(text: &str, word: &str) -> bool {
    code(text).any(|line| {
        line.match_indices(word).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

#[test]
fn crates_depend_in_one_direction() {
    let allowed = BTreeMap::from([
        ("core", vec![]),
        ("api", vec!["vintem-core"]),
        ("workers", vec!["vintem-core"]),
        ("deploy/cli", vec!["vintem-core"]),
        ("tests", vec!["vintem-core", "vintem-api", "vintem-workers", "vintem-cli"]),
    ]);
    for (folder, allowed) in allowed {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        for line in dependencies.lines().filter(|line| line.starts_with("vintem-")) {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            assert!(allowed.contains(&name), "{folder} must not depend on {name}");
        }
    }
}

#[test]
fn core_rooms_know_only_what_is_below_them() {
    let rooms: [(&str, &[&str]); 4] = [
        ("core/src/kernel", &["event_store", "secrets", "telemetry", "ledger", "access", "verify", "webhooks"]),
        ("core/src/event_store", &["ledger", "access", "secrets", "verify", "webhooks"]),
        ("core/src/secrets", &["event_store", "ledger", "access", "verify", "webhooks"]),
        ("core/src/telemetry", &["event_store", "ledger", "access", "verify", "webhooks"]),
    ];
    for (room, forbidden) in rooms {
        for (path, text) in sources(room) {
            for other in forbidden {
                assert!(!mentions(&text, &format!("crate::{other}")), "{path} must not know {other}");
            }
        }
    }
}

#[test]
fn a_context_never_reaches_into_anothers_tables() {
    for (context, other) in [("core/src/ledger", "crate::access::store"), ("core/src/access", "crate::ledger::store")] {
        for (path, text) in sources(context) {
            assert!(!mentions(&text, other), "{path} must not use {other}");
        }
    }
}

#[test]
fn each_library_has_one_door() {
    let doors: [(&str, &[&str], &[&str]); 8] = [
        ("actix_web", &["core", "workers", "deploy/cli"], &[]),
        ("lapin", &["core", "api", "workers", "deploy/cli"], &["workers/src/rabbitmq/"]),
        ("vaultrs", &["core", "api", "workers", "deploy/cli"], &["core/src/secrets/"]),
        (
            "reqwest",
            &["core", "api", "workers", "deploy/cli"],
            &[
                "deploy/cli/src/client",
                "deploy/cli/src/stack/vault.rs",
                "core/src/secrets/",
                "workers/src/webhooks/transport.rs",
            ],
        ),
        ("rcgen", &["core", "api", "workers", "deploy/cli"], &["core/src/secrets/pki/"]),
        ("x509_parser", &["core", "api", "workers", "deploy/cli"], &["core/src/secrets/pki/"]),
        ("lettre", &["core", "api", "workers", "deploy/cli"], &["core/src/messages/"]),
        ("sqlx", &["api"], &["api/src/startup.rs"]),
    ];
    for (library, folders, exceptions) in doors {
        for (path, text) in folders.iter().flat_map(|folder| sources(folder)) {
            let is_door = exceptions.iter().any(|door| path.starts_with(door));
            assert!(
                is_door || !mentions(&text, &format!("{library}::")),
                "{path} uses {library}, whose door is {exceptions:?}"
            );
        }
    }
}

#[test]
fn sql_stands_where_it_is_looked_for() {
    let is_home = |path: &str| {
        path.ends_with("/store.rs")
            || path.contains("/store/")
            || ["core/src/event_store/", "core/src/projections/"].iter().any(|home| path.starts_with(home))
    };
    for (path, text) in ["core/src", "api/src", "workers/src"].iter().flat_map(|folder| sources(folder)) {
        let has_sql = ["query!", "query_as!", "query_scalar!", "sqlx::query("].iter().any(|word| mentions(&text, word));
        assert!(!has_sql || is_home(&path), "{path} holds SQL; it belongs into a store");
    }
    // The operator's command calls core; only the stack speaks to Postgres itself, as its superuser, and the
    // benchmark's ceiling, which measures the bare rows.
    for (path, text) in sources("deploy/cli/src") {
        let has_sql = mentions(&text, "sqlx::query");
        let is_door = path.starts_with("deploy/cli/src/stack/") || path == "deploy/cli/src/bench/ceiling.rs";
        assert!(!has_sql || is_door, "{path} holds SQL");
    }
}

#[test]
fn every_folder_tells_its_story_and_no_file_is_endless() {
    for (path, text) in
        ["core/src", "api/src", "workers/src", "deploy/cli/src", "tests"].iter().flat_map(|folder| sources(folder))
    {
        assert!(text.starts_with("//!"), "{path} does not say what it is for");
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES, "{path} has {lines} lines, at most {FILE_LINES} are allowed");
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Spelled so that this file does not find itself.
    for word in [concat!("to", "do!("), concat!("unimpl", "emented!("), concat!("FIX", "ME"), concat!("#[", "allow(")] {
        for (path, text) in
            ["core/src", "api/src", "workers/src", "deploy/cli/src", "tests"].iter().flat_map(|folder| sources(folder))
        {
            assert!(!text.contains(word), "{path} contains {word}");
        }
    }
}

#[test]
fn schemas_of_the_contract_have_names_of_their_own() {
    // One of two with the same name would silently stand for both.
    let mut homes: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in sources("api/src") {
        for item in text.split("#[derive(").skip(1).filter(|item| item.lines().next().unwrap().contains("ToSchema")) {
            let declared = |line: &str| {
                let bare = line.trim_start_matches("pub(super) ").trim_start_matches("pub ");
                let rest = bare.strip_prefix("struct ").or_else(|| bare.strip_prefix("enum "))?;
                rest.split(|letter: char| !letter.is_alphanumeric()).next().map(str::to_owned)
            };
            let given = |line: &str| line.strip_prefix("#[schema(as = ")?.split(')').next().map(str::to_owned);
            let name = item.lines().find_map(|line| given(line).or_else(|| declared(line))).unwrap();
            let other = homes.insert(name.clone(), path.clone());
            assert!(other.is_none(), "{name} stands in {path} and in {}", other.unwrap());
        }
    }
    assert!(homes.contains_key("MoneyInput"));
}
