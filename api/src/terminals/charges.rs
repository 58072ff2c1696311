//! `/v1/terminal/charges`: a terminal asks for money, and for what became of it.
//!
//! A charge is named by whoever asks for it, so asking again is asking for the same one, and needs no key. What is done with it
//! afterwards goes under one.

use super::acts::{self, answered};
use super::terminal;
use crate::answer::terminal_charge::TerminalCharge;
use crate::answer::unstored;
use crate::context::{Context, Named, Write};
use crate::ledger::input::{Money, invalid};
use crate::object::optional;
use crate::problem::Problem;
use crate::query::Query;
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use std::time::Duration;
use utoipa::ToSchema;
use vintem_core::kernel::{Instant, When};
use vintem_core::payments::charges::event::{CaptureMode, Payee};
use vintem_core::payments::charges::{Capture, Charge, NewCharge, Slot, Status, Till};
use vintem_core::payments::qr;

/// A charge can be confirmed for so many seconds unless its terminal says otherwise.
const OPEN_SECONDS: u16 = 300;
/// Nobody waits longer for a change.
const LONGEST_WAIT: i64 = 20;

/// What a terminal asks for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalChargeInput {
    /// How much.
    amount: Money,
    /// `auto`: captured as soon as it is confirmed. `manual`: held, until you capture.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "auto")]
    capture: CaptureMode,
    /// For how many seconds it can be confirmed; 300 unless said.
    #[serde(default)]
    #[schema(example = 300, minimum = 1, maximum = 900)]
    expires_in: Option<u16>,
    /// What it is for; nobody's name.
    #[serde(default)]
    #[schema(example = "linha-343", max_length = 25)]
    reference: Option<String>,
    /// The operator's code.
    #[serde(default)]
    #[schema(example = "A07", max_length = 25)]
    operator_id: Option<String>,
    /// The shift.
    #[serde(default)]
    #[schema(example = "12", max_length = 25)]
    shift: Option<String>,
    /// Your own number of this message: each charge and reversal has the next one.
    #[schema(example = 1842, minimum = 1)]
    seq: i64,
    /// What your clock says, with an offset: one that is off by more than five minutes is refused.
    #[serde(default)]
    #[schema(example = "2026-03-01T12:00:00Z")]
    local_time: Option<String>,
    /// You mean another payment, although the same payer may just have paid the same.
    #[serde(default)]
    allow_duplicate: bool,
}

/// What is captured.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalCaptureInput {
    /// How much; without it all that is left.
    #[serde(default, deserialize_with = "optional")]
    amount: Option<Money>,
    /// Nothing more will be captured, and what is left goes back to the payer.
    #[serde(default = "yes", rename = "final")]
    is_final: bool,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalCancelInput {}

fn yes() -> bool {
    true
}

/// Ask for money. The same again is answered as it stands now; something else under the same `txid` is refused, and so is what you have reversed
/// before it came.
#[utoipa::path(put, path = "/v1/terminal/charges/{txid}", tag = "Terminals", params(("txid" = String, Path, description = "26 to 35 letters and digits, yours to draw")),
    request_body = TerminalChargeInput, responses((status = 201, body = TerminalCharge), (status = 200, description = "It was asked for before", body = TerminalCharge)))]
pub async fn create(request: HttpRequest, named: Named<TerminalChargeInput>) -> Result<HttpResponse, Problem> {
    let Named { context, fingerprint, value } = named;
    let (own, actor, app) = (terminal(&context)?, &context.actor, &context.app);
    value.check_clock(&context)?;
    let service = app.services.find(actor, own.service).await?.ok_or_else(Problem::not_found)?;
    let new = value.named(txid(&request)?.to_owned());
    new.check()?;
    acts::note(&context, new.seq, &fingerprint).await?;
    // What was begun before the suspension is answered as it stands.
    if !service.is_open && app.charges.find(actor, own.terminal, &new.txid).await.is_err() {
        service.check_open()?;
    }
    let payee = Payee { id: service.id, label: service.label.clone(), account: service.account };
    let till = Till { terminal: own.terminal, service: payee, terms: service.terms.clone() };
    let (charge, is_new) = app.charges.create(actor, &till, &new).await?;
    let shown =
        TerminalCharge::of(&charge, qr::charge::code(&charge, &service, app.access.host()).ok(), app.citizens.now());
    Ok(acts::made(is_new, &shown))
}

