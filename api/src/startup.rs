//! From a line on standard input to a server that answers, and back to nothing.
//!
//! Start fails closed: without settings, secrets, database users or keys there is no process. The
//! parts are put together by functions that a test calls with connections of its own.

use crate::app::App;
use crate::cursor::{BadCursorKey, CursorKeys, Cursors};
use crate::limits::Limits as RequestLimits;
use crate::observe::observe;
use crate::open;
use crate::operations::health::Health;
use crate::operations::{live, metrics, ready};
use crate::problem::Problem;
use crate::routes;
use crate::tls::{self, TlsError};
use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App as Web, HttpServer, web};
use std::collections::HashMap;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use vintem_core::access::staff::{Knows, Staff};
use vintem_core::access::{AccessService, KeyError, Revocations, SigningKeys, TokenVerifier};
use vintem_core::aliases::Aliases;
use vintem_core::citizens::{self, Citizens};
use vintem_core::event_store::{Credentials, Limits, Shard};
use vintem_core::holders::{Holders, Personal};
use vintem_core::ledger::error::LedgerError;
use vintem_core::ledger::service::Ledger;
use vintem_core::look_ups::AllLookUps;
use vintem_core::messages::{Login, Messenger, SetupError, Smtp};
use vintem_core::payments::Payments;
use vintem_core::payments::charges::Charges;
use vintem_core::payments::funding::Funding;
use vintem_core::projections::views::Views;
use vintem_core::receipts::{Receipts, Signer};
use vintem_core::secrets::people::PersonKeys;
use vintem_core::secrets::{
    BlindIndex, DatabaseRole, FOLLOW_EVERY, Followed, KeyRing, LeaseState, LeasedDatabase, MailSettings,
    ProcessSettings, RequestDigest, SecretsError, ServerSettings, SettingsError, Vault, keep_memory_private,
    rotate_on_hangup,
};
use vintem_core::settlement::Services;
use vintem_core::telemetry::{self, Metrics, TelemetryError, clock};
use vintem_core::terminals::{self, Terminals};
use vintem_core::webhooks::signature::PublicKeys;
use vintem_core::webhooks::{Egress, Webhooks};

/// Connections for reads.
const READERS: u32 = 16;
/// Shard writers have connections of their own; this one only shows that the leased user is let in.
const WRITER_CONNECTIONS: u32 = 1;
/// Connections for writes beside the ledger.
const EDITORS: u32 = 4;
/// Connections to the database of people's keys.
const KEEPERS: u32 = 4;
/// Identities of accounts kept in memory.
const KNOWN_ACCOUNTS: u64 = 500_000;
/// How long requests in progress may take once the process is asked to end.
const GRACE_S: u64 = 30;
/// How long connections may take to close after that.
const CLOSING: Duration = Duration::from_secs(5);

