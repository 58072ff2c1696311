//! What every use case of the staff stands on, and those of a session: enter, look, step up, end.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::authority::Authority;
use super::error::StaffError;
use super::event::StaffSignedIn;
use super::member::{self, Member, Position};
use super::seen::Seen;
use super::session::{FRESH, Session};
use super::store::{credentials, sessions};
use super::ticket::Ticket;
use super::totp::DeviceSecret;
use crate::access::Standing;
use crate::access::proving::back_off::origin;
use crate::access::proving::{Attempt, Counted, Hashing, attempts};
use crate::event_store::job::{Render, unanswered};
use crate::event_store::overlay::Origin;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Applied, Decision, Disposed, Job, Outcome, Recorded, RequestKey, Shard, WriteError};
use crate::ledger::service::Actor;
use crate::secrets::people::{DataKey, PersonKeys, Place};
use crate::secrets::{Pepper, RequestDigest, SecretsError};
use crate::telemetry::clock::Clock;

pub use super::store::Of;

/// Two who end one session at once are few.
const ATTEMPTS: usize = 3;

/// What this context has from Vault.
#[derive(Debug, Clone)]
pub struct Knows {
    /// The keys that seal the secrets of devices.
    pub keys: PersonKeys,
    /// Where passwords are hashed.
    pub hashing: Hashing,
    /// What names addresses and logins where failures are counted.
    pub pepper: Pepper,
}

/// What the API needs of the staff. Looks as `vintem_reader`, changes and proves as `vintem_editor`, appends through the
/// writers of the shards.
#[derive(Clone)]
pub struct Staff {
    pub(super) reader: PgPool,
    pub(super) editor: PgPool,
    shards: HashMap<i16, Shard>,
    knows: Option<Knows>,
    clock: Clock,
}

/// Who came in with a ticket.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The member, as the log says now.
    pub member: Member,
    /// The session.
    pub session: Session,
}

/// A session as its owner or an administrator sees it.
#[derive(Debug, Clone)]
pub struct OpenSession {
    /// The session.
    pub session: Session,
    /// Its member's login.
    pub login: String,
    /// Where it was opened from, for its owner; for others nothing.
    pub seen: Seen,
}

impl Entered {
    /// What they may do.
    pub fn standing(&self) -> Standing {
        let Position { roles, grants, unit } = &self.member.position;
        Standing::new(self.session.id, roles, grants, *unit, self.session.fresh_until)
    }
}

impl Knows {
    /// From what the process has from Vault for people anyway.
    pub fn of(keys: &PersonKeys, requests: &RequestDigest) -> Self {
        let pepper = requests.pepper();
        Self { keys: keys.clone(), hashing: Hashing::new(pepper.clone()), pepper }
    }

    /// Where somebody comes from, as it may be kept.
    pub(super) fn place(&self, from: Option<IpAddr>) -> [u8; 32] {
        self.pepper.name(&[b"place", &origin(from)])
    }

    pub(super) fn counted(&self, counted: Counted, parts: &[&[u8]]) -> [u8; 32] {
        let kind: &[u8] = counted.as_str().as_bytes();
        self.pepper.name(&[&[kind], parts].concat())
    }
}

impl Staff {
    /// Without a Vault nobody can sign in.
    pub fn new(
        (reader, editor): (PgPool, PgPool),
        shards: HashMap<i16, Shard>,
        knows: Option<Knows>,
        clock: Clock,
    ) -> Self {
        Self { reader, editor, shards, knows, clock }
    }

    /// Now, as sessions see it.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// How many passwords were hashed.
    pub fn hashes(&self) -> u64 {
        self.knows.as_ref().map_or(0, |knows| knows.hashing.done())
    }

    /// Who comes in with a ticket. The use is noted.
    pub async fn enter(&self, of: Of, ticket: &Ticket) -> Result<Entered, StaffError> {
        let now = self.now();
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let session = sessions::by_ticket(&mut tx, of, &ticket.digest()).await?.ok_or(StaffError::NoSession)?;
        let member = load(&mut tx, of, session.member).await?.ok_or(StaffError::NoSession)?;
        if !session.is_alive(&member, now) {
            return Err(StaffError::NoSession);
        }
        tx.commit().await?;
        if session.is_to_be_touched(now) {
            let mut tx = tenant_tx(&self.editor, of.tenant).await?;
            sessions::touch(&mut tx, of, session.id, now).await?;
            tx.commit().await?;
        }
        Ok(Entered { member, session })
    }

