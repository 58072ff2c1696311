//! The roles of staff: which grants and rights each brings, and which must not meet in one person.
//!
//! They are code, so that what a role may do is reviewed like code, and is the same for every tenant. A member may have
//! several, and single grants besides. What none of them may do is move money alone: that is a client's, or takes two.

use std::fmt;
use std::str::FromStr;

use super::rights::Object::{
    Account, Asset, Audit, Event, Hold, Holder, Issuance, Price, Provider, Report, Service, Session, Terminal,
    Transaction, Unit, User, Webhook,
};
use super::rights::Right::{Adjust, Approve, Export, Freeze, Issue, Redeem, RotateKeys, Unmask};
use super::rights::Verb::{Create, Delete, Edit, Share, View};
use super::rights::{Grant, Object, Reach, Right, Rights, Verb};

/// What a member of the staff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Invites members and gives roles. No right over money.
    IamAdmin,
    /// Proposes to issue, redeem and adjust.
    TreasuryMaker,
    /// Approves what a maker proposed.
    TreasuryChecker,
    /// Keeps the ledger running: accounts, holds, freezes.
    Operations,
    /// Answers citizens; sees masked data.
    Support,
    /// Looks into people and movements; freezes, unmasks, exports.
    Compliance,
    /// Sees and proves, changes nothing.
    Auditor,
    /// Integrates: endpoints and events.
    Developer,
    /// Looks after the companies that are paid at terminals, within their own unit and what is below it.
    ProviderManager,
    /// Keeps the fleet of terminals: registers, brings in, suspends, revokes.
    TerminalManager,
}

struct Row {
    role: Role,
    name: &'static str,
    grants: &'static [(Verb, &'static [Object])],
    rights: &'static [Right],
    reach: Reach,
}

/// Every role.
const TABLE: [Row; 10] = [
    Row {
        role: Role::IamAdmin,
        name: "iam-admin",
        grants: &[
            (View, &[User, Session, Unit, Audit]),
            (Create, &[User, Unit]),
            (Edit, &[User, Unit]),
            (Delete, &[Session]),
        ],
        rights: &[],
        reach: Reach::All,
    },
    Row {
        role: Role::TreasuryMaker,
        name: "treasury-maker",
        grants: &[(View, &[Asset, Account, Transaction, Hold, Report, Price]), (Create, &[Issuance])],
        rights: &[Issue, Redeem, Adjust],
        reach: Reach::All,
    },
    Row {
        role: Role::TreasuryChecker,
        name: "treasury-checker",
        grants: &[(View, &[Asset, Account, Transaction, Hold, Report])],
        rights: &[Approve],
        reach: Reach::All,
    },
    Row {
        role: Role::Operations,
        name: "operations",
        grants: &[
            (View, &[Asset, Account, Transaction, Hold, Event, Report, Webhook, Price, Provider, Service, Terminal]),
            (Edit, &[Account, Webhook, Price, Provider, Service]),
            (Create, &[Provider, Service]),
        ],
        rights: &[Freeze, RotateKeys],
        reach: Reach::All,
    },
    Row {
        role: Role::Support,
        name: "support",
        grants: &[(View, &[Asset, Account, Transaction, Hold, Holder, Provider, Service, Terminal])],
        rights: &[],
        reach: Reach::All,
    },
    Row {
        role: Role::Compliance,
        name: "compliance",
        grants: &[(View, &[Asset, Account, Transaction, Hold, Event, Report, Holder, Audit]), (Edit, &[Account])],
        rights: &[Freeze, Unmask, Export],
        reach: Reach::All,
    },
    Row {
        role: Role::Auditor,
        name: "auditor",
        grants: &[(
            View,
            &[
                Asset,
                Account,
                Transaction,
                Hold,
                Event,
                Report,
                Webhook,
                User,
                Session,
                Unit,
                Audit,
                Price,
                Provider,
                Service,
                Terminal,
            ],
        )],
        rights: &[Export],
        reach: Reach::All,
    },
    Row {
        role: Role::Developer,
        name: "developer",
        grants: &[
            (View, &[Asset, Event, Webhook]),
            (Edit, &[Webhook]),
            (Share, &[Event]),
            (Delete, &[Webhook]),
            (Create, &[Webhook]),
        ],
        rights: &[],
        reach: Reach::All,
    },
    Row {
        role: Role::ProviderManager,
        name: "provider-manager",
        grants: &[(View, &[Provider, Service]), (Edit, &[Provider, Service]), (Create, &[Provider, Service])],
        rights: &[],
        reach: Reach::Below,
    },
    Row {
        role: Role::TerminalManager,
        name: "terminal-manager",
        grants: &[(View, &[Unit, Terminal]), (Create, &[Terminal]), (Edit, &[Terminal])],
        rights: &[],
        reach: Reach::All,
    },
];

