//! `/v1/account/freeze` and `/v1/account/close`: a citizen stops their own account.
//!
//! There is no way back from here. What its owner froze is open again when they have recovered, or when the back office says so;
//! what the back office froze, or anybody closed, stays so for its owner.

use crate::answer::account::Account;
use crate::citizens::citizen;
use crate::context::{Context, Write};
use crate::problem::Problem;
use crate::write;
use actix_web::HttpResponse;
use serde::Deserialize;
use utoipa::ToSchema;
use vintem_core::event_store::RequestKey;
use vintem_core::ledger::account::{Change, What};
use vintem_core::ledger::command::Command;

/// Why a citizen freezes their account, in a word: it stands in the log for ever, where no sentence of a person's belongs.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FreezeReason {
    /// The telephone is lost.
    LostDevice,
    /// The telephone was stolen.
    StolenDevice,
    /// Something moved that its owner did not move.
    NotMine,
    /// Somebody forces or talks them into paying.
    Coercion,
}

/// A freeze.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnFreezeInput {
    /// Why.
    #[serde(default)]
    reason: Option<FreezeReason>,
}

/// A closing says nothing more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnCloseInput {}

impl FreezeReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::LostDevice => "lost-device",
            Self::StolenDevice => "stolen-device",
            Self::NotMine => "not-mine",
            Self::Coercion => "coercion",
        }
    }
}

/// Freeze your account at once: nothing moves but returns of held money.
///
/// Only a recovery or the back office takes it back.
#[utoipa::path(post, path = "/v1/account/freeze", tag = "Account", request_body = OwnFreezeInput, responses((status = 200, body = Account)))]
pub async fn freeze(write: Write<OwnFreezeInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: OwnFreezeInput { reason } } = write;
    change(&context, key, What::FreezeOwn(reason.map(|reason| reason.as_str().to_owned()))).await
}

/// Close your account for ever; its balances must all be zero, and no withdrawal approved that is neither paid nor rejected. One that is frozen only the back office closes.
#[utoipa::path(post, path = "/v1/account/close", tag = "Account", request_body = OwnCloseInput, responses((status = 200, body = Account)))]
pub async fn close(write: Write<OwnCloseInput>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: OwnCloseInput {} } = write;
    change(&context, key, What::CloseOwn).await
}

async fn change(context: &Context, key: RequestKey, what: What) -> Result<HttpResponse, Problem> {
    let (_, session) = citizen(context)?;
    let command = Command::Change(Change { account: session.account, expected: None, what });
    Ok(write::single(context, key, command).await?.respond())
}
