//! A simulated telephone: it signs in when its owner pays for the first time, reads what a terminal shows, and confirms under one
//! key until somebody answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::chance::Chance;
use super::tally::{Event, Tally};
use super::wire::{Wire, Word};
use crate::client::device::Device;
use crate::client::line::Saying;

const TRIES: usize = 8;
const PAUSE: Duration = Duration::from_millis(120);
/// No citizen's PIN.
const WRONG_PIN: &str = "135790";

/// How somebody pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As one should.
    Plain,
    /// After a mistake.
    WrongPinFirst,
}

/// What a telephone's owner is known by.
#[derive(Debug)]
pub struct Owner {
    /// The tenant's name.
    pub tenant: String,
    /// Eleven digits.
    pub cpf: String,
    /// What they sign in with.
    pub password: String,
    /// And pay with.
    pub pin: String,
    /// The account that they pay from.
    pub account: String,
}

/// A confirmation that was sent, and what its sender believes.
#[derive(Debug)]
pub struct Confirmation {
    /// The charge.
    pub charge: String,
    /// Whether it was paid; unknown while it is `None`.
    pub is_paid: Option<bool>,
    key: String,
    body: Value,
}

/// A telephone.
#[derive(Debug)]
pub struct Phone {
    /// Whose it is.
    pub owner: Owner,
    /// What was confirmed, the oldest first.
    pub confirmations: Vec<Confirmation>,
    device: Arc<Device>,
    issuer: String,
    wire: Wire,
    chance: Chance,
    tally: Arc<Tally>,
    token: Option<String>,
}

impl Phone {
    /// One whose key is registered, and that has not signed in yet. Its proofs name the server as `issuer` does.
    pub fn new(
        owner: Owner,
        device: Arc<Device>,
        issuer: String,
        wire: Wire,
        chance: Chance,
        tally: Arc<Tally>,
    ) -> Self {
        Self { owner, confirmations: Vec::new(), device, issuer, wire, chance, tally, token: None }
    }

    /// Pays what a terminal shows, unless it cannot be paid any more.
    pub async fn pay(&mut self, seen: Value, manner: Manner) {
        let Some(charge) = self.ask("/v1/charge-resolutions", &seen).await else { return };
        let signature = self.device.sign_bytes(&said(&charge));
        let Some(id) = charge["charge_id"].as_str() else { return };
        if manner == Manner::WrongPinFirst {
            let body = json!({"pin": WRONG_PIN, "device_signature": signature});
            let key = self.chance.key();
            let _ = self.say(Saying::post(confirm_path(id), &key, body)).await;
        }
        let body = json!({"pin": self.owner.pin, "device_signature": signature});
        let key = self.chance.key();
        self.confirmations.push(Confirmation { charge: id.to_owned(), is_paid: None, key, body });
        self.confirm(self.confirmations.len() - 1).await;
    }

    /// Asks for what is still unknown.
    pub async fn settle(&mut self) {
        for which in 0..self.confirmations.len() {
            if self.confirmations[which].is_paid.is_none() {
                self.confirm(which).await;
            }
        }
    }

    async fn confirm(&mut self, which: usize) {
        for _ in 0..TRIES {
            let Confirmation { charge, key, body, .. } = &self.confirmations[which];
            let saying = Saying::post(confirm_path(charge), key, body.clone());
            match self.say(saying).await {
                Word::Done(_) => {
                    self.confirmations[which].is_paid = Some(true);
                    self.tally.count(Event::Confirmed);
                    return;
                }
                Word::Refused(code) if code == "pin-invalid" => {}
                Word::Refused(_) => {
                    self.confirmations[which].is_paid = Some(false);
                    return;
                }
                Word::Unclear => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// A question that changes nothing, repeated until it is answered.
    async fn ask(&mut self, path: &str, body: &Value) -> Option<Value> {
        for _ in 0..TRIES {
            let saying = Saying { headers: Vec::new(), ..Saying::post(path, "", body.clone()) };
            match self.say(saying).await {
                Word::Done(answer) => return Some(answer),
                Word::Refused(_) => return None,
                Word::Unclear => tokio::time::sleep(PAUSE).await,
            }
        }
        None
    }

    /// Says something within a session, which is opened when there is none any more. Each time with a fresh proof.
    async fn say(&mut self, saying: Saying) -> Word {
        let Some(token) = self.signed_in().await else { return Word::Unclear };
        let proof = self.device.proof(saying.method, &format!("{}{}", self.issuer, saying.path), Some(&token));
        let saying = saying.with("Authorization", format!("DPoP {token}")).with("DPoP", proof);
        match self.wire.say(&saying).await {
            // The session is over, or the proof came twice: that was nobody's refusal of a payment.
            Word::Refused(code) if matches!(&*code, "token-expired" | "unauthenticated" | "dpop-invalid") => {
                self.token = None;
                Word::Unclear
            }
            word => word,
        }
    }

    async fn signed_in(&mut self) -> Option<String> {
        if self.token.is_none() {
            let proof = self.device.proof("POST", &format!("{}/v1/sessions", self.issuer), None);
            let Owner { tenant, cpf, password, .. } = &self.owner;
            let body = json!({"tenant": tenant, "cpf": cpf, "password": password});
            let saying = Saying { headers: vec![("DPoP", proof)], ..Saying::post("/v1/sessions", "", body) };
            if let Word::Done(opened) = self.wire.say(&saying).await {
                self.token = opened["access_token"].as_str().map(str::to_owned);
            }
        }
        self.token.clone()
    }
}

fn confirm_path(charge: &str) -> String {
    format!("/v1/charges/{charge}/confirm")
}

/// What a device signs: RFC 8785 orders members by name, and so does this map.
fn said(charge: &Value) -> Vec<u8> {
    let members = BTreeMap::from([
        ("amount", &charge["amount"]["amount"]),
        ("asset", &charge["amount"]["asset"]),
        ("intent_id", &charge["charge_id"]),
        ("nonce", &charge["nonce"]),
        ("payee", &charge["payee"]["service_id"]),
    ]);
    serde_json::to_vec(&members).unwrap_or_default()
}
