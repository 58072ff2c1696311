//! `/v1/admin/services`: what terminals charge for, and what such charges are subject to.

use super::render;
use crate::access::staff::territory;
use crate::answer::settlement::Service;
use crate::context::{Context, Write};
use crate::etag::{etag, if_match, tagged};
use crate::ledger::input::{account, asset, invalid, path_id};
use crate::ledger::page;
use crate::object::{self, SomeUuid, nullable, object, optional, parse_uuid, some_uuid, uuid};
use crate::problem::Problem;
use crate::query::{self, Query};
use crate::write;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::settlement::{Details, Offer, OfferChange, SplitInput, TermsInput};

/// A service to open. Provider and asset are for ever.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceInput {
    /// Whose it is.
    #[serde(deserialize_with = "some_uuid")]
    provider: Uuid,
    /// As payers see it.
    #[schema(example = "Ônibus Centro", min_length = 1, max_length = 25)]
    label: String,
    /// Where it is.
    #[schema(example = "Porto Alegre", min_length = 1, max_length = 15)]
    city: String,
    /// The category of its trade (ISO 18245).
    #[serde(default)]
    #[schema(example = "4111", pattern = "^[0-9]{4}$")]
    mcc: Option<String>,
    /// The unit that looks after it; without one, the provider's.
    #[serde(default, deserialize_with = "uuid")]
    unit: Option<Uuid>,
    /// What it is paid in.
    #[schema(example = "BRL", pattern = r"^[A-Z][A-Z0-9._-]{0,30}$")]
    asset: String,
    /// What its charges are subject to; what is absent is as it is usual.
    #[serde(default, deserialize_with = "optional")]
    terms: Option<ServiceTermsInput>,
}

/// What charges are subject to.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceTermsInput {
    /// Who is paid out of what is captured, before the service gets the rest; 8 at most, and no more than is captured.
    #[serde(default, deserialize_with = "object::list")]
    #[schema(max_items = 8)]
    splits: Vec<ServiceSplitInput>,
    /// For so many days after its capture a charge can be refunded; 90 unless said.
    #[serde(default)]
    #[schema(example = 90, maximum = 365)]
    refund_days: Option<u16>,
    /// A refund above this takes an approval; absent or null is that none does.
    #[serde(default)]
    #[schema(example = "500.00", pattern = r"^(0|[1-9][0-9]{0,19})(\.[0-9]{1,8})?$")]
    approval_above: Option<String>,
    /// By how many per cent a final capture may exceed what was authorised, for tips and fuel; 0 unless said.
    #[serde(default)]
    #[schema(example = 0, maximum = 100)]
    over_capture_percent: Option<u8>,
    /// For so many hours an authorisation holds the payer's money; 24 unless said.
    #[serde(default)]
    #[schema(example = 24, minimum = 1, maximum = 168)]
    hold_hours: Option<u16>,
}

/// A part of each capture that is somebody else's.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSplitInput {
    /// As statements call it.
    #[schema(example = "platform", min_length = 1, max_length = 40)]
    name: String,
    /// Who gets it: an account's id or name, of the service's asset. `system:fees` is what the operator earns.
    #[schema(example = "system:fees", pattern = r"^[a-z0-9:_.%-]{1,255}$")]
    account: String,
    /// A fixed part and a part of what is captured, rounded half up to a minor unit.
    #[serde(deserialize_with = "object")]
    price: crate::payments::prices::PriceInput,
}

/// What to change; what is absent stays. `status` goes alone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct ServiceEdit {
    /// Another label.
    #[serde(default)]
    #[schema(example = "Ônibus Norte", min_length = 1, max_length = 25)]
    label: Option<String>,
    /// Another city.
    #[serde(default)]
    #[schema(example = "Porto Alegre", min_length = 1, max_length = 15)]
    city: Option<String>,
    /// Another category; null is none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "4111", pattern = "^[0-9]{4}$")]
    mcc: Option<Option<String>>,
    /// Another unit; null is none.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    unit: Option<Option<SomeUuid>>,
    /// Other terms, all of them. Charges that were made before keep theirs.
    #[serde(default, deserialize_with = "optional")]
    terms: Option<ServiceTermsInput>,
    /// `suspended` lets nobody charge for it; `open` does again.
    #[serde(default)]
    #[schema(example = "suspended", pattern = "^(open|suspended)$")]
    status: Option<String>,
}

/// One page of services.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServicePage {
    /// In the order of their opening.
    services: Vec<Service>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

