//! The typed client for apps: it says what the contract says, keeps its word about repetitions, and goes through a whole story
//! with the product behind its door.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use vintem_api::operations::openapi;
use vintem_cli::stack::{authority, pki};
use vintem_core::access::settings::{Change, LegalMode};
use vintem_core::access::{change_tenant, find_tenant};
use vintem_core::event_store::fresh;
use vintem_core::payments::funding::settler::Settler;
use vintem_core::secrets::pki::Service;
use vintem_core::telemetry::clock;
use vintem_tests::api::ISSUER;
use vintem_tests::certificates::Authority;
use vintem_tests::guides::{guide, unnamed};
use vintem_tests::lossy::LossyWire;
use vintem_tests::mailbox::Mailbox;
use vintem_tests::people::Registry;
use vintem_tests::phone::{Person, code_in};
use vintem_tests::python;

const TENANT: &str = "coffee-town";
/// How many codes no app meets.
const NOT_FOR_APPS: usize = 23;
/// For whatever npm does, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(5);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/typescript")
}

/// Runs npm; what it says matters only if it fails.
async fn npm(arguments: &[&str]) {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(folder()).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.expect("npm ends").unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "npm {arguments:?}: {said}");
}

/// What making the client has shown.
#[derive(Clone, Copy)]
struct Made {
    /// Whether its types were those of the contract.
    is_honest: bool,
}

/// Installs, generates and builds, once for all tests, which would write the same files; `None`, with the reason said, where
/// there is no npm.
async fn make() -> Option<Made> {
    static MADE: OnceCell<Option<Made>> = OnceCell::const_new();
    let make = async || {
        let version = Command::new("npm").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        if version.is_err() {
            eprintln!("left out: npm is not on PATH");
            return None;
        }
        let (wanted, ready) = (folder().join("package-lock.json"), folder().join("node_modules/.ready"));
        let wanted = std::fs::read_to_string(wanted).unwrap();
        if !std::fs::read_to_string(&ready).is_ok_and(|made| made == wanted) {
            npm(&["ci", "--no-audit", "--no-fund"]).await;
            std::fs::write(ready, wanted).unwrap();
        }
        std::fs::write(folder().join("openapi.json"), openapi::contract().to_json().unwrap()).unwrap();
        let schema = || std::fs::read_to_string(folder().join("src/schema.ts")).unwrap_or_default();
        let before = schema();
        npm(&["run", "generate"]).await;
        npm(&["run", "build"]).await;
        Some(Made { is_honest: schema() == before })
    };
    *MADE.get_or_init(make).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_says_what_the_contract_says_and_repeats_safely() {
    let Some(Made { is_honest }) = make().await else { return };
    npm(&["test"]).await;
    assert!(is_honest, "src/schema.ts was not of this contract; it is now, so commit it");
}

#[test]
fn the_guide_shows_what_the_example_does() {
    let bare = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let example = bare(&std::fs::read_to_string(folder().join("examples/flow.ts")).unwrap());
    let guide = guide("app-guide.md");
    let snippets: Vec<&str> = guide.split("```ts\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(snippets.len() >= 4, "{}", snippets.len());
    for snippet in snippets {
        assert!(example.contains(bare(snippet).trim()), "the example does not have: {snippet}");
    }
    // The others are of the ledger's own routes, of staff, and of terminals.
    assert_eq!(unnamed(&guide), NOT_FOR_APPS, "a code is new: does an app meet it?");
}

/// A sandbox whose citizens are paid in BRL, and what follows their orders.
async fn sandbox(people: &Registry) -> tokio::task::JoinHandle<()> {
    people.client.post("/v1/assets", &json!({"code": "BRL", "scale": 2})).await.expect(201);
    let mut operator = people.secrets.store.session("vintem_operator").await;
    let tenant = find_tenant(&mut operator, TENANT).await.unwrap().tenant;
    let change =
        Change { citizen_asset: Some("BRL".to_owned()), legal_mode: Some(LegalMode::Sandbox), ..Change::default() };
    let writer = people.server.ledger.shard(0).unwrap().clone();
    assert!(change_tenant(&mut operator, |_| writer.clone(), tenant, &change).await.unwrap());
    let pool = people.secrets.store.pool("vintem_writer");
    tokio::spawn(Settler::new(pool, 0, writer, Arc::new(clock::now)).run())
}

/// Runs the example, answers what it asks for, and loses the answer that it confirms with.
async fn live_through(environment: &[(&str, &str)], wire: &LossyWire) {
    let mailbox = Mailbox::of_the_stack();
    let mut command = Command::new("node");
    command.args(["--no-warnings", "dist/examples/flow.js"]).current_dir(folder()).kill_on_drop(true);
    command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = Vec::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        let answer = match line.split_once("? ") {
            Some(("code", email)) => Some(code_in(&mailbox.newest(email).await)),
            _ if line == "cut!" => {
                wire.lose_one();
                Some("ok".to_owned())
            }
            _ => None,
        };
        if let Some(answer) = answer {
            typed.write_all(format!("{answer}\n").as_bytes()).await.unwrap();
        }
        said.push(line);
    }
    let output = child.wait_with_output().await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.last().is_some_and(|last| last == "done"), "{said:?}\n{complaint}");
}

