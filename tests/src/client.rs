//! A client of a test's server, and what it was answered.

use crate::api::Server;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;
use vintem_core::event_store::fresh;

/// A caller with a token.
#[derive(Clone)]
pub struct Client {
    /// The transport.
    pub http: reqwest::Client,
    pub(crate) base: String,
    /// The token.
    pub token: String,
    /// The client's id.
    pub id: Uuid,
    /// The client's secret.
    pub secret: String,
}

/// An answer, read.
#[derive(Debug, Clone)]
pub struct Read {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Read {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|_| panic!("{} {:?}", self.status, String::from_utf8_lossy(&self.bytes)))
    }

    /// The problem's code.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The body, after checking the status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()
    }
}

impl Client {
    /// A request with the token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
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

    /// A write of a text under a key.
    pub async fn post_text(&self, key: &str, path: &str, body: &str) -> Read {
        let request = self.request(Method::POST, path).header("Idempotency-Key", key);
        read(request.header("Content-Type", "application/json").body(body.to_owned())).await
    }

    /// A write by somebody who reads Portuguese.
    pub async fn portuguese(&self, path: &str, body: &Value) -> Read {
        let request = self.request(Method::POST, path).header("Idempotency-Key", fresh::new_id().to_string());
        read(request.header("Accept-Language", "pt-BR").json(body)).await
    }

    /// A change under a fresh key, perhaps of a version.
    pub async fn patch(&self, path: &str, body: &Value, if_match: Option<&str>) -> Read {
        let request = self.request(Method::PATCH, path).header("Idempotency-Key", fresh::new_id().to_string());
        read(if_match.into_iter().fold(request, |request, tag| request.header("If-Match", tag)).json(body)).await
    }

    /// The same client at another process.
    #[must_use]
    pub fn at(&self, server: &Server) -> Self {
        Self { base: server.url(""), ..self.clone() }
    }

    /// An asset, and accounts of these names in it: `bank` is a debit account without a lower bound.
    pub async fn open(&self, asset: &str, accounts: &[&str]) -> Vec<String> {
        self.post("/v1/assets", &json!({"code": asset, "scale": 2})).await.expect(201);
        let mut ids = Vec::new();
        for name in accounts {
            let body = match *name {
                "bank" => json!({"name": name, "asset": asset, "normal_side": "debit", "min_balance": null}),
                _ => json!({"name": name, "asset": asset}),
            };
            ids.push(self.post("/v1/accounts", &body).await.expect(201)["id"].as_str().unwrap().to_owned());
        }
        ids
    }

    /// Posts from an account to another.
    pub async fn moves(&self, from: &str, to: &str, amount: &str) -> Read {
        self.post("/v1/transactions", &json!({"from": from, "to": to, "amount": {"amount": amount, "asset": "BRL"}}))
            .await
    }
}

/// Sends a request and reads its answer.
pub async fn read(request: RequestBuilder) -> Read {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Read { status, headers, bytes: response.bytes().await.unwrap().to_vec() }
}
