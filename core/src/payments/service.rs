//! The use cases of payments: load, decide, hand to the shard's writer; decide again if the world moved on.

use super::confirm::Confirm;
use super::error::PaymentError;
use super::event::{LimitsChanged, Party, PricesChanged, SealedNote, TransferRequested};
use super::funding::Funding;
use super::issuance::{self, Move};
use super::limits::Limits;
use super::posting::{self, FEES, ISSUED};
use super::price::Prices;
use super::said;
use super::sandbox;
use super::transfer::{self, Transfer};
use crate::access::settings::LegalMode;
use crate::access::tenant_settings;
use crate::event_store::job::unanswered;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Job, Recorded, RequestKey, Shard, WriteError, fresh};
use crate::holders::Holders;
use crate::holders::details::Private;
use crate::kernel::{Minor, Refusal, RefusalCode};
use crate::ledger::known::Known;
use crate::ledger::service::{Actor, Executed, Ledger, Render};
use crate::ledger::{account, transaction};
use crate::secrets::people::Place;
use sqlx::PgPool;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The field that a note is sealed as.
const NOTE: &str = "note";

/// What the API needs of this context. Reads as `vintem_reader`, appends through the writers of the shards.
#[derive(Clone)]
pub struct Payments {
    pub(super) reader: PgPool,
    pub(super) ledger: Ledger,
    holders: Holders,
    pub(super) funding: Funding,
}

/// What a payer asks for.
pub struct NewTransfer {
    /// Who pays.
    pub payer: Party,
    /// Who is paid.
    pub payee: Party,
    /// Whether it is too long ago that the payer has found them.
    pub is_stale: bool,
    /// Decimal text.
    pub amount: String,
    /// Of what.
    pub asset: String,
    /// From the one to the other.
    pub note: Option<Private>,
}

impl Payments {
    /// While people's keys are not to be had no note is sealed or read; transfers without one go on.
    pub fn new(reader: PgPool, ledger: Ledger, holders: Holders) -> Self {
        Self { reader, ledger, holders, funding: Funding::default() }
    }

    /// The same where money comes in and goes out in another way.
    #[must_use]
    pub fn funded_by(self, funding: Funding) -> Self {
        Self { funding, ..self }
    }

