//! The use cases of payments: load, decide, hand to the shard's writer; decide again if the world moved on.

use super::error::PaymentError;
use super::event::{LimitsChanged, Party, PricesChanged, SealedNote, TransferRequested};
use super::issuance::{self, Move};
use super::limits::{Device, Limits};
use super::posting::{self, FEES, ISSUED};
use super::price::Prices;
use super::transfer::{self, Request, Transfer};
use crate::event_store::job::unanswered;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Disposed, Job, Recorded, RequestKey, WriteError, fresh};
use crate::holders::Personal;
use crate::holders::details::Private;
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use crate::ledger::known::Known;
use crate::ledger::service::{Actor, Executed, Ledger, Render};
use crate::ledger::{account, transaction};
use crate::secrets::people::Place;
use crate::secrets::{SecretsError, random};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono_tz::Tz;
use sqlx::PgPool;
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// A decision that lost so often competes with too many others.
const ATTEMPTS: usize = 5;
/// The field that a note is sealed as.
const NOTE: &str = "note";

/// What the API needs of this context. Reads as `vintem_reader`, appends through the writers of the shards.
#[derive(Clone)]
pub struct Payments {
    reader: PgPool,
    ledger: Ledger,
    personal: Option<Personal>,
}

/// What a payer asks for.
pub struct NewTransfer {
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// Decimal text.
    pub amount: String,
    /// Of what.
    pub asset: String,
    /// From the one to the other.
    pub note: Option<Private>,
}

impl Payments {
    /// Without a Vault nobody's notes can be sealed or read; transfers without one go on.
    pub fn new(reader: PgPool, ledger: Ledger, personal: Option<Personal>) -> Self {
        Self { reader, ledger, personal }
    }

    /// Tells a payer what a transfer would be.
    pub async fn request(
        &self,
        actor: &Actor,
        key: RequestKey,
        new: &NewTransfer,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let tenant = actor.origin.tenant;
        if let Some(note) = &new.note {
            transfer::check_note(note)?;
        }
        let known = self.known(actor, [new.payer.account, new.payee.account]).await?;
        let account = known.accounts.get(&new.payer.account).ok_or(PaymentError::Unreadable)?;
        if account.asset != new.asset || !known.accounts.contains_key(&new.payee.account) {
            let detail = format!("both accounts are in {}", account.asset);
            return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/amount/asset").into());
        }
        let amount = transaction::amount(&new.amount, account.scale, "/amount/amount")?;
        let prices = Prices::fold(&self.stream(actor, Prices::stream(tenant, &new.asset)).await?);
        let id = fresh::new_id();
        let decision = transfer::request(Request {
            id,
            payer: new.payer,
            payee: new.payee,
            asset: new.asset.clone(),
            scale: account.scale,
            amount,
            fee: prices.transfer(amount),
            nonce: URL_SAFE_NO_PAD.encode(random::bytes::<16>()),
            note: self.sealed(tenant, id, new).await?,
        })?;
        // A stream of a fresh id has nobody to lose against.
        self.once(actor, key, decision, known, render).await?.ok_or(WriteError::Defect.into())
    }

    /// A transfer of a person's: the payer's always, the payee's once money has moved. Anybody else's is not found.
    pub async fn find(&self, actor: &Actor, holder: Uuid, id: Uuid) -> Result<Transfer, PaymentError> {
        let transfer = Transfer::fold(&self.stream(actor, id).await?).filter(|transfer| {
            let TransferRequested { payer, payee, .. } = &transfer.requested;
            payer.holder == holder || (payee.holder == holder && transfer.confirmed.is_some())
        });
        transfer.ok_or_else(nothing)
    }

