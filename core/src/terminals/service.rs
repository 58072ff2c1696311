//! What every use case of terminals stands on: which terminal it is, as the log says, and how a fact gets there; and what the back
//! office does about the fleet.

use sqlx::PgPool;
use uuid::Uuid;

use chrono::{DateTime, Utc};

use super::code::{ActivationCode, LIFETIME};
use super::error::{TerminalError, nothing};
use super::event::TerminalRegistered;
use super::serial::Serial;
use super::store::heartbeats::{self, Heartbeat};
use super::store::look_ups::{self, Row};
use super::store::{codes, messages};
use super::terminal::{Issued, Terminal, register};
use crate::access::staff::Territory;
use crate::access::{Of, at_the_door};
use crate::event_store::job::{Render, unanswered};
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Applied, Decision, Disposed, Job, Outcome, RequestKey, WriteError, fresh};
use crate::ledger::service::{Actor, Ledger};
use crate::secrets::{Pepper, SecretsError, Vault};
use crate::telemetry::clock::Clock;

/// How often a decision is made again that met another one about the same terminal.
const ATTEMPTS: usize = 5;

/// What this context has from Vault.
#[derive(Debug, Clone)]
pub struct Knows {
    /// What names codes and serials where attempts are counted.
    pub pepper: Pepper,
    /// Who signs certificates.
    pub vault: Vault,
}

/// What the API needs of terminals. Looks as `vintem_reader`, changes and proves as `vintem_editor`, appends through the writers of
/// the shards.
#[derive(Clone)]
pub struct Terminals {
    pub(super) reader: PgPool,
    pub(super) editor: PgPool,
    ledger: Ledger,
    knows: Option<Knows>,
    clock: Clock,
}

impl Terminals {
    /// Without a Vault no device comes in, and those that are in go on.
    pub fn new((reader, editor): (PgPool, PgPool), ledger: Ledger, knows: Option<Knows>, clock: Clock) -> Self {
        Self { reader, editor, ledger, knows, clock }
    }

    /// The tenant of a name.
    pub async fn door(&self, tenant: &str) -> Result<Option<Of>, TerminalError> {
        Ok(at_the_door(&self.editor, tenant).await?)
    }

    /// Now, as codes and certificates see it.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// A device that joins the inventory, or comes back to it.
    pub async fn register(
        &self,
        actor: &Actor,
        territory: &Territory,
        key: RequestKey,
        (serial, says): (&Serial, &TerminalRegistered),
        render: Render,
    ) -> Result<Disposed, TerminalError> {
        check_place(territory, says.unit)?;
        let of = Of::from(actor);
        let decide = async || {
            Ok(match self.load(of, serial.terminal(of.tenant)).await? {
                Some(terminal) => terminal.register_anew(says),
                None => register(of.tenant, serial, says),
            })
        };
        self.disposed(actor, &key, decide, &render).await
    }

    /// Changes a terminal as it is decided on what it is.
    pub async fn change(
        &self,
        actor: &Actor,
        territory: &Territory,
        key: RequestKey,
        id: Uuid,
        decide: impl Fn(&Terminal) -> Decision,
        render: Render,
    ) -> Result<Disposed, TerminalError> {
        let decide = async || Ok(decide(&self.terminal(Of::from(actor), territory, id).await?));
        self.disposed(actor, &key, decide, &render).await
    }

    /// The same by the terminal itself.
    pub async fn change_own(
        &self,
        actor: &Actor,
        key: RequestKey,
        id: Uuid,
        decide: impl Fn(&Terminal) -> Decision,
        render: Render,
    ) -> Result<Disposed, TerminalError> {
        let decide = async || Ok(decide(&self.own(Of::from(actor), id).await?));
        self.disposed(actor, &key, decide, &render).await
    }

    /// A code that brings a device in. It is in no answer that is kept.
    pub async fn issue_code(
        &self,
        actor: &Actor,
        territory: &Territory,
        key: RequestKey,
        id: Uuid,
        render: Render,
    ) -> Result<(Disposed, ActivationCode), TerminalError> {
        let (of, now, drawn) = (Of::from(actor), self.now(), ActivationCode::draw());
        let issued = Issued { code: fresh::new_id(), expires_at: now + LIFETIME };
        self.terminal(of, territory, id).await?;
        // Kept before the fact is recorded: a code that the log knows nothing of opens nothing.
        let digest = drawn.digest(&self.knows()?.pepper, id);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        codes::insert(&mut tx, of, (issued.code, id), &digest, (now, issued.expires_at)).await?;
        tx.commit().await?;
        let decide = async || Ok(self.terminal(of, territory, id).await?.issue_code(issued));
        Ok((self.disposed(actor, &key, decide, &render).await?, drawn))
    }

