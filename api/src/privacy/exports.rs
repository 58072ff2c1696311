//! `/v1/privacy/exports`: everything that is known of a citizen, to take along.

use crate::account::own::{self, OwnAccount, OwnBalance};
use crate::answer::alias::Alias;
use crate::answer::holder::HolderDetails;
use crate::answer::{time, unstored};
use crate::citizens::devices::{self, DeviceShown};
use crate::citizens::sessions::{self, CitizenSessionShown};
use crate::citizens::{NothingToSay, citizen};
use crate::context::{Context, Question};
use crate::ledger::accounts;
use crate::problem::Problem;
use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::holders::event::{HolderUnmasked, Reason};
use vintem_core::payments::limits::{Kind, Level};
use vintem_core::telemetry::clock;

/// What is known of a person.
#[derive(Serialize, ToSchema)]
pub struct PrivacyExport {
    /// When it was put together.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    exported_at: String,
    /// Who they are.
    holder: HolderDetails,
    /// Their account,
    account: OwnAccount,
    /// and what is on it.
    balance: OwnBalance,
    /// By what others find them.
    aliases: Vec<Alias>,
    /// What they may pay.
    limits: Vec<LimitExported>,
    /// What they pay with.
    devices: Vec<DeviceShown>,
    /// Where they are signed in.
    sessions: Vec<CitizenSessionShown>,
    /// What is too long for one answer, and where it is read.
    elsewhere: Vec<Elsewhere>,
}

/// A limit.
#[derive(Serialize, ToSchema)]
pub struct LimitExported {
    /// `payment`, `day`, `month` or `night`.
    #[schema(example = "day")]
    per: &'static str,
    /// How much.
    #[schema(example = "10000.00")]
    amount: String,
    /// When more is allowed, and how much, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    raised_at: Option<String>,
    /// How much then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "20000.00")]
    raised_to: Option<String>,
}

/// Where something is read.
#[derive(Serialize, ToSchema)]
pub struct Elsewhere {
    /// What.
    #[schema(example = "statement")]
    what: &'static str,
    /// Where.
    #[schema(example = "/v1/account/statement?format=csv")]
    path: &'static str,
}

const ELSEWHERE: [Elsewhere; 3] = [
    Elsewhere { what: "statement", path: "/v1/account/statement?format=csv" },
    Elsewhere { what: "entries", path: "/v1/account/entries" },
    Elsewhere { what: "notifications", path: "/v1/notifications" },
];

/// Take along what is known of you, as it is. That you did is recorded before the answer.
#[utoipa::path(post, path = "/v1/privacy/exports", tag = "Privacy", request_body = NothingToSay, responses((status = 200, body = PrivacyExport)))]
pub async fn export(question: Question<NothingToSay>) -> Result<HttpResponse, Problem> {
    let Question { context, value: NothingToSay {} } = question;
    let (holder, session) = citizen(&context)?;
    let identity = accounts::identity(&context, session.account).await?;
    // Everything else first: what fails later would be recorded as shown.
    let (account, balance) = (own::account(&context, &identity).await?, own::balance(&context, &identity).await?);
    let (devices, sessions) = (devices::shown(&context).await?, sessions::shown(&context).await?);
    let aliases = context.app.aliases.list(&context.actor, holder).await?;
    let limits = limits(&context, holder, identity.scale).await?;
    let reason = HolderUnmasked { reason: Reason::Portability, reference: None };
    let found = context.app.holders.unmask(&context.actor, holder, &reason).await?;
    Ok(unstored(PrivacyExport {
        exported_at: time(clock::now()),
        holder: HolderDetails::of(&found.holder, found.details.as_ref()),
        account,
        balance,
        aliases: aliases.iter().map(Alias::own).collect(),
        limits,
        devices,
        sessions,
        elsewhere: ELSEWHERE.into(),
    }))
}

async fn limits(context: &Context, holder: Uuid, scale: u8) -> Result<Vec<LimitExported>, Problem> {
    let found = context.app.payments.limits(&context.actor, holder, scale).await?;
    let shown = |(kind, Level { now, raise }): (Kind, Level)| LimitExported {
        per: kind.as_str(),
        amount: now.to_text(scale),
        raised_at: raise.map(|(at, _)| time(at)),
        raised_to: raise.map(|(_, amount)| amount.to_text(scale)),
    };
    Ok(Kind::ALL.into_iter().zip(found.levels).map(shown).collect())
}
