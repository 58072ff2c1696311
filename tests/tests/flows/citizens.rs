//! Citizens over HTTP: they register, come back, take more devices, lose them, and start again.

use chrono::TimeDelta;
use serde_json::{Value, json};
use std::time::Duration;
use vintem_core::event_store::fresh;
use vintem_tests::phone::{PASSWORD, Person, Phone, Town, another, enrolment, introduction, verify};
use vintem_tests::staff::TENANT;
use vintem_tests::vault::eventually;

/// What the log says of citizens, in order: kinds alone.
async fn told(town: &Town) -> Vec<String> {
    let mut auditor = town.office.secrets.store.session("vintem_auditor").await;
    sqlx::query_scalar("SELECT kind FROM event WHERE kind LIKE 'citizen.%' OR kind LIKE 'holder.%' ORDER BY position")
        .fetch_all(&mut auditor)
        .await
        .unwrap()
}

/// Whether a session's tokens are refused, which takes seconds.
async fn is_out(phone: &Phone) -> bool {
    eventually(Duration::from_secs(15), async || phone.get("/v1/devices").await.status == 401).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_registers_and_has_an_account_a_device_and_a_session() {
    let town = Town::create().await;
    let (person, phone) = town.citizen(1).await;
    let devices = phone.get("/v1/devices").await.expect(200);
    let [device] = &devices["devices"].as_array().unwrap()[..] else { panic!("{devices}") };
    assert_eq!((&device["is_current"], &device["trusted_from"]), (&json!(true), &device["added_at"]));
    assert_eq!(device["thumbprint"], json!(phone.device.thumbprint()));
    let sessions = phone.get("/v1/sessions").await.expect(200);
    assert_eq!(sessions["sessions"][0]["id"], phone.tokens["session_id"]);
    let account = town.office.client.get(&format!("/v1/accounts/{}", phone.account())).await.expect(200);
    assert_eq!((&account["asset"], &account["name"]), (&json!("BRL"), &json!(format!("citizen:{}", phone.citizen()))));
    let holder = town.office.client.get(&format!("/v1/holders/{}", phone.citizen())).await.expect(200);
    assert_eq!(holder["name"], "Ana 1.");
    assert_eq!(told(&town).await, ["holder.registered", "citizen.registered", "citizen.signed-in"]);
    let mut superuser = town.office.secrets.store.superuser().await;
    let rows: String = sqlx::query_scalar(
        "SELECT string_agg(t, ' ') FROM (SELECT c::text t FROM citizen_challenge c UNION ALL SELECT c::text FROM citizen_credential c
         UNION ALL SELECT s::text FROM citizen_session s UNION ALL SELECT e.payload::text FROM event e) all_of_it",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    for secret in [&person.cpf, &person.name, &person.email, PASSWORD] {
        assert!(!rows.contains(secret), "{secret}");
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_registered_is_told_only_with_the_code() {
    let town = Town::create().await;
    let (person, _) = town.citizen(1).await;
    // The same number, and a mailbox that the one who tries has.
    let thief = Person { cpf: person.cpf.clone(), ..Person::number(2) };
    let (taken, free) = (town.phone(), town.phone());
    let asked = taken.knock("/v1/registrations", &introduction(&thief)).await;
    let other = free.knock("/v1/registrations", &introduction(&Person::number(3))).await;
    let members = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members(&asked.expect(202)), members(&other.expect(202)));
    let code = town.code(&thief, 1).await;
    let path = verify("registrations", &asked.json());
    let refused = taken.knock(&path, &enrolment(&code)).await.expect(409);
    assert_eq!(refused["code"], "already-registered");
    taken.knock(&path, &enrolment(&code)).await.expect(410);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_device_signs_in_at_once_and_another_one_with_a_code() {
    let town = Town::create().await;
    let (person, mut phone) = town.citizen(1).await;
    phone.tokens = phone.sign_in(&person, PASSWORD).await.expect(201);
    assert_eq!(phone.get("/v1/sessions").await.expect(200)["sessions"].as_array().unwrap().len(), 2);
    let mut tablet = town.phone();
    let sent = tablet.sign_in(&person, PASSWORD).await.expect(202);
    let code = town.code(&person, 2).await;
    let answer = json!({"tenant": TENANT, "code": code});
    phone.knock(&verify("sessions", &sent), &answer).await.expect(410);
    tablet.tokens = tablet.knock(&verify("sessions", &sent), &answer).await.expect(201);
    assert_eq!(tablet.account(), phone.account());
    let devices = tablet.get("/v1/devices").await.expect(200);
    let [_, added] = &devices["devices"].as_array().unwrap()[..] else { panic!("{devices}") };
    assert!(added["trusted_from"].as_str().unwrap() > added["added_at"].as_str().unwrap());
    // The next time it is known.
    tablet.sign_in(&person, PASSWORD).await.expect(201);
    // Its owner takes it away: its sessions end, and it is a stranger again.
    let path = format!("/v1/devices/{}", tablet.tokens["device_id"].as_str().unwrap());
    assert_eq!(phone.delete(&path).await.status, 204);
    assert_eq!(phone.delete(&path).await.status, 204, "gone is gone");
    assert!(is_out(&tablet).await);
    assert_eq!(tablet.refresh(&tablet.tokens["refresh_token"]).await.status, 401);
    tablet.sign_in(&person, PASSWORD).await.expect(202);
    phone.get("/v1/devices").await.expect(200);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_by_its_refresh_tokens_and_ends_when_it_is_told_to() {
    let town = Town::create().await;
    let (_, mut phone) = town.citizen(1).await;
    let first = phone.tokens["refresh_token"].clone();
    let second = phone.refresh(&first).await.expect(200);
    assert_ne!(second["refresh_token"], first);
    let again = phone.refresh(&first).await.expect(200);
    assert_eq!(again["refresh_token"], second["refresh_token"], "an answer that was lost is given again");
    phone.tokens = phone.refresh(&second["refresh_token"]).await.expect(200);
    phone.get("/v1/sessions").await.expect(200);
    let path = format!("/v1/sessions/{}", phone.tokens["session_id"].as_str().unwrap());
    assert_eq!(phone.delete(&path).await.status, 204);
    assert!(is_out(&phone).await);
    assert_eq!(phone.refresh(&phone.tokens["refresh_token"]).await.status, 401);
    assert_eq!(told(&town).await.last().unwrap(), "citizen.session-ended");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_everything_recovers_and_what_was_is_over() {
    let town = Town::create().await;
    let (person, lost) = town.citizen(1).await;
    let mut found = town.phone();
    let wanted = json!({"tenant": TENANT, "cpf": person.cpf});
    let sent = found.knock("/v1/recoveries", &wanted).await.expect(202);
    let code = town.code(&person, 2).await;
    let path = verify("recoveries", &sent);
    let chosen =
        |code: &str| json!({"tenant": TENANT, "code": code, "password": "sete mares sem barco", "pin": "908172"});
    assert_eq!(found.knock(&path, &chosen(&another(&code))).await.code(), "code-invalid");
    let weak = json!({"tenant": TENANT, "code": code, "password": "sete mares sem barco", "pin": "123456"});
    assert_eq!(found.knock(&path, &weak).await.expect(422)["errors"][0]["pointer"], "/pin");
    found.tokens = found.knock(&path, &chosen(&code)).await.expect(201);
    let devices = found.get("/v1/devices").await.expect(200);
    let [only] = &devices["devices"].as_array().unwrap()[..] else { panic!("{devices}") };
    assert!(only["trusted_from"].as_str().unwrap() > only["added_at"].as_str().unwrap());
    assert!(is_out(&lost).await);
    assert_eq!(lost.refresh(&lost.tokens["refresh_token"]).await.status, 401);
    lost.sign_in(&person, PASSWORD).await.expect(401);
    found.sign_in(&person, "sete mares sem barco").await.expect(201);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_office_takes_devices_away_and_chooses_no_secret() {
    let town = Town::create().await;
    let (person, mut phone) = town.citizen(1).await;
    let path = format!("/v1/holders/{}/reset", phone.citizen());
    let reset = town.office.client.post_as("reset", &path, &json!({})).await;
    assert!(reset.expect(200)["reset_at"].is_string());
    assert_eq!(town.office.client.post_as("reset", &path, &json!({})).await.bytes, reset.bytes);
    assert!(is_out(&phone).await);
    let nobody = format!("/v1/holders/{}/reset", fresh::new_id());
    town.office.client.post(&nobody, &json!({})).await.expect(404);
    // The password alone brings a device back only with a code, and it pays less for a day.
    let sent = phone.sign_in(&person, PASSWORD).await.expect(202);
    let answer = json!({"tenant": TENANT, "code": town.code(&person, 2).await});
    phone.tokens = phone.knock(&verify("sessions", &sent), &answer).await.expect(201);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_changed_by_whoever_knows_the_password() {
    let town = Town::create().await;
    let (person, phone) = town.citizen(1).await;
    let ask = async |path: &str, body: Value| phone.post(path, &body).await;
    ask("/v1/pin", json!({"password": "something else entirely", "pin": "908172"})).await.expect(401);
    assert_eq!(ask("/v1/pin", json!({"password": PASSWORD, "pin": "908172"})).await.status, 204);
    let other = "sete mares sem barco";
    assert_eq!(ask("/v1/password", json!({"old_password": PASSWORD, "password": other})).await.status, 204);
    phone.sign_in(&person, PASSWORD).await.expect(401);
    phone.sign_in(&person, other).await.expect(201);
    let told = told(&town).await;
    assert_eq!(told.iter().filter(|kind| *kind == "citizen.secret-changed").count(), 2);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_five_devices_at_most_and_a_tenant_may_have_no_citizens() {
    let town = Town::create().await;
    let (person, phone) = town.citizen(1).await;
    for letter in 2..=6 {
        let more = town.phone();
        // A mailbox has its peace: the next code is a while away.
        town.office.sleep(TimeDelta::hours(1));
        let sent = more.sign_in(&person, PASSWORD).await.expect(202);
        let answer = json!({"tenant": TENANT, "code": town.code(&person, letter).await});
        let answered = more.knock(&verify("sessions", &sent), &answer).await;
        answered.expect(if letter <= 5 { 201 } else { 409 });
    }
    assert_eq!(phone.get("/v1/devices").await.expect(200)["devices"].as_array().unwrap().len(), 5);
    town.office.server.client(&town.office.secrets.store, "tea-town", "ledger:read").await;
    let mut elsewhere = introduction(&Person::number(9));
    elsewhere["tenant"] = json!("tea-town");
    town.phone().knock("/v1/registrations", &elsewhere).await.expect(404);
    elsewhere["tenant"] = json!("no-town");
    town.phone().knock("/v1/registrations", &elsewhere).await.expect(404);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_no_citizen() {
    let town = Town::create().await;
    let (person, phone) = town.citizen(1).await;
    let path = format!("/v1/holders/{}/erasure", phone.citizen());
    town.office.client.post(&path, &json!({})).await.expect(200);
    phone.sign_in(&person, PASSWORD).await.expect(401);
    assert_eq!(phone.refresh(&phone.tokens["refresh_token"]).await.status, 401);
    assert_eq!(phone.get("/v1/devices").await.expect(200)["devices"], json!([]));
    town.close().await;
}
