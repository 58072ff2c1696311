//! What strangers try on citizens: codes, passwords and tokens, by force, again, at once, and with clocks that are wrong.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;
use vintem_tests::api::Read;
use vintem_tests::phone::{PASSWORD, Person, Phone, Town, another, enrolment, introduction, verify};
use vintem_tests::staff::TENANT;
use vintem_tests::vault::eventually;

/// A registration that waits for its code.
async fn asked(town: &Town, number: u32) -> (Phone, String, String) {
    let (person, phone) = (Person::number(number), town.phone());
    let sent = phone.knock("/v1/registrations", &introduction(&person)).await.expect(202);
    let code = town.code(&person, 1).await;
    (phone, verify("registrations", &sent), code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_tried_five_times_and_counts_once() {
    let town = Town::create().await;
    let (phone, path, code) = asked(&town, 1).await;
    for _ in 0..5 {
        assert_eq!(phone.knock(&path, &enrolment(&another(&code))).await.expect(403)["code"], "code-invalid");
    }
    assert_eq!(phone.knock(&path, &enrolment(&code)).await.expect(410)["code"], "code-expired");
    let (phone, path, code) = asked(&town, 2).await;
    phone.knock(&path, &enrolment(&code)).await.expect(201);
    phone.knock(&path, &enrolment(&code)).await.expect(410);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_comes_often_at_once_lets_in_once() {
    let town = Town::create().await;
    let (phone, path, code) = asked(&town, 1).await;
    let all = join_all((0..5).map(|_| async { phone.knock(&path, &enrolment(&code)).await })).await;
    let is_in = |read: &&Read| read.status == 201;
    assert_eq!(all.iter().filter(is_in).count(), 1, "{:?}", all.iter().map(|read| read.status).collect::<Vec<_>>());
    assert!(all.iter().all(|read| matches!(read.status.as_u16(), 201 | 410)));
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_the_devices_that_asked_and_ends_after_ten_minutes() {
    let town = Town::create().await;
    let (phone, path, code) = asked(&town, 1).await;
    let thief = town.phone();
    for _ in 0..10 {
        assert_eq!(thief.knock(&path, &enrolment(&code)).await.expect(410)["code"], "code-expired");
    }
    town.office.sleep(TimeDelta::minutes(-60));
    phone.knock(&path, &enrolment(&another(&code))).await.expect(403);
    town.office.sleep(TimeDelta::minutes(60) + TimeDelta::minutes(10));
    phone.knock(&path, &enrolment(&code)).await.expect(410);
    // What nobody answered goes, and the key that sealed it.
    town.office.sleep(TimeDelta::hours(2));
    asked(&town, 2).await;
    let mut superuser = town.office.secrets.store.superuser().await;
    let left: i64 =
        sqlx::query_scalar("SELECT count(*) FROM citizen_challenge").fetch_one(&mut superuser).await.unwrap();
    assert_eq!(left, 1);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_learns_nothing_and_locks_nobody_out() {
    let town = Town::create().await;
    let (person, phone) = town.citizen(1).await;
    let (stranger, nobody) = (town.phone(), Person::number(2));
    let bare = |read: &Read| {
        let mut problem = read.json();
        problem["trace_id"] = Value::Null;
        (read.status, problem)
    };
    let hashes = || town.office.server.citizens.hashes();
    let before = hashes();
    let wrong = stranger.sign_in(&person, "something else entirely").await;
    let between = hashes();
    let unknown = stranger.sign_in(&nobody, "something else entirely").await;
    assert_eq!(bare(&wrong), bare(&unknown));
    assert_eq!((wrong.status.as_u16(), between - before, hashes() - between), (401, 1, 1), "the same work");
    for _ in 0..12 {
        stranger.sign_in(&person, "something else entirely").await.expect(401);
    }
    // Who is elsewhere waits now, with the right password too; at home nobody notices.
    stranger.sign_in(&person, PASSWORD).await.expect(401);
    phone.sign_in(&person, PASSWORD).await.expect(201);
    town.office.sleep(TimeDelta::minutes(20));
    stranger.sign_in(&person, PASSWORD).await.expect(202);
    let mut auditor = town.office.secrets.store.session("vintem_auditor").await;
    let refused: i64 = sqlx::query_scalar("SELECT count(*) FROM event WHERE kind = 'citizen.sign-in-refused'")
        .fetch_one(&mut auditor)
        .await
        .unwrap();
    assert!(refused >= 1, "a pause is in the log");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_asks_alike_for_somebody_and_nobody() {
    let town = Town::create().await;
    let (person, _) = town.citizen(1).await;
    let nobody = Person::number(2);
    let thief = town.phone();
    let ask = async |person: &Person| {
        thief.knock("/v1/recoveries", &json!({"tenant": TENANT, "cpf": person.cpf})).await.expect(202)
    };
    let (known, unknown) = (ask(&person).await, ask(&nobody).await);
    let members = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&known), members(&unknown));
    town.code(&person, 2).await;
    for sent in [&known, &unknown] {
        let path = verify("recoveries", sent);
        for _ in 0..5 {
            assert_eq!(thief.knock(&path, &enrolment("000000")).await.code(), "code-invalid");
        }
        assert_eq!(thief.knock(&path, &enrolment("000000")).await.code(), "code-expired");
    }
    // A mailbox is not flooded, and whoever asks is not told so.
    for _ in 0..8 {
        ask(&person).await;
    }
    assert!(!eventually(Duration::from_secs(3), async || town.mailbox.count(&person.email) > 7).await);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_that_was_stolen_is_worth_nothing_and_one_that_was_copied_ends_its_session_alone() {
    let town = Town::create().await;
    let (person, mut phone) = town.citizen(1).await;
    let (first, thief) = (phone.tokens["refresh_token"].clone(), town.phone());
    assert_eq!(thief.refresh(&first).await.code(), "unauthenticated");
    let text = first.as_str().unwrap();
    let other = if &text[70..71] == "A" { "B" } else { "A" };
    let forged = json!(format!("{}{other}{}", &text[..70], &text[71..]));
    assert_eq!(phone.refresh(&forged).await.code(), "unauthenticated");
    let mut other = phone.clone();
    other.tokens = phone.sign_in(&person, PASSWORD).await.expect(201);
    let second = phone.refresh(&first).await.expect(200);
    phone.tokens = phone.refresh(&second["refresh_token"]).await.expect(200);
    // Two generations old, at once: somebody has a copy, and the device's key besides.
    assert_eq!(phone.refresh(&first).await.expect(401)["code"], "token-reuse-detected");
    assert_eq!(phone.refresh(&phone.tokens["refresh_token"]).await.code(), "unauthenticated");
    assert!(eventually(Duration::from_secs(15), async || phone.get("/v1/devices").await.status == 401).await);
    other.get("/v1/devices").await.expect(200);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_before_is_good_for_ten_seconds_whatever_the_clocks_say() {
    let town = Town::create().await;
    let (person, phone) = town.citizen(1).await;
    for (minutes, status) in [(-60, 200), (0, 200), (60, 401)] {
        let opened = phone.sign_in(&person, PASSWORD).await.expect(201);
        phone.refresh(&opened["refresh_token"]).await.expect(200);
        town.office.sleep(TimeDelta::minutes(minutes));
        assert_eq!(phone.refresh(&opened["refresh_token"]).await.status, status, "{minutes}");
        town.office.sleep(TimeDelta::minutes(-minutes));
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_at_once_with_one_refresh_token_get_one_successor() {
    let town = Town::create().await;
    let (_, phone) = town.citizen(1).await;
    let first = phone.tokens["refresh_token"].clone();
    let all = join_all((0..20).map(|_| async { phone.refresh(&first).await.expect(200) })).await;
    let next = &all[0]["refresh_token"];
    assert!(all.iter().all(|answer| answer["refresh_token"] == *next));
    phone.refresh(next).await.expect(200);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_proof_or_with_anothers() {
    let town = Town::create().await;
    let (_, phone) = town.citizen(1).await;
    let mut thief = town.phone();
    thief.tokens = phone.tokens.clone();
    assert_eq!(thief.get("/v1/devices").await.code(), "dpop-invalid");
    let http = &town.office.client.http;
    let bare =
        http.get(town.office.server.url("/v1/devices")).bearer_auth(phone.tokens["access_token"].as_str().unwrap());
    assert_eq!(vintem_tests::api::read(bare).await.code(), "dpop-invalid");
    let without = http.post(town.office.server.url("/v1/sessions"));
    let body = json!({"tenant": TENANT, "cpf": "52998224725", "password": PASSWORD});
    assert_eq!(vintem_tests::api::read(without.json(&body)).await.code(), "dpop-invalid");
    // A client's token is none of a citizen's, and the other way round.
    town.office.client.get("/v1/devices").await.expect(403);
    phone.get("/v1/accounts").await.expect(403);
    town.close().await;
}
