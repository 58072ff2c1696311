//! What citizens ask of mandates.

use super::book::{Mandate, Mandates, State};
use super::event::MandateRequested;
use crate::event_store::job::unanswered;
use crate::event_store::proposal::StreamVersion;
use crate::event_store::{Disposed, Job, RequestKey, WriteError, fresh};
use crate::kernel::window::Period;
use crate::kernel::{Instant, Refusal, RefusalCode};
use crate::ledger::known::Known;
use crate::ledger::service::{Actor, Executed, Render};
use crate::ledger::transaction;
use crate::payments::charges::{Barred, Bounds, Charge};
use crate::payments::event::Party;
use crate::payments::said;
use crate::payments::service::nothing;
use crate::payments::{Confirm, PaymentError, Payments};
use uuid::Uuid;

/// Revoking one twice at once meets itself.
const ATTEMPTS: usize = 5;

/// What a citizen would consent to.
#[derive(Debug, Clone)]
pub struct NewMandate {
    /// Who pays.
    pub payer: Party,
    /// What may be paid: its id and its label,
    pub service: (Uuid, String),
    /// and what it is paid in.
    pub asset: String,
    /// How much in each period, as decimal text.
    pub cap: String,
    /// How much at once, as decimal text.
    pub per_payment: Option<String>,
    /// What the cap is of.
    pub period: Period,
}

impl Payments {
    /// Tells somebody what a mandate would allow.
    pub async fn request_mandate(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (new, now): (&NewMandate, Instant),
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let NewMandate { payer, service, asset, cap, per_payment, period } = new;
        let account = self.ledger.identity(actor, payer.account).await?.ok_or(PaymentError::Unreadable)?;
        let malformed = |detail: String, at: &str| Refusal::new(RefusalCode::ValidationFailed, detail).at(at);
        if account.asset != *asset {
            let detail = format!("the service is paid in {asset}, and your account is in {}", account.asset);
            return Err(malformed(detail, "/service_id").into());
        }
        let cap = transaction::amount(cap, account.scale, "/cap/amount")?;
        let read = |text: &String| transaction::amount(text, account.scale, "/per_payment/amount");
        let per_payment = per_payment.as_ref().map(read).transpose()?;
        if per_payment.is_some_and(|amount| amount > cap) {
            return Err(malformed("no payment is above the cap".to_owned(), "/per_payment/amount").into());
        }
        let says = MandateRequested {
            mandate: fresh::new_id(),
            payer: *payer,
            service: service.0,
            label: service.1.clone(),
            asset: asset.clone(),
            scale: account.scale,
            cap,
            per_payment,
            period: *period,
            nonce: said::nonce(),
        };
        let decide = async || Ok((self.mandates(actor, payer.holder).await?.request(&says, now), Known::default()));
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// A person's mandates.
    pub async fn mandates(&self, actor: &Actor, holder: Uuid) -> Result<Mandates, PaymentError> {
        let stream = Mandates::stream(actor.origin.tenant, holder);
        Mandates::fold(stream, &self.stream(actor, stream).await?).ok_or(PaymentError::Unreadable)
    }

    /// A mandate of a person's. Anybody else's is not found.
    pub async fn mandate(&self, actor: &Actor, holder: Uuid, id: Uuid) -> Result<Mandate, PaymentError> {
        self.mandates(actor, holder).await?.get(id).cloned().ok_or_else(nothing)
    }

    /// Consents to one, by somebody who has proven that they want it.
    pub async fn activate_mandate(
        &self,
        actor: &Actor,
        key: &RequestKey,
        by: &Confirm,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let decide = async || {
            let mandates = self.mandates(actor, by.holder).await?;
            let mandate = mandates.get(by.intent).ok_or_else(nothing)?;
            Ok((mandates.activate(mandate, by.device.id), Known::default()))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// What the writer holds a charge against that is paid by a mandate: the mandate and its cap, and the limits of its owner.
    pub async fn covered(
        &self,
        actor: &Actor,
        (payer, by): (Party, &Confirm),
        mandate: Uuid,
        charge: &Charge,
    ) -> Result<Result<Bounds, Barred>, PaymentError> {
        let said = &charge.created;
        let what = (said.service.id, said.asset.as_str(), said.amount);
        let own = StreamVersion { stream: charge.id, version: charge.version };
        let covered = match self.mandates(actor, payer.holder).await?.cover(mandate, what, by.zone) {
            Ok(covered) => covered,
            Err((refusal, seen)) => return Ok(Err((refusal, vec![own, seen]))),
        };
        let limits = self.limits(actor, payer.holder, said.scale).await?;
        let mut bounds = match by.against(&limits, own, payer.account, said.amount) {
            Ok(against) => Bounds::from(against),
            Err((refusal, seen)) => return Ok(Err((refusal, seen.into()))),
        };
        bounds.counts.push(covered.count);
        bounds.expects.push(covered.expects);
        Ok(Ok(bounds))
    }

    /// Takes one back, at once. Doing it twice is no error.
    pub async fn revoke_mandate(&self, actor: &Actor, holder: Uuid, id: Uuid) -> Result<(), PaymentError> {
        for _ in 0..ATTEMPTS {
            let mandates = self.mandates(actor, holder).await?;
            let mandate = mandates.get(id).ok_or_else(nothing)?;
            if matches!(mandate.state, State::Revoked(_)) {
                return Ok(());
            }
            let items = vec![mandates.revoke(mandate).into()];
            let job = Job { origin: actor.origin.clone(), request: None, items, render: unanswered() };
            match self.shard(actor)?.dispose(job).await? {
                Disposed::Done(..) => return Ok(()),
                Disposed::Conflict(_) => {}
                Disposed::Replayed(_) | Disposed::Mismatch => return Err(WriteError::Defect.into()),
            }
        }
        Err(WriteError::Overloaded.into())
    }
}
