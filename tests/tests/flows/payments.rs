//! Payments: money comes into being, people pay each other, and no limit is ever crossed.

use serde_json::{Value, json};
use sqlx::PgPool;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::event_store::overlay::Origin;
use vintem_core::event_store::retention::AnswerRetention;
use vintem_core::event_store::{Answer, Disposed, Outcome, RequestKey, StoredBody};
use vintem_core::holders::details::Private;
use vintem_core::holders::{Holders, Personal};
use vintem_core::kernel::{Refusal, RefusalCode};
use vintem_core::ledger::service::{Actor, Executed, Render};
use vintem_core::payments::event::LimitsChanged;
use vintem_core::payments::limits::Device;
use vintem_core::payments::{Confirm, NewTransfer, Party, PaymentError, Payments, level};
use vintem_core::telemetry::clock;
use vintem_tests::api::{Api, Server};
use vintem_tests::factory::is_long;
use vintem_tests::people::{Registry, cpf};

fn brl(amount: &str) -> Value {
    json!({"amount": amount, "asset": "BRL"})
}

fn issuance(account: &str, amount: &str) -> Value {
    json!({"account": account, "amount": brl(amount), "reference": "TED/2026-118"})
}

fn payments(reader: PgPool, server: &Server, personal: Option<Personal>) -> Payments {
    let holders = Holders::new(reader.clone(), HashMap::new(), personal);
    Payments::new(reader, server.ledger.clone(), holders)
}

/// The payments of a test's API, as its handlers call them.
struct Till {
    payments: Payments,
    actor: Actor,
}

impl Till {
    async fn over(api: &Api) -> Self {
        let tenant = api.client.get("/v1/tenant").await.expect(200)["id"].as_str().unwrap().parse().unwrap();
        let reader: PgPool = api.store.pool("vintem_reader");
        let origin = Origin { tenant, actor: "citizen:test".into(), correlation: None };
        let payments = payments(reader, &api.server, None);
        Self { payments, actor: Actor { shard: 0, origin } }
    }

    fn key() -> RequestKey {
        vintem_tests::book::key(&Uuid::now_v7().to_string(), 0)
    }

    async fn requests(&self, from: Party, to: Party, amount: &str) -> Uuid {
        let new = NewTransfer {
            payer: from,
            payee: to,
            is_stale: false,
            amount: amount.to_owned(),
            asset: "BRL".to_owned(),
            note: None,
        };
        let executed = self.payments.request(&self.actor, &Self::key(), &new, &render()).await.unwrap();
        first_stream(&executed)
    }

    async fn confirms(&self, payer: Party, id: Uuid, device: Device) -> Result<(), RefusalCode> {
        let zone = chrono_tz::America::Sao_Paulo;
        let by = Confirm { intent: id, holder: payer.holder, device, zone, now: clock::now() };
        let executed = self.payments.confirm(&self.actor, &Self::key(), &by, &render()).await;
        match outcome(executed.map_err(refused)?) {
            Outcome::Refused(refusal) => Err(refusal.code),
            _ => Ok(()),
        }
    }

    async fn limits(&self, payer: Party, day: &str) {
        let wanted = |scale| {
            Ok::<_, Refusal>(LimitsChanged { scale, day: Some(level(day, scale, "/day")?), ..LimitsChanged::default() })
        };
        self.payments.change_limits(&self.actor, &Self::key(), payer, wanted, &render()).await.unwrap();
    }
}

fn refused(error: PaymentError) -> RefusalCode {
    match error {
        PaymentError::Refused(refusal) => refusal.code,
        other => panic!("{other}"),
    }
}

fn render() -> Render {
    Arc::new(|_, _| Answer { status: 200, code: None, body: StoredBody::Rendered })
}

fn outcome(executed: Executed) -> Outcome {
    match executed.disposed {
        Disposed::Done(mut done, _) => done.outcomes.remove(0),
        other => panic!("{other:?}"),
    }
}

