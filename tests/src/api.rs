//! The product's HTTP server over a test's store, and a caller that speaks to it.

use crate::mailbox::Mailbox;
use crate::store::Store;

pub use crate::client::{Client, Read, read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::LocalBoxFuture;

use secrecy::SecretString;
use serde_json::Value;
use sqlx::PgPool;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use vintem_api::app::App;
use vintem_api::cursor::{CursorKeys, Cursors};
use vintem_api::limits::Limits;
use vintem_api::operations::health::Health;
use vintem_api::startup;
use vintem_api::tls::Mutual;
use vintem_core::access::staff::{Knows, Staff};
use vintem_core::access::{
    AccessService, NewClient, Revocations, Scopes, SigningKeys, Terms, TokenVerifier, create_client, create_tenant,
    generate_signing_key, parse_time_zone,
};
use vintem_core::aliases::Aliases;
use vintem_core::citizens::{self, Citizens};
use vintem_core::holders::{Holders, Personal};
use vintem_core::kernel::Rate;
use vintem_core::ledger::service::Ledger;
use vintem_core::payments::Payments;
use vintem_core::payments::charges::Charges;
use vintem_core::projections::views::Views;
use vintem_core::receipts::{Receipts, Signer};
use vintem_core::secrets::{Followed, KeyRing, RateSettings, SecretsError, Vault, random};
use vintem_core::settlement::Services;
use vintem_core::telemetry::clock::Clock;
use vintem_core::telemetry::{Metrics, clock};
use vintem_core::terminals::{self, Terminals};
use vintem_core::webhooks::signature::PublicKeys;
use vintem_core::webhooks::{Egress, Webhooks};

/// What the servers of tests are called by those who reach them.
pub const ISSUER: &str = "https://vintem.test";

/// A server with a tenant and a client that may do everything.
pub struct Api {
    /// Its database.
    pub store: Store,
    /// The server.
    pub server: Server,
    /// The client.
    pub client: Client,
}

impl Api {
    /// Over a fresh database.
    pub async fn create() -> Self {
        let store = Store::create().await;
        let server = Server::start(&store).await;
        let client = server.client(&store, "coffee-town", "ledger:read ledger:write ledger:admin").await;
        Self { store, server, client }
    }

    /// A client of another tenant.
    pub async fn another(&self, tenant: &str, scopes: &str) -> Client {
        self.server.client(&self.store, tenant, scopes).await
    }

    /// An instant some days from now.
    pub fn in_days(&self, days: i64) -> String {
        (clock::now() + chrono::Duration::days(days)).to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
    }

    /// Ends it; the invariants hold at the end.
    pub async fn close(self) {
        self.server.stop().await;
        self.store.close().await;
    }
}

/// A running server. Its threads end with it.
pub struct Server {
    address: SocketAddr,
    keys: Keys,
    handle: Stop,
    /// Its ledger.
    pub ledger: Ledger,
    /// Its members of the staff.
    pub staff: Box<Staff>,
    /// Its citizens.
    pub citizens: Box<Citizens>,
    /// What its terminals ask for.
    pub charges: Box<Charges>,
    /// Who is paid at them.
    pub services: Box<Services>,
    /// Its terminals.
    pub terminals: Box<Terminals>,
    end: watch::Sender<bool>,
}

/// The keys that processes of one system share.
#[derive(Clone)]
pub struct Keys {
    /// Of tokens.
    pub tokens: Followed<SigningKeys>,
    /// Of cursors.
    pub cursors: Followed<CursorKeys>,
}

impl Keys {
    /// As a process follows them that looks several times a second.
    pub async fn follow(vault: &Vault) -> Self {
        let every = std::time::Duration::from_millis(400);
        let tokens = |ring: KeyRing| Ok::<_, SecretsError>(SigningKeys::try_new(&ring).unwrap());
        let cursors = |ring: KeyRing| Ok::<_, SecretsError>(CursorKeys::try_new(&ring).unwrap());
        Self {
            tokens: Followed::follow(vault, "token-signing", every, tokens).await.unwrap(),
            cursors: Followed::follow(vault, "cursor", every, cursors).await.unwrap(),
        }
    }

    /// Of a system of its own, for ever the same.
    fn fixed() -> Self {
        let tokens = KeyRing::new(generate_signing_key(), clock::now());
        let cursors = KeyRing::new(SecretString::from(STANDARD.encode(random::bytes::<32>())), clock::now());
        Self {
            tokens: Followed::fixed(SigningKeys::try_new(&tokens).unwrap()),
            cursors: Followed::fixed(CursorKeys::try_new(&cursors).unwrap()),
        }
    }
}

/// Asks the server to end and waits for it.
type Stop = Box<dyn FnOnce() -> LocalBoxFuture<'static, ()>>;

impl Server {
    /// Starts a server of its own keys on a store, without a Vault.
    pub async fn start(store: &Store) -> Self {
        Self::with_webhooks(store, without_vault(store)).await
    }

    /// The same with a way to make secrets of webhooks.
    pub async fn with_webhooks(store: &Store, webhooks: Webhooks) -> Self {
        Self::start_with(store, Keys::fixed(), webhooks, None, unhurried()).await
    }

    /// A server whose keys change.
    pub async fn with_keys(store: &Store, keys: Keys) -> Self {
        Self::start_with(store, keys, without_vault(store), None, unhurried()).await
    }

    /// One more process of the same system.
    pub async fn beside(&self, store: &Store) -> Self {
        Self::start_with(store, self.keys.clone(), without_vault(store), None, unhurried()).await
    }

    /// The same with a way to keep people, and to make secrets of webhooks.
    pub async fn with_people(store: &Store, personal: Personal, vault: &Vault) -> Self {
        Self::whole(store, personal, vault, None).await
    }

    /// As the product runs: with people, receipts, and TLS if it is to stand behind the door.
    pub async fn whole(store: &Store, personal: Personal, vault: &Vault, tls: Option<Mutual>) -> Self {
        Box::pin(Self::start_over(
            store,
            Keys::fixed(),
            webhooks(store, Some(vault.clone())),
            Some((personal, Arc::new(clock::now))),
            unhurried(),
            tls,
            Some((Signer::follow(vault).await.unwrap(), vault.clone())),
        ))
        .await
    }

    /// A server that speaks TLS.
    pub async fn with_tls(store: &Store, tls: Mutual) -> Self {
        Box::pin(Self::start_over(store, Keys::fixed(), without_vault(store), None, unhurried(), Some(tls), None)).await
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// A server that lets callers ask only so often.
    pub async fn with_rates(store: &Store, rates: RateSettings) -> Self {
        Self::start_with(store, Keys::fixed(), without_vault(store), None, rates).await
    }

    /// The same with a clock that is the test's.
    pub async fn with_staff(
        store: &Store,
        personal: Personal,
        clock: Clock,
        vault: &Vault,
        tls: Option<Mutual>,
    ) -> Self {
        let (keys, people) = (Keys::fixed(), Some((personal, clock)));
        let sealed = Some((Signer::follow(vault).await.unwrap(), vault.clone()));
        Box::pin(Self::start_over(store, keys, without_vault(store), people, unhurried(), tls, sealed)).await
    }

    async fn start_with(
        store: &Store,
        keys: Keys,
        webhooks: Webhooks,
        personal: Option<(Personal, Clock)>,
        rates: RateSettings,
    ) -> Self {
        Box::pin(Self::start_over(store, keys, webhooks, personal, rates, None, None)).await
    }

    async fn start_over(
        store: &Store,
        keys: Keys,
        webhooks: Webhooks,
        personal: Option<(Personal, Clock)>,
        rates: RateSettings,
        tls: Option<Mutual>,
        sealed: Option<(Signer, Vault)>,
    ) -> Self {
        let (tls, judge) = tls.map(|Mutual { server, judge }| (server, judge)).unzip();
        let (signer, vault) = sealed.unzip();
        let metrics = Arc::new(Metrics::new());
        let reader = store.pool("vintem_reader");
        let shards = startup::start_shards(Ledger::shards(&reader).await.unwrap(), &store.writer());
        let (personal, clock): (_, Clock) =
            personal.map_or((None, Arc::new(clock::now)), |(personal, clock)| (Some(personal), clock));
        let charging = Arc::clone(&clock);
        let knows = personal.as_ref().map(|personal| Knows::of(&personal.keys, &personal.requests));
        let pools = || (reader.clone(), store.pool("vintem_editor"));
        let staff = Staff::new(pools(), shards.clone(), knows, Arc::clone(&clock));
        let of_citizens = personal.as_ref().map(citizens::Knows::of);
        let holders = Holders::new(reader.clone(), shards.clone(), personal.clone());
        let ledger = Ledger::new(reader.clone(), shards, 10_000);
        let aliases = Aliases::new(reader.clone(), ledger.clone(), holders.clone(), personal.as_ref());
        let messages = Mailbox::of_the_stack().messenger();
        let of_terminals = of_terminals(personal.as_ref(), vault);
        let terminals = Terminals::new(pools(), ledger.clone(), of_terminals, Arc::clone(&clock));
        let citizens = Citizens::new(pools(), ledger.clone(), holders.clone(), of_citizens, messages.clone(), clock);
        let payments = Payments::new(reader.clone(), ledger.clone(), holders.clone());
        let charges = Charges::new(payments.clone(), Arc::clone(&charging));
        let services = Services::new(reader.clone(), ledger.clone());
        let (end, ending) = watch::channel(false);
        let (access, revocations) = admitting(&reader, &keys).await;
        let app = startup::shared(App {
            ledger: ledger.clone(),
            holders,
            citizens: citizens.clone(),
            terminals: terminals.clone(),
            judge,
            aliases,
            payments,
            charges: charges.clone(),
            services: services.clone(),
            receipts: Receipts::new(store.pool("vintem_editor"), ledger.clone(), signer, ISSUER.to_owned()),
            staff: staff.clone(),
            views: Views::new(reader),
            webhooks,
            messages,
            access,
            verifier: TokenVerifier::new(keys.tokens.clone(), ISSUER, revocations),
            keys: keys.tokens.clone(),
            cursors: Cursors::new(keys.cursors.clone()),
            limits: Limits::new(rates, Arc::clone(&metrics)),
            metrics,
            health: Health::default(),
            streams: App::stream_places(),
            ending,
            bulk: Handle::current(),
        });
        let listener = startup::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let server = startup::public_server(app, listener, tls).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            address,
            keys,
            handle: Box::new(move || Box::pin(async move { handle.stop(false).await })),
            ledger,
            staff: Box::new(staff),
            citizens: Box::new(citizens),
            charges: Box::new(charges),
            services: Box::new(services),
            terminals: Box::new(terminals),
            end,
        }
    }

    /// The keys that it signs tokens with.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Makes a tenant and a client of it, and logs the client in.
    pub async fn client(&self, store: &Store, tenant: &str, scopes: &str) -> Client {
        let mut operator = store.session("vintem_operator").await;
        let writer = self.ledger.shard(0).unwrap();
        let zone = parse_time_zone("America/Sao_Paulo").unwrap();
        let tenant = create_tenant(&mut operator, writer, tenant.parse().unwrap(), 0, zone).await.unwrap().tenant;
        let (name, scopes) = ("till".parse().unwrap(), Scopes::parse(scopes).unwrap());
        let new = NewClient { tenant, name, scopes, terms: Terms::default() };
        let (client, secret) = create_client(&mut operator, writer, new).await.unwrap();
        let http = reqwest::Client::new();
        let form =
            format!("grant_type=client_credentials&client_id={}&client_secret={}", client.client, secret.reveal());
        let request =
            http.post(self.url("/v1/token")).header("Content-Type", "application/x-www-form-urlencoded").body(form);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        let token = answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned();
        Client {
            http,
            base: format!("http://{}", self.address),
            token,
            id: client.client,
            secret: secret.reveal().to_owned(),
        }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Ends the server.
    pub async fn stop(self) {
        self.end.send_replace(true);
        (self.handle)().await;
    }
}

/// Who knows tenants, and whom they let in no more, as new as the database has them.
async fn admitting(reader: &PgPool, keys: &Keys) -> (AccessService, Arc<Revocations>) {
    let revocations = Arc::<Revocations>::default();
    tokio::spawn(Arc::clone(&revocations).follow(reader.clone()));
    let access = AccessService::new(reader.clone(), keys.tokens.clone(), ISSUER.to_owned());
    access.admission().refresh(reader).await.unwrap();
    tokio::spawn(Arc::clone(access.admission()).follow(reader.clone()));
    (access, revocations)
}

/// What terminals have from Vault, where there is one.
fn of_terminals(personal: Option<&Personal>, vault: Option<Vault>) -> Option<terminals::Knows> {
    let pepper = personal.map(|personal| personal.requests.pepper());
    pepper.zip(vault).map(|(pepper, vault)| terminals::Knows { pepper, vault })
}

/// Rates that no test reaches.
fn unhurried() -> RateSettings {
    let rate: Rate = "1000000/1".parse().unwrap();
    RateSettings { principal: rate, device: rate, address: rate, exempt: Vec::new() }
}

/// Webhooks whose secrets cannot be made.
fn without_vault(store: &Store) -> Webhooks {
    webhooks(store, None)
}

fn webhooks(store: &Store, vault: Option<Vault>) -> Webhooks {
    let public = Followed::fixed(PublicKeys { keys: Vec::new() });
    Webhooks::new(store.pool("vintem_reader"), store.pool("vintem_editor"), vault, Egress::default(), public)
}
