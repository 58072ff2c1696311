//! What services propose: facts and money moves that happen wholly or not at all.
//!
//! Everything here is generic. The writer knows versions, balances, bounds, counters, times
//! and keys; it does not know what a payment is.

use super::personal::Change;
use crate::kernel::window::Window;
use crate::kernel::{Instant, Minor, Refusal};
use chrono_tz::Tz;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// One decision of a service about one command (or one item of a batch).
#[derive(Debug, Clone)]
pub enum Decision {
    /// Do this, if the writer finds it possible.
    Propose(Proposal),
    /// Refused on what the service read. Recorded under the caller's key like a success;
    /// the streams named here must still be at these versions, else the service decides anew.
    Refuse(Refusal, Vec<StreamVersion>),
    /// The item was applied before under its own id: these are its events.
    Already(Applied),
}

/// A stream at a version. Version 0 is a stream without events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamVersion {
    /// The stream's id: a transaction, a hold, an account, a natural key.
    pub stream: Uuid,
    /// How many events it has.
    pub version: i32,
}

/// Events with their moves, and the conditions under which they may happen.
#[derive(Debug, Clone, Default)]
pub struct Proposal {
    /// Appended in this order, at contiguous positions.
    pub events: Vec<NewEvent>,
    /// Streams that the decision read but does not write.
    pub expects: Vec<StreamVersion>,
    /// Refused from this instant on, with this refusal.
    pub until: Option<(Instant, Refusal)>,
    /// Refused before this instant, with this refusal.
    pub from: Option<(Instant, Refusal)>,
    /// Counter increments; they belong to the first event.
    pub counts: Vec<Count>,
    /// Accounts that must stand at zero in every balance (closing).
    pub must_be_empty: Vec<Uuid>,
    /// What changes about personal keys; apart, for nearly no proposal has it.
    pub personal: Option<Box<Change>>,
    /// How a leg is named to the caller.
    pub pointers: Pointers,
    /// What happens instead where the writer refuses this: for what must be recorded whatever the balances say.
    pub otherwise: Option<Box<Proposal>>,
}

impl Proposal {
    /// It, and what may happen instead.
    pub(super) fn alternatives(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |proposal| proposal.otherwise.as_deref())
    }
}

/// How the body of the request spells the legs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pointers {
    /// The command has no legs of its own (release, expiry).
    #[default]
    None,
    /// `{from, to, amount}`: line 0 is `/from`, line 1 is `/to`.
    FromTo,
    /// `{legs: [...]}`.
    Legs,
}

impl Pointers {
    /// The JSON pointer of a line.
    pub fn pointer(self, line: u16) -> Option<String> {
        match (self, line) {
            (Self::None, _) => None,
            (Self::FromTo, 0) => Some("/from".to_owned()),
            (Self::FromTo, _) => Some("/to".to_owned()),
            (Self::Legs, line) => Some(format!("/legs/{line}")),
        }
    }
}

/// A fact to append.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Where it belongs, and the version it must find there.
    pub stream: Uuid,
    /// The stream's version before this event; 0 begins the stream.
    pub expected: i32,
    /// The stream's id was drawn by this process just now, so nobody else can have begun it.
    pub fresh: bool,
    /// `<context>.<past tense>`, for instance `transaction.posted`.
    pub kind: &'static str,
    /// The facts as a JSON object; the writer adds `moves` and `counts`.
    pub payload: String,
    /// The value date, where it differs from the recorded time.
    pub effective_at: Option<Instant>,
    /// How the statement calls the entries of this event.
    pub entry_kind: EntryKind,
    /// What it does to balances; an account at most once.
    pub moves: Vec<Move>,
    /// What it does to an account's settings.
    pub settings: Option<SettingsChange>,
}

impl NewEvent {
    /// A fact that moves nothing.
    pub fn fact(stream: Uuid, expected: i32, kind: &'static str, says: &impl Serialize) -> Self {
        Self {
            stream,
            expected,
            fresh: false,
            kind,
            payload: serde_json::to_string(says).expect("a fact is plain JSON"),
            effective_at: None,
            entry_kind: EntryKind::Posting,
            moves: Vec::new(),
            settings: None,
        }
    }
}

#[cfg(test)]
impl NewEvent {
    /// As the writer records it, alone at an instant.
    pub fn recorded(self, tenant: Uuid, recorded_at: Instant) -> Recorded {
        Recorded {
            position: 1,
            tenant,
            stream: self.stream,
            version: self.expected + 1,
            kind: self.kind.into(),
            payload: self.payload.into(),
            effective_at: None,
            recorded_at,
        }
    }
}

