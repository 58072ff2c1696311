//! The contract over real HTTP: what the API promises, called as a client calls it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::{Value, json};
use vintem_tests::api::{Client, Server};
use vintem_tests::store::Store;

const ALL: &str = "ledger:read ledger:write ledger:admin";

struct World {
    store: Store,
    server: Server,
    client: Client,
}

impl World {
    async fn create() -> Self {
        let store = Store::create().await;
        let server = Server::start(&store).await;
        let client = server.client(&store, "coffee-town", ALL).await;
        Self { store, server, client }
    }

    async fn close(self) {
        self.server.stop().await;
        self.store.close().await;
    }
}

fn brl(amount: &str) -> Value {
    json!({"amount": amount, "asset": "BRL"})
}

#[tokio::test(flavor = "multi_thread")]
async fn money_moves_and_is_read_back() {
    let world = World::create().await;
    let client = &world.client;
    let ids = client.open("BRL", &["bank", "ana", "shop"]).await;
    let funded = client.moves("bank", "ana", "100.00").await.expect(201);
    assert_eq!(funded["legs"][0]["balance"]["posted"], "100.00");
    assert_eq!(funded["legs"][1]["name"], "ana");
    let body = json!({"from": "ana", "to": ids[2], "amount": brl("12.50"), "effective_at": "2026-03-01", "description": "Coffee", "metadata": {"order": "7"}});
    let paid = client.post("/v1/transactions", &body).await.expect(201);
    assert_eq!(paid["legs"][0], json!({"line": 0, "account": ids[1], "name": "ana", "direction": "debit", "amount": brl("12.50"),
        "balance": {"posted": "87.50", "held": "0.00", "incoming": "0.00", "available": "87.50", "version": 2}}));
    assert_eq!(paid["effective_at"], "2026-03-01T03:00:00.000000Z");
    let balance = client.get(&format!("/v1/accounts/{}/balance", ids[1])).await.expect(200);
    assert_eq!((balance["posted"].as_str(), balance["version"].as_i64()), (Some("87.50"), Some(2)));
    let statement = client.get(&format!("/v1/accounts/{}/entries", ids[1])).await.expect(200);
    let lines: Vec<_> = statement["entries"].as_array().unwrap().iter().map(|line| line["amount"].as_str().unwrap()).collect();
    assert_eq!(lines, ["100.00", "-12.50"]);
    assert_eq!(statement["entries"][1]["transaction"], paid["id"]);
    assert_eq!(statement["next"], Value::Null);
    let found = client.get("/v1/transactions?metadata%5Border%5D=7").await.expect(200);
    assert_eq!(found["transactions"][0]["id"], paid["id"]);
    let trial = client.get("/v1/ledger/trial-balance").await.expect(200);
    assert_eq!(trial["totals"], json!([{"asset": "BRL", "debit": "100.00", "credit": "100.00"}]));
    assert_eq!(trial["accounts"].as_array().unwrap().len(), 3);
    world.close().await;
}
