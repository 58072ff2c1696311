//! A login that is tried once, whatever comes of it, and timed: for the benchmark, which looks at refusals.

use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::{ClientError, Connection, problem};

const ATTEMPT: Duration = Duration::from_secs(10);

/// Where logins are tried.
pub struct Knock {
    http: reqwest::Client,
    url: String,
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
        let url = format!("{}/v1/token", connection.base_url()?);
        Ok(Self { http: connection.http_client(ATTEMPT)?, url })
    }

    /// Tries a secret.
    pub async fn with(&self, client: &str, secret: &str) -> Result<Knocked, ClientError> {
        let request = self.http.post(&self.url).basic_auth(client, Some(secret));
        let request =
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body("grant_type=client_credentials");
        let broken = |error: reqwest::Error| ClientError::Setup(problem::chain(&error.without_url()));
        let asked = Instant::now();
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status().as_u16();
        let body = answer.json().await.map_err(broken)?;
        Ok(Knocked { status, body, took: asked.elapsed() })
    }
}
