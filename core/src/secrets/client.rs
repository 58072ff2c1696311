//! The connection to Vault: time-outs, bounded retries, and the token of the moment.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustify::Endpoint;
use rustify::clients::reqwest::Client as Rest;
use rustify_derive::Endpoint;
use secrecy::ExposeSecret;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use vaultrs::api::EndpointMiddleware;
use vaultrs::client::{Client as _, VaultClient, VaultClientSettingsBuilder};
use vaultrs::error::ClientError;

use super::breaker::{Breaker, Outage};
use super::error::SecretsError;
use super::login::{self, LoginMethod, Proof, WrappingToken, read_wrapping_token};
use super::random::Backoff;
use super::settings::VaultSettings;
use super::token::{self, Token};
use crate::telemetry::VaultMetrics;

/// A call that takes longer than this has failed: a request behind it is waiting.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 3;
/// How long a start waits for Vault to be reachable and unsealed before the process gives up.
const START_PATIENCE: Duration = Duration::from_mins(1);

const HEALTH: &str = "sys/health";

/// A logged-in session with Vault, kept alive by a task of its own. Cheap to clone.
#[derive(Clone)]
pub struct Vault(Arc<Inner>);

pub(super) struct Inner {
    http: reqwest::Client,
    settings: VaultSettings,
    proof: Proof,
    client: ArcSwap<VaultClient>,
    token: watch::Sender<Token>,
    /// Sent to whoever keeps a leased user.
    rotations: watch::Sender<()>,
    breaker: Mutex<Breaker>,
    metrics: VaultMetrics,
    /// Rung when Vault answers 403: perhaps our token is no more.
    pub(super) suspicion: Notify,
}

/// What Vault says of itself, by status code alone.
///
/// The typed health call of `vaultrs` needs a member that OpenBao no longer sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VaultHealth {
    /// Unsealed, active or a standby that forwards.
    Ready,
    /// Sealed, or not yet initialised.
    Sealed,
    /// No answer.
    Unreachable,
}

impl VaultHealth {
    fn of(error: &SecretsError) -> Self {
        if error.outage() == Some(Outage::Unreachable) { Self::Unreachable } else { Self::Sealed }
    }

    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ok",
            Self::Sealed => "sealed",
            Self::Unreachable => "unavailable",
        }
    }
}

impl Vault {
    /// Logs in as the settings say; a wrapping token is read from standard input.
    pub async fn connect(settings: VaultSettings) -> Result<Self, SecretsError> {
        if matches!(settings.login, LoginMethod::AppRole { .. }) {
            let wrapping = tokio::task::spawn_blocking(read_wrapping_token).await;
            let died = |_| SecretsError::WrappingTokenMissing { reason: "whoever read it has died" };
            return Self::login(settings, wrapping.map_err(died)??).await;
        }
        Self::begin(settings, None).await
    }

    /// Unwraps the secret id, logs in and starts to keep the token.
    pub async fn login(settings: VaultSettings, wrapping: WrappingToken) -> Result<Self, SecretsError> {
        Self::begin(settings, Some(wrapping)).await
    }

