//! `/v1/admin/terminals`: the fleet, as far as the grant goes that lets somebody in.

use super::of;
use crate::access::staff::territory;
use crate::answer::terminal::{FleetRow, FleetTerminal, TerminalChange};
use crate::answer::{self, unstored};
use crate::context::{Context, Write};
use crate::ledger::input::path_id;
use crate::ledger::page;
use crate::object::{SomeUuid, nullable, some_uuid, uuid};
use crate::problem::Problem;
use crate::query::Query;
use crate::write::{self, Ready};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::job::Render;
use vintem_core::event_store::{Decision, Done, fresh};
use vintem_core::kernel::{Place, Refusal, metadata};
use vintem_core::ledger::known::Known;
use vintem_core::terminals::event::{Command, TerminalConfigured, TerminalRegistered};
use vintem_core::terminals::{Config, Serial, Terminal, check_place};

/// A device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalInput {
    /// What its maker wrote on it; unique in the tenant.
    #[schema(example = "PX-200431", max_length = 64)]
    serial: String,
    /// What its maker calls its kind.
    #[schema(example = "Pax A920", max_length = 64)]
    model: String,
    /// What payers pay for at it.
    #[serde(deserialize_with = "some_uuid")]
    service_id: Uuid,
    /// Where it belongs.
    #[serde(default, deserialize_with = "uuid")]
    unit: Option<Uuid>,
}

/// What to change; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent and null differ")]
pub struct TerminalConfigInput {
    /// What payers pay for at it.
    #[serde(default, deserialize_with = "uuid")]
    service_id: Option<Uuid>,
    /// Where it belongs; null is nowhere.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    unit: Option<Option<SomeUuid>>,
    /// What payers are shown; null is nothing. It must be nothing personal.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, example = "Market hall, stall 7", max_length = 60)]
    label: Option<Option<String>>,
    /// How often it says that it is there.
    #[serde(default)]
    #[schema(example = 60, minimum = 10, maximum = 3600)]
    heartbeat_seconds: Option<u32>,
    /// All that its maker and its owner agree on.
    #[serde(default)]
    settings: Option<BTreeMap<String, String>>,
}

/// Something for a terminal to do.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderInput {
    /// `rotate_cert`, `close_batch`, `lock` or `wipe`.
    #[schema(example = "close_batch", pattern = "^(rotate_cert|close_batch|lock|wipe)$")]
    command: String,
}

/// Nothing to say.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminalStepInput {}

/// Terminals.
#[derive(Serialize, ToSchema)]
pub struct FleetPage {
    /// In the order of their ids.
    terminals: Vec<FleetRow>,
    /// The cursor of the next page; null on the last one.
    next: Option<String>,
}

/// Register a device. One that was retired may come back under its serial number.
#[utoipa::path(post, path = "/v1/admin/terminals", tag = "Fleet", request_body = TerminalInput, responses((status = 201, body = TerminalChange)))]
pub async fn register(write: Write<TerminalInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: TerminalInput { serial, model, service_id, unit } } = write;
    let serial: Serial = serial.parse().map_err(|refusal: Refusal| Problem::from(refusal))?;
    check_text(&model, 64, "/model")?;
    check_service(&context, service_id).await?;
    let says = TerminalRegistered { serial: serial.as_str().to_owned(), model, service: service_id, unit };
    let (territory, terminals) = (territory(&context).await?, &context.app.terminals);
    let disposed = terminals.register(&context.actor, &territory, key, (&serial, &says), render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// List the terminals that the grant is about.
#[utoipa::path(get, path = "/v1/admin/terminals", tag = "Fleet", params(
    ("cursor" = Option<String>, Query, description = "`next` of the page before"),
    ("limit" = Option<i64>, Query, description = "1 to 100 rows", minimum = 1, maximum = 100)
), responses((status = 200, body = FleetPage)))]
pub async fn list(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = Query::of(&request, &["cursor", "limit"])?;
    let (list, limit) = (query.list("terminals"), query.limit()?);
    let after = page::after(&context, &query, &list)?.unwrap_or(Uuid::nil());
    let territory = territory(&context).await?;
    let mut rows = context.app.terminals.list(of(&context), &territory, after, limit + 1).await?;
    let is_more = page::cut(&mut rows, limit);
    let next = rows.last().filter(|_| is_more).map(|last| page::next(&context, &list, &last.terminal));
    Ok(unstored(FleetPage { terminals: rows.into_iter().map(FleetRow::from).collect(), next }))
}

