//! Requests stand in the chain; what else can be said of them is said here.

use super::Audit;
use super::report::{Findings, Rule, Subject};
use super::store::derived::{self, Scope};
use super::store::log::{Batch, Request};
use crate::event_store::overlay::EventRow;
use uuid::Uuid;

const PAGE: i64 = 10_000;

fn subject(request: &Request) -> Subject {
    Subject::Request(request.tenant, request.principal, request.key.clone())
}

/// Requests that name a batch which does not exist.
pub fn without_batch(requests: &[Request], findings: &mut Findings) {
    for request in requests {
        findings.add(Rule::Request, subject(request), format!("stands in batch {}, which does not exist", request.seq));
    }
}

/// Requests of one batch: an answer names no event of the future, and none of another tenant.
pub fn check(requests: &[Request], batch: &Batch, events: &[EventRow], findings: &mut Findings) {
    for request in requests {
        let Some(position) = request.position else { continue };
        // An earlier position is one that the request found done already.
        if !(1..=batch.header.last_position).contains(&position) {
            findings.add(
                Rule::Request,
                subject(request),
                format!("names event {position}, which its batch {} does not reach", batch.header.seq),
            );
        }
        let named = events.binary_search_by_key(&position, |row| row.recorded.position).ok();
        if named.is_some_and(|index| events[index].recorded.tenant != request.tenant) {
            findings.add(Rule::Request, subject(request), format!("names event {position}, which is another tenant's"));
        }
    }
}

/// Every kept body belongs to a request of the same batch. The reverse does not hold: bodies are
/// deleted after their time, and some are never kept.
pub(super) async fn check_bodies(audit: &mut Audit<'_>) -> Result<(), sqlx::Error> {
    let mut after: (i64, Scope) = (0, (Uuid::nil(), Uuid::nil(), String::new()));
    loop {
        let page = derived::bodies(audit.session, audit.shard, &after, PAGE).await?;
        let Some((last, ..)) = page.last() else { return Ok(()) };
        after = last.clone();
        for ((seq, (tenant, principal, key)), request) in page {
            let subject = Subject::RequestBody(tenant, principal, key);
            match request {
                Some(found) if found == seq => {}
                Some(found) => audit.findings.add(
                    Rule::Request,
                    subject,
                    format!("is of batch {seq}, its request of batch {found}"),
                ),
                None => audit.findings.add(Rule::Request, subject, "has no request"),
            }
        }
    }
}