/// Why the process does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The environment.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A build that believes callers, or a process that is told to be one.
    #[error("VINTEM_OPEN_FOR_BENCHMARKS=yes and a build that believes callers go together, and never in production")]
    Open,
    /// Logs and spans.
    #[error("telemetry cannot start")]
    Telemetry(#[from] TelemetryError),
    /// Vault, or a database user that it leased.
    #[error("the process has no secrets")]
    Secrets(#[from] SecretsError),
    /// The keys that sign tokens.
    #[error("the signing keys in Vault cannot be used")]
    Keys(#[from] KeyError),
    /// The keys that sign cursors.
    #[error(transparent)]
    Cursors(#[from] BadCursorKey),
    /// The way of messages.
    #[error("no message can be sent")]
    Messages(#[from] SetupError),
    /// The shards.
    #[error("the shards cannot be read from the database")]
    Ledger(#[from] LedgerError),
    /// Certificates.
    #[error("the server cannot speak TLS")]
    Tls(#[from] TlsError),
    /// An address.
    #[error("{address} cannot be listened on")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The system.
    #[error("the server stopped")]
    Io(#[from] std::io::Error),
}

/// An error and its causes in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The whole life of the process.
pub fn run() -> Result<(), StartError> {
    keep_memory_private()?;
    let settings = ServerSettings::from_env()?;
    if settings.is_open != open::IS_OPEN {
        return Err(StartError::Open);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings))
}

async fn serve(settings: ServerSettings) -> Result<(), StartError> {
    let _telemetry = telemetry::init(&settings.process.telemetry, "vintem-api")?;
    // Listening first: an address that is taken is found before a secret is spent.
    let (listener, metrics_listener) = (listen(settings.listen)?, listen(settings.metrics_listen)?);
    let vault = Vault::connect(settings.process.vault.clone()).await?;
    rotate_on_hangup(&vault)?;
    let leases = Leases::take(&vault, &settings.process).await?;
    let Leases { reader, writer, editor, keeper } = &leases;
    let current = writer.clone();
    let shards =
        start_shards(Ledger::shards(reader.pool()).await?, &(Arc::new(move || current.current()) as Credentials));
    let keys = Keys::follow(&vault).await?;
    let revocations = Arc::<Revocations>::default();
    tokio::spawn(Arc::clone(&revocations).follow(reader.pool().clone()));
    let access = AccessService::new(reader.pool().clone(), keys.tokens.clone(), settings.issuer.clone());
    // Before the first request, because whoever has not heard of a suspension would let it pass.
    access.admission().refresh(reader.pool()).await.map_err(LedgerError::from)?;
    tokio::spawn(Arc::clone(access.admission()).follow(reader.pool().clone()));
    let (end, ending) = watch::channel(false);
    let metrics = Arc::new(Metrics::new());
    let ledger = Ledger::new(reader.pool().clone(), shards.clone(), KNOWN_ACCOUNTS);
    let signer = Signer::follow(&vault).await?;
    let messages = messenger(&vault, settings.mail.as_ref()).await?;
    let people = People::new(&leases, &ledger, &shards, &personal(&vault, keeper).await?, &messages, &vault);
    let (transport, judge) = tls::for_transport(&vault, settings.transport).await?;
    let app = web::Data::new(App {
        receipts: Receipts::new(editor.pool().clone(), ledger.clone(), Some(signer), settings.issuer.clone()),
        staff: people.staff,
        charges: Charges::new(people.payments.clone(), Arc::new(clock::now)),
        payments: people.payments.funded_by(funding(settings.is_funding_simulated)),
        services: Services::new(reader.pool().clone(), ledger.clone()),
        aliases: people.aliases,
        citizens: people.citizens,
        terminals: people.terminals,
        judge,
        holders: people.holders,
        ledger,
        views: Views::new(reader.pool().clone()),
        webhooks: Webhooks::new(
            reader.pool().clone(),
            editor.pool().clone(),
            Some(vault.clone()),
            Egress::allowing(settings.webhook_networks.clone()),
            keys.webhooks,
        ),
        messages: messages.clone(),
        access,
        verifier: TokenVerifier::new(keys.tokens.clone(), &settings.issuer, revocations).proving_since(clock::now()),
        keys: keys.tokens,
        cursors: Cursors::new(keys.cursors),
        limits: RequestLimits::new(settings.rates.clone(), Arc::clone(&metrics)),
        metrics,
        health: Health::new(vault.clone(), leases.states()),
        streams: App::stream_places(),
        ending,
        bulk: Handle::current(),
    });
    let server = public_server(app.clone(), listener, transport)?;
    let metrics_server = metrics_server(app, metrics_listener)?;
    tracing::info!(listen = %settings.listen, metrics = %settings.metrics_listen, "the server answers");
    let ended = until_asked_to_end(server, metrics_server, end).await;
    messages.finish(CLOSING).await;
    leases.give_back().await;
    vault.logout().await;
    tracing::info!("the server has ended");
    Ok(ended?)
}

/// The process's users of Postgres, each with the connections that it may need.
struct Leases {
    reader: LeasedDatabase,
    writer: LeasedDatabase,
    editor: LeasedDatabase,
    keeper: LeasedDatabase,
}

impl Leases {
    async fn take(vault: &Vault, settings: &ProcessSettings) -> Result<Self, SecretsError> {
        let (ledger, keys) = (&settings.database, &settings.keys);
        Ok(Self {
            reader: LeasedDatabase::connect(vault, ledger, DatabaseRole::Reader, READERS).await?,
            writer: LeasedDatabase::connect(vault, ledger, DatabaseRole::Writer, WRITER_CONNECTIONS).await?,
            editor: LeasedDatabase::connect(vault, ledger, DatabaseRole::Editor, EDITORS).await?,
            keeper: LeasedDatabase::connect(vault, keys, DatabaseRole::Keeper, KEEPERS).await?,
        })
    }

    /// By the names that `/readyz` knows them under.
    fn states(&self) -> Vec<(&'static str, watch::Receiver<LeaseState>)> {
        let Self { reader, writer, editor, keeper } = self;
        vec![
            ("reader", reader.state()),
            ("writer", writer.state()),
            ("editor", editor.state()),
            ("keeper", keeper.state()),
        ]
    }

    /// A connection that does not close in time ends with its lease.
    async fn give_back(&self) {
        let Self { reader, writer, editor, keeper } = self;
        let _ =
            timeout(CLOSING, async { tokio::join!(reader.close(), writer.close(), editor.close(), keeper.close()) })
                .await;
    }
}

/// What people and their devices do and are, over what is known of them.
struct People {
    holders: Holders,
    staff: Staff,
    citizens: Citizens,
    aliases: Aliases,
    payments: Payments,
    terminals: Terminals,
}

impl People {
    fn new(
        leases: &Leases,
        ledger: &Ledger,
        shards: &HashMap<i16, Shard>,
        personal: &Personal,
        messages: &Messenger,
        vault: &Vault,
    ) -> Self {
        let reader = leases.reader.pool();
        let pools = || (reader.clone(), leases.editor.pool().clone());
        let knows = Knows::of(&personal.keys, &personal.requests);
        let of_citizens = citizens::Knows::of(personal);
        let holders = Holders::new(reader.clone(), shards.clone(), Some(personal.clone()));
        let now = || Arc::new(clock::now);
        let of_terminals = terminals::Knows { pepper: personal.requests.pepper(), vault: vault.clone() };
        Self {
            staff: Staff::new(pools(), shards.clone(), Some(knows), now()),
            citizens: Citizens::new(
                pools(),
                ledger.clone(),
                holders.clone(),
                Some(of_citizens),
                messages.clone(),
                now(),
            ),
            aliases: Aliases::new(reader.clone(), ledger.clone(), holders.clone(), Some(personal)),
            payments: Payments::new(reader.clone(), ledger.clone(), holders.clone()),
            terminals: Terminals::new(pools(), ledger.clone(), Some(of_terminals), now()),
            holders,
        }
    }
}

/// What people's data is sealed, found and recognised with.
async fn personal(vault: &Vault, keeper: &LeasedDatabase) -> Result<Personal, SecretsError> {
    Ok(Personal {
        keys: PersonKeys::new(vault.clone(), keeper.pool().clone()),
        index: BlindIndex::follow(vault, FOLLOW_EVERY).await?,
        requests: RequestDigest::read(vault).await?,
    })
}

/// How money comes in and goes out.
fn funding(is_simulated: bool) -> Funding {
    if !is_simulated {
        return Funding::Sandboxes;
    }
    tracing::warn!("money comes in and goes out by play (VINTEM_FUNDING), for everybody here");
    Funding::Simulated
}

/// How people are told something: by a mail server, or not at all.
async fn messenger(vault: &Vault, settings: Option<&MailSettings>) -> Result<Messenger, StartError> {
    let Some(settings) = settings else { return Ok(Messenger::nowhere()) };
    let login = Login::follow(vault).await?;
    Ok(Messenger::new(Arc::new(Smtp::try_new(settings, login)?)))
}

/// The keys that Vault keeps for this process, as new as Vault has them.
struct Keys {
    tokens: Followed<SigningKeys>,
    webhooks: Followed<PublicKeys>,
    cursors: Followed<CursorKeys>,
}

impl Keys {
    async fn follow(vault: &Vault) -> Result<Self, StartError> {
        let tokens = |ring: KeyRing| SigningKeys::try_new(&ring).map_err(StartError::from);
        let cursors = |ring: KeyRing| CursorKeys::try_new(&ring).map_err(StartError::from);
        Ok(Self {
            tokens: Followed::follow(vault, "token-signing", FOLLOW_EVERY, tokens).await?,
            webhooks: Followed::follow(vault, "webhook-public", FOLLOW_EVERY, Ok::<PublicKeys, StartError>).await?,
            cursors: Followed::follow(vault, "cursor", FOLLOW_EVERY, cursors).await?,
        })
    }
}

/// The parts as the servers share them.
pub fn shared(app: App) -> web::Data<App> {
    web::Data::new(app)
}

/// Binds an address.
pub fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|source| StartError::Listen { address, source })
}

/// Starts one writer per shard.
pub fn start_shards(numbers: Vec<i16>, credentials: &Credentials) -> HashMap<i16, Shard> {
    let start = |number| (number, Shard::start(number, credentials.clone(), Arc::new(AllLookUps), Limits::default()));
    numbers.into_iter().map(start).collect()
}

/// The public server. Requests in progress are finished when it is stopped. Without `tls` it is one for tests.
pub fn public_server(
    app: web::Data<App>,
    listener: TcpListener,
    tls: Option<rustls::ServerConfig>,
) -> std::io::Result<Server> {
    let build = move || Web::new().app_data(app.clone()).wrap(from_fn(observe)).configure(routes::configure);
    let server = HttpServer::new(build)
        .client_request_timeout(Duration::from_secs(10))
        .keep_alive(Duration::from_secs(75))
        .shutdown_timeout(GRACE_S)
        .disable_signals();
    let server = match tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls)?,
        None => server.listen(listener)?,
    };
    Ok(server.run())
}

/// The private server of metrics, and of what asks whether we live: that has no certificate to show.
pub fn metrics_server(app: web::Data<App>, listener: TcpListener) -> std::io::Result<Server> {
    let nothing_else = || async { Err::<&str, Problem>(Problem::not_found()) };
    let build = move || {
        Web::new()
            .app_data(app.clone())
            .route("/metrics", web::get().to(metrics::show))
            .route("/livez", web::get().to(live::show))
            .route("/readyz", web::get().to(ready::show))
            .default_service(web::to(nothing_else))
    };
    Ok(HttpServer::new(build).workers(1).disable_signals().listen(listener)?.run())
}

async fn until_asked_to_end(server: Server, metrics_server: Server, end: watch::Sender<bool>) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (handle, metrics_handle) = (server.handle(), metrics_server.handle());
    let mut running = tokio::spawn(server);
    let metrics_running = tokio::spawn(metrics_server);
    let stopped = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        stopped = &mut running => Some(stopped),
    };
    tracing::info!("the process is about to end");
    // Event streams would otherwise hold up the end for as long as requests may take.
    end.send_replace(true);
    handle.stop(true).await;
    metrics_handle.stop(false).await;
    let stopped = match stopped {
        Some(stopped) => stopped,
        None => running.await,
    };
    let metrics_stopped = metrics_running.await.unwrap_or(Ok(()));
    stopped.unwrap_or(Ok(())).and(metrics_stopped)
}
