//! Terminals through a real nginx with real certificates: how they come in, go on, and are refused.

use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;
use vintem_core::access::{Of, Role, find_tenant};
use vintem_core::event_store::overlay::Origin;
use vintem_core::ledger::service::Actor;
use vintem_core::secrets::pki::{Draft, Facts, Service};
use vintem_core::terminals::{TerminalError, uri};
use vintem_tests::api::{Read, read};
use vintem_tests::certificates::Authority;
use vintem_tests::staff::TENANT;
use vintem_tests::terminal::{Fleet, Till};
use vintem_tests::vault::eventually;

const CONFIG: &str = "/v1/terminal/config";
const RENEW: &str = "/v1/terminal/certificates";

fn refused(answer: &Read) -> (u16, String) {
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    (answer.status.as_u16(), answer.code())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_comes_in_and_a_lost_answer_costs_nothing() {
    let fleet = Fleet::create().await;
    let id = fleet.register("PX-1").await;
    assert_eq!(fleet.client.get(&format!("/v1/admin/terminals/{id}")).await.expect(200)["status"], "provisioned");
    let code = fleet.code(id).await;
    let draft = Draft::of_device().unwrap();
    let first = fleet.arrive("PX-1", &code, &draft).await.expect(201);
    // The answer was lost: the same code, typed otherwise, and the same key.
    let again = fleet.arrive("PX-1", &code.to_lowercase().replace('-', " "), &draft).await.expect(201);
    assert_eq!(first, again);
    assert_eq!((&first["terminal_id"], &first["next_seq"]), (&json!(id), &json!(1)));
    // Somebody else's key with the same code.
    let thief = fleet.arrive("PX-1", &code, &Draft::of_device().unwrap()).await;
    assert_eq!(refused(&thief), is(409, "invalid-state"));
    let till = fleet.with("PX-1", draft, first);
    assert_eq!(till.certificate.facts.uris, [uri(tenant(&fleet).await.tenant, id)]);
    let shown = fleet.client.get(&format!("/v1/admin/terminals/{id}")).await.expect(200);
    assert_eq!(shown["status"], "active");
    assert_eq!(shown["certificate"]["fingerprint"], till.certificate.facts.fingerprint);
    let config = till.get(CONFIG).await;
    assert_eq!(config.expect(200)["version"], 1);
    let known = read(till.request(Method::GET, CONFIG).header("If-None-Match", config.headers["etag"].clone())).await;
    assert_eq!((known.status.as_u16(), known.bytes.len()), (304, 0));
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_shown_once_and_one_devices_and_tried_a_few_times() {
    let fleet = Fleet::create().await;
    let (one, other) = (fleet.register("PX-1").await, fleet.register("PX-2").await);
    let path = format!("/v1/admin/terminals/{one}/activation-codes");
    let first = fleet.client.post_as("k", &path, &json!({})).await;
    let replayed = fleet.client.post_as("k", &path, &json!({})).await;
    assert_eq!(replayed.headers["idempotency-replayed"], "true");
    let (first, replayed) = (first.expect(201), replayed.expect(201));
    assert!(first["activation_code"].is_string() && replayed["activation_code"].is_null(), "{replayed}");
    let (of_one, of_other) = (first["activation_code"].as_str().unwrap(), fleet.code(other).await);
    let draft = Draft::of_device().unwrap();
    // Another device's, nonsense, of a serial that is not there: one answer for all.
    for (serial, code) in [("PX-1", of_other.as_str()), ("PX-1", "nonsense"), ("PX-9", of_one)] {
        assert_eq!(refused(&fleet.arrive(serial, code, &draft).await), is(410, "code-expired"), "{serial} {code}");
    }
    for _ in 0..4 {
        assert_eq!(refused(&fleet.arrive("PX-1", "00000-00000", &draft).await), is(410, "code-expired"));
    }
    assert_eq!(refused(&fleet.arrive("PX-1", of_one, &draft).await), is(410, "code-expired"), "it was tried too often");
    let another = fleet.code(one).await;
    fleet.arrive("PX-1", &another, &draft).await.expect(201);
    // Ten wrong ones in a row, and whoever tries this serial has to wait.
    let mut last = is(0, "");
    for _ in 0..12 {
        last = refused(&fleet.arrive("PX-2", "00000-00000", &draft).await);
    }
    assert_eq!(last, is(429, "rate-limited"));
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_over_after_a_quarter_of_an_hour() {
    let fleet = Fleet::create().await;
    let id = fleet.register("PX-1").await;
    let (code, draft) = (fleet.code(id).await, Draft::of_device().unwrap());
    fleet.office.sleep(chrono::TimeDelta::minutes(15));
    assert_eq!(refused(&fleet.arrive("PX-1", &code, &draft).await), is(410, "code-expired"));
    assert_eq!(fleet.client.get(&format!("/v1/admin/terminals/{id}")).await.expect(200)["status"], "provisioned");
    for (csr, code) in [
        ("", "malformed"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "malformed"),
    ] {
        let body = json!({"tenant": TENANT, "serial": "PX-1", "code": "00000-00000", "csr": csr});
        let answer = read(fleet.visitor().post(fleet.public("/v1/terminal/enrolments")).json(&body)).await;
        let problem = answer.expect(422);
        assert_eq!((&problem["errors"][0]["pointer"], &problem["errors"][0]["code"]), (&json!("/csr"), &json!(code)));
    }
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_and_the_one_before_asks_for_that_one_only() {
    let fleet = Fleet::create().await;
    let till = fleet.till("PX-1").await;
    let (next, stray) = (Draft::of_device().unwrap(), Draft::of_device().unwrap());
    let renew = async |till: &Till, draft: &Draft| till.ask(RENEW, &json!({"csr": draft.request()})).await;
    assert_eq!(refused(&renew(&till, &next).await), is(409, "invalid-state"), "it is too early");
    fleet.order(till.id, "rotate_cert").await;
    assert_eq!(till.beat(&json!({})).await.expect(200)["commands"][0]["command"], "rotate_cert");
    let renewed = renew(&till, &next).await.expect(201);
    assert_ne!(renewed["certificate_chain"], till.enrolled["certificate_chain"]);
    // The answer was lost: the certificate before asks again, and for nothing else.
    assert_eq!(renew(&till, &next).await.expect(201), renewed);
    assert_eq!(refused(&renew(&till, &stray).await), is(403, "certificate-revoked"));
    assert_eq!(refused(&till.get(CONFIG).await), is(403, "certificate-revoked"));
    let till = fleet.with("PX-1", next, renewed.clone());
    till.get(CONFIG).await.expect(200);
    assert_eq!(till.beat(&json!({})).await.expect(200)["commands"], json!([]), "it has done what it was told");
    // Twenty days later it is time, for another key.
    fleet.office.sleep(chrono::TimeDelta::days(20));
    let later = Draft::of_device().unwrap();
    let third = renew(&till, &later).await.expect(201);
    assert_eq!(renew(&till, &later).await.expect(201), third);
    let till = fleet.with("PX-1", later, third);
    till.get(CONFIG).await.expect(200);
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_with_a_certificate_that_is_not_good() {
    let fleet = Fleet::create().await;
    let (stack, prefix) = (&fleet.office.secrets.stack, &fleet.office.secrets.prefix);
    let till = fleet.till("PX-1").await;
    let ask = async |http: reqwest::Client| refused(&read(http.get(fleet.private(CONFIG))).await);
    assert_eq!(ask(fleet.visitor()).await, is(401, "certificate-required"));
    // An authority of the same names, and our own root: nobody but the intermediate vouches for terminals.
    let name = uri(tenant(&fleet).await.tenant, till.id);
    let wishes = json!({ "uri_sans": name });
    let foreign = Authority::create(stack, &format!("f{prefix}"), Duration::from_hours(1)).await;
    let forged = foreign.sign(stack, Service::Nginx, "pki/sign/terminal", wishes.clone()).await.unwrap();
    assert_eq!(ask(fleet.showing(&forged)).await, is(401, "certificate-unknown"));
    foreign.remove(stack).await;
    let administrator = stack.vault().await.unwrap();
    let role = json!({ "allowed_domains": "", "allowed_uri_sans": "urn:vintem:terminal:*", "key_type": "ec", "client_flag": true,
        "server_flag": false, "use_csr_common_name": false, "use_csr_sans": false, "require_cn": false });
    administrator.write(&format!("{prefix}pki_root/roles/forger"), role).await.unwrap();
    let of_root = fleet.authority.sign(stack, Service::Nginx, "pki_root/sign/forger", wishes.clone()).await.unwrap();
    assert_eq!(ask(fleet.showing(&of_root)).await, is(401, "certificate-unknown"));
    // One of our own services is nobody's terminal, and a certificate that we have not given out is none of this one's.
    let door = fleet.authority.issue(stack, Service::Nginx).await;
    assert_eq!(ask(fleet.showing(&door)).await, is(401, "certificate-unknown"));
    let stray = fleet.authority.sign(stack, Service::Nginx, "pki/sign/terminal", wishes).await.unwrap();
    assert_eq!(ask(fleet.showing(&stray)).await, is(403, "certificate-revoked"));
    let nobodys = json!({ "uri_sans": uri(tenant(&fleet).await.tenant, uuid::Uuid::from_u128(7)) });
    let nobodys = fleet.authority.sign(stack, Service::Nginx, "pki/sign/terminal", nobodys).await.unwrap();
    assert_eq!(ask(fleet.showing(&nobodys)).await, is(401, "certificate-unknown"));
    let short = json!({ "uri_sans": name, "ttl": "2s" });
    let short = fleet.authority.sign(stack, Service::Nginx, "pki/sign/terminal", short).await.unwrap();
    sleep(Duration::from_secs(3)).await;
    assert_eq!(ask(fleet.showing(&short)).await, is(401, "certificate-expired"));
    till.get(CONFIG).await.expect(200);
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_in_a_header_is_worth_nothing_without_its_connection() {
    let fleet = Fleet::create().await;
    let till = fleet.till("PX-1").await;
    let pem = till.certificate.chain.split_inclusive("-----END CERTIFICATE-----").next().unwrap();
    let stolen: String = pem.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
    // On the public port there are no routes of terminals but the one.
    let paths = ["config", "heartbeats", "certificates", "shifts", "shifts/1/close", ""];
    for path in paths {
        let request =
            fleet.visitor().get(fleet.public(&format!("/v1/terminal/{path}"))).header("X-Client-Cert", &stolen);
        assert_eq!(refused(&read(request).await), is(404, "not-found"), "{path}");
    }
    // On the port for terminals what a client says is written over, and other routes are not there.
    let other = fleet.till("PX-2").await;
    let request = other.request(Method::GET, CONFIG).header("X-Client-Cert", &stolen);
    let shift = other.post("/v1/terminal/shifts", &json!({"operator": "A07"})).await.expect(201);
    assert_eq!((read(request).await.status.as_u16(), &shift["shift"]), (200, &json!(1)));
    assert_eq!(fleet.client.get(&format!("/v1/admin/terminals/{}", till.id)).await.expect(200)["shift"], 0);
    let without = fleet.visitor().get(fleet.private(CONFIG)).header("X-Client-Cert", &stolen);
    assert_eq!(refused(&read(without).await), is(401, "certificate-required"));
    for path in ["/v1/accounts", "/v1/token", "/livez", "/openapi.json"] {
        assert_eq!(till.get(path).await.status.as_u16(), 404, "{path}");
    }
    // Straight to an API that stands behind no door, nobody is believed; to one that does, nobody comes but the door.
    let straight = fleet.visitor().get(fleet.office.server.url(CONFIG)).header("X-Client-Cert", &stolen);
    assert_eq!(refused(&read(straight).await), is(401, "unauthenticated"));
    let host = "api.vintem.internal";
    let pair = till.certificate.pair();
    assert!(fleet.authority.client(Some(&pair)).ask(fleet.server.port(), host).await.is_err());
    assert!(fleet.authority.client(None).ask(fleet.server.port(), host).await.is_err());
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_suspended_lost_or_revoked_is_refused_from_the_next_request_on() {
    let fleet = Fleet::create().await;
    let (till, lost) = (fleet.till("PX-1").await, fleet.till("PX-2").await);
    fleet.step(till.id, "suspend").await.expect(200);
    assert_eq!(refused(&till.get(CONFIG).await), is(403, "terminal-suspended"));
    assert_eq!(fleet.step(till.id, "activation-codes").await.code(), "invalid-state");
    fleet.step(till.id, "resume").await.expect(200);
    till.get(CONFIG).await.expect(200);
    assert_eq!(fleet.step(lost.id, "lost").await.expect(200)["status"], "lost");
    assert_eq!(refused(&lost.get(CONFIG).await), is(403, "certificate-revoked"));
    assert_eq!(fleet.step(till.id, "revoke").await.expect(200)["status"], "revoked");
    assert_eq!(refused(&till.get(CONFIG).await), is(403, "certificate-revoked"));
    // Vault's list follows, and then nginx itself refuses.
    assert_eq!(fleet.work().await, 2);
    assert_eq!(fleet.work().await, 0);
    fleet.tell_nginx().await;
    let mut said = Value::Null;
    let at_the_door = eventually(Duration::from_secs(20), async || {
        let http = fleet.showing(&till.certificate);
        said = read(http.get(fleet.private(CONFIG))).await.json();
        said["detail"] == "The certificate was revoked."
    });
    assert!(at_the_door.await, "{said}");
    assert_eq!(said["code"], "certificate-revoked");
    // A device that is back from repair is enrolled anew, and others were never concerned.
    fleet.step(till.id, "retire").await.expect(200);
    let back = fleet.till("PX-1").await;
    assert_eq!(back.id, till.id);
    back.get(CONFIG).await.expect(200);
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_says_that_it_is_there_and_hears_what_to_do() {
    let fleet = Fleet::create().await;
    let till = fleet.till("PX-1").await;
    let order = fleet.order(till.id, "close_batch").await;
    let told = till.beat(&json!({"last_seq": 7, "offline": {"count": 2, "amount": "31.50"}})).await.expect(200);
    assert_eq!((&told["commands"], &told["config_version"]), (&json!([order]), &json!(1)));
    assert!(told["skew_ms"].as_i64().unwrap().abs() < 60_000);
    let done = till.beat(&json!({"done": [order["id"]]})).await.expect(200);
    assert_eq!(done["commands"], json!([]));
    let late = (vintem_core::telemetry::clock::now() - chrono::TimeDelta::minutes(9)).to_rfc3339();
    let told = till.beat(&json!({"local_time": late, "tamper": true})).await.expect(200);
    assert!(told["skew_ms"].as_i64().unwrap() < -8 * 60_000, "{told}");
    till.beat(&json!({"tamper": true})).await.expect(200);
    let shown = fleet.client.get(&format!("/v1/admin/terminals/{}", till.id)).await.expect(200);
    assert_eq!((&shown["heartbeat"]["tamper"], &shown["heartbeat"]["is_away"]), (&json!(true), &json!(false)));
    let events = fleet.client.get("/v1/events?limit=100").await.expect(200);
    let kinds: Vec<&str> =
        events["events"].as_array().unwrap().iter().filter_map(|event| event["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "terminal.tampered").count(), 1, "{kinds:?}");
    let change = json!({"label": "Stall 7", "heartbeat_seconds": 30, "settings": {"receipt": "none"}});
    fleet.client.patch(&format!("/v1/admin/terminals/{}", till.id), &change, None).await.expect(200);
    let config = till.get(CONFIG).await.expect(200);
    assert_eq!((&config["label"], &config["settings"]["receipt"]), (&json!("Stall 7"), &json!("none")));
    assert_eq!(till.beat(&json!({})).await.expect(200)["config_version"], config["version"]);
    for bad in [
        json!({"last_seq": -1}),
        json!({"local_time": "2026-03-01"}),
        json!({"version": ""}),
        json!({"offline": {"count": 1, "amount": "x"}}),
    ] {
        assert_eq!(till.beat(&bad).await.code(), "validation-failed", "{bad}");
    }
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_known_by_their_numbers_and_gaps_are_found() {
    let fleet = Fleet::create().await;
    let till = fleet.till("PX-1").await;
    let (terminals, of) = (&fleet.office.server.terminals, tenant(&fleet).await);
    let actor = Actor { shard: of.shard, origin: Origin::command(of.tenant, "terminal:test") };
    for seq in [1, 2, 5, 4, 9] {
        terminals.sequence(&actor, till.id, seq, &[7; 32]).await.unwrap();
    }
    terminals.sequence(&actor, till.id, 5, &[7; 32]).await.unwrap();
    let conflict = terminals.sequence(&actor, till.id, 5, &[8; 32]).await;
    assert!(matches!(conflict, Err(TerminalError::SequenceConflict(5))), "{conflict:?}");
    assert_eq!(terminals.missing(of, till.id, 0, 10).await.unwrap(), [3, 6, 7, 8, 10]);
    assert_eq!(terminals.missing(of, till.id, 4, 9).await.unwrap(), [6, 7, 8]);
    assert_eq!(terminals.missing(of, till.id, 9, i64::MAX).await.unwrap().len(), 1_000);
    assert_eq!(terminals.next_seq(of, till.id).await.unwrap(), 10);
    let (now, far) = (terminals.now(), chrono::TimeDelta::minutes(6));
    assert!(terminals.check_clock(now).is_ok() && terminals.check_clock(now + far).is_err());
    fleet.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_staff_keeps_the_terminals_of_its_units() {
    let fleet = Fleet::create().await;
    let office = &fleet.office;
    let admin = office.member("root", &[Role::IamAdmin]).await.sign_in().await;
    let unit = admin.post("/v1/admin/units", &json!({"name": "Market hall"})).await.expect(201);
    let manager = office.member("fleet.m", &[Role::TerminalManager]).await.sign_in().await;
    let device = |serial: &str, unit: &Value| json!({"serial": serial, "model": "Pax", "service_id": fleet.service, "unit": unit});
    let inside = manager.post("/v1/admin/terminals", &device("PX-1", &unit["id"])).await.expect(201);
    let outside = manager.post("/v1/admin/terminals", &device("PX-2", &Value::Null)).await.expect(201);
    assert_eq!(manager.post("/v1/admin/terminals", &device("PX-1", &Value::Null)).await.code(), "name-taken");
    assert_eq!(manager.get("/v1/admin/terminals").await.expect(200)["terminals"].as_array().unwrap().len(), 2);
    let position = vintem_core::access::staff::Position {
        grants: ["view:terminal:unit", "edit:terminal:unit", "create:terminal:unit"]
            .map(|text| text.parse().unwrap())
            .to_vec(),
        unit: Some(unit["id"].as_str().unwrap().parse().unwrap()),
        ..Default::default()
    };
    let ticket = office.invite_as(TENANT, "hall.m", position).await;
    let local = office.join("hall.m", &ticket).await.sign_in().await;
    let seen = local.get("/v1/admin/terminals").await.expect(200);
    assert_eq!(seen["terminals"].as_array().unwrap().len(), 1);
    let path = |made: &Value, what: &str| format!("/v1/admin/terminals/{}{what}", made["id"].as_str().unwrap());
    local.post(&path(&inside, "/activation-codes"), &json!({})).await.expect(201);
    assert_eq!(local.post(&path(&outside, "/activation-codes"), &json!({})).await.status.as_u16(), 404);
    assert_eq!(local.get(&path(&outside, "")).await.status.as_u16(), 404);
    assert_eq!(local.post("/v1/admin/terminals", &device("PX-3", &Value::Null)).await.code(), "forbidden");
    fleet.close().await;
}

/// Whose the terminals are.
async fn tenant(fleet: &Fleet) -> Of {
    let mut operator = fleet.office.secrets.store.session("vintem_operator").await;
    let found = find_tenant(&mut operator, TENANT).await.unwrap();
    Of { shard: found.shard, tenant: found.tenant }
}

#[test]
fn a_devices_request_says_nothing_of_whose_it_is() {
    let request = Draft::of_device().unwrap();
    assert!(Facts::of_pem(request.request()).is_err() && !format!("{request:?}").contains("PRIVATE"));
}
