//! Units: the parts of a tenant that members belong to, as a small tree. Pure.
//!
//! All units of a tenant are one stream. So two moves at once meet at one version and cannot make a ring together, a name is
//! unique without a table, and the tree is read as one. Units are never taken away: members and history name them.

use std::collections::BTreeMap;
use std::str::FromStr;

use uuid::Uuid;

use super::event::{self, UnitDescribed};
use super::member::propose_fact;
use crate::access::Reach;
use crate::event_store::proposal::StreamVersion;
use crate::event_store::{Decision, Recorded};
use crate::kernel::name::natural_key;
use crate::kernel::{Refusal, RefusalCode};

/// More are no small tree.
const MOST: usize = 200;

/// What a unit is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitName(String);

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// What it is called.
    pub name: String,
    /// The unit that it is part of.
    pub parent: Option<Uuid>,
}

/// The units of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    stream: Uuid,
    version: i32,
    all: BTreeMap<Uuid, Unit>,
}

impl Units {
    /// The stream of a tenant's units.
    pub fn stream(tenant: Uuid) -> Uuid {
        natural_key(tenant, "units", &[])
    }

    /// Folds it; a tenant without units has none. `None` when an event cannot be read.
    pub fn fold(tenant: Uuid, events: &[Recorded]) -> Option<Self> {
        let mut units = Self { stream: Self::stream(tenant), version: 0, all: BTreeMap::new() };
        for recorded in events {
            units.version = recorded.version;
            // Kinds of later versions change nothing that this one knows.
            if matches!(&*recorded.kind, event::UNIT_CREATED | event::UNIT_CHANGED) {
                let UnitDescribed { unit, name, parent } = recorded.says()?;
                units.all.insert(unit, Unit { name, parent });
            }
        }
        Some(units)
    }

    /// One of them.
    pub fn get(&self, unit: Uuid) -> Option<&Unit> {
        self.all.get(&unit)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, &Unit)> {
        self.all.iter().map(|(id, unit)| (*id, unit))
    }

    /// Whether a unit is another one or stands somewhere below it.
    pub fn is_within(&self, unit: Uuid, other: Uuid) -> bool {
        let mut above = Some(unit);
        // A ring cannot be recorded; a log that has one anyway ends here all the same.
        for _ in 0..=self.all.len() {
            match above {
                Some(unit) if unit == other => return self.all.contains_key(&other),
                Some(unit) => above = self.all.get(&unit).and_then(|unit| unit.parent),
                None => return false,
            }
        }
        false
    }

    /// Whether a reach that begins in a unit comes as far as another one. Where nobody belongs, only what is about all comes.
    pub fn reaches(&self, reach: Reach, from: Option<Uuid>, to: Option<Uuid>) -> bool {
        match (reach, from, to) {
            (Reach::All, ..) => true,
            (Reach::Unit, Some(from), Some(to)) => from == to,
            (Reach::Below, Some(from), Some(to)) => self.is_within(to, from),
            _ => false,
        }
    }

    /// Decides another unit.
    pub fn create(&self, id: Uuid, name: &UnitName, parent: Option<Uuid>) -> Result<Decision, Refusal> {
        if self.all.len() >= MOST {
            return Ok(
                self.refuse(Refusal::new(RefusalCode::LimitExceeded, format!("a tenant has at most {MOST} units")))
            );
        }
        self.record(event::UNIT_CREATED, id, name.0.clone(), parent)
    }

    /// Decides another name.
    pub fn rename(&self, id: Uuid, name: &UnitName) -> Result<Decision, Refusal> {
        let parent = self.get(id).ok_or_else(nothing)?.parent;
        self.record(event::UNIT_CHANGED, id, name.0.clone(), parent)
    }

    /// Decides another place.
    pub fn shift(&self, id: Uuid, parent: Option<Uuid>) -> Result<Decision, Refusal> {
        let name = self.get(id).ok_or_else(nothing)?.name.clone();
        if parent.is_some_and(|parent| self.is_within(parent, id)) {
            let detail = "a unit does not stand below itself";
            return Ok(self.refuse(Refusal::new(RefusalCode::InvalidState, detail).at("/parent")));
        }
        self.record(event::UNIT_CHANGED, id, name, parent)
    }

    /// What depends on the others is a decision, which a repetition under the same key does not reach.
    fn record(&self, kind: &'static str, unit: Uuid, name: String, parent: Option<Uuid>) -> Result<Decision, Refusal> {
        if parent.is_some_and(|parent| !self.all.contains_key(&parent)) {
            return Err(Refusal::new(RefusalCode::ValidationFailed, "there is no such unit").at("/parent"));
        }
        if self.iter().any(|(other, known)| other != unit && known.name == name) {
            return Ok(self.refuse(Refusal::new(RefusalCode::NameTaken, "another unit has this name").at("/name")));
        }
        Ok(propose_fact(self.stream, self.version, kind, &UnitDescribed { unit, name, parent }))
    }

