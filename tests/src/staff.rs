//! A back office of a test's own: an API that members of the staff can sign in to, and a clock that the test sets.

use crate::api::{Client, Read, Server, read};
use crate::people::{LOOK_EVERY, SCOPES, log_in, personal};
use crate::vault::{Secrets, Wire};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use vintem_api::tls;
use vintem_core::access::staff::totp::DeviceSecret;
use vintem_core::access::staff::{Knows, Login, Position, Staff, invite_by_operator};
use vintem_core::access::{Role, find_tenant};
use vintem_core::event_store::{Limits, Shard, fresh};
use vintem_core::holders::Personal;
use vintem_core::look_ups::AllLookUps;
use vintem_core::secrets::people::PersonKeys;
use vintem_core::secrets::{LeasedDatabase, Vault};
use vintem_core::telemetry::clock::{self, Clock};

/// What every member of these tests has as a password.
pub const PASSWORD: &str = "quatro rios sem ponte";
/// The tenant.
pub const TENANT: &str = "coffee-town";

/// Everything that the staff stands on.
pub struct Office {
    /// Database and Vault.
    pub secrets: Secrets,
    /// The server.
    pub server: Server,
    /// A service client of the tenant.
    pub client: Client,
    /// Its way to Vault.
    pub wire: Wire,
    ahead_s: Arc<AtomicI64>,
    keeper: LeasedDatabase,
    vault: Vault,
}

/// A member at a desk.
pub struct Member<'a> {
    office: &'a Office,
    /// The work name.
    pub login: String,
    /// What their device has.
    pub device: DeviceSecret,
    /// What they have on paper.
    pub recovery_codes: Vec<String>,
}

/// A browser with a session.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    base: String,
    /// `name=value`.
    pub cookie: String,
    /// The word against forgery.
    pub csrf: String,
    /// The answer to the sign-in.
    pub opened: Value,
}

impl Office {
    /// Over a fresh database.
    pub async fn create() -> Self {
        let secrets = Secrets::create().await;
        let wire = Wire::to(&secrets.stack.vault_address()).await;
        let (vault, keeper) = log_in(&secrets, &wire).await;
        let personal = personal(&vault, &keeper).await;
        let ahead_s = Arc::<AtomicI64>::default();
        let own = Arc::clone(&ahead_s);
        let clock: Clock = Arc::new(move || clock::now() + TimeDelta::seconds(own.load(Ordering::Relaxed)));
        let server = Server::with_staff(&secrets.store, personal, clock, &vault, None).await;
        let client = server.client(&secrets.store, TENANT, SCOPES).await;
        Self { secrets, server, client, wire, ahead_s, keeper, vault }
    }

    /// One more process of the same system and the same clock, to be asked by TLS alone, as the door does.
    pub async fn behind_the_door(&self) -> Server {
        let personal = personal(&self.vault, &self.keeper).await;
        let own = Arc::clone(&self.ahead_s);
        let clock: Clock = Arc::new(move || clock::now() + TimeDelta::seconds(own.load(Ordering::Relaxed)));
        let tls = tls::mutual(&self.vault, LOOK_EVERY).await.unwrap();
        Server::with_staff(&self.secrets.store, personal, clock, &self.vault, Some(tls)).await
    }

    /// Lets time pass, or go back.
    pub fn sleep(&self, time: TimeDelta) {
        self.ahead_s.fetch_add(time.num_seconds(), Ordering::Relaxed);
    }

    /// Now, as the server sees it.
    pub fn now(&self) -> DateTime<Utc> {
        self.staff().now()
    }

    /// The server's part.
    pub fn staff(&self) -> &Staff {
        &self.server.staff
    }

    /// The staff as another process has it that has just begun, and its keys: it writes nothing.
    pub async fn another_process(&self) -> (Staff, PersonKeys) {
        let Personal { keys, requests, .. } = personal(&self.vault, &self.keeper).await;
        let (store, knows) = (&self.secrets.store, Knows::of(&keys, &requests));
        let pools = (store.pool("vintem_reader"), store.pool("vintem_editor"));
        let own = Arc::clone(&self.ahead_s);
        let clock: Clock = Arc::new(move || clock::now() + TimeDelta::seconds(own.load(Ordering::Relaxed)));
        (Staff::new(pools, HashMap::new(), Some(knows), clock), keys)
    }

