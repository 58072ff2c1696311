//! Statements as files, read by other people's programs: whatever the form, what it began with and its lines make what it ended with.

use reqwest::Method;
use serde_json::{Value, json};
use std::collections::HashSet;
use vintem_tests::api::{Api, Client, Read, read};
use vintem_tests::python;

/// Lines on the account, one cent more each, every third outgoing.
const LINES: i64 = 1_203;

/// An account with a past before March, a long March, and a posting that came late for it.
async fn busy_march(client: &Client) -> String {
    let ids = client.open("BRL", &["bank", "ana", "shop"]).await;
    let post = |from: &str, to: &str, cents: i64, day: &str, text: &str| {
        json!({"transaction": {"from": from, "to": to, "amount": {"amount": format!("{}.{:02}", cents / 100, cents % 100), "asset": "BRL"},
            "effective_at": day, "description": text}})
    };
    let mut items = vec![post("bank", "ana", 5_000_000, "2026-02-28", "Before")];
    for number in 1..=LINES {
        let day = format!("2026-03-{:02}", 1 + number * 30 / LINES);
        let text = format!("Compra nº {number}: pão & \"café\" <b>");
        let (from, to) = if number % 3 == 0 { ("ana", "shop") } else { ("bank", "ana") };
        items.push(post(from, to, number, &day, &text));
    }
    items.push(post("bank", "ana", 77, "2026-04-01", "After"));
    items.push(post("bank", "ana", 123_456, "2026-03-10", "=cmd|' /C calc'!A0"));
    client.post("/v1/batches", &json!({"items": items})).await.expect(200);
    ids[1].clone()
}

/// What all lines of March together change, in cents.
fn march() -> i64 {
    let cents = |number: i64| if number % 3 == 0 { -number } else { number };
    (1..=LINES).map(cents).sum::<i64>() + 123_456
}

async fn file(client: &Client, path: &str, language: &str) -> Read {
    let answer = read(client.request(Method::GET, path).header("Accept-Language", language)).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.bytes));
    assert_eq!(answer.headers["cache-control"], "no-store");
    answer
}

