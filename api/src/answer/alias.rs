//! Aliases as they are answered: to a write without anything personal, for answers are stored.

use super::{Unreadable, facts, time};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::aliases::Own;
use vintem_core::aliases::event::AliasRegistered;
use vintem_core::event_store::Recorded;

/// A key by which somebody is paid.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alias {
    /// Its id.
    pub id: Uuid,
    /// `cpf`, `phone`, `email` or `random`.
    #[schema(example = "random")]
    pub kind: &'static str,
    /// What others type. In answer to its registration only that of a random one; list them for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0b0ed1b2-5c7e-4d3a-9a55-3f6f0c1d2e4b")]
    pub alias: Option<String>,
    /// Since when.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub created_at: String,
}

/// A person's keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct AliasList {
    /// The oldest first.
    pub aliases: Vec<Alias>,
}

impl Alias {
    /// As it was registered.
    pub(super) fn registered(recorded: &Recorded) -> Result<Self, Unreadable> {
        let AliasRegistered { alias, kind, random, .. } = facts(recorded)?;
        let (kind, value) = (kind.as_str(), random.map(|random| random.to_string()));
        Ok(Self { id: alias, kind, alias: value, created_at: time(recorded.recorded_at) })
    }

    /// To its owner; never stored.
    pub fn own(own: &Own) -> Self {
        let says = &own.entry.says;
        let (value, created_at) = (Some(own.value.to_string()), time(own.entry.created_at));
        Self { id: says.alias, kind: says.kind.as_str(), alias: value, created_at }
    }
}
