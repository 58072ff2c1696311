//! Where people are reached: who is known by the back office comes by the contact on record, and a citizen has another one.

use serde_json::{Value, json};
use vintem_tests::api::Read;
use vintem_tests::payer::confirm;
use vintem_tests::phone::{PASSWORD, PIN, Person, Phone, Town, another, enrolment, introduction, verify};
use vintem_tests::staff::TENANT;

/// Somebody whom the back office has registered.
async fn on_record(town: &Town, person: &Person) -> Value {
    let body = json!({"cpf": person.cpf, "name": "Ana do Cadastro", "email": person.email});
    town.office.client.post("/v1/holders", &body).await.expect(201)
}

/// How many people there are keys of.
async fn keys(town: &Town) -> i64 {
    let mut keys = town.office.secrets.store.keys_session("vintem_rewrapper").await;
    sqlx::query_scalar("SELECT count(*) FROM person_key").fetch_one(&mut keys).await.unwrap()
}

/// What becomes of a registration with the code that this person got.
async fn registers(town: &Town, phone: &Phone, person: &Person) -> (String, Read) {
    let sent = phone.knock("/v1/registrations", &introduction(person)).await.expect(202);
    let path = verify("registrations", &sent);
    let answer = phone.knock(&path, &enrolment(&town.code(person, 1).await)).await;
    (path, answer)
}

