//! Other systems' books through the API: imported row by row, exported, imported again, and the demonstration.
//!
//! The data is generated; real banks' files are read by the tests of `deploy/cli`.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;
use vintem_cli::client::{Client as Cli, Connection};
use vintem_cli::export::{self, ExportArgs};
use vintem_cli::import::{self, ImportArgs, ImportError};
use vintem_cli::{demo, names};
use vintem_tests::api::{Api, Client};

const MAPPING: &str = r#"
    source = "town-bank"
    [asset]
    code = "CZK"
    scale = 2
    [account]
    name = "bank:{account}"
    normal_side = "credit"
    min_balance = "unlimited"
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
    residual = "residual"
    balance = "balance"
    description = "{text}"
    [format]
    amounts = "minor"
"#;

/// A row of a bank: account, day of 2025, and the balance after it in cents.
struct Row {
    account: u32,
    day: u32,
    balance: i64,
}

/// Thirty accounts of twenty rows each, in the bank's order, as text and as what must come of it.
fn bank() -> (String, Vec<Row>) {
    let mut text = "id,account,date,amount,residual,balance,text\n".to_owned();
    let mut rows = Vec::new();
    let mut drawn: u64 = 42;
    for account in 0..30 {
        let (mut day, mut balance) = (0, 0);
        for _ in 0..20 {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let part = |shift: u32, below: u64| i64::try_from((drawn >> shift) % below).unwrap();
            // Never nothing, sometimes below zero; every seventh row or so carries more than it prints.
            let (amount, residual) = (part(20, 90_000) - 30_000, i64::from(part(40, 7) == 0));
            let amount = if amount == 0 { 1 } else { amount };
            day += u32::try_from(part(50, 18)).unwrap();
            balance += amount + residual;
            let date = chrono::NaiveDate::from_yo_opt(2025, 1 + day.min(364)).unwrap();
            writeln!(text, "{},{account},{date},{amount},{residual},{balance},Movement", rows.len()).unwrap();
            rows.push(Row { account, day: day.min(364), balance });
        }
    }
    (text, rows)
}

