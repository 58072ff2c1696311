//! `/v1/charge-locations`, `/v1/charge-resolutions`, `/v1/charges`: a citizen pays at a terminal.
//!
//! What a code says is not believed. It leads to a charge, and of that we say who is paid and how much: signed to anybody at its
//! location, and in answer to the payer's own question. What the payer's device signs is that, and nothing that stood in the code.

use super::render;
use crate::answer::charge::{ChargeConfirmation, OwnCharge, ResolvedCharge};
use crate::answer::unstored;
use crate::app::App;
use crate::citizens::citizen;
use crate::citizens::knock::trace;
use crate::context::{Context, Credentials, Proven, Question, Write};
use crate::ledger::input::{invalid, path_id};
use crate::object::uuid;
use crate::problem::Problem;
use crate::query::Query;
use crate::write;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::access::{Of, TOKEN_LIFETIME};
use vintem_core::citizens::Shown;
use vintem_core::event_store::overlay::Origin;
use vintem_core::event_store::{Disposed, Outcome};
use vintem_core::kernel::{Refusal, RefusalCode};
use vintem_core::ledger::service::Actor;
use vintem_core::payments::charges::{Charge, Consent, Means, Status};
use vintem_core::payments::limits::Device;
use vintem_core::payments::mandates::Mandate;
use vintem_core::payments::qr::{CHARGE_TYPE, ChargeClaims, Location, Paid, charge};
use vintem_core::payments::{Confirm, Party, PaymentError};
use vintem_core::terminals::TerminalError;

/// What a terminal shows: exactly one of these.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeCodeInput {
    /// The text of the code that was scanned.
    #[serde(default)]
    #[schema(example = "000201010212…6304A1B2", max_length = 512)]
    qr: Option<String>,
    /// The short code that was typed, in groups or not.
    #[serde(default)]
    #[schema(example = "7K4M-2Q9X", max_length = 64)]
    code: Option<String>,
}

/// That it is you, and that you want it: by PIN, or by a mandate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChargeConfirmInput {
    /// Your PIN, unless a mandate covers the charge.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "274906", pattern = "^[0-9]{6}$")]
    pin: Option<SecretString>,
    /// The mandate that covers it, instead of a PIN.
    #[serde(default, deserialize_with = "uuid")]
    mandate: Option<Uuid>,
    /// By the session's device, in base64url, over the canonical JSON (RFC 8785) of `amount`, `asset`, `intent_id`, `nonce` and `payee`.
    device_signature: String,
}

impl Credentials for ChargeConfirmInput {
    const MEMBERS: &'static [&'static str] = &["pin", "device_signature"];
}

/// What a code's location says of its charge: a JWS (`typ` is `charge+jwt`), signed by a key of `/.well-known/jwks.json`. Anybody may ask.
#[utoipa::path(get, path = "/v1/charge-locations/{id}", tag = "Terminals", params(("id" = String, Path, description = "As it stands in the code")),
    responses((status = 200, content_type = "application/jose", body = String)), security(()))]
pub async fn locate(request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let app = App::of(&request)?;
    let Location(id) = request.match_info().get("id").and_then(Location::read).ok_or_else(Problem::not_found)?;
    let tenant = app.payments.tenant_of_charge(id).await?.ok_or_else(Problem::not_found)?;
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    app.access.admission().admit(tenant, host, false)?;
    let shard = app.access.tenant(tenant).await?.shard;
    let origin = Origin { correlation: Some(trace(&request)), ..Origin::command(tenant, "anybody") };
    let actor = Actor { shard, origin };
    let (charge, now) = (app.charges.by_id(&actor, id).await?, app.citizens.now());
    match charge.status(now) {
        Status::Created => {}
        Status::Expired => return Err(refused(RefusalCode::ChargeExpired, "the time to confirm this charge is over")),
        Status::Reversed => return Err(refused(RefusalCode::ChargeReversed, "this charge was taken back")),
        Status::Cancelled => return Err(refused(RefusalCode::InvalidState, "this charge was given up")),
        _ => return Err(refused(RefusalCode::ChargeAlreadyPaid, "this charge was confirmed before")),
    }
    let paid = paid(&app, &actor, &charge).await?;
    let claims = ChargeClaims::of(&charge, &paid, app.access.issuer(), now, TOKEN_LIFETIME);
    let signed = app.keys.load().sign(CHARGE_TYPE, &claims);
    let mut response = HttpResponse::Ok();
    response.content_type("application/jose").insert_header((header::CACHE_CONTROL, "no-store"));
    Ok(response.body(signed))
}

