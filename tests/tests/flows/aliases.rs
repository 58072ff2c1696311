//! Keys by which people are paid: had, found, given up; and what a look-up does not tell.

use serde_json::{Value, json};
use vintem_tests::api::Read;
use vintem_tests::phone::{Phone, Town};

const PHONE: &str = "+5511912345678";

async fn has(phone: &Phone, kind: &str) -> Read {
    phone.post("/v1/aliases", &json!({"kind": kind})).await
}

async fn kinds(phone: &Phone) -> Vec<String> {
    let own = phone.get("/v1/aliases").await.expect(200);
    own["aliases"].as_array().unwrap().iter().map(|alias| alias["kind"].as_str().unwrap().to_owned()).collect()
}

fn path(alias: &Value) -> String {
    format!("/v1/aliases/{}", alias["id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_found_by_each_of_their_keys_and_seen_masked() {
    let town = Town::create().await;
    let ((ana, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    let random = her.random_alias().await;
    for kind in ["cpf", "email", "phone"] {
        let made = has(&her, kind).await.expect(201);
        assert_eq!((made["kind"].as_str(), made.get("alias")), (Some(kind), None), "an answer is stored");
    }
    let own = her.get("/v1/aliases").await.expect(200);
    let values: Vec<_> = own["aliases"].as_array().unwrap().iter().map(|alias| &alias["alias"]).collect();
    assert_eq!(values, [&*random, &ana.cpf, &ana.email, PHONE]);
    let punctuated = format!("{}.{}.{}-{}", &ana.cpf[..3], &ana.cpf[3..6], &ana.cpf[6..9], &ana.cpf[9..]);
    for alias in [&*random, &ana.cpf, &punctuated, &ana.email.to_uppercase(), PHONE] {
        let found = his.looks_up(alias).await.expect(200);
        assert_eq!(found["display_name"], "Ana 1.");
        assert_eq!(found["masked_cpf"], format!("***.{}.{}-**", &ana.cpf[3..6], &ana.cpf[6..9]));
        assert_eq!(found.as_object().unwrap().len(), 3, "{found}");
    }
    let named = his.ask("/v1/alias-lookups", &json!({"kind": "cpf", "alias": ana.cpf})).await;
    named.expect(200);
    // Neither the log nor the stored answers say it in clear.
    let mut superuser = town.office.secrets.store.superuser().await;
    let kept: String = sqlx::query_scalar(
        "SELECT string_agg(t, ' ') FROM (SELECT payload::text t FROM event UNION ALL SELECT convert_from(body, 'UTF8') FROM request_body
         UNION ALL SELECT k::text FROM personal_key k) kept",
    )
    .fetch_one(&mut superuser)
    .await
    .unwrap();
    for secret in [&*ana.cpf, &ana.email, PHONE] {
        assert!(!kept.contains(secret), "{secret}");
    }
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_one_persons_until_they_give_it_up() {
    let town = Town::create().await;
    let ((_, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    // Both have named one phone; whoever is first has the key.
    let body = json!({"kind": "phone"});
    let first = her.post_as("k-1", "/v1/aliases", &body).await;
    let made = first.expect(201);
    let again = her.post_as("k-1", "/v1/aliases", &body).await;
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes), "one key, one answer");
    let refused = his.post_as("k-1", "/v1/aliases", &body).await;
    assert_eq!(refused.expect(409)["code"], "alias-taken");
    assert_eq!(has(&her, "phone").await.expect(409)["code"], "alias-taken");
    his.delete(&path(&made)).await.expect(404);
    for _ in 0..2 {
        assert_eq!(her.delete(&path(&made)).await.status, 204);
    }
    assert_eq!(kinds(&her).await, Vec::<String>::new());
    his.looks_up(PHONE).await.expect(404);
    let frozen = his.post_as("k-1", "/v1/aliases", &body).await;
    assert_eq!((frozen.status, &frozen.bytes), (refused.status, &refused.bytes), "a refusal is kept, too");
    has(&his, "phone").await.expect(201);
    assert_eq!(her.looks_up(PHONE).await.expect(200)["display_name"], "Ana 2.");
    // Five in all.
    for _ in 0..4 {
        his.random_alias().await;
    }
    assert_eq!(has(&his, "random").await.expect(409)["code"], "invalid-state");
    assert_eq!(has(&his, "pix").await.expect(422)["errors"][0]["pointer"], "/kind");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_at_once_of_ten_that_are_asked_for_at_once() {
    let town = Town::create().await;
    let (_, her) = town.citizen(1).await;
    let made = futures_util::future::join_all((0..10).map(|_| has(&her, "random"))).await;
    assert!(made.iter().all(|made| [201, 409, 503].contains(&made.status.as_u16())));
    assert_eq!(made.iter().filter(|made| made.status == 201).count(), kinds(&her).await.len());
    assert!(kinds(&her).await.len() <= 5);
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_somebody_erased_and_somebody_frozen_are_one_answer() {
    let town = Town::create().await;
    let ((_, her), (_, his), (_, asks)) = (town.citizen(1).await, town.citizen(2).await, town.citizen(3).await);
    let (hers, client) = (her.random_alias().await, &town.office.client);
    has(&her, "phone").await.expect(201);
    let frozen = his.random_alias().await;
    client.post(&format!("/v1/accounts/{}/freeze", his.account()), &json!({"reason": "x"})).await.expect(200);
    client.post(&format!("/v1/holders/{}/erasure", her.citizen()), &json!({})).await.expect(200);
    let mut told = Vec::new();
    for alias in ["0b0ed1b2-5c7e-4d3a-9a55-3f6f0c1d2e4b", &hers, PHONE, &frozen] {
        let mut refused = asks.looks_up(alias).await.expect(404);
        refused["trace_id"] = Value::Null;
        told.push(refused);
    }
    assert!(told.iter().all(|refused| *refused == told[0]), "{told:#?}");
    let mut superuser = town.office.secrets.store.superuser().await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM personal_key WHERE owner = $1::uuid")
        .bind(her.citizen())
        .fetch_one(&mut superuser)
        .await
        .unwrap();
    assert_eq!(left, 0, "who is erased takes their keys along");
    client.post(&format!("/v1/accounts/{}/unfreeze", his.account()), &json!({})).await.expect(200);
    has(&his, "phone").await.expect(201);
    assert_eq!(asks.looks_up(PHONE).await.expect(200)["display_name"], "Ana 2.");
    town.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_nobody_again_and_again_has_to_wait() {
    let town = Town::create().await;
    let ((ana, her), (_, his)) = (town.citizen(1).await, town.citizen(2).await);
    has(&her, "cpf").await.expect(201);
    for _ in 0..7 {
        his.looks_up(&ana.cpf).await.expect(200);
        // What is no key at all finds nobody and costs nothing.
        let refused = his.looks_up("529.982.247-26").await;
        assert_eq!(refused.expect(422)["errors"][0]["pointer"], "/alias");
    }
    // 93 are left: four misses, and a fifth on credit.
    for _ in 0..5 {
        his.looks_up("nobody@vintem.test").await.expect(404);
    }
    let waits = his.looks_up(&ana.cpf).await;
    assert_eq!(waits.expect(429)["code"], "lookup-quota");
    let seconds: u32 = waits.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((200..=240).contains(&seconds), "a debt of seven at two a minute, and one more: {seconds}");
    her.looks_up(&ana.cpf).await.expect(200);
    town.close().await;
}