/// A refusal less what differs each time.
fn body(refused: &Read) -> Value {
    let mut body = refused.expect(409);
    for member in ["instance", "trace_id"] {
        body.as_object_mut().unwrap().remove(member);
    }
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_back_office_knows_comes_by_the_contact_on_record_and_is_the_same_person() {
    let town = Town::create().await;
    let (ana, mut phone) = (Person::number(1), town.phone());
    let holder = on_record(&town, &ana).await;
    let keys = keys(&town).await;
    let (_, answer) = registers(&town, &phone, &ana).await;
    phone.tokens = answer.expect(201);
    assert_eq!(phone.citizen(), holder["id"].as_str().unwrap());
    let known = town.office.client.get(&format!("/v1/holders/{}", phone.citizen())).await.expect(200);
    assert_eq!(known["name"], "Ana C.", "the record stays as it was");
    let account = town.office.client.get(&format!("/v1/accounts/{}", phone.account())).await.expect(200);
    assert_eq!(account["name"], json!(format!("citizen:{}", phone.citizen())));
    town.issue(&phone, "5.00").await;
    phone.sign_in(&ana, PASSWORD).await.expect(201);
    assert_eq!(self::keys(&town).await, keys, "the key of who was not made is gone");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_another_contact_is_answered_as_if_the_number_were_a_citizens() {
    let town = Town::create().await;
    let (ana, (rui, _)) = (Person::number(1), town.citizen(2).await);
    on_record(&town, &ana).await;
    // The same numbers, and mailboxes that the one who tries has.
    let mut refusals = Vec::new();
    for taken in [&ana, &rui] {
        let thief = Person { cpf: taken.cpf.clone(), ..Person::number(3) };
        let phone = town.phone();
        let (path, answer) = registers(&town, &phone, &thief).await;
        refusals.push(body(&answer));
        phone.knock(&path, &enrolment("000000")).await.expect(410);
    }
    assert_eq!(refusals[0], refusals[1]);
    assert_eq!(refusals[0]["code"], "already-registered");
    // The person themselves still comes, and once: afterwards they are a citizen like the other.
    let (_, answer) = registers(&town, &town.phone(), &ana).await;
    answer.expect(201);
    let phone = town.phone();
    let sent = phone.knock("/v1/registrations", &introduction(&ana)).await.expect(202);
    let code = town.code(&ana, 2).await;
    let again = phone.knock(&verify("registrations", &sent), &enrolment(&code)).await;
    assert_eq!(body(&again), refusals[0]);
    town.close().await;
}

/// Asks to be reached at an address.
async fn asks(phone: &Phone, email: &str) -> Value {
    phone.ask("/v1/contact-changes", &json!({"email": email})).await.expect(202)
}

fn path(asked: &Value) -> String {
    format!("/v1/contact-changes/{}/verify", asked["id"].as_str().unwrap())
}

/// What proves a change, made without the product's code.
fn proof(phone: &Phone, asked: &Value, email: &str, code: &str) -> Value {
    let said = format!(r#"{{"contact":"{email}","intent_id":"{}"}}"#, asked["id"].as_str().unwrap());
    json!({"code": code, "pin": PIN, "device_signature": phone.device.sign_bytes(said.as_bytes())})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_has_another_contact_by_code_signature_and_pin() {
    let town = Town::create().await;
    let ((ana, phone), (_, rui)) = (town.citizen(1).await, town.citizen(2).await);
    town.issue(&phone, "5000.00").await;
    phone.post("/v1/aliases", &json!({"kind": "email"})).await.expect(201);
    let new = Person { email: Person::number(9).email, ..ana.clone() };
    let asked = asks(&phone, &new.email).await;
    let code = town.code(&new, 1).await;
    let right = proof(&phone, &asked, &new.email, &code);
    let with = |member: &str, value: Value| {
        let mut body = right.clone();
        body[member] = value;
        body
    };
    let other = proof(&phone, &asked, &ana.email, &code)["device_signature"].clone();
    for (body, status, expected) in [
        (with("code", json!(another(&code))), 403, "code-invalid"),
        (with("device_signature", other), 422, "signature-invalid"),
        (with("pin", json!(another(PIN))), 403, "pin-invalid"),
    ] {
        assert_eq!(phone.ask(&path(&asked), &body).await.expect(status)["code"], expected);
    }
    // It is for the device that asked, whoever else has the code.
    assert_eq!(rui.ask(&path(&asked), &right).await.expect(410)["code"], "code-expired");
    let changed = phone.ask(&path(&asked), &right).await.expect(200);
    assert_eq!(changed["contact"], "email");
    assert!(town.mailbox.nth(&ana.email, 2).await.contains("contato"), "the contact before is told");
    assert_eq!(phone.ask(&path(&asked), &right).await.expect(410)["code"], "code-expired", "a code counts once");

    // Every device pays as little as a new one, and nobody pays to the address before.
    let device = &phone.get("/v1/devices").await.expect(200)["devices"][0];
    assert_eq!(device["trusted_from"], changed["trusted_from"]);
    let alias = rui.random_alias().await;
    let dear = phone.wants_to_pay(&alias, "200.01", None).await;
    let refused = phone.post(&confirm(&dear), &phone.confirmation(&dear)).await;
    assert_eq!(refused.expect(422)["code"], "limit-exceeded");
    assert_eq!(phone.get("/v1/aliases").await.expect(200)["aliases"], json!([]));
    rui.looks_up(&ana.email).await.expect(404);
    phone.post("/v1/aliases", &json!({"kind": "email"})).await.expect(201);
    rui.looks_up(&new.email).await.expect(200);

    // Codes go there from then on, and it is told among what happened.
    let tablet = town.phone();
    let sent = tablet.knock("/v1/recoveries", &json!({"tenant": TENANT, "cpf": ana.cpf})).await.expect(202);
    let code = town.code(&new, 2).await;
    let told = phone.get("/v1/notifications").await.expect(200);
    let told =
        told["notifications"].as_array().unwrap().iter().find(|event| event["kind"] == "citizen.contact-changed");
    assert_eq!(told.unwrap()["contact"], "email");
    tablet.knock(&verify("recoveries", &sent), &enrolment(&code)).await.expect(201);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_that_makes_no_sense_is_refused_before_anything_is_sent() {
    let town = Town::create().await;
    let (ana, phone) = town.citizen(1).await;
    for (body, pointer) in [
        (json!({"email": "nowhere"}), "/email"),
        (json!({"phone": "11912345678"}), "/phone"),
        (json!({"email": ana.email}), "/email"),
        (json!({}), ""),
        (json!({"email": "a@b.example", "phone": "+5511912345678"}), ""),
    ] {
        let refused = phone.ask("/v1/contact-changes", &body).await.expect(422);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{body}");
        assert!(!refused.to_string().contains("nowhere"));
    }
    phone
        .ask(
            "/v1/contact-changes/01983d6c-8a00-7000-8000-0000000000ff/verify",
            &json!({"code": "123456", "pin": PIN, "device_signature": "x"}),
        )
        .await
        .expect(410);
    town.office.client.post("/v1/contact-changes", &json!({"email": "a@b.example"})).await.expect(403);
    town.close().await;
}
