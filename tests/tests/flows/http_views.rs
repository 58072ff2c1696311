//! Views over HTTP: search, reports, and how they say how old they are.

use serde_json::{Value, json};
use std::sync::Arc;
use vintem_core::projections::{ALL, Projector};
use vintem_tests::api::{Api, Client};

async fn catch_up(api: &Api) {
    let mut projector = Projector::new(api.store.pool("vintem_projector"), Arc::default());
    for projection in ALL {
        projector.catch_up(projection, 0, None).await.unwrap();
    }
}

/// Positions of the lines that a search finds, over all of its pages.
async fn found(client: &Client, account: &str, search: &str) -> Vec<i64> {
    let (mut positions, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/accounts/{account}/activity?{search}&limit=2{cursor}")).await.expect(200);
        positions.extend(page["activity"].as_array().unwrap().iter().map(|line| line["position"].as_i64().unwrap()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return positions,
        }
    }
}

async fn post(client: &Client, from: &str, to: &str, amount: &str, day: &str, description: &str, line: &str) -> i64 {
    let body = json!({"from": from, "to": to, "amount": {"amount": amount, "asset": "BRL"}, "effective_at": day,
        "description": description, "metadata": {"line": line}});
    client.post("/v1/transactions", &body).await.expect(201)["position"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_is_found_by_words_kind_counterparty_amount_and_date() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana", "rui"]).await;
    let (bank, ana, rui) = (&ids[0], &ids[1], &ids[2]);
    let first = post(client, "bank", "ana", "100.00", "2026-03-01", "Recarga no balcão", "1").await;
    let second = post(client, "ana", "rui", "4.50", "2026-03-02", "Ônibus: linha central", "7").await;
    let third = post(client, "ana", "rui", "9.00", "2026-03-03", "Onibus noturno", "8").await;
    let place =
        json!({"from": "ana", "to": "rui", "amount": {"amount": "5.00", "asset": "BRL"}, "expires_at": api.in_days(2)});
    client.post("/v1/holds", &place).await.expect(201);
    let held = third + 1;
    catch_up(&api).await;
    for (search, expected) in [
        ("", vec![held, third, second, first]),
        ("text=onibus", vec![third, second]),
        ("text=%C3%94NIBUS+7", vec![second]),
        ("text=onibus+balcao", vec![]),
        ("kind=posting", vec![third, second, first]),
        ("kind=hold", vec![held]),
        (&format!("counterparty={bank}"), vec![first]),
        (&format!("counterparty={rui}&text=noturno"), vec![third]),
        ("amount_from=4.50&amount_to=9.00&kind=posting", vec![third, second]),
        ("from=2026-03-02&to=2026-03-02", vec![second]),
    ] {
        assert_eq!(found(client, ana, search).await, expected, "{search}");
    }
    // Where the account has had little to do, its own list is walked and the words are looked up.
    assert_eq!(found(client, bank, "text=recarga").await, [first]);
    assert!(found(client, bank, "text=onibus").await.is_empty());
    for (bad, code) in [
        ("text=", 422),
        ("text=a+b+c+d+e+f+g+h+i", 422),
        ("kind=x", 422),
        ("amount_from=1.001", 422),
        ("amount_from=2&amount_to=1", 422),
        ("from=2026-03-02&to=2026-03-01", 422),
        ("counterparty=ana", 422),
        ("words=x", 422),
    ] {
        assert_eq!(client.get(&format!("/v1/accounts/{ana}/activity?{bad}")).await.status.as_u16(), code, "{bad}");
    }
    let line = &client.get(&format!("/v1/accounts/{ana}/activity?text=central")).await.expect(200)["activity"][0];
    assert_eq!((line["amount"].as_str(), line["counterparty"].as_str()), (Some("-4.50"), Some(rui.as_str())));
    assert_eq!(
        (line["description"].as_str(), line["metadata"]["line"].as_str()),
        (Some("Ônibus: linha central"), Some("7"))
    );
    let stranger = api.another("tea-town", "ledger:read").await;
    assert_eq!(stranger.get(&format!("/v1/accounts/{ana}/activity")).await.status.as_u16(), 404);
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_add_up_and_belong_to_their_tenant() {
    let api = Api::create().await;
    let client = &api.client;
    let ids = client.open("BRL", &["bank", "ana", "rui"]).await;
    post(client, "bank", "ana", "100.00", "2026-03-01", "a", "1").await;
    post(client, "ana", "rui", "30.00", "2026-03-02", "b", "2").await;
    // It comes late, and counts on its day.
    post(client, "bank", "ana", "7.00", "2026-03-01", "c", "3").await;
    let hold =
        json!({"from": "ana", "to": "rui", "amount": {"amount": "5.00", "asset": "BRL"}, "expires_at": api.in_days(2)});
    client.post("/v1/holds", &hold).await.expect(201);
    catch_up(&api).await;
    let volume = client.get("/v1/reports/volume?kind=posting").await.expect(200);
    let row = |day: &str, count: i64, amount: &str| json!({"day": day, "asset": "BRL", "kind": "posting", "count": count, "amount": amount});
    assert_eq!(volume["volumes"], json!([row("2026-03-01", 2, "107.00"), row("2026-03-02", 1, "30.00")]));
    let page = client.get("/v1/reports/volume?limit=1&kind=posting").await.expect(200);
    let next = page["next"].as_str().unwrap();
    let rest = client.get(&format!("/v1/reports/volume?limit=1&kind=posting&cursor={next}")).await.expect(200);
    assert_eq!((&rest["volumes"], &rest["next"]), (&json!([row("2026-03-02", 1, "30.00")]), &Value::Null));
    let holds = client.get("/v1/reports/holds").await.expect(200);
    assert_eq!(holds["ages"], json!([{"asset": "BRL", "from_days": 0, "to_days": 1, "holds": 1, "amount": "5.00"}]));
    let top = client.get("/v1/reports/top-accounts?asset=BRL&limit=2").await.expect(200);
    let named = |rows: &Value| {
        rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(named(&top["accounts"]), ["bank", "ana"]);
    let next = top["next"].as_str().unwrap();
    let rest = client.get(&format!("/v1/reports/top-accounts?asset=BRL&limit=2&cursor={next}")).await.expect(200);
    assert_eq!(
        (named(&rest["accounts"]), rest["accounts"][0]["posted"].as_str()),
        (vec!["rui".to_owned()], Some("30.00"))
    );
    let balance = client.get("/v1/reports/trial-balance?asset=BRL&from=2026-03-02").await.expect(200);
    let of =
        |name: &str| balance["accounts"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    let ana = json!({"account": ids[1], "name": "ana", "normal_side": "credit", "opening": "107.00", "debit": "30.00", "credit": "0.00", "closing": "77.00"});
    assert_eq!(of("ana"), ana);
    assert_eq!((of("bank")["opening"].as_str(), of("bank")["closing"].as_str()), (Some("107.00"), Some("107.00")));
    for path in [
        "/v1/reports/top-accounts",
        "/v1/reports/trial-balance?asset=BRL",
        "/v1/reports/trial-balance?asset=BRL&from=2026-03-02T00:00:00Z",
        "/v1/reports/volume?from=2026-03-02&to=2026-03-01",
        "/v1/reports/holds?x=1",
        "/v1/reports/holds?min_position=-1",
    ] {
        assert_eq!(client.get(path).await.status.as_u16(), 422, "{path}");
    }
    let stranger = api.another("tea-town", "ledger:read").await;
    for (path, member) in [
        ("volume", "volumes"),
        ("holds", "ages"),
        ("top-accounts?asset=BRL", "accounts"),
        ("trial-balance?asset=BRL&from=2026-03-01", "accounts"),
    ] {
        assert_eq!(stranger.get(&format!("/v1/reports/{path}")).await.expect(200)[member], json!([]), "{path}");
    }
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_says_how_old_it_is_and_waits() {
    let api = Api::create().await;
    let client = &api.client;
    client.open("BRL", &["bank", "ana"]).await;
    let position = client.moves("bank", "ana", "1.00").await.expect(201)["position"].as_i64().unwrap();
    let before = client.get("/v1/reports/holds").await;
    assert_eq!(before.headers["vintem-lag"].to_str().unwrap(), position.to_string());
    assert_eq!(before.expect(200)["as_of"]["position"], 0);
    let path = format!("/v1/reports/top-accounts?asset=BRL&min_position={position}");
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        catch_up(&api).await;
    };
    let (waited, ()) = tokio::join!(client.get(&path), late);
    assert_eq!(waited.headers["vintem-lag"], "0");
    assert_eq!(waited.expect(200)["as_of"]["position"], position);
    let behind = client.get(&format!("/v1/reports/holds?min_position={}", position + 1)).await;
    assert_eq!((behind.status.as_u16(), behind.code().as_str()), (503, "view-behind"));
    assert!(behind.headers.contains_key("retry-after"));
    api.close().await;
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "a test parks a view from outside")]
async fn views_that_stand_still_make_the_api_degraded_and_not_unready() {
    let api = Api::create().await;
    api.client.open("BRL", &["bank", "ana"]).await;
    catch_up(&api).await;
    assert_eq!(api.client.get("/readyz").await.expect(200)["status"], "ready");
    let park = "UPDATE projection SET parked_at = now() WHERE name = 'volume'";
    sqlx::query(park).execute(&mut api.store.superuser().await).await.unwrap();
    // An answer is kept for a second.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let report = api.client.get("/readyz").await.expect(200);
    assert_eq!((&report["status"], &report["views"]), (&json!("degraded"), &json!("behind")));
    api.close().await;
}