    fn refuse(&self, refusal: Refusal) -> Decision {
        Decision::Refuse(refusal, vec![StreamVersion { stream: self.stream, version: self.version }])
    }
}

impl FromStr for UnitName {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let is_name = (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        let detail = "the name of a unit has 1 to 100 characters, none of them a control character";
        if is_name { Ok(Self(text.to_owned())) } else { Err(Refusal::new(RefusalCode::ValidationFailed, detail)) }
    }
}

fn nothing() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "there is no such unit")
}

#[cfg(test)]
mod tests {
    use super::super::spec::happen;
    use super::*;

    const TENANT: Uuid = Uuid::from_u128(1);
    const TOWN: Uuid = Uuid::from_u128(10);
    const MARKET: Uuid = Uuid::from_u128(11);
    const STALL: Uuid = Uuid::from_u128(12);

    fn name(text: &str) -> UnitName {
        text.parse().unwrap()
    }

    fn now(history: &[Recorded]) -> Units {
        Units::fold(TENANT, history).unwrap()
    }

    fn refused(decision: Result<Decision, Refusal>) -> RefusalCode {
        match decision {
            Ok(Decision::Refuse(refusal, _)) | Err(refusal) => refusal.code,
            Ok(other) => panic!("{other:?}"),
        }
    }

    fn town() -> Vec<Recorded> {
        let mut history = Vec::new();
        for (id, named, parent) in
            [(TOWN, "Town", None), (MARKET, "Market", Some(TOWN)), (STALL, "Stall", Some(MARKET))]
        {
            let decision = now(&history).create(id, &name(named), parent).unwrap();
            happen(&mut history, decision);
        }
        history
    }

    #[test]
    fn what_stands_below_is_within() {
        let units = now(&town());
        assert!(units.is_within(STALL, TOWN) && units.is_within(MARKET, TOWN) && units.is_within(STALL, STALL));
        assert!(!units.is_within(TOWN, STALL) && !units.is_within(MARKET, STALL));
        let unknown = Uuid::from_u128(99);
        assert!(!units.is_within(unknown, unknown) && !units.is_within(unknown, TOWN));
    }

    #[test]
    fn a_unit_moves_with_what_is_below_it_and_never_below_itself() {
        let mut history = town();
        for below in [TOWN, MARKET, STALL] {
            assert_eq!(refused(now(&history).shift(TOWN, Some(below))), RefusalCode::InvalidState);
        }
        let moved = now(&history).shift(MARKET, None).unwrap();
        happen(&mut history, moved);
        let units = now(&history);
        assert!(units.is_within(STALL, MARKET) && !units.is_within(STALL, TOWN));
        // What was above may now stand below.
        let moved = units.shift(TOWN, Some(STALL)).unwrap();
        happen(&mut history, moved);
        assert!(now(&history).is_within(TOWN, MARKET));
    }

    #[test]
    fn names_are_unique_and_parents_exist() {
        let mut history = town();
        let units = now(&history);
        assert_eq!(refused(units.create(Uuid::from_u128(13), &name("Stall"), None)), RefusalCode::NameTaken);
        assert_eq!(refused(units.rename(STALL, &name("Town"))), RefusalCode::NameTaken);
        let nowhere = Some(Uuid::from_u128(99));
        assert_eq!(refused(units.shift(STALL, nowhere)), RefusalCode::ValidationFailed);
        assert_eq!(refused(units.rename(Uuid::from_u128(99), &name("x"))), RefusalCode::NotFound);
        let renamed = units.rename(STALL, &name("Stand")).unwrap();
        happen(&mut history, renamed);
        assert_eq!(now(&history).get(STALL), Some(&Unit { name: "Stand".into(), parent: Some(MARKET) }));
        for bad in ["", "a\0b", &"x".repeat(101)] {
            assert!(bad.parse::<UnitName>().is_err());
        }
    }

    #[test]
    fn a_tree_stays_small() {
        let mut history = Vec::new();
        for number in 0..u128::try_from(MOST).unwrap() {
            let decision = now(&history).create(Uuid::from_u128(number), &name(&number.to_string()), None).unwrap();
            happen(&mut history, decision);
        }
        let one_more = now(&history).create(Uuid::max(), &name("one more"), None);
        assert_eq!(refused(one_more), RefusalCode::LimitExceeded);
    }
}
