//! Money in and out: it is created once, put aside at once, and nothing of it is lost whatever the bank says.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use vintem_core::access::settings::{Change, LegalMode};
use vintem_core::access::{change_tenant, find_tenant};
use vintem_core::event_store::retention::AnswerRetention;
use vintem_core::event_store::{Limits, Shard, fresh};
use vintem_core::look_ups::AllLookUps;
use vintem_core::payments::funding::settler::Settler;
use vintem_core::telemetry::clock;
use vintem_tests::api::Read;
use vintem_tests::phone::{PIN, Phone, Town, another};
use vintem_tests::staff::TENANT;

/// A sandbox with citizens, and what follows their orders.
pub(super) struct Sandbox {
    pub(super) town: Town,
    writer: Shard,
    session: PgConnection,
}

impl Sandbox {
    pub(super) async fn create() -> Self {
        let town = Town::create().await;
        let store = &town.office.secrets.store;
        let mut operator = store.session("vintem_operator").await;
        let tenant = find_tenant(&mut operator, TENANT).await.unwrap().tenant;
        let change = Change { legal_mode: Some(LegalMode::Sandbox), ..Change::default() };
        let writer = Shard::start(0, store.writer(), Arc::new(AllLookUps), Limits::default());
        assert!(change_tenant(&mut operator, |_| writer.clone(), tenant, &change).await.unwrap());
        Self { session: store.superuser().await, writer, town }
    }

    /// Does what the worker does, once, some time from now; answers how many orders were done with.
    pub(super) async fn follows(&mut self, later: TimeDelta) -> usize {
        let due = sqlx::query("UPDATE job SET run_at = now() WHERE kind = 'settle-funding'");
        due.execute(&mut self.session).await.unwrap();
        let pool = self.town.office.secrets.store.pool("vintem_writer");
        let outside = Arc::new(move || clock::now() + later);
        Settler::new(pool, 0, self.writer.clone(), outside).tick().await.unwrap()
    }

    pub(super) async fn jobs(&mut self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM job WHERE kind = 'settle-funding'");
        count.fetch_one(&mut self.session).await.unwrap()
    }

    /// What is posted on an account, in minor units.
    pub(super) async fn posted(&self, account: &str) -> i64 {
        self.town.office.secrets.store.posted(account).await
    }

    pub(super) async fn has(&self, citizen: &Phone) -> i64 {
        self.posted(&format!("citizen:{}", citizen.citizen())).await
    }

    /// Deletes the bytes of all answers.
    async fn forgets(&self) {
        let pool = self.town.office.secrets.store.pool("vintem_writer");
        AnswerRetention::new(pool, 0, Duration::ZERO, fresh::new_id()).tick().await.unwrap();
    }

    pub(super) async fn citizen(&self, number: u32) -> Phone {
        self.town.citizen(number).await.1
    }

    /// Somebody who has brought money in.
    pub(super) async fn rich(&mut self, number: u32, amount: &str) -> Phone {
        let citizen = self.citizen(number).await;
        top_up(&citizen, amount).await.expect(201);
        assert_eq!(self.follows(TimeDelta::zero()).await, 1);
        citizen
    }

    pub(super) async fn close(self) {
        self.session.close().await.unwrap();
        self.town.close().await;
    }
}

pub(super) fn brl(amount: &str) -> Value {
    json!({"amount": amount, "asset": "BRL"})
}

pub(super) fn id(answer: &Value) -> &str {
    answer["id"].as_str().unwrap()
}

pub(super) async fn top_up(citizen: &Phone, amount: &str) -> Read {
    citizen.post("/v1/top-ups", &json!({"amount": brl(amount), "method": "simulated"})).await
}

async fn ask(citizen: &Phone, amount: &str) -> Value {
    citizen.post("/v1/withdrawals", &json!({"amount": brl(amount)})).await.expect(201)
}

