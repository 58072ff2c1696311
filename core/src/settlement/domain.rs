//! How far somebody administers providers and services: all of the tenant's, or those of some units.

use super::error::SettlementError;
use crate::access::Reach;
use crate::access::staff::Units;
use crate::kernel::{Refusal, RefusalCode};
use uuid::Uuid;

/// What a caller may look at and change.
#[derive(Debug, Clone)]
pub struct Domain {
    reach: Reach,
    from: Option<Uuid>,
    units: Units,
}

impl Domain {
    /// Of a caller who belongs to a unit, as far as the grant reaches.
    pub fn new(reach: Reach, from: Option<Uuid>, units: Units) -> Self {
        Self { reach, from, units }
    }

    /// Whether an object that a unit looks after is in it.
    pub fn covers(&self, object: Uuid, unit: Option<Uuid>) -> bool {
        match self.reach {
            Reach::One(one) => one == object,
            reach => self.units.reaches(reach, self.from, unit),
        }
    }

    /// Refuses a unit that there is not, or that is beyond. One that stays as it is is not asked about.
    pub(super) fn check_unit(&self, unit: Option<Uuid>) -> Result<(), SettlementError> {
        if unit.is_some_and(|unit| self.units.get(unit).is_none()) {
            return Err(Refusal::new(RefusalCode::ValidationFailed, "there is no such unit").at("/unit").into());
        }
        if self.units.reaches(self.reach, self.from, unit) { Ok(()) } else { Err(SettlementError::Beyond("/unit")) }
    }
}
