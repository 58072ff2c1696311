//! Holds: as placed, as they stand, and what happened to them.

use super::transaction::Transaction;
use super::{Balance, Money, Unreadable, entry, facts, identity, time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::{EntryAfter, Recorded};
use vintem_core::kernel::{Instant, Metadata, Minor};
use vintem_core::ledger::event::{self, HoldCaptured, MoveFact};
use vintem_core::ledger::hold::{Hold as Folded, State};
use vintem_core::ledger::known::{Identity, Known};

/// Money set aside for a movement that comes later, in parts, or not at all.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hold {
    /// Its id.
    pub id: Uuid,
    /// `open`, `captured`, `released` or `expired`.
    #[schema(example = "open")]
    pub status: &'static str,
    /// From then on it counts as ended.
    #[schema(example = "2026-03-08T12:00:00.000000Z")]
    pub expires_at: String,
    /// By how many per cent a final capture may exceed it.
    #[schema(example = 0)]
    pub over_capture_percent: u8,
    /// When it was placed.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub recorded_at: String,
    /// Events so far.
    #[schema(example = 1)]
    pub version: i32,
    /// Its legs: held where the movement will lower the account, incoming where it will raise it.
    pub legs: Vec<HoldLeg>,
    /// The transactions that captured it.
    pub captures: Vec<Uuid>,
    /// For people.
    pub description: Option<String>,
    /// The integrator's own facts.
    pub metadata: Metadata,
}

/// One leg of a hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldLeg {
    /// Its line, from 0.
    #[schema(example = 0)]
    pub line: u16,
    /// The account's id.
    pub account: Uuid,
    /// The account's name.
    #[schema(example = "citizen:0042")]
    pub name: Option<String>,
    /// The side on which a capture will post it.
    #[schema(example = "debit")]
    pub direction: &'static str,
    /// Placed and added.
    pub amount: Money,
    /// Captured so far.
    #[schema(example = "0.00")]
    pub captured: String,
    /// What is still held or announced.
    #[schema(example = "12.50")]
    pub remaining: String,
    /// The account's balances after the placing; absent when the hold is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
}

impl HoldLeg {
    fn of(line: u16, identity: &Identity, is_held: bool, amount: Minor, captured: Minor, remaining: Minor) -> Self {
        let direction = if is_held { identity.normal_side.opposite() } else { identity.normal_side };
        Self {
            line,
            account: identity.id,
            name: identity.name.clone(),
            direction: direction.as_str(),
            amount: Money { amount: amount.to_text(identity.scale), asset: identity.asset.clone() },
            captured: captured.to_text(identity.scale),
            remaining: remaining.to_text(identity.scale),
            balance: None,
        }
    }
}

impl Hold {
    /// Of its placing.
    pub fn placed(recorded: &Recorded, entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let folded = Folded::fold(std::slice::from_ref(recorded)).ok_or(Unreadable)?;
        let mut hold = Self::standing(&folded, None, known)?;
        for leg in &mut hold.legs {
            let scale = identity(known, leg.account)?.scale;
            leg.balance = entry(entries, recorded.position, leg.account).map(|entry| Balance::after(entry, scale));
        }
        Ok(hold)
    }

    /// As it stands. One that is over but not yet recorded as expired shows as expired at `now`.
    pub fn standing(folded: &Folded, now: Option<Instant>, known: &Known) -> Result<Self, Unreadable> {
        let legs = (0..).zip(&folded.lines).map(|(number, line)| {
            let remaining = if folded.state == State::Open { line.remaining() } else { Minor::ZERO };
            Ok(HoldLeg::of(number, identity(known, line.account)?, line.is_held, line.amount, line.captured, remaining))
        });
        let is_over = now.is_some_and(|now| now >= folded.expires_at);
        let status = match folded.state {
            State::Open if is_over => "expired",
            State::Open => "open",
            State::Captured => "captured",
            State::Released => "released",
            State::Expired => "expired",
        };
        Ok(Self {
            id: folded.id,
            status,
            expires_at: time(folded.expires_at),
            over_capture_percent: folded.placed.over_capture_percent,
            recorded_at: time(folded.placed_at),
            version: folded.version,
            legs: legs.collect::<Result<_, _>>()?,
            captures: folded.captures.clone(),
            description: folded.placed.description.clone(),
            metadata: folded.placed.metadata.clone(),
        })
    }
}

/// A hold captured, wholly or in part.
#[derive(Debug, Serialize, ToSchema)]
pub struct Capture {
    /// The hold.
    pub hold: Uuid,
    /// Whether the hold ended with it.
    pub ends: bool,
    /// The transaction that moved the money.
    pub transaction: Transaction,
}

impl Capture {
    /// Of its two events.
    pub fn of(
        captured: &Recorded,
        posted: &Recorded,
        entries: &[EntryAfter],
        known: &Known,
    ) -> Result<Self, Unreadable> {
        let facts: HoldCaptured = facts(captured)?;
        Ok(Self { hold: captured.stream, ends: facts.ends, transaction: Transaction::posted(posted, entries, known)? })
    }
}

/// A hold released, extended or incremented.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldChange {
    /// The hold.
    pub hold: Uuid,
    /// `released`, `extended` or `incremented`.
    #[schema(example = "released")]
    pub change: &'static str,
    /// Its place in the log.
    #[schema(example = 1031)]
    pub position: i64,
    /// When it was recorded.
    #[schema(example = "2026-03-02T09:00:00.000000Z")]
    pub recorded_at: String,
    /// The hold's version after it.
    #[schema(example = 2)]
    pub version: i32,
    /// The new end, if that is what changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// The accounts whose balances changed.
    pub accounts: Vec<AccountAfter>,
}

/// An account after a change of a hold.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountAfter {
    /// The account's id.
    pub account: Uuid,
    /// The account's name.
    pub name: Option<String>,
    /// The asset's code.
    #[schema(example = "BRL")]
    pub asset: String,
    /// Its balances after the change.
    pub balance: Option<Balance>,
}

#[derive(Deserialize)]
struct Changed {
    #[serde(default)]
    expires_at: Option<Instant>,
    #[serde(default)]
    moves: Vec<MoveFact>,
}

impl HoldChange {
    /// Of its event.
    pub fn of(recorded: &Recorded, entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let Changed { expires_at, moves } = facts(recorded)?;
        let after = |(account, ..): &MoveFact| {
            let identity = identity(known, *account)?;
            let balance =
                entry(entries, recorded.position, *account).map(|entry| Balance::after(entry, identity.scale));
            Ok(AccountAfter { account: *account, name: identity.name.clone(), asset: identity.asset.clone(), balance })
        };
        Ok(Self {
            hold: recorded.stream,
            change: match &*recorded.kind {
                event::HOLD_RELEASED => "released",
                event::HOLD_EXTENDED => "extended",
                _ => "incremented",
            },
            position: recorded.position,
            recorded_at: time(recorded.recorded_at),
            version: recorded.version,
            expires_at: expires_at.map(time),
            accounts: moves.iter().map(after).collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn member(&self) -> &'static str {
        match self.change {
            "released" => "release",
            "extended" => "extension",
            _ => "increment",
        }
    }
}
