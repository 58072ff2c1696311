//! `/v1/terminal/totals`, `/v1/terminal/batches`: what a terminal has taken, and closing the day (X and Z reports).

use super::{acts, terminal};
use crate::answer::terminal_charge::TerminalBatch;
use crate::answer::unstored;
use crate::context::{Context, Write};
use crate::object;
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::payments::charges::{NewClosing, NewTally};

/// What a terminal has counted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingInput {
    /// By asset; nothing where nothing moved.
    #[serde(default, deserialize_with = "object::list")]
    #[schema(max_items = 8)]
    counted: Vec<CountedInput>,
    /// The last of your own numbers; 0 when you have used none.
    #[schema(example = 1842, minimum = 0)]
    last_seq: i64,
}

/// What was counted in an asset.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CountedInput {
    /// Of what.
    #[schema(example = "BRL")]
    asset: String,
    /// Captured.
    captures: SumInput,
    /// Given back, or on its way.
    refunds: SumInput,
    /// Captured, and taken back by reversals.
    reversals: SumInput,
}

/// How often, and how much together.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SumInput {
    /// How often.
    #[schema(example = 17, minimum = 0)]
    count: i64,
    /// Decimal text.
    #[schema(example = "412.50")]
    amount: String,
}

/// Read what the open batch holds so far (X); this closes nothing.
#[utoipa::path(get, path = "/v1/terminal/totals", tag = "Terminals", responses((status = 200, body = TerminalBatch)))]
pub async fn totals(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let report = context.app.charges.totals(&context.actor, terminal(&context)?.terminal).await?;
    Ok(unstored(TerminalBatch::of(report)))
}

/// Close the open batch (Z). It is closed whether or not both have counted the same: a mismatch says what is missing.
#[utoipa::path(post, path = "/v1/terminal/batches/{number}/close", tag = "Terminals", params(("number" = i32, Path)), request_body = ClosingInput,
    responses((status = 200, body = TerminalBatch)))]
pub async fn close(request: HttpRequest, write: Write<ClosingInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: ClosingInput { counted, last_seq } } = write;
    let (own, number, app) = (terminal(&context)?.terminal, number(&request)?, &context.app);
    let counted = counted.into_iter().map(CountedInput::tally).collect();
    let closing = NewClosing { number, counted, last_seq };
    let render = acts::render(&context);
    let executed = app.charges.close_batch(&context.actor, &key, (own, &closing), &render).await?;
    let Some((_, is_replay)) = acts::unkept(&executed.disposed) else {
        return Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond());
    };
    // What a closed batch holds never changes, so its report is the same for ever.
    let report = app.charges.batch(&context.actor, own, number).await;
    let report = TerminalBatch::of(report.map_err(|error| Problem::from(error).after_the_write())?);
    Ok(write::Ready { status: 200, body: acts::bytes(&report), is_replay }.respond())
}

/// Read the report of a batch: of one that is closed always the same.
#[utoipa::path(get, path = "/v1/terminal/batches/{number}", tag = "Terminals", params(("number" = i32, Path)), responses((status = 200, body = TerminalBatch)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (own, number) = (terminal(&context)?.terminal, number(&request)?);
    Ok(unstored(TerminalBatch::of(context.app.charges.batch(&context.actor, own, number).await?)))
}

fn number(request: &HttpRequest) -> Result<i32, Problem> {
    let number = request.match_info().get("number").and_then(|text| text.parse().ok());
    number.filter(|number| *number > 0).ok_or_else(Problem::not_found)
}

impl CountedInput {
    fn tally(self) -> NewTally {
        let Self { asset, captures, refunds, reversals } = self;
        NewTally { asset, sums: [captures, refunds, reversals].map(|sum| (sum.count, sum.amount)) }
    }
}