/// What confirms a withdrawal that was just asked for, made without the product's code.
pub(super) fn proof(citizen: &Phone, asked: &Value, pin: &str) -> Value {
    let (id, nonce) = (id(asked), asked["nonce"].as_str().unwrap());
    let amount = asked["amount"]["amount"].as_str().unwrap();
    let said = format!(r#"{{"amount":"{amount}","asset":"BRL","intent_id":"{id}","nonce":"{nonce}","payee":"{id}"}}"#);
    json!({"pin": pin, "device_signature": citizen.device.sign_bytes(said.as_bytes())})
}

pub(super) async fn withdraw(citizen: &Phone, amount: &str) -> Read {
    let asked = ask(citizen, amount).await;
    citizen.post(&format!("/v1/withdrawals/{}/confirm", id(&asked)), &proof(citizen, &asked, PIN)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_top_up_is_credited_once_against_what_backs_it() {
    let mut town = Sandbox::create().await;
    let (ana, rui) = (town.citizen(1).await, town.citizen(2).await);
    let body = json!({"amount": brl("100.00"), "method": "simulated"});
    let first = ana.post_as("t-1", "/v1/top-ups", &body).await;
    let asked = first.expect(201);
    assert_eq!((&asked["status"], &asked["amount"]), (&json!("awaiting_funds"), &brl("100.00")));
    assert!(asked["instructions"].is_string() && asked["expires_at"].is_string() && asked["credited_at"].is_null());
    let path = format!("/v1/top-ups/{}", id(&asked));
    assert_eq!(ana.get(&path).await.expect(200), asked, "it stands as it was answered");
    assert_eq!(town.follows(TimeDelta::zero()).await, 1);
    let credited = ana.get(&path).await.expect(200);
    assert_eq!(credited["status"], "credited");
    assert_eq!((town.has(&ana).await, town.posted("system:issued").await), (10_000, 10_000));
    let transaction = format!("/v1/transactions/{}", credited["transaction"].as_str().unwrap());
    assert_eq!(town.town.office.client.get(&transaction).await.expect(200)["payment"], asked["id"]);
    // The answer is the first one, also when its bytes are gone; and a job that comes back creates nothing.
    for is_gone in [false, true] {
        if is_gone {
            town.forgets().await;
        }
        let replay = ana.post_as("t-1", "/v1/top-ups", &body).await;
        assert_eq!((replay.status, &replay.bytes), (first.status, &first.bytes), "gone: {is_gone}");
    }
    let tenant: Uuid = sqlx::query_scalar("SELECT tenant FROM tenant").fetch_one(&mut town.session).await.unwrap();
    let again = json!({"tenant": tenant, "order": asked["id"]}).to_string();
    let asks = sqlx::query(
        "INSERT INTO job (shard, run_at, kind, key, payload) VALUES (0, now(), 'settle-funding', 'x', $1::json)",
    );
    asks.bind(again).execute(&mut town.session).await.unwrap();
    assert_eq!((town.follows(TimeDelta::zero()).await, town.has(&ana).await), (1, 10_000));
    rui.get(&path).await.expect(404);
    rui.get(&format!("/v1/withdrawals/{}", id(&asked))).await.expect(404);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_funded_in_time_is_never_credited() {
    let mut town = Sandbox::create().await;
    let ana = town.citizen(1).await;
    let (never, hour, late) = (top_up(&ana, "10.01").await, top_up(&ana, "10.02").await, top_up(&ana, "10.04").await);
    let [never, hour, late] = [never, hour, late].map(|read| format!("/v1/top-ups/{}", id(&read.expect(201))));
    let status = async |path: &str| ana.get(path).await.expect(200)["status"].as_str().unwrap().to_owned();
    assert_eq!(town.follows(TimeDelta::zero()).await, 1, "of the one that is never funded nothing is to be followed");
    for path in [&never, &hour, &late] {
        assert_eq!(status(path).await, "awaiting_funds");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    // What comes too late is refused by the writer's clock, whatever the bank's says.
    assert_eq!(town.follows(TimeDelta::seconds(2)).await, 1);
    assert_eq!((status(&never).await, status(&late).await), ("expired".to_owned(), "unclaimed".to_owned()));
    assert_eq!(status(&hour).await, "awaiting_funds");
    assert_eq!((town.follows(TimeDelta::hours(1)).await, town.jobs().await), (1, 0));
    assert_eq!((status(&hour).await, town.has(&ana).await), ("credited".to_owned(), 1_002));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_takes_signature_and_pin_and_puts_the_amount_aside_at_once() {
    let mut town = Sandbox::create().await;
    let (ana, rui) = (town.rich(1, "100.00").await, town.citizen(2).await);
    let asked = ask(&ana, "40.00").await;
    assert_eq!((&asked["status"], town.has(&ana).await), (&json!("requires_confirmation"), 10_000));
    let (path, confirm) =
        (format!("/v1/withdrawals/{}", id(&asked)), format!("/v1/withdrawals/{}/confirm", id(&asked)));
    assert_eq!(ana.get(&path).await.expect(200), asked);
    let mut foreign = proof(&ana, &asked, PIN);
    foreign["device_signature"] = proof(&rui, &asked, PIN)["device_signature"].clone();
    assert_eq!(ana.post(&confirm, &foreign).await.expect(422)["code"], "signature-invalid");
    assert_eq!(ana.post(&confirm, &proof(&ana, &asked, &another(PIN))).await.expect(403)["code"], "pin-invalid");
    rui.post(&confirm, &proof(&rui, &asked, PIN)).await.expect(404);
    rui.get(&path).await.expect(404);
    assert_eq!((town.has(&ana).await, town.jobs().await), (10_000, 0), "nothing moved");
    let first = ana.post_as("w-1", &confirm, &proof(&ana, &asked, PIN)).await;
    let approved = first.expect(200);
    assert_eq!((&approved["status"], &approved["amount"]), (&json!("approved"), &brl("40.00")));
    assert_eq!(ana.get(&path).await.expect(200), approved, "it stands as it was answered");
    assert_eq!((town.has(&ana).await, town.posted("system:withdrawals").await), (6_000, 4_000));
    assert_eq!(ana.post(&confirm, &proof(&ana, &asked, PIN)).await.expect(409)["code"], "charge-already-paid");
    assert_eq!(town.follows(TimeDelta::zero()).await, 1);
    let paid = ana.get(&path).await.expect(200);
    assert_eq!((paid["status"].as_str(), paid["reference"].is_string()), (Some("paid"), true));
    assert_eq!((town.posted("system:withdrawals").await, town.posted("system:issued").await), (0, 6_000));
    town.forgets().await;
    // A PIN that is typed again under the same key is the same request, and its signature differs by chance.
    let replay = ana.post_as("w-1", &confirm, &proof(&ana, &asked, PIN)).await;
    assert_eq!((replay.status, &replay.bytes), (first.status, &first.bytes), "rendered anew");
    assert_eq!(withdraw(&ana, "60.01").await.expect(422)["code"], "insufficient-funds");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_rejects_comes_back_and_waits_for_an_account_that_is_frozen() {
    let mut town = Sandbox::create().await;
    let ana = town.rich(1, "100.00").await;
    let mut ids = Vec::new();
    for amount in ["10.02", "10.03", "10.04"] {
        ids.push(id(&withdraw(&ana, amount).await.expect(200)).to_owned());
    }
    assert_eq!(town.has(&ana).await, 10_000 - 3_009);
    let office = town.town.office.client.clone();
    let switch = async |word: &str, body: &Value| {
        office.post(&format!("/v1/accounts/{}/{word}", ana.account()), body).await.expect(200);
    };
    switch("freeze", &json!({"reason": "court order"})).await;
    assert_eq!((town.follows(TimeDelta::zero()).await, town.jobs().await), (0, 3));
    assert_eq!((town.has(&ana).await, town.posted("system:withdrawals").await), (10_000 - 3_009, 3_009));
    switch("unfreeze", &json!({})).await;
    assert_eq!(town.follows(TimeDelta::zero()).await, 2);
    let now = async |number: usize| ana.get(&format!("/v1/withdrawals/{}", ids[number])).await.expect(200);
    for (number, reason) in [(1, "refused-by-bank"), (2, "account-unknown")] {
        let rejected = now(number).await;
        assert_eq!((&rejected["status"], &rejected["reason"]), (&json!("rejected"), &json!(reason)));
        assert!(rejected["returned_by"].is_string());
    }
    assert_eq!((now(0).await["status"].as_str(), town.has(&ana).await), (Some("approved"), 10_000 - 1_002));
    assert_eq!(town.posted("system:withdrawals").await, 1_002);
    assert_eq!((town.follows(TimeDelta::hours(1)).await, town.jobs().await), (1, 0));
    assert_eq!(now(0).await["status"], "paid");
    assert_eq!((town.posted("system:withdrawals").await, town.posted("system:issued").await), (0, 10_000 - 1_002));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_counts_against_its_owners_limits() {
    let mut town = Sandbox::create().await;
    let ana = town.rich(1, "9000.00").await;
    assert_eq!(withdraw(&ana, "5000.01").await.expect(422)["code"], "limit-exceeded");
    ana.patch("/v1/limits", &json!({"day": "50.00"})).await.expect(200);
    withdraw(&ana, "30.03").await.expect(200);
    assert_eq!(withdraw(&ana, "30.00").await.expect(422)["code"], "limit-exceeded");
    assert_eq!(town.follows(TimeDelta::zero()).await, 1);
    assert_eq!(town.has(&ana).await, 900_000);
    assert_eq!(withdraw(&ana, "30.00").await.expect(422)["code"], "limit-exceeded", "a rejection wins nothing back");
    withdraw(&ana, "19.97").await.expect(200);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_played_with_in_sandboxes_only_and_asked_for_in_words_that_make_sense() {
    let town = Town::create().await;
    let (_, ana) = town.citizen(1).await;
    for (path, body) in [
        ("/v1/top-ups", json!({"amount": brl("1.00"), "method": "simulated"})),
        ("/v1/withdrawals", json!({"amount": brl("1.00")})),
    ] {
        let refused = ana.post(path, &body).await.expect(409);
        let expected = (&json!("invalid-state"), &json!("no funding is set up here"));
        assert_eq!((&refused["code"], &refused["detail"]), expected);
        town.office.client.post(path, &body).await.expect(403);
    }
    town.close().await;
    let town = Sandbox::create().await;
    let ana = town.citizen(1).await;
    for (path, body, pointer) in [
        ("/v1/top-ups", json!({"amount": brl("1.00"), "method": "pix"}), "/method"),
        ("/v1/top-ups", json!({"amount": brl("1.001"), "method": "simulated"}), "/amount/amount"),
        ("/v1/top-ups", json!({"amount": {"amount": "1.00", "asset": "USD"}, "method": "simulated"}), "/amount/asset"),
        ("/v1/withdrawals", json!({"amount": brl("0")}), "/amount/amount"),
        ("/v1/withdrawals", json!({"amount": brl("1.00"), "to": "me"}), "/to"),
    ] {
        let refused = ana.post(path, &body).await;
        assert!([400, 422].contains(&refused.status.as_u16()), "{body}");
        assert_eq!(refused.json()["errors"][0]["pointer"], pointer, "{body}");
    }
    let nobodys = format!("/v1/withdrawals/{}/confirm", fresh::new_id());
    ana.post(&nobodys, &json!({"pin": PIN, "device_signature": "x"})).await.expect(404);
    assert_eq!(ana.request(Method::GET, "/v1/top-ups/nonsense").send().await.unwrap().status(), 404);
    town.close().await;
}