    /// The open sessions of a member, or of everybody, as far as whoever asks sees them.
    pub async fn sessions(
        &self,
        of: Of,
        member: Option<Uuid>,
        sees: impl Fn(&Session, &Member) -> bool,
    ) -> Result<Vec<OpenSession>, StaffError> {
        let now = self.now();
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let found = sessions::open(&mut tx, of, member, now).await?;
        let members: Vec<Uuid> = found.iter().map(|session| session.member).collect();
        let members = load_all(&mut tx, of, &members).await?;
        tx.commit().await?;
        let shown = found.into_iter().filter_map(|session| {
            let member = members.get(&session.member).filter(|member| session.is_alive(member, now))?;
            if !sees(&session, member) {
                return None;
            }
            Some(OpenSession { session, login: member.login.clone(), seen: Seen::default() })
        });
        Ok(shown.collect())
    }

    /// The open sessions of a member, with where each was opened from: for the member alone.
    pub async fn own_sessions(&self, of: Of, member: Uuid) -> Result<Vec<OpenSession>, StaffError> {
        let mut open = self.sessions(of, Some(member), |_, _| true).await?;
        let key = self.key(of, member).await?;
        let streams: Vec<Uuid> = open.iter().map(|open| open.session.id).collect();
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let events = read::streams(&mut tx, of.shard, &streams).await?;
        tx.commit().await?;
        for OpenSession { session, seen, .. } in &mut open {
            let begin = events.iter().find(|event| event.stream == session.id && event.version == 1);
            let facts: Option<StaffSignedIn> = begin.and_then(Recorded::says);
            let sealed = facts.and_then(|facts| facts.seen).zip(key.as_deref());
            *seen = sealed.and_then(|(sealed, key)| Seen::open(key, of, session.id, &sealed)).unwrap_or_default();
        }
        Ok(open)
    }

