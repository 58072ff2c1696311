//! Finding charges, waiting for what becomes of them, and the reports of a terminal's batches.

use super::batch::{Report, compare};
use super::charge::{Charge, Slot, Status, hold_stream};
use super::create::{LONGEST, SHORT_CODE};
use super::service::Charges;
use super::store::reads;
use crate::event_store::read::{self, tenant_tx};
use crate::kernel::{Instant, Refusal, RefusalCode, spoken};
use crate::ledger::service::Actor;
use crate::payments::PaymentError;
use crate::payments::service::nothing;
use chrono::TimeDelta;
use std::time::Duration;
use uuid::Uuid;

/// Nobody is kept waiting for longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it is waited between two looks, at first and at last.
const LOOKS: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];
/// An authorisation ends within this, and a charge that is not confirmed within [`LONGEST`]; a minute more for clocks that differ.
const HELD: TimeDelta = TimeDelta::hours(169);

impl Charges {
    /// A terminal's charge by its txid. One that was reversed before it came is none, and says so.
    pub async fn find(&self, actor: &Actor, terminal: Uuid, txid: &str) -> Result<Charge, PaymentError> {
        Ok(self.slot(actor, terminal, txid).await?.charge()?)
    }

    /// A charge by its id, whosever it is: who may see it is for the caller to say.
    pub async fn by_id(&self, actor: &Actor, id: Uuid) -> Result<Charge, PaymentError> {
        Ok(self.load(actor, id).await?.charge()?)
    }

    /// What a command left behind that was recorded at a position, and when: an answer that is rendered from this is the same for ever.
    ///
    /// A charge is decided on what is committed, so no batch has events of two commands about the same one.
    pub async fn at(&self, actor: &Actor, position: i64) -> Result<(Slot, Instant), PaymentError> {
        let recorded = self.payments.ledger.recall(actor, position).await?.events;
        let (id, then) = recorded.first().map(|first| (first.stream, first.recorded_at)).ok_or_else(nothing)?;
        let mut events = self.payments.streams(actor, &[id, hold_stream(actor.origin.tenant, id)]).await?;
        events.retain(|event| event.recorded_at <= then);
        Ok((Slot::fold(id, &events).ok_or(PaymentError::Unreadable)?, then))
    }

    /// The charge that can be confirmed now under what somebody typed.
    pub async fn by_code(&self, actor: &Actor, typed: &str) -> Result<Charge, PaymentError> {
        let code = spoken::read(typed, SHORT_CODE).ok_or_else(nothing)?;
        let since = self.now() - TimeDelta::seconds(i64::from(LONGEST) + 60);
        let mut tx = tenant_tx(&self.payments.reader, actor.origin.tenant).await?;
        let after = read::point(&mut tx, actor.shard, Some(since)).await?.position;
        let found = reads::of_code(&mut tx, actor.shard, actor.origin.tenant, &code, after).await?;
        tx.commit().await?;
        let [id] = found[..] else { return Err(nothing()) };
        let charge = self.by_id(actor, id).await?;
        if charge.status(self.now()) == Status::Created { Ok(charge) } else { Err(nothing()) }
    }

    /// A terminal's charge as soon as it is not any more as it was seen, or as it is when nothing has changed for so long.
    pub async fn wait(
        &self,
        actor: &Actor,
        (terminal, txid): (Uuid, &str),
        seen: Option<Status>,
        patience: Duration,
    ) -> Result<Slot, PaymentError> {
        let (mut left, mut pause) = (patience.min(PATIENCE), LOOKS[0]);
        loop {
            let slot = self.slot(actor, terminal, txid).await?;
            let is_same = matches!(&slot, Slot::Charge(charge) if Some(charge.status(self.now())) == seen);
            if !is_same || left.is_zero() {
                return Ok(slot);
            }
            tokio::time::sleep(pause.min(left)).await;
            left = left.saturating_sub(pause);
            pause = (pause * 2).min(LOOKS[1]);
        }
    }

    /// What a terminal asked for or took back last.
    pub async fn last(&self, actor: &Actor, terminal: Uuid) -> Result<Option<Slot>, PaymentError> {
        let mut tx = tenant_tx(&self.payments.reader, actor.origin.tenant).await?;
        let last = reads::last(&mut tx, actor.shard, actor.origin.tenant, terminal).await?;
        tx.commit().await?;
        match last {
            Some(id) => Ok(Some(self.load(actor, id).await?)),
            None => Ok(None),
        }
    }

    /// Charges of a terminal that may be open: those whose time is over may be among them.
    pub(super) async fn open(&self, actor: &Actor, terminal: Uuid) -> Result<Vec<Uuid>, PaymentError> {
        let now = self.now();
        let mut tx = tenant_tx(&self.payments.reader, actor.origin.tenant).await?;
        let created = now - TimeDelta::seconds(i64::from(LONGEST) + 60);
        let created = read::point(&mut tx, actor.shard, Some(created)).await?.position;
        let authorised = read::point(&mut tx, actor.shard, Some(now - HELD)).await?.position;
        let open = reads::open(&mut tx, actor.shard, actor.origin.tenant, terminal, (created, authorised)).await?;
        tx.commit().await?;
        Ok(open)
    }

    /// The report of a terminal's open batch so far; it closes nothing.
    pub async fn totals(&self, actor: &Actor, terminal: Uuid) -> Result<Report, PaymentError> {
        let open = self.batches(actor, terminal).await?.open();
        self.batch(actor, terminal, open).await
    }

    /// The report of a terminal's batch: of one that is closed always the same.
    pub async fn batch(&self, actor: &Actor, terminal: Uuid, number: i32) -> Result<Report, PaymentError> {
        let batches = self.batches(actor, terminal).await?;
        let closed = batches.closed(number);
        if closed.is_none() && number != batches.open() {
            return Err(Refusal::new(RefusalCode::NotFound, "there is no such batch").into());
        }
        let (shard, tenant) = (actor.shard, actor.origin.tenant);
        let mut tx = tenant_tx(&self.payments.reader, tenant).await?;
        let totals = reads::tallies(&mut tx, shard, tenant, terminal, number).await?;
        let (last_seq, closed) = match closed {
            None => (reads::last_seq(&mut tx, shard, tenant, terminal).await?, None),
            Some(closed) => {
                let window = (closed.seq_before, closed.position);
                let seen = reads::seen(&mut tx, shard, tenant, terminal, window).await?;
                (closed.facts.last_seq, Some(compare(closed, &totals, &seen)))
            }
        };
        tx.commit().await?;
        Ok(Report { number, totals, last_seq, closed })
    }
}
