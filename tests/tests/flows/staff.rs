//! Members of the staff over HTTP: how they come, work and go, and what is decided about them.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};
use vintem_core::access::Role;
use vintem_tests::staff::{Browser, Office, PASSWORD, TENANT, device};
use vintem_tests::vault::eventually;

/// The kinds of the tenant's staff events in the log, in their order.
async fn kinds(office: &Office) -> Vec<String> {
    let mut auditor = office.secrets.store.session("vintem_auditor").await;
    let sql = "SELECT kind FROM event WHERE kind LIKE 'staff.%' ORDER BY position";
    sqlx::query_scalar(sql).fetch_all(&mut auditor).await.unwrap()
}

fn member_id(browser: &Browser) -> &str {
    browser.opened["member"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_an_invitation_to_the_end_of_a_day() {
    let office = Office::create().await;
    let ticket = office.invite(TENANT, "ana.s", &[Role::Operations]).await;
    assert!(ticket.starts_with("vti_"));
    let ana = office.join("ana.s", &ticket).await;
    assert_eq!(ana.recovery_codes.len(), 10);
    let answer = office.knock("/v1/staff/sessions", &ana.credentials(&ana.next_code())).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-vintem_session=vts_"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Strict"), "{cookie}");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let browser = ana.browser(&answer);
    assert_eq!((browser.opened["login"].as_str(), &browser.opened["roles"]), (Some("ana.s"), &json!(["operations"])));

    // Works, as far as the role goes, and with the right over money while the second factor is fresh.
    let ids = office.client.open("BRL", &["bank", "till"]).await;
    assert_eq!(browser.get("/v1/accounts").await.expect(200)["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(browser.get("/v1/admin/users").await.expect(403)["code"], "forbidden");
    let moving = json!({"from": "bank", "to": "till", "amount": {"amount": "1.00", "asset": "BRL"}});
    assert_eq!(browser.post("/v1/transactions", &moving).await.expect(403)["code"], "forbidden");
    let freeze = format!("/v1/accounts/{}/freeze", ids[1]);
    browser.post(&freeze, &json!({})).await.expect(200);
    office.sleep(TimeDelta::minutes(6));
    let unfreeze = format!("/v1/accounts/{}/unfreeze", ids[1]);
    assert_eq!(browser.post(&unfreeze, &json!({})).await.expect(403)["code"], "step-up-required");
    let step_up = json!({"totp": ana.next_code()});
    browser.post("/v1/staff/sessions/current/step-up", &step_up).await.expect(200);
    browser.post(&unfreeze, &json!({})).await.expect(200);
    let mut auditor = office.secrets.store.session("vintem_auditor").await;
    let sql = "SELECT actor FROM event WHERE kind = 'account.changed'";
    let actors: Vec<String> = sqlx::query_scalar(sql).fetch_all(&mut auditor).await.unwrap();
    assert_eq!(actors, [format!("staff:{}", member_id(&browser)), format!("staff:{}", member_id(&browser))]);

    // A page that is loaded anew finds its word again; another browser is another session.
    assert_eq!(browser.get("/v1/staff/sessions/current").await.expect(200)["csrf_token"], browser.csrf.as_str());
    let other = ana.sign_in().await;
    let sessions = browser.get("/v1/staff/sessions").await.expect(200);
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2);
    assert!(sessions["sessions"].as_array().unwrap().iter().all(|session| session["address"] == "127.0.0.1"));
    let seen = "SELECT payload->>'seen' FROM event WHERE kind = 'staff.signed-in'";
    let seen: Vec<String> = sqlx::query_scalar(seen).fetch_all(&mut auditor).await.unwrap();
    assert!(seen.len() >= 2 && seen.iter().all(|sealed| !sealed.contains("127.0.0.1")), "{seen:?}");
    let theirs = format!("/v1/staff/sessions/{}", other.opened["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(browser.send(Method::DELETE, &theirs, &json!({})).await.status, 204);
    }
    assert_eq!(other.get("/v1/accounts").await.expect(401)["code"], "unauthenticated");
    let out = browser.send(Method::DELETE, "/v1/staff/sessions/current", &json!({})).await;
    assert_eq!(out.status, 204);
    assert!(out.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    browser.get("/v1/accounts").await.expect(401);
    assert_eq!(
        kinds(&office).await,
        [
            "staff.invited",
            "staff.joined",
            "staff.signed-in",
            "staff.signed-in",
            "staff.session-ended",
            "staff.session-ended"
        ]
    );
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_say_who_is_a_member_and_as_what() {
    let office = Office::create().await;
    let admin = office.member("ada", &[Role::IamAdmin]).await.sign_in().await;
    let body = json!({"login": "bia", "roles": ["support"]});
    let invited = admin.send_as("k", Method::POST, "/v1/admin/users", &body).await.expect(201);
    let (id, ticket) = (invited["id"].as_str().unwrap(), invited["invitation_token"].as_str().unwrap());
    let replay = admin.send_as("k", Method::POST, "/v1/admin/users", &body).await;
    assert_eq!(replay.headers["idempotency-replayed"], "true");
    let mut kept = invited.clone();
    kept.as_object_mut().unwrap().remove("invitation_token");
    assert_eq!(replay.expect(201), kept, "a secret is in no answer that is kept");
    assert_eq!(admin.get("/v1/requests/k").await.expect(200)["body"], kept);
    let other = json!({"login": "bia", "roles": ["auditor"]});
    let mismatch = admin.send_as("k", Method::POST, "/v1/admin/users", &other).await;
    assert_eq!(mismatch.expect(422)["code"], "idempotency-mismatch");
    assert_eq!(admin.post("/v1/admin/users", &body).await.expect(409)["code"], "name-taken");

    let path = format!("/v1/admin/users/{id}");
    assert_eq!(admin.get(&path).await.expect(200)["status"], "invited");
    let bia = office.join("bia", ticket).await;
    let desk = bia.sign_in().await;
    assert_eq!(admin.get(&path).await.expect(200)["status"], "active");
    let users = admin.get("/v1/admin/users").await.expect(200);
    let logins: Vec<&str> = users["users"].as_array().unwrap().iter().map(|u| u["login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["ada", "bia"]);

    // Roles count from the next request on; some must not meet.
    desk.get("/v1/webhook-endpoints").await.expect(403);
    let changed = admin.send(Method::PATCH, &path, &json!({"roles": ["support", "developer"]})).await.expect(200);
    assert_eq!(changed["roles"], json!(["support", "developer"]));
    desk.get("/v1/webhook-endpoints").await.expect(200);
    for roles in [json!(["treasury-maker", "treasury-checker"]), json!(["iam-admin", "operations"])] {
        let refused = admin.send(Method::PATCH, &path, &json!({"roles": roles})).await;
        assert_eq!(refused.expect(422)["code"], "role-conflict");
        let refused = admin.post("/v1/admin/users", &json!({"login": "cleo", "roles": roles})).await;
        assert_eq!(refused.expect(422)["code"], "role-conflict");
    }
    for (body, pointer) in [
        (json!({"login": "Cleo", "roles": ["support"]}), "/login"),
        (json!({"login": "cleo@town.br", "roles": ["support"]}), "/login"),
        (json!({"login": "cleo", "roles": []}), "/roles"),
        (json!({"login": "cleo", "roles": ["support", "owner"]}), "/roles/1"),
    ] {
        assert_eq!(admin.post("/v1/admin/users", &body).await.expect(422)["errors"][0]["pointer"], pointer);
    }
    let own = format!("/v1/admin/users/{}", member_id(&admin));
    for body in [json!({"roles": ["iam-admin", "auditor"]}), json!({"status": "suspended"})] {
        assert_eq!(admin.send(Method::PATCH, &own, &body).await.expect(409)["code"], "invalid-state");
    }
    admin.send(Method::PATCH, &path, &json!({})).await.expect(422);
    admin.send(Method::PATCH, &path, &json!({"status": "gone"})).await.expect(422);

    // Out, and back in: the session of before stays over.
    admin.send(Method::PATCH, &path, &json!({"status": "suspended"})).await.expect(200);
    desk.get("/v1/staff/sessions").await.expect(401);
    office.knock("/v1/staff/sessions", &bia.credentials(&bia.next_code())).await.expect(401);
    admin.send(Method::PATCH, &path, &json!({"status": "active"})).await.expect(200);
    desk.get("/v1/staff/sessions").await.expect(401);
    let desk = bia.sign_in().await;

    // An administrator ends a session, and a reset ends everything.
    let open = admin.get(&format!("/v1/admin/sessions?member={id}")).await.expect(200);
    let session = format!("/v1/admin/sessions/{}", open["sessions"][0]["id"].as_str().unwrap());
    assert_eq!(open["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(admin.send(Method::DELETE, &session, &json!({})).await.expect(200)["status"], "ended");
    assert_eq!(admin.send(Method::DELETE, &session, &json!({})).await.expect(200)["status"], "ended");
    desk.get("/v1/staff/sessions").await.expect(401);
    let reset = admin.post(&format!("{path}/reset"), &json!({})).await.expect(200);
    office.knock("/v1/staff/sessions", &bia.credentials(&bia.next_code())).await.expect(401);
    let again = office.join("bia", reset["invitation_token"].as_str().unwrap()).await;
    again.sign_in().await.get("/v1/staff/sessions").await.expect(200);
    office.knock("/v1/staff/sessions", &bia.credentials(&bia.next_code())).await.expect(401);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_changes_password_and_recovery_codes() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    let (desk, phone) = (ana.sign_in().await, ana.sign_in().await);
    let new = "sete barcos e um farol";
    for (old, password, pointer) in [("wrong one entirely", new, "/old_password"), (PASSWORD, "short", "/password")] {
        let refused = desk.post("/v1/staff/password", &json!({"password": password, "old_password": old})).await;
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], pointer);
    }
    let changed = desk.post("/v1/staff/password", &json!({"password": new, "old_password": PASSWORD})).await;
    assert_eq!(changed.status, 204, "{}", String::from_utf8_lossy(&changed.bytes));
    desk.get("/v1/staff/sessions").await.expect(200);
    phone.get("/v1/staff/sessions").await.expect(401);
    office.knock("/v1/staff/sessions", &ana.credentials(&ana.next_code())).await.expect(401);
    let mut credentials = ana.credentials(&ana.next_code());
    credentials["password"] = new.into();
    office.knock("/v1/staff/sessions", &credentials).await.expect(201);

    office.sleep(TimeDelta::minutes(6));
    for (path, body) in [
        ("/v1/staff/recovery-codes", json!({})),
        ("/v1/staff/password", json!({"password": "oito ilhas sem vento", "old_password": new})),
    ] {
        assert_eq!(desk.post(path, &body).await.expect(403)["code"], "step-up-required");
    }
    desk.post("/v1/staff/sessions/current/step-up", &json!({"totp": ana.next_code()})).await.expect(200);
    let codes = desk.post("/v1/staff/recovery-codes", &json!({})).await.expect(200);
    let with = |code: &str| json!({"tenant": TENANT, "login": "ana.s", "password": new, "recovery_code": code});
    office.knock("/v1/staff/sessions", &with(&ana.recovery_codes[0])).await.expect(401);
    office.knock("/v1/staff/sessions", &with(codes["recovery_codes"][0].as_str().unwrap())).await.expect(201);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_of_a_member_stands_anywhere() {
    let office = Office::create().await;
    let ticket = office.invite(TENANT, "ana.s", &[Role::Support]).await;
    let accepted = json!({"token": ticket, "password": PASSWORD});
    let accepted = office.knock("/v1/staff/invitations/accept", &accepted).await.expect(200);
    let ana = office.join("ana.s", &ticket).await;
    let desk = ana.sign_in().await;
    let used =
        json!({"tenant": TENANT, "login": "ana.s", "password": PASSWORD, "recovery_code": ana.recovery_codes[0]});
    office.knock("/v1/staff/sessions", &used).await.expect(201);
    let mut session = office.secrets.store.superuser().await;
    let tables = "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut session).await.unwrap();
    let secret = accepted["secret"].as_str().unwrap();
    let hex = |bytes: &[u8]| bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let (cookie, plain) = (desk.cookie.split_once('=').unwrap().1, ana.recovery_codes[0].replace('-', ""));
    let secrets =
        [PASSWORD, secret, &hex(ana.device.as_bytes()), &ticket, cookie, &desk.csrf, &ana.recovery_codes[1], &plain];
    for table in tables {
        let rows = format!("SELECT coalesce(string_agg(it::text, E'\n'), '') FROM {table} it");
        let text: String = sqlx::query_scalar(&rows).fetch_one(&mut session).await.unwrap();
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} stands in {table}");
        }
        assert!(!text.contains("127.0.0.1"), "an address stands in {table}");
    }
    let log = "SELECT string_agg(payload::text, ' ') FROM event WHERE kind LIKE 'staff.%'";
    let log: String = sqlx::query_scalar(log).fetch_one(&mut session).await.unwrap();
    assert!(!log.contains("argon2") && log.contains("ana.s"), "{log}");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tenants_do_not_meet() {
    let office = Office::create().await;
    office.server.client(&office.secrets.store, "tea-town", "ledger:read").await;
    let ana = office.member("ana.s", &[Role::IamAdmin]).await;
    let theirs = office.invite("tea-town", "ana.s", &[Role::IamAdmin]).await;
    // The same login there is another person: neither's credentials are the other's.
    let mut elsewhere = ana.credentials(&ana.next_code());
    elsewhere["tenant"] = "tea-town".into();
    office.knock("/v1/staff/sessions", &elsewhere).await.expect(401);
    let accepted = json!({"token": theirs, "password": PASSWORD});
    let device = device(&office.knock("/v1/staff/invitations/accept", &accepted).await.expect(200));
    let confirmed = json!({"token": theirs, "totp": device.code_at(office.now())});
    office.knock("/v1/staff/invitations/confirm", &confirmed).await.expect(200);
    office.sleep(TimeDelta::seconds(30));
    elsewhere["totp"] = device.code_at(office.now()).into();
    let there = ana.browser(&office.knock("/v1/staff/sessions", &elsewhere).await);
    let here = ana.sign_in().await;
    let stranger = format!("/v1/admin/users/{}", member_id(&here));
    there.get(&stranger).await.expect(404);
    there.send(Method::PATCH, &stranger, &json!({"status": "suspended"})).await.expect(404);
    there.post(&format!("{stranger}/reset"), &json!({})).await.expect(404);
    let session = here.opened["id"].as_str().unwrap();
    for path in [format!("/v1/admin/sessions/{session}"), format!("/v1/staff/sessions/{session}")] {
        assert_eq!(there.send(Method::DELETE, &path, &json!({})).await.expect(404)["code"], "not-found");
    }
    assert_eq!(there.get("/v1/admin/users").await.expect(200)["users"].as_array().unwrap().len(), 1);
    here.get("/v1/admin/users").await.expect(200);
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_vault_away_sessions_go_on_and_nobody_comes_in_by_mistake() {
    let office = Office::create().await;
    let ana = office.member("ana.s", &[Role::Support]).await;
    let desk = ana.sign_in().await;
    let ticket = office.invite(TENANT, "bia", &[Role::Support]).await;
    office.wire.cut();
    desk.get("/v1/staff/sessions").await.expect(200);
    // A key in memory goes on; one that must be made waits for Vault.
    ana.sign_in().await;
    let accepted = json!({"token": ticket, "password": PASSWORD});
    assert_eq!(office.knock("/v1/staff/invitations/accept", &accepted).await.expect(503)["code"], "vault-sealed");
    office.wire.mend();
    let heals = eventually(std::time::Duration::from_secs(20), async || {
        office.knock("/v1/staff/invitations/accept", &accepted).await.status.is_success()
    });
    assert!(heals.await, "and it heals by itself");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_no_member_and_a_member_is_no_client() {
    let office = Office::create().await;
    let desk = office.member("ana.s", &[Role::Auditor]).await.sign_in().await;
    for path in ["/v1/staff/sessions", "/v1/admin/users", "/v1/admin/sessions"] {
        assert_eq!(office.client.get(path).await.expect(403)["code"], "forbidden", "{path}");
    }
    let both = desk.bare(Method::GET, "/v1/accounts").bearer_auth(&office.client.token);
    assert_eq!(vintem_tests::api::read(both).await.expect(401)["code"], "unauthenticated");
    desk.get("/v1/accounts").await.expect(200);
    let hashes: Value = desk.get("/v1/staff/sessions").await.expect(200);
    assert!(hashes["sessions"][0].get("csrf_token").is_none(), "a word is shown to its own page only");
    office.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_joined_in_the_log_alone_finishes_by_repeating() {
    let office = Office::create().await;
    let ticket = office.invite(TENANT, "ana.s", &[Role::Support]).await;
    let accepted = json!({"token": ticket, "password": PASSWORD});
    let device = device(&office.knock("/v1/staff/invitations/accept", &accepted).await.expect(200));
    // The commit after the fact fails.
    let mut superuser = office.secrets.store.superuser().await;
    for statement in [
        "CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'away'; END $$",
        "CREATE CONSTRAINT TRIGGER away AFTER INSERT ON staff_recovery_code DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION away()",
    ] {
        sqlx::query(statement).execute(&mut superuser).await.unwrap();
    }
    let confirm = async || {
        office.sleep(TimeDelta::seconds(30));
        let confirmed = json!({"token": ticket, "totp": device.code_at(office.now())});
        office.knock("/v1/staff/invitations/confirm", &confirmed).await
    };
    assert_eq!(confirm().await.status.as_u16(), 503);
    assert_eq!(kinds(&office).await, ["staff.invited", "staff.joined"]);
    sqlx::query("DROP TRIGGER away ON staff_recovery_code").execute(&mut superuser).await.unwrap();
    // Nobody chooses anything anew with the ticket; it only finishes, and then is worth nothing.
    office.knock("/v1/staff/invitations/accept", &accepted).await.expect(401);
    let codes = confirm().await.expect(200);
    assert_eq!(codes["recovery_codes"].as_array().unwrap().len(), 10);
    assert_eq!(kinds(&office).await, ["staff.invited", "staff.joined"]);
    confirm().await.expect(401);
    office.sleep(TimeDelta::seconds(30));
    let credentials =
        json!({"tenant": TENANT, "login": "ana.s", "password": PASSWORD, "totp": device.code_at(office.now())});
    office.knock("/v1/staff/sessions", &credentials).await.expect(201);
    sqlx::query("DROP FUNCTION away").execute(&mut superuser).await.unwrap();
    office.close().await;
}
