//! `/v1/terminal/heartbeats`: a terminal says that it is there, and hears what it is to do.

use super::terminal;
use crate::answer::terminal::TerminalOrder;
use crate::answer::{time, unstored};
use crate::context::Question;
use crate::object::{SomeUuid, optional, parse_uuid};
use crate::problem::Problem;
use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vintem_core::kernel::{Place, When};
use vintem_core::terminals::Said;

/// More orders than a terminal ever has.
const DONE: usize = 20;

/// A sign of life.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatInput {
    /// What runs on the device.
    #[schema(example = "2.4.1", max_length = 64)]
    version: String,
    /// The number of its last message; 0 before the first.
    #[schema(example = 1842, minimum = 0)]
    last_seq: i64,
    /// What its clock says, with an offset.
    #[schema(example = "2026-03-01T12:00:00Z")]
    local_time: String,
    /// Whether somebody opened it.
    #[serde(default)]
    tamper: bool,
    /// Payments that it took without a network.
    #[serde(default, deserialize_with = "optional")]
    offline: Option<OfflineInput>,
    /// The orders that it has carried out.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 20)]
    done: Vec<SomeUuid>,
}

/// What waits on a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfflineInput {
    /// How many payments.
    #[schema(example = 3, minimum = 0, maximum = 100_000)]
    count: i32,
    /// How much they are, in the device's own asset.
    #[schema(example = "31.50", max_length = 32)]
    amount: String,
}

/// What a terminal hears.
#[derive(Serialize, ToSchema)]
pub struct HeartbeatAnswer {
    /// What the clock says here.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    server_time: String,
    /// How far the device's is ahead, in milliseconds. Beyond five minutes messages that carry its time are refused.
    #[schema(example = -120)]
    skew_ms: i64,
    /// The version of its configuration; a newer one is read at `/v1/terminal/config`.
    #[schema(example = 3)]
    config_version: i32,
    /// What it is to do, the oldest first; each comes again until it is named in `done`.
    commands: Vec<TerminalOrder>,
}

/// Say that you are there.
#[utoipa::path(post, path = "/v1/terminal/heartbeats", tag = "Terminals", request_body = HeartbeatInput, responses((status = 200, body = HeartbeatAnswer)))]
pub async fn beat(question: Question<HeartbeatInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value } = question;
    let said = value.said()?;
    let told = context.app.terminals.heartbeat(&context.actor, terminal(&context)?.terminal, &said).await?;
    let order =
        |line: &String| line.split_once(' ').and_then(|(id, command)| Some((parse_uuid(id)?, command.to_owned())));
    let orders = told.orders.iter().filter_map(order);
    Ok(unstored(HeartbeatAnswer {
        server_time: time(told.server_time),
        skew_ms: told.skew.num_milliseconds(),
        config_version: told.config,
        commands: orders.map(|(id, command)| TerminalOrder::of(id, &command)).collect(),
    }))
}

impl HeartbeatInput {
    fn said(self) -> Result<Said, Problem> {
        let Self { version, last_seq, local_time, tamper, offline, done } = self;
        let at = |pointer: &str| Place::Pointer(pointer.to_owned());
        if !is_short(&version, 64) {
            return Err(Problem::invalid(at("/version"), "too-long", "a version has 1 to 64 printable characters"));
        }
        if last_seq < 0 {
            return Err(Problem::invalid(at("/last_seq"), "out-of-range", "a number of a message is not negative"));
        }
        if done.len() > DONE {
            return Err(Problem::invalid(at("/done"), "too-long", format!("at most {DONE} orders are named at once")));
        }
        let offline = match offline {
            None => (0, None),
            Some(OfflineInput { count, amount }) => {
                if !(0..=100_000).contains(&count) {
                    return Err(Problem::invalid(at("/offline/count"), "out-of-range", "a count is 0 to 100000"));
                }
                let is_amount =
                    is_short(&amount, 32) && amount.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                if !is_amount {
                    return Err(Problem::invalid(
                        at("/offline/amount"),
                        "malformed",
                        "this is not an amount such as 31.50",
                    ));
                }
                (count, Some(amount))
            }
        };
        let Some(When::At(local_time)) = When::parse(&local_time) else {
            let detail = "a clock says an instant of RFC 3339 such as 2026-03-31T12:00:00Z";
            return Err(Problem::invalid(at("/local_time"), "malformed", detail));
        };
        let done = done.into_iter().map(|SomeUuid(id)| id).collect();
        Ok(Said { software: version, last_seq, local_time, tampered: tamper, offline, done })
    }
}

fn is_short(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}
