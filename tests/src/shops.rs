//! Companies that are paid at terminals, and what they are paid for, made over HTTP.

use crate::client::Client;
use serde_json::{Value, json};

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
