//! `/v1/webhook-endpoints`: where a tenant wants to be told, and what became of it.

pub mod deliveries;
pub mod endpoints;

use crate::context::Context;
use crate::problem::{Code, Problem};
use crate::write::Ready;
use actix_web::HttpResponse;
use vintem_core::kernel::{Refusal, RefusalCode};
use vintem_core::webhooks::{Answer, Once, Owner};

/// Whose endpoints the caller means.
pub fn owner(context: &Context) -> Owner {
    Owner { shard: context.actor.shard, tenant: context.caller.tenant }
}

/// How an answer is kept under its key: as it is shown, or as the problem that it is.
fn kept<T>(context: &Context, status: u16, show: impl Fn(&T) -> Vec<u8>) -> impl Fn(Result<&T, &Refusal>) -> Answer {
    let shown = context.shown.clone();
    move |result| match result {
        Ok(value) => Answer { status, code: None, body: show(value) },
        Err(refusal) => {
            let problem = Problem::from(refusal.clone());
            let code = Some(refusal.code.as_str().to_owned());
            Answer { status: problem.status(), code, body: problem.document(&shown) }
        }
    }
}

/// The answer to a change; `fresh` is what is shown once, in place of what is kept.
fn respond<T>(once: Once<T>, fresh: impl FnOnce(&T) -> Option<Vec<u8>>) -> Result<HttpResponse, Problem> {
    let (answer, body, is_replay) = match once {
        Once::Done(value, answer) => {
            let body = fresh(&value);
            (answer, body, false)
        }
        Once::Refused(answer) => (answer, None, false),
        Once::Replayed(answer) => (answer, None, true),
        Once::Mismatch => {
            let code = Code::Business(RefusalCode::IdempotencyMismatch);
            return Err(Problem::new(code, "the key was used before for another request"));
        }
    };
    Ok(Ready { status: answer.status, body: body.unwrap_or(answer.body), is_replay }.respond())
}
