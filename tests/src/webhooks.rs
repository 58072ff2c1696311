//! Webhooks of a test's own: an API that can make secrets, workers that deliver, and somebody who listens.

use crate::api::{Client, Server};
use crate::vault::{Secrets, Wire, eventually};
use aws_lc_rs::hmac;
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use vintem_core::event_store::fresh;
use vintem_core::kernel::Network;
use vintem_core::secrets::{
    DatabaseRole, Followed, KeyRing, LeasedDatabase, SecretsError, Vault, VaultSettings, WrappingToken,
};
use vintem_core::telemetry::WorkerMetrics;
use vintem_core::webhooks::signature::{PublicKeys, SigningKeys};
use vintem_core::webhooks::{Egress, Webhooks};
use vintem_workers::webhooks::deliver::Deliverer;
use vintem_workers::webhooks::fan_out::FanOut;
use vintem_workers::webhooks::transport::Transport;

/// This machine, where receivers listen.
pub const HOME: &[&str] = &["127.0.0.0/8"];

/// Everything that webhooks stand on.
pub struct Plant {
    /// Database and Vault.
    pub secrets: Secrets,
    /// The server.
    pub server: Server,
    /// A client that may do everything.
    pub client: Client,
    /// What the workers count.
    pub metrics: Arc<WorkerMetrics>,
    /// The pool of the workers' role.
    pub database: LeasedDatabase,
    /// The workers' way to Vault.
    pub wire: Wire,
    vaults: [Vault; 2],
    networks: Vec<Network>,
    workers: JoinSet<()>,
}

impl Plant {
    /// Where webhooks may also reach these networks. No worker runs yet.
    pub async fn create(networks: &[&str]) -> Self {
        let networks: Vec<Network> = networks.iter().map(|network| network.parse().unwrap()).collect();
        let secrets = Secrets::create().await;
        let (api, wire) = (secrets.login("api").await, Wire::to(&secrets.stack.vault_address()).await);
        let settings = VaultSettings { address: wire.address.clone(), ..secrets.vault_settings("webhooks").await };
        let wrapping = WrappingToken::new(secrets.wrapped("webhooks").await);
        let worker = Vault::login(settings, wrapping).await.unwrap();
        let every = Duration::from_millis(400);
        let public = Followed::follow(&api, "webhook-public", every, Ok::<PublicKeys, SecretsError>).await.unwrap();
        let store = &secrets.store;
        let (reader, editor) = (store.pool("vintem_reader"), store.pool("vintem_editor"));
        let egress = Egress::allowing(networks.clone());
        let server =
            Server::with_webhooks(store, Webhooks::new(reader, editor, Some(api.clone()), egress, public)).await;
        let client = server.client(store, "coffee-town", "ledger:read ledger:write ledger:admin").await;
        let settings = secrets.database_settings();
        let database = LeasedDatabase::connect(&worker, &settings, DatabaseRole::Webhooks, 8).await.unwrap();
        let (metrics, workers) = (Arc::default(), JoinSet::new());
        Self { secrets, server, client, metrics, database, wire, vaults: [api, worker], networks, workers }
    }

    /// Starts a worker, as a process of its own would be.
    pub async fn work(&mut self) {
        let take = |ring: KeyRing| Ok::<_, SecretsError>(SigningKeys::try_new(&ring).unwrap());
        let every = Duration::from_millis(400);
        let keys = Followed::follow(&self.vaults[1], "webhook-signing", every, take).await.unwrap();
        let transport = Transport::try_new(Egress::allowing(self.networks.clone())).unwrap();
        let (pool, metrics) = (self.database.pool().clone(), self.metrics.clone());
        self.workers.spawn(FanOut::new(pool.clone(), metrics.clone(), 0, fresh::new_id()).run());
        self.workers.spawn(Deliverer::new(pool, self.vaults[1].clone(), keys, transport, metrics).run());
    }

    /// Makes an endpoint; answers it with its secret.
    pub async fn endpoint(&self, url: &str, events: &[&str]) -> Value {
        self.client.post("/v1/webhook-endpoints", &json!({"url": url, "events": events})).await.expect(201)
    }

