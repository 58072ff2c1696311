//! An account as it lies in the writer's cache: half of what deciding with it takes, because a million of them lie there.

use super::overlay::AccountState;
use super::proposal::{Settings, Status};
use crate::kernel::Minor;
use uuid::Uuid;

/// No balance comes near either end, so these say that there is no bound.
const NO_LEAST: i64 = i64::MIN;
const NO_MOST: i64 = i64::MAX;

/// The state without its padding, amounts as the database has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    tenant: Uuid,
    number: i64,
    version: i64,
    position: i64,
    posted: i64,
    held: i64,
    incoming: i64,
    least: i64,
    most: i64,
    settings: i32,
    scale: u8,
    sends: bool,
    receives: bool,
    status: Status,
}

impl From<AccountState> for Kept {
    fn from(state: AccountState) -> Self {
        let Settings { version, min_balance, max_balance, sends, receives, status } = state.settings;
        Self {
            tenant: state.tenant,
            number: state.number,
            version: state.version,
            position: state.position,
            posted: state.posted.to_bigint(),
            held: state.held.to_bigint(),
            incoming: state.incoming.to_bigint(),
            least: min_balance.map_or(NO_LEAST, Minor::to_bigint),
            most: max_balance.map_or(NO_MOST, Minor::to_bigint),
            settings: version,
            scale: state.scale,
            sends,
            receives,
            status,
        }
    }
}

impl From<Kept> for AccountState {
    fn from(kept: Kept) -> Self {
        let bound = |units, none| (units != none).then(|| Minor::from_bigint(units));
        Self {
            number: kept.number,
            tenant: kept.tenant,
            scale: kept.scale,
            settings: Settings {
                version: kept.settings,
                min_balance: bound(kept.least, NO_LEAST),
                max_balance: bound(kept.most, NO_MOST),
                sends: kept.sends,
                receives: kept.receives,
                status: kept.status,
            },
            version: kept.version,
            posted: Minor::from_bigint(kept.posted),
            held: Minor::from_bigint(kept.held),
            incoming: Minor::from_bigint(kept.incoming),
            position: kept.position,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_the_whole_state_in_half_the_room() {
        let settings = Settings {
            version: 3,
            min_balance: None,
            max_balance: Some(Minor::new(1_000_000_000_000_000_000)),
            sends: true,
            receives: false,
            status: Status::Frozen,
        };
        let state = AccountState {
            number: 7,
            tenant: Uuid::from_u128(9),
            scale: 2,
            settings,
            version: 11,
            posted: Minor::new(-5),
            held: Minor::new(1),
            incoming: Minor::ZERO,
            position: 13,
        };
        let unbounded = Settings { min_balance: Some(Minor::ZERO), max_balance: None, ..settings };
        for state in [state, AccountState { settings: unbounded, ..state }] {
            assert_eq!(AccountState::from(Kept::from(state)), state);
        }
        assert!(size_of::<Kept>() * 2 <= size_of::<AccountState>(), "{}", size_of::<AccountState>());
    }
}