/// The kinds of statement lines, as stored. Numbers are for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i16)]
pub enum EntryKind {
    /// A transaction's posting.
    Posting = 1,
    /// A hold placed or incremented.
    Hold = 2,
    /// A capture's posting.
    Capture = 3,
    /// A hold's rest released by command or by a final capture.
    Release = 4,
    /// A hold's rest returned because its time was over.
    Expiry = 5,
    /// A reversal's posting.
    Reversal = 6,
}

/// Changes of one account's balances, in the direction of its normal side.
#[derive(Debug, Clone, Default)]
pub struct Move {
    /// The account.
    pub account: Uuid,
    /// Change of what is posted.
    pub posted: Minor,
    /// Change of what is held back.
    pub held: Minor,
    /// Change of what is announced to come.
    pub incoming: Minor,
    /// Which line of the command it is.
    pub line: u16,
    /// Returns of money to its owner (release, expiry) pass frozen accounts and switches.
    pub unchecked: bool,
    /// An amount that only the writer can know.
    pub open: Option<OpenAmount>,
    /// The caller's conditions on this account.
    pub expect: Option<Box<Expect>>,
}

/// "Up to available": one source per pair, copied to its balancing leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAmount {
    /// Pairs the two legs; one pair per asset.
    pub pair: u8,
    /// The leg that gives what it has; the other takes it.
    pub is_source: bool,
    /// Whether the amount raises (+1) or lowers (−1) this account's balance.
    pub sign: i8,
}

/// Conditions that turn a posting into a compare-and-set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// The account's entry version before the transaction.
    pub version: Option<i64>,
    /// The account's settings version.
    pub settings_version: Option<i32>,
    /// What `posted` must be after the transaction.
    pub after: Option<Minor>,
}

/// An increment of a windowed counter.
#[derive(Debug, Clone)]
pub struct Count {
    /// Whose counter.
    pub account: Uuid,
    /// Over which span.
    pub window: Window,
    /// In which zone the span begins and ends.
    pub zone: Tz,
    /// How much is used now.
    pub delta: Minor,
    /// How much may be used in all.
    pub maximum: Minor,
}

/// Opening an account or changing what it allows.
#[derive(Debug, Clone)]
pub struct SettingsChange {
    /// The account.
    pub account: Uuid,
    /// Its asset's scale.
    pub scale: u8,
    /// What holds after the event.
    pub settings: Settings,
}

/// What the writer must know of an account beside its balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Version of the account's own stream.
    pub version: i32,
    /// `available` must not be moved below; `None` is unlimited.
    pub min_balance: Option<Minor>,
    /// `posted + incoming` must not be moved above; `None` is unlimited.
    pub max_balance: Option<Minor>,
    /// Money may leave.
    pub sends: bool,
    /// Money may arrive.
    pub receives: bool,
    /// Open, frozen or closed.
    pub status: Status,
}

/// Whether an account takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As usual.
    Open,
    /// Nothing moves but returns of held money.
    Frozen,
    /// Nothing moves ever again.
    Closed,
}

impl Status {
    /// As stored and answered.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Frozen => "frozen",
            Self::Closed => "closed",
        }
    }
}

/// What became of a decision.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It happened now.
    Applied(Applied),
    /// It had happened before, under the same id and with the same facts.
    Already(Applied),
    /// It did not happen.
    Refused(Refusal),
}

/// The events and entries of one proposal as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// In order of position.
    pub events: Vec<Recorded>,
    /// In order of position, then of the moves.
    pub entries: Vec<EntryAfter>,
}

/// One event as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Gap-free within the shard.
    pub position: i64,
    /// Whose data it is.
    pub tenant: Uuid,
    /// Where it belongs.
    pub stream: Uuid,
    /// Its number within the stream, from 1.
    pub version: i32,
    /// `<context>.<past tense>`.
    pub kind: std::borrow::Cow<'static, str>,
    /// The exact bytes of the facts.
    pub payload: std::sync::Arc<str>,
    /// The value date where it differs.
    pub effective_at: Option<Instant>,
    /// The batch's instant.
    pub recorded_at: Instant,
}

impl Recorded {
    /// What its payload says; `None` where that is not what is looked for.
    pub fn says<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.payload).ok()
    }
}

/// One entry as recorded: a change and the balances after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryAfter {
    /// The account's public id.
    pub account: Uuid,
    /// The account's internal number: the position of its opening event.
    pub number: i64,
    /// Contiguous per account, from 1.
    pub version: i64,
    /// The event that caused it.
    pub position: i64,
    /// As stored.
    pub kind: i16,
    /// Change of `posted`.
    pub amount: Minor,
    /// Balance after.
    pub posted: Minor,
    /// Held after.
    pub held: Minor,
    /// Announced after.
    pub incoming: Minor,
}