/// What a finance program and a person read in the files.
fn read_statements(folder: &Path) {
    let (pdf, ofx) = (folder.join("statement.pdf"), folder.join("statement.ofx"));
    assert!(std::fs::read(&pdf).unwrap().starts_with(b"%PDF-1."));
    if let Some(text) = python::poppler("pdftotext", &["-layout", pdf.to_str().unwrap(), "-"]) {
        assert!(text.contains("12,50"), "{text}");
    }
    let script = "import json, sys\nfrom ofxtools.Parser import OFXTree\np = OFXTree(); p.parse(sys.argv[1]); s = p.convert().statements[0]\n\
         print(json.dumps([str(s.ledgerbal.balamt), s.curdef] + [str(t.trnamt) for t in s.banktranlist]))";
    if let Some(printed) = python::run(script, &[ofx.to_str().unwrap()]) {
        assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), json!(["12.50", "BRL", "12.50"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_pay_each_other_with_the_client_and_a_lost_answer_moves_nothing_twice() {
    if make().await.is_none() {
        return;
    }
    let people = Registry::create().await;
    let (stack, prefix) = (&people.secrets.stack, &people.secrets.prefix);
    let authority = Authority::create(stack, prefix, Duration::from_hours(1)).await;
    let server = people.behind_the_door().await;
    let settling = sandbox(&people).await;
    let nginx = stack.private_nginx(prefix.trim_end_matches('-'), server.port(), authority.root.clone()).unwrap();
    let door = authority.issue(stack, Service::Nginx).await;
    authority::keep(&door, &nginx.folder, nginx.owner).unwrap();
    pki::supply(stack.vault().await.unwrap(), prefix, &nginx).await.unwrap();
    nginx.ensure().unwrap();

    let (wire, kept) = (LossyWire::to(nginx.port).await, tempfile::tempdir().unwrap());
    let (url, mut somebody) = (format!("https://localhost:{}", wire.port), Vec::new());
    for number in 1..=2 {
        let Person { cpf, name, .. } = Person::number(number);
        somebody.push(json!({"cpf": cpf, "name": name, "email": format!("{}@apps.example", fresh::new_id().simple())}));
    }
    let (somebody, kept_at) = (json!(somebody).to_string(), kept.path().to_str().unwrap());
    let environment = [
        ("URL", url.as_str()),
        ("PUBLIC_URL", ISSUER),
        ("NODE_EXTRA_CA_CERTS", authority.root.to_str().unwrap()),
        ("TENANT", TENANT),
        ("FOLDER", kept_at),
        ("PEOPLE", &somebody),
    ];
    timeout(PATIENCE, live_through(&environment, &wire)).await.expect("the story ends");
    assert_eq!(wire.lost(), 1, "the answer to the confirmation was lost");
    let mut superuser = people.secrets.store.superuser().await;
    let confirmed = "SELECT count(*) FROM event WHERE kind = 'transfer.confirmed'";
    let confirmed: i64 = sqlx::query_scalar(confirmed).fetch_one(&mut superuser).await.unwrap();
    assert_eq!(confirmed, 1, "it moved once");
    drop(superuser);
    read_statements(kept.path());

    settling.abort();
    nginx.remove().unwrap();
    server.stop().await;
    authority.remove(&people.secrets.stack).await;
    people.close().await;
}
