//! Assets: what amounts are amounts of. A code is taken for ever; its scale never changes.

use super::event::{self, AssetRegistered};
use super::transaction::to_payload;
use crate::event_store::proposal::{Decision, EntryKind, NewEvent, Proposal};
use crate::kernel::amount::MAX_SCALE;
use crate::kernel::{Refusal, RefusalCode, name};
use uuid::Uuid;

/// The command to register an asset.
#[derive(Debug, Clone)]
pub struct Register {
    /// Its code.
    pub code: String,
    /// Decimals of its minor unit.
    pub scale: u8,
    /// For people.
    pub description: Option<String>,
}

/// Decides a registration.
pub fn register(command: &Register, tenant: Uuid, is_taken: bool) -> Result<Decision, Refusal> {
    if !name::is_asset_code(&command.code) {
        return Err(Refusal::new(
            RefusalCode::ValidationFailed,
            "an asset's code is a capital letter and up to 30 of A-Z 0-9 . _ -",
        )
        .at("/code"));
    }
    if command.scale > MAX_SCALE {
        return Err(Refusal::new(RefusalCode::ValidationFailed, format!("the scale is 0 to {MAX_SCALE}")).at("/scale"));
    }
    if is_taken {
        return Ok(Decision::Refuse(
            Refusal::new(RefusalCode::NameTaken, format!("the asset {} is registered already", command.code))
                .at("/code"),
            Vec::new(),
        ));
    }
    let facts =
        AssetRegistered { code: command.code.clone(), scale: command.scale, description: command.description.clone() };
    let event = NewEvent {
        stream: name::asset_id(tenant, &command.code),
        expected: 0,
        fresh: false,
        kind: event::ASSET_REGISTERED,
        payload: to_payload(&facts),
        effective_at: None,
        entry_kind: EntryKind::Posting,
        moves: Vec::new(),
        settings: None,
    };
    Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
}