fn file(text: &str, suffix: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// The way to the server as the command knows it, with the secret in a file of its own (0600).
fn connection(api: &Api, client: &Client) -> (Connection, tempfile::NamedTempFile) {
    let secret = file(&client.secret, ".secret");
    let connection = Connection {
        url: Some(api.server.url("")),
        ca: None,
        client_id: Some(client.id.to_string()),
        client_secret_file: Some(secret.path().to_owned()),
        identity: None,
    };
    (connection, secret)
}

async fn import(api: &Api, client: &Client, text: &str, mapping: Option<&str>) -> Result<(), ImportError> {
    let (connection, _secret) = connection(api, client);
    let data = file(text, if mapping.is_some() { ".csv" } else { ".journal" });
    let mapping = mapping.map(|text| file(text, ".toml"));
    import::run(ImportArgs {
        file: data.path().to_owned(),
        mapping: mapping.as_ref().map(|file| file.path().to_owned()),
        source: None,
        commodities: Vec::new(),
        keep_going: false,
        batch: 100,
        lanes: 2,
        connection,
    })
    .await
}

async fn export(api: &Api, client: &Client) -> String {
    let (connection, _secret) = connection(api, client);
    let output = file("", ".journal");
    let args = ExportArgs {
        output: output.path().to_owned(),
        account: None,
        from: None,
        to: None,
        time_zone: None,
        connection,
    };
    export::run(args).await.unwrap();
    std::fs::read_to_string(output.path()).unwrap()
}

/// Every account's balance in the direction of debit, in cents, and the ledger's position.
async fn trial_balance(client: &Client) -> (BTreeMap<String, i64>, i64) {
    let mut balances = BTreeMap::new();
    let mut path = "/v1/ledger/trial-balance?limit=100".to_owned();
    loop {
        let page = client.get(&path).await.expect(200);
        for account in page["accounts"].as_array().unwrap() {
            let cents: i64 = account["posted"].as_str().unwrap().replace('.', "").parse().unwrap();
            let sign = if account["normal_side"] == "debit" { 1 } else { -1 };
            balances.insert(names::decode(account["name"].as_str().unwrap()), sign * cents);
        }
        match page["next"].as_str() {
            Some(cursor) => path = format!("/v1/ledger/trial-balance?limit=100&cursor={cursor}"),
            None => return (balances, page["as_of"]["position"].as_i64().unwrap()),
        }
    }
}

async fn account_id(client: &Client, name: &str) -> String {
    let page: Value = client.get(&format!("/v1/accounts?name={name}&asset=CZK")).await.expect(200);
    page["accounts"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bank_is_imported_to_the_cent_and_again_adds_nothing() {
    let api = Api::create().await;
    let client = &api.client;
    let (text, rows) = bank();
    // Somebody has opened an account before; it is used as it is.
    client.post("/v1/assets", &json!({"code": "CZK", "scale": 2})).await.expect(201);
    let opened = json!({"name": "bank:7", "asset": "CZK", "min_balance": null, "metadata": {"branch": "3"}});
    client.post("/v1/accounts", &opened).await.expect(201);
    import(&api, client, &text, Some(MAPPING)).await.unwrap();

    let (balances, position) = trial_balance(client).await;
    assert_eq!(balances.values().sum::<i64>(), 0);
    for account in 0..30 {
        let last = rows.iter().rfind(|row| row.account == account).unwrap();
        assert_eq!(balances[&format!("bank:{account}")], -last.balance);
        // The bank's balance at the end of any day.
        let id = account_id(client, &format!("bank:{account}")).await;
        for day in [0, 100, 200, 364] {
            let date = chrono::NaiveDate::from_yo_opt(2025, 1 + day).unwrap();
            let told = client.get(&format!("/v1/accounts/{id}/balance?effective_at={date}")).await.expect(200);
            let expected =
                rows.iter().rfind(|row| row.account == account && row.day <= day).map_or(0, |row| row.balance);
            let cents: i64 = told["posted"].as_str().unwrap().replace('.', "").parse().unwrap();
            assert_eq!(cents, expected, "account {account} on {date}");
        }
    }
    import(&api, client, &text, Some(MAPPING)).await.unwrap();
    assert_eq!(trial_balance(client).await, (balances, position), "a second import adds nothing");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_balance_that_does_not_match_stops_its_account_and_no_other() {
    let api = Api::create().await;
    let client = &api.client;
    let (text, rows) = bank();
    let wrong = 12 * 20 + 9;
    let line = text.lines().nth(wrong + 1).unwrap();
    let balance = rows[wrong].balance;
    let altered = text.replacen(line, &line.replacen(&format!(",{balance},"), &format!(",{},", balance + 1), 1), 1);
    assert!(matches!(import(&api, client, &altered, Some(MAPPING)).await, Err(ImportError::Refused(_))));
    let (balances, _) = trial_balance(client).await;
    assert_eq!(balances["bank:12"], -rows[wrong - 1].balance, "what stands before the row is in, the row is not");
    let last = rows.iter().rfind(|row| row.account == 13).unwrap();
    assert_eq!(balances["bank:13"], -last.balance);
    // The corrected file goes on where the other stopped.
    import(&api, client, &text, Some(MAPPING)).await.unwrap();
    let last = rows.iter().rfind(|row| row.account == 12).unwrap();
    assert_eq!(trial_balance(client).await.0["bank:12"], -last.balance);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_journal_from_which_the_same_books_come_again() {
    let api = Api::create().await;
    let (text, _) = bank();
    import(&api, &api.client, &text, Some(MAPPING)).await.unwrap();
    api.client.post("/v1/accounts", &json!({"name": "caf%c3%a9", "asset": "CZK"})).await.expect(201);
    let paid = json!({"from": "clearing", "to": "caf%c3%a9", "amount": {"amount": "12.34", "asset": "CZK"}});
    let paid = api.client.post("/v1/transactions", &paid).await.expect(201);
    let reversals = format!("/v1/transactions/{}/reversals", paid["id"].as_str().unwrap());
    let part = json!({"amount": {"amount": "2.34", "asset": "CZK"}});
    api.client.post(&reversals, &part).await.expect(201);

    let journal = export(&api, &api.client).await;
    let other = api.another("tea-town", "ledger:read ledger:write ledger:admin").await;
    import(&api, &other, &journal, None).await.unwrap();
    let (first, _) = trial_balance(&api.client).await;
    let (second, _) = trial_balance(&other).await;
    assert_eq!(first["café"], -1_000);
    assert_eq!(first, second);

    let kept = file(&journal, ".journal");
    match Command::new("hledger").arg("-f").arg(kept.path()).arg("check").output() {
        Ok(checked) => assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr)),
        Err(_) => eprintln!("not asked: hledger is not installed here"),
    }
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_goes_as_its_story_says_and_repeats_nothing() {
    let api = Api::create().await;
    let (connection, _) = connection(&api, &api.client);
    let client = Cli::with_secret(&connection, api.client.secret.clone().into()).await.unwrap();
    let first = demo::play(&client).await.unwrap().expect("an empty ledger");
    let (balances, position) = trial_balance(&api.client).await;
    let again = demo::play(&client).await.unwrap().expect("the same town");
    assert_eq!(first.summary(), again.summary());
    assert_eq!(trial_balance(&api.client).await, (balances, position));

    let other = api.another("in-use", "ledger:read ledger:write ledger:admin").await;
    other.open("BRL", &["bank"]).await;
    let (connection, _) = self::connection(&api, &other);
    let client = Cli::with_secret(&connection, other.secret.clone().into()).await.unwrap();
    assert!(demo::play(&client).await.unwrap().is_none(), "a ledger in use is left alone");
    api.close().await;
}
