//! Access tokens by client credentials, renewed before they expire.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{ClientError, Problem, problem};

/// A token refused this soon after it was granted will not be accepted the next time either.
const FRESH: Duration = Duration::from_secs(2);
/// A token is renewed when less than this of its life is left.
const MARGIN: Duration = Duration::from_mins(1);

/// Exchanges the client's secret for tokens and keeps the newest.
pub struct TokenSource {
    client_id: String,
    secret: SecretString,
    current: Mutex<Option<Token>>,
}

struct Token {
    header: HeaderValue,
    granted_at: Instant,
    renew_at: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    expires_in: u64,
}

impl TokenSource {
    pub fn new(client_id: String, secret: SecretString) -> Self {
        Self { client_id, secret, current: Mutex::new(None) }
    }

    /// The `Authorization` header to use now. Callers wait for one renewal together.
    pub async fn header(&self, http: &reqwest::Client, base: &str) -> Result<HeaderValue, ClientError> {
        let mut current = self.current.lock().await;
        if let Some(token) = current.as_ref().filter(|token| Instant::now() < token.renew_at) {
            return Ok(token.header.clone());
        }
        let token = self.fetch(http, base).await?;
        let header = token.header.clone();
        *current = Some(token);
        Ok(header)
    }

    /// A token that has its whole life before it.
    pub async fn fresh(&self, http: &reqwest::Client, base: &str) -> Result<HeaderValue, ClientError> {
        *self.current.lock().await = None;
        self.header(http, base).await
    }

    /// Drops a token that was refused; false when it was fresh, so that a refusal is not asked for ever.
    pub async fn forget(&self, refused: &HeaderValue) -> bool {
        let mut current = self.current.lock().await;
        match current.as_ref() {
            Some(token) if token.header == *refused => {
                let worn = token.granted_at.elapsed() > FRESH;
                *current = None;
                worn
            }
            // Another caller has renewed it already.
            _ => true,
        }
    }

    async fn fetch(&self, http: &reqwest::Client, base: &str) -> Result<Token, ClientError> {
        const PATH: &str = "/v1/token";
        let undecided = |last: String| ClientError::Undecided {
            method: reqwest::Method::POST,
            path: PATH.to_owned(),
            attempts: 1,
            last,
        };
        let response = http
            .post(format!("{base}{PATH}"))
            .header(AUTHORIZATION, self.basic()?)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials")
            .send()
            .await
            .map_err(|error| undecided(problem::chain(&error)))?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| undecided(problem::chain(&error)))?;
        if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(undecided(Problem::read(status.as_u16(), &body).to_string()));
        }
        if !status.is_success() {
            return Err(ClientError::Refused(Box::new(Problem::read(status.as_u16(), &body))));
        }
        let granted: Granted = serde_json::from_slice(&body)
            .map_err(|source| ClientError::Unexpected { path: PATH.to_owned(), source })?;
        let lifetime = Duration::from_secs(granted.expires_in);
        // A token that lives shorter than the margin is used for half of its life.
        let used = lifetime.checked_sub(MARGIN).unwrap_or(lifetime / 2);
        let granted_at = Instant::now();
        let header = sensitive(&format!("Bearer {}", granted.access_token.expose_secret()))?;
        Ok(Token { header, granted_at, renew_at: granted_at + used })
    }

    /// RFC 6749 §2.3.1: id and secret form-encoded, then as in HTTP Basic.
    fn basic(&self) -> Result<HeaderValue, ClientError> {
        let id = super::query_value(&self.client_id);
        let secret = super::query_value(self.secret.expose_secret());
        sensitive(&format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))))
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, ClientError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| ClientError::Setup("the API issued a token that does not fit a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