fn cents(text: &str) -> i64 {
    text.replace('.', "").parse().unwrap_or_else(|_| panic!("{text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_csv_adds_up_and_runs_nothing() {
    let api = Api::create().await;
    let id = busy_march(&api.client).await;
    let path = format!("/v1/accounts/{id}/statement?format=csv&from=2026-03-01&to=2026-03-31");
    let answer = file(&api.client, &path, "pt-BR").await;
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.headers["content-disposition"], "attachment; filename=\"extrato-2026-03-01-2026-03-31.csv\"");
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("march.csv");
    std::fs::write(&saved, &answer.bytes).unwrap();
    let script = "import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))))";
    let Some(rows) = python::run(script, &[saved.to_str().unwrap()]) else { return };
    let rows: Vec<Vec<String>> = serde_json::from_str(&rows).unwrap();
    assert_eq!(i64::try_from(rows.len()), Ok(LINES + 1 + 3));
    assert_eq!(rows[0][..4], ["data", "hora", "tipo", "descrição"]);
    let lines = &rows[2..rows.len() - 1];
    assert_eq!((rows[1][2].as_str(), cents(&rows[1][5])), ("Saldo inicial", 5_000_000));
    let mut balance = 5_000_000;
    for line in lines {
        balance += cents(&line[4]);
        assert_eq!(cents(&line[5]), balance);
        assert!(!line[3].starts_with(['=', '+', '-', '@']), "{}", line[3]);
    }
    assert_eq!(balance, 5_000_000 + march());
    assert_eq!(cents(&rows.last().unwrap()[5]), balance);
    assert_eq!(lines.last().unwrap()[3], "'=cmd|' /C calc'!A0");
    let ids: HashSet<&String> = lines.iter().map(|line| &line[7]).collect();
    assert_eq!(ids.len(), lines.len());
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finance_programs_read_an_ofx() {
    let api = Api::create().await;
    let id = busy_march(&api.client).await;
    let path = format!("/v1/accounts/{id}/statement?format=ofx&from=2026-03-01&to=2026-03-31");
    let answer = file(&api.client, &path, "pt").await;
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("march.ofx");
    std::fs::write(&saved, &answer.bytes).unwrap();
    let scripts = [
        "import json, sys\nfrom ofxtools.Parser import OFXTree\np = OFXTree(); p.parse(sys.argv[1]); s = p.convert().statements[0]\n\
         print(json.dumps({'balance': str(s.ledgerbal.balamt), 'currency': s.curdef, 'lines': [[t.fitid, str(t.trnamt), t.memo, t.dtposted.isoformat()] for t in s.banktranlist]}))",
        "import json, sys\nfrom ofxparse import OfxParser\na = OfxParser.parse(open(sys.argv[1], 'rb')).account; s = a.statement\n\
         print(json.dumps({'balance': str(s.balance), 'currency': s.currency.upper(), 'lines': [[t.id, str(t.amount), t.memo, t.date.isoformat()] for t in s.transactions]}))",
    ];
    let mut known: Option<HashSet<String>> = None;
    for script in scripts {
        let Some(printed) = python::run(script, &[saved.to_str().unwrap()]) else { return };
        let read: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(read["currency"], "BRL");
        let lines = read["lines"].as_array().unwrap();
        assert_eq!(i64::try_from(lines.len()), Ok(LINES + 1));
        let text = |line: &Value, index: usize| line[index].as_str().unwrap().to_owned();
        let sum: i64 = lines.iter().map(|line| cents(&text(line, 1))).sum();
        assert_eq!(sum, march());
        assert_eq!(cents(read["balance"].as_str().unwrap()), 5_000_000 + sum);
        assert_eq!(text(&lines[0], 2), "Compra nº 1: pão & \"café\" <b>");
        let ids: HashSet<String> = lines.iter().map(|line| text(line, 0)).collect();
        assert_eq!(ids.len(), lines.len());
        // The same whoever reads it.
        assert!(known.is_none_or(|known| known == ids));
        known = Some(ids);
        assert!(text(&lines[0], 3).starts_with("2026-03-01T03:00:00"), "{}", lines[0]);
    }
    // A statement that overlaps gives its lines the same ids.
    let path = format!("/v1/accounts/{id}/statement?format=ofx&from=2026-03-05&to=2026-04-30");
    let again = String::from_utf8(file(&api.client, &path, "en").await.bytes).unwrap();
    let fitids = again.split("<FITID>").skip(1).map(|rest| rest[..36].to_owned());
    assert!(fitids.filter(|id| known.as_ref().unwrap().contains(id)).count() > 900);
    api.client.post("/v1/assets", &json!({"code": "POINTS", "scale": 0})).await.expect(201);
    let points = api.client.post("/v1/accounts", &json!({"name": "points", "asset": "POINTS"})).await.expect(201);
    let refused =
        api.client.get(&format!("/v1/accounts/{}/statement?format=ofx", points["id"].as_str().unwrap())).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "validation-failed"));
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pdf_is_read_by_people() {
    let api = Api::create().await;
    let id = busy_march(&api.client).await;
    let folder = tempfile::tempdir().unwrap();
    for (language, total, page) in [("pt-BR", "51.234,56", "Página 1 de"), ("en", "51,234.56", "Page 1 of")] {
        let path = format!("/v1/accounts/{id}/statement?format=pdf&from=2026-03-10&to=2026-03-10");
        let day = file(&api.client, &path, language).await;
        assert_eq!(day.headers["content-type"], "application/pdf");
        let path = format!("/v1/accounts/{id}/statement?format=pdf&from=2026-03-01&to=2026-03-31");
        let month = file(&api.client, &path, language).await;
        let saved = folder.path().join(format!("{language}.pdf"));
        std::fs::write(&saved, &month.bytes).unwrap();
        let Some(text) = python::poppler("pdftotext", &["-layout", saved.to_str().unwrap(), "-"]) else { return };
        let closing = 5_000_000 + march();
        let shown = format!("{}.{:03},{:02}", closing / 100_000, closing / 100 % 1_000, closing % 100);
        let shown = if language == "en" { shown.replace('.', ";").replace(',', ".").replace(';', ",") } else { shown };
        // In the summary, in the last line, and as the balance of the line before it.
        assert_eq!(text.matches(&shown).count(), 3, "{shown}");
        assert!(text.contains(page) && !text.contains(total), "{text}");
        let pages = text.matches(page.split(' ').next().unwrap()).count();
        assert!((26..36).contains(&pages), "{pages}");
        assert!(text.contains("Compra nº 1: pão & \"café\" <b>"));
    }
    let empty = format!("/v1/accounts/{id}/statement?format=pdf&from=2025-01-01&to=2025-01-31");
    let saved = folder.path().join("empty.pdf");
    std::fs::write(&saved, &file(&api.client, &empty, "en").await.bytes).unwrap();
    let text = python::poppler("pdftotext", &["-layout", saved.to_str().unwrap(), "-"]).unwrap();
    assert!(text.contains("No movement in this period."), "{text}");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_meanwhile_is_not_in_it() {
    let api = Api::create().await;
    let id = busy_march(&api.client).await;
    let path = format!("/v1/accounts/{id}/statement?format=csv&from=2026-03-01&to=2026-03-31");
    let before = file(&api.client, &path, "en").await;
    // Files are fetched while late postings for their month arrive.
    let late = async {
        for _ in 0..40 {
            let body = json!({"from": "bank", "to": "ana", "amount": {"amount": "1.00", "asset": "BRL"}, "effective_at": "2026-03-15"});
            api.client.post("/v1/transactions", &body).await.expect(201);
        }
    };
    let fetch = async {
        let mut files = Vec::new();
        for _ in 0..10 {
            files.push(String::from_utf8(file(&api.client, &path, "en").await.bytes).unwrap());
        }
        files
    };
    let ((), files) = tokio::join!(late, fetch);
    for text in files {
        let rows: Vec<&str> = text.trim_end().split("\r\n").collect();
        // The balance stands third from the end, after whatever is quoted.
        let balance = |row: &str| cents(row.rsplit(',').nth(2).unwrap());
        assert_eq!(balance(rows[rows.len() - 1]), balance(rows[rows.len() - 2]));
    }
    let after = file(&api.client, &path, "en").await;
    let rows = |file: &Read| String::from_utf8_lossy(&file.bytes).lines().count();
    assert_eq!(rows(&after), rows(&before) + 40);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_said() {
    let api = Api::create().await;
    let ids = api.client.open("BRL", &["bank", "ana"]).await;
    for (query, parameter) in [
        ("", "format"),
        ("format=xls", "format"),
        ("format=csv&from=2026-02-30", "from"),
        ("format=csv&from=2026-03-02&to=2026-03-01", "from"),
        ("format=csv&from=2025-01-01&to=2026-01-02", "from"),
        ("format=csv&from=2026-03-01T00:00:00Z", "from"),
        ("format=csv&until=2026-03-01", "until"),
    ] {
        let answer = api.client.get(&format!("/v1/accounts/{}/statement?{query}", ids[1])).await;
        let problem = answer.expect(422);
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
    }
    let year = format!("/v1/accounts/{}/statement?format=csv&from=2024-01-01&to=2024-12-31", ids[1]);
    file(&api.client, &year, "en").await;
    let this_month = file(&api.client, &format!("/v1/accounts/{}/statement?format=csv", ids[1]), "en").await;
    assert!(String::from_utf8(this_month.bytes).unwrap().contains(",Opening balance,,,0.00,BRL,"));
    let stranger = api.another("tea-town", "ledger:read").await;
    assert_eq!(stranger.get(&year).await.status.as_u16(), 404);
    let blind = api.another("blind-town", "ledger:write").await;
    assert_eq!(blind.get(&year).await.status.as_u16(), 403);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_picked_by_type_direction_and_amount() {
    let api = Api::create().await;
    let id = busy_march(&api.client).await;
    api.client
        .post(
            "/v1/holds",
            &json!({"from": "ana", "amount": {"amount": "3.00", "asset": "BRL"}, "expires_at": api.in_days(2)}),
        )
        .await
        .expect(201);
    let count = async |query: &str| {
        let (mut lines, mut cursor) = (0, String::new());
        loop {
            let page =
                api.client.get(&format!("/v1/accounts/{id}/entries?limit=100&{query}{cursor}")).await.expect(200);
            lines += page["entries"].as_array().unwrap().len();
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return lines,
            }
        }
    };
    assert_eq!(count("direction=out").await, 401);
    assert_eq!(count("direction=in").await, 802 + 3);
    assert_eq!(count("direction=out&min=12.00").await, 2);
    assert_eq!(count("min=10.01&max=10.02").await, 2);
    assert_eq!(count("type=reversal").await, 0);
    assert_eq!(count("type=hold").await, 1);
    assert_eq!(count("type=posting&max=0.03").await, 3);
    for bad in ["direction=up", "type=gift", "min=-1", "min=1.001", "max=ten"] {
        api.client.get(&format!("/v1/accounts/{id}/entries?{bad}")).await.expect(422);
    }
    api.close().await;
}
