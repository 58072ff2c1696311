//! Connections: TLS that trusts one authority, and a leased user.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lapin::auth::AuthProvider;
use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use lapin::types::{LongString, ShortString};
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo};
use lapin::{AsyncTcpStream, Channel, Connection, ConnectionProperties, runtime};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use tokio::sync::watch;
use vintem_core::secrets::{BrokerSettings, BrokerUser, LeaseState, LeasedBroker};

use super::error::{BrokerError, within};

/// How long a broker may take to let us in.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Within twice this a connection that is gone is noticed.
const HEARTBEAT_S: u16 = 10;

/// The way to the broker. Cheap to clone.
#[derive(Clone)]
pub struct Broker {
    settings: Arc<BrokerSettings>,
    tls: RustlsConnector,
    user: LeasedBroker,
    is_away: Arc<AtomicBool>,
}

/// One connection and its one channel.
pub struct Session {
    pub(super) connection: Connection,
    pub(super) channel: Channel,
    pub(super) is_away: Arc<AtomicBool>,
    user: BrokerUser,
    lease: watch::Receiver<LeaseState>,
}

impl Broker {
    /// Prepares connections; reads the authority's certificate.
    pub fn new(settings: BrokerSettings, user: LeasedBroker) -> Result<Self, BrokerError> {
        let setup = |reason: String| BrokerError::Setup { reason };
        let pem = std::fs::read(&settings.ca)
            .map_err(|error| setup(format!("{} cannot be read: {error}", settings.ca.display())))?;
        let authorities: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default();
        if authorities.is_empty() {
            return Err(setup(format!("{} holds no PEM certificate", settings.ca.display())));
        }
        // An empty store and not the machine's: only the named authority vouches for the broker.
        let mut config = RustlsConnectorConfig::default();
        config.add_parsable_certificates(authorities);
        let tls = config.connector_with_no_client_auth().map_err(|error| setup(error.to_string()))?;
        Ok(Self { settings: Arc::new(settings), tls, user, is_away: Arc::default() })
    }

    /// Where the lease of its user stands.
    pub fn lease(&self) -> watch::Receiver<LeaseState> {
        self.user.state()
    }

    /// Whether the last attempt to connect failed, or the broker blocks who publishes. Whoever loses a connection makes
    /// another at once, so this is news.
    pub fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    /// Connects as the present user.
    pub async fn connect(&self) -> Result<Session, BrokerError> {
        // Subscribed before the user is read, so that no successor in between is missed.
        let lease = self.user.state();
        let user = self.user.current();
        let result = self.open(&user).await;
        self.is_away.store(result.is_err(), Ordering::Relaxed);
        if result.as_ref().is_err_and(BrokerError::is_access_refused) {
            self.user.doubt(&user);
        }
        let (connection, channel) = result?;
        Ok(Session { connection, channel, is_away: Arc::clone(&self.is_away), user, lease })
    }

    async fn open(&self, user: &BrokerUser) -> Result<(Connection, Channel), BrokerError> {
        let runtime = runtime::default_runtime().map_err(BrokerError::failed("start"))?;
        let (tls, host) = (self.tls.clone(), self.settings.host.clone());
        let name = format!("vintem-{}", self.user.role().as_str());
        let properties =
            ConnectionProperties::default().with_connection_name(name.into()).with_auth_provider(Plain(user.clone()));
        let dial = async move |uri: AMQPUri, runtime| {
            let addresses: Vec<_> = tokio::net::lookup_host((host.as_str(), uri.authority.port)).await?.collect();
            let stream = AsyncTcpStream::connect(&runtime, addresses).await?;
            Ok(stream.into_rustls(&tls, &host).await?)
        };
        let connecting = Connection::connector(self.uri(user), runtime, dial, properties);
        let connection = within(CONNECT_PATIENCE, "let us in", connecting).await?;
        let channel = within(CONNECT_PATIENCE, "open a channel", connection.create_channel()).await?;
        Ok((connection, channel))
    }

    /// Without the password, which [`Plain`] gives: this is printed in traces.
    fn uri(&self, user: &BrokerUser) -> AMQPUri {
        AMQPUri {
            scheme: AMQPScheme::AMQPS,
            authority: AMQPAuthority {
                userinfo: AMQPUserInfo { username: user.name.clone(), password: String::new() },
                host: self.settings.host.clone(),
                port: self.settings.port,
            },
            vhost: self.settings.virtual_host.clone(),
            query: AMQPQueryString { heartbeat: Some(HEARTBEAT_S), ..AMQPQueryString::default() },
        }
    }
}

impl Session {
    /// Whether the user of this session is still the present one. A session whose user has a successor is given up
    /// within seconds: then the user is dropped.
    pub fn is_current(&self) -> bool {
        self.lease.borrow().generation == self.user.generation
    }

    /// Waits until it is not.
    pub async fn outlived(&self) {
        let mut lease = self.lease.clone();
        // A lease that nobody keeps any more ends with the process.
        let _ = lease.wait_for(|state| state.generation != self.user.generation).await;
    }

    /// Says goodbye. A session that is dropped closes, too.
    pub async fn close(self) {
        const PATIENCE: Duration = Duration::from_secs(2);
        let _ = tokio::time::timeout(PATIENCE, self.connection.close(200, "OK".into())).await;
    }
}

/// The user's name and password, given when the broker asks.
struct Plain(BrokerUser);

impl AuthProvider for Plain {
    fn mechanism(&self) -> ShortString {
        "PLAIN".into()
    }

    fn auth_starter(&self) -> Result<LongString, String> {
        Ok(format!("\0{}\0{}", self.0.name, self.0.password.expose_secret()).into())
    }
}
