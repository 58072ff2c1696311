//! `/openapi.json`: the contract, generated from the handlers and the table of routes.
//!
//! What every operation has in common is added here, from the table: its problems, its scope, the
//! `Idempotency-Key` of writes.

use crate::access::staff::presence::COOKIE;
use crate::problem::{Code, Document};
use crate::routes::{Body, Entry, ROUTES};
use crate::{
    access, account, aliases, citizens, documents, holders, ledger, operations, payments, privacy, settlement,
    terminals, views, webhooks,
};
use actix_web::HttpResponse;
use actix_web::http::Method;
use std::sync::LazyLock;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, ClientCredentials, Flow, Http, HttpAuthScheme, HttpBuilder, OAuth2, Scopes,
    SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi as Contract, Ref, RefOr, Required, ResponseBuilder};
use vintem_core::access::{Grant, Need, Policy, Scope};

/// The security scheme of service clients.
const CLIENT: &str = "client";
/// The one of staff; its requirements name grants and rights.
const SESSION: &str = "session";
/// The one of citizens: a token that is bound to the key of their device.
const CITIZEN: &str = "citizen";
/// The one of terminals: the certificate of the connection.
const TERMINAL: &str = "terminal";

/// The document's skeleton: every handler, once.
#[derive(OpenApi)]
#[openapi(
    info(title = "Vintem", description = "An event-sourced double-entry ledger. Money is a decimal string, never a JSON number; every write carries an Idempotency-Key and can be repeated safely; every error is a problem document (see /docs/problems)."),
    paths(
        ledger::assets::register, ledger::assets::list, ledger::assets::show,
        ledger::accounts::open, ledger::accounts::list, ledger::accounts::show, ledger::accounts::limit,
        ledger::accounts::freeze, ledger::accounts::unfreeze, ledger::accounts::close,
        ledger::balances::show, ledger::statements::list, documents::statement::download, documents::receipt::show, documents::receipt::check,
        ledger::transactions::post, ledger::transactions::list, ledger::transactions::show, ledger::reversals::reverse,
        ledger::batches::post,
        ledger::holds::place::place, ledger::holds::list::list, ledger::holds::list::show, ledger::holds::capture::capture,
        ledger::holds::change::release, ledger::holds::change::extend, ledger::holds::change::increment,
        ledger::requests::show, ledger::events::list, ledger::trial_balance::show,
        views::activity::list, views::volume::list, views::holds::show, views::top_accounts::list, views::trial_balance::list,
        webhooks::endpoints::create, webhooks::endpoints::list, webhooks::endpoints::find, webhooks::endpoints::change,
        webhooks::endpoints::delete, webhooks::endpoints::enable, webhooks::endpoints::disable, webhooks::endpoints::rotate,
        webhooks::deliveries::list, webhooks::deliveries::replay,
        payments::issuances::issue, payments::issuances::redeem, payments::prices::show, payments::prices::change,
        payments::transfers::request, payments::transfers::show, payments::transfers::confirm, payments::limits::show, payments::limits::change,
        payments::funding::top_up, payments::funding::show_top_up, payments::funding::withdraw,
        payments::funding::show_withdrawal, payments::funding::confirm,
        payments::charges::locate, payments::charges::resolve, payments::charges::show, payments::charges::confirm,
        payments::mandates::request, payments::mandates::list, payments::mandates::confirm, payments::mandates::revoke,
        aliases::list, aliases::register, aliases::remove, aliases::look_up,
        holders::register, holders::look_up, holders::show, holders::unmask, holders::erase,
        citizens::registrations::register, citizens::registrations::verify, citizens::contacts::ask, citizens::contacts::verify, citizens::recoveries::recover, citizens::recoveries::verify,
        citizens::recoveries::reset, citizens::sessions::sign_in, citizens::sessions::verify, citizens::sessions::refresh,
        citizens::sessions::list, citizens::sessions::end, citizens::devices::list, citizens::devices::remove,
        citizens::secrets::change_pin, citizens::secrets::change_password,
        account::own::show, account::own::show_balance, account::entries::list, account::entries::download, account::entries::take_receipt,
        account::events::listen, account::notifications::list, account::stop::freeze, account::stop::close,
        privacy::exports::export, privacy::erasures::erase,
        access::staff::sessions::sign_in, access::staff::sessions::list, access::staff::sessions::current,
        access::staff::sessions::sign_out, access::staff::sessions::step_up, access::staff::sessions::end,
        access::staff::own::change_password, access::staff::own::renew_codes,
        access::staff::invitations::accept, access::staff::invitations::confirm,
        access::staff::users::invite, access::staff::users::list, access::staff::users::show,
        access::staff::users::change, access::staff::users::reset,
        access::staff::admin_sessions::list, access::staff::admin_sessions::revoke,
        access::staff::units::create, access::staff::units::list, access::staff::units::change,
        settlement::providers::register, settlement::providers::list, settlement::providers::show, settlement::providers::change,
        settlement::services::open, settlement::services::list, settlement::services::show, settlement::services::change,
        access::tenant::show, access::token::issue, access::jwks::show, access::audit::list, access::audit::export,
        terminals::enrolments::enrol, terminals::certificates::renew, terminals::heartbeats::beat, terminals::config::show,
        terminals::charges::create, terminals::charges::show, terminals::charges::last, terminals::charges::capture,
        terminals::charges::cancel, terminals::refunds::give_back, terminals::refunds::show, terminals::reversals::reverse,
        terminals::batches::totals, terminals::batches::show, terminals::batches::close,
        terminals::shifts::open, terminals::shifts::close,
        terminals::fleet::register, terminals::fleet::list, terminals::fleet::show, terminals::fleet::configure,
        terminals::fleet::issue_code, terminals::fleet::suspend, terminals::fleet::resume, terminals::fleet::lose,
        terminals::fleet::revoke, terminals::fleet::retire, terminals::fleet::order,
        operations::live::show, operations::ready::show,
    ),
    components(schemas(Document<'static>))
)]
struct Skeleton;