    /// A page of those whom somebody is about, after one of them.
    pub async fn list(
        &self,
        of: Of,
        territory: &Territory,
        after: Uuid,
        limit: i64,
    ) -> Result<Vec<Row>, TerminalError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let rows = match territory.units() {
            None => look_ups::list(&mut tx, of, after, limit).await?,
            Some(units) => look_ups::list_of_units(&mut tx, of, &units, after, limit).await?,
        };
        tx.commit().await?;
        Ok(rows)
    }

    /// One of them. Another tenant's is not found, nor is one whom they are not about.
    pub async fn terminal(&self, of: Of, territory: &Territory, id: Uuid) -> Result<Terminal, TerminalError> {
        let terminal = self.own(of, id).await?;
        if territory.covers(id, terminal.config.says.unit) { Ok(terminal) } else { Err(nothing()) }
    }

    /// What a terminal said of itself last.
    pub async fn heartbeat_of(&self, of: Of, id: Uuid) -> Result<Option<Heartbeat>, TerminalError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let found = heartbeats::find(&mut tx, of, id).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// A terminal, to itself.
    pub async fn own(&self, of: Of, id: Uuid) -> Result<Terminal, TerminalError> {
        self.load(of, id).await?.ok_or_else(nothing)
    }

    /// The number of a terminal's next message.
    pub async fn next_seq(&self, of: Of, id: Uuid) -> Result<i64, TerminalError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let highest = messages::highest(&mut tx, of, id).await?;
        tx.commit().await?;
        Ok(highest + 1)
    }

    pub(super) async fn row(&self, of: Of, id: Uuid) -> Result<Option<Row>, TerminalError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let row = look_ups::find(&mut tx, of, id).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// A terminal as the log says, or none.
    pub(super) async fn load(&self, of: Of, id: Uuid) -> Result<Option<Terminal>, TerminalError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let events = read::streams(&mut tx, of.shard, &[id]).await?;
        tx.commit().await?;
        Ok(Terminal::fold(&events))
    }

    /// Records what is decided about a terminal, without a key, and decides again when another decision came between.
    pub(super) async fn decided(
        &self,
        actor: &Actor,
        id: Uuid,
        decide: impl Fn(&Terminal) -> Decision,
    ) -> Result<Applied, TerminalError> {
        for _ in 0..ATTEMPTS {
            let decision = decide(&self.own(Of::from(actor), id).await?);
            match self.dispose(actor, None, decision, unanswered()).await?.alone() {
                Ok(Outcome::Applied(applied) | Outcome::Already(applied)) => return Ok(applied),
                Ok(Outcome::Refused(refusal)) => return Err(refusal.into()),
                Err(WriteError::Overloaded) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// The same under a key.
    async fn disposed(
        &self,
        actor: &Actor,
        key: &RequestKey,
        decide: impl AsyncFn() -> Result<Decision, TerminalError>,
        render: &Render,
    ) -> Result<Disposed, TerminalError> {
        for _ in 0..ATTEMPTS {
            match self.dispose(actor, Some(key.clone()), decide().await?, render.clone()).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(disposed),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    async fn dispose(
        &self,
        actor: &Actor,
        request: Option<RequestKey>,
        decision: Decision,
        render: Render,
    ) -> Result<Disposed, TerminalError> {
        let shard = self.ledger.shard(actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
        let job = Job { origin: actor.origin.clone(), request, items: vec![decision.into()], render };
        Ok(shard.dispose(job).await?)
    }

    pub(super) fn knows(&self) -> Result<&Knows, TerminalError> {
        self.knows.as_ref().ok_or(TerminalError::Secrets(SecretsError::Unreachable { call: "pki/sign" }))
    }
}

/// Refuses a place that is none, or none of those whom somebody is about.
pub fn check_place(territory: &Territory, unit: Option<Uuid>) -> Result<(), TerminalError> {
    territory.check_exists(unit)?;
    if territory.covers_unit(unit) { Ok(()) } else { Err(TerminalError::Elsewhere) }
}

impl std::fmt::Debug for Terminals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Terminals")
    }
}
