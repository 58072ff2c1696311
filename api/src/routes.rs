//! The table of contents of the API: every route, who may use it, and how large a body may be.
//!
//! The table drives the server, the check of scopes, the OpenAPI document and the tests of
//! authorisation. A path that is not in it does not exist.

use crate::access::staff::{admin_sessions, invitations, own, sessions, units, users};
use crate::access::{audit, jwks, tenant, token};
use crate::account::{entries, events as own_events, notifications, own as own_account, stop};
use crate::aliases;
use crate::citizens::{contacts, devices, recoveries, registrations, secrets, sessions as citizen_sessions};
use crate::documents::{receipt, statement};
use crate::holders;
use crate::ledger::{
    accounts, assets, balances, batches, events, holds, requests, reversals, statements, transactions, trial_balance,
};
use crate::operations::{docs, live, openapi, ready};
use crate::payments::{charges, funding, issuances, limits, mandates, prices, transfers};
use crate::privacy::{erasures, exports};
use crate::problem::{Code, Problem};
use crate::settlement::{providers, services};
use crate::terminals::{
    batches as day_ends, certificates, charges as takings, config, enrolments, fleet, heartbeats, refunds,
    reversals as take_backs, shifts,
};
use crate::views::{activity, holds as hold_ageing, top_accounts, trial_balance as daily_balance, volume};
use crate::webhooks::{deliveries, endpoints};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig, delete, get, patch, post, put};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Route};
use vintem_core::access::Object::{
    Account, Asset, Audit, Event, Hold, Holder, Issuance, Price, Provider, Report, Service, Session, Terminal,
    Transaction, Unit, User, Webhook,
};
use vintem_core::access::Scope::{
    AuditRead, HoldersRead, HoldersUnmask, HoldersWrite, LedgerAdmin, LedgerRead, LedgerWrite, TerminalsAdmin,
};
use vintem_core::access::Verb::{Create, Delete, Edit, View};
use vintem_core::access::{Object, Policy, Right};

/// A row of the table.
pub struct Entry {
    /// Its method.
    pub method: Method,
    /// Its path, as a template.
    pub path: &'static str,
    /// Who may use it.
    pub policy: Policy,
    /// What its requests carry.
    pub body: Body,
    handler: fn() -> Route,
}

/// What a request carries, and how many bytes of it at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Nothing,
    /// What is to be changed, under an idempotency key.
    Write(usize),
    /// What is to be changed under the name that its path gives it, and so without a key.
    Named(usize),
    /// What is asked or proven, which must not stand in a URL. It goes without a key.
    Question(usize),
}

use Body::Nothing;
/// Ordinary writes.
const SMALL: Body = Body::Write(128 * 1024);
/// Batches.
const BULK: Body = Body::Write(8 * 1024 * 1024);
/// Writes that their paths name.
const NAMED: Body = Body::Named(8 * 1024);
/// Questions, logins among them.
const ASK: Body = Body::Question(8 * 1024);

const fn row(method: Method, path: &'static str, policy: Policy, body: Body, handler: fn() -> Route) -> Entry {
    Entry { method, path, policy, body, handler }
}

const fn view(object: Object) -> Policy {
    Policy::granted(LedgerRead, View, object)
}

// Money moves by clients, or by a proposal and an approval; no member of the staff posts alone.
const MOVE: Policy = Policy::client(LedgerWrite);
const OPEN: Policy = Policy::client(LedgerAdmin);
const FREEZE: Policy = Policy::granted(LedgerAdmin, Edit, Account).with(Right::Freeze);
const ENDPOINTS: Policy = Policy::granted(LedgerAdmin, Edit, Webhook);
const PEOPLE: Policy = Policy::granted(HoldersRead, View, Holder);
const UNMASK: Policy = Policy::granted(HoldersUnmask, View, Holder).with(Right::Unmask);
const AUDIT: Policy = Policy::granted(AuditRead, View, Audit);
const REGISTRY: Policy = Policy::client(HoldersWrite);
const RESET: Policy = Policy::granted(HoldersWrite, Edit, Holder);

