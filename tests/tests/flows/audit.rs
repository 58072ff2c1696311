//! Who did what, as it is asked for: by actor, by what it is about, by kind and time; by pages and as a file.

use serde_json::{Value, json};
use vintem_tests::api::Api;

const EVERYTHING: &str = "ledger:read ledger:write ledger:admin audit:read";

fn kinds(page: &Value) -> Vec<&str> {
    page["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_is_found_and_movements_of_money_are_not_in_the_way() {
    let api = Api::create().await;
    let client = api.another("coffee-audit", EVERYTHING).await;
    let ids = client.open("BRL", &["bank", "ana"]).await;
    client.moves("bank", "ana", "10.00").await.expect(201);
    client.post(&format!("/v1/accounts/{}/freeze", ids[1]), &json!({})).await.expect(200);

    let all = client.get("/v1/audit-events").await.expect(200);
    assert_eq!(
        kinds(&all),
        ["account.changed", "account.opened", "account.opened", "asset.registered", "client.created", "tenant.created"]
    );
    let newest = &all["events"][0];
    assert_eq!((newest["subject"].as_str(), newest["version"].as_i64()), (Some(&*ids[1]), Some(2)));
    assert_eq!(newest["actor"], format!("client:{}", client.id));
    assert_eq!(newest["trace_id"].as_str().unwrap().len(), 32);

    let ask = async |query: String| client.get(&format!("/v1/audit-events?{query}")).await.expect(200);
    assert_eq!(kinds(&ask("actor=operator".into()).await), ["client.created", "tenant.created"]);
    assert_eq!(kinds(&ask(format!("subject={}", ids[1])).await), ["account.changed", "account.opened"]);
    assert_eq!(kinds(&ask(format!("subject={}&kind=account.opened", ids[1])).await), ["account.opened"]);
    assert_eq!(kinds(&ask(format!("actor=client:{}&kind=asset.registered", client.id)).await), ["asset.registered"]);
    assert_eq!(kinds(&ask("kind=transaction.posted".into()).await), Vec::<&str>::new());
    assert_eq!(kinds(&ask("to=2020-01-01".into()).await), Vec::<&str>::new());
    let since = newest["recorded_at"].as_str().unwrap();
    assert_eq!(kinds(&ask(format!("from={since}")).await), ["account.changed"], "the instant itself belongs to it");
    assert_eq!(kinds(&ask(format!("from={since}&to={since}")).await), ["account.changed"]);

    // Page by page, nothing twice and nothing left out.
    let mut paged = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = ask(query).await;
        paged.extend(kinds(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        query = format!("limit=2&cursor={next}");
    }
    assert_eq!(paged, kinds(&all));
    for bad in ["actor=", "subject=7", "from=tomorrow", "from=2026-02-01&to=2026-01-01", "who=me", "cursor=x"] {
        assert_eq!(client.get(&format!("/v1/audit-events?{bad}")).await.code(), "validation-failed", "{bad}");
    }
    let stranger = api.another("tea-audit", EVERYTHING).await;
    let theirs = stranger.get(&format!("/v1/audit-events?subject={}", ids[1])).await.expect(200);
    assert_eq!(kinds(&theirs), Vec::<&str>::new());
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_it_is_whole_and_says_so() {
    let api = Api::create().await;
    let client = api.another("coffee-audit", EVERYTHING).await;
    client.open("BRL", &["bank", "ana"]).await;
    let file = client.get("/v1/audit-events/export").await;
    assert_eq!((file.status.as_u16(), &file.headers["content-type"]), (200, &"application/x-ndjson".parse().unwrap()));
    let lines: Vec<Value> =
        std::str::from_utf8(&file.bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (end, events) = lines.split_last().unwrap();
    assert_eq!(*end, json!({"end": true, "events": 5}));
    let listed = client.get("/v1/audit-events").await.expect(200);
    assert_eq!(events, &listed["events"].as_array().unwrap()[..]);
    api.close().await;
}
