//! What terminals and payers do with charges: load, decide, hand to the shard's writer; decide again if the world moved on.

use super::batch::{self, Batches};
use super::capture::Capture;
use super::charge::{Charge, Slot, hold_stream, stream};
use super::confirm::{Bounds, Consent, Drawn, Means};
use super::create::{self, NewCharge, Till, malformed};
use super::event::{BatchClosed, Sum, Tally};
use super::refund::NewRefund;
use super::reverse::{self, Captured, Reversal};
use super::store::reads;
use crate::event_store::job::unanswered;
use crate::event_store::proposal::StreamVersion;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Outcome, RequestKey, fresh};
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use crate::ledger::known::{Known, Side};
use crate::ledger::reversal::Transaction;
use crate::ledger::service::{Actor, Executed, Render};
use crate::ledger::transaction;
use crate::payments::confirm::Confirm;
use crate::payments::event::Party;
use crate::payments::{PaymentError, Payments, level};
use crate::telemetry::clock::Clock;
use chrono::TimeDelta;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// For so long the same payment again is taken for a mistake.
const REPEATED_WITHIN: TimeDelta = TimeDelta::seconds(60);

/// What the API needs of charges.
#[derive(Clone)]
pub struct Charges {
    pub(super) payments: Payments,
    pub(super) clock: Clock,
}

/// A refusal to be kept, and the streams on which it was decided.
pub type Barred = (Refusal, Vec<StreamVersion>);

/// What a terminal says when it closes a batch.
#[derive(Debug, Clone)]
pub struct NewClosing {
    /// The number of the batch.
    pub number: i32,
    /// What it has counted, by asset.
    pub counted: Vec<NewTally>,
    /// The last of its own numbers that it has used; 0 when it has used none.
    pub last_seq: i64,
}

/// What a terminal has counted in an asset: how often, and how much together as a decimal text.
#[derive(Debug, Clone)]
pub struct NewTally {
    /// Of what.
    pub asset: String,
    /// Captured, in the order of [`Tally`]: captures, refunds, reversals.
    pub sums: [(i64, String); 3],
}

impl Charges {
    /// Over the payments of this process.
    pub fn new(payments: Payments, clock: Clock) -> Self {
        Self { payments, clock }
    }

    /// Asks for money, or finds what was asked for before; answers whether it is new.
    pub async fn create(&self, actor: &Actor, till: &Till, new: &NewCharge) -> Result<(Charge, bool), PaymentError> {
        new.check()?;
        let (scale, amount) = self.priced(actor, till, new).await?;
        let decide = async || {
            let slot = self.slot(actor, till.terminal, &new.txid).await?;
            Ok(create::create(&slot, &new.facts(till, scale, amount))?)
        };
        let is_new = self.record(actor, decide).await?;
        Ok((self.find(actor, till.terminal, &new.txid).await?, is_new))
    }

    /// The amount in the service's own asset, whose accounts take money.
    async fn priced(&self, actor: &Actor, till: &Till, new: &NewCharge) -> Result<(u8, Minor), PaymentError> {
        let splits = till.terms.splits.iter().map(|split| split.account);
        let accounts: BTreeSet<Uuid> = splits.chain([till.service.account]).collect();
        let known = self.payments.ledger.known(actor, accounts.clone(), BTreeSet::new()).await?;
        let service = known.accounts.get(&till.service.account).ok_or(PaymentError::Unreadable)?;
        if service.asset != new.asset {
            return Err(malformed(&format!("the service is paid in {}", service.asset), "/amount/asset").into());
        }
        let is_fit = |id: &Uuid| {
            known.accounts.get(id).is_some_and(|it| it.asset == new.asset && it.normal_side == Side::Credit)
        };
        if !accounts.iter().all(is_fit) {
            let detail = "the service's terms name an account that cannot be paid";
            return Err(Refusal::new(RefusalCode::InvalidState, detail).into());
        }
        Ok((service.scale, transaction::amount(&new.amount, service.scale, "/amount/amount")?))
    }

    /// Moves or holds the money of a charge whose payer has proven, by device and PIN, that they want it.
    pub async fn confirm(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (payer, by): (Party, &Confirm),
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let consent = Consent { payer, by: Means::Device(by.device.id), now: by.now };
        let bounds = async |charge: &Charge| {
            let limits = self.payments.limits(actor, payer.holder, charge.created.scale).await?;
            let own = StreamVersion { stream: charge.id, version: charge.version };
            let against = by.against(&limits, own, payer.account, charge.created.amount);
            Ok(against.map(Bounds::from).map_err(|(refusal, seen)| (refusal, seen.into())))
        };
        self.confirm_by(actor, key, (by.intent, &consent), bounds, render).await
    }

