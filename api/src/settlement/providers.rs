//! `/v1/admin/providers`: companies that are paid at terminals.

use super::render;
use crate::access::staff::territory;
use crate::answer::settlement::Provider;
use crate::context::{Context, Write};
use crate::etag::{etag, if_match, tagged};
use crate::ledger::input::path_id;
use crate::ledger::page;
use crate::object::{Object, SomeUuid, nullable, optional, uuid};
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::settlement::event::PayoutAccount;
use vintem_core::settlement::{NewProvider, ProviderChange};

/// A company to register. Its CNPJ is for ever.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderInput {
    /// As it is registered. A company's, never a person's: it stands in the log for ever.
    #[schema(example = "Viação Aurora Ltda.", min_length = 1, max_length = 100)]
    name: String,
    /// With punctuation or without; digits, or letters in the form of 2026.
    #[schema(
        example = "11.222.333/0001-81",
        pattern = r"^([0-9A-Z]{12}[0-9]{2}|[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2})$"
    )]
    cnpj: String,
    /// The unit that looks after it; without one, only who looks after all does.
    #[serde(default, deserialize_with = "uuid")]
    unit: Option<Uuid>,
    /// Where it is to be paid out to.
    #[serde(default, deserialize_with = "optional")]
    payout_account: Option<PayoutAccountInput>,
}

/// A company's account at a bank, in digits: nothing of a person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutAccountInput {
    /// The bank's ISPB.
    #[schema(example = "00000000", pattern = "^[0-9]{8}$")]
    bank: String,
    /// The branch.
    #[schema(example = "0001", pattern = "^[0-9]{1,4}$")]
    branch: String,
    /// The account, with its check digit and without punctuation.
    #[schema(example = "1234567", pattern = "^[0-9]{1,20}X?$")]
    number: String,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct ProviderEdit {
    /// Another name.
    #[serde(default)]
    #[schema(example = "Viação Aurora S.A.", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Another unit; null is none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    unit: Option<Option<SomeUuid>>,
    /// Another account; null is none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<PayoutAccountInput>)]
    payout_account: Option<Option<Object<PayoutAccountInput>>>,
}

/// One page of providers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderPage {
    /// In the order of their registration.
    providers: Vec<Provider>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

impl PayoutAccountInput {
    fn read(self) -> PayoutAccount {
        let Self { bank, branch, number } = self;
        PayoutAccount { bank, branch, number }
    }
}

/// Register a company that is paid at terminals. One of each CNPJ.
#[utoipa::path(post, path = "/v1/admin/providers", tag = "Providers", request_body = ProviderInput, responses((status = 201, body = Provider)))]
pub async fn register(write: Write<ProviderInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ProviderInput { name, cnpj, unit, payout_account } } = write;
    let payout_account = payout_account.map(PayoutAccountInput::read);
    let new = NewProvider { name, cnpj, unit, payout_account };
    let (territory, render) = (territory(&context).await?, render(&context));
    let executed = context.app.services.register(&context.actor, &key, &territory, &new, &render).await?;
    Ok(tagged(write::answered(&context, executed.disposed, &executed.known).await?))
}

/// The providers that you look after.
#[utoipa::path(get, path = "/v1/admin/providers", tag = "Providers", params(
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows at most", minimum = 1, maximum = 100)
), responses((status = 200, body = ProviderPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["cursor", "limit"])?;
    let (list, limit) = (query.list("providers"), query.limit()?);
    let after: i64 = page::after(&context, &query, &list)?.unwrap_or(0);
    let found = context.app.services.providers(&context.actor, &territory(&context).await?, after, limit).await?;
    let next = found.next.map(|place| page::next(&context, &list, &place));
    Ok(HttpResponse::Ok()
        .json(ProviderPage { providers: found.items.into_iter().map(Provider::standing).collect(), next }))
}

/// Read a provider.
#[utoipa::path(get, path = "/v1/admin/providers/{id}", tag = "Providers", params(("id" = Uuid, Path, description = "The provider's id")), responses((status = 200, body = Provider)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (id, territory) = (path_id(&request)?, territory(&context).await?);
    let found = context.app.services.provider(&context.actor, &territory, id).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(found.version))).json(Provider::standing(found)))
}

/// Change what is known of a provider.
#[utoipa::path(patch, path = "/v1/admin/providers/{id}", tag = "Providers", params(("id" = Uuid, Path, description = "The provider's id"),
    ("If-Match" = Option<String>, Header, description = "The ETag that the change builds on")),
    request_body = ProviderEdit, responses((status = 200, body = Provider)))]
pub async fn change(request: HttpRequest, write: Write<ProviderEdit>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ProviderEdit { name, unit, payout_account } } = write;
    let change = ProviderChange {
        name,
        unit: unit.map(|unit| unit.map(|SomeUuid(unit)| unit)),
        payout_account: payout_account.map(|account| account.map(|Object(account)| account.read())),
    };
    if change == ProviderChange::default() {
        return Err(super::nothing_to_change());
    }
    let what = (path_id(&request)?, if_match(request.headers())?, &change);
    let (territory, render) = (territory(&context).await?, render(&context));
    let executed = context.app.services.change_provider(&context.actor, &key, &territory, what, &render).await?;
    Ok(tagged(write::answered(&context, executed.disposed, &executed.known).await?))
}