    /// Tells a payer what a transfer would be.
    pub async fn request(
        &self,
        actor: &Actor,
        key: &RequestKey,
        new: &NewTransfer,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        if let Some(note) = &new.note {
            transfer::check_note(note)?;
        }
        let decide = async || {
            // Left to the writer, who finds first whether this was answered in time.
            if new.is_stale {
                return Ok((transfer::stale(), Known::default()));
            }
            let known = self.known(actor, [new.payer.account, new.payee.account]).await?;
            let account = known.accounts.get(&new.payer.account).ok_or(PaymentError::Unreadable)?;
            if account.asset != new.asset || !known.accounts.contains_key(&new.payee.account) {
                let detail = format!("both accounts are in {}", account.asset);
                return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/amount/asset").into());
            }
            let (id, amount) = (fresh::new_id(), transaction::amount(&new.amount, account.scale, "/amount/amount")?);
            let asked = TransferRequested {
                payer: new.payer,
                payee: new.payee,
                asset: new.asset.clone(),
                scale: account.scale,
                amount,
                fee: self.prices(actor, &new.asset).await?.transfer(amount),
                nonce: said::nonce(),
                note: self.sealed(actor, id, new).await?,
            };
            Ok((transfer::request(id, &asked)?, known))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
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
    pub async fn note(
        &self,
        actor: &Actor,
        holder: Uuid,
        transfer: &Transfer,
    ) -> Result<Option<Private>, PaymentError> {
        let Some(note) = &transfer.requested.note else { return Ok(None) };
        let sealed = if transfer.requested.payer.holder == holder { &note.payer } else { &note.payee };
        let (tenant, keys) = (actor.origin.tenant, self.holders.keys(actor, &[holder]).await?);
        let Some(key) = keys.get(&holder) else { return Ok(None) };
        let bytes = key.open(&Place { tenant, stream: transfer.id, field: NOTE }, sealed);
        let bytes = bytes.map_err(|_| PaymentError::Unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| PaymentError::Unreadable)?;
        Ok(Some(Private::new(text.to_owned())))
    }

    /// Moves the money of a transfer whose payer has proven that they want it.
    pub async fn confirm(
        &self,
        actor: &Actor,
        key: &RequestKey,
        by: &Confirm,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let decide = async || {
            let transfer = self.find(actor, by.holder, by.intent).await?;
            let TransferRequested { payer, payee, asset, scale, amount, .. } = &transfer.requested;
            if payer.holder != by.holder {
                return Err(nothing());
            }
            if let Some(played) = self.played(actor, *amount, *scale).await? {
                return Ok((Decision::Refuse(played, Vec::new()), Known::default()));
            }
            let fees = posting::system(actor.origin.tenant, FEES, asset);
            let limits = self.limits(actor, by.holder, *scale).await?;
            let known = self.known(actor, [payer.account, payee.account, fees]).await?;
            Ok((transfer.confirm(fresh::new_id(), fees, &limits, by), known))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// How a sandbox wants a confirmation of so much to end. Of nearly all amounts nobody is asked.
    async fn played(&self, actor: &Actor, amount: Minor, scale: u8) -> Result<Option<Refusal>, PaymentError> {
        let Some(refusal) = sandbox::refusal(amount, scale) else { return Ok(None) };
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let kept = tenant_settings(&mut tx, actor.origin.tenant).await?;
        tx.commit().await?;
        Ok((kept.settings.legal_mode == Some(LegalMode::Sandbox)).then_some(refusal))
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
        let decide = async || {
            let limits = self.limits(actor, party.holder, account.scale).await?;
            Ok((limits.change(&change)?, Known::default()))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// What payments in an asset cost.
    pub async fn prices(&self, actor: &Actor, asset: &str) -> Result<Prices, PaymentError> {
        Ok(Prices::fold(&self.stream(actor, Prices::stream(actor.origin.tenant, asset)).await?))
    }

    /// The same for who asks for it: an asset that is not registered is not found.
    pub async fn price_list(&self, actor: &Actor, asset: &str) -> Result<Prices, PaymentError> {
        let known = self.ledger.known(actor, BTreeSet::new(), BTreeSet::from([asset.to_owned()])).await?;
        if !known.assets.contains_key(asset) {
            return Err(nothing());
        }
        self.prices(actor, asset).await
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
        let known = self.opened(actor, FEES, asset, BTreeSet::new()).await?;
        let scale = known.assets.get(asset).copied().ok_or_else(nothing)?;
        let (stream, list) = (Prices::stream(actor.origin.tenant, asset), list(scale)?);
        let decide = async || Ok((self.prices(actor, asset).await?.change(stream, &list)?, Known::default()));
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Brings money into being, or out of it.
    pub async fn issue(
        &self,
        actor: &Actor,
        key: &RequestKey,
        command: &Move,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let known = self.opened(actor, ISSUED, &command.asset, BTreeSet::from([command.account])).await?;
        let decide = async || Ok((issuance::decide(command, actor.origin.tenant, &known)?, known.clone()));
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// What is known of some accounts and of one of the system, which is opened unless it is there.
    pub(super) async fn opened(
        &self,
        actor: &Actor,
        name: &'static str,
        asset: &str,
        mut accounts: BTreeSet<Uuid>,
    ) -> Result<Known, PaymentError> {
        let (tenant, assets) = (actor.origin.tenant, BTreeSet::from([asset.to_owned()]));
        let system = posting::system(tenant, name, asset);
        accounts.insert(system);
        let known = self.ledger.known(actor, accounts.clone(), assets.clone()).await?;
        if known.accounts.contains_key(&system) || !known.assets.contains_key(asset) {
            return Ok(known);
        }
        let decision = account::open(&posting::opening(name, asset), tenant, &known)?;
        let (origin, items) = (actor.origin.clone(), vec![decision.into()]);
        // Who was faster has opened the same one.
        self.shard(actor)?.dispose(Job { origin, request: None, items, render: unanswered() }).await?;
        Ok(self.ledger.known(actor, accounts, assets).await?)
    }

    pub(super) fn shard(&self, actor: &Actor) -> Result<&Shard, WriteError> {
        self.ledger.shard(actor.shard).ok_or(WriteError::DatabaseUnavailable)
    }

    pub(super) async fn known<const N: usize>(
        &self,
        actor: &Actor,
        accounts: [Uuid; N],
    ) -> Result<Known, PaymentError> {
        Ok(self.ledger.known(actor, BTreeSet::from(accounts), BTreeSet::new()).await?)
    }

    pub(super) async fn stream(&self, actor: &Actor, stream: Uuid) -> Result<Vec<Recorded>, PaymentError> {
        self.streams(actor, &[stream]).await
    }

    /// Events of some streams, as they are at one moment.
    pub(super) async fn streams(&self, actor: &Actor, streams: &[Uuid]) -> Result<Vec<Recorded>, PaymentError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, streams).await?;
        tx.commit().await?;
        Ok(events)
    }

    /// A note under the keys of both. Somebody whose key is gone is erased, and reads nothing any more.
    async fn sealed(&self, actor: &Actor, id: Uuid, new: &NewTransfer) -> Result<Option<SealedNote>, PaymentError> {
        let Some(note) = &new.note else { return Ok(None) };
        let keys = self.holders.keys(actor, &[new.payer.holder, new.payee.holder]).await?;
        let place = Place { tenant: actor.origin.tenant, stream: id, field: NOTE };
        let seal = |party: Party| keys.get(&party.holder).map(|key| key.seal(&place, note.as_bytes()));
        Ok(seal(new.payer).zip(seal(new.payee)).map(|(payer, payee)| SealedNote { payer, payee }))
    }
}

/// An amount of a limit or a price: like a balance, for it may be zero.
pub fn level(text: &str, scale: u8, pointer: &str) -> Result<Minor, Refusal> {
    Minor::parse_balance(text, scale)
        .map_err(|error| Refusal::new(RefusalCode::ValidationFailed, format!("the amount {error}")).at(pointer))
}

pub(super) fn nothing() -> PaymentError {
    Refusal::new(RefusalCode::NotFound, "there is no such payment").into()
}

impl std::fmt::Debug for Payments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Payments")
    }
}
