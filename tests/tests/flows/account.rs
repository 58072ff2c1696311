//! What citizens see of their own account, how they stop it, and what they may ask for of what is known of them.

use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use vintem_core::event_store::fresh;
use vintem_core::telemetry::clock;
use vintem_tests::client::Client;
use vintem_tests::phone::{PASSWORD, Person, Phone, Town, enrolment, verify};
use vintem_tests::staff::TENANT;
use vintem_tests::vault::eventually;

const PATIENCE: Duration = Duration::from_secs(20);

fn brl(amount: &str) -> Value {
    json!({"amount": amount, "asset": "BRL"})
}

/// A town with two citizens, of whom the first has some money.
async fn two() -> (Town, (Person, Phone), Phone) {
    let town = Town::create().await;
    let (ana, (_, bia)) = (town.citizen(1).await, town.citizen(2).await);
    town.issue(&ana.1, "100.00").await;
    (town, ana, bia)
}

/// The same person on another telephone, which is the only one from then on. The code is in the letter of this number.
async fn recovered(town: &Town, person: &Person, letter: usize) -> Phone {
    let mut phone = town.phone();
    let who = json!({"tenant": TENANT, "cpf": person.cpf});
    let sent = phone.knock("/v1/recoveries", &who).await.expect(202);
    let code = town.code(person, letter).await;
    phone.tokens = phone.knock(&verify("recoveries", &sent), &enrolment(&code)).await.expect(201);
    phone
}

/// Pays, as a program of the tenant does.
async fn pay(client: &Client, from: &str, to: &str, amount: &str) -> Value {
    let body = json!({"from": from, "to": to, "amount": brl(amount), "description": "Pão", "metadata": {"risk": "7"}});
    client.post("/v1/transactions", &body).await.expect(201)
}