/// One terminal, with what it said of itself last.
#[utoipa::path(get, path = "/v1/admin/terminals/{id}", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), responses((status = 200, body = FleetTerminal)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let (id, of, terminals) = (path_id(&request)?, of(&context), &context.app.terminals);
    let terminal = terminals.terminal(of, &territory(&context).await?, id).await?;
    let heartbeat = terminals.heartbeat_of(of, id).await?;
    Ok(unstored(FleetTerminal::of(&terminal, terminals.now(), heartbeat)))
}

/// Change what a terminal is to be and do. It hears of it with its next heartbeat.
#[utoipa::path(patch, path = "/v1/admin/terminals/{id}", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = TerminalConfigInput, responses((status = 200, body = TerminalChange)))]
pub async fn configure(request: HttpRequest, write: Write<TerminalConfigInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value } = write;
    value.check()?;
    if let Some(service) = value.service_id {
        check_service(&context, service).await?;
    }
    let (id, territory) = (path_id(&request)?, territory(&context).await?);
    if let Some(unit) = &value.unit {
        check_place(&territory, unit.as_ref().map(|SomeUuid(unit)| *unit))?;
    }
    let decide = |terminal: &Terminal| terminal.configure(&value.over(&terminal.config));
    let terminals = &context.app.terminals;
    let disposed = terminals.change(&context.actor, &territory, key, id, decide, render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// Have a code issued that brings the device in: good once, for a quarter of an hour, and only for this one. `activation_code` is in this
/// answer and in no repetition of it. Another code ends the one before.
#[utoipa::path(post, path = "/v1/admin/terminals/{id}/activation-codes", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = TerminalStepInput, responses((status = 201, body = TerminalChange)))]
pub async fn issue_code(request: HttpRequest, write: Write<TerminalStepInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: TerminalStepInput {} } = write;
    let (id, territory, terminals) = (path_id(&request)?, territory(&context).await?, &context.app.terminals);
    let (disposed, code) = terminals.issue_code(&context.actor, &territory, key, id, render(&context)).await?;
    let ready = write::answered(&context, disposed, &Known::default()).await?;
    if ready.is_replay || ready.status >= 400 {
        return Ok(ready.respond());
    }
    let mut body: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&ready.body).unwrap_or_default();
    body.insert("activation_code".to_owned(), code.reveal().expose_secret().into());
    let body = serde_json::to_vec(&body).unwrap_or_default();
    Ok(Ready { body, ..ready }.respond())
}

/// Stop a terminal for a while: from its next request on it is refused.
#[utoipa::path(post, path = "/v1/admin/terminals/{id}/suspend", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = TerminalStepInput, responses((status = 200, body = TerminalChange)))]
pub async fn suspend(request: HttpRequest, write: Write<TerminalStepInput>) -> Result<HttpResponse, Problem> {
    step(&request, write, |terminal, _| terminal.suspend()).await
}

/// Let a terminal go on.
#[utoipa::path(post, path = "/v1/admin/terminals/{id}/resume", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = TerminalStepInput, responses((status = 200, body = TerminalChange)))]
pub async fn resume(request: HttpRequest, write: Write<TerminalStepInput>) -> Result<HttpResponse, Problem> {
    step(&request, write, |terminal, _| terminal.resume()).await
}

/// Nobody knows where a terminal is: its certificate is worth nothing from its next request on. What is lost is revoked or stays lost.
#[utoipa::path(post, path = "/v1/admin/terminals/{id}/lost", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = TerminalStepInput, responses((status = 200, body = TerminalChange)))]
pub async fn lose(request: HttpRequest, write: Write<TerminalStepInput>) -> Result<HttpResponse, Problem> {
    stop(&request, write, Terminal::lose).await
}

/// End what a terminal proves itself with, for good.
#[utoipa::path(post, path = "/v1/admin/terminals/{id}/revoke", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = TerminalStepInput, responses((status = 200, body = TerminalChange)))]
pub async fn revoke(request: HttpRequest, write: Write<TerminalStepInput>) -> Result<HttpResponse, Problem> {
    stop(&request, write, Terminal::revoke).await
}

/// Take a terminal that is revoked, or never was at work, out of the inventory.
#[utoipa::path(post, path = "/v1/admin/terminals/{id}/retire", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = TerminalStepInput, responses((status = 200, body = TerminalChange)))]
pub async fn retire(request: HttpRequest, write: Write<TerminalStepInput>) -> Result<HttpResponse, Problem> {
    step(&request, write, |terminal, _| terminal.retire()).await
}

