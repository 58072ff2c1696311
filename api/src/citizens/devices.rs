//! `/v1/devices`: what a citizen pays with.

use super::{NothingToSay, citizen, of};
use crate::answer::time;
use crate::context::{Context, Question};
use crate::ledger::input::path_id;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A device, to its owner.
#[derive(Serialize, ToSchema)]
pub struct DeviceShown {
    /// Its id.
    id: Uuid,
    /// The SHA-256 of its key (RFC 7638), by which the device itself knows which one it is.
    #[schema(example = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")]
    thumbprint: Option<String>,
    /// When it came.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    added_at: String,
    /// From then on it pays as much as your limits allow; before that, what a new device may.
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    trusted_from: String,
    /// Whether it is the one that asks.
    is_current: bool,
}

/// Devices.
#[derive(Serialize, ToSchema)]
pub struct DeviceList {
    /// The oldest first.
    devices: Vec<DeviceShown>,
}

/// List your devices.
#[utoipa::path(get, path = "/v1/devices", tag = "Citizens", responses((status = 200, body = DeviceList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    Ok(HttpResponse::Ok().json(DeviceList { devices: shown(&context).await? }))
}

/// The devices of the citizen who asks.
pub async fn shown(context: &Context) -> Result<Vec<DeviceShown>, Problem> {
    let (holder, own) = citizen(context)?;
    let devices = context.app.citizens.devices(of(context), holder).await?;
    let shown = devices.into_iter().map(|device| DeviceShown {
        id: device.id,
        thumbprint: device.key().map(|key| key.thumbprint().to_string()),
        added_at: time(device.added_at),
        trusted_from: time(device.trusted_from),
        is_current: device.id == own.device,
    });
    Ok(shown.collect())
}

/// Take a device away, and with it its sessions. Do this when a telephone is lost.
#[utoipa::path(delete, path = "/v1/devices/{id}", tag = "Citizens", params(("id" = Uuid, Path)), request_body = NothingToSay, responses((status = 204)))]
pub async fn remove(question: Question<NothingToSay>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let context = question.context;
    let (holder, _) = citizen(&context)?;
    context.app.citizens.remove_device(&context.actor, holder, path_id(&request)?).await?;
    Ok(HttpResponse::NoContent().finish())
}
