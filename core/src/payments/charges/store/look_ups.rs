//! The rows of charges: folds of their events, written in the append transaction.

use super::super::event::{
    self, ChargeAuthorised, ChargeCancelled, ChargeCaptured, ChargeCreated, ChargeReversed, RefundFailed,
    RefundRequested, RefundSucceeded, ReversalResult,
};
use crate::event_store::Recorded;
use crate::event_store::append::Statement;
use crate::event_store::overlay::EventRow;
use crate::kernel::Minor;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A charge that begins, or a reversal that came before it.
struct Begun<'a> {
    recorded: &'a Recorded,
    created: Option<ChargeCreated>,
    reversed: Option<ChargeReversed>,
}

/// What a batch changes about a charge.
#[derive(Default)]
struct Changed {
    status: Option<&'static str>,
    payer: Option<Uuid>,
    authorised: Option<i64>,
    reversed: Option<(i64, i64)>,
    captured: Minor,
    refunded: Minor,
}

/// What counts in a terminal's batch.
struct Counted {
    charge: Uuid,
    position: i64,
    kind: &'static str,
    batch: i32,
    amount: Minor,
}

#[derive(Default)]
struct Rows<'a> {
    begun: Vec<Begun<'a>>,
    changed: BTreeMap<Uuid, Changed>,
    counted: Vec<Counted>,
}

/// Folds a batch: three statements at most, whatever happened in it.
pub fn fold(shard: i16, rows: &[EventRow]) -> Result<Vec<Statement>, sqlx::Error> {
    let is_ours = |recorded: &&Recorded| recorded.kind.starts_with("charge.") || recorded.kind.starts_with("refund.");
    let mut folded = Rows::default();
    for recorded in rows.iter().map(|row| &row.recorded).filter(is_ours) {
        folded.take(recorded)?;
    }
    let mut statements = Vec::new();
    if !folded.begun.is_empty() {
        statements.push(begin(shard, &folded.begun));
    }
    if !folded.changed.is_empty() {
        statements.push(change(shard, &folded.changed));
    }
    if !folded.counted.is_empty() {
        statements.push(count(shard, &folded.counted));
    }
    Ok(statements)
}

impl<'a> Rows<'a> {
    fn take(&mut self, recorded: &'a Recorded) -> Result<(), sqlx::Error> {
        let Recorded { stream, position, .. } = *recorded;
        match &*recorded.kind {
            event::CHARGE_CREATED => {
                let created = Some(facts(recorded)?);
                self.begun.push(Begun { recorded, created, reversed: None });
            }
            event::CHARGE_REVERSED if recorded.version == 1 => {
                let reversed = Some(facts(recorded)?);
                self.begun.push(Begun { recorded, created: None, reversed });
            }
            event::CHARGE_AUTHORISED => {
                let ChargeAuthorised { payer, .. } = facts(recorded)?;
                let change = self.change(stream, Some("authorised"));
                change.payer = Some(payer.account);
                change.authorised = Some(position);
            }
            event::CHARGE_CAPTURED => {
                let ChargeCaptured { amount, is_final, batch, .. } = facts(recorded)?;
                let change = self.change(stream, is_final.then_some("captured"));
                change.captured = change.captured.plus(amount);
                self.count(recorded, "capture", batch, amount);
            }
            event::CHARGE_CANCELLED => {
                let ChargeCancelled { captured } = facts(recorded)?;
                self.change(stream, Some(if captured.is_positive() { "captured" } else { "cancelled" }));
            }
            event::CHARGE_REVERSED => {
                let ChargeReversed { result, amount, batch, seq, .. } = facts(recorded)?;
                let is_refund = result == ReversalResult::RefundCreated;
                let change = self.change(stream, Some(if is_refund { "captured" } else { "reversed" }));
                change.reversed = Some((position, seq));
                if amount.is_positive() {
                    self.count(recorded, "reversal", batch, amount);
                }
            }
            event::REFUND_REQUESTED => {
                let RefundRequested { amount, batch, .. } = facts(recorded)?;
                self.count(recorded, "refund", batch, amount);
            }
            event::REFUND_SUCCEEDED => {
                let RefundSucceeded { amount, .. } = facts(recorded)?;
                let change = self.change(stream, None);
                change.refunded = change.refunded.plus(amount);
            }
            event::REFUND_FAILED => {
                let RefundFailed { amount, batch, .. } = facts(recorded)?;
                self.count(recorded, "refund-failed", batch, amount);
            }
            _ => {}
        }
        Ok(())
    }

    fn change(&mut self, charge: Uuid, status: Option<&'static str>) -> &mut Changed {
        let row = self.changed.entry(charge).or_default();
        row.status = status.or(row.status);
        row
    }

    fn count(&mut self, recorded: &Recorded, kind: &'static str, batch: i32, amount: Minor) {
        let Recorded { stream: charge, position, .. } = *recorded;
        self.counted.push(Counted { charge, position, kind, batch, amount });
    }
}

