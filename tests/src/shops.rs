//! Companies that are paid at terminals, and what they are paid for, made over HTTP.

use crate::client::Client;
use crate::phone::{PIN, Phone, Town};
use crate::staff::TENANT;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;
use vintem_core::access::find_tenant;
use vintem_core::event_store::fresh;
use vintem_core::event_store::overlay::Origin;
use vintem_core::ledger::service::Actor;
use vintem_core::payments::charges::event::{CaptureMode, Payee};
use vintem_core::payments::charges::{Charge, NewCharge, Till};
use vintem_core::payments::qr;

/// Where companies are.
pub const PROVIDERS: &str = "/v1/admin/providers";
/// Where services are.
pub const SERVICES: &str = "/v1/admin/services";

/// The CNPJ of a number.
pub fn cnpj(number: u32) -> String {
    let mut digits: Vec<u32> = format!("{number:08}0001").chars().filter_map(|digit| digit.to_digit(10)).collect();
    for _ in 0..2 {
        let sum: u32 = digits.iter().rev().zip((2..=9).cycle()).map(|(digit, weight)| digit * weight).sum();
        digits.push(if sum % 11 < 2 { 0 } else { 11 - sum % 11 });
    }
    digits.iter().map(ToString::to_string).collect()
}

/// A company of a number, registered.
pub async fn provider(client: &Client, number: u32) -> Value {
    let body = json!({"name": format!("Companhia {number} Ltda."), "cnpj": cnpj(number)});
    client.post(PROVIDERS, &body).await.expect(201)
}

/// What a company is paid for, in BRL.
pub async fn service(client: &Client, provider: &Value, label: &str, terms: Value) -> Value {
    let body = json!({
        "provider": provider["id"], "label": label, "city": "Porto Alegre", "mcc": "4111", "asset": "BRL", "terms": terms,
    });
    client.post(SERVICES, &body).await.expect(201)
}

/// The path of one of them.
pub fn at(list: &str, one: &Value) -> String {
    format!("{list}/{}", one["id"].as_str().unwrap())
}

/// A terminal of a service, as the server sees it, without the device and its certificate.
pub struct Counter<'a> {
    town: &'a Town,
    /// Who acts.
    pub actor: Actor,
    service: Uuid,
    terminal: Uuid,
    /// How charges are asked for.
    pub capture: CaptureMode,
}

impl Town {
    /// A terminal of a service.
    pub async fn counter(&self, service: &Value) -> Counter<'_> {
        let mut operator = self.office.secrets.store.session("vintem_operator").await;
        let tenant = find_tenant(&mut operator, TENANT).await.unwrap();
        let actor = Actor { shard: tenant.shard, origin: Origin::command(tenant.tenant, "terminal") };
        let service = service["id"].as_str().unwrap().parse().unwrap();
        Counter { town: self, actor, service, terminal: fresh::new_id(), capture: CaptureMode::Auto }
    }
}

impl Counter<'_> {
    /// Asks for money.
    pub async fn charge(&self, amount: &str) -> Charge {
        let server = &self.town.office.server;
        let service = server.services.find(&self.actor, self.service).await.unwrap().unwrap();
        let payee = Payee { id: service.id, label: service.label, account: service.account };
        let till = Till { terminal: self.terminal, service: payee, terms: service.terms };
        let new = NewCharge {
            txid: fresh::new_id().simple().to_string(),
            amount: amount.to_owned(),
            asset: service.asset,
            capture: self.capture,
            open_seconds: 300,
            reference: Some("linha-343".to_owned()),
            operator: None,
            shift: None,
            seq: 1,
            is_repeat: true,
        };
        server.charges.create(&self.actor, &till, &new).await.unwrap().0
    }

    /// What it shows.
    pub async fn code(&self, charge: &Charge, host: &str) -> String {
        let service = self.town.office.server.services.find(&self.actor, self.service).await.unwrap().unwrap();
        qr::charge::code(charge, &service, host).unwrap()
    }
}

impl Phone {
    /// The device's signature over a charge as it was resolved: the members of RFC 8785 in their order, made without the
    /// product's code.
    pub fn signs_charge(&self, resolved: &Value) -> Value {
        let said = BTreeMap::from([
            ("amount", &resolved["amount"]["amount"]),
            ("asset", &resolved["amount"]["asset"]),
            ("intent_id", &resolved["charge_id"]),
            ("nonce", &resolved["nonce"]),
            ("payee", &resolved["payee"]["service_id"]),
        ]);
        json!(self.device.sign_bytes(&serde_json::to_vec(&said).unwrap()))
    }

    /// What confirms a charge by PIN.
    pub fn pays(&self, resolved: &Value) -> Value {
        json!({"pin": PIN, "device_signature": self.signs_charge(resolved)})
    }
}

/// Where a charge is confirmed.
pub fn confirm(resolved: &Value) -> String {
    format!("/v1/charges/{}/confirm", resolved["charge_id"].as_str().unwrap())
}
