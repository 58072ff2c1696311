//! What is said once by whoever is not known yet, whatever comes of it, and timed: for the benchmark, which looks at refusals.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::{ClientError, Connection, problem};

const ATTEMPT: Duration = Duration::from_secs(10);

/// Where it is said.
pub struct Knock {
    http: reqwest::Client,
    base: String,
}

/// What came of one.
pub struct Knocked {
    /// HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Value,
    /// From the first byte sent to the last one read.
    pub took: Duration,
}

impl Knock {
    /// At the ledger of a connection.
    pub fn at(connection: &Connection) -> Result<Self, ClientError> {
        Ok(Self { http: connection.http_client(ATTEMPT)?, base: connection.base_url()? })
    }

    /// Tries a client's secret, and shows a proof of a key.
    pub async fn with(&self, client: &str, secret: &str, proof: Option<&str>) -> Result<Knocked, ClientError> {
        let request = self.http.post(format!("{}/v1/token", self.base)).basic_auth(client, Some(secret));
        let request = match proof {
            Some(proof) => request.header("DPoP", proof),
            None => request,
        };
        let form = "application/x-www-form-urlencoded";
        send(request.header(CONTENT_TYPE, form).body("grant_type=client_credentials")).await
    }

    /// Says something at a path, as if from an address: only who shows the door's certificate is believed that.
    pub async fn tell(&self, path: &str, body: &Value, from: Option<Ipv4Addr>) -> Result<Knocked, ClientError> {
        self.tell_with(path, body, from, &[]).await
    }

    /// The same with headers.
    pub async fn tell_with(
        &self,
        path: &str,
        body: &Value,
        from: Option<Ipv4Addr>,
        headers: &[(&str, &str)],
    ) -> Result<Knocked, ClientError> {
        let request = self.http.post(format!("{}{path}", self.base)).json(body);
        let request = match from {
            Some(address) => request.header("X-Forwarded-For", address.to_string()),
            None => request,
        };
        send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }
}

async fn send(request: RequestBuilder) -> Result<Knocked, ClientError> {
    let broken = |error: reqwest::Error| ClientError::Setup(problem::chain(&error.without_url()));
    let asked = Instant::now();
    let answer = request.send().await.map_err(broken)?;
    let status = answer.status().as_u16();
    let body = answer.json().await.map_err(broken)?;
    Ok(Knocked { status, body, took: asked.elapsed() })
}
