//! What citizens ask of money in and out.

use super::topup::{self, TopUp};
use super::withdrawal::{self, Withdrawal};
use super::{Direction, FundingAdapter, Order, Started};
use crate::access::tenant_settings;
use crate::event_store::read::tenant_tx;
use crate::event_store::{RequestKey, fresh};
use crate::kernel::{Minor, Refusal, RefusalCode, name};
use crate::ledger::known::Known;
use crate::ledger::returns::{self, Returns};
use crate::ledger::service::{Actor, Executed, Render};
use crate::ledger::transaction;
use crate::payments::confirm::Confirm;
use crate::payments::event::{Party, TopUpRequested, WithdrawalRequested};
use crate::payments::posting::{self, ISSUED, WITHDRAWALS};
use crate::payments::said;
use crate::payments::service::nothing;
use crate::payments::{PaymentError, Payments};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What a citizen asks for.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Whose account.
    pub owner: Party,
    /// Decimal text.
    pub amount: String,
    /// Of what.
    pub asset: String,
}

impl Payments {
    /// Tells somebody how to bring money in, by the way that they name.
    pub async fn request_top_up(
        &self,
        actor: &Actor,
        key: &RequestKey,
        (new, method): (&NewOrder, &str),
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let adapter = self.adapter(actor).await?;
        if method != adapter.name() {
            let detail = format!("the way in is {}", adapter.name());
            return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/method").into());
        }
        let tenant = actor.origin.tenant;
        let (known, amount, scale) = self.wanted(actor, new).await?;
        // Begun before the fact is recorded: the owner is told what to do at once. An order of which the log does not know was
        // promised to nobody; and whoever repeats the request means the same one, so its id follows from the key.
        let id = name::natural_key(tenant, "top-up", &[&key.principal.to_string(), &key.key]);
        let order = Order { id, direction: Direction::In, amount, scale, asset: new.asset.clone() };
        let Started { reference, instructions, open_seconds } = adapter.start(&order).await?;
        let asked = TopUpRequested {
            owner: new.owner,
            method: method.to_owned(),
            asset: new.asset.clone(),
            scale,
            amount,
            reference,
            instructions,
            open_seconds,
        };
        let decide = async || Ok((topup::request(id, tenant, &asked), known.clone()));
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// A top-up of a person's. Anybody else's is not found.
    pub async fn top_up(&self, actor: &Actor, holder: Uuid, id: Uuid) -> Result<TopUp, PaymentError> {
        let found = TopUp::fold(&self.stream(actor, id).await?);
        found.filter(|top_up| top_up.requested.owner.holder == holder).ok_or_else(nothing)
    }

    /// Tells somebody what would be paid out to them.
    pub async fn request_withdrawal(
        &self,
        actor: &Actor,
        key: &RequestKey,
        new: &NewOrder,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let method = self.adapter(actor).await?.name().to_owned();
        let (known, amount, scale) = self.wanted(actor, new).await?;
        self.opened(actor, WITHDRAWALS, &new.asset, BTreeSet::new()).await?;
        let asked = WithdrawalRequested {
            owner: new.owner,
            method,
            asset: new.asset.clone(),
            scale,
            amount,
            nonce: said::nonce(),
        };
        let decide = async || Ok((withdrawal::request(fresh::new_id(), &asked), known.clone()));
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// A withdrawal of a person's. Anybody else's is not found.
    pub async fn withdrawal(&self, actor: &Actor, holder: Uuid, id: Uuid) -> Result<Withdrawal, PaymentError> {
        let found = Withdrawal::fold(&self.stream(actor, id).await?);
        found.filter(|withdrawal| withdrawal.requested.owner.holder == holder).ok_or_else(nothing)
    }

    /// Puts aside what somebody wants paid out who has proven that they do.
    pub async fn approve(
        &self,
        actor: &Actor,
        key: &RequestKey,
        by: &Confirm,
        render: &Render,
    ) -> Result<Executed, PaymentError> {
        let tenant = actor.origin.tenant;
        let decide = async || {
            let withdrawal = self.withdrawal(actor, by.holder, by.intent).await?;
            let WithdrawalRequested { owner, asset, scale, .. } = &withdrawal.requested;
            let withdrawals = posting::system(tenant, WITHDRAWALS, asset);
            let limits = self.limits(actor, by.holder, *scale).await?;
            let known = self.known(actor, [owner.account, withdrawals]).await?;
            let returns = self.returns(actor, owner.account).await?;
            Ok((withdrawal.approve(tenant, fresh::new_id(), withdrawals, (&limits, &returns), by), known))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// What may still come back to an account.
    pub async fn returns(&self, actor: &Actor, account: Uuid) -> Result<Returns, PaymentError> {
        let stream = returns::stream(actor.origin.tenant, account);
        Ok(Returns::fold(stream, &self.stream(actor, stream).await?))
    }

    /// The way in and out of the actor's tenant.
    async fn adapter(&self, actor: &Actor) -> Result<&'static dyn FundingAdapter, PaymentError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let kept = tenant_settings(&mut tx, actor.origin.tenant).await?;
        tx.commit().await?;
        let none = || Refusal::new(RefusalCode::InvalidState, "no funding is set up here");
        Ok(self.funding.of(kept.settings.legal_mode).ok_or_else(none)?)
    }

    /// What somebody asks for, in their account's own asset; what backs the asset has an account from then on.
    async fn wanted(&self, actor: &Actor, new: &NewOrder) -> Result<(Known, Minor, u8), PaymentError> {
        let account = self.ledger.identity(actor, new.owner.account).await?.ok_or(PaymentError::Unreadable)?;
        if account.asset != new.asset {
            let detail = format!("the account is in {}", account.asset);
            return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/amount/asset").into());
        }
        let amount = transaction::amount(&new.amount, account.scale, "/amount/amount")?;
        let known = self.opened(actor, ISSUED, &new.asset, BTreeSet::from([account.id])).await?;
        Ok((known, amount, account.scale))
    }
}