impl ServiceTermsInput {
    fn read(self) -> Result<TermsInput, Problem> {
        let Self { splits, refund_days, approval_above, over_capture_percent, hold_hours } = self;
        let split = |(index, ServiceSplitInput { name, account: text, price })| {
            let account = account(&text, &format!("/terms/splits/{index}/account"))?;
            let (fixed, basis_points) = price.parts();
            Ok(SplitInput { name, account, fixed, basis_points })
        };
        let splits: Result<Vec<SplitInput>, Problem> = splits.into_iter().enumerate().map(split).collect();
        Ok(TermsInput { splits: splits?, refund_days, approval_above, over_capture_percent, hold_hours })
    }
}

impl ServiceEdit {
    fn read(self) -> Result<OfferChange, Problem> {
        let Self { label, city, mcc, unit, terms, status } = self;
        let unit = unit.map(|unit| unit.map(|SomeUuid(unit)| unit));
        let details = Details { label, city, mcc, unit, terms: terms.map(ServiceTermsInput::read).transpose()? };
        let is_empty = details == Details::default();
        match status.as_deref() {
            Some(_) if !is_empty => Err(invalid("/status", "unknown-member", "a status is changed alone")),
            Some("suspended") => Ok(OfferChange::Suspend),
            Some("open") => Ok(OfferChange::Resume),
            Some(_) => Err(invalid("/status", "out-of-range", "a status is open or suspended")),
            None if is_empty => Err(super::nothing_to_change()),
            None => Ok(OfferChange::Details(Box::new(details))),
        }
    }
}

/// Open a service: what a terminal charges for. Its money comes to an account of its own, named `service:<id>`.
#[utoipa::path(post, path = "/v1/admin/services", tag = "Providers", request_body = ServiceInput, responses((status = 201, body = Service)))]
pub async fn open(write: Write<ServiceInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    let ServiceInput { provider, label, city, mcc, unit, asset: code, terms } = value;
    let (asset, terms) = (asset(code, "/asset")?, terms.unwrap_or_default().read()?);
    let new = Offer { id: fresh::new_id(), provider, label, city, mcc, unit, asset, terms };
    let (territory, render) = (territory(&context).await?, render(&context));
    let executed = context.app.services.open(&context.actor, &key, &territory, &new, &render).await?;
    Ok(tagged(write::answered(&context, executed.disposed, &executed.known).await?))
}

/// The services that you look after.
#[utoipa::path(get, path = "/v1/admin/services", tag = "Providers", params(
    ("provider" = Option<Uuid>, Query, description = "Only of this provider"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows at most", minimum = 1, maximum = 100)
), responses((status = 200, body = ServicePage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["provider", "cursor", "limit"])?;
    let named =
        |text| parse_uuid(text).ok_or_else(|| query::invalid("provider", "malformed", "name the provider by its id"));
    let provider = query.text("provider").map(named).transpose()?;
    let (list, limit) = (query.list("services"), query.limit()?);
    let after: i64 = page::after(&context, &query, &list)?.unwrap_or(0);
    let territory = territory(&context).await?;
    let found = context.app.services.services(&context.actor, &territory, provider, (after, limit)).await?;
    let next = found.next.map(|place| page::next(&context, &list, &place));
    Ok(HttpResponse::Ok()
        .json(ServicePage { services: found.items.into_iter().map(Service::standing).collect(), next }))
}

/// Read a service.
#[utoipa::path(get, path = "/v1/admin/services/{id}", tag = "Providers", params(("id" = Uuid, Path, description = "The service's id")), responses((status = 200, body = Service)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (id, territory) = (path_id(&request)?, territory(&context).await?);
    let found = context.app.services.service(&context.actor, &territory, id).await?;
    Ok(HttpResponse::Ok().insert_header((header::ETAG, etag(found.version))).json(Service::standing(found)))
}

/// Change a service, suspend it, or let it go on.
#[utoipa::path(patch, path = "/v1/admin/services/{id}", tag = "Providers", params(("id" = Uuid, Path, description = "The service's id"),
    ("If-Match" = Option<String>, Header, description = "The ETag that the change builds on")),
    request_body = ServiceEdit, responses((status = 200, body = Service)))]
pub async fn change(request: HttpRequest, write: Write<ServiceEdit>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    let change = value.read()?;
    let what = (path_id(&request)?, if_match(request.headers())?, &change);
    let (territory, render) = (territory(&context).await?, render(&context));
    let executed = context.app.services.change(&context.actor, &key, &territory, what, &render).await?;
    Ok(tagged(write::answered(&context, executed.disposed, &executed.known).await?))
}
