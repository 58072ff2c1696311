//! `POST /v1/holds`

use crate::answer::hold::Hold;
use crate::context::{Context, Write};
use crate::ledger::input::{self, LegInput, Money, Movement};
use crate::object::{objects, optional, uuid};
use crate::problem::Problem;
use crate::write;
use actix_web::HttpResponse;
use serde::Deserialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::ledger::command::Command;
use vintem_core::ledger::placing::{LONGEST, Place};
use vintem_core::telemetry::clock;

/// A hold to place: `from`, `amount` and perhaps `to`; or `legs`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "citizen:0042", "to": "hotel", "amount": {"amount": "150.00", "asset": "BRL"}, "expires_at": "2026-03-08T12:00:00Z"}))]
pub struct HoldInput {
    /// Your own id makes the placing idempotent by itself, whatever its key.
    #[serde(default, deserialize_with = "uuid")]
    id: Option<Uuid>,
    /// The account whose money is held, by id or name.
    #[serde(default)]
    #[schema(example = "citizen:0042", pattern = r"^[a-z0-9:_.%-]{1,255}$")]
    from: Option<String>,
    /// Where it will go, by id or name; a capture may name it instead.
    #[serde(default)]
    #[schema(example = "hotel", pattern = r"^[a-z0-9:_.%-]{1,255}$")]
    to: Option<String>,
    /// How much.
    #[serde(default, deserialize_with = "optional")]
    amount: Option<Money>,
    /// Any number of legs, balanced per asset, an account at most once.
    #[serde(default, deserialize_with = "objects")]
    #[schema(min_items = 1, max_items = 1000)]
    legs: Option<Vec<LegInput>>,
    /// From then on it counts as ended; at most 31 days from now.
    #[schema(example = "2026-03-08T12:00:00Z")]
    expires_at: String,
    /// By how many per cent a final capture may exceed it, 0 to 100.
    #[serde(default)]
    #[schema(example = 0, maximum = 100)]
    over_capture_percent: Option<u8>,
    /// For people; nothing personal.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// Your own facts; nothing personal.
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl HoldInput {
    /// The command, or what is wrong with a member.
    pub fn command(self, context: &Context) -> Result<Command, Problem> {
        let Self { id, from, to, amount, legs, expires_at, over_capture_percent, description, metadata } = self;
        let (legs, pointers) = Movement { from, to, amount, legs }.legs(true)?;
        let over_capture_percent = over_capture_percent.unwrap_or(0);
        if over_capture_percent > 100 {
            return Err(input::invalid("/over_capture_percent", "out-of-range", "the tolerance is 0 to 100 per cent"));
        }
        let expires_at = input::instant(&expires_at, "/expires_at", context)?;
        let now = clock::now();
        if expires_at <= now || expires_at > now + LONGEST {
            return Err(input::invalid("/expires_at", "out-of-range", "a hold ends after now and within 31 days"));
        }
        Ok(Command::Place(Place {
            id: input::chosen(id),
            legs,
            pointers,
            expires_at,
            over_capture_percent,
            description: input::text(description, "/description")?,
            metadata: input::metadata(metadata)?,
        }))
    }
}

/// Place a hold.
#[utoipa::path(post, path = "/v1/holds", tag = "Holds", request_body = HoldInput, responses((status = 201, body = Hold)))]
pub async fn place(write: Write<HoldInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    let command = value.command(&context)?;
    Ok(write::single(&context, key, command).await?.respond())
}
