//! `/v1/batches`: up to 10,000 items in one commit, answered in their order.

use super::accounts::AccountInput;
use super::holds::capture::CaptureInput;
use super::holds::place::HoldInput;
use super::input::{self, LineInput, Money};
use super::transactions::TransactionInput;
use crate::answer::batch::BatchResults;
use crate::context::{Context, Write};
use crate::object::{list, objects, optional, some_uuid};
use crate::problem::Problem;
use crate::write;
use actix_web::HttpResponse;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::ledger::command::{Command, Grouped};

/// How many items a batch may have.
const ITEMS: usize = 10_000;
/// The longest name of a group.
const GROUP: usize = 64;

/// Items that are done in one commit, each on its own or in groups.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchInput {
    /// 1 to 10,000.
    #[serde(deserialize_with = "list")]
    #[schema(min_items = 1, max_items = 10000)]
    items: Vec<ItemInput>,
}

/// One item: exactly one of `account`, `transaction`, `hold`, `capture` and `release`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"group": "row-17", "transaction": {"from": "bank", "to": "citizen:0042", "amount": {"amount": "10.00", "asset": "BRL"}}}))]
pub struct ItemInput {
    /// Consecutive items of one group commit or fail together.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    group: Option<String>,
    /// An account to open; other items can use it from the next request on.
    #[serde(default, deserialize_with = "optional")]
    account: Option<AccountInput>,
    /// A transaction to post.
    #[serde(default, deserialize_with = "optional")]
    transaction: Option<TransactionInput>,
    /// A hold to place.
    #[serde(default, deserialize_with = "optional")]
    hold: Option<HoldInput>,
    /// A hold to capture.
    #[serde(default, deserialize_with = "optional")]
    capture: Option<HoldCapture>,
    /// A hold to release.
    #[serde(default, deserialize_with = "optional")]
    release: Option<HoldRelease>,
}

/// A capture that names its hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldCapture {
    /// The hold.
    #[serde(deserialize_with = "some_uuid")]
    hold: Uuid,
    /// Of a hold of one or two legs.
    #[serde(default, deserialize_with = "optional")]
    amount: Option<Money>,
    /// Amounts of single lines, balanced per asset.
    #[serde(default, deserialize_with = "objects")]
    lines: Option<Vec<LineInput>>,
    /// Everything that remains.
    #[serde(default)]
    all: Option<bool>,
    /// Where the money goes, when the hold did not name it.
    #[serde(default)]
    to: Option<String>,
    /// What remains is released.
    #[serde(default, rename = "final")]
    is_final: Option<bool>,
    /// For people; nothing personal.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// Your own facts; nothing personal.
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

/// A release that names its hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldRelease {
    /// The hold.
    #[serde(deserialize_with = "some_uuid")]
    hold: Uuid,
}

/// Post a batch.
#[utoipa::path(post, path = "/v1/batches", tag = "Batches", request_body = BatchInput, responses((status = 200, body = BatchResults)))]
pub async fn post(write: Write<BatchInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: BatchInput { items } } = write;
    if !(1..=ITEMS).contains(&items.len()) {
        return Err(input::invalid("/items", "out-of-range", format!("a batch has 1 to {ITEMS} items")));
    }
    let mut commands = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        commands.push(item.command(&context).map_err(|problem| problem.below(&format!("/items/{index}")))?);
    }
    Ok(write::batch(&context, key, commands).await?.respond())
}

impl ItemInput {
    fn command(self, context: &Context) -> Result<Grouped, Problem> {
        let Self { group, account, transaction, hold, capture, release } = self;
        if group.as_ref().is_some_and(|group| group.is_empty() || group.len() > GROUP) {
            return Err(input::invalid("/group", "too-long", format!("a group's name has 1 to {GROUP} bytes")));
        }
        let below = |member: &'static str| move |problem: Problem| problem.below(member);
        let command = match (account, transaction, hold, capture, release) {
            (Some(account), None, None, None, None) => account.command().map_err(below("/account"))?,
            (None, Some(transaction), None, None, None) => {
                transaction.command(context).map_err(below("/transaction"))?
            }
            (None, None, Some(hold), None, None) => hold.command(context).map_err(below("/hold"))?,
            (None, None, None, Some(capture), None) => capture.command().map_err(below("/capture"))?,
            (None, None, None, None, Some(HoldRelease { hold })) => Command::Release { hold },
            _ => {
                return Err(input::invalid(
                    "",
                    "required",
                    "an item is exactly one of account, transaction, hold, capture and release",
                ));
            }
        };
        Ok(Grouped { command, group: group.map(Arc::from) })
    }
}

impl HoldCapture {
    fn command(self) -> Result<Command, Problem> {
        let Self { hold, amount, lines, all, to, is_final, description, metadata } = self;
        CaptureInput { amount, lines, all, to, is_final, description, metadata }.command(hold)
    }
}