#[tokio::test(flavor = "multi_thread")]
async fn citizens_see_their_own_account_and_nobody_elses() {
    let (town, (_, ana), bia) = two().await;
    let client = &town.office.client;
    let paid = pay(client, ana.account(), bia.account(), "12.50").await;
    let account = ana.get("/v1/account").await.expect(200);
    assert_eq!(
        (&account["id"], &account["asset"], &account["status"]),
        (&json!(ana.account()), &json!("BRL"), &json!("open"))
    );
    assert!(account["opened"].as_str().is_some());
    let balance = ana.get("/v1/account/balance").await.expect(200);
    let shown = ["available", "held", "pending_in", "total"].map(|name| balance[name].as_str().unwrap().to_owned());
    assert_eq!(shown, ["87.50", "0.00", "0.00", "87.50"]);
    assert!(balance["position"].as_i64() >= paid["position"].as_i64() && balance["as_of"].is_string());

    // The same lines as a program reads, less what programs have noted.
    let own = ana.get("/v1/account/entries?limit=1&direction=out").await.expect(200);
    let line = &own["entries"][0];
    assert_eq!(
        (&line["amount"], &line["description"], &line["metadata"]),
        (&json!("-12.50"), &json!("Pão"), &json!({}))
    );
    let theirs = client.get(&format!("/v1/accounts/{}/entries?direction=out", ana.account())).await.expect(200);
    assert_eq!(theirs["entries"][0]["metadata"], json!({"risk": "7"}));
    assert!(!ana.get("/v1/account/entries").await.expect(200).to_string().contains(bia.account()));
    let first = ana.get("/v1/account/entries?limit=1").await.expect(200);
    let cursor = first["next"].as_str().unwrap().to_owned();
    let next = ana.get(&format!("/v1/account/entries?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(next["entries"][0]["transaction"], paid["id"]);
    assert_eq!(bia.get(&format!("/v1/account/entries?limit=1&cursor={cursor}")).await.status.as_u16(), 422);
    let csv = ana.get("/v1/account/statement?format=csv").await;
    assert!(csv.status.is_success() && String::from_utf8_lossy(&csv.bytes).contains("87.50"));

    // What is for programs and staff is not for citizens, and the other way round.
    for path in
        [format!("/v1/accounts/{}", ana.account()), format!("/v1/transactions/{}", paid["id"].as_str().unwrap())]
    {
        assert_eq!(ana.get(&path).await.code(), "forbidden", "{path}");
    }
    for path in ["/v1/account", "/v1/account/balance", "/v1/account/entries", "/v1/account/events", "/v1/notifications"]
    {
        assert_eq!(client.get(path).await.code(), "forbidden", "{path}");
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_for_those_whom_it_names_and_names_no_others() {
    let (town, (_, ana), bia) = two().await;
    let client = &town.office.client;
    let eva = town.citizen(3).await.1;
    client.post("/v1/accounts", &json!({"name": "system:fees", "asset": "BRL"})).await.expect(201);
    let leg = |account: &str, direction: &str, amount: &str| json!({"account": account, "direction": direction, "amount": brl(amount)});
    let post = async |legs: Value| client.post("/v1/transactions", &json!({"legs": legs})).await.expect(201);
    let receipt =
        |transaction: &Value| format!("/v1/account/transactions/{}/receipt", transaction["id"].as_str().unwrap());

    let paid = pay(client, ana.account(), bia.account(), "12.50").await;
    let with_fee = post(json!([
        leg(ana.account(), "debit", "1.10"),
        leg(bia.account(), "credit", "1.00"),
        leg("system:fees", "credit", "0.10")
    ]))
    .await;
    for transaction in [&paid, &with_fee] {
        let of_ana = ana.get(&receipt(transaction)).await.expect(200);
        assert_eq!(bia.get(&receipt(transaction)).await.expect(200), of_ana);
        assert_eq!(
            client.get(&format!("/v1/transactions/{}/receipt", transaction["id"].as_str().unwrap())).await.expect(200),
            of_ana
        );
        // Somebody else's is not there.
        assert_eq!(eva.get(&receipt(transaction)).await.code(), "not-found");
    }
    let body = json!({"account": ana.account(), "amount": brl("1.00"), "reference": "TED/2"});
    let issued = client.post("/v1/issuances", &body).await.expect(201);
    ana.get(&receipt(&issued["transaction"])).await.expect(200);
    // It would name people who have nothing to do with each other.
    let shared = post(json!([
        leg(ana.account(), "debit", "2.00"),
        leg(bia.account(), "credit", "1.00"),
        leg(eva.account(), "credit", "1.00")
    ]))
    .await;
    for citizen in [&ana, &bia, &eva] {
        assert_eq!(citizen.get(&receipt(&shared)).await.code(), "not-found");
    }
    let events = ana.get("/v1/notifications?limit=100").await.expect(200);
    let of = |transaction: &Value| {
        events["notifications"]
            .as_array()
            .unwrap()
            .iter()
            .find(|event| event["transaction"] == transaction["id"])
            .unwrap()
    };
    assert_eq!(of(&with_fee)["counterparty"], json!(bia.account()));
    assert!(of(&shared)["counterparty"].is_null() && !of(&shared).to_string().contains(eva.account()));
    for nobodys in ["01983d6c-8a00-7000-8000-0000000000ff", "none"] {
        let path = format!("/v1/account/transactions/{nobodys}/receipt");
        assert_eq!(ana.get(&path).await.code(), "not-found");
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_is_easy_and_starting_is_hard() {
    let (town, (person, ana), bia) = two().await;
    let client = &town.office.client;
    assert_eq!(ana.post("/v1/account/close", &json!({})).await.code(), "invalid-state");
    assert_eq!(
        ana.post("/v1/account/freeze", &json!({"reason": "João has my phone"})).await.code(),
        "validation-failed"
    );
    let (key, why) = (fresh::new_id().to_string(), json!({"reason": "stolen-device"}));
    let frozen = ana.post_as(&key, "/v1/account/freeze", &why).await.expect(200);
    assert_eq!(frozen["status"], "frozen");
    assert_eq!(ana.post_as(&key, "/v1/account/freeze", &why).await.expect(200), frozen);
    let refused = client.moves(ana.account(), bia.account(), "1.00").await;
    assert_eq!(refused.code(), "account-frozen");
    for path in ["/v1/account/close", "/v1/account/freeze", "/v1/privacy/erasures"] {
        assert_eq!(ana.post(path, &json!({})).await.code(), "invalid-state", "{path}");
    }
    // There is no way back from there but a recovery,
    assert_eq!(ana.post("/v1/account/unfreeze", &json!({})).await.code(), "not-found");
    let theirs = format!("/v1/accounts/{}", ana.account());
    assert_eq!(ana.post(&format!("{theirs}/unfreeze"), &json!({})).await.code(), "forbidden");
    let ana = recovered(&town, &person, 2).await;
    assert_eq!(ana.get("/v1/account").await.expect(200)["status"], "open");
    // which does not lift what the back office did.
    client.post(&format!("{theirs}/freeze"), &json!({"reason": "looked into"})).await.expect(200);
    assert_eq!(ana.post("/v1/account/freeze", &json!({})).await.code(), "invalid-state");
    let ana = recovered(&town, &person, 3).await;
    assert_eq!(ana.get("/v1/account").await.expect(200)["status"], "frozen");
    assert!(!ana.get("/v1/notifications").await.expect(200).to_string().contains("looked into"));
    client.post(&format!("{theirs}/unfreeze"), &json!({})).await.expect(200);

    client.moves(ana.account(), bia.account(), "100.00").await.expect(201);
    assert_eq!(ana.post("/v1/account/close", &json!({})).await.expect(200)["status"], "closed");
    assert_eq!(ana.post("/v1/account/freeze", &json!({})).await.code(), "account-closed");
    assert_eq!(client.moves(bia.account(), ana.account(), "1.00").await.code(), "account-closed");
    town.close().await;
}

/// What a stream says until it has sent so many events, or ends.
async fn heard(citizen: &Phone, after: Option<i64>, count: usize) -> tokio::task::JoinHandle<Vec<Value>> {
    let request = citizen.request(Method::GET, "/v1/account/events");
    let request = after.into_iter().fold(request, |request, id| request.header("Last-Event-ID", id));
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    let mut chunks = response.bytes_stream();
    // The first message says from where it listens.
    let first = timeout(PATIENCE, chunks.next()).await.unwrap().unwrap().unwrap();
    assert!(first.starts_with(b"id: "), "{first:?}");
    tokio::spawn(async move {
        let mut text = String::from_utf8(first.to_vec()).unwrap();
        while text.matches("\ndata: ").count() < count {
            let Some(chunk) = timeout(PATIENCE, chunks.next()).await.expect("the stream is silent") else { break };
            text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|data| serde_json::from_str(data).unwrap()).collect()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_touches_an_account_is_pushed_to_its_owner_and_listed() {
    let (town, (person, ana), bia) = two().await;
    let client = &town.office.client;
    let eva = town.citizen(3).await.1;
    let listening = heard(&ana, None, 5).await;
    town.issue(&eva, "5.00").await;
    pay(client, eva.account(), bia.account(), "5.00").await;
    let paid = pay(client, ana.account(), bia.account(), "12.50").await;
    let tomorrow = (clock::now() + chrono::Duration::days(1)).to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let hold = client
        .post(
            "/v1/holds",
            &json!({"from": ana.account(), "to": bia.account(), "amount": brl("10.00"), "expires_at": tomorrow}),
        )
        .await
        .expect(201);
    client.post(&format!("/v1/accounts/{}/freeze", ana.account()), &json!({"reason": "a secret"})).await.expect(200);
    client.post(&format!("/v1/accounts/{}/unfreeze", ana.account()), &json!({})).await.expect(200);
    let again = ana.sign_in(&person, PASSWORD).await.expect(201);
    let pushed = listening.await.unwrap();
    let kinds: Vec<&str> = pushed.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["transaction.posted", "hold.placed", "account.changed", "account.changed", "citizen.signed-in"]);
    let (payment, reserved, frozen, signed_in) = (&pushed[0], &pushed[1], &pushed[2], &pushed[4]);
    assert_eq!((&payment["transaction"], &payment["amount"]), (&paid["id"], &json!("-12.50")));
    assert_eq!((&payment["counterparty"], &payment["balance"]["available"]), (&json!(bia.account()), &json!("87.50")));
    assert_eq!(
        (&reserved["hold"], &reserved["held"], &reserved["balance"]["available"]),
        (&hold["id"], &json!("10.00"), &json!("77.50"))
    );
    assert_eq!((&frozen["status"], frozen.get("reason")), (&json!("frozen"), None));
    assert_eq!(signed_in["session"], again["session_id"]);
    let text = json!(pushed).to_string();
    for others in ["secret", "risk", eva.account(), eva.citizen(), bia.citizen()] {
        assert!(!text.contains(others), "{others} in {text}");
    }

    // The list has the same, the newest first, in pages of any size.
    let (mut listed, mut path) = (Vec::new(), "/v1/notifications?limit=3".to_owned());
    loop {
        let page = ana.get(&path).await.expect(200);
        listed.extend(page["notifications"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/notifications?limit=3&cursor={next}");
    }
    let mut newest: Vec<Value> = pushed.clone();
    newest.reverse();
    assert_eq!(listed[..5], newest[..]);
    let positions: Vec<i64> = listed.iter().map(|event| event["position"].as_i64().unwrap()).collect();
    assert!(positions.is_sorted_by(|a, b| a > b), "{positions:?}");
    let oldest: Vec<&str> = listed.iter().rev().take(3).map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(oldest, ["account.opened", "citizen.registered", "citizen.signed-in"]);

    // Who comes back hears what they have missed, and nothing twice.
    let missed = heard(&ana, payment["position"].as_i64(), 4).await.await.unwrap();
    assert_eq!(missed, pushed[1..]);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_session_and_with_the_next_one() {
    let (town, (person, ana), _) = two().await;
    let first = heard(&ana, None, 100).await;
    let second = heard(&ana, None, 100).await;
    assert_eq!(timeout(PATIENCE, first).await.expect("a session has one stream").unwrap(), Vec::<Value>::new());
    let again = ana.sign_in(&person, PASSWORD).await.expect(201);
    let mut next = ana.clone();
    next.tokens = again;
    let ended = next.delete(&format!("/v1/sessions/{}", ana.tokens["session_id"].as_str().unwrap())).await;
    assert_eq!(ended.status.as_u16(), 204);
    timeout(PATIENCE, second).await.expect("a session that ended has no stream").unwrap();
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_take_along_what_is_known_of_them_and_have_it_forgotten() {
    let (town, (person, ana), bia) = two().await;
    let client = &town.office.client;
    let export = ana.ask("/v1/privacy/exports", &json!({})).await.expect(200);
    assert_eq!((&export["holder"]["cpf"], &export["holder"]["name"]), (&json!(person.cpf), &json!(person.name)));
    assert_eq!((&export["account"]["id"], &export["balance"]["total"]), (&json!(ana.account()), &json!("100.00")));
    assert_eq!(
        (export["devices"].as_array().unwrap().len(), &export["sessions"][0]["id"]),
        (1, &ana.tokens["session_id"])
    );
    assert_eq!((&export["limits"][1]["per"], &export["limits"][1]["amount"]), (&json!("day"), &json!("10000.00")));
    let looks =
        client.get(&format!("/v1/audit-events?subject={}&kind=holder.unmasked", ana.citizen())).await.expect(200);
    let text = looks.to_string();
    assert!(text.contains("portability") && text.contains(&format!("citizen:{}", ana.citizen())), "{text}");
    let unmask = format!("/v1/holders/{}/unmask", ana.citizen());
    assert_eq!(client.post(&unmask, &json!({"reason": "portability"})).await.code(), "validation-failed");

    let refused = ana.post("/v1/privacy/erasures", &json!({})).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (409, "invalid-state"));
    assert_eq!(ana.get("/v1/account").await.expect(200)["status"], "open");
    pay(client, ana.account(), bia.account(), "100.00").await;
    let erasure = ana.post("/v1/privacy/erasures", &json!({})).await.expect(200);
    let at = erasure["erased_at"].as_str().unwrap();
    assert!(
        erasure["erased"]
            .as_array()
            .unwrap()
            .iter()
            .any(|gone| gone["category"] == "cpf" && gone["complete_in_backups_by"].as_str().unwrap() > at)
    );
    assert!(
        erasure["retained"]
            .as_array()
            .unwrap()
            .iter()
            .any(|kept| kept["category"] == "movements" && kept["until"].as_str().unwrap() > at)
    );
    let is_out = eventually(PATIENCE, async || ana.get("/v1/account").await.status.as_u16() == 401).await;
    assert!(is_out, "the sessions of the erased go on");
    assert_eq!(ana.sign_in(&person, PASSWORD).await.code(), "unauthenticated");
    let known = client.get(&format!("/v1/holders/{}", ana.citizen())).await.expect(200);
    assert_eq!((&known["status"], known.get("name")), (&json!("erased"), None));
    let account = client.get(&format!("/v1/accounts/{}", ana.account())).await.expect(200);
    assert_eq!(account["status"], "closed");
    let mut session = town.office.secrets.store.superuser().await;
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM citizen_credential").fetch_one(&mut session).await.unwrap();
    assert_eq!(left, 1);
    town.close().await;
}
