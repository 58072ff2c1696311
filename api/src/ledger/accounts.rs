//! `/v1/accounts`: opened once, then limited, frozen and closed.

use super::input;
use super::page;
use crate::answer::account::Account;
use crate::context::{Context, Write};
use crate::etag::{if_match, tagged};
use crate::object::{nullable, parse_uuid};
use crate::problem::Problem;
use crate::query::{Query, invalid};
use crate::write;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::{RequestKey, fresh};
use vintem_core::kernel::name;
use vintem_core::ledger::account::{Change, Limits, Open, What};
use vintem_core::ledger::command::Command;
use vintem_core::ledger::known::{Identity, Side};
use vintem_core::ledger::store::accounts::{AccountFilter, AccountRow};

/// An account to open. Name, asset and normal side are for ever.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "citizen:0042", "asset": "BRL"}))]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct AccountInput {
    /// 1 to 255 of `a-z 0-9 : _ . % -`, unique per asset; it may not look like an id.
    #[serde(default)]
    #[schema(pattern = r"^[a-z0-9:_.%-]{1,255}$")]
    name: Option<String>,
    /// The asset's code.
    #[schema(pattern = r"^[A-Z][A-Z0-9._-]{0,30}$")]
    asset: String,
    /// The side that raises it: `debit` for what you own, `credit` (the default) for what you owe.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "credit", pattern = "^(debit|credit)$")]
    normal_side: Option<Side>,
    /// Movements may not take `available` below; absent is `"0"`, null is unlimited.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "0")]
    min_balance: Option<Option<String>>,
    /// Movements may not take posted and incoming together above; absent or null is unlimited.
    #[serde(default)]
    max_balance: Option<String>,
    /// Your own facts; nothing personal.
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

/// Limits to change; what is absent stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"min_balance": "-100.00", "max_balance": null}))]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct LimitsInput {
    /// Null is unlimited.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    min_balance: Option<Option<String>>,
    /// Null is unlimited.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    max_balance: Option<Option<String>>,
    /// Money may leave.
    #[serde(default)]
    sends: Option<bool>,
    /// Money may arrive.
    #[serde(default)]
    receives: Option<bool>,
}

/// Why an account is frozen or closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReasonInput {
    /// In your words; nothing personal.
    #[serde(default)]
    #[schema(max_length = 1024)]
    reason: Option<String>,
}

/// Unfreezing says nothing more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnfreezeInput {}

/// Open an account.
#[utoipa::path(post, path = "/v1/accounts", tag = "Accounts", request_body = AccountInput, responses((status = 201, body = Account)))]
pub async fn open(write: Write<AccountInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    Ok(tagged(write::single(&context, key, value.command()?).await?))
}

impl AccountInput {
    /// The command that it spells.
    pub fn command(self) -> Result<Command, Problem> {
        let Self { name, asset, normal_side, min_balance, max_balance, metadata } = self;
        if name.as_deref().is_some_and(|name| !name::is_account_name(name) || parse_uuid(name).is_some()) {
            return Err(input::invalid(
                "/name",
                "malformed",
                "a name is 1 to 255 of a-z 0-9 : _ . % - and does not look like an id",
            ));
        }
        Ok(Command::Open(Open {
            fresh_id: fresh::new_id(),
            name,
            asset: input::asset(asset, "/asset")?,
            normal_side: normal_side.unwrap_or(Side::Credit),
            min_balance: min_balance.unwrap_or_else(|| Some("0".to_owned())),
            max_balance,
            metadata: input::metadata(metadata)?,
        }))
    }
}

/// Change an account's limits.
#[utoipa::path(patch, path = "/v1/accounts/{id}", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id"),
    ("If-Match" = Option<String>, Header, description = "The ETag that the change builds on")),
    request_body = LimitsInput, responses((status = 200, body = Account)))]
pub async fn limit(write: Write<LimitsInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: LimitsInput { min_balance, max_balance, sends, receives } } = write;
    if min_balance.is_none() && max_balance.is_none() && sends.is_none() && receives.is_none() {
        return Err(input::invalid("", "required", "name at least one limit to change"));
    }
    let what = What::Limits(Limits { min_balance, max_balance, sends, receives });
    change(&context, key, &request, what).await
}