/// Read a charge; with `wait`, as soon as it is not `created` any more, or when so many seconds are over.
#[utoipa::path(get, path = "/v1/terminal/charges/{txid}", tag = "Terminals", params(("txid" = String, Path), ("wait" = Option<u8>, Query, description = "Seconds, 20 at most")),
    responses((status = 200, body = TerminalCharge)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["wait"])?;
    let wait = query.integer("wait", 0..=LONGEST_WAIT)?.unwrap_or_default();
    let (own, actor, app) = (terminal(&context)?.terminal, &context.actor, &context.app);
    // What came between two questions must not be waited for, so it counts what it is, and not what it was a moment ago.
    let (seen, patience) = (Some(Status::Created), Duration::from_secs(wait.unsigned_abs()));
    let charge = app.charges.wait(actor, (own, txid(&request)?), seen, patience).await?.charge()?;
    Ok(unstored(shown(&context, &charge).await?))
}

/// Read what you asked for or took back last.
#[utoipa::path(get, path = "/v1/terminal/transactions/last", tag = "Terminals", responses((status = 200, body = TerminalCharge)))]
pub async fn last(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let found = context.app.charges.last(&context.actor, terminal(&context)?.terminal).await?;
    let charge = found.map(Slot::charge).ok_or_else(Problem::not_found)??;
    Ok(unstored(shown(&context, &charge).await?))
}

/// Capture from an authorisation.
#[utoipa::path(post, path = "/v1/terminal/charges/{txid}/capture", tag = "Terminals", params(("txid" = String, Path)), request_body = TerminalCaptureInput,
    responses((status = 200, body = TerminalCharge)))]
pub async fn capture(request: HttpRequest, write: Write<TerminalCaptureInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: TerminalCaptureInput { amount, is_final } } = write;
    let (own, app, actor) = (terminal(&context)?.terminal, &context.app, &context.actor);
    let command = Capture { amount: amount.map(|money| (money.amount, money.asset)), is_final };
    let executed = app.charges.capture(actor, &key, (own, txid(&request)?), &command, &acts::render(&context)).await?;
    answered(&context, executed, as_charge).await
}

/// Give a charge up. What was captured of it stays captured.
#[utoipa::path(post, path = "/v1/terminal/charges/{txid}/cancel", tag = "Terminals", params(("txid" = String, Path)), request_body = TerminalCancelInput,
    responses((status = 200, body = TerminalCharge)))]
pub async fn cancel(request: HttpRequest, write: Write<TerminalCancelInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: TerminalCancelInput {} } = write;
    let own = terminal(&context)?.terminal;
    let render = acts::render(&context);
    let executed = context.app.charges.cancel(&context.actor, &key, (own, txid(&request)?), &render).await?;
    answered(&context, executed, as_charge).await
}

/// What an act left behind.
fn as_charge(slot: Slot, now: Instant) -> Result<Vec<u8>, Problem> {
    Ok(acts::bytes(&TerminalCharge::of(&slot.charge()?, None, now)))
}

async fn shown(context: &Context, charge: &Charge) -> Result<TerminalCharge, Problem> {
    let service = context.app.services.find(&context.actor, charge.created.service.id).await?;
    let host = context.app.access.host();
    let qr = service.and_then(|service| qr::charge::code(charge, &service, host).ok());
    Ok(TerminalCharge::of(charge, qr, context.app.citizens.now()))
}

/// What a path calls a charge. That it is of the form is found where it is looked for.
pub fn txid(request: &HttpRequest) -> Result<&str, Problem> {
    request.match_info().get("txid").ok_or_else(Problem::not_found)
}

impl TerminalChargeInput {
    fn check_clock(&self, context: &Context) -> Result<(), Problem> {
        let Some(text) = &self.local_time else { return Ok(()) };
        let Some(When::At(local_time)) = When::parse(text) else {
            let detail = "a clock says an instant of RFC 3339 such as 2026-03-31T12:00:00Z";
            return Err(invalid("/local_time", "malformed", detail));
        };
        Ok(context.app.terminals.check_clock(local_time)?)
    }

    fn named(self, txid: String) -> NewCharge {
        let Self { amount, capture, expires_in, reference, operator_id, shift, seq, allow_duplicate, .. } = self;
        NewCharge {
            txid,
            amount: amount.amount,
            asset: amount.asset,
            capture,
            open_seconds: expires_in.unwrap_or(OPEN_SECONDS),
            reference,
            operator: operator_id,
            shift,
            seq,
            is_repeat: allow_duplicate,
        }
    }
}
