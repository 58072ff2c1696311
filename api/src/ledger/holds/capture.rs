//! `POST /v1/holds/{id}/captures`

use crate::answer::hold::Capture as CaptureAnswer;
use crate::context::Write;
use crate::ledger::input::{self, LineInput, Money};
use crate::object::{objects, optional};
use crate::problem::Problem;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::fresh;
use vintem_core::ledger::capture::Capture;
use vintem_core::ledger::command::Command;

/// What to capture: an `amount`, `lines`, or everything that remains.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"amount": {"amount": "120.00", "asset": "BRL"}, "final": true}))]
pub struct CaptureInput {
    /// Of a hold of one or two legs.
    #[serde(default, deserialize_with = "optional")]
    pub(in crate::ledger) amount: Option<Money>,
    /// Amounts of single lines, balanced per asset.
    #[serde(default, deserialize_with = "objects")]
    pub(in crate::ledger) lines: Option<Vec<LineInput>>,
    /// Everything that remains; so is saying nothing.
    #[serde(default)]
    pub(in crate::ledger) all: Option<bool>,
    /// Where the money goes, by id or name, when the hold did not name it.
    #[serde(default)]
    pub(in crate::ledger) to: Option<String>,
    /// What remains is released; may exceed the hold by its tolerance.
    #[serde(default, rename = "final")]
    pub(in crate::ledger) is_final: Option<bool>,
    /// For people; nothing personal.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub(in crate::ledger) description: Option<String>,
    /// Your own facts; nothing personal.
    #[serde(default)]
    pub(in crate::ledger) metadata: Option<BTreeMap<String, String>>,
}

impl CaptureInput {
    /// The command, or what is wrong with a member.
    pub fn command(self, hold: Uuid) -> Result<Command, Problem> {
        let Self { amount, lines, all, to, is_final, description, metadata } = self;
        Ok(Command::Capture(Capture {
            hold,
            transaction: fresh::new_id(),
            extent: input::extent(amount, lines, all)?,
            to: to.map(|to| input::account(&to, "/to")).transpose()?,
            is_final: is_final.unwrap_or(false),
            description: input::text(description, "/description")?,
            metadata: input::metadata(metadata)?,
        }))
    }
}

/// Capture a hold, wholly or in part.
#[utoipa::path(post, path = "/v1/holds/{id}/captures", tag = "Holds", params(("id" = Uuid, Path, description = "The hold's id")),
    request_body = CaptureInput, responses((status = 201, body = CaptureAnswer)))]
pub async fn capture(write: Write<CaptureInput>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    let command = value.command(input::path_id(&request)?)?;
    Ok(write::single(&context, key, command).await?.respond())
}