const FLEET: Policy = Policy::granted(TerminalsAdmin, Edit, Terminal);
const FLEET_SEEN: Policy = Policy::granted(LedgerRead, View, Terminal);

const ISSUE: Policy = Policy::granted(LedgerWrite, Create, Issuance).with(Right::Issue);
const REDEEM: Policy = Policy::granted(LedgerWrite, Create, Issuance).with(Right::Redeem);

/// Every route.
pub static ROUTES: &[Entry] = &[
    row(Method::POST, "/v1/assets", OPEN, SMALL, || post().to(assets::register)),
    row(Method::GET, "/v1/assets", view(Asset), Nothing, || get().to(assets::list)),
    row(Method::GET, "/v1/assets/{code}", view(Asset), Nothing, || get().to(assets::show)),
    row(Method::POST, "/v1/accounts", OPEN, SMALL, || post().to(accounts::open)),
    row(Method::GET, "/v1/accounts", view(Account), Nothing, || get().to(accounts::list)),
    row(Method::GET, "/v1/accounts/{id}", view(Account), Nothing, || get().to(accounts::show)),
    row(Method::PATCH, "/v1/accounts/{id}", OPEN, SMALL, || patch().to(accounts::limit)),
    row(Method::POST, "/v1/accounts/{id}/freeze", FREEZE, SMALL, || post().to(accounts::freeze)),
    row(Method::POST, "/v1/accounts/{id}/unfreeze", FREEZE, SMALL, || post().to(accounts::unfreeze)),
    row(Method::POST, "/v1/accounts/{id}/close", OPEN, SMALL, || post().to(accounts::close)),
    row(Method::GET, "/v1/accounts/{id}/balance", view(Account), Nothing, || get().to(balances::show)),
    row(Method::GET, "/v1/accounts/{id}/entries", view(Account), Nothing, || get().to(statements::list)),
    row(Method::GET, "/v1/accounts/{id}/statement", view(Account), Nothing, || get().to(statement::download)),
    row(Method::POST, "/v1/transactions", MOVE, SMALL, || post().to(transactions::post)),
    row(Method::GET, "/v1/transactions", view(Transaction), Nothing, || get().to(transactions::list)),
    row(Method::GET, "/v1/transactions/{id}", view(Transaction), Nothing, || get().to(transactions::show)),
    row(Method::GET, "/v1/transactions/{id}/receipt", view(Transaction), Nothing, || get().to(receipt::show)),
    row(Method::GET, "/v1/receipts/{code}", Policy::Public, Nothing, || get().to(receipt::check)),
    row(Method::POST, "/v1/transactions/{id}/reversals", MOVE, SMALL, || post().to(reversals::reverse)),
    row(Method::POST, "/v1/batches", MOVE, BULK, || post().to(batches::post)),
    row(Method::POST, "/v1/holds", MOVE, SMALL, || post().to(holds::place::place)),
    row(Method::GET, "/v1/holds", view(Hold), Nothing, || get().to(holds::list::list)),
    row(Method::GET, "/v1/holds/{id}", view(Hold), Nothing, || get().to(holds::list::show)),
    row(Method::POST, "/v1/holds/{id}/captures", MOVE, SMALL, || post().to(holds::capture::capture)),
    row(Method::POST, "/v1/holds/{id}/release", MOVE, SMALL, || post().to(holds::change::release)),
    row(Method::POST, "/v1/holds/{id}/extend", MOVE, SMALL, || post().to(holds::change::extend)),
    row(Method::POST, "/v1/holds/{id}/increment", MOVE, SMALL, || post().to(holds::change::increment)),
    row(Method::GET, "/v1/requests/{key}", Policy::Known, Nothing, || get().to(requests::show)),
    row(Method::GET, "/v1/events", view(Event), Nothing, || get().to(events::list)),
    row(Method::GET, "/v1/ledger/trial-balance", view(Report), Nothing, || get().to(trial_balance::show)),
    row(Method::POST, "/v1/issuances", ISSUE, SMALL, || post().to(issuances::issue)),
    row(Method::POST, "/v1/redemptions", REDEEM, SMALL, || post().to(issuances::redeem)),
    row(Method::GET, "/v1/prices/{code}", Policy::Known, Nothing, || get().to(prices::show)),
    row(Method::POST, "/v1/prices/{code}", Policy::granted(LedgerAdmin, Edit, Price), SMALL, || {
        post().to(prices::change)
    }),
    row(Method::GET, "/v1/aliases", Policy::Citizen, Nothing, || get().to(aliases::list)),
    row(Method::POST, "/v1/aliases", Policy::Citizen, SMALL, || post().to(aliases::register)),
    row(Method::DELETE, "/v1/aliases/{id}", Policy::Citizen, ASK, || delete().to(aliases::remove)),
    row(Method::POST, "/v1/alias-lookups", Policy::Citizen, ASK, || post().to(aliases::look_up)),
    row(Method::POST, "/v1/transfers", Policy::Citizen, SMALL, || post().to(transfers::request)),
    row(Method::GET, "/v1/transfers/{id}", Policy::Citizen, Nothing, || get().to(transfers::show)),
    row(Method::POST, "/v1/transfers/{id}/confirm", Policy::Citizen, SMALL, || post().to(transfers::confirm)),
    row(Method::POST, "/v1/top-ups", Policy::Citizen, SMALL, || post().to(funding::top_up)),
    row(Method::GET, "/v1/top-ups/{id}", Policy::Citizen, Nothing, || get().to(funding::show_top_up)),
    row(Method::POST, "/v1/withdrawals", Policy::Citizen, SMALL, || post().to(funding::withdraw)),
    row(Method::GET, "/v1/withdrawals/{id}", Policy::Citizen, Nothing, || get().to(funding::show_withdrawal)),
    row(Method::POST, "/v1/withdrawals/{id}/confirm", Policy::Citizen, SMALL, || post().to(funding::confirm)),
    row(Method::GET, "/v1/limits", Policy::Citizen, Nothing, || get().to(limits::show)),
    row(Method::PATCH, "/v1/limits", Policy::Citizen, SMALL, || patch().to(limits::change)),
    row(Method::GET, "/v1/charge-locations/{id}", Policy::Public, Nothing, || get().to(charges::locate)),
    row(Method::POST, "/v1/charge-resolutions", Policy::Citizen, ASK, || post().to(charges::resolve)),
    row(Method::GET, "/v1/charges/{id}", Policy::Citizen, Nothing, || get().to(charges::show)),
    row(Method::POST, "/v1/charges/{id}/confirm", Policy::Citizen, SMALL, || post().to(charges::confirm)),
    row(Method::POST, "/v1/mandates", Policy::Citizen, SMALL, || post().to(mandates::request)),
    row(Method::GET, "/v1/mandates", Policy::Citizen, Nothing, || get().to(mandates::list)),
    row(Method::POST, "/v1/mandates/{id}/confirm", Policy::Citizen, SMALL, || post().to(mandates::confirm)),
    row(Method::DELETE, "/v1/mandates/{id}", Policy::Citizen, ASK, || delete().to(mandates::revoke)),
    row(Method::GET, "/v1/accounts/{id}/activity", view(Account), Nothing, || get().to(activity::list)),
    row(Method::GET, "/v1/reports/volume", view(Report), Nothing, || get().to(volume::list)),
    row(Method::GET, "/v1/reports/holds", view(Report), Nothing, || get().to(hold_ageing::show)),
    row(Method::GET, "/v1/reports/top-accounts", view(Report), Nothing, || get().to(top_accounts::list)),
    row(Method::GET, "/v1/reports/trial-balance", view(Report), Nothing, || get().to(daily_balance::list)),
    row(Method::POST, "/v1/webhook-endpoints", Policy::granted(LedgerAdmin, Create, Webhook), SMALL, || {
        post().to(endpoints::create)
    }),
    row(Method::GET, "/v1/webhook-endpoints", view(Webhook), Nothing, || get().to(endpoints::list)),
    row(Method::GET, "/v1/webhook-endpoints/{id}", view(Webhook), Nothing, || get().to(endpoints::find)),
    row(Method::PATCH, "/v1/webhook-endpoints/{id}", ENDPOINTS, SMALL, || patch().to(endpoints::change)),
    row(Method::DELETE, "/v1/webhook-endpoints/{id}", Policy::granted(LedgerAdmin, Delete, Webhook), SMALL, || {
        delete().to(endpoints::delete)
    }),
    row(Method::POST, "/v1/webhook-endpoints/{id}/enable", ENDPOINTS, SMALL, || post().to(endpoints::enable)),
    row(Method::POST, "/v1/webhook-endpoints/{id}/disable", ENDPOINTS, SMALL, || post().to(endpoints::disable)),
    row(Method::POST, "/v1/webhook-endpoints/{id}/secrets", ENDPOINTS.with(Right::RotateKeys), SMALL, || {
        post().to(endpoints::rotate)
    }),
    row(Method::GET, "/v1/webhook-endpoints/{id}/deliveries", view(Webhook), Nothing, || get().to(deliveries::list)),
    row(Method::POST, "/v1/webhook-endpoints/{id}/replays", ENDPOINTS, SMALL, || post().to(deliveries::replay)),
    row(Method::POST, "/v1/holders", REGISTRY, SMALL, || post().to(holders::register)),
    row(Method::POST, "/v1/holders/lookups", PEOPLE, ASK, || post().to(holders::look_up)),
    row(Method::GET, "/v1/holders/{id}", PEOPLE, Nothing, || get().to(holders::show)),
    row(Method::POST, "/v1/holders/{id}/unmask", UNMASK, ASK, || post().to(holders::unmask)),
    row(Method::POST, "/v1/holders/{id}/erasure", REGISTRY, SMALL, || post().to(holders::erase)),
    row(Method::POST, "/v1/registrations", Policy::Public, ASK, || post().to(registrations::register)),
    row(Method::POST, "/v1/registrations/{id}/verify", Policy::Public, ASK, || post().to(registrations::verify)),
    row(Method::POST, "/v1/recoveries", Policy::Public, ASK, || post().to(recoveries::recover)),
    row(Method::POST, "/v1/recoveries/{id}/verify", Policy::Public, ASK, || post().to(recoveries::verify)),
    row(Method::POST, "/v1/sessions", Policy::Public, ASK, || post().to(citizen_sessions::sign_in)),
    row(Method::GET, "/v1/sessions", Policy::Citizen, Nothing, || get().to(citizen_sessions::list)),
    row(Method::POST, "/v1/sessions/refresh", Policy::Public, ASK, || post().to(citizen_sessions::refresh)),
    row(Method::POST, "/v1/sessions/{id}/verify", Policy::Public, ASK, || post().to(citizen_sessions::verify)),
    row(Method::DELETE, "/v1/sessions/{id}", Policy::Citizen, ASK, || delete().to(citizen_sessions::end)),
    row(Method::GET, "/v1/devices", Policy::Citizen, Nothing, || get().to(devices::list)),
    row(Method::DELETE, "/v1/devices/{id}", Policy::Citizen, ASK, || delete().to(devices::remove)),
    row(Method::POST, "/v1/pin", Policy::Citizen, ASK, || post().to(secrets::change_pin)),
    row(Method::POST, "/v1/password", Policy::Citizen, ASK, || post().to(secrets::change_password)),
    row(Method::POST, "/v1/contact-changes", Policy::Citizen, ASK, || post().to(contacts::ask)),
    row(Method::POST, "/v1/contact-changes/{id}/verify", Policy::Citizen, ASK, || post().to(contacts::verify)),
    row(Method::GET, "/v1/account", Policy::Citizen, Nothing, || get().to(own_account::show)),
    row(Method::GET, "/v1/account/balance", Policy::Citizen, Nothing, || get().to(own_account::show_balance)),
    row(Method::GET, "/v1/account/entries", Policy::Citizen, Nothing, || get().to(entries::list)),
    row(Method::GET, "/v1/account/statement", Policy::Citizen, Nothing, || get().to(entries::download)),
    row(Method::GET, "/v1/account/transactions/{id}/receipt", Policy::Citizen, Nothing, || {
        get().to(entries::take_receipt)
    }),
    row(Method::GET, "/v1/account/events", Policy::Citizen, Nothing, || get().to(own_events::listen)),
    row(Method::POST, "/v1/account/freeze", Policy::Citizen, SMALL, || post().to(stop::freeze)),
    row(Method::POST, "/v1/account/close", Policy::Citizen, SMALL, || post().to(stop::close)),
    row(Method::GET, "/v1/notifications", Policy::Citizen, Nothing, || get().to(notifications::list)),
    row(Method::POST, "/v1/privacy/exports", Policy::Citizen, ASK, || post().to(exports::export)),
    row(Method::POST, "/v1/privacy/erasures", Policy::Citizen, SMALL, || post().to(erasures::erase)),
    row(Method::POST, "/v1/holders/{id}/reset", RESET, SMALL, || post().to(recoveries::reset)),
    row(Method::POST, "/v1/staff/sessions", Policy::Public, ASK, || post().to(sessions::sign_in)),
    row(Method::GET, "/v1/staff/sessions", Policy::Member, Nothing, || get().to(sessions::list)),
    row(Method::GET, "/v1/staff/sessions/current", Policy::Member, Nothing, || get().to(sessions::current)),
    row(Method::DELETE, "/v1/staff/sessions/current", Policy::Member, ASK, || delete().to(sessions::sign_out)),
    row(Method::POST, "/v1/staff/sessions/current/step-up", Policy::Member, ASK, || post().to(sessions::step_up)),
    row(Method::DELETE, "/v1/staff/sessions/{id}", Policy::Member, ASK, || delete().to(sessions::end)),
    row(Method::POST, "/v1/staff/password", Policy::Member, ASK, || post().to(own::change_password)),
    row(Method::POST, "/v1/staff/recovery-codes", Policy::Member, ASK, || post().to(own::renew_codes)),
    row(Method::POST, "/v1/staff/invitations/accept", Policy::Public, ASK, || post().to(invitations::accept)),
    row(Method::POST, "/v1/staff/invitations/confirm", Policy::Public, ASK, || post().to(invitations::confirm)),
    row(Method::POST, "/v1/admin/users", Policy::staff(Create, User), SMALL, || post().to(users::invite)),
    row(Method::GET, "/v1/admin/users", Policy::staff(View, User), Nothing, || get().to(users::list)),
    row(Method::GET, "/v1/admin/users/{id}", Policy::staff(View, User), Nothing, || get().to(users::show)),
    row(Method::PATCH, "/v1/admin/users/{id}", Policy::staff(Edit, User), SMALL, || patch().to(users::change)),
    row(Method::POST, "/v1/admin/users/{id}/reset", Policy::staff(Edit, User), SMALL, || post().to(users::reset)),
    row(Method::GET, "/v1/admin/sessions", Policy::staff(View, Session), Nothing, || get().to(admin_sessions::list)),
    row(Method::DELETE, "/v1/admin/sessions/{id}", Policy::staff(Delete, Session), SMALL, || {
        delete().to(admin_sessions::revoke)
    }),
    row(Method::POST, "/v1/admin/units", Policy::staff(Create, Unit), SMALL, || post().to(units::create)),
    row(Method::GET, "/v1/admin/units", Policy::staff(View, Unit), Nothing, || get().to(units::list)),
    row(Method::PATCH, "/v1/admin/units/{id}", Policy::staff(Edit, Unit), SMALL, || patch().to(units::change)),
    row(Method::POST, "/v1/admin/providers", Policy::granted(LedgerAdmin, Create, Provider), SMALL, || {
        post().to(providers::register)
    }),
    row(Method::GET, "/v1/admin/providers", view(Provider), Nothing, || get().to(providers::list)),
    row(Method::GET, "/v1/admin/providers/{id}", view(Provider), Nothing, || get().to(providers::show)),
    row(Method::PATCH, "/v1/admin/providers/{id}", Policy::granted(LedgerAdmin, Edit, Provider), SMALL, || {
        patch().to(providers::change)
    }),
    row(Method::POST, "/v1/admin/services", Policy::granted(LedgerAdmin, Create, Service), SMALL, || {
        post().to(services::open)
    }),
    row(Method::GET, "/v1/admin/services", view(Service), Nothing, || get().to(services::list)),
    row(Method::GET, "/v1/admin/services/{id}", view(Service), Nothing, || get().to(services::show)),
    row(Method::PATCH, "/v1/admin/services/{id}", Policy::granted(LedgerAdmin, Edit, Service), SMALL, || {
        patch().to(services::change)
    }),
    row(Method::POST, "/v1/terminal/enrolments", Policy::Public, ASK, || post().to(enrolments::enrol)),
    row(Method::POST, "/v1/terminal/certificates", Policy::Terminal { superseded: true }, ASK, || {
        post().to(certificates::renew)
    }),
    row(Method::POST, "/v1/terminal/heartbeats", Policy::TERMINAL, ASK, || post().to(heartbeats::beat)),
    row(Method::GET, "/v1/terminal/config", Policy::TERMINAL, Nothing, || get().to(config::show)),
    row(Method::PUT, "/v1/terminal/charges/{txid}", Policy::TERMINAL, NAMED, || put().to(takings::create)),
    row(Method::GET, "/v1/terminal/charges/{txid}", Policy::TERMINAL, Nothing, || get().to(takings::show)),
    row(Method::POST, "/v1/terminal/charges/{txid}/capture", Policy::TERMINAL, SMALL, || post().to(takings::capture)),
    row(Method::POST, "/v1/terminal/charges/{txid}/cancel", Policy::TERMINAL, SMALL, || post().to(takings::cancel)),
    row(Method::PUT, "/v1/terminal/charges/{txid}/refunds/{refund}", Policy::TERMINAL, NAMED, || {
        put().to(refunds::give_back)
    }),
    row(Method::GET, "/v1/terminal/charges/{txid}/refunds/{refund}", Policy::TERMINAL, Nothing, || {
        get().to(refunds::show)
    }),
    row(Method::POST, "/v1/terminal/reversals", Policy::TERMINAL, SMALL, || post().to(take_backs::reverse)),
    row(Method::GET, "/v1/terminal/transactions/last", Policy::TERMINAL, Nothing, || get().to(takings::last)),
    row(Method::GET, "/v1/terminal/totals", Policy::TERMINAL, Nothing, || get().to(day_ends::totals)),
    row(Method::GET, "/v1/terminal/batches/{number}", Policy::TERMINAL, Nothing, || get().to(day_ends::show)),
    row(Method::POST, "/v1/terminal/batches/{number}/close", Policy::TERMINAL, SMALL, || post().to(day_ends::close)),
    row(Method::POST, "/v1/terminal/shifts", Policy::TERMINAL, SMALL, || post().to(shifts::open)),
    row(Method::POST, "/v1/terminal/shifts/{number}/close", Policy::TERMINAL, SMALL, || post().to(shifts::close)),
    row(Method::POST, "/v1/admin/terminals", Policy::granted(TerminalsAdmin, Create, Terminal), SMALL, || {
        post().to(fleet::register)
    }),
    row(Method::GET, "/v1/admin/terminals", FLEET_SEEN, Nothing, || get().to(fleet::list)),
    row(Method::GET, "/v1/admin/terminals/{id}", FLEET_SEEN, Nothing, || get().to(fleet::show)),
    row(Method::PATCH, "/v1/admin/terminals/{id}", FLEET, SMALL, || patch().to(fleet::configure)),
    row(Method::POST, "/v1/admin/terminals/{id}/activation-codes", FLEET, SMALL, || post().to(fleet::issue_code)),
    row(Method::POST, "/v1/admin/terminals/{id}/suspend", FLEET, SMALL, || post().to(fleet::suspend)),
    row(Method::POST, "/v1/admin/terminals/{id}/resume", FLEET, SMALL, || post().to(fleet::resume)),
    row(Method::POST, "/v1/admin/terminals/{id}/lost", FLEET, SMALL, || post().to(fleet::lose)),
    row(Method::POST, "/v1/admin/terminals/{id}/revoke", FLEET, SMALL, || post().to(fleet::revoke)),
    row(Method::POST, "/v1/admin/terminals/{id}/retire", FLEET, SMALL, || post().to(fleet::retire)),
    row(Method::POST, "/v1/admin/terminals/{id}/commands", FLEET, SMALL, || post().to(fleet::order)),
    row(Method::GET, "/v1/tenant", Policy::Known, Nothing, || get().to(tenant::show)),
    row(Method::GET, "/v1/audit-events", AUDIT, Nothing, || get().to(audit::list)),
    row(Method::GET, "/v1/audit-events/export", AUDIT.with(Right::Export), Nothing, || get().to(audit::export)),
    row(Method::POST, "/v1/token", Policy::Public, ASK, || post().to(token::issue)),
    row(Method::GET, "/.well-known/jwks.json", Policy::Public, Nothing, || get().to(jwks::show)),
    row(Method::GET, "/livez", Policy::Public, Nothing, || get().to(live::show)),
    row(Method::GET, "/readyz", Policy::Public, Nothing, || get().to(ready::show)),
    row(Method::GET, "/openapi.json", Policy::Public, Nothing, || get().to(openapi::show)),
    row(Method::GET, "/docs", Policy::Public, Nothing, || get().to(docs::redirect)),
    row(Method::GET, "/docs/problems", Policy::Public, Nothing, || get().to(docs::problems)),
];

