//! Citizens of a test's own, made the shortest way: they register over HTTP like anybody, and the code that was sent to them is
//! one that the test knows, because it has put its digest in the place of theirs.

use crate::api::{Read, read};
use crate::device::Device;
use crate::people::{Registry, cpf};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;
use vintem_core::access::settings::Change;
use vintem_core::access::{change_tenant, find_tenant};
use vintem_core::event_store::fresh;

/// The asset of their accounts.
pub const ASSET: &str = "BRL";
/// What all of them choose.
pub const PASSWORD: &str = "quatro rios sem ponte";
/// A PIN that is not tried first.
pub const PIN: &str = "274906";

const TENANT: &str = "coffee-town";
const CODE: &str = "428617";

/// A citizen on a device of theirs.
pub struct Citizen {
    /// Their device.
    pub device: Device,
    /// The holder.
    pub id: String,
    /// Their account.
    pub account: String,
    /// Their session.
    pub session: String,
    /// Their token.
    pub token: String,
    /// What it is refreshed with.
    pub refresh_token: String,
    /// Their number.
    pub cpf: String,
    http: reqwest::Client,
    base: String,
}

/// Registers the asset, and lets the tenant have citizens.
pub async fn invite(people: &Registry) {
    people.client.post("/v1/assets", &json!({"code": ASSET, "scale": 2})).await.expect(201);
    let mut operator = people.secrets.store.session("vintem_operator").await;
    let tenant = find_tenant(&mut operator, TENANT).await.unwrap().tenant;
    let change = Change { citizen_asset: Some(ASSET.to_owned()), ..Change::default() };
    let writer = people.server.ledger.shard(0).unwrap().clone();
    assert!(change_tenant(&mut operator, |_| writer, tenant, &change).await.unwrap());
}

impl Citizen {
    /// Registers the one of a number.
    pub async fn register(people: &Registry, number: u32) -> Self {
        let cpf = cpf(number);
        let (device, http) = (Device::create(), reqwest::Client::new());
        let email = format!("{}@citizens.example", fresh::new_id().simple());
        let who = json!({"tenant": TENANT, "cpf": cpf, "name": format!("Citizen {number}"), "email": email});
        let opened = enrol(people, &http, &device, "/v1/registrations", &who).await;
        Self::of(people, http, device, cpf, &opened)
    }

    /// The same person on another device, which is the only one from then on.
    pub async fn recover(&self, people: &Registry) -> Self {
        let (device, http) = (Device::create(), reqwest::Client::new());
        let who = json!({"tenant": TENANT, "cpf": self.cpf});
        let opened = enrol(people, &http, &device, "/v1/recoveries", &who).await;
        Self::of(people, http, device, self.cpf.clone(), &opened)
    }

    /// What signing in answers on this device.
    pub async fn sign_in(&self) -> Read {
        let body = json!({"tenant": TENANT, "cpf": self.cpf, "password": PASSWORD});
        let proof = self.device.proof("POST", &address("/v1/sessions"), None);
        read(self.http.post(format!("{}/v1/sessions", self.base)).header("DPoP", proof).json(&body)).await
    }

    /// The same citizen in another session on this device.
    pub async fn again(self, people: &Registry) -> (Self, String) {
        let opened = self.sign_in().await.expect(201);
        let before = self.session.clone();
        (Self::of(people, self.http, self.device, self.cpf, &opened), before)
    }

    /// A request with token and proof.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let bare = path.split('?').next().unwrap_or_default();
        let proof = self.device.proof(method.as_str(), &address(bare), Some(&self.token));
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.header("Authorization", format!("DPoP {}", self.token)).header("DPoP", proof)
    }

    /// A read.
    pub async fn get(&self, path: &str) -> Read {
        read(self.request(Method::GET, path)).await
    }

    /// A write under a fresh key.
    pub async fn post(&self, path: &str, body: &Value) -> Read {
        self.post_as(&fresh::new_id().to_string(), path, body).await
    }

    /// A write under a key.
    pub async fn post_as(&self, key: &str, path: &str, body: &Value) -> Read {
        read(self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }

    /// A question.
    pub async fn ask(&self, method: Method, path: &str, body: &Value) -> Read {
        read(self.request(method, path).json(body)).await
    }

    fn of(people: &Registry, http: reqwest::Client, device: Device, cpf: String, opened: &Value) -> Self {
        let text = |name: &str| opened[name].as_str().unwrap().to_owned();
        Self {
            device,
            id: text("citizen_id"),
            account: text("account_id"),
            session: text("session_id"),
            token: text("access_token"),
            refresh_token: text("refresh_token"),
            cpf,
            http,
            base: people.server.url(""),
        }
    }
}

/// Both halves of a registration or a recovery; answers the session.
async fn enrol(people: &Registry, http: &reqwest::Client, device: &Device, path: &str, who: &Value) -> Value {
    let knock = async |path: &str, body: &Value| {
        let proof = device.proof("POST", &address(path), None);
        read(http.post(people.server.url(path)).header("DPoP", proof).json(body)).await
    };
    let sent = knock(path, who).await.expect(202);
    let challenge: Uuid = sent["id"].as_str().unwrap().parse().unwrap();
    know(people, challenge).await;
    let chosen = json!({"tenant": TENANT, "code": CODE, "password": PASSWORD, "pin": PIN});
    knock(&format!("{path}/{challenge}/verify"), &chosen).await.expect(201)
}

/// Makes the code of a challenge one that is known.
#[expect(clippy::disallowed_methods, reason = "a test puts a digest in its place")]
async fn know(people: &Registry, challenge: Uuid) {
    let pepper = people.personal().await.requests.pepper();
    let digest = pepper.name(&[b"citizen-code", challenge.as_bytes(), CODE.as_bytes()]);
    let mut superuser = people.secrets.store.superuser().await;
    let change = sqlx::query("UPDATE citizen_challenge SET code = $1 WHERE challenge = $2");
    let changed = change.bind(&digest[..]).bind(challenge).execute(&mut superuser).await.unwrap();
    assert_eq!(changed.rows_affected(), 1);
}

/// How a device names what it asks for.
fn address(path: &str) -> String {
    format!("{}{path}", crate::api::ISSUER)
}
