//! What administrators do about members and units: invite, give roles and grants, suspend, resume, reset. Each under a key,
//! each a fact, and each as far as the administrator's authority reaches.

use chrono::{DateTime, Utc};
use sqlx::Connection as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::authority::Authority;
use super::error::StaffError;
use super::invitation::{Invitation, LIFE};
use super::login::Login;
use super::member::{self, Change, Member, Position};
use super::service::{Of, Staff, applied, load, load_all};
use super::store::{invitations, members};
use super::ticket::{Purpose, Ticket};
use super::unit::Units;
use crate::access::Tenant;
use crate::event_store::job::{Render, unanswered};
use crate::event_store::overlay::Origin;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Decision, Disposed, Job, RequestKey, Shard, WriteError, fresh};
use crate::kernel::{Refusal, RefusalCode};
use crate::ledger::service::Actor;
use crate::telemetry::clock;

/// A change of one member meets few others.
const ATTEMPTS: usize = 5;
/// More would be a program gone wild.
const MEMBERS: usize = 500;

/// Somebody who was invited, and what opens the invitation: shown once.
#[derive(Debug)]
pub struct Invited {
    /// Who.
    pub member: Uuid,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// To be handed over.
    pub ticket: Ticket,
}

impl Invited {
    fn draw(tenant: Uuid, member: Uuid, now: DateTime<Utc>) -> (Self, Invitation) {
        let invitation = Invitation { id: fresh::new_id(), expires_at: now + LIFE };
        let ticket = Ticket::generate(Purpose::Invitation, tenant);
        (Self { member, expires_at: invitation.expires_at, ticket }, invitation)
    }
}