    /// Deliveries of an endpoint, the newest event first.
    pub async fn deliveries(&self, endpoint: &Value) -> Vec<Value> {
        let list = self.client.get(&format!("{}/deliveries", path(endpoint))).await.expect(200);
        list["deliveries"].as_array().unwrap().clone()
    }

    /// Waits until an endpoint's newest delivery is in a state after some attempts, and answers it.
    pub async fn settled(&self, endpoint: &Value, state: &str, attempts: i64) -> Value {
        let mut newest = Value::Null;
        let found = eventually(Duration::from_secs(30), async || {
            newest = self.deliveries(endpoint).await.into_iter().next().unwrap_or_default();
            newest["state"] == state && newest["attempts"] == attempts
        });
        assert!(found.await, "wanted {state} after {attempts}, found {newest}");
        newest
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(mut self) {
        self.workers.shutdown().await;
        self.server.stop().await;
        self.database.close().await;
        for vault in self.vaults {
            vault.logout().await;
        }
        self.secrets.close().await;
    }
}

/// The path of an endpoint.
pub fn path(endpoint: &Value) -> String {
    format!("/v1/webhook-endpoints/{}", endpoint["id"].as_str().unwrap())
}

/// A message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`, one by one.
    pub signatures: Vec<String>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Received {
    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether one of the signatures is that of a shared secret (`whsec_…`).
    pub fn is_signed_with(&self, secret: &Value) -> bool {
        let secret = STANDARD.decode(secret.as_str().unwrap().strip_prefix("whsec_").unwrap()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        self.signatures("v1,").iter().any(|tag| hmac::verify(&key, &self.signed(), tag).is_ok())
    }

    /// Whether one of the signatures is that of a public key (`whpk_…`).
    pub fn is_signed_by(&self, key: &Value) -> bool {
        let key = STANDARD.decode(key.as_str().unwrap().strip_prefix("whpk_").unwrap()).unwrap();
        let key = UnparsedPublicKey::new(&ED25519, key);
        self.signatures("v1a,").iter().any(|signature| key.verify(&self.signed(), signature).is_ok())
    }

    fn signed(&self) -> Vec<u8> {
        [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", &self.body].concat()
    }

    fn signatures(&self, version: &str) -> Vec<Vec<u8>> {
        let of_version = self.signatures.iter().filter_map(|signature| signature.strip_prefix(version));
        of_version.map(|text| STANDARD.decode(text).unwrap()).collect()
    }
}

/// Somebody who listens, and answers as told.
pub struct Receiver {
    /// Where.
    pub url: String,
    state: Arc<Mutex<Listening>>,
}

#[derive(Default)]
struct Listening {
    received: Vec<Received>,
    answers: VecDeque<String>,
}

impl Receiver {
    /// Listens and answers 204.
    pub async fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Listening::default()));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shared.clone()));
            }
        });
        Self { url, state }
    }

    /// What the next requests are answered: a status, and perhaps headers below it.
    pub fn will_answer(&self, answers: &[&str]) {
        self.state.lock().unwrap().answers.extend(answers.iter().map(|answer| (*answer).to_owned()));
    }

    /// Everything that has arrived.
    pub fn received(&self) -> Vec<Received> {
        self.state.lock().unwrap().received.clone()
    }

    /// Waits for so many messages.
    pub async fn receives(&self, count: usize) -> Vec<Received> {
        let arrived = eventually(Duration::from_secs(30), async || self.received().len() >= count).await;
        assert!(arrived, "{} of {count} have arrived", self.received().len());
        self.received()
    }
}

async fn answer(mut stream: TcpStream, state: Arc<Mutex<Listening>>) {
    let mut bytes = Vec::new();
    let (head, mut body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break (String::from_utf8(bytes[..end].to_vec()).unwrap(), bytes[end + 4..].to_vec());
        }
    };
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let length: usize = header("content-length").parse().unwrap();
    while body.len() < length {
        if stream.read_buf(&mut body).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let signatures = header("webhook-signature").split(' ').map(str::to_owned).collect();
    let received = Received { id: header("webhook-id"), timestamp: header("webhook-timestamp"), signatures, body };
    let said = {
        let mut state = state.lock().unwrap();
        state.received.push(received);
        state.answers.pop_front().unwrap_or_else(|| "204 No Content".to_owned())
    };
    let said = format!("HTTP/1.1 {said}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(said.as_bytes()).await;
}
