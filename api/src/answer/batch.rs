//! Batches: what is kept of their answer, and how it is rendered from that.
//!
//! The outline keeps of each item where its facts stand (the first event's position and the
//! versions of its entries), or its refusal. Rendering reads the facts; the first answer has
//! them at hand. Both go through [`render`].

use super::account::Account;
use super::hold::{Capture, Hold, HoldChange};
use super::transaction::Transaction;
use super::{Fact, Unreadable};
use crate::lang::Lang;
use crate::problem::{Code, ItemDocument};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;
use vintem_core::event_store::{Applied, Done, EntryAfter, Outcome, Recorded};
use vintem_core::kernel::Refusal;
use vintem_core::ledger::known::Known;
use vintem_core::ledger::reads::Trace;

/// What is kept of a batch's answer.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// The language of the titles.
    pub lang: Lang,
    /// In the order of the items.
    pub items: Vec<Kept>,
}

/// What is kept of an item.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    /// Position of the first event, then the versions of the entries.
    Applied(Vec<i64>),
    /// The same, of an item that had been applied before.
    Already {
        /// Position and versions.
        already: Vec<i64>,
    },
    /// Why it was refused; pointers are below the item.
    Refused {
        /// The refusal.
        refused: Refusal,
    },
}

impl Outline {
    /// Of what was done. `members` are the items' members, for the pointers of refusals.
    pub fn of(done: &Done, members: &[&'static str], lang: Lang) -> Self {
        let keep = |(index, outcome): (usize, &Outcome)| match outcome {
            Outcome::Applied(applied) => Kept::Applied(trace(applied)),
            Outcome::Already(applied) => Kept::Already { already: trace(applied) },
            Outcome::Refused(refusal) => {
                let member = members.get(index).copied().unwrap_or_default();
                Kept::Refused { refused: refusal.clone().below(&format!("/items/{index}/{member}")) }
            }
        };
        Self { lang, items: done.outcomes.iter().enumerate().map(keep).collect() }
    }

    /// Where the facts of its items stand, without the refused ones.
    pub fn traces(&self) -> Vec<Trace> {
        let trace = |kept: &Kept| match kept {
            Kept::Applied(numbers) | Kept::Already { already: numbers } => {
                let (position, versions) = numbers.split_first()?;
                Some(Trace { position: *position, versions: versions.to_vec() })
            }
            Kept::Refused { .. } => None,
        };
        self.items.iter().filter_map(trace).collect()
    }
}

fn trace(applied: &Applied) -> Vec<i64> {
    applied
        .events
        .first()
        .map(|event| event.position)
        .into_iter()
        .chain(applied.entries.iter().map(|entry| entry.version))
        .collect()
}

/// The results of a batch, in the order of its items.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResults<'a> {
    /// One per item.
    #[schema(value_type = Vec<ItemResult>)]
    pub results: Vec<BatchResult<'a>>,
}

/// What became of one item: `status`, and either the object that was made, under the item's member, or the problem.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes in the contract what BatchResult writes")]
pub struct ItemResult<'a> {
    /// As a single request would have been answered.
    #[schema(example = 201)]
    status: u16,
    /// `already-applied`, when the item had been applied before under its own id.
    code: Option<String>,
    account: Option<Account>,
    transaction: Option<Transaction>,
    hold: Option<Hold>,
    capture: Option<Capture>,
    release: Option<HoldChange>,
    problem: Option<ItemDocument<'a>>,
}

/// What became of one item.
#[derive(Debug)]
pub enum BatchResult<'a> {
    /// Done now.
    Applied(Fact),
    /// Done before.
    Already(Fact),
    /// Not done.
    Refused(&'a Refusal, Lang),
}

impl Serialize for BatchResult<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Applied(fact) => {
                map.serialize_entry("status", &fact.status())?;
                map.serialize_entry(fact.member(), fact)?;
            }
            Self::Already(fact) => {
                map.serialize_entry("status", &200)?;
                map.serialize_entry("code", "already-applied")?;
                map.serialize_entry(fact.member(), fact)?;
            }
            Self::Refused(refusal, lang) => {
                map.serialize_entry("status", &Code::Business(refusal.code).meaning().status)?;
                map.serialize_entry("problem", &ItemDocument::of(refusal, *lang))?;
            }
        }
        map.end()
    }
}

/// The body, from the outline and the facts of its applied items in their order.
pub fn render<'a>(
    outline: &Outline,
    facts: impl IntoIterator<Item = (&'a [Recorded], &'a [EntryAfter])>,
    known: &Known,
) -> Result<Vec<u8>, Unreadable> {
    let mut facts = facts.into_iter();
    let mut fact = || {
        let (events, entries) = facts.next().ok_or(Unreadable)?;
        Fact::of(events, entries, known)
    };
    let result = |kept| {
        Ok(match kept {
            &Kept::Applied(_) => BatchResult::Applied(fact()?),
            Kept::Already { .. } => BatchResult::Already(fact()?),
            Kept::Refused { refused } => BatchResult::Refused(refused, outline.lang),
        })
    };
    let results = outline.items.iter().map(result).collect::<Result<_, Unreadable>>()?;
    serde_json::to_vec(&BatchResults { results }).map_err(|_| Unreadable)
}

/// The facts of a batch's applied items as they were just recorded.
pub fn done_facts(done: &Done) -> impl Iterator<Item = (&[Recorded], &[EntryAfter])> {
    done.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Applied(applied) | Outcome::Already(applied) => {
            Some((applied.events.as_slice(), applied.entries.as_slice()))
        }
        Outcome::Refused(_) => None,
    })
}
