//! People over HTTP: registered, found, forgotten; and that nothing of them stays behind in clear.

use serde_json::{Value, json};
use sqlx::Row;
use std::time::Duration;
use uuid::Uuid;
use vintem_core::holders::Holder;
use vintem_core::secrets::people::rewrap::rewrap;
use vintem_core::secrets::{DatabaseRole, LeasedDatabase};
use vintem_tests::factory::is_long;
use vintem_tests::people::{Registry, SCOPES, cpf, person, register_all};

const CANARY: &str = "Zuleica Canário da Silva";
const CPF: &str = "52998224725";

pub(super) fn id(holder: &Value) -> Uuid {
    holder["id"].as_str().unwrap().parse().unwrap()
}

pub(super) fn path(holder: &Value) -> String {
    format!("/v1/holders/{}", id(holder))
}

/// Every row of a database as text, to look for what must not be there.
async fn dump(session: &mut sqlx::PgConnection) -> String {
    let tables = sqlx::query_scalar::<_, String>(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    );
    let mut text = String::new();
    for table in tables.fetch_all(&mut *session).await.unwrap() {
        let rows = format!("SELECT coalesce(string_agg(it::text, E'\n'), '') FROM {table} it");
        text += &sqlx::query_scalar::<_, String>(&rows).fetch_one(&mut *session).await.unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_registered_read_found_and_erased() {
    let registry = Registry::create().await;
    let made = registry.register(CANARY, "529.982.247-25").await.expect(201);
    assert_eq!(made["status"], "active");
    assert!(made.as_object().unwrap().keys().all(|name| ["id", "status", "registered_at"].contains(&name.as_str())));
    let shown = registry.client.get(&path(&made)).await.expect(200);
    assert_eq!((shown["name"].as_str(), shown["cpf"].as_str()), (Some("Zuleica S."), Some("***.982.247-**")));
    assert_eq!(shown["phone"], "***5678");
    let found = registry.client.request(reqwest::Method::POST, "/v1/holders/lookups").json(&json!({"cpf": CPF}));
    assert_eq!(vintem_tests::api::read(found).await.expect(200), shown, "a question needs no key");

    let again = registry.register("Another", CPF).await;
    assert_eq!(again.expect(409)["code"], "already-registered");
    for (body, pointer) in [
        (json!({"name": CANARY, "email": "a@b", "cpf": "52998224724"}), "/cpf"),
        (json!({"name": CANARY, "email": "a@b", "cpf": "11111111111"}), "/cpf"),
        (json!({"name": "", "email": "a@b", "cpf": CPF}), "/name"),
        (json!({"name": CANARY, "cpf": CPF}), "/email"),
    ] {
        let refused = registry.client.post("/v1/holders", &body).await;
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], pointer);
        assert!(!String::from_utf8_lossy(&refused.bytes).contains(CANARY));
    }

    let erasure = registry.client.post(&format!("{}/erasure", path(&made)), &json!({})).await.expect(200);
    let at = |member: &str| chrono::DateTime::parse_from_rfc3339(erasure["erasure"][member].as_str().unwrap()).unwrap();
    assert_eq!(at("complete_in_live_systems_by") - at("erased_at"), chrono::TimeDelta::seconds(60));
    assert_eq!(at("complete_in_backups_by") - at("erased_at"), chrono::TimeDelta::days(7));
    let gone = registry.client.get(&path(&made)).await.expect(200);
    assert_eq!((gone["status"].as_str(), &gone["erasure"]), (Some("erased"), &erasure["erasure"]));
    assert!(["name", "email", "phone", "cpf"].iter().all(|member| gone[member].is_null()));
    registry.client.post("/v1/holders/lookups", &json!({"cpf": CPF})).await.expect(404);
    let repeated = registry.client.post(&format!("{}/erasure", path(&made)), &json!({})).await.expect(200);
    assert_eq!(repeated, erasure, "an erasure happens once");
    // The number is free again, and it is another person to us.
    let anew = registry.register(CANARY, CPF).await.expect(201);
    assert_ne!(anew["id"], made["id"]);
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_a_person_as_they_are_is_in_the_log_before() {
    let registry = Registry::create().await;
    let made = registry.register(CANARY, CPF).await.expect(201);
    let unmask = async |body: Value| {
        let request = registry.client.request(reqwest::Method::POST, &format!("{}/unmask", path(&made)));
        vintem_tests::api::read(request.json(&body)).await
    };
    let shown = unmask(json!({"reason": "dispute", "reference": "CASE-2026/118"})).await.expect(200);
    assert_eq!((shown["name"].as_str(), shown["cpf"].as_str()), (Some(CANARY), Some(CPF)));
    for body in
        [json!({}), json!({"reason": "curiosity"}), json!({"reason": "dispute", "reference": "Zuleica da Silva"})]
    {
        assert_eq!(unmask(body).await.expect(422)["code"], "validation-failed");
    }

    let trail = format!("/v1/audit-events?kind=holder.unmasked&subject={}", id(&made));
    let trail = registry.client.get(&trail).await.expect(200);
    let [event] = &trail["events"].as_array().unwrap()[..] else { panic!("{trail}") };
    assert_eq!(event["actor"], format!("client:{}", registry.client.id));
    assert_eq!(event["payload"], json!({"reason": "dispute", "reference": "CASE-2026/118"}));
    assert_eq!(event["version"], 2);

    registry.client.post(&format!("{}/erasure", path(&made)), &json!({})).await.expect(200);
    let gone = unmask(json!({"reason": "support"})).await.expect(200);
    assert!(gone["status"] == "erased" && gone["name"].is_null());
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_registration_is_answered_once_and_its_fingerprint_is_keyed() {
    let registry = Registry::create().await;
    let first = registry.client.post_as("k", "/v1/holders", &person(CANARY, CPF)).await;
    let replay = registry.client.post_as("k", "/v1/holders", &person(CANARY, CPF)).await;
    assert_eq!((first.status.as_u16(), &first.bytes), (201, &replay.bytes));
    assert_eq!(replay.headers["idempotency-replayed"], "true");
    let other = registry.client.post_as("k", "/v1/holders", &person("Other", CPF)).await;
    assert_eq!(other.expect(422)["code"], "idempotency-mismatch");
    let recovered = registry.client.get("/v1/requests/k").await.expect(200);
    assert_eq!(recovered["body"], first.json());

    let body = serde_json::to_vec(&person(CANARY, CPF)).unwrap();
    let canonical = vintem_api::canonical::canonical(&body).unwrap();
    let plain = vintem_core::kernel::fingerprint::fingerprint("POST", "/v1/holders", &canonical);
    let mut session = registry.secrets.store.superuser().await;
    let stored: Vec<u8> =
        sqlx::query_scalar("SELECT fingerprint FROM request WHERE key = 'k'").fetch_one(&mut session).await.unwrap();
    assert_ne!(stored, plain, "a plain digest of a CPF could be tried out");
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_registrations_of_one_cpf_one_wins_and_no_key_is_left_over() {
    let registry = Registry::create().await;
    let other = registry.server.client(&registry.secrets.store, "tea-town", SCOPES).await;
    let body = person(CANARY, CPF);
    let racing = (0..12).map(|_| registry.client.post("/v1/holders", &body));
    let answers = futures_util::future::join_all(racing).await;
    let won: Vec<_> = answers.iter().filter(|answer| answer.status.as_u16() == 201).collect();
    assert_eq!(won.len(), 1);
    assert!(answers.iter().filter(|answer| answer.status.as_u16() != 201).all(|a| a.code() == "already-registered"));
    let mut keys = registry.secrets.store.keys_session("vintem_rewrapper").await;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM person_key").fetch_one(&mut keys).await.unwrap();
    assert_eq!(kept, 1);

    // The same person at another tenant is another one, and neither tenant sees the other's.
    let theirs = other.post("/v1/holders", &body).await.expect(201);
    let ours = won[0].json();
    for (client, holder) in [(&other, &ours), (&registry.client, &theirs)] {
        assert_eq!(client.get(&path(holder)).await.expect(404)["code"], "not-found");
        client.post(&format!("{}/erasure", path(holder)), &json!({})).await.expect(404);
    }
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_person_stands_anywhere_in_clear() {
    let registry = Registry::create().await;
    registry.register(CANARY, CPF).await.expect(201);
    registry.register(CANARY, CPF).await.expect(409);
    let events = registry.client.get("/v1/events").await.expect(200).to_string();
    assert!(events.contains("holder.registered"));
    let (store, mut keys) = (&registry.secrets.store, registry.secrets.store.keys_session("vintem_rewrapper").await);
    let texts = [dump(&mut store.superuser().await).await, dump_keys(&mut keys).await, events];
    for text in texts {
        for canary in [CANARY, "Zuleica", "Canário", CPF, "529.982.247-25", "canario.example", "5511912345678"] {
            assert!(!text.contains(canary), "{canary} stands in clear");
        }
        // The digest of the request without a key, as hex.
        assert!(!text.contains(&plain_digest()), "a digest that can be tried out");
    }
    registry.close().await;
}

async fn dump_keys(session: &mut sqlx::PgConnection) -> String {
    let rows = sqlx::query("SELECT it::text FROM person_key it").fetch_all(session).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}

fn plain_digest() -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, CPF.as_bytes());
    digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_cannot_be_read_from_a_copy_of_the_ledger_and_others_can() {
    let registry = Registry::create().await;
    registry.client.open("BRL", &["bank", "ana"]).await;
    registry.client.moves("bank", "ana", "12.50").await.expect(201);
    let ana = registry.register(CANARY, CPF).await.expect(201);
    let bia = registry.register("Bia", &cpf(7)).await.expect(201);
    let tenant = tenant_of(&registry, &ana).await;
    let before = holder(&registry, &ana).await;
    assert_eq!(&*opened(&registry, tenant, &before).await.unwrap().name, CANARY);
    let elsewhere = registry.another_process();
    elsewhere.find(tenant, &[id(&ana), id(&bia)]).await.unwrap();
    let (books, balance) = (registry.secrets.store.verify().await, registry.client.get("/v1/accounts").await.bytes);

    registry.client.post(&format!("{}/erasure", path(&ana)), &json!({})).await.expect(200);
    // What a backup of the ledger from before holds is `before`; the database of keys has no key for it any more.
    assert!(opened(&registry, tenant, &before).await.is_none());
    assert!(!registry.keys.remembers(tenant, id(&ana)), "the process that erased has dropped it");
    elsewhere.look_after().await.unwrap();
    assert!(!elsewhere.remembers(tenant, id(&ana)), "another process drops it when it looks");
    assert!(elsewhere.remembers(tenant, id(&bia)));
    assert_eq!(registry.client.get(&path(&bia)).await.expect(200)["name"], "Bia");
    assert_eq!(registry.client.get("/v1/accounts").await.bytes, balance);
    let after = registry.secrets.store.verify().await;
    assert!(books.findings.is_empty() && after.findings.is_empty(), "{:#?}", after.findings);
    assert_eq!(after.events, books.events + 1);
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_that_was_interrupted_is_finished_by_the_worker() {
    let registry = Registry::create().await;
    let ana = registry.register(CANARY, CPF).await.expect(201);
    let tenant = tenant_of(&registry, &ana).await;
    // The process dies between the commit and the deletion of the key: the row is there again.
    let store = &registry.secrets.store;
    let kept: (i32, String) = sqlx::query_as("SELECT version, wrapped FROM person_key")
        .fetch_one(&mut store.keys_session("vintem_rewrapper").await)
        .await
        .unwrap();
    registry.client.post(&format!("{}/erasure", path(&ana)), &json!({})).await.expect(200);
    let mut owner = store.keys_session("vintem_key_owner").await;
    sqlx::query("INSERT INTO person_key (version, tenant, person, wrapped) VALUES ($1, $2, $3, $4)")
        .bind(kept.0)
        .bind(tenant)
        .bind(id(&ana))
        .bind(kept.1)
        .execute(&mut owner)
        .await
        .unwrap();
    let gone = registry.client.get(&path(&ana)).await.expect(200);
    assert!(gone["name"].is_null(), "the log says erased, whatever keys there are");
    assert_eq!(registry.work().await, 1);
    assert!(registry.keys.find(tenant, &[id(&ana)]).await.unwrap().is_empty());
    assert_eq!(registry.work().await, 0, "and then there is nothing left to do");
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_vault_away_known_people_are_read_and_nobody_is_written_in_clear() {
    let registry = Registry::create().await;
    let ana = registry.register(CANARY, CPF).await.expect(201);
    registry.wire.cut();
    assert_eq!(registry.client.get(&path(&ana)).await.expect(200)["name"], "Zuleica S.", "a known key goes on");
    let refused = registry.register("Bia Segredo", &cpf(7)).await;
    let problem = refused.expect(503);
    assert_eq!((problem["code"].as_str(), problem["outcome"].as_str()), (Some("vault-sealed"), Some("none")));
    let stored = dump(&mut registry.secrets.store.superuser().await).await;
    assert!(!stored.contains("Segredo"));
    // Erasing needs no Vault.
    registry.client.post(&format!("{}/erasure", path(&ana)), &json!({})).await.expect(200);
    registry.wire.mend();
    let heals = vintem_tests::vault::eventually(Duration::from_secs(20), async || {
        registry.register("Bia Segredo", &cpf(7)).await.status.is_success()
    });
    assert!(heals.await, "and it heals by itself");
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_finds_rows_of_nobody_and_holders_without_rows() {
    let registry = Registry::create().await;
    let ana = registry.register(CANARY, CPF).await.expect(201);
    let store = &registry.secrets.store;
    let mut session = store.superuser().await;
    let tamper = async |session: &mut sqlx::PgConnection, sql: &str| {
        sqlx::query(sql).execute(session).await.unwrap();
    };
    tamper(&mut session, "UPDATE personal_key SET owner = gen_random_uuid()").await;
    let found = store.verify().await.findings;
    let told: Vec<String> = found.told().iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|finding| finding.contains("is of nobody")), "{told:?}");
    assert!(told.iter().any(|finding| finding.contains(&id(&ana).to_string())), "{told:?}");
    tamper(&mut session, &format!("UPDATE personal_key SET owner = '{}'", id(&ana))).await;
    registry.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_wrapped_anew_while_people_are_read() {
    let registry = Registry::create().await;
    let mut people = Vec::new();
    for number in 1..=5 {
        people.push(registry.register(&format!("Person {number}"), &cpf(number)).await.expect(201));
    }
    let secrets = &registry.secrets;
    let operator = secrets.stack.vault().await.unwrap();
    let key = format!("{}transit/keys/people", secrets.prefix);
    operator.write(&format!("{key}/rotate"), json!({})).await.unwrap();
    let vault = secrets.login("rewrapper").await;
    let place = secrets.database_settings().keys();
    let database = LeasedDatabase::connect(&vault, &place, DatabaseRole::Rewrapper, 2).await.unwrap();
    let done = rewrap(&vault, database.pool(), |_| ()).await.unwrap();
    assert_eq!((done.version, done.total, done.done), (2, 5, 5));
    let again = rewrap(&vault, database.pool(), |_| ()).await.unwrap();
    assert_eq!((again.total, again.done), (0, 0));
    // Now the old version may end.
    operator.write(&format!("{key}/config"), json!({"min_decryption_version": 2})).await.unwrap();
    let tenant = tenant_of(&registry, &people[0]).await;
    let elsewhere = registry.another_process();
    let ids: Vec<Uuid> = people.iter().map(id).collect();
    assert_eq!(elsewhere.find(tenant, &ids).await.unwrap().len(), 5, "many keys, one call");
    database.close().await;
    vault.logout().await;
    registry.close().await;
}

/// The bar of the issue: one of 10,000 people is erased, and the others are as they were.
#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_people_is_erased_and_the_others_are_untouched() {
    let registry = Registry::create().await;
    let many: u32 = if is_long() { 10_000 } else { 100 };
    let mut people = register_all(&registry.client, 1..=many).await;
    let chosen = people.swap_remove(usize::try_from(many / 2).unwrap());
    registry.client.post(&format!("{}/erasure", path(&chosen)), &json!({})).await.expect(200);
    assert_eq!(registry.client.get(&path(&chosen)).await.expect(200)["status"], "erased");
    let tenant = tenant_of(&registry, &chosen).await;
    let ids: Vec<Uuid> = people.iter().map(id).collect();
    let elsewhere = registry.another_process();
    for some in ids.chunks(500) {
        assert_eq!(elsewhere.find(tenant, some).await.unwrap().len(), some.len());
    }
    for person in people.iter().step_by(people.len() / 10) {
        assert!(registry.client.get(&path(person)).await.expect(200)["name"].is_string());
    }
    registry.close().await;
}

pub(super) async fn tenant_of(registry: &Registry, holder: &Value) -> Uuid {
    let mut session = registry.secrets.store.superuser().await;
    let tenant = sqlx::query_scalar("SELECT tenant FROM event WHERE stream = $1 LIMIT 1").bind(id(holder));
    tenant.fetch_one(&mut session).await.unwrap()
}

/// A holder as a copy of the ledger has them.
async fn holder(registry: &Registry, holder: &Value) -> Holder {
    let mut session = registry.secrets.store.session("vintem_auditor").await;
    let events = vintem_core::event_store::read::streams(&mut session, 0, &[id(holder)]).await.unwrap();
    Holder::fold(&events).unwrap()
}

/// What a process that starts now can read of them; `None` when there is no key.
async fn opened(registry: &Registry, tenant: Uuid, holder: &Holder) -> Option<vintem_core::holders::Details> {
    let keys = registry.another_process().find(tenant, &[holder.id]).await.unwrap();
    keys.get(&holder.id).map(|key| holder.open(tenant, key).unwrap())
}