    /// The same whatever the payer has consented by; `bounds` says what the writer holds it against, each time it is decided.
    pub async fn confirm_by(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (id, consent): (Uuid, &Consent),
        bounds: impl AsyncFn(&Charge) -> Result<Result<Bounds, Barred>, PaymentError>,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let decide = async || {
            let charge = self.by_id(actor, id).await?;
            let known = self.parties(actor, &charge, Some(consent.payer)).await?;
            if let Err(refusal) = charge.check_open() {
                return Ok((charge.refuse(refusal), known));
            }
            if known.accounts.get(&consent.payer.account).is_none_or(|own| own.asset != charge.created.asset) {
                let detail = format!("the charge is in {}", charge.created.asset);
                return Err(Refusal::new(RefusalCode::ValidationFailed, detail).into());
            }
            if !charge.created.is_repeat && self.is_repeated(actor, &charge, consent).await? {
                let detail = "the same was paid here a moment ago";
                return Ok((charge.refuse(Refusal::new(RefusalCode::PossibleDuplicate, detail)), known));
            }
            let bounds = match bounds(&charge).await? {
                Ok(bounds) => bounds,
                Err((refusal, seen)) => return Ok((Decision::Refuse(refusal, seen), known)),
            };
            let drawn = self.drawn(actor, charge.created.terminal).await?;
            Ok((charge.confirm(consent, bounds, &drawn), known))
        };
        self.payments.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Captures from an authorisation.
    pub async fn capture(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (terminal, txid): (Uuid, &str),
        command: &Capture,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let decide = async || {
            let charge = self.find(actor, terminal, txid).await?;
            let known = self.parties(actor, &charge, charge.payer()).await?;
            Ok((charge.capture(command, &self.drawn(actor, terminal).await?)?, known))
        };
        self.payments.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Gives a charge up.
    pub async fn cancel(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (terminal, txid): (Uuid, &str),
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let decide = async || {
            let charge = self.find(actor, terminal, txid).await?;
            Ok((charge.cancel(), self.parties(actor, &charge, charge.payer()).await?))
        };
        self.payments.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Gives up what is open at a terminal that is not to be trusted any more; answers how many charges. Whoever calls has
    /// made sure that it begins no new ones.
    pub async fn cancel_open(&self, actor: &Actor, terminal: Uuid) -> Result<usize, PaymentError> {
        let mut cancelled = 0;
        for id in self.open(actor, terminal).await? {
            match self.record(actor, async || Ok(self.by_id(actor, id).await?.cancel())).await {
                Ok(is_new) => cancelled += usize::from(is_new),
                // It ended by itself meanwhile.
                Err(PaymentError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(cancelled)
    }

    /// Takes a charge back, or sees to it that it never begins.
    pub async fn reverse(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (terminal, command): (Uuid, &Reversal),
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        command.check()?;
        let decide = async || {
            let slot = self.slot(actor, terminal, &command.txid).await?;
            let captured = self.captured(actor, &slot).await?;
            let drawn = self.drawn(actor, terminal).await?;
            Ok((reverse::reverse(&slot, command, terminal, &captured, &drawn), Known::default()))
        };
        self.payments.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Gives back something of what was captured, or finds what was given back before; answers whether it is new.
    pub async fn refund(
        &self,
        actor: &Actor,
        (terminal, txid): (Uuid, &str),
        command: &NewRefund,
    ) -> Result<(Charge, bool), PaymentError> {
        let decide = async || {
            let charge = self.find(actor, terminal, txid).await?;
            Ok(charge.give_back(command, &self.drawn(actor, terminal).await?)?)
        };
        let is_new = self.record(actor, decide).await?;
        Ok((self.find(actor, terminal, txid).await?, is_new))
    }

    /// Closes a batch of a terminal.
    pub async fn close_batch(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (terminal, closing): (Uuid, &NewClosing),
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let assets: BTreeSet<String> = closing.counted.iter().map(|tally| tally.asset.clone()).collect();
        let known = self.payments.ledger.known(actor, BTreeSet::new(), assets).await?;
        let NewClosing { number, last_seq, .. } = *closing;
        let counted = closing.tallies(&known)?;
        let facts = BatchClosed { terminal, number, counted, last_seq };
        let decide = async || Ok((self.batches(actor, terminal).await?.close(&facts)?, Known::default()));
        self.payments.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Records what is idempotent by its stream; answers whether it is new.
    async fn record(
        &self,
        actor: &Actor,
        decide: impl AsyncFn() -> Result<Decision, PaymentError>,
    ) -> Result<bool, PaymentError> {
        let answer = unanswered();
        let render: Render = Arc::new(move |done, _| answer(done));
        let decide = async || Ok::<_, PaymentError>((decide().await?, Known::default()));
        let executed = self.payments.ledger.decided(actor, None, &render, decide).await?;
        match executed.disposed.alone()? {
            Outcome::Applied(_) => Ok(true),
            Outcome::Already(_) => Ok(false),
            Outcome::Refused(refusal) => Err(refusal.into()),
        }
    }

    pub(super) async fn drawn(&self, actor: &Actor, terminal: Uuid) -> Result<Drawn, PaymentError> {
        let batch = self.batches(actor, terminal).await?.current;
        Ok(Drawn { tenant: actor.origin.tenant, transaction: fresh::new_id(), batch })
    }

    pub(super) async fn batches(&self, actor: &Actor, terminal: Uuid) -> Result<Batches, PaymentError> {
        let stream = batch::stream(actor.origin.tenant, terminal);
        Ok(Batches::fold(stream, self.payments.stream(actor, stream).await?))
    }

    /// The transactions that captured a charge.
    async fn captured(&self, actor: &Actor, slot: &Slot) -> Result<Captured, PaymentError> {
        let Slot::Charge(charge) = slot else { return Ok(Vec::new()) };
        let ids: Vec<Uuid> = charge.captures.iter().map(|(captured, _)| captured.transaction).collect();
        let events = self.payments.streams(actor, &ids).await?;
        let folded = events.chunk_by(|a, b| a.stream == b.stream).filter_map(Transaction::fold);
        Ok(folded.map(|transaction| (transaction, fresh::new_id())).collect())
    }

    /// Who takes part in a charge.
    async fn parties(&self, actor: &Actor, charge: &Charge, payer: Option<Party>) -> Result<Known, PaymentError> {
        let splits = charge.created.terms.splits.iter().map(|split| split.account);
        let accounts = splits.chain([charge.created.service.account]).chain(payer.map(|payer| payer.account));
        Ok(self.payments.ledger.known(actor, accounts.collect(), BTreeSet::new()).await?)
    }

    async fn is_repeated(&self, actor: &Actor, charge: &Charge, consent: &Consent) -> Result<bool, PaymentError> {
        let (tenant, created) = (actor.origin.tenant, &charge.created);
        let what = (created.terminal, consent.payer.account, created.asset.as_str(), created.amount);
        let mut tx = tenant_tx(&self.payments.reader, tenant).await?;
        let lately = read::point(&mut tx, actor.shard, Some((self.clock)() - REPEATED_WITHIN)).await?.position;
        let found = reads::is_repeated(&mut tx, actor.shard, tenant, what, (charge.id, lately)).await?;
        tx.commit().await?;
        Ok(found)
    }

    pub(super) async fn load(&self, actor: &Actor, id: Uuid) -> Result<Slot, PaymentError> {
        let events = self.payments.streams(actor, &[id, hold_stream(actor.origin.tenant, id)]).await?;
        Slot::fold(id, &events).ok_or(PaymentError::Unreadable)
    }

    /// What a terminal's txid stands for.
    pub async fn slot(&self, actor: &Actor, terminal: Uuid, txid: &str) -> Result<Slot, PaymentError> {
        self.load(actor, stream(actor.origin.tenant, terminal, txid)).await
    }

    pub(super) fn now(&self) -> Instant {
        (self.clock)()
    }
}

impl NewClosing {
    fn tallies(&self, known: &Known) -> Result<Vec<Tally>, Refusal> {
        let mut tallies: Vec<Tally> = Vec::with_capacity(self.counted.len());
        for (index, NewTally { asset, sums }) in self.counted.iter().enumerate() {
            let at = |member: &str| format!("/counted/{index}/{member}");
            let Some(scale) = known.assets.get(asset).copied() else {
                return Err(Refusal::new(RefusalCode::UnknownAsset, "there is no such asset").at(at("asset")));
            };
            if tallies.iter().any(|tally| tally.asset == *asset) {
                return Err(malformed("each asset once", &at("asset")));
            }
            let [captures, refunds, reversals] = sums;
            let sum = |(count, amount): &(i64, String), member: &str| {
                let amount = level(amount, scale, &at(member))?;
                if *count < 0 || amount.is_negative() {
                    return Err(malformed("not below zero", &at(member)));
                }
                Ok(Sum { count: *count, amount })
            };
            let (captures, refunds) = (sum(captures, "captures")?, sum(refunds, "refunds")?);
            let (asset, reversals) = (asset.clone(), sum(reversals, "reversals")?);
            tallies.push(Tally { asset, scale, captures, refunds, reversals });
        }
        Ok(tallies)
    }
}

impl std::fmt::Debug for Charges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Charges")
    }
}