    /// Waits up to a minute for a Vault that is away or sealed, then fails: a process without
    /// secrets must not look alive.
    async fn begin(settings: VaultSettings, wrapping: Option<WrappingToken>) -> Result<Self, SecretsError> {
        let http = transport(&settings)?;
        let anonymous = client(&http, &settings.address, "")?;
        wait_until_ready(&anonymous).await?;
        let proof = login::proof(&http, &settings, wrapping).await?;
        let (bearer, token) = login::login(&anonymous, &settings.role, &proof).await?;
        let inner = Arc::new(Inner {
            client: ArcSwap::from_pointee(client(&http, &settings.address, bearer.expose_secret())?),
            http,
            settings,
            proof,
            token: watch::Sender::new(token),
            rotations: watch::Sender::new(()),
            breaker: Mutex::default(),
            metrics: VaultMetrics::new(),
            suspicion: Notify::new(),
        });
        tokio::spawn(token::keep(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// Whether Vault can serve now. Asks Vault, unless it is known not to; callers that are asked often keep the
    /// answer a moment.
    pub async fn health(&self) -> VaultHealth {
        let inner = &self.0;
        match inner.made(HEALTH, async { health(&inner.client.load_full()).await }).await {
            Ok(()) => VaultHealth::Ready,
            Err(error) => VaultHealth::of(&error),
        }
    }

    /// What was called, how it went and how long it took, in Prometheus's text form.
    pub fn metrics(&self) -> String {
        self.0.metrics.encode()
    }

    /// Notes when the certificate of a service ends, for who watches that it is renewed in time.
    pub(super) fn certificate_ends(&self, service: &str, seconds: i64) {
        self.0.metrics.certificate_ends(service, seconds);
    }

    /// Replaces every leased user and certificate, in peace.
    pub fn rotate_users(&self) {
        self.0.rotations.send_replace(());
    }

    /// How long the token still lives, when the last renewal went well or not.
    pub fn token_remaining(&self) -> Duration {
        self.0.token.borrow().expires_at.saturating_duration_since(Instant::now())
    }

    /// Ends the session; Vault then revokes every lease of it, so the leased database users go too.
    ///
    /// Close what uses leased users first. Without this call the leases end by themselves.
    pub async fn logout(&self) {
        let revocation = |client: Arc<VaultClient>| async move { vaultrs::token::revoke_self(&*client).await };
        if let Err(error) = self.0.once("auth/token/revoke-self", revocation).await {
            tracing::warn!(%error, "the Vault token was not revoked; it ends with its TTL");
        }
    }

    /// Rings at each new login: a lease belongs to the token it was read with and ends with it.
    pub(super) fn logins(&self) -> watch::Receiver<Token> {
        self.0.token.subscribe()
    }

    /// Rings when every leased user and certificate is to be replaced.
    pub(super) fn rotations(&self) -> watch::Receiver<()> {
        self.0.rotations.subscribe()
    }

    /// A mount of this system.
    pub(super) fn mount(&self, name: &str) -> String {
        format!("{}{name}", self.0.settings.mount_prefix)
    }

    /// Runs a call that may be repeated: up to three times when Vault is busy, away or sealed.
    pub(super) async fn call<T, F>(
        &self,
        name: &'static str,
        call: impl Fn(Arc<VaultClient>) -> F,
    ) -> Result<T, SecretsError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        retrying(|| self.0.once(name, &call), || !self.0.breaker().is_open()).await
    }

    /// Runs a call that must not be repeated.
    pub(super) async fn once<T, F>(
        &self,
        name: &'static str,
        call: impl FnOnce(Arc<VaultClient>) -> F,
    ) -> Result<T, SecretsError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        self.0.once(name, call).await
    }
}

impl Inner {
    /// Runs a call once.
    pub(super) async fn once<T, F>(
        &self,
        name: &'static str,
        call: impl FnOnce(Arc<VaultClient>) -> F,
    ) -> Result<T, SecretsError>
    where
        F: Future<Output = Result<T, ClientError>>,
    {
        let client = self.client.load_full();
        let result = self
            .made(name, async { call(client).await.map_err(|error| SecretsError::from_client(name, &error)) })
            .await;
        if matches!(result, Err(SecretsError::Forbidden { .. })) {
            self.suspicion.notify_one();
        }
        result
    }

    /// Makes a call unless the ones before it were in vain, and notes how it went.
    async fn made<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, SecretsError>>,
    ) -> Result<T, SecretsError> {
        let began = Instant::now();
        let admitted = self.breaker().admit(began);
        if let Err(outage) = admitted {
            self.metrics.spared(name);
            return Err(SecretsError::spared(name, outage));
        }
        let result = call.await;
        let outcome = result.as_ref().err().map_or("ok", SecretsError::outcome);
        self.metrics.made(name, outcome, began.elapsed());
        let mut breaker = self.breaker();
        match result.as_ref().err().and_then(SecretsError::outage) {
            Some(outage) => breaker.failed(Instant::now(), outage),
            None => breaker.served(),
        }
        self.metrics.serves(!breaker.is_open());
        drop(breaker);
        result
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        // Its state is whole between any two statements.
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs in once more and lets every later call use the new token.
    pub(super) async fn login_again(&self) -> Result<(), SecretsError> {
        let anonymous = client(&self.http, &self.settings.address, "")?;
        let (bearer, token) = login::login(&anonymous, &self.settings.role, &self.proof).await?;
        self.client.store(Arc::new(client(&self.http, &self.settings.address, bearer.expose_secret())?));
        self.token.send_replace(token);
        Ok(())
    }

    pub(super) fn token(&self) -> Token {
        *self.token.borrow()
    }

    /// Notes a renewal; the login is the same, so no lease is affected.
    pub(super) fn renewed(&self, expires_at: Instant) {
        self.token.send_if_modified(|token| {
            token.expires_at = expires_at;
            false
        });
    }
}

/// The secrets stay out of every log that prints its values.
impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("address", &self.0.settings.address).finish_non_exhaustive()
    }
}

