//! What terminals say that makes no sense is refused, whatever it is, and nothing breaks or begins by it.

use reqwest::Method;
use serde_json::{Value, json};
use vintem_tests::api::read;
use vintem_tests::guides::{guide, unnamed};
use vintem_tests::stall::{REVERSALS, Stall, brl, cancel, capture, charge, close, is, name, refund, refused};

/// Codes that terminals never meet.
const NOT_FOR_TERMINALS: usize = 31;

#[test]
fn the_guide_names_every_code_that_a_terminal_meets() {
    assert_eq!(unnamed(&guide("terminal-guide.md")), NOT_FOR_TERMINALS, "a code is new: does a terminal meet it?");
}

/// Members of a charge, and what they may not be.
fn members() -> Vec<(&'static str, Value)> {
    vec![
        ("seq", json!("900")),
        ("seq", json!(0)),
        ("seq", json!(-1)),
        ("seq", json!(1.5)),
        ("seq", json!(i64::MAX)),
        ("amount", json!("1.00")),
        ("amount", json!({"amount": 1, "asset": "BRL"})),
        ("amount", brl("0.00")),
        ("amount", brl("-1.00")),
        ("amount", brl("1.001")),
        ("amount", brl("99999999999999999999999999")),
        ("amount", json!({"amount": "1.00", "asset": "B\u{0}L"})),
        ("expires_in", json!("300")),
        ("expires_in", json!(901)),
        ("expires_in", json!(70_000)),
        ("capture", json!("later")),
        ("reference", json!("a\u{0}b")),
        ("reference", json!("x".repeat(26))),
        ("operator_id", json!("Ana Maria")),
        ("local_time", json!("noon\u{0}")),
        ("colour", json!("blue")),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_told_so_and_breaks_nothing() {
    let stall = Stall::open().await;
    let (till, good) = (&stall.till, stall.asked("9.00", "manual").await);
    let with = |member: &str, value: Value| {
        let mut body = json!({"amount": brl("1.00"), "seq": stall.next()});
        body[member] = value;
        body
    };
    for (member, value) in members() {
        let refusal = till.put(&charge(&name()), &with(member, value.clone())).await.expect(422);
        let pointer = refusal["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned();
        assert!(pointer.starts_with(&format!("/{member}")), "{member} {value}: {refusal}");
    }
    let tally = |captures: Value, asset: &str| {
        let none = json!({"count": 0, "amount": "0.00"});
        json!({"last_seq": 1, "counted": [{"asset": asset, "captures": captures, "refunds": none, "reversals": none}]})
    };
    let (money, long) = (json!({"amount": brl("1.00"), "reason": "customer"}), "A".repeat(36));
    for (method, path, body) in [
        ("PUT", charge(&long), with("seq", json!(901))),
        ("PUT", charge("AAAAAAAAAAAAAAAAAAAAAAAAAAA%00"), with("seq", json!(902))),
        ("GET", charge(&long), Value::Null),
        ("GET", charge("%00"), Value::Null),
        ("GET", charge("%FF%FE"), Value::Null),
        ("GET", format!("{}?wait=soon", charge(&good)), Value::Null),
        ("POST", capture(&good), json!({"amount": brl("1.00"), "final": "yes"})),
        ("POST", capture(&good), json!({"amount": {"amount": "1.00", "asset": "B\u{0}L"}})),
        ("POST", cancel(&good), json!({"why": "x"})),
        ("POST", cancel(&good), json!([])),
        ("PUT", refund(&good, "short"), money.clone()),
        ("PUT", refund(&good, "reversal"), money.clone()),
        ("PUT", refund(&good, &name()), json!({"amount": brl("1.00"), "reason": "whim"})),
        ("GET", refund(&good, "%00"), Value::Null),
        ("POST", REVERSALS.to_owned(), json!({"txid": long, "reason": "timeout", "seq": 903})),
        ("POST", REVERSALS.to_owned(), json!({"txid": "A\u{0}".repeat(13), "reason": "timeout", "seq": 904})),
        ("POST", REVERSALS.to_owned(), json!({"txid": name(), "reason": "timeout", "seq": "905"})),
        ("POST", close(1), tally(json!({"count": "1", "amount": "1.00"}), "BRL")),
        ("POST", close(1), tally(json!({"count": -1, "amount": "1.00"}), "BRL")),
        ("POST", close(1), tally(json!({"count": 1, "amount": "99999999999999999999"}), "BRL")),
        ("POST", close(1), tally(json!({"count": 1, "amount": "1.00"}), "B\u{0}L")),
        ("POST", close(1), json!({"last_seq": -1})),
        ("POST", close(1), json!({"last_seq": i64::MAX})),
        ("POST", close(i64::from(i32::MIN)), json!({"last_seq": 0})),
        ("POST", close(i64::from(i32::MAX)), json!({"last_seq": 0})),
        ("GET", "/v1/terminal/batches/-1".to_owned(), Value::Null),
        ("GET", "/v1/terminal/batches/99999999999".to_owned(), Value::Null),
    ] {
        let request = till.request(method.parse().unwrap(), &path).header("Idempotency-Key", name());
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = read(request).await;
        let what = format!("{method} {path} {body}: {} {}", answer.status, String::from_utf8_lossy(&answer.bytes));
        assert!(answer.status.is_client_error() && !answer.code().is_empty(), "{what}");
    }
    assert_eq!(
        refused(&read(till.request(Method::POST, &cancel(&good)).json(&json!({}))).await),
        is(400, "idempotency-key-missing")
    );
    assert_eq!(till.get(&charge(&good)).await.expect(200)["status"], "created");
    stall.close().await;
}
