//! What every use case of citizens stands on: who knocks, who they are as the log says, and how a fact gets there.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::challenge::{Challenge, Code, LIFETIME, Purpose, Sent};
use super::citizen::{self, Citizen};
use super::error::CitizenError;
use super::refresh::RefreshToken;
use super::secrets::Turns;
use super::store::challenges;
use super::store::sessions::{self, Session};
use crate::access::proving::{Counted, Hashing};
use crate::access::{Caller, CitizenSession, Of, Proof, ProofKey, Thumbprint, at_the_door};
use crate::event_store::job::unanswered;
use crate::event_store::overlay::Origin;
use crate::event_store::read::{self, tenant_tx};
use crate::event_store::{Applied, Decision, Job, Outcome, WriteError, fresh};
use crate::holders::{Holder, Holders, Personal};
use crate::ledger::service::{Actor, Ledger};
use crate::messages::{Contact, Message, Messenger};
use crate::secrets::people::PersonKeys;
use crate::secrets::{BlindIndex, Pepper, SecretsError};
use crate::telemetry::clock::Clock;

/// How often a decision is made again that met another one about the same citizen.
const ATTEMPTS: usize = 3;

/// What this context has from Vault.
#[derive(Debug, Clone)]
pub struct Knows {
    /// The keys of people.
    pub keys: PersonKeys,
    /// How a CPF is found.
    pub index: BlindIndex,
    /// Where passwords and PINs are hashed: apart from those of the staff, so that neither waits for the other.
    pub hashing: Hashing,
    /// What names contacts and logins where attempts are counted, and proves refresh tokens.
    pub pepper: Pepper,
}

/// What the API needs of citizens. Looks as `vintem_reader`, changes and proves as `vintem_editor`, appends through the writers of
/// the shards.
#[derive(Clone)]
pub struct Citizens {
    pub(super) reader: PgPool,
    pub(super) editor: PgPool,
    pub(super) ledger: Ledger,
    pub(super) holders: Holders,
    pub(super) turns: Arc<Turns>,
    knows: Option<Knows>,
    messages: Messenger,
    clock: Clock,
}

/// Whoever asks before anybody knows them: all that is known is the key that they have.
#[derive(Debug, Clone)]
pub struct Knocks {
    /// Whose citizen they are, or want to be.
    pub of: Of,
    /// The tenant's name.
    pub tenant: String,
    /// Where they come from.
    pub from: Option<IpAddr>,
    /// The key of their device; the request proved it.
    pub key: Arc<ProofKey>,
    /// The request.
    pub trace: Arc<str>,
}

/// The code that somebody was sent.
#[derive(Debug)]
pub struct Answered {
    /// What it answers.
    pub challenge: Uuid,
    /// As it was typed.
    pub code: SecretString,
}

/// What somebody chooses to remember.
#[derive(Debug)]
pub struct Chosen {
    /// For signing in.
    pub password: SecretString,
    /// For paying.
    pub pin: SecretString,
}

/// A session that was opened, or goes on.
#[derive(Debug)]
pub struct Opened {
    /// Who, as their tokens say.
    pub caller: Caller,
    /// What these are bound to.
    pub key: Thumbprint,
    /// What the next ones are asked for with.
    pub refresh: RefreshToken,
}

impl Knows {
    /// From what the process has from Vault for people anyway.
    pub fn of(personal: &Personal) -> Self {
        let pepper = personal.requests.pepper();
        let (keys, index) = (personal.keys.clone(), personal.index.clone());
        Self { keys, index, hashing: Hashing::new(pepper.clone()), pepper }
    }

    pub(super) fn counted(&self, counted: Counted, parts: &[&[u8]]) -> [u8; 32] {
        self.pepper.name(&[&[&b"citizen"[..], counted.as_str().as_bytes()], parts].concat())
    }
}

impl Citizens {
    /// Without a Vault nobody can register or sign in.
    pub fn new(
        (reader, editor): (PgPool, PgPool),
        ledger: Ledger,
        holders: Holders,
        knows: Option<Knows>,
        messages: Messenger,
        clock: Clock,
    ) -> Self {
        Self { reader, editor, ledger, holders, turns: Arc::default(), knows, messages, clock }
    }

    /// The tenant of a name.
    pub async fn door(&self, tenant: &str) -> Result<Option<Of>, CitizenError> {
        Ok(at_the_door(&self.editor, tenant).await?)
    }

    /// Now, as sessions and codes see it.
    pub fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    /// How many passwords and PINs were hashed.
    pub fn hashes(&self) -> u64 {
        self.knows.as_ref().map_or(0, |knows| knows.hashing.done())
    }

    /// Draws a code, and remembers what it is for. Whether it is [sent](Self::send) to anybody its asker is not told.
    pub(super) async fn challenge(
        &self,
        knocks: &Knocks,
        (id, purpose, holder): (Uuid, Purpose, Uuid),
        details: Option<String>,
    ) -> Result<(Sent, Code), CitizenError> {
        let (knows, now, code) = (self.knows()?, self.now(), Code::draw());
        let challenge = Challenge {
            id,
            purpose,
            holder,
            device_key: knocks.key.thumbprint(),
            code: code.digest(&knows.pepper, id),
            details,
            expires_at: now + LIFETIME,
        };
        let mut tx = tenant_tx(&self.editor, knocks.of.tenant).await?;
        challenges::insert(&mut tx, knocks.of, &challenge, now).await?;
        tx.commit().await?;
        Ok((Sent { challenge: id, expires_at: challenge.expires_at }, code))
    }