    /// Invites somebody as the operator does; answers what opens the invitation.
    pub async fn invite(&self, tenant: &str, login: &str, roles: &[Role]) -> String {
        self.invite_as(tenant, login, Position { roles: roles.to_vec(), ..Position::default() }).await
    }

    /// The same with more than roles.
    pub async fn invite_as(&self, tenant: &str, login: &str, position: Position) -> String {
        let store = &self.secrets.store;
        let mut operator = store.session("vintem_operator").await;
        let writer = Shard::start(0, store.writer(), Arc::new(AllLookUps), Limits { queue: 10, cached_accounts: 10 });
        let tenant = find_tenant(&mut operator, tenant).await.unwrap();
        let login: Login = login.parse().unwrap();
        let invited = invite_by_operator(&mut operator, &writer, &tenant, &login, &position).await.unwrap();
        invited.ticket.reveal().expose_secret().to_owned()
    }

    /// A member who has joined.
    pub async fn member(&self, login: &str, roles: &[Role]) -> Member<'_> {
        let ticket = self.invite(TENANT, login, roles).await;
        self.join(login, &ticket).await
    }

    /// Accepts an invitation.
    pub async fn join(&self, login: &str, ticket: &str) -> Member<'_> {
        let accepted =
            self.knock("/v1/staff/invitations/accept", &json!({"token": ticket, "password": PASSWORD})).await;
        let device = device(&accepted.expect(200));
        let confirmed = json!({"token": ticket, "totp": device.code_at(self.now())});
        let confirmed = self.knock("/v1/staff/invitations/confirm", &confirmed).await.expect(200);
        let codes = confirmed["recovery_codes"].as_array().unwrap();
        let recovery_codes = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        Member { office: self, login: login.to_owned(), device, recovery_codes }
    }

    /// Says something without any proof.
    pub async fn knock(&self, path: &str, body: &Value) -> Read {
        self.knock_from("127.0.0.1", path, body).await
    }

    /// The same from an address.
    pub async fn knock_from(&self, address: &str, path: &str, body: &Value) -> Read {
        let request = self.client.http.post(self.server.url(path)).header("X-Forwarded-For", address);
        read(request.json(body)).await
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(self) {
        self.server.stop().await;
        self.keeper.close().await;
        self.vault.logout().await;
        self.secrets.close().await;
    }
}

impl Member<'_> {
    /// The code of the next step: the one before is used up.
    pub fn next_code(&self) -> String {
        self.office.sleep(TimeDelta::seconds(30));
        self.device.code_at(self.office.now())
    }

    /// What they sign in with.
    pub fn credentials(&self, totp: &str) -> Value {
        json!({"tenant": TENANT, "login": self.login, "password": PASSWORD, "totp": totp})
    }

    /// Signs in.
    pub async fn sign_in(&self) -> Browser {
        let answer = self.office.knock("/v1/staff/sessions", &self.credentials(&self.next_code())).await;
        self.browser(&answer)
    }

    /// What a browser makes of the answer.
    pub fn browser(&self, answer: &Read) -> Browser {
        let opened = answer.expect(201);
        let line = answer.headers["set-cookie"].to_str().unwrap();
        Browser {
            http: self.office.client.http.clone(),
            base: self.office.server.url(""),
            cookie: line.split(';').next().unwrap().to_owned(),
            csrf: opened["csrf_token"].as_str().unwrap().to_owned(),
            opened,
        }
    }
}

impl Browser {
    /// A request with the cookie and nothing else.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).header("Cookie", &self.cookie)
    }

    /// A read.
    pub async fn get(&self, path: &str) -> Read {
        read(self.bare(Method::GET, path)).await
    }

    /// A change as a page of ours sends it.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> Read {
        self.send_as(&fresh::new_id().to_string(), method, path, body).await
    }

    /// The same under a key.
    pub async fn send_as(&self, key: &str, method: Method, path: &str, body: &Value) -> Read {
        let request = self.bare(method, path).header("X-CSRF-Token", &self.csrf).header("Idempotency-Key", key);
        read(request.header("Origin", &self.base).json(body)).await
    }

    /// A change by POST.
    pub async fn post(&self, path: &str, body: &Value) -> Read {
        self.send(Method::POST, path, body).await
    }
}

/// The device that scans what an acceptance answers.
pub fn device(accepted: &Value) -> DeviceSecret {
    let uri = accepted["otpauth_uri"].as_str().unwrap();
    let typed = accepted["secret"].as_str().unwrap();
    assert!(uri.contains(typed));
    DeviceSecret::typed(typed).unwrap()
}
