//! Terminals of a test's own: a fleet behind a door of nginx, and devices that make keys, come in and ask.

use crate::api::{Client, Read, Server, read};
use crate::certificates::Authority;
use crate::shops;
use crate::staff::{Office, TENANT};
use crate::vault::eventually;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;
use vintem_cli::client::terminal::{arrive, connect};
use vintem_cli::stack::{Nginx, authority, pki};
use vintem_core::event_store::fresh;
use vintem_core::secrets::pki::{Certificate, Draft, Service};
use vintem_core::terminals::revoker::Revoker;

/// An office whose terminals come through nginx.
pub struct Fleet {
    /// Staff, clients and a clock; its server is asked without a door.
    pub office: Office,
    /// A service client that keeps the fleet.
    pub client: Client,
    /// What is paid for at its terminals.
    pub service: String,
    /// Who vouches for terminals.
    pub authority: Authority,
    /// The door.
    pub nginx: Nginx,
    /// The server behind it.
    pub server: Server,
}

/// A device that has come in.
pub struct Till {
    /// Its id.
    pub id: Uuid,
    /// What is written on it.
    pub serial: String,
    /// What it proves itself with.
    pub certificate: Certificate,
    /// The answer that brought it in.
    pub enrolled: Value,
    http: reqwest::Client,
    base: String,
}

impl Fleet {
    /// Over a fresh database.
    pub async fn create() -> Self {
        let office = Office::create().await;
        office.client.post("/v1/assets", &json!({"code": "BRL", "scale": 2})).await.expect(201);
        Self::over(office).await
    }

    /// Over an office that has the asset BRL.
    pub async fn over(office: Office) -> Self {
        let (stack, prefix) = (&office.secrets.stack, &office.secrets.prefix);
        let authority = Authority::create(stack, prefix, Duration::from_hours(1)).await;
        let server = office.behind_the_door().await;
        let name = prefix.trim_end_matches('-');
        let mut nginx = stack.private_nginx(name, server.port(), authority.root.clone()).unwrap();
        nginx.takes_old_terminals = false;
        let door = authority.issue(stack, Service::Nginx).await;
        authority::keep(&door, &nginx.folder, nginx.owner).unwrap();
        pki::supply(stack.vault().await.unwrap(), prefix, &nginx).await.unwrap();
        nginx.ensure().unwrap();
        let client = office.client.clone();
        let service = shop(&client).await;
        let fleet = Self { office, client, service, authority, nginx, server };
        let is_up = eventually(Duration::from_secs(20), async || {
            fleet.visitor().get(fleet.public("/livez")).send().await.is_ok()
        });
        assert!(is_up.await, "nginx does not answer");
        fleet
    }

    /// A path at the public port.
    pub fn public(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.nginx.port)
    }

    /// A path at the port for terminals.
    pub fn private(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.nginx.terminal_port)
    }

    /// Somebody without a certificate.
    pub fn visitor(&self) -> reqwest::Client {
        arrive(&self.root()).unwrap()
    }

    /// Somebody with one.
    pub fn showing(&self, certificate: &Certificate) -> reqwest::Client {
        connect(certificate, &self.root()).unwrap()
    }

    fn root(&self) -> Vec<u8> {
        std::fs::read(&self.authority.root).unwrap()
    }

    /// A device in the inventory; answers its id.
    pub async fn register(&self, serial: &str) -> Uuid {
        let device = json!({"serial": serial, "model": "Pax A920", "service_id": self.service});
        let made = self.client.post("/v1/admin/terminals", &device).await.expect(201);
        made["id"].as_str().unwrap().parse().unwrap()
    }

    /// A code for one.
    pub async fn code(&self, id: Uuid) -> String {
        let issued = self.step(id, "activation-codes").await.expect(201);
        issued["activation_code"].as_str().unwrap().to_owned()
    }

    /// What the back office does about one.
    pub async fn step(&self, id: Uuid, what: &str) -> Read {
        self.client.post(&format!("/v1/admin/terminals/{id}/{what}"), &json!({})).await
    }

    /// Has one told to do something.
    pub async fn order(&self, id: Uuid, command: &str) -> Value {
        let path = format!("/v1/admin/terminals/{id}/commands");
        self.client.post(&path, &json!({"command": command})).await.expect(201)["order"].clone()
    }

    /// What a device says that comes in.
    pub async fn arrive(&self, serial: &str, code: &str, draft: &Draft) -> Read {
        let body = json!({"tenant": TENANT, "serial": serial, "code": code, "csr": draft.request()});
        read(self.visitor().post(self.public("/v1/terminal/enrolments")).json(&body)).await
    }

    /// A device of a serial number that has come in.
    pub async fn till(&self, serial: &str) -> Till {
        let id = self.register(serial).await;
        let (code, draft) = (self.code(id).await, Draft::of_device().unwrap());
        let enrolled = self.arrive(serial, &code, &draft).await.expect(201);
        self.with(serial, draft, enrolled)
    }

    /// A device with the certificate of an answer.
    pub fn with(&self, serial: &str, draft: Draft, enrolled: Value) -> Till {
        let chain = enrolled["certificate_chain"].as_str().unwrap().to_owned();
        let certificate = draft.with_chain(chain).unwrap();
        let id = enrolled["terminal_id"].as_str().unwrap().parse().unwrap();
        let (http, base) = (self.showing(&certificate), self.private(""));
        Till { id, serial: serial.to_owned(), certificate, enrolled, http, base }
    }

    /// Does what the worker does about revocations, once; answers how many there were.
    pub async fn work(&self) -> usize {
        let vault = self.office.secrets.login("clocks").await;
        let done = Revoker::new(self.office.secrets.store.pool("vintem_writer"), vault).tick().await;
        done.unwrap()
    }

    /// Does what the certifier does about revoked certificates, once.
    pub async fn tell_nginx(&self) {
        let (stack, prefix) = (&self.office.secrets.stack, &self.office.secrets.prefix);
        pki::supply(stack.vault().await.unwrap(), prefix, &self.nginx).await.unwrap();
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(self) {
        self.nginx.remove().unwrap();
        self.server.stop().await;
        self.authority.remove(&self.office.secrets.stack).await;
        self.office.close().await;
    }
}

/// Somebody to be paid at terminals; answers the id of what for.
async fn shop(client: &Client) -> String {
    let provider = shops::provider(client, 1).await;
    let opened = shops::service(client, &provider, "Padaria", json!({})).await;
    opened["id"].as_str().unwrap().to_owned()
}

impl Till {
    /// A request that it proves by its certificate.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    /// A read.
    pub async fn get(&self, path: &str) -> Read {
        read(self.request(Method::GET, path)).await
    }

    /// A question.
    pub async fn ask(&self, path: &str, body: &Value) -> Read {
        read(self.request(Method::POST, path).json(body)).await
    }

    /// A write under a fresh key.
    pub async fn post(&self, path: &str, body: &Value) -> Read {
        self.post_as(&fresh::new_id().to_string(), path, body).await
    }

    /// A write under a key.
    pub async fn post_as(&self, key: &str, path: &str, body: &Value) -> Read {
        read(self.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
    }

    /// A write that its path names.
    pub async fn put(&self, path: &str, body: &Value) -> Read {
        read(self.request(Method::PUT, path).json(body)).await
    }

    /// A sign of life.
    pub async fn beat(&self, more: &Value) -> Read {
        let now = vintem_core::telemetry::clock::now().to_rfc3339();
        let mut body = json!({"version": "1.0", "last_seq": 0, "local_time": now});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask("/v1/terminal/heartbeats", &body).await
    }
}
