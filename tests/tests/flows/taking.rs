//! Terminals take money through a real nginx: asked for, paid on a telephone, captured, given back, taken back, and counted at the day's end.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::join;
use vintem_tests::api::read;
use vintem_tests::shops::confirm;
use vintem_tests::stall::{
    RESOLUTIONS, REVERSALS, Stall, assert_replayed, brl, cancel, capture, charge, close, has, is, name, refund, refused,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_asked_for_once_and_paid_by_its_code_while_its_till_waits() {
    let stall = Stall::open().await;
    let (till, her, txid) = (&stall.till, &stall.her, name());
    let body = stall.wants("12.50");
    let made = till.put(&charge(&txid), &body).await.expect(201);
    assert_eq!((&made["status"], &made["txid"], &made["captured"]), (&json!("created"), &json!(txid), &brl("0.00")));
    assert_eq!(till.put(&charge(&txid), &body).await.expect(200), made);
    let mut other = body.clone();
    other["seq"] = json!(stall.next());
    assert_eq!(refused(&till.put(&charge(&txid), &other).await), is(422, "idempotency-mismatch"));
    assert_eq!(till.get("/v1/terminal/transactions/last").await.expect(200), made);

    let resolved = her.ask(RESOLUTIONS, &json!({"qr": made["qr"]})).await.expect(200);
    assert_eq!((&resolved["charge_id"], &resolved["amount"]), (&made["id"], &brl("12.50")));
    assert_eq!(her.ask(RESOLUTIONS, &json!({"code": made["short_code"]})).await.expect(200), resolved);
    let (path, wait) = (confirm(&resolved), format!("{}?wait=20", charge(&txid)));
    let proof = her.pays(&resolved);
    let (seen, paid) = join!(till.get(&wait), her.post(&path, &proof));
    assert_eq!(paid.expect(200)["status"], "captured");
    let seen = seen.expect(200);
    assert_eq!((&seen["status"], &seen["captured"], &seen["qr"]), (&json!("captured"), &brl("12.50"), &Value::Null));
    assert_eq!(till.get(&wait).await.expect(200), seen, "what is over is not waited for");
    assert_eq!(till.put(&charge(&txid), &body).await.expect(200), seen, "asked once more, it is paid");
    assert_eq!(stall.has().await, has("87.50", "0.00"));
    assert_eq!(till.get(&format!("{}?wait=21", charge(&txid))).await.code(), "validation-failed");
    stall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_captured_in_part_or_given_up_and_the_rest_is_free() {
    let stall = Stall::open().await;
    let till = &stall.till;
    let txid = stall.asked("30.00", "manual").await;
    let part = json!({"amount": brl("18.00")});
    assert_eq!(refused(&till.post(&capture(&txid), &part).await), is(409, "invalid-state"), "nobody has confirmed");
    assert_eq!(stall.pays(&txid).await["status"], "authorised");
    let held = till.get(&format!("{}?wait=20", charge(&txid))).await.expect(200);
    assert_eq!((&held["status"], &held["authorised"]), (&json!("authorised"), &brl("30.00")));
    assert_eq!(stall.has().await, has("100.00", "30.00"));
    let much = json!({"amount": brl("30.01")});
    assert_eq!(refused(&till.post(&capture(&txid), &much).await), is(422, "capture-exceeds-hold"));
    let foreign = json!({"amount": {"amount": "1.00", "asset": "USD"}});
    assert_eq!(till.post(&capture(&txid), &foreign).await.expect(422)["errors"][0]["pointer"], "/amount/asset");
    let first = till.post_as("c1", &capture(&txid), &part).await;
    let said = first.expect(200);
    assert_eq!(
        (&said["status"], &said["captured"], &said["authorised"]),
        (&json!("captured"), &brl("18.00"), &brl("0.00"))
    );
    assert_eq!(stall.has().await, has("82.00", "0.00"));
    // What came later changes nothing of what was said.
    till.put(&refund(&txid, &name()), &json!({"amount": brl("1.00"), "reason": "customer"})).await.expect(201);
    assert_replayed(&first, &till.post_as("c1", &capture(&txid), &part).await);
    assert_eq!(refused(&till.post_as("c1", &capture(&txid), &json!({})).await), is(422, "idempotency-mismatch"));
    assert_eq!(refused(&till.post(&capture(&txid), &json!({})).await), is(409, "invalid-state"));

    let twice = stall.paid("20.00", "manual").await;
    let some = till.post(&capture(&twice), &json!({"amount": brl("5.00"), "final": false})).await.expect(200);
    assert_eq!((&some["captured"], &some["authorised"]), (&brl("5.00"), &brl("15.00")));
    let ended = till.post_as("x1", &cancel(&twice), &json!({})).await;
    assert_eq!((&ended.expect(200)["status"], stall.has().await), (&json!("captured"), has("78.00", "0.00")));
    assert_replayed(&ended, &till.post_as("x1", &cancel(&twice), &json!({})).await);
    let unpaid = stall.asked("7.00", "auto").await;
    let cancelled = till.post(&cancel(&unpaid), &json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(till.post(&cancel(&unpaid), &json!({})).await.expect(200), cancelled);
    assert_eq!(refused(&till.post(&capture(&unpaid), &json!({})).await), is(409, "invalid-state"));
    stall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_is_believed_whether_or_not_the_charge_ever_came() {
    let stall = Stall::open().await;
    let (till, txid) = (&stall.till, name());
    let (original, back) = (stall.wants("8.00"), stall.takes_back(&txid));
    assert_eq!(refused(&till.get(&charge(&txid)).await), is(404, "not-found"));
    let first = till.post_as("r1", REVERSALS, &back).await;
    assert_eq!(first.expect(200), json!({"txid": txid, "result": "tombstoned"}));
    assert_eq!(refused(&till.put(&charge(&txid), &original).await), is(409, "charge-reversed"));
    assert_eq!(refused(&till.get(&charge(&txid)).await), is(409, "charge-reversed"));
    assert_eq!(refused(&till.get("/v1/terminal/transactions/last").await), is(409, "charge-reversed"));
    let again = till.post_as("r2", REVERSALS, &back).await;
    assert_eq!(again.expect(200), json!({"txid": txid, "result": "already_reversed"}));
    assert_replayed(&first, &till.post_as("r1", REVERSALS, &back).await);
    assert_replayed(&again, &till.post_as("r2", REVERSALS, &back).await);
    let other = stall.takes_back(&name());
    assert_eq!(refused(&till.post_as("r1", REVERSALS, &other).await), is(422, "idempotency-mismatch"));

    for (amount, mode) in [("12.50", "auto"), ("13.50", "manual")] {
        let txid = stall.paid(amount, mode).await;
        let result = till.post(REVERSALS, &stall.takes_back(&txid)).await.expect(200);
        assert_eq!((&result["result"], stall.has().await), (&json!("reversed"), has("100.00", "0.00")));
        assert_eq!(till.get(&charge(&txid)).await.expect(200)["status"], "reversed");
        assert_eq!(refused(&till.post(&capture(&txid), &json!({})).await), is(409, "charge-reversed"));
    }
    // What was partly refunded is refunded whole.
    let txid = stall.paid("20.00", "auto").await;
    till.put(&refund(&txid, &name()), &json!({"amount": brl("4.00"), "reason": "fault"})).await.expect(201);
    let result = till.post(REVERSALS, &stall.takes_back(&txid)).await.expect(200);
    assert_eq!((&result["result"], stall.has().await), (&json!("refund_created"), has("100.00", "0.00")));
    let shown = till.get(&refund(&txid, "reversal")).await.expect(200);
    assert_eq!((&shown["status"], &shown["amount"]), (&json!("succeeded"), &brl("16.00")));
    stall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_captured_goes_back_in_parts_and_never_more_of_it() {
    let stall = Stall::open().await;
    let till = &stall.till;
    let (txid, id) = (stall.asked("20.00", "auto").await, name());
    let some = json!({"amount": brl("5.00"), "reason": "customer"});
    assert_eq!(refused(&till.put(&refund(&txid, &id), &some).await), is(409, "invalid-state"), "nothing was captured");
    stall.pays(&txid).await;
    let made = till.put(&refund(&txid, &id), &some).await.expect(201);
    assert_eq!(made, json!({"id": id, "status": "succeeded", "amount": brl("5.00")}));
    assert_eq!(till.put(&refund(&txid, &id), &some).await.expect(200), made);
    assert_eq!(till.get(&refund(&txid, &id)).await.expect(200), made);
    let other = json!({"amount": brl("5.01"), "reason": "customer"});
    assert_eq!(refused(&till.put(&refund(&txid, &id), &other).await), is(422, "idempotency-mismatch"));
    let much = json!({"amount": brl("15.01"), "reason": "customer"});
    assert_eq!(refused(&till.put(&refund(&txid, &name()), &much).await), is(422, "refund-exceeds-captured"));
    let shown = till.get(&charge(&txid)).await.expect(200);
    assert_eq!((&shown["status"], &shown["refunds"]), (&json!("partially_refunded"), &json!([made])));
    let rest = json!({"amount": brl("15.00"), "reason": "duplicate"});
    till.put(&refund(&txid, &name()), &rest).await.expect(201);
    assert_eq!(till.get(&charge(&txid)).await.expect(200)["status"], "refunded");
    assert_eq!(stall.has().await, has("100.00", "0.00"));
    assert_eq!(refused(&till.get(&refund(&txid, &name())).await), is(404, "not-found"));
    assert_eq!(refused(&till.put(&refund(&name(), &id), &some).await), is(404, "not-found"));
    stall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_have_numbers_and_clocks_and_are_of_one_terminal_alone() {
    let stall = Stall::open().await;
    let (till, other) = (&stall.till, stall.fleet.till("PX-2").await);
    let (txid, body) = (name(), stall.wants("12.50"));
    assert_eq!(refused(&till.get("/v1/terminal/transactions/last").await), is(404, "not-found"));
    till.put(&charge(&txid), &body).await.expect(201);
    // Another message under a number that was used.
    let conflicts = [
        till.put(&charge(&name()), &body).await,
        till.post(REVERSALS, &json!({"txid": txid, "reason": "fault", "seq": body["seq"]})).await,
    ];
    for conflict in conflicts {
        assert_eq!(refused(&conflict), is(409, "sequence-conflict"));
    }
    let mut early = stall.wants("12.50");
    early["local_time"] = json!((stall.fleet.office.now() - TimeDelta::minutes(9)).to_rfc3339());
    assert_eq!(refused(&till.put(&charge(&name()), &early).await), is(422, "clock-skew"));
    early["local_time"] = json!(stall.fleet.office.now().to_rfc3339());
    till.put(&charge(&name()), &early).await.expect(201);

    for path in [charge(&txid), refund(&txid, "reversal"), "/v1/terminal/transactions/last".to_owned()] {
        assert_eq!(refused(&other.get(&path).await), is(404, "not-found"), "{path}");
    }
    for path in [capture(&txid), cancel(&txid)] {
        assert_eq!(refused(&other.post(&path, &json!({})).await), is(404, "not-found"), "{path}");
    }
    // The same names and numbers at another terminal are another charge.
    let own = other.put(&charge(&txid), &body).await.expect(201);
    assert_ne!(own["id"], till.get(&charge(&txid)).await.expect(200)["id"]);

    let service = format!("/v1/admin/services/{}", stall.fleet.service);
    let client = &stall.fleet.client;
    let suspend = client.request(Method::PATCH, &service).header("Idempotency-Key", name());
    read(suspend.json(&json!({"status": "suspended"}))).await.expect(200);
    assert_eq!(refused(&till.put(&charge(&name()), &stall.wants("1.00")).await), is(409, "invalid-state"));
    till.put(&charge(&txid), &body).await.expect(200);
    till.post(REVERSALS, &stall.takes_back(&txid)).await.expect(200);
    stall.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_ends_with_a_report_that_stays_as_it_is() {
    let stall = Stall::open().await;
    let till = &stall.till;
    let nothing = till.get("/v1/terminal/totals").await.expect(200);
    assert_eq!(nothing, json!({"number": 1, "result": "open", "server_totals": [], "last_seq": 0}));
    let (kept, back) = (stall.paid("10.00", "auto").await, stall.paid("5.00", "auto").await);
    till.post(REVERSALS, &stall.takes_back(&back)).await.expect(200);
    till.put(&refund(&kept, &name()), &json!({"amount": brl("2.00"), "reason": "customer"})).await.expect(201);
    let sum = |count: i64, amount: &str| json!({"count": count, "amount": amount});
    let counted = |captured: &str| json!([{"asset": "BRL", "captures": sum(2, captured), "refunds": sum(1, "2.00"), "reversals": sum(1, "5.00")}]);
    let totals = till.get("/v1/terminal/totals").await.expect(200);
    assert_eq!((&totals["server_totals"], &totals["last_seq"]), (&counted("15.00"), &json!(3)));
    let closing = json!({"counted": counted("15.00"), "last_seq": 3});
    for number in [0, 2] {
        assert!(matches!(till.post(&close(number), &closing).await.status.as_u16(), 404 | 409), "{number}");
    }
    let first = till.post_as("z1", &close(1), &closing).await;
    let report = first.expect(200);
    assert_eq!((&report["result"], &report["counted"]), (&json!("balanced"), &counted("15.00")));

    // What comes later counts in the next one.
    till.put(&refund(&kept, &name()), &json!({"amount": brl("1.00"), "reason": "fault"})).await.expect(201);
    assert_eq!(till.post(REVERSALS, &stall.takes_back(&kept)).await.expect(200)["result"], "refund_created");
    assert_replayed(&first, &till.post_as("z1", &close(1), &closing).await);
    assert_eq!(till.get("/v1/terminal/batches/1").await.expect(200), report);
    assert_eq!(till.post(&close(1), &closing).await.expect(200), report);
    let corrected = json!({"counted": counted("15.01"), "last_seq": 3});
    assert_eq!(refused(&till.post(&close(1), &corrected).await), is(409, "invalid-state"));

    // A number that never came, and one that the terminal does not know of.
    stall.next();
    let unknown = stall.asked("3.00", "auto").await;
    let lost = json!({"counted": [], "last_seq": 5});
    let report = till.post(&close(2), &lost).await.expect(200);
    assert_eq!((&report["result"], &report["missing"]), (&json!("mismatch"), &json!([5])));
    assert_eq!(report["unknown"], json!([unknown]));
    assert_eq!(report["server_totals"][0]["refunds"], sum(2, "8.00"));
    assert_eq!(till.get("/v1/terminal/batches/2").await.expect(200), report);
    assert_eq!(till.get("/v1/terminal/totals").await.expect(200)["number"], 3);
    assert_eq!(refused(&till.get("/v1/terminal/batches/4").await), is(404, "not-found"));
    stall.close().await;
}
