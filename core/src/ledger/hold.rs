//! Holds: money set aside for a movement that comes later, in parts, or not at all.
//!
//! A leg that lowers its account is *held*, one that raises it is *incoming*. A hold without a
//! named destination has one held leg; its captures name where the money goes. It ends once: by a
//! capture that is final or takes all that remains, by release, or by expiry.

use super::event::{self, HoldCaptured, HoldExtended, HoldPlaced, Moves};
use crate::event_store::Recorded;
use crate::event_store::proposal::StreamVersion;
use crate::kernel::{Instant, Minor, Refusal, RefusalCode};
use uuid::Uuid;

/// How a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Something is held.
    Open,
    /// Ended by a capture.
    Captured,
    /// Ended by release.
    Released,
    /// Ended by its time.
    Expired,
}

/// One leg of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Whose money.
    pub account: Uuid,
    /// Held (lowers the account when captured) or incoming (raises it).
    pub is_held: bool,
    /// Placed and added.
    pub amount: Minor,
    /// Captured so far.
    pub captured: Minor,
}

impl Line {
    /// What is still held or announced.
    pub fn remaining(&self) -> Minor {
        self.amount.minus(self.captured).max(Minor::ZERO)
    }
}

/// A hold folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its stream.
    pub id: Uuid,
    /// Events so far.
    pub version: i32,
    /// How it stands.
    pub state: State,
    /// The facts of its placing.
    pub placed: HoldPlaced,
    /// When it was placed.
    pub placed_at: Instant,
    /// From then on it counts as ended.
    pub expires_at: Instant,
    /// Its legs, in order of their lines.
    pub lines: Vec<Line>,
    /// The transactions that captured it.
    pub captures: Vec<Uuid>,
}

impl Hold {
    /// Folds a stream; `None` when it is not a hold's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let first = events.first().filter(|e| e.kind == event::HOLD_PLACED)?;
        let placed: HoldPlaced = first.says()?;
        let moves = serde_json::from_str::<Moves>(&first.payload).ok()?.moves;
        let lines = moves.iter().map(|(account, _, held, incoming)| Line {
            account: *account,
            is_held: held.is_positive(),
            amount: held.plus(*incoming),
            captured: Minor::ZERO,
        });
        let mut hold = Self {
            id: first.stream,
            version: first.version,
            state: State::Open,
            expires_at: placed.expires_at,
            placed,
            placed_at: first.recorded_at,
            lines: lines.collect(),
            captures: Vec::new(),
        };
        for event in &events[1..] {
            hold.evolve(&event.kind, &event.payload)?;
        }
        Some(hold)
    }

    /// Takes one more event; `None` when its payload cannot be read.
    pub fn evolve(&mut self, kind: &str, payload: &str) -> Option<()> {
        self.version += 1;
        match kind {
            event::HOLD_CAPTURED => {
                let facts: HoldCaptured = serde_json::from_str(payload).ok()?;
                for (line, amount) in &facts.lines {
                    let line = self.lines.get_mut(usize::from(*line))?;
                    line.captured = line.captured.plus(*amount);
                }
                self.captures.push(facts.transaction);
                if facts.ends {
                    self.state = State::Captured;
                }
            }
            event::HOLD_RELEASED => self.state = State::Released,
            event::HOLD_EXPIRED => self.state = State::Expired,
            event::HOLD_EXTENDED => self.expires_at = serde_json::from_str::<HoldExtended>(payload).ok()?.expires_at,
            event::HOLD_INCREMENTED => {
                for (account, _, held, incoming) in serde_json::from_str::<Moves>(payload).ok()?.moves {
                    let line = self.lines.iter_mut().find(|line| line.account == account)?;
                    line.amount = line.amount.plus(held).plus(incoming);
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Where a decision about this hold was made.
    pub fn current(&self) -> Vec<StreamVersion> {
        vec![StreamVersion { stream: self.id, version: self.version }]
    }

    /// The refusal of whatever comes too late.
    pub fn ended(&self) -> Refusal {
        let how = match self.state {
            State::Captured => "was captured",
            State::Released => "was released",
            State::Open | State::Expired => "has expired",
        };
        Refusal::new(RefusalCode::HoldEnded, format!("the hold {how}"))
    }
}
