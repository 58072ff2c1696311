//! Which of a tenant's things that stand in units somebody is about. Pure.

use uuid::Uuid;

use super::unit::Units;
use crate::access::Reach;
use crate::kernel::{Refusal, RefusalCode};

/// As far as the grant goes that let somebody in.
#[derive(Debug, Clone)]
pub struct Territory {
    reach: Reach,
    from: Option<Uuid>,
    units: Units,
}

impl Territory {
    /// Of whoever belongs to a unit, or to none.
    pub fn new(reach: Reach, from: Option<Uuid>, units: Units) -> Self {
        Self { reach, from, units }
    }

    /// Whether they are about a thing that stands in a unit, or in none.
    pub fn covers(&self, object: Uuid, unit: Option<Uuid>) -> bool {
        match self.reach {
            Reach::One(one) => one == object,
            _ => self.covers_unit(unit),
        }
    }

    /// Whether they are about whatever stands in a unit, or in none.
    pub fn covers_unit(&self, unit: Option<Uuid>) -> bool {
        self.units.reaches(self.reach, self.from, unit)
    }

    /// The units that they are about; `None` when they are about everything.
    pub fn units(&self) -> Option<Vec<Uuid>> {
        if self.reach == Reach::All {
            return None;
        }
        Some(self.units.iter().map(|(unit, _)| unit).filter(|unit| self.covers_unit(Some(*unit))).collect())
    }

    /// Refuses a unit that is none.
    pub fn check_exists(&self, unit: Option<Uuid>) -> Result<(), Refusal> {
        if unit.is_some_and(|unit| self.units.get(unit).is_none()) {
            return Err(Refusal::new(RefusalCode::ValidationFailed, "there is no such unit").at("/unit"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::spec::happen;
    use super::*;

    #[test]
    fn a_territory_is_a_unit_or_what_is_below_it_or_one_thing_or_everything() {
        let (tenant, town, market, thing) =
            (Uuid::from_u128(1), Uuid::from_u128(10), Uuid::from_u128(11), Uuid::from_u128(99));
        let mut history = Vec::new();
        for (id, name, parent) in [(town, "Town", None), (market, "Market", Some(town))] {
            let units = Units::fold(tenant, &history).unwrap();
            let decision = units.create(id, &name.parse().unwrap(), parent).unwrap();
            happen(&mut history, decision);
        }
        let of = |reach, from| Territory::new(reach, from, Units::fold(tenant, &history).unwrap());
        let seen = |territory: Territory| [None, Some(town), Some(market)].map(|unit| territory.covers(thing, unit));
        assert_eq!(seen(of(Reach::All, None)), [true, true, true]);
        assert_eq!(seen(of(Reach::Below, Some(town))), [false, true, true]);
        assert_eq!(seen(of(Reach::Unit, Some(town))), [false, true, false]);
        assert_eq!(seen(of(Reach::Unit, None)), [false, false, false]);
        assert_eq!(seen(of(Reach::One(thing), None)), [true, true, true]);
        assert_eq!(seen(of(Reach::One(market), None)), [false, false, false]);
        assert_eq!(of(Reach::All, None).units(), None);
        assert_eq!(of(Reach::Below, Some(town)).units(), Some(vec![town, market]));
        assert!(of(Reach::All, None).check_exists(Some(thing)).is_err());
    }
}