/// Our own transport below `vaultrs`: it trusts only the named authority, follows no redirect
/// (the token would travel along) and takes no proxy from the environment.
pub(super) fn transport(settings: &VaultSettings) -> Result<reqwest::Client, SecretsError> {
    let setup = |reason: String| SecretsError::Setup { reason };
    let pem = std::fs::read(&settings.ca)
        .map_err(|error| setup(format!("{} cannot be read: {error}", settings.ca.display())))?;
    let authorities = reqwest::Certificate::from_pem_bundle(&pem)
        .ok()
        .filter(|authorities| !authorities.is_empty())
        .ok_or_else(|| setup(format!("{} holds no PEM certificate", settings.ca.display())))?;
    reqwest::Client::builder()
        .tls_certs_only(authorities)
        .https_only(true)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(CALL_TIMEOUT)
        .build()
        .map_err(|_| setup("the TLS client cannot be built".to_owned()))
}

/// A `vaultrs` client with this token. Every field is set, because those left out are read from
/// `VAULT_*` variables, among them one that turns verification off.
pub(super) fn client(http: &reqwest::Client, address: &str, token: &str) -> Result<VaultClient, SecretsError> {
    let settings = VaultClientSettingsBuilder::default()
        .address(address)
        .ca_certs(Vec::new())
        .identity(None)
        .timeout(Some(CALL_TIMEOUT))
        .token(token)
        .verify(true)
        .namespace(None)
        .build()
        .map_err(|_| SecretsError::Setup { reason: format!("{address} is not an https address") })?;
    let middle =
        EndpointMiddleware { token: settings.token.clone(), version: "v1".to_owned(), wrap: None, namespace: None };
    Ok(VaultClient { http: Rest::new(settings.address.as_str(), http.clone()), middle, settings })
}

/// Repeats while the error is transient and there is hope, three times at most.
pub(super) async fn retrying<T, F>(attempt: impl Fn() -> F, is_hopeful: impl Fn() -> bool) -> Result<T, SecretsError>
where
    F: Future<Output = Result<T, SecretsError>>,
{
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(400));
    for _ in 1..ATTEMPTS {
        match attempt().await {
            Err(error) if error.is_transient() && is_hopeful() => tokio::time::sleep(backoff.next()).await,
            result => return result,
        }
    }
    attempt().await
}

/// `GET sys/health`, with a standby that forwards counted as healthy.
#[derive(Endpoint)]
#[endpoint(path = "sys/health", method = "GET")]
struct ReadHealth {
    #[endpoint(query)]
    standbyok: bool,
    #[endpoint(query)]
    perfstandbyok: bool,
}

async fn health(client: &VaultClient) -> Result<(), SecretsError> {
    let probe = ReadHealth { standbyok: true, perfstandbyok: true };
    let answer = probe.with_middleware(client.middle()).exec(client.http()).await;
    match answer.map_err(|error| SecretsError::from_client(HEALTH, &ClientError::from(error))) {
        Ok(_) => Ok(()),
        Err(error @ SecretsError::Unreachable { .. }) => Err(error),
        // Sealed, not initialised, or unable to say: whatever it is, it does not serve.
        Err(_) => Err(SecretsError::Sealed { call: HEALTH }),
    }
}

async fn wait_until_ready(client: &VaultClient) -> Result<(), SecretsError> {
    let started = Instant::now();
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    loop {
        let Err(error) = health(client).await else { return Ok(()) };
        if started.elapsed() > START_PATIENCE {
            return Err(error);
        }
        let wait = backoff.next();
        tracing::warn!(%error, wait_ms = wait.as_millis(), "waiting for Vault");
        tokio::time::sleep(wait).await;
    }
}
