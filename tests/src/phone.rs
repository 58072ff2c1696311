//! Citizens of a test's own: a town that has some, and the telephones that they register with.

use crate::api::{ISSUER, Read, read};
use crate::device::Device;
use crate::mailbox::Mailbox;
use crate::people::cpf;
use crate::staff::{Office, TENANT};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::sync::Arc;
use vintem_core::access::{change_tenant, find_tenant, settings};
use vintem_core::event_store::{Limits, Shard, fresh};
use vintem_core::look_ups::AllLookUps;

/// What every citizen of these tests has as a password.
pub const PASSWORD: &str = "cinco pontes sem rio";
/// And as a PIN.
pub const PIN: &str = "274906";

/// An office of a tenant with citizens, whose accounts are in BRL.
pub struct Town {
    /// Staff, client, server, clock.
    pub office: Office,
    /// Where codes arrive.
    pub mailbox: Mailbox,
}

/// Who somebody is.
#[derive(Debug, Clone)]
pub struct Person {
    /// Eleven digits.
    pub cpf: String,
    /// Their name.
    pub name: String,
    /// Nobody else's, whatever test runs beside.
    pub email: String,
}

/// A telephone: a key, and what its session has.
#[derive(Clone)]
pub struct Phone {
    /// The key.
    pub device: Arc<Device>,
    http: reqwest::Client,
    base: String,
    /// The answer that opened the session.
    pub tokens: Value,
}

impl Person {
    /// Somebody of a number.
    pub fn number(number: u32) -> Self {
        let name = format!("Ana Canário {number}");
        Self { cpf: cpf(number), name, email: format!("{}@canario.example", fresh::new_id().simple()) }
    }
}

impl Town {
    /// Over a fresh database.
    pub async fn create() -> Self {
        let office = Office::create().await;
        let store = &office.secrets.store;
        let mut operator = store.session("vintem_operator").await;
        let tenant = find_tenant(&mut operator, TENANT).await.unwrap().tenant;
        let change = settings::Change { citizen_asset: Some("BRL".to_owned()), ..settings::Change::default() };
        let writer = |shard| {
            Shard::start(shard, store.writer(), Arc::new(AllLookUps), Limits { queue: 10, cached_accounts: 10 })
        };
        assert!(change_tenant(&mut operator, writer, tenant, &change).await.unwrap());
        office.client.post("/v1/assets", &json!({"code": "BRL", "scale": 2})).await.expect(201);
        Self { office, mailbox: Mailbox::of_the_stack() }
    }

    /// A telephone that nobody has registered.
    pub fn phone(&self) -> Phone {
        Phone {
            device: Arc::new(Device::create()),
            http: self.office.client.http.clone(),
            base: self.office.server.url(""),
            tokens: Value::Null,
        }
    }

    /// A citizen on a telephone of theirs.
    pub async fn citizen(&self, number: u32) -> (Person, Phone) {
        let (person, mut phone) = (Person::number(number), self.phone());
        let sent = phone.knock("/v1/registrations", &introduction(&person)).await.expect(202);
        let code = self.code(&person, 1).await;
        phone.tokens = phone.knock(&verify("registrations", &sent), &enrolment(&code)).await.expect(201);
        (person, phone)
    }

    /// The code in the letter of this number that somebody got.
    pub async fn code(&self, person: &Person, letter: usize) -> String {
        code_in(&self.mailbox.nth(&person.email, letter).await)
    }

    /// Leaves nothing behind; the invariants hold.
    pub async fn close(self) {
        self.office.close().await;
    }
}

impl Phone {
    /// A request of a telephone that is not known yet.
    pub async fn knock(&self, path: &str, body: &Value) -> Read {
        self.knock_from("127.0.0.1", path, body).await
    }

    /// The same from an address.
    pub async fn knock_from(&self, address: &str, path: &str, body: &Value) -> Read {
        let proof = self.device.proof("POST", &format!("{ISSUER}{path}"), None);
        let request = self.http.post(format!("{}{path}", self.base)).header("DPoP", proof);
        read(request.header("X-Forwarded-For", address).json(body)).await
    }

    /// A request with the session's token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let token = self.tokens["access_token"].as_str().unwrap_or_default();
        let bare = path.split('?').next().unwrap_or_default();
        let proof = self.device.proof(method.as_str(), &format!("{ISSUER}{bare}"), Some(token));
        let request = self.http.request(method, format!("{}{path}", self.base));
        request.header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
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

    /// A change under a fresh key.
    pub async fn patch(&self, path: &str, body: &Value) -> Read {
        let key = fresh::new_id().to_string();
        read(self.request(Method::PATCH, path).header("Idempotency-Key", key).json(body)).await
    }

    /// Takes something away.
    pub async fn delete(&self, path: &str) -> Read {
        read(self.request(Method::DELETE, path).json(&json!({}))).await
    }

    /// Signs in as somebody.
    pub async fn sign_in(&self, person: &Person, password: &str) -> Read {
        self.knock("/v1/sessions", &json!({"tenant": TENANT, "cpf": person.cpf, "password": password})).await
    }

    /// Asks for the next tokens.
    pub async fn refresh(&self, token: &Value) -> Read {
        self.knock("/v1/sessions/refresh", &json!({"refresh_token": token})).await
    }

    /// The citizen's id.
    pub fn citizen(&self) -> &str {
        self.tokens["citizen_id"].as_str().unwrap()
    }

    /// The citizen's account.
    pub fn account(&self) -> &str {
        self.tokens["account_id"].as_str().unwrap()
    }
}

/// What a registration begins with.
pub fn introduction(person: &Person) -> Value {
    json!({"tenant": TENANT, "cpf": person.cpf, "name": person.name, "email": person.email, "phone": "+5511912345678"})
}

/// What ends a registration or a recovery.
pub fn enrolment(code: &str) -> Value {
    json!({"tenant": TENANT, "code": code, "password": PASSWORD, "pin": PIN})
}

/// Where a code is sent back to.
pub fn verify(what: &str, sent: &Value) -> String {
    format!("/v1/{what}/{}/verify", sent["id"].as_str().unwrap())
}

/// The six digits in a letter.
pub fn code_in(letter: &str) -> String {
    let mut words = letter.split(|c: char| !c.is_ascii_digit());
    words.find(|word| word.len() == 6).unwrap_or_else(|| panic!("no code in {letter:?}")).to_owned()
}

/// Some other six digits.
pub fn another(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}