/// Find what a terminal asks for. A question and not a write: it needs no `Idempotency-Key`. A short code that is nobody's costs as
/// much as an alias that is.
#[utoipa::path(post, path = "/v1/charge-resolutions", tag = "Terminals", request_body = ChargeCodeInput, responses((status = 200, body = ResolvedCharge)))]
pub async fn resolve(question: Question<ChargeCodeInput>) -> Result<HttpResponse, Problem> {
    let Question { context, value: ChargeCodeInput { qr, code } } = question;
    let ((holder, _), app, actor) = (citizen(&context)?, &context.app, &context.actor);
    let found = match (qr, code) {
        (Some(qr), None) => {
            let read = charge::read(&qr, app.access.host());
            let id = read.map_err(|error| invalid("/qr", "malformed", error.to_string()))?;
            app.charges.by_id(actor, id).await?
        }
        (None, Some(code)) => {
            let attempt = app.aliases.attempt(holder)?;
            let found = app.charges.by_code(actor, &code).await;
            if matches!(found, Err(PaymentError::Refused(_))) {
                attempt.missed();
            }
            found?
        }
        _ => return Err(invalid("", "required", "send exactly one of qr and code")),
    };
    let paid = paid(app, actor, &found).await?;
    let mandates = app.payments.mandates(actor, holder).await?;
    let said = &found.created;
    let mandate = mandates.covering(said.service.id, &said.asset, said.amount).map(Mandate::id);
    Ok(unstored(ResolvedCharge::of(&found, paid, mandate, app.citizens.now())))
}

/// Read a charge that you have confirmed.
#[utoipa::path(get, path = "/v1/charges/{id}", tag = "Terminals", params(("id" = Uuid, Path)), responses((status = 200, body = OwnCharge)))]
pub async fn show(context: Context, request: HttpRequest) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[])?;
    let ((holder, _), app) = (citizen(&context)?, &context.app);
    let charge = app.charges.by_id(&context.actor, path_id(&request)?).await?;
    let is_own = charge.payer().is_some_and(|payer| payer.holder == holder);
    let shown = OwnCharge::of(&charge, app.citizens.now()).filter(|_| is_own);
    Ok(unstored(shown.ok_or_else(Problem::not_found)?))
}

/// Confirm a charge: the money moves now, or is held for the terminal. PIN and signature are not part of what the key stands for.
#[utoipa::path(post, path = "/v1/charges/{id}/confirm", tag = "Terminals", params(("id" = Uuid, Path)), request_body = ChargeConfirmInput,
    responses((status = 200, body = ChargeConfirmation)))]
pub async fn confirm(request: HttpRequest, write: Proven<ChargeConfirmInput>) -> Result<HttpResponse, Problem> {
    let Proven(Write { context, key, value: ChargeConfirmInput { pin, mandate, device_signature } }) = write;
    let (who, app, actor) = (citizen(&context)?, &context.app, &context.actor);
    let charge = app.charges.by_id(actor, path_id(&request)?).await?;
    let said = charge.said();
    let proven = match (&pin, mandate) {
        (Some(pin), None) => {
            let shown = Shown { pin, signature: &device_signature, said: &said };
            app.citizens.confirm(actor, who, &shown).await?
        }
        (None, Some(_)) => app.citizens.confirm_by_device(actor, who, (&device_signature, &said)).await?,
        _ => return Err(invalid("", "required", "send exactly one of pin and mandate")),
    };
    let now = app.citizens.now();
    let device = Device { id: proven.device, is_trusted: now >= proven.trusted_from };
    let by = Confirm { intent: charge.id, holder: who.0, device, zone: context.tenant.time_zone, now };
    let payer = Party { holder: who.0, account: who.1.account };
    let render = render(&context);
    let executed = match mandate {
        None => app.charges.confirm(actor, &key, (payer, &by), &render).await?,
        Some(mandate) => {
            let consent = Consent { payer, by: Means::Mandate(mandate), now };
            let bounds = async |charge: &Charge| app.payments.covered(actor, (payer, &by), mandate, charge).await;
            app.charges.confirm_by(actor, &key, (charge.id, &consent), bounds, &render).await?
        }
    };
    if let Disposed::Done(done, _) = &executed.disposed
        && matches!(done.outcomes.first(), Some(Outcome::Applied(_)))
    {
        app.aliases.paid(who.0);
    }
    Ok(write::answered(&context, executed.disposed, &executed.known).await?.respond())
}

/// Who is paid, as the tenant knows them now.
async fn paid(app: &App, actor: &Actor, charge: &Charge) -> Result<Paid, Problem> {
    let service = app.services.find(actor, charge.created.service.id).await?.ok_or_else(Problem::not_found)?;
    let provider = app.services.find_provider(actor, service.provider).await?.ok_or_else(Problem::not_found)?;
    let terminal = match app.terminals.own(Of::from(actor), charge.created.terminal).await {
        Ok(terminal) => terminal.config.says.label,
        // One that is out of the inventory has no name any more; its charge is one all the same.
        Err(TerminalError::Refused(_)) => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Paid { service, provider, terminal })
}

fn refused(code: RefusalCode, detail: &str) -> Problem {
    Refusal::new(code, detail).into()
}
