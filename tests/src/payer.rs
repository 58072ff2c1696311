//! Citizens who pay: how they ask for somebody, and what their telephones sign.

use crate::api::{Read, read};
use crate::phone::{PIN, Phone, Town};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Phone {
    /// A question: a body without a key.
    pub async fn ask(&self, path: &str, body: &Value) -> Read {
        read(self.request(Method::POST, path).json(body)).await
    }

    /// Looks somebody up by their key.
    pub async fn looks_up(&self, alias: &str) -> Read {
        self.ask("/v1/alias-lookups", &json!({"alias": alias})).await
    }

    /// Has a random key; answers it.
    pub async fn random_alias(&self) -> String {
        let made = self.post("/v1/aliases", &json!({"kind": "random"})).await.expect(201);
        made["alias"].as_str().unwrap().to_owned()
    }

    /// Asks for a transfer to whoever has a key.
    pub async fn wants_to_pay(&self, alias: &str, amount: &str, note: Option<&str>) -> Value {
        let found = self.looks_up(alias).await.expect(200);
        let mut body = json!({"lookup_id": found["lookup_id"], "amount": {"amount": amount, "asset": "BRL"}});
        if let Some(note) = note {
            body["note"] = json!(note);
        }
        self.post("/v1/transfers", &body).await.expect(201)
    }

    /// What confirms a transfer as it was shown: the members of RFC 8785 in their order, made without the product's code.
    pub fn confirmation(&self, transfer: &Value) -> Value {
        let said = BTreeMap::from([
            ("amount", &transfer["amount"]["amount"]),
            ("asset", &transfer["amount"]["asset"]),
            ("intent_id", &transfer["id"]),
            ("nonce", &transfer["nonce"]),
            ("payee", &transfer["payee"]),
        ]);
        let said = serde_json::to_vec(&said).unwrap();
        json!({"pin": PIN, "device_signature": self.device.sign_bytes(&said)})
    }

    /// Confirms a transfer.
    pub async fn confirms(&self, transfer: &Value) -> Read {
        self.post(&confirm(transfer), &self.confirmation(transfer)).await
    }
}

impl Town {
    /// Gives somebody money.
    pub async fn issue(&self, to: &Phone, amount: &str) {
        let body = json!({"account": to.account(), "amount": {"amount": amount, "asset": "BRL"}, "reference": "TED/1"});
        self.office.client.post("/v1/issuances", &body).await.expect(201);
    }

    /// What somebody has.
    pub async fn posted(&self, of: &Phone) -> String {
        let balance = self.office.client.get(&format!("/v1/accounts/{}/balance", of.account())).await.expect(200);
        balance["posted"].as_str().unwrap_or_else(|| panic!("{balance}")).to_owned()
    }
}

/// Where a transfer is confirmed.
pub fn confirm(transfer: &Value) -> String {
    format!("{}/confirm", path(transfer))
}

/// Where a transfer is.
pub fn path(transfer: &Value) -> String {
    format!("/v1/transfers/{}", transfer["id"].as_str().unwrap())
}
