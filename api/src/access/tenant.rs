//! `/v1/tenant`: what the operator decided about the caller's tenant.

use crate::answer;
use crate::context::Context;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::Kept;
use vintem_core::access::settings::LegalMode;

/// The caller's tenant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tenant {
    /// Its id.
    id: Uuid,
    /// Its name in the installation.
    #[schema(example = "coffee-town")]
    name: String,
    /// Where its days, nights and months begin.
    #[schema(example = "America/Sao_Paulo")]
    time_zone: String,
    /// `active`; or `suspended`, when it may look and not write.
    #[schema(example = "active")]
    status: &'static str,
    /// `authorised`, `limited-purpose` or `sandbox`; null while nobody has said.
    #[schema(example = "limited-purpose")]
    legal_mode: Option<&'static str>,
    /// The assets that it may register; null is any.
    #[schema(example = json!(["BRL"]))]
    assets: Option<Vec<String>>,
    /// The asset of its citizens' accounts; null: it has no citizens.
    #[schema(example = "BRL")]
    citizen_asset: Option<String>,
    /// The names that it is called by. Elsewhere it is known by its token alone.
    #[schema(example = json!(["wallet.example.org"]))]
    hostnames: Vec<String>,
    /// When it was made.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    created_at: String,
}

impl From<Kept> for Tenant {
    fn from(Kept { tenant, settings, created_at }: Kept) -> Self {
        Self {
            id: tenant.tenant,
            name: tenant.name.as_str().to_owned(),
            time_zone: tenant.time_zone.name().to_owned(),
            status: settings.status.as_str(),
            legal_mode: settings.legal_mode.map(LegalMode::as_str),
            assets: settings.assets.map(|assets| assets.into_iter().collect()),
            citizen_asset: settings.citizen_asset,
            hostnames: settings.hostnames.iter().map(ToString::to_string).collect(),
            created_at: answer::time(created_at),
        }
    }
}

/// Read your tenant: its days, and what the operator decided about it.
#[utoipa::path(get, path = "/v1/tenant", tag = "Access", responses((status = 200, body = Tenant)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let kept = context.app.access.settings(context.caller.tenant).await?;
    Ok(HttpResponse::Ok().json(Tenant::from(kept)))
}