fn begin(shard: i16, begun: &[Begun<'_>]) -> Statement {
    fn of<'a, T>(begun: &'a [Begun<'_>], take: impl Fn(&'a ChargeCreated) -> Option<T>) -> Vec<Option<T>> {
        begun.iter().map(|row| row.created.as_ref().and_then(&take)).collect()
    }
    let named = |row: &Begun<'_>| match (&row.created, &row.reversed) {
        (Some(ChargeCreated { terminal, txid, .. }), _) | (_, Some(ChargeReversed { terminal, txid, .. })) => {
            (*terminal, txid.clone())
        }
        // One of the two was read.
        (None, None) => (Uuid::nil(), String::new()),
    };
    let (terminals, txids): (Vec<_>, Vec<_>) = begun.iter().map(named).unzip();
    sqlx::query!(
        "INSERT INTO charge (shard, scale, id, tenant, terminal, service, position, reversed, seq, reversed_seq, amount, captured, refunded, status, asset, txid, short_code)
         SELECT $1, scale, id, tenant, terminal, service, position, CASE WHEN reversed_seq IS NOT NULL THEN position END, seq, reversed_seq, amount, 0, 0, status, asset, txid, short_code
         FROM unnest($2::smallint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[])
              AS row (scale, id, tenant, terminal, service, position, seq, reversed_seq, amount, status, asset, txid, short_code)",
        shard,
        &of(begun, |created| Some(i16::from(created.scale))) as _,
        &begun.iter().map(|row| row.recorded.stream).collect::<Vec<_>>() as _,
        &begun.iter().map(|row| row.recorded.tenant).collect::<Vec<_>>() as _,
        &terminals as _,
        &of(begun, |created| Some(created.service.id)) as _,
        &begun.iter().map(|row| row.recorded.position).collect::<Vec<_>>() as _,
        &of(begun, |created| Some(created.seq)) as _,
        &begun.iter().map(|row| row.reversed.as_ref().map(|reversed| reversed.seq)).collect::<Vec<_>>() as _,
        &of(begun, |created| Some(created.amount.to_bigint())) as _,
        &begun.iter().map(|row| if row.created.is_some() { "created" } else { "reversed" }).collect::<Vec<_>>() as _,
        &of(begun, |created| Some(created.asset.as_str())) as _,
        &txids as _,
        &of(begun, |created| Some(created.short_code.as_str())) as _
    )
}

fn change(shard: i16, changed: &BTreeMap<Uuid, Changed>) -> Statement {
    sqlx::query!(
        "UPDATE charge c SET status = coalesce(row.status, c.status), payer = coalesce(row.payer, c.payer), authorised = coalesce(row.authorised, c.authorised),
                reversed = coalesce(row.reversed, c.reversed), reversed_seq = coalesce(row.reversed_seq, c.reversed_seq), captured = c.captured + row.captured, refunded = c.refunded + row.refunded
         FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
              AS row (id, status, payer, authorised, reversed, reversed_seq, captured, refunded)
         WHERE c.shard = $1 AND c.id = row.id",
        shard,
        &changed.keys().copied().collect::<Vec<_>>() as _,
        &changed.values().map(|row| row.status).collect::<Vec<_>>() as _,
        &changed.values().map(|row| row.payer).collect::<Vec<_>>() as _,
        &changed.values().map(|row| row.authorised).collect::<Vec<_>>() as _,
        &changed.values().map(|row| row.reversed.map(|(position, _)| position)).collect::<Vec<_>>() as _,
        &changed.values().map(|row| row.reversed.map(|(_, seq)| seq)).collect::<Vec<_>>() as _,
        &changed.values().map(|row| row.captured.to_bigint()).collect::<Vec<_>>() as _,
        &changed.values().map(|row| row.refunded.to_bigint()).collect::<Vec<_>>() as _
    )
}

/// Whose terminal it was and of what, the charge's own row knows.
fn count(shard: i16, counted: &[Counted]) -> Statement {
    sqlx::query!(
        "INSERT INTO charge_move (shard, scale, batch, position, amount, tenant, terminal, charge, kind, asset)
         SELECT $1, c.scale, row.batch, row.position, row.amount, c.tenant, c.terminal, c.id, row.kind, c.asset
         FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::bigint[], $6::text[]) AS row (charge, batch, position, amount, kind)
         JOIN charge c ON c.shard = $1 AND c.id = row.charge",
        shard,
        &counted.iter().map(|row| row.charge).collect::<Vec<_>>() as _,
        &counted.iter().map(|row| row.batch).collect::<Vec<_>>() as _,
        &counted.iter().map(|row| row.position).collect::<Vec<_>>() as _,
        &counted.iter().map(|row| row.amount.to_bigint()).collect::<Vec<_>>() as _,
        &counted.iter().map(|row| row.kind).collect::<Vec<_>>() as _
    )
}

/// Reads facts that this process or an earlier one wrote; they always have their form.
fn facts<T: DeserializeOwned>(recorded: &Recorded) -> Result<T, sqlx::Error> {
    recorded.says().ok_or_else(|| sqlx::Error::Decode("the facts of a charge cannot be read".into()))
}
