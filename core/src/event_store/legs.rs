//! What any event did to balances and counters, read from its payload whatever its kind.

use serde::Deserialize;
use std::borrow::Cow;
use uuid::Uuid;

/// An account, and the changes of posted, held and incoming: texts of minor units.
pub type Leg<'a> = (Uuid, &'a str, &'a str, &'a str);
/// An account, the key of a window, and what was used of it.
pub type Count<'a> = (Uuid, Cow<'a, str>, &'a str);

/// The frozen members that the writer added to a payload.
#[derive(Debug, Default, Deserialize)]
pub struct Legs<'a> {
    /// An account stands in at most one.
    #[serde(borrow, default)]
    pub moves: Vec<Leg<'a>>,
    /// In the order in which they were counted.
    #[serde(borrow, default)]
    pub counts: Vec<Count<'a>>,
}

impl<'a> Legs<'a> {
    /// Reads a payload.
    pub fn read(payload: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(payload)
    }
}