/// The text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no role of this name exists")]
pub struct UnknownRole;

/// Two things that one person must not hold together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Who gives roles could give themselves any right over money.
    #[error("who administers users has no right over money")]
    AdministratorWithMoney,
    /// Who proposes must not approve.
    #[error("a maker is not a checker")]
    MakerAndChecker,
}

impl Role {
    /// Every role, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.role)
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        self.row().name
    }

    /// What it may do with which objects.
    pub fn grants(self) -> impl Iterator<Item = Grant> {
        let Row { grants, reach, .. } = self.row();
        let of = |(verb, object)| Grant { verb, object, reach: *reach };
        grants.iter().flat_map(move |(verb, objects)| objects.iter().map(move |object| of((*verb, *object))))
    }

    /// What it may do over money and secrets.
    pub fn rights(self) -> Rights {
        self.row().rights.iter().copied().collect()
    }

    fn row(self) -> &'static Row {
        // Each role stands in the table once; a test says so.
        TABLE.iter().find(|row| row.role == self).unwrap_or(&TABLE[0])
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        TABLE.iter().find(|row| row.name == text).map(|row| row.role).ok_or(UnknownRole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Refuses roles and grants that must not meet in one person.
pub fn check_together(roles: &[Role], grants: &[Grant]) -> Result<(), Conflict> {
    let rights = roles.iter().fold(Rights::default(), |all, role| all.union(role.rights()));
    let mut grants = roles.iter().flat_map(|role| role.grants()).chain(grants.iter().copied());
    // Where units stand says whom grants that end at units are about.
    let administers = grants.any(|g| matches!(g.object, User | Unit) && matches!(g.verb, Edit | Create | Share));
    if administers && rights.iter().any(Right::is_over_money) {
        return Err(Conflict::AdministratorWithMoney);
    }
    if rights.contains(Approve) && rights.iter().any(Right::is_makers) {
        return Err(Conflict::MakerAndChecker);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_stands_in_the_table_once_and_is_sound_alone() {
        for role in Role::all() {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(Role::all().filter(|other| *other == role).count(), 1);
            assert_eq!(check_together(&[role], &[]), Ok(()), "{role}");
        }
        assert_eq!("admin".parse::<Role>(), Err(UnknownRole));
    }

    #[test]
    fn money_and_administration_do_not_meet() {
        for role in [Role::TreasuryMaker, Role::TreasuryChecker, Role::Operations, Role::Compliance] {
            assert_eq!(check_together(&[Role::IamAdmin, role], &[]), Err(Conflict::AdministratorWithMoney), "{role}");
        }
        let edits_users = "edit:user:unit".parse().unwrap();
        assert_eq!(check_together(&[Role::Operations], &[edits_users]), Err(Conflict::AdministratorWithMoney));
        assert_eq!(check_together(&[Role::IamAdmin, Role::Auditor], &[]), Ok(()));
    }

    #[test]
    fn a_maker_is_not_a_checker() {
        let both = [Role::TreasuryMaker, Role::TreasuryChecker];
        assert_eq!(check_together(&both, &[]), Err(Conflict::MakerAndChecker));
    }

    #[test]
    fn nobody_of_the_staff_moves_money_by_a_grant() {
        for grant in Role::all().flat_map(Role::grants) {
            let moves = matches!(grant.object, Transaction | Hold) && grant.verb != View;
            assert!(!moves, "{grant}");
        }
    }
}