impl Staff {
    /// Every member whom an authority is about, by login.
    pub async fn members(&self, of: Of, authority: &Authority) -> Result<Vec<Member>, StaffError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let ids = members::list(&mut tx, of).await?;
        let mut members = load_all(&mut tx, of, &ids).await?;
        tx.commit().await?;
        // Somebody whose invitation was never recorded is nobody.
        let all = ids.iter().filter_map(|id| members.remove(id));
        Ok(all.filter(|member| authority.covers(member.id, member)).collect())
    }

    /// One member. Another tenant's is not found, nor is one whom the authority is not about.
    pub async fn member(&self, of: Of, authority: &Authority, id: Uuid) -> Result<Member, StaffError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let member = load(&mut tx, of, id).await?;
        tx.commit().await?;
        member.filter(|member| authority.covers(id, member)).ok_or_else(nobody)
    }

    /// The units of a tenant.
    pub async fn units(&self, of: Of) -> Result<Units, StaffError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let events = read::streams(&mut tx, of.shard, &[Units::stream(of.tenant)]).await?;
        tx.commit().await?;
        Units::fold(of.tenant, &events).ok_or(StaffError::Unreadable)
    }

    /// Changes the units as decided on what they are.
    pub async fn change_units(
        &self,
        actor: &Actor,
        key: RequestKey,
        decide: impl Fn(&Units) -> Result<Decision, Refusal>,
        render: Render,
    ) -> Result<Disposed, StaffError> {
        for _ in 0..ATTEMPTS {
            let decision = decide(&self.units(Of::from(actor)).await?)?;
            match self.dispose(actor, Some(key.clone()), decision, render.clone()).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(disposed),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Invites somebody. What opens the invitation is in no answer that is kept.
    pub async fn invite(
        &self,
        actor: &Actor,
        authority: &Authority,
        key: RequestKey,
        (login, position): (&Login, &Position),
        render: Render,
    ) -> Result<(Disposed, Invited), StaffError> {
        authority.check_invitation(position)?;
        let (of, now) = (Of::from(actor), self.now());
        let id = login.member(of.tenant);
        let (invited, invitation) = Invited::draw(of.tenant, id, now);
        for _ in 0..ATTEMPTS {
            let mut tx = tenant_tx(&self.editor, of.tenant).await?;
            let existing = load(&mut tx, of, id).await?;
            let decision = member::invite(existing.as_ref(), of.tenant, login, position, invitation)?;
            let decision = if members::list(&mut tx, of).await?.len() < MEMBERS { decision } else { full() };
            keep(&mut tx, of, &decision, login.as_str(), &invited, invitation).await?;
            tx.commit().await?;
            match self.dispose(actor, Some(key.clone()), decision, render.clone()).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok((disposed, invited)),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Takes away what a member proves themselves with, and invites them anew.
    pub async fn reset(
        &self,
        actor: &Actor,
        authority: &Authority,
        key: RequestKey,
        id: Uuid,
        render: Render,
    ) -> Result<(Disposed, Invited), StaffError> {
        let (of, now) = (Of::from(actor), self.now());
        let (invited, invitation) = Invited::draw(of.tenant, id, now);
        for _ in 0..ATTEMPTS {
            let mut tx = tenant_tx(&self.editor, of.tenant).await?;
            let member = load(&mut tx, of, id).await?.ok_or_else(nobody)?;
            authority.check_over(&member)?;
            let decision = member::reset(&member, Some(authority.by), invitation);
            keep(&mut tx, of, &decision, &member.login, &invited, invitation).await?;
            tx.commit().await?;
            match self.dispose(actor, Some(key.clone()), decision, render.clone()).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok((disposed, invited)),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Changes a member.
    pub async fn change(
        &self,
        actor: &Actor,
        authority: &Authority,
        key: RequestKey,
        (id, change): (Uuid, &Change),
        render: Render,
    ) -> Result<Disposed, StaffError> {
        for _ in 0..ATTEMPTS {
            let decision = authority.decide(&self.member(Of::from(actor), authority, id).await?, change)?;
            match self.dispose(actor, Some(key.clone()), decision, render.clone()).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(disposed),
            }
        }
        Err(WriteError::Overloaded.into())
    }
}

/// Invites the first administrator, or anybody anew who has lost everything. Role: operator; `writer` is the one of the
/// tenant's shard.
pub async fn invite_by_operator(
    connection: &mut PgConnection,
    writer: &Shard,
    tenant: &Tenant,
    login: &Login,
    position: &Position,
) -> Result<Invited, StaffError> {
    let of = Of { shard: tenant.shard, tenant: tenant.tenant };
    let (invited, invitation) = Invited::draw(of.tenant, login.member(of.tenant), clock::now());
    let mut tx = connection.begin().await?;
    let decision = match load(&mut tx, of, invited.member).await? {
        Some(member) => member::reset(&member, None, invitation),
        None => member::invite(None, of.tenant, login, position, invitation)?,
    };
    keep(&mut tx, of, &decision, login.as_str(), &invited, invitation).await?;
    tx.commit().await?;
    let job = Job {
        origin: Origin::command(of.tenant, "operator"),
        request: None,
        items: vec![decision.into()],
        render: unanswered(),
    };
    applied(writer.dispose(job).await?)?;
    Ok(invited)
}

/// Keeps a ticket before the fact is recorded: one that the log knows nothing of opens nothing, and a fact without its
/// ticket could be accepted by nobody.
async fn keep(
    tx: &mut PgConnection,
    of: Of,
    decision: &Decision,
    login: &str,
    invited: &Invited,
    invitation: Invitation,
) -> Result<(), sqlx::Error> {
    if !matches!(decision, Decision::Propose(_)) {
        return Ok(());
    }
    members::insert(tx, of, invited.member, login).await?;
    let ids = (invitation.id, invited.member);
    invitations::insert(tx, of, ids, &invited.ticket.digest(), invitation.expires_at).await
}

fn full() -> Decision {
    let detail = format!("a tenant has at most {MEMBERS} members");
    Decision::Refuse(Refusal::new(RefusalCode::LimitExceeded, detail), Vec::new())
}

fn nobody() -> StaffError {
    Refusal::new(RefusalCode::NotFound, "there is no such member").into()
}
