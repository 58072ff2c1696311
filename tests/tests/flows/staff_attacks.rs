//! What strangers and thieves try against the staff's sign-in, and what it comes to.

use chrono::TimeDelta;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use vintem_core::access::Role;
use vintem_tests::api::{Read, read};
use vintem_tests::staff::{Office, PASSWORD, TENANT};
use vintem_tests::vault::eventually;

const SIGN_IN: &str = "/v1/staff/sessions";

fn tried(login: &str, password: &str, totp: &str) -> Value {
    json!({"tenant": TENANT, "login": login, "password": password, "totp": totp})
}

async fn count(office: &Office, kind: &str) -> i64 {
    let mut auditor = office.secrets.store.session("vintem_auditor").await;
    sqlx::query_scalar("SELECT count(*) FROM event WHERE kind = $1").bind(kind).fetch_one(&mut auditor).await.unwrap()
}

/// What a caller can see of an answer, without what differs between any two.
fn seen(answer: &Read) -> (u16, Vec<(String, String)>, Value) {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    // The server writes them in an order of its own each time.
    let headers = headers.collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let mut body = answer.json();
    body.as_object_mut().unwrap().remove("trace_id").unwrap();
    (answer.status.as_u16(), headers, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_and_nobody_are_refused_alike_and_for_the_same_work() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    office.invite(TENANT, "invited", &[Role::Support]).await;
    let mut elsewhere = tried("ana.s", PASSWORD, &ana.next_code());
    elsewhere["tenant"] = "no-such-town".into();
    let mut recovery = json!({"tenant": TENANT, "login": "ana.s", "password": PASSWORD});
    recovery["recovery_code"] = "0000-0000-0000-0000".into();
    let attempts = [
        tried("ana.s", "not the password", "123456"),
        tried("nobody", "not the password", "123456"),
        tried("invited", PASSWORD, "123456"),
        tried("Not A Login!", PASSWORD, "no code"),
        elsewhere,
        tried("ana.s", PASSWORD, "000000"),
        recovery,
    ];
    let mut answers = Vec::new();
    for (number, attempt) in attempts.iter().enumerate() {
        let before = office.staff().hashes();
        // Each from a place of its own, so that only the login is judged.
        let answer = office.knock_from(&format!("192.0.2.{number}"), SIGN_IN, attempt).await;
        assert_eq!(office.staff().hashes() - before, 1, "{attempt}");
        answers.push(seen(&answer));
    }
    assert_eq!((answers[0].0, answers[0].2["code"].as_str()), (401, Some("unauthenticated")));
    for (answer, attempt) in answers.iter().zip(&attempts) {
        assert_eq!(*answer, answers[0], "{attempt}");
    }
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_code_opens_one_session_however_many_come_with_it_at_once() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    // From home, where the pause begins late enough for all of them to be judged.
    ana.sign_in().await;
    let code = ana.next_code();
    let racing = (0..5).map(|_| tried("ana.s", PASSWORD, &code)).collect::<Vec<_>>();
    let answers = join_all(racing.iter().map(|attempt| office.knock(SIGN_IN, attempt))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| [201, 401].contains(&answer.status.as_u16())));
    assert_eq!(count(&office, "staff.signed-in").await, 2);
    office.knock(SIGN_IN, &tried("ana.s", PASSWORD, &code)).await.expect(401);

    // A code of before one that was used is worth nothing either, and the same holds for a step-up.
    let (old, browser) = (ana.next_code(), ana.sign_in().await);
    office.knock(SIGN_IN, &tried("ana.s", PASSWORD, &old)).await.expect(401);
    let step_up = json!({"totp": ana.next_code()});
    let racing = join_all((0..4).map(|_| browser.post("/v1/staff/sessions/current/step-up", &step_up))).await;
    assert_eq!(racing.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(racing.iter().all(|answer| [200, 422].contains(&answer.status.as_u16())));
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_are_wrong_by_an_hour_open_nothing() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    let desk = ana.sign_in().await;
    for hours in [-1, 1] {
        office.sleep(TimeDelta::hours(hours));
        let devices = ana.device.code_at(office.now() - TimeDelta::hours(hours));
        office.knock(SIGN_IN, &tried("ana.s", PASSWORD, &devices)).await.expect(401);
        // With the server's clock wrong, a session of before is not used: backwards it has not begun, forwards it is idle.
        desk.get("/v1/staff/sessions").await.expect(401);
        // What was used up before the clock went back stays used up.
        office.sleep(-TimeDelta::hours(hours));
    }
    desk.get("/v1/staff/sessions").await.expect(200);
    ana.sign_in().await;
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_code_is_good_once() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Operations]).await;
    let with = |code: &str| json!({"tenant": TENANT, "login": "ana.s", "password": PASSWORD, "recovery_code": code});
    let racing = with(&ana.recovery_codes[0]);
    let answers = join_all((0..4).map(|_| office.knock(SIGN_IN, &racing))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    office.knock(SIGN_IN, &racing).await.expect(401);
    // It opens a session, and not what asks for the device.
    let typed = ana.recovery_codes[1].to_lowercase().replace('-', " ");
    let browser = ana.browser(&office.knock(SIGN_IN, &with(&typed)).await);
    assert!(browser.opened.get("fresh_until").is_none());
    let ids = office.client.open("BRL", &["till"]).await;
    let freeze = browser.post(&format!("/v1/accounts/{}/freeze", ids[0]), &json!({})).await;
    assert_eq!(freeze.expect(403)["code"], "step-up-required");
    assert_eq!(count(&office, "staff.recovery-code-used").await, 2);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_good_once_and_not_for_ever() {
    let office = Office::create().await;
    let (accept, confirm) = ("/v1/staff/invitations/accept", "/v1/staff/invitations/confirm");
    let accepting = |ticket: &str| json!({"token": ticket, "password": PASSWORD});
    let used = office.invite(TENANT, "ana.s", &[Role::Support]).await;
    let ana = office.join("ana.s", &used).await;
    office.knock(accept, &accepting(&used)).await.expect(401);
    let again = json!({"token": used, "totp": ana.next_code()});
    office.knock(confirm, &again).await.expect(401);

    let late = office.invite(TENANT, "bia", &[Role::Support]).await;
    let weak = json!({"token": late, "password": "coffee-town2026"});
    assert_eq!(office.knock(accept, &weak).await.expect(422)["errors"][0]["pointer"], "/password");
    let device = vintem_tests::staff::device(&office.knock(accept, &accepting(&late)).await.expect(200));
    office.knock(confirm, &json!({"token": late, "totp": "000000"})).await.expect(401);
    office.sleep(TimeDelta::hours(73));
    office.knock(confirm, &json!({"token": late, "totp": device.code_at(office.now())})).await.expect(401);
    office.knock(accept, &accepting(&late)).await.expect(401);

    // A newer one takes the place of an older one. The operator's clock is the real one.
    office.sleep(TimeDelta::hours(-73));
    let (first, second) =
        (office.invite(TENANT, "cleo", &[Role::Support]).await, office.invite(TENANT, "cleo", &[Role::Support]).await);
    office.knock(accept, &accepting(&first)).await.expect(401);
    let device = vintem_tests::staff::device(&office.knock(accept, &accepting(&second)).await.expect(200));
    let racing = json!({"token": second, "totp": device.code_at(office.now())});
    let answers = join_all((0..4).map(|_| office.knock(confirm, &racing))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(count(&office, "staff.joined").await, 2);
    for nonsense in ["", "vti_", "vts_AAAA", &second[..second.len() - 1], &second.replace("vti_", "vts_")] {
        office.knock(accept, &accepting(nonsense)).await.expect(401);
    }
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_end_by_themselves() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    let (idle, busy) = (ana.sign_in().await, ana.sign_in().await);
    for _ in 0..35 {
        office.sleep(TimeDelta::minutes(20));
        busy.get("/v1/staff/sessions").await.expect(200);
    }
    assert_eq!(idle.get("/v1/staff/sessions").await.expect(401)["code"], "unauthenticated");
    assert_eq!(busy.get("/v1/staff/sessions").await.expect(200)["sessions"].as_array().unwrap().len(), 1);
    // Eleven hours and forty minutes are over; use does not lengthen the day.
    office.sleep(TimeDelta::minutes(19));
    busy.get("/v1/staff/sessions").await.expect(200);
    office.sleep(TimeDelta::minutes(2));
    busy.get("/v1/staff/sessions").await.expect(401);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_changes_nothing() {
    let office = Office::create().await;
    let (ana, bia) = (office.member("ana.s", &[Role::Support]).await, office.member("bia", &[Role::Support]).await);
    let (desk, other) = (ana.sign_in().await, bia.sign_in().await);
    let out = "/v1/staff/sessions/current";
    let plain = || desk.bare(Method::DELETE, out).json(&json!({}));
    for (request, header) in [
        (plain(), "X-CSRF-Token"),
        (plain().header("X-CSRF-Token", ""), "X-CSRF-Token"),
        (plain().header("X-CSRF-Token", &other.csrf), "X-CSRF-Token"),
        (plain().header("X-CSRF-Token", &desk.csrf).header("Origin", "https://evil.example"), "Origin"),
        (plain().header("X-CSRF-Token", &desk.csrf).header("Origin", "null"), "Origin"),
        (plain().header("X-CSRF-Token", &desk.csrf).header("Sec-Fetch-Site", "cross-site"), "Origin"),
    ] {
        let refused = read(request).await.expect(403);
        assert_eq!((refused["code"].as_str(), &refused["errors"][0]["header"]), (Some("forbidden"), &json!(header)));
    }
    let foreign = office.client.http.post(office.server.url(SIGN_IN)).header("Origin", "https://evil.example");
    read(foreign.json(&ana.credentials(&ana.next_code()))).await.expect(403);
    desk.get(out).await.expect(200);
    // Cookies that are not quite one.
    let cookie = desk.cookie.clone();
    for bad in [
        cookie.replace("vts_", "vti_"),
        cookie[..cookie.len() - 2].to_owned(),
        format!("{cookie}; {cookie}"),
        format!("{}A", &cookie[..cookie.len() - 1]).replace("=vts_A", "=vts_B"),
    ] {
        let request = office.client.http.get(office.server.url(out)).header("Cookie", &bad);
        assert_eq!(read(request).await.expect(401)["code"], "unauthenticated", "{bad}");
    }
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trying_one_login_through_slows_down_nobody_else() {
    let office = Office::create().await;
    let (ana, bia) = (office.member("ana.s", &[Role::Support]).await, office.member("bia", &[Role::Support]).await);
    // Ana has signed in from the office before; the attacker has many addresses.
    let home = "198.51.100.7";
    ana.browser(&office.knock_from(home, SIGN_IN, &ana.credentials(&ana.next_code())).await);
    for number in 0..20 {
        let guess = tried("ana.s", &format!("guess number {number}"), "123456");
        office.knock_from(&format!("203.0.113.{number}"), SIGN_IN, &guess).await.expect(401);
        // Whoever waits for the end of each pause comes to ten failures; whoever does not, no further.
        if (4..9).contains(&number) {
            office.sleep(TimeDelta::seconds(2 << (number - 4)));
        }
    }
    // Even with everything right a stranger's place has to wait, and is told what everybody is told.
    let right = ana.credentials(&ana.device.code_at(office.now()));
    let refused = office.knock_from("203.0.113.99", SIGN_IN, &right).await;
    assert_eq!(refused.expect(401)["detail"], "the sign-in was refused");
    assert!(!refused.headers.contains_key("retry-after"));
    // At home, the attempts of others do not count; the code is not used up by those that were not judged.
    office.knock_from(home, SIGN_IN, &right).await.expect(201);
    office.knock_from("203.0.113.50", SIGN_IN, &bia.credentials(&bia.next_code())).await.expect(201);
    // Nobody's login has its pause, too, and no events.
    for number in 0..8 {
        office
            .knock_from(&format!("203.0.113.{}", 100 + number), SIGN_IN, &tried("nobody", "guess", "123456"))
            .await
            .expect(401);
    }
    let facts = eventually(Duration::from_secs(5), async || count(&office, "staff.sign-in-refused").await == 6);
    assert!(facts.await, "each step of the pause is in the log, and not each attempt");
    // After the pause the stranger's place may try again.
    office.sleep(TimeDelta::minutes(16));
    office.knock_from("203.0.113.99", SIGN_IN, &ana.credentials(&ana.next_code())).await.expect(201);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_a_hundred_attempts() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    let guesses: Vec<Value> =
        (0..40).map(|number| tried("ana.s", &format!("guess number {number}"), "123456")).collect();
    let answers = join_all(guesses.iter().enumerate().map(|(number, guess)| {
        let address = format!("203.0.113.{number}");
        let office = &office;
        async move { office.knock_from(&address, SIGN_IN, guess).await }
    }));
    assert!(answers.await.iter().all(|answer| [401, 503].contains(&answer.status.as_u16())));
    let mut session = office.secrets.store.superuser().await;
    let most: i32 =
        sqlx::query_scalar("SELECT max(failures) FROM staff_attempt").fetch_one(&mut session).await.unwrap();
    assert!((5..=8).contains(&most), "{most} were judged although the pause begins with the fifth");
    // One address that tries many logins has to wait as well, and then costs no more hashing.
    for number in 0..33 {
        let guess = tried(&format!("login-{number}"), "guess", "123456");
        office.knock_from("203.0.113.200", SIGN_IN, &guess).await.expect(401);
        if (29..32).contains(&number) {
            office.sleep(TimeDelta::seconds(2 << (number - 29)));
        }
    }
    let (before, right) = (office.staff().hashes(), ana.credentials(&ana.device.code_at(office.now())));
    office.knock_from("203.0.113.200", SIGN_IN, &right).await.expect(401);
    assert_eq!(office.staff().hashes(), before);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_cookie_does_not_find_out_the_second_factor() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Operations]).await;
    let desk = ana.sign_in().await;
    office.sleep(TimeDelta::minutes(6));
    for number in 0..6 {
        let guess = json!({"totp": format!("{:06}", number)});
        desk.post("/v1/staff/sessions/current/step-up", &guess).await.expect(422);
    }
    let right = json!({"totp": ana.device.code_at(office.now())});
    desk.post("/v1/staff/sessions/current/step-up", &right).await.expect(422);
    office.sleep(TimeDelta::minutes(1));
    let right = json!({"totp": ana.device.code_at(office.now())});
    desk.post("/v1/staff/sessions/current/step-up", &right).await.expect(200);
    office.close().await;
}