fn first_stream(executed: &Executed) -> Uuid {
    match &executed.disposed {
        Disposed::Done(done, _) => match &done.outcomes[0] {
            Outcome::Applied(applied) => applied.events[0].stream,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn party(account: &str) -> Party {
    Party { holder: Uuid::now_v7(), account: account.parse().unwrap() }
}

fn device(is_trusted: bool) -> Device {
    Device { id: Uuid::now_v7(), is_trusted }
}

#[tokio::test(flavor = "multi_thread")]
async fn money_comes_into_being_and_goes_out_of_it_against_what_backs_it() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana"]).await;
    let first = client.post_as("i-1", "/v1/issuances", &issuance(&ids[1], "100.00")).await;
    let issued = first.expect(201);
    assert_eq!((issued["status"].as_str(), issued["reference"].as_str()), (Some("issued"), Some("TED/2026-118")));
    assert_eq!(issued["transaction"]["payment"], issued["id"]);
    assert_eq!(issued["transaction"]["legs"][0]["name"], "system:issued");
    assert_eq!(issued["transaction"]["legs"][1]["balance"]["posted"], "100.00");
    let replay = client.post_as("i-1", "/v1/issuances", &issuance(&ids[1], "100.00")).await;
    assert_eq!((replay.status, &replay.bytes), (first.status, &first.bytes), "money is issued once");
    let mut clock = AnswerRetention::new(api.store.pool("vintem_writer"), 0, Duration::ZERO, fresh::new_id());
    clock.tick().await.unwrap();
    let rendered = client.post_as("i-1", "/v1/issuances", &issuance(&ids[1], "100.00")).await;
    assert_eq!(
        (rendered.status, &rendered.bytes),
        (first.status, &first.bytes),
        "rendered anew when its bytes are gone"
    );
    let redeemed = client.post("/v1/redemptions", &issuance(&ids[1], "40.00")).await.expect(201);
    assert_eq!(redeemed["transaction"]["legs"][0]["balance"]["posted"], "60.00");
    let refused = client.post("/v1/redemptions", &issuance(&ids[1], "60.01")).await;
    assert_eq!(refused.expect(422)["code"], "insufficient-funds");
    for (body, code, pointer) in [
        (issuance(&Uuid::now_v7().to_string(), "1.00"), "unknown-account", "/account"),
        (issuance(&ids[1], "1.001"), "validation-failed", "/amount/amount"),
        (issuance(&ids[1], "0"), "validation-failed", "/amount/amount"),
        (json!({"account": ids[1], "amount": brl("1.00"), "reference": "for Ana"}), "validation-failed", "/reference"),
    ] {
        let refused = client.post("/v1/issuances", &body).await.expect(422);
        assert_eq!((refused["code"].as_str(), refused["errors"][0]["pointer"].as_str()), (Some(code), Some(pointer)));
    }
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_is_told_the_price_and_pays_it_whatever_becomes_of_the_list() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana", "rui"]).await;
    client.moves("bank", "ana", "100.00").await.expect(201);
    let prices = json!({"transfer": {"fixed": "0.10", "basis_points": 50}});
    let changed = client.post("/v1/prices/BRL", &prices).await.expect(200);
    assert_eq!((changed["version"].as_i64(), &changed["transfer"]), (Some(1), &prices["transfer"]));
    assert_eq!(client.get("/v1/prices/BRL").await.expect(200), changed);
    let (till, ana, rui) = (Till::over(&api).await, party(&ids[1]), party(&ids[2]));
    let id = till.requests(ana, rui, "50.00").await;
    client.post("/v1/prices/BRL", &json!({})).await.expect(200);
    till.confirms(ana, id, device(true)).await.unwrap();
    let shown = till.payments.find(&till.actor, ana.holder, id).await.unwrap();
    let transaction = shown.confirmed.as_ref().unwrap().0.transaction;
    let posted = client.get(&format!("/v1/transactions/{transaction}")).await.expect(200);
    let legs: Vec<_> = posted["legs"].as_array().unwrap().iter().map(|leg| &leg["amount"]["amount"]).collect();
    assert_eq!(legs, ["50.35", "50.00", "0.35"]);
    assert_eq!(posted["payment"], json!(id));
    assert_eq!(till.confirms(ana, id, device(true)).await, Err(RefusalCode::ChargeAlreadyPaid));
    // The payee sees it now, somebody else never.
    assert!(till.payments.find(&till.actor, rui.holder, id).await.is_ok());
    let stranger = till.payments.find(&till.actor, Uuid::now_v7(), id).await.unwrap_err();
    assert_eq!(refused(stranger), RefusalCode::NotFound);
    // It is the payer who confirms, and nobody else.
    let other = till.requests(ana, rui, "1.00").await;
    assert_eq!(till.confirms(rui, other, device(true)).await, Err(RefusalCode::NotFound));
    for (body, pointer) in [
        (json!({"transfer": {"fixed": "-1"}}), "/transfer/fixed"),
        (json!({"transfer": {"fixed": "0", "basis_points": 10_001}}), "/transfer/basis_points"),
        (json!({"transfer": {"fixed": "0.001"}}), "/transfer/fixed"),
    ] {
        let refused = client.post("/v1/prices/BRL", &body).await.expect(422);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
    }
    client.post("/v1/prices/NONE", &json!({})).await.expect(404);
    client.get("/v1/prices/NONE").await.expect(404);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_device_pays_less_and_every_window_binds() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana", "rui"]).await;
    client.moves("bank", "ana", "100000.00").await.expect(201);
    let (till, ana, rui) = (Till::over(&api).await, party(&ids[1]), party(&ids[2]));
    let pays = async |amount: &str, device| till.confirms(ana, till.requests(ana, rui, amount).await, device).await;
    let new = device(false);
    assert_eq!(pays("200.01", new).await, Err(RefusalCode::LimitExceeded));
    for _ in 0..5 {
        pays("200.00", new).await.unwrap();
    }
    assert_eq!(pays("0.01", new).await, Err(RefusalCode::LimitExceeded), "a thousand a day from a new device");
    assert_eq!(pays("5000.01", device(true)).await, Err(RefusalCode::LimitExceeded));
    till.limits(ana, "1200.00").await;
    let known = device(true);
    pays("200.00", known).await.unwrap();
    assert_eq!(pays("0.01", known).await, Err(RefusalCode::LimitExceeded), "lowered at once, over all devices");
    till.limits(ana, "9000.00").await;
    assert_eq!(pays("0.01", known).await, Err(RefusalCode::LimitExceeded), "raised only after a day");
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_is_for_the_two_and_each_has_a_copy_of_their_own() {
    const NOTE: &str = "para o almoço de 3ª-feira";
    let registry = Registry::create().await;
    let client = &registry.client;
    let ids = client.open("BRL", &["bank", "ana", "rui"]).await;
    let mut people = Vec::new();
    for (number, account) in [(1, &ids[1]), (2, &ids[2])] {
        let holder = registry.register("Ana Conceição", &cpf(number)).await.expect(201);
        let holder = holder["id"].as_str().unwrap().parse().unwrap();
        people.push(Party { holder, account: account.parse().unwrap() });
    }
    let [ana, rui] = people[..] else { panic!() };
    let reader = registry.secrets.store.pool("vintem_reader");
    let payments = payments(reader, &registry.server, Some(registry.personal().await));
    let tenant = client.get("/v1/tenant").await.expect(200)["id"].as_str().unwrap().parse().unwrap();
    let origin = Origin { tenant, actor: "citizen:test".into(), correlation: None };
    let actor = Actor { shard: 0, origin };
    let asked = |note: &str| {
        let note = Some(Private::new(note.to_owned()));
        NewTransfer { payer: ana, payee: rui, is_stale: false, amount: "1.00".into(), asset: "BRL".into(), note }
    };
    let executed = payments.request(&actor, &Till::key(), &asked(NOTE), &render()).await.unwrap();
    let transfer = payments.find(&actor, ana.holder, first_stream(&executed)).await.unwrap();
    let reads = async |party: Party| payments.note(&actor, party.holder, &transfer).await.unwrap();
    assert_eq!(
        (reads(ana).await.as_deref(), reads(rui).await.as_deref()),
        (Some(&NOTE.to_owned()), Some(&NOTE.to_owned()))
    );
    let sealed = serde_json::to_string(&transfer.requested).unwrap();
    assert!(!sealed.contains("almo"), "{sealed}");
    // Who is erased takes their copy along, and the other keeps theirs.
    client.post(&format!("/v1/holders/{}/erasure", ana.holder), &json!({})).await.expect(200);
    assert_eq!((reads(ana).await, reads(rui).await.as_deref()), (None, Some(&NOTE.to_owned())));
    let long = payments.request(&actor, &Till::key(), &asked(&"x".repeat(141)), &render()).await.unwrap_err();
    assert_eq!(refused(long), RefusalCode::ValidationFailed);
    registry.close().await;
}

/// The bar says a thousand tries; a hundred show the same in the time that a test may take.
#[tokio::test(flavor = "multi_thread")]
async fn sixteen_devices_race_one_daily_limit_and_exactly_what_fits_passes() {
    const DEVICES: usize = 16;
    const FIT: usize = 5;
    let tries = if is_long() { 1_000 } else { 60 };
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "rui"]).await;
    let rui = party(&ids[1]);
    let (till, devices) = (Till::over(&api).await, [(); DEVICES].map(|()| device(true)));
    let mut wins = [0_usize; DEVICES];
    for number in 0..tries {
        let account = json!({"name": format!("citizen:{number}"), "asset": "BRL", "normal_side": "credit"});
        let opened = client.post("/v1/accounts", &account).await.expect(201);
        let ana = party(opened["id"].as_str().unwrap());
        client.post("/v1/issuances", &issuance(&ana.account.to_string(), "1000.00")).await.expect(201);
        till.limits(ana, "50.00").await;
        let mut transfers = Vec::new();
        for _ in 0..DEVICES {
            transfers.push(till.requests(ana, rui, "10.00").await);
        }
        // Who is first at the door must not always be the same one.
        let order: Vec<usize> = (0..DEVICES).map(|place| (place + number) % DEVICES).collect();
        let race = order.iter().map(|device| till.confirms(ana, transfers[*device], devices[*device]));
        let results = futures_util::future::join_all(race).await;
        let passed = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(passed, FIT, "{results:?}");
        assert!(results.iter().all(|result| !matches!(result, Err(code) if *code != RefusalCode::LimitExceeded)));
        for (device, result) in order.into_iter().zip(results) {
            wins[device] += usize::from(result.is_ok());
        }
    }
    if is_long() {
        assert!(wins.iter().all(|won| *won * 50 >= tries), "each device wins in 2 % of the tries and more: {wins:?}");
    }
    api.close().await;
}