static DOCUMENT: LazyLock<String> = LazyLock::new(|| serde_json::to_string(&contract()).unwrap_or_default());

/// The contract.
pub async fn show() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT.as_str())
}

/// The whole document.
pub fn contract() -> Contract {
    let mut contract = Skeleton::openapi();
    let components = contract.components.get_or_insert_default();
    components.add_security_scheme(CLIENT, client());
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE))));
    components.add_security_scheme(CITIZEN, SecurityScheme::Http(citizen()));
    components.add_security_scheme(TERMINAL, terminal());
    if let Some(RefOr::T(Schema::Object(problem))) = components.schemas.get_mut("Problem") {
        name_codes(problem);
    }
    for entry in ROUTES {
        if let Some(operation) = operation(&mut contract, entry) {
            operation.operation_id = Some(name(entry));
            complete(operation, entry);
        }
    }
    contract
}

/// Which codes there are, so that clients can match on them by type.
fn name_codes(problem: &mut Object) {
    if let Some(RefOr::T(Schema::Object(code))) = problem.properties.get_mut("code") {
        code.enum_values = Some(Code::all().iter().map(|code| code.meaning().code.into()).collect());
    }
}

/// What an operation is called in code that is generated, such as `postTransfersIdConfirm`: handlers of different modules
/// share their names, and the document may not.
fn name(entry: &Entry) -> String {
    let words = entry.path.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty() && *word != "v1").fold(entry.method.as_str().to_lowercase(), |name, word| {
        let (first, rest) = word.split_at(1);
        name + &first.to_uppercase() + rest
    })
}

fn operation<'a>(contract: &'a mut Contract, entry: &Entry) -> Option<&'a mut Operation> {
    let item = contract.paths.paths.get_mut(entry.path)?;
    match entry.method {
        Method::GET => item.get.as_mut(),
        Method::POST => item.post.as_mut(),
        Method::PUT => item.put.as_mut(),
        Method::PATCH => item.patch.as_mut(),
        Method::DELETE => item.delete.as_mut(),
        _ => None,
    }
}

/// RFC 9449, whose scheme has no name of its own in OpenAPI's list.
fn citizen() -> Http {
    let described = "`Authorization: DPoP <token>`, and for each request a proof in the header `DPoP`";
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
    scheme.description(Some(described)).build()
}