/// Freeze an account: nothing moves but returns of held money.
#[utoipa::path(post, path = "/v1/accounts/{id}/freeze", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id")),
    request_body = ReasonInput, responses((status = 200, body = Account)))]
pub async fn freeze(write: Write<ReasonInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ReasonInput { reason } } = write;
    let what = What::Freeze(input::text(reason, "/reason")?);
    change(&context, key, &request, what).await
}

/// Unfreeze an account.
#[utoipa::path(post, path = "/v1/accounts/{id}/unfreeze", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id")),
    request_body = UnfreezeInput, responses((status = 200, body = Account)))]
pub async fn unfreeze(write: Write<UnfreezeInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: UnfreezeInput {} } = write;
    change(&context, key, &request, What::Unfreeze).await
}

/// Close an account for ever; its balances must all be zero.
#[utoipa::path(post, path = "/v1/accounts/{id}/close", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id")),
    request_body = ReasonInput, responses((status = 200, body = Account)))]
pub async fn close(write: Write<ReasonInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ReasonInput { reason } } = write;
    let what = What::Close(input::text(reason, "/reason")?);
    change(&context, key, &request, what).await
}

async fn change(
    context: &Context,
    key: RequestKey,
    request: &HttpRequest,
    what: What,
) -> Result<HttpResponse, Problem> {
    let command =
        Command::Change(Change { account: input::path_id(request)?, expected: if_match(request.headers())?, what });
    Ok(tagged(write::single(context, key, command).await?))
}

/// The account of an id, or 404.
pub async fn one(context: &Context, id: Uuid) -> Result<AccountRow, Problem> {
    context.app.ledger.account(&context.actor, id).await?.ok_or_else(Problem::not_found)
}

/// What never changes about the account of an id, or 404.
pub async fn identity(context: &Context, id: Uuid) -> Result<Arc<Identity>, Problem> {
    context.app.ledger.identity(&context.actor, id).await?.ok_or_else(Problem::not_found)
}

/// Read an account.
#[utoipa::path(get, path = "/v1/accounts/{id}", tag = "Accounts", params(("id" = Uuid, Path, description = "The account's id")), responses((status = 200, body = Account)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let account = Account::from(one(&context, input::path_id(&request)?).await?);
    Ok(HttpResponse::Ok().insert_header((header::ETAG, account.etag())).json(account))
}

/// One page of accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountPage {
    /// The rows.
    accounts: Vec<Account>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// List accounts in the order of their opening.
#[utoipa::path(get, path = "/v1/accounts", tag = "Accounts", params(
    ("name" = Option<String>, Query, description = "Only of this name"),
    ("asset" = Option<String>, Query, description = "Only of this asset"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = AccountPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["name", "asset", "cursor", "limit"])?;
    let filter =
        AccountFilter { name: query.text("name").map(str::to_owned), asset: query.text("asset").map(str::to_owned) };
    if filter.name.as_deref().is_some_and(|name| !name::is_account_name(name)) {
        return Err(invalid("name", "malformed", "a name is 1 to 255 of a-z 0-9 : _ . % -"));
    }
    if filter.asset.as_deref().is_some_and(|code| !name::is_asset_code(code)) {
        return Err(invalid("asset", "malformed", "an asset's code is a capital letter and up to 30 of A-Z 0-9 . _ -"));
    }
    let (list, limit) = (query.list("accounts"), query.limit()?);
    let after = page::after(&context, &query, &list)?.unwrap_or(0);
    let mut rows = context.app.ledger.accounts(&context.actor, &filter, after, limit + 1).await?;
    let next = page::cut(&mut rows, limit)
        .then(|| rows.last().map(|last| page::next(&context, &list, &last.identity.number)))
        .flatten();
    let items: Vec<Account> = rows.into_iter().map(Account::from).collect();
    Ok(HttpResponse::Ok().json(AccountPage { accounts: items, next }))
}