    /// Sends a code on its way.
    pub(super) fn send(&self, knocks: &Knocks, code: &Code, to: Contact) {
        self.messages.post(message(to, code, &knocks.tenant));
    }

    /// Sends word of something on its way.
    pub(super) fn tell(&self, message: Message) {
        self.messages.post(message);
    }

    /// Judges a code; each attempt counts before it is judged.
    pub(super) async fn judge(
        &self,
        knocks: &Knocks,
        purpose: Purpose,
        answered: &Answered,
    ) -> Result<Challenge, CitizenError> {
        let (of, asked) = (knocks.of, (answered.challenge, purpose));
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let found = challenges::count(&mut tx, of, asked, knocks.key.thumbprint(), self.now()).await?;
        tx.commit().await?;
        let challenge = found.ok_or(CitizenError::CodeExpired)?;
        if challenge.is_answered_by(&self.knows()?.pepper, &answered.code) {
            return Ok(challenge);
        }
        tracing::info!(holder = %challenge.holder, purpose = purpose.as_str(), "a code was wrong");
        Err(CitizenError::CodeInvalid)
    }

    /// The row of a session that the log is about to know, or knows already.
    pub(super) async fn open(
        &self,
        tx: &mut PgConnection,
        knocks: &Knocks,
        citizen: (Uuid, Uuid),
        begin: citizen::Begin,
    ) -> Result<Opened, CitizenError> {
        let ((holder, account), of, now) = (citizen, knocks.of, self.now());
        let (id, device) = (begin.session, begin.device);
        let session = Session { id, holder, device, generation: 1, created_at: now, rotated_at: now };
        let key = knocks.key.thumbprint();
        sessions::insert(tx, of, &session, key).await?;
        let proof = Proof::Citizen(CitizenSession { session: id, device, account });
        let refresh = RefreshToken::of(&self.knows()?.pepper, of.tenant, id, session.generation);
        Ok(Opened { caller: Caller { tenant: of.tenant, subject: holder, proof }, key, refresh })
    }

    /// A citizen as the log says, or nobody.
    pub(super) async fn load(&self, of: Of, holder: Uuid) -> Result<Option<Citizen>, CitizenError> {
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let own = citizen::stream(of.tenant, holder);
        let events = read::streams(&mut tx, of.shard, &[own, holder]).await?;
        tx.commit().await?;
        let (own, person): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| event.stream == own);
        let is_living = Holder::fold(&person).is_some_and(|holder| holder.erased.is_none());
        Ok(if is_living { Citizen::fold(&own) } else { None })
    }

    /// Records what is decided about a citizen, and decides again when another decision came between.
    pub(super) async fn decided(
        &self,
        actor: &Actor,
        holder: Uuid,
        decide: impl Fn(&Citizen) -> Decision,
    ) -> Result<Applied, CitizenError> {
        for _ in 0..ATTEMPTS {
            let of = Of::from(actor);
            let citizen = self.load(of, holder).await?.ok_or(CitizenError::NoSession)?;
            match self.record(actor, decide(&citizen)).await {
                Err(CitizenError::Write(WriteError::Overloaded)) => {}
                recorded => return recorded,
            }
        }
        Err(WriteError::Overloaded.into())
    }

    /// Records facts without a key. Another decision that came between is `overloaded`.
    pub(super) async fn record(&self, actor: &Actor, decision: Decision) -> Result<Applied, CitizenError> {
        let shard = self.ledger.shard(actor.shard).ok_or(WriteError::DatabaseUnavailable)?;
        let items = vec![decision.into()];
        let job = Job { origin: actor.origin.clone(), request: None, items, render: unanswered() };
        match shard.dispose(job).await?.alone()? {
            Outcome::Applied(applied) | Outcome::Already(applied) => Ok(applied),
            Outcome::Refused(refusal) => Err(refusal.into()),
        }
    }

    pub(super) fn knows(&self) -> Result<&Knows, CitizenError> {
        self.knows.as_ref().ok_or(CitizenError::Secrets(SecretsError::Unreachable { call: "kv read" }))
    }

    /// Before anything is asked of somebody: without messages no code would ever come.
    pub(super) fn can_send(&self) -> Result<(), CitizenError> {
        if self.messages.is_there() { Ok(()) } else { Err(CitizenError::NoMessages) }
    }
}

impl Knocks {
    /// As events name them, once it is known who they are.
    pub(super) fn acting(&self, holder: Uuid) -> Actor {
        let actor = format!("citizen:{holder}").into();
        let origin = Origin { tenant: self.of.tenant, actor, correlation: Some(self.trace.clone()) };
        Actor { shard: self.of.shard, origin }
    }
}

/// Ids of a device and a session that begin together.
pub(super) fn begin() -> citizen::Begin {
    citizen::Begin { session: fresh::new_id(), device: fresh::new_id() }
}

/// In the languages of those who read it, and short enough for one SMS.
fn message(to: Contact, code: &Code, tenant: &str) -> Message {
    let code = code.reveal();
    let text = format!(
        "{tenant}: {code} é o seu código, válido por 10 min. / is your code for 10 min. Não o informe a ninguém."
    );
    Message { to, subject: format!("{tenant}: código / code"), text: text.into() }
}

impl std::fmt::Debug for Citizens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Citizens")
    }
}