    /// What one of the two reads of the note between them.
    pub async fn note(&self, tenant: Uuid, holder: Uuid, transfer: &Transfer) -> Result<Option<Private>, PaymentError> {
        let Some(note) = &transfer.requested.note else { return Ok(None) };
        let sealed = if transfer.requested.payer.holder == holder { &note.payer } else { &note.payee };
        let keys = self.personal()?.keys.find(tenant, &[holder]).await?;
        let Some(key) = keys.get(&holder) else { return Ok(None) };
        let bytes = key.open(&Place { tenant, stream: transfer.id, field: NOTE }, sealed);
        let bytes = bytes.map_err(|_| PaymentError::Unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| PaymentError::Unreadable)?;
        Ok(Some(Private::new(text.to_owned())))
    }

    /// Moves the money of a transfer whose payer has proven that they want it.
    #[expect(clippy::too_many_arguments, reason = "each is a fact of its own that the decision needs")]
    pub async fn confirm(
        &self,
        actor: &Actor,
        key: &RequestKey,
        holder: Uuid,
        id: Uuid,
        device: Device,
        zone: Tz,
        now: Instant,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let tenant = actor.origin.tenant;
        for _ in 0..ATTEMPTS {
            let transfer = self.find(actor, holder, id).await?;
            let TransferRequested { payer, payee, asset, scale, .. } = &transfer.requested;
            if payer.holder != holder {
                return Err(nothing());
            }
            let fees = posting::system(tenant, FEES, asset);
            let limits = self.limits(actor, holder, *scale).await?;
            let known = self.known(actor, [payer.account, payee.account, fees]).await?;
            let decision = transfer.confirm(fresh::new_id(), fees, &limits, device, zone, now);
            if let Some(executed) = self.once(actor, key.clone(), decision, known, render).await? {
                return Ok(executed);
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// A person's limits.
    pub async fn limits(&self, actor: &Actor, holder: Uuid, scale: u8) -> Result<Limits, PaymentError> {
        let stream = Limits::stream(actor.origin.tenant, holder);
        Ok(Limits::fold(stream, &self.stream(actor, stream).await?, scale))
    }

    /// Changes them: down at once, up after a while.
    pub async fn change_limits(
        &self,
        actor: &Actor,
        key: &RequestKey,
        party: Party,
        wanted: impl Fn(u8) -> Result<LimitsChanged, Refusal>,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let account = self.ledger.identity(actor, party.account).await?.ok_or(PaymentError::Unreadable)?;
        let change = wanted(account.scale)?;
        for _ in 0..ATTEMPTS {
            let decision = self.limits(actor, party.holder, account.scale).await?.change(&change)?;
            if let Some(executed) = self.once(actor, key.clone(), decision, Known::default(), render).await? {
                return Ok(executed);
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// What payments in an asset cost.
    pub async fn prices(&self, actor: &Actor, asset: &str) -> Result<Prices, PaymentError> {
        Ok(Prices::fold(&self.stream(actor, Prices::stream(actor.origin.tenant, asset)).await?))
    }

    /// Changes what payments in an asset cost, and opens the account that earns it.
    pub async fn change_prices(
        &self,
        actor: &Actor,
        key: &RequestKey,
        asset: &str,
        list: impl Fn(u8) -> Result<PricesChanged, Refusal>,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let tenant = actor.origin.tenant;
        for _ in 0..ATTEMPTS {
            let fees = posting::system(tenant, FEES, asset);
            let known = self.ledger.known(actor, BTreeSet::from([fees]), BTreeSet::from([asset.to_owned()])).await?;
            let scale = known.assets.get(asset).copied().ok_or_else(nothing)?;
            if self.opens(actor, FEES, asset, &known).await? {
                continue;
            }
            let decision = self.prices(actor, asset).await?.change(Prices::stream(tenant, asset), &list(scale)?)?;
            if let Some(executed) = self.once(actor, key.clone(), decision, known, render).await? {
                return Ok(executed);
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Brings money into being, or out of it.
    pub async fn issue(
        &self,
        actor: &Actor,
        key: &RequestKey,
        command: &Move,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let tenant = actor.origin.tenant;
        let issued = posting::system(tenant, ISSUED, &command.asset);
        for _ in 0..ATTEMPTS {
            let accounts = BTreeSet::from([command.account, issued]);
            let known = self.ledger.known(actor, accounts, BTreeSet::from([command.asset.clone()])).await?;
            if self.opens(actor, ISSUED, &command.asset, &known).await? {
                continue;
            }
            let decision = issuance::decide(command, tenant, &known)?;
            if let Some(executed) = self.once(actor, key.clone(), decision, known, render).await? {
                return Ok(executed);
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Opens an account of the system, unless it is there; whether it was not. Who was faster has opened the same one.
    async fn opens(&self, actor: &Actor, name: &'static str, asset: &str, known: &Known) -> Result<bool, PaymentError> {
        let tenant = actor.origin.tenant;
        if known.accounts.contains_key(&posting::system(tenant, name, asset)) || !known.assets.contains_key(asset) {
            return Ok(false);
        }
        let decision = account::open(&posting::opening(name, asset), tenant, known)?;
        let shard = self.ledger.shard(actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
        let (origin, items) = (actor.origin.clone(), vec![decision.into()]);
        shard.dispose(Job { origin, request: None, items, render: unanswered() }).await?;
        Ok(true)
    }

    /// One attempt; `None` when a stream has moved on.
    async fn once(
        &self,
        actor: &Actor,
        key: RequestKey,
        decision: Decision,
        known: Known,
        render: &Render,
    ) -> Result<Option<Executed>, PaymentError> {
        let shard = self.ledger.shard(actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
        let known = Arc::new(known);
        let (render, names) = (render.clone(), known.clone());
        let job = Job {
            origin: actor.origin.clone(),
            request: Some(key),
            items: vec![decision.into()],
            render: Arc::new(move |done| render(done, &names)),
        };
        Ok(match shard.dispose(job).await? {
            Disposed::Conflict(_) => None,
            disposed => Some(Executed { disposed, known }),
        })
    }

    async fn known<const N: usize>(&self, actor: &Actor, accounts: [Uuid; N]) -> Result<Known, PaymentError> {
        Ok(self.ledger.known(actor, BTreeSet::from(accounts), BTreeSet::new()).await?)
    }

    async fn stream(&self, actor: &Actor, stream: Uuid) -> Result<Vec<Recorded>, PaymentError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, &[stream]).await?;
        tx.commit().await?;
        Ok(events)
    }

    /// A note under the keys of both. Somebody whose key is gone is erased, and reads nothing any more.
    async fn sealed(&self, tenant: Uuid, id: Uuid, new: &NewTransfer) -> Result<Option<SealedNote>, PaymentError> {
        let Some(note) = &new.note else { return Ok(None) };
        let keys = self.personal()?.keys.find(tenant, &[new.payer.holder, new.payee.holder]).await?;
        let place = Place { tenant, stream: id, field: NOTE };
        let seal = |party: Party| keys.get(&party.holder).map(|key| key.seal(&place, note.as_bytes()));
        Ok(seal(new.payer).zip(seal(new.payee)).map(|(payer, payee)| SealedNote { payer, payee }))
    }

    fn personal(&self) -> Result<&Personal, PaymentError> {
        self.personal.as_ref().ok_or(PaymentError::Secrets(SecretsError::Unreachable { call: "kv read" }))
    }
}

/// An amount of a limit or a price: like a balance, for it may be zero.
pub fn level(text: &str, scale: u8, pointer: &str) -> Result<Minor, Refusal> {
    Minor::parse_balance(text, scale)
        .map_err(|error| Refusal::new(RefusalCode::ValidationFailed, format!("the amount {error}")).at(pointer))
}

fn nothing() -> PaymentError {
    Refusal::new(RefusalCode::NotFound, "there is no such payment").into()
}

impl std::fmt::Debug for Payments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payments")
    }
}
