//! `/v1/privacy/erasures`: a citizen has themselves forgotten.
//!
//! The account is closed first, and one with money, one that is frozen, or one to which money may come back, does not close. Then the person is erased, and at
//! last their sessions end: whatever fails in between, the same request under the same key goes on from there.

use crate::answer::{self, time};
use crate::citizens::{NothingToSay, citizen};
use crate::context::{Context, Write};
use crate::holders;
use crate::problem::Problem;
use actix_web::HttpResponse;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::job::{Render, unanswered};
use vintem_core::event_store::{Answer, Done, Outcome, StoredBody};
use vintem_core::holders::Erased;
use vintem_core::holders::retention::{ERASED, RETAINED};
use vintem_core::kernel::{Instant, RefusalCode};
use vintem_core::ledger::account::{Change, What};
use vintem_core::ledger::command::Command;
use vintem_core::ledger::known::Known;
use vintem_core::ledger::service::WriteRequest;

/// What is gone, and what stays.
#[derive(Serialize, ToSchema)]
pub struct PrivacyErasure {
    /// When it was recorded: from then on nobody is shown anything of the person.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    erased_at: String,
    /// What is gone.
    erased: Vec<ErasedData>,
    /// What stays. It leads to nobody any more.
    retained: Vec<RetainedData>,
}

/// Something that is gone.
#[derive(Serialize, ToSchema)]
pub struct ErasedData {
    /// What.
    #[schema(example = "cpf")]
    category: &'static str,
    /// When no live system can read it any more.
    #[schema(example = "2026-03-01T12:01:00.000000Z")]
    complete_in_live_systems_by: String,
    /// When no backup can.
    #[schema(example = "2026-03-08T12:00:00.000000Z")]
    complete_in_backups_by: String,
}

/// Something that stays.
#[derive(Serialize, ToSchema)]
pub struct RetainedData {
    /// What.
    #[schema(example = "movements")]
    category: &'static str,
    /// By which law.
    #[schema(example = "Lei 9.613/1998, art. 10, § 2º")]
    legal_basis: &'static str,
    /// Until when it asks for that.
    #[schema(example = "2036-03-01T12:00:00.000000Z")]
    until: String,
}

/// Have yourself forgotten: your account closes, nothing that is known of you can be read any more, and your sessions end.
///
/// An account with money on it, one that is frozen, or one whose withdrawal is neither paid nor rejected, is `invalid-state`.
#[utoipa::path(post, path = "/v1/privacy/erasures", tag = "Privacy", request_body = NothingToSay, responses((status = 200, body = PrivacyErasure)))]
pub async fn erase(write: Write<NothingToSay>) -> Result<HttpResponse, Problem> {
    let Write { context, key, value: NothingToSay {} } = write;
    let (holder, session) = citizen(&context)?;
    close(&context, session.account).await?;
    holders::erased(&context, (holder, holder), key, render(&context)).await
}

/// Closes the account, unless it is closed. It goes without a key: a refusal is about today's balance, and may be another tomorrow.
async fn close(context: &Context, account: Uuid) -> Result<(), Problem> {
    let command = Command::Change(Change { account, expected: None, what: What::CloseOwn });
    let render = unanswered();
    let request = WriteRequest {
        key: None,
        commands: vec![command.into()],
        is_batch: false,
        render: Arc::new(move |done, _| render(done)),
    };
    let executed = context.app.ledger.execute(&context.actor, &request).await?;
    match executed.disposed.alone()? {
        Outcome::Refused(refusal) if refusal.code != RefusalCode::AccountClosed => Err(refusal.into()),
        _ => Ok(()),
    }
}

fn render(context: &Context) -> Render {
    let shown = context.shown.clone();
    Arc::new(move |done: &Done| {
        let recorded_at = match done.outcomes.first() {
            Some(Outcome::Applied(applied) | Outcome::Already(applied)) => applied.events.first(),
            _ => None,
        };
        let Some(event) = recorded_at else { return answer::single(done, &Known::default(), &shown) };
        // Texts always serialise.
        let body = serde_json::to_vec(&PrivacyErasure::recorded(event.recorded_at)).unwrap_or_default();
        Answer { status: 200, code: None, body: StoredBody::Whole(body) }
    })
}

impl PrivacyErasure {
    fn recorded(at: Instant) -> Self {
        let Erased { at, live_by, backups_by } = Erased::recorded(at);
        let erased = ERASED.map(|category| ErasedData {
            category,
            complete_in_live_systems_by: time(live_by),
            complete_in_backups_by: time(backups_by),
        });
        let retained = RETAINED.map(|kept| RetainedData {
            category: kept.category,
            legal_basis: kept.legal_basis,
            until: time(kept.until(at)),
        });
        Self { erased_at: time(at), erased: erased.into(), retained: retained.into() }
    }
}
