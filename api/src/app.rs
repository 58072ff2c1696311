//! What every request handler may use.

use crate::cursor::Cursors;
use crate::ledger::events::places::Places;
use crate::limits::Limits;
use crate::operations::health::Health;
use crate::problem::{Code, Problem};
use crate::tls::Judge;
use actix_web::{HttpRequest, web};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::watch;
use vintem_core::access::staff::Staff;
use vintem_core::access::{AccessService, SigningKeys, TokenVerifier};
use vintem_core::aliases::Aliases;
use vintem_core::citizens::Citizens;
use vintem_core::holders::Holders;
use vintem_core::ledger::service::Ledger;
use vintem_core::messages::Messenger;
use vintem_core::payments::Payments;
use vintem_core::payments::charges::Charges;
use vintem_core::projections::views::Views;
use vintem_core::receipts::Receipts;
use vintem_core::secrets::Followed;
use vintem_core::settlement::Services;
use vintem_core::telemetry::Metrics;
use vintem_core::terminals::Terminals;
use vintem_core::webhooks::Webhooks;

/// The parts of a running server. Built once, by `startup` or by a test.
pub struct App {
    /// The ledger.
    pub ledger: Ledger,
    /// The people behind it.
    pub holders: Holders,
    /// Those of them who pay by telephone.
    pub citizens: Citizens,
    /// The devices that take payments.
    pub terminals: Terminals,
    /// The judge of certificates that the door was shown. Without a door none is believed.
    pub judge: Option<Judge>,
    /// The keys by which they are paid.
    pub aliases: Aliases,
    /// What people do with money.
    pub payments: Payments,
    /// What terminals ask of them.
    pub charges: Charges,
    /// Who is paid at terminals, and for what.
    pub services: Services,
    /// What is shown of it to others.
    pub receipts: Receipts,
    /// Views of its log.
    pub views: Views,
    /// Where tenants want to be told.
    pub webhooks: Webhooks,
    /// How people are told something.
    pub messages: Messenger,
    /// Logins and tenants.
    pub access: AccessService,
    /// Members of the staff and their sessions.
    pub staff: Staff,
    /// Tokens.
    pub verifier: TokenVerifier,
    /// The keys of tokens, whose public halves are published.
    pub keys: Followed<SigningKeys>,
    /// Cursors of lists.
    pub cursors: Cursors,
    /// How often callers may ask.
    pub limits: Limits,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whether the process can serve.
    pub health: Health,
    /// Places for open event streams.
    pub streams: Arc<Places>,
    /// Turns true when the process is about to end.
    pub ending: watch::Receiver<bool>,
    /// Where bulk work runs, beside the threads that serve requests.
    pub bulk: Handle,
}

impl App {
    /// The one that serves a request.
    pub fn of(request: &HttpRequest) -> Result<web::Data<Self>, Problem> {
        let app = request.app_data::<web::Data<Self>>().cloned();
        app.ok_or_else(|| Problem::new(Code::InternalError, "the server is not assembled"))
    }

    /// Places for event streams.
    pub fn stream_places() -> Arc<Places> {
        Arc::default()
    }
}
