//! The table of contents of the API: every route, who may use it, and how large a body may be.
//!
//! The table drives the server, the check of scopes, the OpenAPI document and the tests of
//! authorisation. A path that is not in it does not exist.

use crate::access::{jwks, tenant, token};
use crate::holders;
use crate::ledger::{
    accounts, assets, balances, batches, events, holds, requests, reversals, statements, transactions, trial_balance,
};
use crate::operations::{docs, live, openapi, ready};
use crate::problem::{Code, Problem};
use crate::views::{activity, holds as hold_ageing, top_accounts, trial_balance as daily_balance, volume};
use crate::webhooks::{deliveries, endpoints};
use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig, delete, get, patch, post};
use actix_web::{HttpRequest, HttpResponse, Route};
use vintem_core::access::Scope::{self, HoldersRead, HoldersWrite, LedgerAdmin, LedgerRead, LedgerWrite};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Who was granted this scope.
    Scope(Scope),
    /// Every known caller; they see what is their own.
    AnyCaller,
    /// Everybody, without a token.
    Nobody,
}

/// A row of the table.
pub struct Entry {
    /// Its method.
    pub method: Method,
    /// Its path, as a template.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// How many bytes a body may have.
    pub body_limit: usize,
    handler: fn() -> Route,
}

/// Bodies of ordinary writes.
const SMALL: usize = 128 * 1024;
/// Bodies of batches.
const BULK: usize = 8 * 1024 * 1024;
/// Bodies of logins.
const FORM: usize = 8 * 1024;

const fn row(method: Method, path: &'static str, access: Access, body_limit: usize, handler: fn() -> Route) -> Entry {
    Entry { method, path, access, body_limit, handler }
}

const READ: Access = Access::Scope(LedgerRead);
const WRITE: Access = Access::Scope(LedgerWrite);
const ADMIN: Access = Access::Scope(LedgerAdmin);
const PEOPLE: Access = Access::Scope(HoldersRead);
const REGISTRY: Access = Access::Scope(HoldersWrite);
const OPEN: Access = Access::Nobody;

