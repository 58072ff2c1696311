//! The door for outgoing HTTP: one POST to an address that the guard has let pass.
//!
//! A name is resolved once, by our own resolver, and only addresses that the guard permits leave it; the connection is
//! made to one of those. So there is no second look-up in which the name could lead elsewhere. Redirects are not
//! followed, no proxy is taken from the environment, and of an answer only the status and `Retry-After` are of interest.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use vintem_core::webhooks::Egress;

/// From the first look-up to the last byte that is read.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// What is read of an answer, so that its connection can be used again; of a longer one the connection is closed.
const BODY_MAX: usize = 16 * 1024;
/// Idle connections per host, and for how long.
const IDLE: (usize, Duration) = (8, Duration::from_secs(30));

/// Posts messages.
#[derive(Debug, Clone)]
pub struct Transport {
    http: Client,
    egress: Arc<Egress>,
}

/// A message on its way.
#[derive(Debug)]
pub struct Outgoing {
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: i64,
    /// `webhook-signature`.
    pub signature: String,
    /// JSON.
    pub body: Vec<u8>,
}

/// What the other side said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The HTTP status.
    pub status: u16,
    /// How long it asks us to wait.
    pub retry_after: Option<Duration>,
}

/// Why it said nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The address is not one that requests may leave for.
    AddressRefused,
    /// It took too long.
    TimedOut,
    /// No connection, or a broken one.
    Unreachable,
}

/// The transport cannot be built: the system's authorities cannot be read, mostly.
#[derive(Debug, thiserror::Error)]
#[error("the TLS client cannot be built")]
pub struct TransportError(#[from] reqwest::Error);

/// Every address of the name was refused.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to no address that requests may leave for")]
struct Refused;

/// Looks names up and keeps the addresses that the guard permits.
struct Guarded(Arc<Egress>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let permitted: Vec<SocketAddr> = found.filter(|address| egress.permits(address.ip())).collect();
            if permitted.is_empty() {
                return Err(Refused.into());
            }
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

impl Transport {
    /// Behind a guard.
    pub fn try_new(egress: Egress) -> Result<Self, TransportError> {
        let egress = Arc::new(egress);
        let http = Client::builder()
            .dns_resolver(Arc::new(Guarded(egress.clone())))
            .https_only(!egress.permits_plain_text())
            .no_proxy()
            .redirect(Policy::none())
            .referer(false)
            .user_agent(concat!("Vintem-Webhooks/", env!("CARGO_PKG_VERSION")))
            .timeout(PATIENCE)
            .connect_timeout(CONNECT_PATIENCE)
            .pool_max_idle_per_host(IDLE.0)
            .pool_idle_timeout(IDLE.1)
            .build()?;
        Ok(Self { http, egress })
    }

    /// Posts a message and waits for the answer.
    pub async fn post(&self, url: &str, message: Outgoing) -> Result<Said, Silence> {
        let url = Url::parse(url).map_err(|_| Silence::Unreachable)?;
        // A host that is an address is not looked up, so the resolver does not see it.
        if literal(&url).is_some_and(|address| !self.egress.permits(address)) {
            return Err(Silence::AddressRefused);
        }
        let request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(message.body);
        let response = request.send().await.map_err(|error| silence(&error))?;
        let said = Said { status: response.status().as_u16(), retry_after: retry_after(&response) };
        drain(response).await;
        Ok(said)
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Only the form in seconds: a date would have to be judged by a clock that the other side knows.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Reads a short answer to its end. What is longer, or breaks, is dropped with its connection: the status has been said.
async fn drain(mut response: Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        read += chunk.len();
        if read > BODY_MAX {
            return;
        }
    }
}

fn silence(error: &reqwest::Error) -> Silence {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Refused>() {
            return Silence::AddressRefused;
        }
        cause = error.source();
    }
    if error.is_timeout() { Silence::TimedOut } else { Silence::Unreachable }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Outgoing {
        Outgoing { id: "msg_0_1_1".to_owned(), timestamp: 0, signature: String::new(), body: Vec::new() }
    }

    #[tokio::test]
    async fn neither_an_address_nor_a_name_leads_home() {
        let transport = Transport::try_new(Egress::default()).unwrap();
        for url in ["https://127.0.0.1:1/", "https://[::1]:1/", "https://[::ffff:127.0.0.1]:1/", "https://localhost:1/"]
        {
            assert_eq!(transport.post(url, message()).await, Err(Silence::AddressRefused), "{url}");
        }
    }

    #[tokio::test]
    async fn plain_text_is_for_development() {
        let transport = Transport::try_new(Egress::default()).unwrap();
        assert_eq!(transport.post("http://localhost:1/", message()).await, Err(Silence::Unreachable));
        let development = Transport::try_new(Egress::allowing(vec!["127.0.0.0/8".parse().unwrap()])).unwrap();
        assert_eq!(development.post("http://127.0.0.1:1/", message()).await, Err(Silence::Unreachable));
        assert_eq!(development.post("http://10.0.0.1:1/", message()).await, Err(Silence::AddressRefused));
    }
}