/// Tell a terminal to do something. It hears of it with its next heartbeat, and again until it says that it has done it.
#[utoipa::path(post, path = "/v1/admin/terminals/{id}/commands", tag = "Fleet", params(("id" = Uuid, Path, description = "The terminal's id")), request_body = OrderInput, responses((status = 201, body = TerminalChange)))]
pub async fn order(request: HttpRequest, write: Write<OrderInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: OrderInput { command } } = write;
    let known = Command::ALL.into_iter().find(|known| known.as_str() == command);
    let command = known.ok_or_else(|| {
        let names = Command::ALL.map(Command::as_str).join(", ");
        Problem::invalid(Place::Pointer("/command".to_owned()), "out-of-range", format!("the commands are {names}"))
    })?;
    let (id, order, territory) = (path_id(&request)?, fresh::new_id(), territory(&context).await?);
    let (terminals, decide) = (&context.app.terminals, |terminal: &Terminal| terminal.order(order, command));
    let disposed = terminals.change(&context.actor, &territory, key, id, decide, render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// A step after which nothing that is open there may go on. It is denied first, so nothing new begins meanwhile; whoever repeats
/// the request gives up what a crash has left open.
async fn stop(
    request: &HttpRequest,
    write: Write<TerminalStepInput>,
    decide: impl Fn(&Terminal, Uuid) -> Decision,
) -> Result<HttpResponse, Problem> {
    let (context, id) = (write.context.clone(), path_id(request)?);
    let answer = step(request, write, decide).await?;
    if answer.status().is_success() {
        let left = context.app.charges.cancel_open(&context.actor, id).await;
        left.map_err(|error| Problem::from(error).after_the_write())?;
    }
    Ok(answer)
}

async fn step(
    request: &HttpRequest,
    write: Write<TerminalStepInput>,
    decide: impl Fn(&Terminal, Uuid) -> Decision,
) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: TerminalStepInput {} } = write;
    let (id, territory, tenant) = (path_id(request)?, territory(&context).await?, context.caller.tenant);
    let (terminals, decide) = (&context.app.terminals, |terminal: &Terminal| decide(terminal, tenant));
    let disposed = terminals.change(&context.actor, &territory, key, id, decide, render(&context)).await?;
    Ok(write::answered(&context, disposed, &Known::default()).await?.respond())
}

/// Refuses a service that is none of the tenant's. Services are never taken away, so one that is there stays there.
async fn check_service(context: &Context, service: Uuid) -> Result<(), Problem> {
    let known = context.app.services.find(&context.actor, service).await?;
    known.map(drop).ok_or_else(|| {
        Problem::invalid(Place::Pointer("/service_id".to_owned()), "out-of-range", "there is no such service")
    })
}

/// How answers are kept: without anything secret.
pub(super) fn render(context: &Context) -> Render {
    let shown = context.shown.clone();
    Arc::new(move |done: &Done| answer::single(done, &Known::default(), &shown))
}

impl TerminalConfigInput {
    fn check(&self) -> Result<(), Problem> {
        if let Some(Some(label)) = &self.label {
            check_text(label, 60, "/label")?;
        }
        if self.heartbeat_seconds.is_some_and(|seconds| !(10..=3_600).contains(&seconds)) {
            let place = Place::Pointer("/heartbeat_seconds".to_owned());
            return Err(Problem::invalid(
                place,
                "out-of-range",
                "a terminal says every 10 to 3600 seconds that it is there",
            ));
        }
        if let Some(settings) = &self.settings {
            metadata::check(settings).map_err(|refusal| refusal.at("/settings"))?;
        }
        Ok(())
    }

    /// What holds from then on.
    fn over(&self, config: &Config) -> TerminalConfigured {
        let before = config.says.clone();
        TerminalConfigured {
            service: self.service_id.unwrap_or(before.service),
            unit: self.unit.as_ref().map_or(before.unit, |unit| unit.as_ref().map(|SomeUuid(unit)| *unit)),
            label: self.label.clone().unwrap_or(before.label),
            heartbeat_seconds: self.heartbeat_seconds.unwrap_or(before.heartbeat_seconds),
            settings: self.settings.clone().unwrap_or(before.settings),
        }
    }
}

fn check_text(text: &str, most: usize, pointer: &str) -> Result<(), Problem> {
    if (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        return Ok(());
    }
    let detail = format!("this has 1 to {most} characters, none of them a control character");
    Err(Problem::invalid(Place::Pointer(pointer.to_owned()), "too-long", detail))
}
