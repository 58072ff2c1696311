//! The facts of this context as they stand in payloads.
//!
//! Members may be added, never renamed or removed: old history stays readable. A secret's digest is
//! not among them, because what is in the log can never be taken out again.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::client::Client;
use super::error::AccessError;
use super::tenant::Tenant;
use crate::event_store::overlay::Origin;
use crate::event_store::proposal::{EntryKind, NewEvent};
use crate::event_store::{Answer, Decision, Disposed, Job, Outcome, Proposal, Shard, StoredBody, WriteError};

/// A tenant exists; its stream is its id.
pub const TENANT_CREATED: &str = "tenant.created";
/// A service client exists; its stream is its id.
pub const CLIENT_CREATED: &str = "client.created";

/// `tenant.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TenantCreated {
    /// Unique in the whole system.
    pub name: String,
    /// Where its days begin.
    pub time_zone: String,
}

/// `client.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientCreated {
    /// Unique in the tenant.
    pub name: String,
    /// What its tokens may be good for.
    pub scopes: Vec<String>,
}

/// Appends `tenant.created`.
pub(super) async fn record_tenant(shard: &Shard, tenant: &Tenant) -> Result<(), AccessError> {
    let fact = TenantCreated { name: tenant.name.as_str().to_owned(), time_zone: tenant.time_zone.name().to_owned() };
    record(shard, tenant.tenant, tenant.tenant, TENANT_CREATED, &fact).await
}

/// Appends `client.created`.
pub(super) async fn record_client(shard: &Shard, client: &Client) -> Result<(), AccessError> {
    let scopes = client.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let fact = ClientCreated { name: client.name.as_str().to_owned(), scopes };
    record(shard, client.tenant, client.client, CLIENT_CREATED, &fact).await
}

async fn record(
    shard: &Shard,
    tenant: Uuid,
    stream: Uuid,
    kind: &'static str,
    fact: &(impl Serialize + Sync),
) -> Result<(), AccessError> {
    let event = NewEvent {
        stream,
        expected: 0,
        fresh: true,
        kind,
        payload: serde_json::to_string(fact).expect("a fact is plain JSON"),
        effective_at: None,
        entry_kind: EntryKind::Posting,
        moves: Vec::new(),
        settings: None,
    };
    let proposal = Proposal { events: vec![event], ..Proposal::default() };
    let job = Job {
        origin: Origin { tenant, actor: Arc::from("operator"), correlation: None },
        request: None,
        items: vec![Decision::Propose(proposal).into()],
        render: Arc::new(|_| Answer { status: 201, code: None, body: StoredBody::Rendered }),
    };
    match shard.dispose(job).await? {
        Disposed::Done(done, _) if matches!(done.outcomes[..], [Outcome::Applied(_)]) => Ok(()),
        // A stream of a fresh id has nobody to lose against, and a fact without moves no bounds.
        _ => Err(AccessError::Write(WriteError::Defect)),
    }
}
