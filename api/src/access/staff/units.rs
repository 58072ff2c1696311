//! `/v1/admin/units`: the parts of a tenant that members belong to.

use super::of;
use super::users::render;
use crate::answer::staff::StaffUnit;
use crate::answer::unstored;
use crate::context::{Context, Write};
use crate::ledger::input::path_id;
use crate::object::{SomeUuid, nullable, uuid};
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::Reach;
use vintem_core::access::staff::{UnitName, Units};
use vintem_core::event_store::fresh;
use vintem_core::kernel::{Place, Refusal};
use vintem_core::ledger::known::Known;

/// Another unit.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitInput {
    /// Unique in the tenant; nothing personal, for it stands in the log for ever.
    #[schema(example = "Market hall", min_length = 1, max_length = 100)]
    name: String,
    /// The unit that it is part of.
    #[serde(default, deserialize_with = "uuid")]
    parent: Option<Uuid>,
}

/// What to change: exactly one of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct UnitChange {
    /// Another name.
    #[serde(default)]
    #[schema(example = "Market hall and fairs", min_length = 1, max_length = 100)]
    name: Option<String>,
    /// The unit that it is part of from then on, with all that is below it; null is none. It takes a grant on all units.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    parent: Option<Option<SomeUuid>>,
}

/// Units.
#[derive(Serialize, ToSchema)]
pub struct UnitList {
    /// By name.
    units: Vec<StaffUnit>,
}

/// Make a unit.
#[utoipa::path(post, path = "/v1/admin/units", tag = "Staff", request_body = UnitInput, responses((status = 201, body = StaffUnit)))]
pub async fn create(write: Write<UnitInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: UnitInput { name, parent } } = write;
    let (id, name) = (fresh::new_id(), named(&name)?);
    let decide = |units: &Units| units.create(id, &name, parent);
    let disposed = context.app.staff.change_units(&context.actor, key, decide, render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// The units of the tenant.
#[utoipa::path(get, path = "/v1/admin/units", tag = "Staff", responses((status = 200, body = UnitList)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let all = context.app.staff.units(of(&context.tenant)).await?;
    let mut units: Vec<StaffUnit> = all.iter().map(|(id, unit)| StaffUnit::of(id, unit)).collect();
    units.sort_by(|one, next| one.name.cmp(&next.name));
    Ok(unstored(UnitList { units }))
}

/// Rename a unit, or move it with all that is below it. It is never below itself.
#[utoipa::path(patch, path = "/v1/admin/units/{id}", tag = "Staff", params(("id" = uuid::Uuid, Path, description = "The unit's id")), request_body = UnitChange, responses((status = 200, body = StaffUnit)))]
pub async fn change(request: HttpRequest, write: Write<UnitChange>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    let id = path_id(&request)?;
    let (staff, render) = (&context.app.staff, render(&context));
    let disposed = match (value.name, value.parent) {
        (Some(name), None) => {
            let name = named(&name)?;
            staff.change_units(&context.actor, key, |units| units.rename(id, &name), render).await?
        }
        (None, Some(parent)) => {
            // It changes whom other grants are about, on both ends of the way.
            if context.reach != Reach::All {
                return Err(Problem::new(Code::Forbidden, "moving a unit needs the grant edit:unit on all units"));
            }
            let parent = parent.map(|SomeUuid(parent)| parent);
            staff.change_units(&context.actor, key, |units| units.shift(id, parent), render).await?
        }
        _ => {
            let place = Place::Pointer(String::new());
            return Err(Problem::invalid(place, "required", "send exactly one of name and parent"));
        }
    };
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

fn named(text: &str) -> Result<UnitName, Problem> {
    text.parse().map_err(|refusal: Refusal| refusal.at("/name").into())
}
