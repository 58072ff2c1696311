//! Somebody and nobody: the same answer, and the same work for it. Times are for the benchmark (`vintem bench oracle`); here
//! is counted what was done.

use serde_json::{Value, json};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;
use vintem_core::access::Role;
use vintem_core::access::staff::{Login, SecondFactor, Seen, SignIn, StaffError};
use vintem_tests::api::{Api, read};
use vintem_tests::phone::{self, Person, Town};
use vintem_tests::staff::{Office, PASSWORD, TENANT};
use vintem_tests::vault::eventually;

/// Rows and pages of a login, when its pages are at hand.
async fn work(reader: &mut PgConnection, client: Uuid) -> (Value, Value) {
    let mut last = Value::Null;
    for _ in 0..3 {
        let sql = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM client_at_the_door($1)";
        last = sqlx::query_scalar(sql).bind(client).fetch_one(&mut *reader).await.unwrap();
    }
    let plan = &last[0]["Plan"];
    (plan["Actual Rows"].clone(), plan["Shared Hit Blocks"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_exist_is_looked_for_like_one_that_does() {
    let api = Api::create().await;
    for number in 0..5 {
        api.another(&format!("town-{number}"), "ledger:read").await;
    }
    let mut reader = api.store.session("vintem_reader").await;
    let known = work(&mut reader, api.client.id).await;
    assert_eq!(known.0, 1.0);
    // Nobody's: beside the known one, of long before the first client, and of long after the last one.
    let beside = Uuid::from_u128(api.client.id.as_u128() + 1);
    for nobody in [beside, Uuid::max()] {
        assert_eq!(work(&mut reader, nobody).await, known, "{nobody}");
    }
    assert_eq!(work(&mut reader, Uuid::nil()).await.0, known.0);

    // Whose row was read opens nothing to whoever has another id.
    for nobody in [beside, Uuid::max(), Uuid::nil()] {
        let request = api.client.http.post(api.server.url("/v1/token"));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let request = request.basic_auth(nobody, Some(&api.client.secret)).body("grant_type=client_credentials");
        let answer = read(request).await;
        assert_eq!(answer.expect(401)["code"], "unauthenticated");
    }
    api.close().await;
}

fn attempt(login: &str, password: &str, totp: String) -> SignIn {
    let factor = SecondFactor::Code(totp.into());
    SignIn { tenant: TENANT.to_owned(), login: login.to_owned(), password: password.into(), factor }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_looked_at_whatever_the_password_and_whoever_it_is() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    let of = vintem_core::access::find_tenant(&mut office.secrets.store.session("vintem_operator").await, TENANT).await;
    let tenant = of.unwrap().tenant;
    let id = ana.login.parse::<Login>().unwrap().member(tenant);
    for (login, password) in [("ana.s", "not the password"), ("nobody", "not the password"), ("ana.s", PASSWORD)] {
        let (staff, keys) = office.another_process().await;
        assert!(!keys.remembers(tenant, id));
        let refused = staff.sign_in(attempt(login, password, "000000".into()), None, Seen::default()).await;
        assert!(matches!(refused, Err(StaffError::NotProven)), "{login} {password}");
        let is_opened = eventually(Duration::from_secs(10), async || keys.remembers(tenant, id));
        assert!(is_opened.await, "{login} {password}");
        assert_eq!(staff.hashes(), 1);
    }

    // Only who has the password hears that Vault is away.
    let (staff, _) = office.another_process().await;
    office.wire.cut();
    for login in ["ana.s", "nobody"] {
        let refused = staff.sign_in(attempt(login, "not the password", "000000".into()), None, Seen::default()).await;
        assert!(matches!(refused, Err(StaffError::NotProven)), "{login}: {refused:?}");
    }
    let right = attempt("ana.s", PASSWORD, ana.next_code());
    assert!(matches!(staff.sign_in(right, None, Seen::default()).await, Err(StaffError::Secrets(_))));
    office.wire.mend();
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stands_in_for_nobody_lets_nobody_in_and_loses_nothing() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    let code = ana.next_code();
    let mut credentials = ana.credentials(&code);
    let mut paper = json!({"tenant": TENANT, "password": PASSWORD, "recovery_code": ana.recovery_codes[0]});
    // Logins on both sides of the one member, who stands in for all of them.
    for number in 0..4 {
        credentials["login"] = format!("nobody-{number}").into();
        paper["login"] = format!("nobody-{number}").into();
        office.knock("/v1/staff/sessions", &credentials).await.expect(401);
        office.knock("/v1/staff/sessions", &paper).await.expect(401);
    }
    credentials["login"] = "ana.s".into();
    paper["login"] = "ana.s".into();
    office.knock("/v1/staff/sessions", &credentials).await.expect(201);
    office.knock("/v1/staff/sessions", &paper).await.expect(201);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_citizen_who_stands_in_for_nobody_lets_nobody_in_and_loses_nothing() {
    let town = Town::create().await;
    let (ana, phone) = town.citizen(1).await;
    // Somebody whom the back office alone knows has no password either.
    let known = Person::number(2);
    let body = json!({"cpf": known.cpf, "name": known.name, "email": known.email});
    town.office.client.post("/v1/holders", &body).await.expect(201);
    for number in 2..6 {
        // With her own telephone and password, for all of whom she stands in.
        let refused = phone.sign_in(&Person::number(number), phone::PASSWORD).await;
        assert_eq!(refused.expect(401)["code"], "unauthenticated");
    }
    phone.sign_in(&ana, phone::PASSWORD).await.expect(201);
    town.close().await;
}