/// Every route.
pub static ROUTES: &[Entry] = &[
    row(Method::POST, "/v1/assets", ADMIN, SMALL, || post().to(assets::register)),
    row(Method::GET, "/v1/assets", READ, 0, || get().to(assets::list)),
    row(Method::GET, "/v1/assets/{code}", READ, 0, || get().to(assets::show)),
    row(Method::POST, "/v1/accounts", ADMIN, SMALL, || post().to(accounts::open)),
    row(Method::GET, "/v1/accounts", READ, 0, || get().to(accounts::list)),
    row(Method::GET, "/v1/accounts/{id}", READ, 0, || get().to(accounts::show)),
    row(Method::PATCH, "/v1/accounts/{id}", ADMIN, SMALL, || patch().to(accounts::limit)),
    row(Method::POST, "/v1/accounts/{id}/freeze", ADMIN, SMALL, || post().to(accounts::freeze)),
    row(Method::POST, "/v1/accounts/{id}/unfreeze", ADMIN, SMALL, || post().to(accounts::unfreeze)),
    row(Method::POST, "/v1/accounts/{id}/close", ADMIN, SMALL, || post().to(accounts::close)),
    row(Method::GET, "/v1/accounts/{id}/balance", READ, 0, || get().to(balances::show)),
    row(Method::GET, "/v1/accounts/{id}/entries", READ, 0, || get().to(statements::list)),
    row(Method::POST, "/v1/transactions", WRITE, SMALL, || post().to(transactions::post)),
    row(Method::GET, "/v1/transactions", READ, 0, || get().to(transactions::list)),
    row(Method::GET, "/v1/transactions/{id}", READ, 0, || get().to(transactions::show)),
    row(Method::POST, "/v1/transactions/{id}/reversals", WRITE, SMALL, || post().to(reversals::reverse)),
    row(Method::POST, "/v1/batches", WRITE, BULK, || post().to(batches::post)),
    row(Method::POST, "/v1/holds", WRITE, SMALL, || post().to(holds::place::place)),
    row(Method::GET, "/v1/holds", READ, 0, || get().to(holds::list::list)),
    row(Method::GET, "/v1/holds/{id}", READ, 0, || get().to(holds::list::show)),
    row(Method::POST, "/v1/holds/{id}/captures", WRITE, SMALL, || post().to(holds::capture::capture)),
    row(Method::POST, "/v1/holds/{id}/release", WRITE, SMALL, || post().to(holds::change::release)),
    row(Method::POST, "/v1/holds/{id}/extend", WRITE, SMALL, || post().to(holds::change::extend)),
    row(Method::POST, "/v1/holds/{id}/increment", WRITE, SMALL, || post().to(holds::change::increment)),
    row(Method::GET, "/v1/requests/{key}", Access::AnyCaller, 0, || get().to(requests::show)),
    row(Method::GET, "/v1/events", READ, 0, || get().to(events::list)),
    row(Method::GET, "/v1/ledger/trial-balance", READ, 0, || get().to(trial_balance::show)),
    row(Method::GET, "/v1/accounts/{id}/activity", READ, 0, || get().to(activity::list)),
    row(Method::GET, "/v1/reports/volume", READ, 0, || get().to(volume::list)),
    row(Method::GET, "/v1/reports/holds", READ, 0, || get().to(hold_ageing::show)),
    row(Method::GET, "/v1/reports/top-accounts", READ, 0, || get().to(top_accounts::list)),
    row(Method::GET, "/v1/reports/trial-balance", READ, 0, || get().to(daily_balance::list)),
    row(Method::POST, "/v1/webhook-endpoints", ADMIN, SMALL, || post().to(endpoints::create)),
    row(Method::GET, "/v1/webhook-endpoints", READ, 0, || get().to(endpoints::list)),
    row(Method::GET, "/v1/webhook-endpoints/{id}", READ, 0, || get().to(endpoints::find)),
    row(Method::PATCH, "/v1/webhook-endpoints/{id}", ADMIN, SMALL, || patch().to(endpoints::change)),
    row(Method::DELETE, "/v1/webhook-endpoints/{id}", ADMIN, SMALL, || delete().to(endpoints::delete)),
    row(Method::POST, "/v1/webhook-endpoints/{id}/enable", ADMIN, SMALL, || post().to(endpoints::enable)),
    row(Method::POST, "/v1/webhook-endpoints/{id}/disable", ADMIN, SMALL, || post().to(endpoints::disable)),
    row(Method::POST, "/v1/webhook-endpoints/{id}/secrets", ADMIN, SMALL, || post().to(endpoints::rotate)),
    row(Method::GET, "/v1/webhook-endpoints/{id}/deliveries", READ, 0, || get().to(deliveries::list)),
    row(Method::POST, "/v1/webhook-endpoints/{id}/replays", ADMIN, SMALL, || post().to(deliveries::replay)),
    row(Method::POST, "/v1/holders", REGISTRY, SMALL, || post().to(holders::register)),
    row(Method::POST, "/v1/holders/lookups", PEOPLE, SMALL, || post().to(holders::look_up)),
    row(Method::GET, "/v1/holders/{id}", PEOPLE, 0, || get().to(holders::show)),
    row(Method::POST, "/v1/holders/{id}/erasure", REGISTRY, SMALL, || post().to(holders::erase)),
    row(Method::GET, "/v1/tenant", Access::AnyCaller, 0, || get().to(tenant::show)),
    row(Method::POST, "/v1/token", OPEN, FORM, || post().to(token::issue)),
    row(Method::GET, "/.well-known/jwks.json", OPEN, 0, || get().to(jwks::show)),
    row(Method::GET, "/livez", OPEN, 0, || get().to(live::show)),
    row(Method::GET, "/readyz", OPEN, 0, || get().to(ready::show)),
    row(Method::GET, "/openapi.json", OPEN, 0, || get().to(openapi::show)),
    row(Method::GET, "/docs", OPEN, 0, || get().to(docs::redirect)),
    row(Method::GET, "/docs/problems", OPEN, 0, || get().to(docs::problems)),
];

impl Entry {
    /// Whether it changes something, and so goes under a key.
    pub fn is_write(&self) -> bool {
        let is_question = matches!(self.access, Access::Scope(scope) if scope.is_read());
        self.method != Method::GET && self.access != Access::Nobody && !is_question
    }
}

/// The row of a request.
pub fn find(request: &HttpRequest) -> Option<&'static Entry> {
    let path = request.match_pattern()?;
    ROUTES.iter().find(|entry| entry.path == path && entry.method == *request.method())
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
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn only_these_answer_without_a_token() {
        let open: Vec<&str> =
            ROUTES.iter().filter(|entry| entry.access == Access::Nobody).map(|entry| entry.path).collect();
        assert_eq!(
            open,
            ["/v1/token", "/.well-known/jwks.json", "/livez", "/readyz", "/openapi.json", "/docs", "/docs/problems"]
        );
    }

    #[test]
    fn reads_need_read_and_no_row_stands_twice() {
        let rows: HashSet<(&str, &str)> = ROUTES.iter().map(|entry| (entry.method.as_str(), entry.path)).collect();
        assert_eq!(rows.len(), ROUTES.len());
        for entry in ROUTES.iter().filter(|entry| entry.path.starts_with("/v1/") && entry.method == Method::GET) {
            assert!(
                matches!(entry.access, Access::Scope(LedgerRead | HoldersRead) | Access::AnyCaller),
                "{}",
                entry.path
            );
        }
        for entry in ROUTES.iter().filter(|entry| entry.method != Method::GET && entry.path != "/v1/token") {
            // A question whose body is personal is no write.
            let is_question = entry.path.ends_with("/lookups") && matches!(entry.access, Access::Scope(HoldersRead));
            let is_write = matches!(entry.access, Access::Scope(LedgerWrite | LedgerAdmin | HoldersWrite));
            assert!(is_write != is_question, "{}", entry.path);
        }
    }
}
