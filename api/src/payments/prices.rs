//! `/v1/prices/{asset}`: what payments cost.

use crate::answer::payment::Prices;
use crate::context::{Context, Write};
use crate::object::optional;
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::payments::event::PricesChanged;
use vintem_core::payments::level;
use vintem_core::payments::price::Price;

/// The whole list, as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PricesInput {
    /// What a transfer costs; without it, transfers are free.
    #[serde(default, deserialize_with = "optional")]
    transfer: Option<PriceInput>,
}

/// A fixed part and a part of the amount.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceInput {
    /// Whatever the amount is.
    #[schema(example = "0.10", pattern = r"^(0|[1-9][0-9]{0,19})(\.[0-9]{1,8})?$")]
    fixed: String,
    /// Of the amount, in hundredths of a per cent.
    #[serde(default)]
    #[schema(example = 50, maximum = 10_000)]
    basis_points: u16,
}

impl PriceInput {
    /// The fixed part as text, and the share.
    pub fn parts(self) -> (String, u16) {
        (self.fixed, self.basis_points)
    }
}

/// What payments in an asset cost. Every known caller may ask; an asset that is not registered is not found.
#[utoipa::path(get, path = "/v1/prices/{code}", tag = "Money", params(("code" = String, Path, description = "The asset's code")), responses((status = 200, body = Prices)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let prices = context.app.payments.price_list(&context.actor, code(&request)).await?;
    Ok(HttpResponse::Ok().json(Prices::standing(prices.version, &prices.list)))
}

/// Change what payments in an asset cost. Payments that were asked for before keep the price that their payers were told.
#[utoipa::path(post, path = "/v1/prices/{code}", tag = "Money", params(("code" = String, Path, description = "The asset's code")), request_body = PricesInput, responses((status = 200, body = Prices)))]
pub async fn change(write: Write<PricesInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: PricesInput { transfer } } = write;
    let list = |scale| {
        let price = |PriceInput { fixed, basis_points }: &PriceInput| {
            Ok(Price { fixed: level(fixed, scale, "/transfer/fixed")?, basis_points: *basis_points })
        };
        Ok(PricesChanged { scale, transfer: transfer.as_ref().map(price).transpose()? })
    };
    let (payments, render) = (&context.app.payments, super::render(&context));
    let executed = payments.change_prices(&context.actor, &key, code(&request), list, &render).await?;
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

fn code(request: &HttpRequest) -> &str {
    request.match_info().get("code").unwrap_or_default()
}