    /// Ends a session of a member's own. Ending it twice is no error.
    pub async fn sign_out(&self, actor: &Actor, member: Uuid, id: Uuid) -> Result<(), StaffError> {
        match self.record(actor, self.end(Of::from(actor), Some(member), id).await?).await {
            // Somebody else has just recorded it.
            Ok(_) | Err(StaffError::Write(WriteError::Overloaded)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends the session of somebody whom an authority is about, under a key.
    pub async fn revoke(
        &self,
        actor: &Actor,
        authority: &Authority,
        key: RequestKey,
        id: Uuid,
        render: Render,
    ) -> Result<Disposed, StaffError> {
        let of_actor = Of::from(actor);
        let mut tx = tenant_tx(&self.reader, of_actor.tenant).await?;
        let session = sessions::by_id(&mut tx, of_actor, id).await?.ok_or(StaffError::NoSession)?;
        let member = load(&mut tx, of_actor, session.member).await?;
        tx.commit().await?;
        if !member.is_some_and(|member| authority.covers(id, &member)) {
            return Err(StaffError::NoSession);
        }
        for _ in 0..ATTEMPTS {
            let decision = self.end(Of::from(actor), None, id).await?;
            match self.dispose(actor, Some(key.clone()), decision, render.clone()).await? {
                Disposed::Conflict(_) => {}
                disposed => return Ok(disposed),
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// The row goes first: whatever happens to the fact, the session is over, and whoever repeats this records the fact.
    async fn end(&self, of: Of, owner: Option<Uuid>, id: Uuid) -> Result<Decision, StaffError> {
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let session = sessions::by_id(&mut tx, of, id).await?;
        let session = session.filter(|session| owner.is_none_or(|owner| owner == session.member));
        let session = session.ok_or(StaffError::NoSession)?;
        sessions::end(&mut tx, of, id, self.now()).await?;
        let events = read::streams(&mut tx, of.shard, &[id]).await?;
        tx.commit().await?;
        let last = events.last().ok_or(StaffError::Unreadable)?;
        Ok(member::end_session(last, session.member))
    }

    /// Takes the member's second factor once more, for a while.
    pub async fn step_up(&self, actor: &Actor, entered: &Entered, code: &str) -> Result<DateTime<Utc>, StaffError> {
        let (of, now) = (Of::from(actor), self.now());
        let member = entered.member.id;
        let counted = self.count_in_session(member).await?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let credential = credentials::find(&mut tx, of, member).await?.ok_or(StaffError::NoSession)?;
        tx.commit().await?;
        let device = self.device(of, member, &credential.device).await?;
        let step = device.step_of(code, now).ok_or(StaffError::NotProven)?;
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        if !credentials::use_step(&mut tx, of, member, step).await? {
            return Err(StaffError::NotProven);
        }
        sessions::freshen(&mut tx, of, entered.session.id, now + FRESH).await?;
        tx.commit().await?;
        attempts::take_back(&self.editor, &counted, false).await?;
        Ok(now + FRESH)
    }

    /// Counts an attempt to prove something within a session; answers what it is counted under.
    pub(super) async fn count_in_session(&self, member: Uuid) -> Result<[u8; 32], StaffError> {
        let key = self.knows()?.counted(Counted::InSession, &[member.as_bytes()]);
        match attempts::count(&self.editor, Counted::InSession, &key, self.now()).await? {
            Attempt::Free { .. } => Ok(key),
            Attempt::Blocked => Err(StaffError::NotProven),
        }
    }

    /// Opens the secret of a member's device.
    pub(super) async fn device(&self, of: Of, member: Uuid, sealed: &str) -> Result<DeviceSecret, StaffError> {
        let key = self.key(of, member).await?.ok_or(StaffError::Unreadable)?;
        open_device(&key, of, member, sealed)
    }

    /// A member's own key; `None` when there is none any more.
    pub(super) async fn key(&self, of: Of, member: Uuid) -> Result<Option<Arc<DataKey>>, StaffError> {
        Ok(self.knows()?.keys.find(of.tenant, &[member]).await?.remove(&member))
    }

    /// Records facts without a key.
    pub(super) async fn record(&self, actor: &Actor, decision: Decision) -> Result<Applied, StaffError> {
        applied(self.dispose(actor, None, decision, unanswered()).await?)
    }

    pub(super) async fn dispose(
        &self,
        actor: &Actor,
        request: Option<RequestKey>,
        decision: Decision,
        render: Render,
    ) -> Result<Disposed, StaffError> {
        let shard = self.shards.get(&actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
        let job = Job { origin: actor.origin.clone(), request, items: vec![decision.into()], render };
        Ok(shard.dispose(job).await?)
    }

    pub(super) fn knows(&self) -> Result<&Knows, StaffError> {
        self.knows.as_ref().ok_or(StaffError::Secrets(SecretsError::Unreachable { call: "kv read" }))
    }
}

/// What became of a decision that stood alone and without a key.
pub(super) fn applied(disposed: Disposed) -> Result<Applied, StaffError> {
    match disposed.alone()? {
        Outcome::Applied(applied) | Outcome::Already(applied) => Ok(applied),
        Outcome::Refused(refusal) => Err(refusal.into()),
    }
}

/// Who acts, where nobody's session says so.
pub(super) fn acting(of: Of, actor: &str) -> Actor {
    Actor { shard: of.shard, origin: Origin::command(of.tenant, actor) }
}

/// A member as the log says, or nobody.
pub(super) async fn load(tx: &mut PgConnection, of: Of, member: Uuid) -> Result<Option<Member>, sqlx::Error> {
    let events = read::streams(tx, of.shard, &[member]).await?;
    Ok(Member::fold(&events))
}

/// Members as the log says, by their ids.
pub(super) async fn load_all(
    tx: &mut PgConnection,
    of: Of,
    members: &[Uuid],
) -> Result<HashMap<Uuid, Member>, sqlx::Error> {
    let mut wanted = members.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let events = read::streams(tx, of.shard, &wanted).await?;
    let streams = events.chunk_by(|one, next| one.stream == next.stream);
    Ok(streams.filter_map(Member::fold).map(|member| (member.id, member)).collect())
}

pub(super) fn seal_device(key: &DataKey, of: Of, member: Uuid, device: &DeviceSecret) -> String {
    key.seal(&place(of, member), device.as_bytes())
}

pub(super) fn open_device(key: &DataKey, of: Of, member: Uuid, sealed: &str) -> Result<DeviceSecret, StaffError> {
    let opened = key.open(&place(of, member), sealed).map_err(|_| StaffError::Unreadable)?;
    DeviceSecret::from_bytes(&opened).ok_or(StaffError::Unreadable)
}

fn place(of: Of, member: Uuid) -> Place {
    Place { tenant: of.tenant, stream: member, field: "device" }
}

impl std::fmt::Debug for Staff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Staff")
    }
}
