//! `/v1/assets`: what amounts are amounts of.

use super::input;
use super::page;
use crate::answer::account::Asset;
use crate::context::{Context, Write};
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vintem_core::kernel::Place;
use vintem_core::ledger::asset::Register;
use vintem_core::ledger::command::Command;

/// An asset to register. Its code and scale are for ever.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssetInput {
    /// A capital letter and up to 30 of `A-Z 0-9 . _ -`.
    #[schema(example = "BRL", pattern = r"^[A-Z][A-Z0-9._-]{0,30}$")]
    code: String,
    /// Decimals of its minor unit, 0 to 8.
    #[schema(example = 2, maximum = 8)]
    scale: u8,
    /// For people.
    #[serde(default)]
    #[schema(example = "Brazilian real", max_length = 1024)]
    description: Option<String>,
}

/// Register an asset.
#[utoipa::path(post, path = "/v1/assets", tag = "Assets", request_body = AssetInput, responses((status = 201, body = Asset)))]
pub async fn register(write: Write<AssetInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: AssetInput { code, scale, description } } = write;
    // What was answered under the key is answered again, whatever is admitted since.
    let is_admitted = context.app.access.settings(context.caller.tenant).await?.settings.admits(&code);
    if !is_admitted && context.app.ledger.request(&context.actor, key.principal, &key.key).await?.is_none() {
        let detail =
            "the operator of this installation did not admit this asset for the tenant; GET /v1/tenant says which";
        return Err(Problem::invalid(Place::Pointer("/code".to_owned()), "out-of-range", detail));
    }
    let command = Command::Register(Register { code, scale, description: input::text(description, "/description")? });
    Ok(write::single(&context, key, command).await?.respond())
}

/// One page of assets.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssetPage {
    /// The rows.
    assets: Vec<Asset>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// List the assets.
#[utoipa::path(get, path = "/v1/assets", tag = "Assets", params(
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = AssetPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["cursor", "limit"])?;
    let (list, limit) = (query.list("assets"), query.limit()?);
    let after: String = page::after(&context, &query, &list)?.unwrap_or_default();
    let mut rows = context.app.ledger.assets(&context.actor, None, &after, limit + 1).await?;
    let next =
        page::cut(&mut rows, limit).then(|| rows.last().map(|last| page::next(&context, &list, &last.code))).flatten();
    let items: Vec<Asset> = rows.into_iter().map(Asset::from).collect();
    Ok(HttpResponse::Ok().json(AssetPage { assets: items, next }))
}

/// Read an asset.
#[utoipa::path(get, path = "/v1/assets/{code}", tag = "Assets", params(("code" = String, Path, description = "The asset's code")), responses((status = 200, body = Asset)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let code = request
        .match_info()
        .get("code")
        .filter(|code| vintem_core::kernel::name::is_asset_code(code))
        .ok_or_else(Problem::not_found)?;
    let mut rows = context.app.ledger.assets(&context.actor, Some(code), "", 1).await?;
    let row = rows.pop().ok_or_else(Problem::not_found)?;
    Ok(HttpResponse::Ok().json(Asset::from(row)))
}