/// On a port of its own.
fn terminal() -> SecurityScheme {
    SecurityScheme::MutualTls {
        description: Some("The terminal's certificate, on the port for terminals".to_owned()),
        deprecated: None,
        extensions: None,
    }
}

fn client() -> SecurityScheme {
    let scopes = Scope::ALL.map(|scope| (scope.as_str(), scope.as_str()));
    SecurityScheme::OAuth2(OAuth2::new([Flow::ClientCredentials(ClientCredentials::new(
        "/v1/token",
        Scopes::from_iter(scopes),
    ))]))
}

/// Adds what the table knows of an operation.
fn complete(operation: &mut Operation, entry: &Entry) {
    let mut statuses = vec!["400", "404", "405", "422", "500", "503"];
    operation.security = security(entry.policy);
    statuses.push("401");
    if entry.policy != Policy::Public || entry.path.ends_with("/verify") {
        statuses.push("403");
    }
    if entry.body != Body::Nothing {
        statuses.extend(["408", "413", "415"]);
    }
    if entry.path.starts_with("/v1/holders") || entry.path.ends_with("/verify") {
        statuses.push("410");
    }
    if entry.path.ends_with("/verify") {
        statuses.extend(["409", "504"]);
    }
    if entry.path.ends_with("/confirm") || entry.path.ends_with("/enrolments") {
        statuses.push("410");
    }
    if entry.path.starts_with("/v1/terminal/") {
        statuses.push("409");
    }
    if entry.path.ends_with("-lookups") || entry.path.ends_with("-resolutions") {
        statuses.push("429");
    }
    if entry.is_write() {
        statuses.extend(["409", "412", "504"]);
    }
    if entry.has_key() {
        operation.parameters.get_or_insert_default().push(RefOr::T(key()));
    }
    for status in statuses {
        operation.responses.responses.insert(status.to_owned(), RefOr::T(problem()));
    }
}

/// By which proof, and with which scope or grants, callers get in; any one of them is enough.
fn security(policy: Policy) -> Option<Vec<SecurityRequirement>> {
    let by = |scheme, what: Vec<String>| SecurityRequirement::new(scheme, what);
    match policy {
        Policy::Public => None,
        Policy::Known => Some([CLIENT, SESSION, CITIZEN].map(|scheme| by(scheme, Vec::new())).into()),
        Policy::Member => Some(vec![by(SESSION, Vec::new())]),
        Policy::Citizen => Some(vec![by(CITIZEN, Vec::new())]),
        Policy::Terminal { .. } => Some(vec![by(TERMINAL, Vec::new())]),
        Policy::Granted { client, staff } => {
            let client = client.map(|scope| by(CLIENT, vec![scope.as_str().to_owned()]));
            let staff = staff.map(|Need { verb, object, right }| {
                let grant = Grant::all(verb, object).to_string();
                by(SESSION, [grant].into_iter().chain(right.map(|right| right.as_str().to_owned())).collect())
            });
            Some(client.into_iter().chain(staff).collect())
        }
    }
}

fn key() -> utoipa::openapi::path::Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[ -~]+$"));
    ParameterBuilder::new()
        .name(crate::key::HEADER)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("Yours to choose, one per intent; the same key always gives the same answer"))
        .schema(Some(schema))
        .build()
}

fn problem() -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description("A problem; see /docs/problems")
        .content("application/problem+json", content)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let names: HashSet<String> = ROUTES.iter().map(name).collect();
        assert_eq!(names.len(), ROUTES.len());
        let confirm = ROUTES.iter().find(|entry| entry.path == "/v1/transfers/{id}/confirm").map(name);
        assert_eq!(confirm.as_deref(), Some("postTransfersIdConfirm"));
    }

    #[test]
    fn codes_are_named_in_the_contract() {
        let contract = serde_json::to_value(contract()).unwrap_or_default();
        let codes = contract.pointer("/components/schemas/Problem/properties/code/enum");
        assert_eq!(codes.and_then(|codes| codes.as_array()).map(Vec::len), Some(Code::all().len()));
    }
}
