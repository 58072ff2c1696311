//! The use cases: register a company, open what it is paid for, look at both, change them.

use super::error::SettlementError;
use super::event::ProviderDescribed;
use super::offer::{self, Offer, OfferChange, Service};
use super::provider::{self, NewProvider, Provider, ProviderChange};
use super::store::{self, Row};
use crate::access::staff::Territory;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Recorded, RequestKey};
use crate::kernel::{Refusal, RefusalCode};
use crate::ledger::known::Known;
use crate::ledger::service::{Actor, Executed, Ledger, Render};
use sqlx::PgPool;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// What the API needs of this context. Reads as `vintem_reader`, appends through the writers of the shards.
#[derive(Clone)]
pub struct Services {
    reader: PgPool,
    ledger: Ledger,
}

/// A page of a list: what is shown of it, and the place after which there is more.
#[derive(Debug)]
pub struct Listed<T> {
    /// In the order of their coming, without those that the caller does not look after.
    pub items: Vec<T>,
    /// Where the next page begins, if there is one.
    pub next: Option<i64>,
}

impl Services {
    /// Over the ledger that the accounts are in.
    pub fn new(reader: PgPool, ledger: Ledger) -> Self {
        Self { reader, ledger }
    }

    /// Registers a company.
    pub async fn register(
        &self,
        actor: &Actor,
        key: &RequestKey,
        territory: &Territory,
        new: &NewProvider,
        render: &Render,
    ) -> Result<Executed, SettlementError> {
        let says: ProviderDescribed = provider::read(new)?;
        check_unit(territory, says.unit)?;
        let stream = Provider::stream(actor.origin.tenant, &says.cnpj);
        let decide = async || {
            let existing = self.streams(actor, &[stream]).await?;
            Ok((provider::register(stream, &says, &existing), Known::default()))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Changes what is known of one.
    pub async fn change_provider(
        &self,
        actor: &Actor,
        key: &RequestKey,
        territory: &Territory,
        (id, expected, change): (Uuid, Option<i32>, &ProviderChange),
        render: &Render,
    ) -> Result<Executed, SettlementError> {
        if let Some(unit) = change.unit {
            check_unit(territory, unit)?;
        }
        let decide = async || {
            let provider = self.provider(actor, territory, id).await?;
            Ok((provider.change(expected, change)?, Known::default()))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// A provider that the caller looks after. Others, and another tenant's, are not found.
    pub async fn provider(&self, actor: &Actor, territory: &Territory, id: Uuid) -> Result<Provider, SettlementError> {
        let found = self.find_provider(actor, id).await?;
        found.filter(|provider| territory.covers(id, provider.says.unit)).ok_or_else(nothing)
    }

    /// A provider, for whoever asks on behalf of the system.
    pub async fn find_provider(&self, actor: &Actor, id: Uuid) -> Result<Option<Provider>, SettlementError> {
        Ok(Provider::fold(&self.streams(actor, &[id]).await?))
    }

    /// The providers after a place.
    pub async fn providers(
        &self,
        actor: &Actor,
        territory: &Territory,
        after: i64,
        limit: i64,
    ) -> Result<Listed<Provider>, SettlementError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let rows = store::providers(&mut tx, (actor.shard, actor.origin.tenant), after, limit + 1).await?;
        tx.commit().await?;
        self.listed(actor, rows, limit, Provider::fold, |one| territory.covers(one.id, one.says.unit)).await
    }

    /// Opens a service of a provider that the caller looks after. Without a unit of its own it has the provider's.
    pub async fn open(
        &self,
        actor: &Actor,
        key: &RequestKey,
        territory: &Territory,
        new: &Offer,
        render: &Render,
    ) -> Result<Executed, SettlementError> {
        let tenant = actor.origin.tenant;
        let provider = self.find_provider(actor, new.provider).await?;
        // Whoever was granted one service may not open another, and none of somebody else's.
        let provider = provider
            .filter(|provider| territory.covers(provider.id, provider.says.unit))
            .ok_or_else(|| Refusal::new(RefusalCode::ValidationFailed, "there is no such provider").at("/provider"))?;
        let offer = Offer { unit: new.unit.or(provider.says.unit), ..new.clone() };
        check_unit(territory, offer.unit)?;
        let accounts: BTreeSet<Uuid> = offer::accounts(&offer.terms, tenant, &offer.asset).collect();
        let decide = async || {
            let assets = BTreeSet::from([offer.asset.clone()]);
            let known = self.ledger.known(actor, accounts.clone(), assets).await?;
            Ok((offer::open(&offer, tenant, &known)?, known))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// Changes a service that the caller looks after.
    pub async fn change(
        &self,
        actor: &Actor,
        key: &RequestKey,
        territory: &Territory,
        (id, expected, change): (Uuid, Option<i32>, &OfferChange),
        render: &Render,
    ) -> Result<Executed, SettlementError> {
        let tenant = actor.origin.tenant;
        if let OfferChange::Details(details) = change
            && let Some(unit) = details.unit
        {
            check_unit(territory, unit)?;
        }
        let decide = async || {
            let service = self.service(actor, territory, id).await?;
            let terms = match change {
                OfferChange::Details(details) => details.terms.as_ref(),
                OfferChange::Suspend | OfferChange::Resume => None,
            };
            let named = terms.into_iter().flat_map(|terms| offer::accounts(terms, tenant, &service.asset));
            let assets = BTreeSet::from([service.asset.clone()]);
            let known = self.ledger.known(actor, named.collect(), assets).await?;
            Ok((service.change(tenant, expected, change, &known)?, known))
        };
        self.ledger.decided(actor, Some(key), render, decide).await
    }

    /// A service that the caller looks after. Others, and another tenant's, are not found.
    pub async fn service(&self, actor: &Actor, territory: &Territory, id: Uuid) -> Result<Service, SettlementError> {
        self.find(actor, id).await?.filter(|service| territory.covers(id, service.unit)).ok_or_else(nothing)
    }

    /// A service, for whoever charges for it.
    pub async fn find(&self, actor: &Actor, id: Uuid) -> Result<Option<Service>, SettlementError> {
        Ok(Service::fold(&self.streams(actor, &[id]).await?))
    }

    /// The services after a place, or those of one provider.
    pub async fn services(
        &self,
        actor: &Actor,
        territory: &Territory,
        provider: Option<Uuid>,
        (after, limit): (i64, i64),
    ) -> Result<Listed<Service>, SettlementError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let of = (actor.shard, actor.origin.tenant);
        let rows = store::services(&mut tx, of, provider, after, limit + 1).await?;
        tx.commit().await?;
        self.listed(actor, rows, limit, Service::fold, |one| territory.covers(one.id, one.unit)).await
    }

    async fn listed<T>(
        &self,
        actor: &Actor,
        mut rows: Vec<Row>,
        limit: i64,
        fold: impl Fn(&[Recorded]) -> Option<T>,
        is_seen: impl Fn(&T) -> bool,
    ) -> Result<Listed<T>, SettlementError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_more = rows.len() > limit;
        rows.truncate(limit);
        let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
        let events = self.streams(actor, &ids).await?;
        let mut found: HashMap<Uuid, T> = HashMap::with_capacity(ids.len());
        for stream in events.chunk_by(|one, next| one.stream == next.stream) {
            let id = stream.first().map(|first| first.stream).unwrap_or_default();
            found.insert(id, fold(stream).ok_or(SettlementError::Unreadable)?);
        }
        let items = ids.iter().filter_map(|id| found.remove(id)).filter(is_seen).collect();
        Ok(Listed { items, next: rows.last().filter(|_| is_more).map(|last| last.position) })
    }

    async fn streams(&self, actor: &Actor, streams: &[Uuid]) -> Result<Vec<Recorded>, SettlementError> {
        let mut tx = tenant_tx(&self.reader, actor.origin.tenant).await?;
        let events = read::streams(&mut tx, actor.shard, streams).await?;
        tx.commit().await?;
        Ok(events)
    }
}

/// Refuses a unit that there is not, or that is beyond what somebody looks after.
fn check_unit(territory: &Territory, unit: Option<Uuid>) -> Result<(), SettlementError> {
    territory.check_exists(unit)?;
    if territory.covers_unit(unit) { Ok(()) } else { Err(SettlementError::Beyond("/unit")) }
}

fn nothing() -> SettlementError {
    Refusal::new(RefusalCode::NotFound, "there is no such provider or service").into()
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Services")
    }
}
