//! Over whom an administrator decides, and what they may give. Pure.
//!
//! An administrator of the whole tenant gives roles as before: the roles that must not meet in one person bound that. Whoever
//! administers less (a unit, what is below it, one member) could otherwise make themselves more by making somebody else
//! more: they give only what they hold themselves, and have no say over who holds more than they do. Single grants are given
//! by nobody who does not hold them.

use std::sync::Arc;

use uuid::Uuid;

use super::error::StaffError;
use super::member::{self, Change, Member, Position};
use super::unit::Units;
use crate::access::{Grant, Reach, Role, Standing};
use crate::event_store::Decision;
use crate::kernel::{Refusal, RefusalCode};

/// What somebody may decide about members by the grant that let them in.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Who decides.
    pub by: Uuid,
    standing: Arc<Standing>,
    reach: Reach,
    units: Units,
}

impl Authority {
    /// Of a member, as far as the grant reaches.
    pub fn new(by: Uuid, standing: Arc<Standing>, reach: Reach, units: Units) -> Self {
        Self { by, standing, reach, units }
    }

    /// Whether the grant is about an object of a member's: the member, or a session.
    pub fn covers(&self, object: Uuid, member: &Member) -> bool {
        match self.reach {
            Reach::One(one) => object == one,
            Reach::Own => member.id == self.by,
            Reach::Unit | Reach::Below | Reach::All => self.covers_unit(member.position.unit),
        }
    }

    /// Whether it is about whoever belongs to a unit, or to none.
    fn covers_unit(&self, unit: Option<Uuid>) -> bool {
        self.units.reaches(self.reach, self.standing.unit, unit)
    }

    /// Decides an invitation, but for what the tenant's members say against it.
    pub fn check_invitation(&self, position: &Position) -> Result<(), StaffError> {
        self.check_unit(position.unit)?;
        self.check_gift(position, &[])
    }

    /// Decides a change of a member whom the grant is about.
    pub fn decide(&self, member: &Member, change: &Change) -> Result<Decision, StaffError> {
        self.check_over(member)?;
        let mut had = member.position.grants.clone();
        if let Change::Unit(unit) = change {
            self.check_unit(*unit)?;
            // These are about others from then on.
            had.retain(|grant| !matches!(grant.reach, Reach::Unit | Reach::Below));
        }
        let after = member.position.after(change);
        self.check_gift(&after, &had)?;
        Ok(member::change(member, self.by, change, &after)?)
    }

    /// Refuses a say over whoever is not covered, or holds more.
    pub fn check_over(&self, member: &Member) -> Result<(), StaffError> {
        if !self.covers(member.id, member) {
            return Err(Refusal::new(RefusalCode::NotFound, "there is no such member").into());
        }
        // Of oneself nobody decides anything, and is told that.
        let is_wide = self.reach == Reach::All || member.id == self.by;
        if is_wide || self.holds_all(&member.position) { Ok(()) } else { Err(StaffError::HoldsMore) }
    }

    fn check_unit(&self, unit: Option<Uuid>) -> Result<(), StaffError> {
        if unit.is_some_and(|unit| self.units.get(unit).is_none()) {
            return Err(Refusal::new(RefusalCode::ValidationFailed, "there is no such unit").at("/unit").into());
        }
        // One member was granted, or oneself: they stay where they are.
        if self.covers_unit(unit) { Ok(()) } else { Err(StaffError::MoreThanHeld("/unit".into())) }
    }

    /// Refuses what is more than the giver holds; what the receiver had before is not given.
    fn check_gift(&self, position: &Position, had: &[Grant]) -> Result<(), StaffError> {
        let too_much = |list: &str, index| StaffError::MoreThanHeld(format!("/{list}/{index}"));
        if self.reach != Reach::All
            && let Some(index) = position.roles.iter().position(|role| !self.holds_role(*role, position.unit))
        {
            return Err(too_much("roles", index));
        }
        let is_new = |grant: &Grant| !had.contains(grant) && !self.holds(*grant, position.unit);
        match position.grants.iter().position(is_new) {
            Some(index) => Err(too_much("grants", index)),
            None => Ok(()),
        }
    }

    fn holds_all(&self, position: &Position) -> bool {
        position.roles.iter().all(|role| self.holds_role(*role, position.unit))
            && position.grants.iter().all(|grant| self.holds(*grant, position.unit))
    }

    fn holds_role(&self, role: Role, unit: Option<Uuid>) -> bool {
        role.rights().iter().all(|right| self.standing.rights.contains(right))
            && role.grants().all(|grant| self.holds(grant, unit))
    }

    /// Whether the giver holds as much as a grant would be in the hands of a member of a unit.
    fn holds(&self, wanted: Grant, unit: Option<Uuid>) -> bool {
        let alike = self.standing.grants.iter().filter(|held| held.verb == wanted.verb && held.object == wanted.object);
        alike.map(|held| held.reach).any(|held| match (held, wanted.reach) {
            (Reach::All, _) => true,
            (Reach::One(held), Reach::One(wanted)) => held == wanted,
            (Reach::Below, Reach::Own | Reach::Unit | Reach::Below) | (Reach::Unit, Reach::Own | Reach::Unit) => {
                self.units.reaches(held, self.standing.unit, unit)
            }
            _ => false,
        })
    }
}

#[cfg(test)]
mod tests;
