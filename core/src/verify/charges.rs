//! Charges are refunded no more than was captured of them, and captured within what was authorised: folded by the product's own fold.

use super::Audit;
use super::report::{Rule, Subject};
use crate::event_store::overlay::EventRow;
use crate::event_store::proposal::Recorded;
use crate::event_store::read;
use crate::payments::charges::{Charge, Slot, event};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Checks the charges of which a page captures or refunds something. They may have begun months before, so their streams are read.
pub(super) async fn check(audit: &mut Audit<'_>, rows: &[EventRow]) -> Result<(), sqlx::Error> {
    let kinds = [event::CHARGE_CAPTURED, event::REFUND_REQUESTED, event::REFUND_SUCCEEDED];
    let moved: Vec<&Recorded> =
        rows.iter().map(|row| &row.recorded).filter(|recorded| kinds.contains(&&*recorded.kind)).collect();
    let streams: BTreeSet<Uuid> = moved.iter().map(|recorded| recorded.stream).collect();
    if streams.is_empty() {
        return Ok(());
    }
    let streams: Vec<Uuid> = streams.into_iter().collect();
    let events = read::streams(audit.session, audit.shard, &streams).await?;
    for recorded in moved {
        let first = events.partition_point(|event| event.stream < recorded.stream);
        let so_far: Vec<Recorded> = events[first..]
            .iter()
            .take_while(|event| event.stream == recorded.stream && event.version <= recorded.version)
            .cloned()
            .collect();
        if let Err(detail) = judge(&so_far, recorded.stream) {
            audit.findings.add(Rule::Charge, Subject::Event(recorded.position), detail);
        }
    }
    Ok(())
}

fn judge(so_far: &[Recorded], stream: Uuid) -> Result<(), &'static str> {
    let Some(Slot::Charge(charge)) = Slot::fold(stream, so_far) else { return Err("is of no charge that can be read") };
    let Charge { created, authorised, .. } = &*charge;
    if authorised.is_none() {
        return Err("captures a charge that nobody has confirmed");
    }
    let most = created.amount.units() * (100 + i128::from(created.terms.over_capture_percent)) / 100;
    if charge.captured().units() > most {
        return Err("captures more than was authorised");
    }
    if charge.refunded() > charge.captured() || charge.refundable().is_negative() {
        return Err("refunds more than was captured");
    }
    Ok(())
}
