//! Transactions and their reversals.

use super::{Leg, Unreadable, entry, facts, identity, time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::{EntryAfter, Recorded};
use vintem_core::kernel::Metadata;
use vintem_core::ledger::event::MoveFact;
use vintem_core::ledger::known::Known;

/// Balanced legs that happened at once.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transaction {
    /// Its id.
    pub id: Uuid,
    /// Its place in the log.
    #[schema(example = 1024)]
    pub position: i64,
    /// When it was recorded.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub recorded_at: String,
    /// Its value date; the recorded time where none was given.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub effective_at: String,
    /// Its legs, in the order of the request.
    pub legs: Vec<Leg>,
    /// For people.
    pub description: Option<String>,
    /// The integrator's own facts.
    pub metadata: Metadata,
    /// The hold that it captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Uuid>,
    /// The payment that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment: Option<Uuid>,
    /// What was taken back of it; only when it is read, not in the answer to its posting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversals: Option<Vec<Reversal>>,
}

/// The facts of `transaction.posted` and its frozen legs, read at once.
#[derive(Deserialize)]
struct Posted {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    hold: Option<Uuid>,
    #[serde(default)]
    payment: Option<Uuid>,
    #[serde(default)]
    moves: Vec<MoveFact>,
}

impl Transaction {
    /// Of its posting.
    pub fn posted(recorded: &Recorded, entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let Posted { description, metadata, hold, payment, moves } = facts(recorded)?;
        // An account whose held rest was set free without a posting is no leg of the transaction.
        let posted = (0..).zip(&moves).filter(|(_, (_, posted, ..))| !posted.is_zero());
        let legs = posted.map(|(line, (account, posted, ..))| {
            let after = entry(entries, recorded.position, *account);
            Ok(Leg::of(line, identity(known, *account)?, *posted, after))
        });
        Ok(Self {
            id: recorded.stream,
            position: recorded.position,
            recorded_at: time(recorded.recorded_at),
            effective_at: time(recorded.effective_at.unwrap_or(recorded.recorded_at)),
            legs: legs.collect::<Result<_, _>>()?,
            description,
            metadata,
            hold,
            payment,
            reversals: None,
        })
    }

    /// Of its whole stream.
    pub fn of(events: &[Recorded], entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let (first, rest) = events.split_first().ok_or(Unreadable)?;
        let reversals = rest.iter().map(|event| Reversal::of(event, entries, known)).collect::<Result<_, _>>()?;
        Ok(Self { reversals: Some(reversals), ..Self::posted(first, entries, known)? })
    }
}

/// A transaction taken back, wholly or in part.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reversal {
    /// Its id.
    pub id: Uuid,
    /// What it took back.
    pub transaction: Uuid,
    /// Its place in the log.
    #[schema(example = 1030)]
    pub position: i64,
    /// When it was recorded.
    #[schema(example = "2026-03-02T09:00:00.000000Z")]
    pub recorded_at: String,
    /// Its legs; `line` is the line of the original.
    pub legs: Vec<Leg>,
    /// For people.
    pub description: Option<String>,
}

#[derive(Deserialize)]
struct Reversed {
    reversal: Uuid,
    lines: Vec<u16>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    moves: Vec<MoveFact>,
}

impl Reversal {
    /// Of its event.
    pub fn of(recorded: &Recorded, entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let Reversed { reversal, lines, description, moves } = facts(recorded)?;
        let legs = lines.iter().zip(&moves).map(|(line, (account, posted, ..))| {
            let after = entry(entries, recorded.position, *account);
            Ok(Leg::of(*line, identity(known, *account)?, *posted, after))
        });
        Ok(Self {
            id: reversal,
            transaction: recorded.stream,
            position: recorded.position,
            recorded_at: time(recorded.recorded_at),
            legs: legs.collect::<Result<_, _>>()?,
            description,
        })
    }
}
