//! Two tenants of one shard, each with a row in every table that tenants share: what isolation is proved on.

#![expect(clippy::disallowed_methods, reason = "rows that only other processes write are put there by hand")]

use crate::api::{Client, Server};
use crate::people::{Registry, SCOPES, cpf};
use crate::shops;
use serde_json::json;
use sqlx::PgConnection;
use std::sync::Arc;
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::projections::{ALL, Projector};

/// Stands in everything that the other town calls its own, and in no other text.
pub const FOREIGN_WORD: &str = "teatown";
/// Which person lives in the first town, and which in the other.
const OWN_CPF: u32 = 1;
const FOREIGN_CPF: u32 = 2;

/// A tenant, its client, and one object of each kind.
pub struct Town {
    /// Its id.
    pub tenant: Uuid,
    /// A client that may do everything.
    pub client: Client,
    /// Ids of objects by what they are.
    pub ids: Vec<(&'static str, String)>,
}

impl Town {
    /// The id of the one object of a kind.
    pub fn id(&self, kind: &str) -> &str {
        &self.ids.iter().find(|(known, _)| *known == kind).unwrap_or_else(|| panic!("no {kind}")).1
    }
}

/// The tenants on everything that they stand on.
pub struct Towns {
    /// Database, Vault, server. Its client is the first town's.
    pub registry: Registry,
    /// Who asks.
    pub here: Town,
    /// Whose things are not to be seen.
    pub there: Town,
}

impl Towns {
    /// Two towns alike, with views as new as the log.
    pub async fn create() -> Self {
        let registry = Registry::create().await;
        let there = registry.server.client(&registry.secrets.store, "tea-town", SCOPES).await;
        let (here, there) =
            (settle(registry.client.clone(), "COFFEETOWN", OWN_CPF).await, settle(there, "TEATOWN", FOREIGN_CPF).await);
        let mut superuser = registry.secrets.store.superuser().await;
        let (here, there) = (known(&mut superuser, here).await, known(&mut superuser, there).await);
        let mut projector = Projector::new(registry.secrets.store.pool("vintem_projector"), Arc::default());
        for projection in ALL {
            projector.catch_up(projection, 0, None).await.unwrap();
        }
        Self { registry, here, there }
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(self) {
        self.registry.close().await;
    }

    /// The server.
    pub fn server(&self) -> &Server {
        &self.registry.server
    }
}

/// Makes one object of each kind, over HTTP. Words and names are the town's own, so that a leak can be recognised.
async fn settle(client: Client, word: &'static str, number: u32) -> (Client, Vec<(&'static str, String)>) {
    let accounts = client.open("BRL", &["bank", "ana"]).await;
    let code = format!("{word}COIN");
    client.post("/v1/assets", &json!({"code": code, "scale": 2})).await.expect(201);
    let name = format!("wallet:{}", word.to_lowercase());
    let named = client.post("/v1/accounts", &json!({"name": name, "asset": "BRL"})).await.expect(201);
    let pay = json!({"from": "bank", "to": "ana", "amount": {"amount": "100.00", "asset": "BRL"}, "effective_at": "2026-03-01",
        "description": format!("secret of {word}"), "metadata": {"order": word}});
    let key = format!("key-of-{word}");
    let paid = client.post_as(&key, "/v1/transactions", &pay).await.expect(201);
    let expires_at = (vintem_core::telemetry::clock::now() + chrono::Duration::days(2)).to_rfc3339();
    let hold =
        json!({"from": "ana", "to": "bank", "amount": {"amount": "5.00", "asset": "BRL"}, "expires_at": expires_at});
    let hold = client.post("/v1/holds", &hold).await.expect(201);
    let person =
        json!({"name": format!("Pessoa {word}"), "email": format!("{word}@exemplo.com.br"), "cpf": cpf(number)});
    let holder = client.post("/v1/holders", &person).await.expect(201);
    let endpoint = json!({"url": format!("https://example.org/{word}"), "events": ["*"]});
    let endpoint = client.post("/v1/webhook-endpoints", &endpoint).await.expect(201);
    let company = shops::provider(&client, number).await;
    let service = shops::service(&client, &company, "Padaria", json!({})).await;
    let device = json!({"serial": format!("PX-{word}"), "model": "Pax", "service_id": service["id"]});
    let terminal = client.post("/v1/admin/terminals", &device).await.expect(201);
    let cursor = client.get("/v1/accounts?limit=1").await.expect(200);
    let id = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    let ids = vec![
        ("account", accounts[1].clone()),
        ("named account", id(&named)),
        ("name", name),
        ("asset", code),
        ("transaction", id(&paid)),
        ("hold", id(&hold)),
        ("holder", id(&holder)),
        ("endpoint", id(&endpoint)),
        ("terminal", id(&terminal)),
        ("key", key),
        ("cpf", cpf(number)),
        ("cursor", cursor["next"].as_str().unwrap().to_owned()),
        ("position", paid["position"].to_string()),
        ("client", client.id.to_string()),
    ];
    (client, ids)
}

/// Adds what only other processes write, and the tenant's id.
async fn known(session: &mut PgConnection, (client, mut ids): (Client, Vec<(&'static str, String)>)) -> Town {
    let tenant: Uuid = sqlx::query_scalar("SELECT tenant FROM client WHERE client = $1")
        .bind(client.id)
        .fetch_one(&mut *session)
        .await
        .unwrap();
    ids.push(("tenant", tenant.to_string()));
    for statement in [
        "INSERT INTO webhook_delivery (shard, tenant, endpoint, epoch, position, kind, state, due_at)
         SELECT e.shard, e.tenant, w.endpoint, 1, e.position, e.kind, 'delivered', now()
         FROM event e JOIN webhook_endpoint w USING (tenant) WHERE e.tenant = $1",
        "INSERT INTO webhook_attempt (shard, tenant, endpoint, epoch, position, number, milliseconds, outcome, at)
         SELECT shard, tenant, endpoint, epoch, position, 1, 5, 'delivered', now() FROM webhook_delivery WHERE tenant = $1",
        "INSERT INTO subscription (name, kinds, tenant, length, created_at) VALUES ('of-' || $1::text, '#', $1, 10, now())",
        "INSERT INTO tenant_hostname (tenant, hostname) VALUES ($1, $1::text || '.example')",
        "INSERT INTO activity_term (shard, position, account, term, tenant)
         SELECT shard, account, id, gen_random_uuid(), tenant FROM account WHERE tenant = $1",
    ] {
        sqlx::query(statement).bind(tenant).execute(&mut *session).await.unwrap();
    }
    Town { tenant, client, ids }
}

/// Numbers that look random and can be had again from their seed.
pub struct Dice(u64);

impl Dice {
    /// From `DEV_SEED`, else from somewhere; printed, so that a failure can be repeated.
    pub fn throw() -> Self {
        let fresh = u64::try_from(fresh::new_id().as_u128() & u128::from(u64::MAX)).unwrap_or(1);
        let seed = std::env::var("DEV_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(fresh);
        println!("DEV_SEED={seed}");
        Self(seed)
    }

    /// A number below a bound (`SplitMix64`).
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    /// One of some things.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len())]
    }
}
