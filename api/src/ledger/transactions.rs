//! `/v1/transactions`: money moves between accounts, in balanced legs, all at once.

use super::input::{self, LegInput, Money, Movement};
use super::page;
use crate::answer::transaction::Transaction;
use crate::context::{Context, Write};
use crate::object::{objects, optional, uuid};
use crate::problem::{Code, Problem};
use crate::query::{Query, invalid};
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::ledger::command::Command;
use vintem_core::ledger::transaction::Post;

/// A transaction to post: `from`, `to` and `amount`, or `legs`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"from": "citizen:0042", "to": "bus:line-7", "amount": {"amount": "4.50", "asset": "BRL"}, "description": "Ride"}))]
pub struct TransactionInput {
    /// Your own id makes the posting idempotent by itself, whatever its key.
    #[serde(default, deserialize_with = "uuid")]
    id: Option<Uuid>,
    /// The account that is debited, by id or name.
    #[serde(default)]
    #[schema(example = "citizen:0042", pattern = r"^[a-z0-9:_.%-]{1,255}$")]
    from: Option<String>,
    /// The account that is credited, by id or name.
    #[serde(default)]
    #[schema(example = "bus:line-7", pattern = r"^[a-z0-9:_.%-]{1,255}$")]
    to: Option<String>,
    /// How much; `amount` may be the word `available`.
    #[serde(default, deserialize_with = "optional")]
    amount: Option<Money>,
    /// Any number of legs, balanced per asset, an account at most once.
    #[serde(default, deserialize_with = "objects")]
    #[schema(min_items = 2, max_items = 1000)]
    legs: Option<Vec<LegInput>>,
    /// The value date: an RFC 3339 instant, or a date, whose start in the tenant's time zone counts.
    #[serde(default)]
    #[schema(example = "2026-03-01")]
    effective_at: Option<String>,
    /// For people; nothing personal.
    #[serde(default)]
    #[schema(max_length = 1024)]
    description: Option<String>,
    /// Your own facts, searchable by equality; nothing personal.
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl TransactionInput {
    /// The command, or what is wrong with a member.
    pub fn command(self, context: &Context) -> Result<Command, Problem> {
        let Self { id, from, to, amount, legs, effective_at, description, metadata } = self;
        let (legs, pointers) = Movement { from, to, amount, legs }.legs(false)?;
        Ok(Command::Post(Post {
            id: input::chosen(id),
            legs,
            pointers,
            effective_at: input::effective_at(effective_at, context)?,
            description: input::text(description, "/description")?,
            metadata: input::metadata(metadata)?,
        }))
    }
}

/// Post a transaction.
#[utoipa::path(post, path = "/v1/transactions", tag = "Transactions", request_body = TransactionInput, responses((status = 201, body = Transaction)))]
pub async fn post(write: Write<TransactionInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    let command = value.command(&context)?;
    Ok(write::single(&context, key, command).await?.respond())
}

/// Read a transaction with its reversals.
#[utoipa::path(get, path = "/v1/transactions/{id}", tag = "Transactions", params(("id" = Uuid, Path, description = "The transaction's id")), responses((status = 200, body = Transaction)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let id = input::path_id(&request)?;
    let facts = context.app.ledger.transaction(&context.actor, id).await?.ok_or_else(Problem::not_found)?;
    let entries = facts.entries_of(&facts.events);
    let transaction = Transaction::of(&facts.events, &entries, &facts.known)
        .map_err(|error| Problem::new(Code::InternalError, error.to_string()))?;
    Ok(HttpResponse::Ok().json(transaction))
}

/// One page of transactions.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransactionPage {
    /// The rows.
    transactions: Vec<Transaction>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// How many members one search may name.
const MEMBERS: usize = 5;

/// Search transactions by metadata, newest first: `?metadata[order]=7`. Several members must all hold.
#[utoipa::path(get, path = "/v1/transactions", tag = "Transactions", params(
    ("metadata" = BTreeMap<String, String>, Query, style = DeepObject, explode, description = "Members that must be equal"),
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = TransactionPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["metadata[]", "cursor", "limit"])?;
    let members = query.members("metadata");
    if members.is_empty() || members.len() > MEMBERS {
        return Err(invalid("metadata", "required", "name 1 to 5 members, such as metadata[order]=7"));
    }
    let (list, limit) = (query.list("transactions"), query.limit()?);
    let before = page::after(&context, &query, &list)?.unwrap_or(i64::MAX);
    let facts = context.app.ledger.transactions_by_metadata(&context.actor, &members, before, limit + 1).await?;
    let show = |event| {
        let events = std::slice::from_ref(event);
        Transaction::posted(event, &facts.entries_of(events), &facts.known)
            .map_err(|error| Problem::new(Code::InternalError, error.to_string()))
    };
    let mut items = facts.events.iter().map(show).collect::<Result<Vec<_>, _>>()?;
    let next = page::cut(&mut items, limit)
        .then(|| items.last().map(|last| page::next(&context, &list, &last.position)))
        .flatten();
    Ok(HttpResponse::Ok().json(TransactionPage { transactions: items, next }))
}