impl Entry {
    /// Whether it changes something.
    pub fn is_write(&self) -> bool {
        matches!(self.body, Body::Write(_) | Body::Named(_))
    }

    /// Whether it goes under a key.
    pub fn has_key(&self) -> bool {
        matches!(self.body, Body::Write(_))
    }

    /// How many bytes a body may have.
    pub fn body_limit(&self) -> usize {
        match self.body {
            Body::Nothing => 0,
            Body::Write(limit) | Body::Named(limit) | Body::Question(limit) => limit,
        }
    }
}

/// The row of a request, which the middleware has looked up. A request that did not pass it has none, and gets in nowhere.
pub fn find(request: &HttpRequest) -> Option<&'static Entry> {
    request.extensions().get::<&'static Entry>().copied()
}

/// The row of a method and a template.
pub fn named(method: &Method, path: &str) -> Option<&'static Entry> {
    ROUTES.iter().find(|entry| entry.path == path && entry.method == *method)
}

/// Builds the server's routes from the table.
pub fn configure(config: &mut ServiceConfig) {
    let mut built: Vec<&str> = Vec::new();
    for Entry { path, .. } in ROUTES {
        if built.contains(path) {
            continue;
        }
        built.push(path);
        let of_path = ROUTES.iter().filter(|entry| entry.path == *path);
        let resource = of_path.fold(web::resource(*path), |resource, entry| resource.route((entry.handler)()));
        config.service(resource.default_service(web::to(method_not_allowed)));
    }
    config.service(docs::pages()).default_service(web::to(not_found));
}

async fn method_not_allowed(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let path = request.match_pattern().unwrap_or_default();
    let methods: Vec<&str> =
        ROUTES.iter().filter(|entry| entry.path == path).map(|entry| entry.method.as_str()).collect();
    let methods = methods.join(", ");
    Err(Problem::new(Code::MethodNotAllowed, format!("here are {methods}")).allowing(methods))
}

async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

#[cfg(test)]
mod tests;
