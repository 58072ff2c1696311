//! Becoming a member, and what members change about how they prove themselves.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use super::error::StaffError;
use super::event::FactorChange;
use super::member::{self, Member};
use super::recovery::Codes;
use super::service::{Entered, Of, Staff, acting, load, open_device, seal_device};
use super::store::credentials::{self, Credential};
use super::store::invitations::{self, Kept};
use super::store::sessions;
use super::ticket::Ticket;
use super::totp::{DeviceSecret, Enrolment};
use crate::access::proving::{Password, attempts};
use crate::event_store::read::tenant_tx;
use crate::ledger::service::Actor;
use crate::secrets::people::DataKey;

impl Staff {
    /// First half of accepting an invitation: chooses a password and is told the device's secret. It may be repeated until it
    /// is confirmed; the last one counts.
    pub async fn accept(
        &self,
        of: Of,
        tenant_name: &str,
        ticket: &Ticket,
        password: &SecretString,
    ) -> Result<Enrolment, StaffError> {
        let now = self.now();
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let (_, member) = invited(&mut tx, of, ticket, now).await?;
        // The lock is not held while hashing.
        tx.rollback().await?;
        let password = Password::chosen(password, &[tenant_name, &member.login])?;
        let hash = self.knows()?.hashing.hash(password.as_bytes()).await?;
        let (key, device) = (self.own_key(of, member.id).await?, DeviceSecret::generate());
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let (kept, _) = invited(&mut tx, of, ticket, now).await?;
        let sealed = seal_device(&key, of, member.id, &device);
        invitations::choose(&mut tx, of, kept.invitation, (&hash, &sealed)).await?;
        tx.commit().await?;
        Ok(device.enrolment(tenant_name, &member.login))
    }

    /// Second half: a code proves that the device has the secret. The answer is shown once.
    ///
    /// The fact is recorded while the invitation is locked, and before what follows from it is committed: of two at once one
    /// finds no invitation. Should the commit fail after it, what was chosen is still there, and a repetition with another code
    /// finishes what the log knows already.
    pub async fn confirm(&self, of: Of, ticket: &Ticket, code: &str) -> Result<Codes, StaffError> {
        let now = self.now();
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let (kept, member) = opened(&mut tx, of, ticket).await?;
        let is_to_join = member::may_accept(&member, kept.invitation, now);
        let is_to_finish = member.is_proven_by(kept.invitation) && now < kept.expires_at;
        if !(is_to_join || is_to_finish) {
            return Err(StaffError::NotProven);
        }
        let (password_hash, sealed) = kept.chosen.ok_or(StaffError::NotProven)?;
        let key = self.own_key(of, member.id).await?;
        let step = open_device(&key, of, member.id, &sealed)?.step_of(code, now).ok_or(StaffError::NotProven)?;
        let codes = Codes::generate();
        let credential = Credential { enrolled_by: kept.invitation, password_hash, device: sealed };
        credentials::put(&mut tx, of, member.id, &credential, step).await?;
        credentials::replace_codes(&mut tx, of, member.id, &codes.digests(member.id)).await?;
        invitations::delete(&mut tx, of, member.id).await?;
        if is_to_join {
            let actor = acting(of, &format!("staff:{}", member.id));
            self.record(&actor, member::join(&member, kept.invitation)).await?;
        }
        tx.commit().await?;
        Ok(codes)
    }

    /// Replaces the member's password. Every other session of theirs ends.
    pub async fn change_password(
        &self,
        actor: &Actor,
        tenant_name: &str,
        entered: &Entered,
        old: &SecretString,
        new: &SecretString,
    ) -> Result<(), StaffError> {
        let (of, member) = (Of::from(actor), &entered.member);
        self.require_fresh(entered)?;
        let new = Password::chosen(new, &[tenant_name, &member.login])?;
        let counted = self.count_in_session(member.id).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let stored = credentials::find(&mut tx, of, member.id).await?.map(|credential| credential.password_hash);
        tx.commit().await?;
        let hashing = &self.knows()?.hashing;
        if !hashing.verify(Password::typed(old).as_bytes(), stored).await? {
            return Err(StaffError::NotProven);
        }
        attempts::take_back(&self.editor, &counted, false).await?;
        let hash = hashing.hash(new.as_bytes()).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        credentials::replace_password(&mut tx, of, member.id, &hash).await?;
        let applied = self.record(actor, member::change_factor(member, FactorChange::Password)).await?;
        let version = applied.events.last().map_or(member.version, |event| event.version);
        sessions::carry_over(&mut tx, of, entered.session.id, version).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Draws other recovery codes; those before are worth nothing any more.
    pub async fn renew_codes(&self, actor: &Actor, entered: &Entered) -> Result<Codes, StaffError> {
        let (of, member) = (Of::from(actor), &entered.member);
        self.require_fresh(entered)?;
        let codes = Codes::generate();
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        credentials::replace_codes(&mut tx, of, member.id, &codes.digests(member.id)).await?;
        self.record(actor, member::change_factor(member, FactorChange::RecoveryCodes)).await?;
        tx.commit().await?;
        Ok(codes)
    }

    fn require_fresh(&self, entered: &Entered) -> Result<(), StaffError> {
        let is_fresh = entered.session.fresh_until.is_some_and(|until| self.now() < until);
        if is_fresh { Ok(()) } else { Err(StaffError::StepUp) }
    }

    /// The key of a member's own, made when it is first needed.
    async fn own_key(&self, of: Of, member: Uuid) -> Result<Arc<DataKey>, StaffError> {
        let keys = &self.knows()?.keys;
        if let Some(key) = keys.find(of.tenant, &[member]).await?.remove(&member) {
            return Ok(key);
        }
        Ok(keys.create(of.tenant, member).await?)
    }
}

/// What a ticket opens, and its member, whether or not it may be accepted now.
async fn opened(tx: &mut PgConnection, of: Of, ticket: &Ticket) -> Result<(Kept, Member), StaffError> {
    let kept = invitations::lock(tx, of, &ticket.digest()).await?.ok_or(StaffError::NotProven)?;
    let member = load(tx, of, kept.member).await?.ok_or(StaffError::NotProven)?;
    Ok((kept, member))
}

/// The invitation that a ticket opens, and its member. Nothing is said about why there is none.
async fn invited(
    tx: &mut PgConnection,
    of: Of,
    ticket: &Ticket,
    now: DateTime<Utc>,
) -> Result<(Kept, Member), StaffError> {
    let (kept, member) = opened(tx, of, ticket).await?;
    if member::may_accept(&member, kept.invitation, now) { Ok((kept, member)) } else { Err(StaffError::NotProven) }
}
