//! The one door of the command line to Vintem's HTTP API.
//!
//! A write carries an idempotency key and is repeated under it until the ledger has
//! answered definitely: a dropped connection, a 5xx, a request still in flight and a rate
//! limit all mean *ask again*, never *assume*. Only when nothing definite came within
//! [`PATIENCE`] does the caller learn that the outcome is unknown; the same call under the
//! same key later resolves it. Reads are repeated in the same way.
//!
//! The client secret is read once from a private file or standard input and exchanged for
//! short-lived tokens; it never stands in an argument, a variable or a log line.

pub mod connection;
pub mod device;
mod knock;
pub mod line;
pub mod metrics;
pub mod problem;
pub mod readiness;
pub mod terminal;
#[cfg(test)]
mod tests;
mod token;

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use connection::Connection;
pub use knock::{Knock, Knocked};
pub use problem::Problem;
use token::TokenSource;
use vintem_core::event_store::fresh::new_id;

/// How long one call may go without a definite answer.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How long one attempt may take; a batch of ten thousand items on a busy machine needs seconds.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The connection cannot be set up as asked.
    #[error("{0}")]
    Setup(String),
    /// The API answered definitely, and it is a refusal.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// No definite answer within [`PATIENCE`].
    #[error("no definite answer from {method} {path} in {} s and {attempts} attempts: {last}; what was written stays, and the same command goes on from there", PATIENCE.as_secs())]
    Undecided {
        /// The method.
        method: Method,
        /// The path, without its query.
        path: String,
        /// How often it was asked.
        attempts: u32,
        /// What came back last.
        last: String,
    },
    /// The API answered something that this client does not understand.
    #[error("{path} answered something unexpected")]
    Unexpected {
        /// The path, without its query.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// A definite, successful answer.
#[derive(Debug)]
pub struct Answer {
    path: String,
    /// The body as it came.
    pub body: Bytes,
    /// The answer of an earlier request under the same key.
    pub replayed: bool,
}

impl Answer {
    /// The body as `T`; borrowed members borrow from the answer.
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|source| ClientError::Unexpected { path: self.path.clone(), source })
    }
}

/// A connection to one Vintem as one service client.
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: TokenSource,
}

/// What one attempt came to.
enum Attempt {
    Answered(Answer),
    Refused(Box<Problem>),
    /// Ask again, at the earliest after the pause the server named.
    Unsettled {
        why: String,
        pause: Option<Duration>,
    },
}

impl Client {
    /// Connects as `connection` says and fetches the first token, so that a wrong secret is known at once.
    pub async fn connect(connection: &Connection) -> Result<Self, ClientError> {
        Self::with_secret(connection, connection.secret()?).await
    }

    /// The same with a secret at hand instead of the file.
    pub async fn with_secret(connection: &Connection, secret: SecretString) -> Result<Self, ClientError> {
        let http = connection.http_client(ATTEMPT_TIMEOUT)?;
        let base = connection.base_url()?;
        let token = TokenSource::new(connection.client_id()?, secret);
        let client = Self { http, base, token };
        client.token.header(&client.http, &client.base).await?;
        Ok(client)
    }

    /// The `Authorization` of a token just granted, for who sends requests by other means (the benchmark).
    pub async fn fresh_authorization(&self) -> Result<Vec<u8>, ClientError> {
        Ok(self.token.fresh(&self.http, &self.base).await?.as_bytes().to_vec())
    }

    /// Reads `path_and_query`.
    pub async fn get<T: DeserializeOwned>(&self, path_and_query: &str) -> Result<T, ClientError> {
        self.call(Method::GET, path_and_query, None, Bytes::new()).await?.json()
    }

    /// Writes `body` under an idempotency key of the caller's.
    pub async fn post(&self, path: &str, key: &str, body: Bytes) -> Result<Answer, ClientError> {
        self.call(Method::POST, path, Some(key), body).await
    }

    /// Writes a value as JSON under an idempotency key of the caller's.
    pub async fn post_json(&self, path: &str, key: &str, body: &impl Serialize) -> Result<Answer, ClientError> {
        let body =
            serde_json::to_vec(body).map_err(|source| ClientError::Unexpected { path: path.to_owned(), source })?;
        self.post(path, key, body.into()).await
    }

    async fn call(&self, method: Method, target: &str, key: Option<&str>, body: Bytes) -> Result<Answer, ClientError> {
        let deadline = Instant::now() + PATIENCE;
        let mut backoff = FIRST_PAUSE;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (last, pause) = match self.attempt(&method, target, key, body.clone()).await? {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Refused(problem) => return Err(ClientError::Refused(problem)),
                Attempt::Unsettled { why, pause } => (why, pause.unwrap_or(backoff)),
            };
            if Instant::now() + pause > deadline {
                let path = path_of(target);
                return Err(ClientError::Undecided { method, path, attempts, last });
            }
            tokio::time::sleep(jittered(pause)).await;
            backoff = (backoff * 2).min(LONGEST_PAUSE);
        }
    }

    async fn attempt(
        &self,
        method: &Method,
        target: &str,
        key: Option<&str>,
        body: Bytes,
    ) -> Result<Attempt, ClientError> {
        let header = match self.token.header(&self.http, &self.base).await {
            Ok(header) => header,
            Err(ClientError::Undecided { last, .. }) => return Ok(Attempt::Unsettled { why: last, pause: None }),
            Err(error) => return Err(error),
        };
        let mut request = self.http.request(method.clone(), format!("{}{target}", self.base));
        request = request.header(AUTHORIZATION, header.clone());
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key).header(CONTENT_TYPE, "application/json").body(body);
        }
        let answer = match request.send().await {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                response.bytes().await.map(|body| (status, headers, body))
            }
            Err(error) => Err(error),
        };
        let (status, headers, body) = match answer {
            Ok(answer) => answer,
            Err(error) => return Ok(Attempt::Unsettled { why: problem::chain(&error), pause: None }),
        };
        let attempt = judge(target, status, &headers, body);
        if status == StatusCode::UNAUTHORIZED && self.token.forget(&header).await {
            return Ok(Attempt::Unsettled {
                why: "the token was no longer accepted".to_owned(),
                pause: Some(Duration::ZERO),
            });
        }
        Ok(attempt)
    }
}

/// Sorts an answer into definite and not.
fn judge(target: &str, status: StatusCode, headers: &HeaderMap, body: Bytes) -> Attempt {
    if status.is_success() {
        let replayed = headers.get("idempotency-replayed").is_some_and(|value| value == "true");
        return Attempt::Answered(Answer { path: path_of(target), body, replayed });
    }
    let problem = Problem::read(status.as_u16(), &body);
    let unsettled = status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || problem.code == "request-in-flight";
    if !unsettled {
        return Attempt::Refused(Box::new(problem));
    }
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    let pause = seconds.map(|seconds: u64| Duration::from_secs(seconds).min(LONGEST_PAUSE));
    Attempt::Unsettled { why: problem.to_string(), pause }
}

fn path_of(target: &str) -> String {
    target.split('?').next().unwrap_or_default().to_owned()
}

/// Between half of the pause and all of it, so that callers that failed together do not return together.
fn jittered(pause: Duration) -> Duration {
    let random = u32::from(new_id().as_bytes()[15]);
    pause / 2 + (pause / 2) * random / 255
}

/// A value inside a query: everything but unreserved characters is escaped.
pub fn query_value(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::with_capacity(value.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}
