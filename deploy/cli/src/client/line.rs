//! One message over HTTP and its answer, whatever it is: for devices of the simulation, which decide themselves what to make of it.

use std::time::Duration;

use serde_json::Value;

/// After so long whoever sent something stops listening.
const PATIENCE: Duration = Duration::from_secs(8);

/// Nobody answered, or the answer did not come whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody answered")]
pub struct Silence;

/// How a device connects.
#[derive(Debug, Clone)]
pub struct Line(reqwest::Client);

/// What is said.
#[derive(Debug, Clone)]
pub struct Saying {
    /// Its method.
    pub method: &'static str,
    /// Its path with its query.
    pub path: String,
    /// What goes with it.
    pub headers: Vec<(&'static str, String)>,
    /// What it says.
    pub body: Option<Value>,
}

/// What was heard.
#[derive(Debug)]
pub struct Heard {
    /// HTTP status.
    pub status: u16,
    /// The whole answer.
    pub body: Value,
}

impl Line {
    /// By a client that shows what it has to show.
    pub fn by(client: reqwest::Client) -> Self {
        Self(client)
    }

    /// Says something at a server.
    pub async fn say(&self, base: &str, saying: &Saying) -> Result<Heard, Silence> {
        let method = saying.method.parse().map_err(|_| Silence)?;
        let request = self.0.request(method, format!("{base}{}", saying.path)).timeout(PATIENCE);
        let request = saying.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let request = match &saying.body {
            Some(body) => request.json(body),
            None => request,
        };
        let answer = request.send().await.map_err(|_| Silence)?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.map_err(|_| Silence)?;
        Ok(Heard { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) })
    }
}

impl Saying {
    /// A question.
    pub fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: None }
    }

    /// A message that is idempotent by its address.
    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self { method: "PUT", path: path.into(), headers: Vec::new(), body: Some(body) }
    }

    /// A message under a key.
    pub fn post(path: impl Into<String>, key: &str, body: Value) -> Self {
        let headers = vec![("Idempotency-Key", key.to_owned())];
        Self { method: "POST", path: path.into(), headers, body: Some(body) }
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}
