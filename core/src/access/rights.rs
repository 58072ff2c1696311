//! What staff can be granted: verbs on kinds of objects, each within a reach, and rights over money apart from them.
//!
//! A grant is written `view:account`, `edit:user:unit` or `view:account:<id>`; without a reach it is about all.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// What is done with an object. The numbers are the levels of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Verb {
    /// Look at it.
    View = 0,
    /// Change it.
    Edit = 1,
    /// Hand it on: to a queue, an endpoint, another member.
    Share = 2,
    /// Remove it. What the ledger recorded has no such verb.
    Delete = 3,
    /// Make a new one.
    Create = 4,
}

/// The kinds of things that a grant can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object {
    /// Kinds of money.
    Asset,
    /// Accounts, their balances and entries.
    Account,
    /// Movements and their reversals.
    Transaction,
    /// Money set aside.
    Hold,
    /// The log.
    Event,
    /// Views over many accounts.
    Report,
    /// Where the tenant is told of events.
    Webhook,
    /// People behind accounts.
    Holder,
    /// Members of the staff.
    User,
    /// Their sign-ins.
    Session,
    /// Where they belong.
    Unit,
    /// Who did what.
    Audit,
    /// Money that comes into being or goes out of it.
    Issuance,
    /// What payments cost.
    Price,
    /// Companies that are paid at terminals.
    Provider,
    /// What they are paid for.
    Service,
    /// Devices that take payments.
    Terminal,
}

impl Verb {
    /// Every verb, by level.
    pub const ALL: [Self; 5] = [Self::View, Self::Edit, Self::Share, Self::Delete, Self::Create];

    /// As it stands in a grant.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Edit => "edit",
            Self::Share => "share",
            Self::Delete => "delete",
            Self::Create => "create",
        }
    }
}

impl Object {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Asset,
        Self::Account,
        Self::Transaction,
        Self::Hold,
        Self::Event,
        Self::Report,
        Self::Webhook,
        Self::Holder,
        Self::User,
        Self::Session,
        Self::Unit,
        Self::Audit,
        Self::Issuance,
        Self::Price,
        Self::Provider,
        Self::Service,
        Self::Terminal,
    ];

    /// As it stands in a grant.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Account => "account",
            Self::Transaction => "transaction",
            Self::Hold => "hold",
            Self::Event => "event",
            Self::Report => "report",
            Self::Webhook => "webhook",
            Self::Holder => "holder",
            Self::User => "user",
            Self::Session => "session",
            Self::Unit => "unit",
            Self::Audit => "audit",
            Self::Issuance => "issuance",
            Self::Price => "price",
            Self::Provider => "provider",
            Self::Service => "service",
            Self::Terminal => "terminal",
        }
    }

    /// Whether such an object belongs to a member, and so to the member's unit. Only then can a grant be bounded by owner.
    pub fn has_owner(self) -> bool {
        matches!(self, Self::User | Self::Session)
    }

    /// Whether such an object stands in a unit, its own or its owner's. Only then can a grant be bounded by unit; all else belongs to
    /// the tenant.
    pub fn has_unit(self) -> bool {
        self.has_owner() || matches!(self, Self::Provider | Self::Service | Self::Terminal)
    }
}

/// How far a grant goes, from the narrowest to the widest: where a path names the one object, that is all there is to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// The member's own.
    Own,
    /// Those of the member's unit.
    Unit,
    /// Those of the member's unit and of the units below it.
    Below,
    /// One object, by its id.
    One(Uuid),
    /// The tenant's.
    All,
}

/// A verb on a kind of objects, as far as it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Grant {
    /// What may be done.
    pub verb: Verb,
    /// With what kind of things.
    pub object: Object,
    /// With which of them.
    pub reach: Reach,
}

/// The text is no grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a grant reads verb:object or verb:object:reach; own is for users and sessions, unit and below for providers, services and terminals, too"
)]
pub struct UnknownGrant;

impl Grant {
    /// A grant on all objects of a kind.
    pub const fn all(verb: Verb, object: Object) -> Self {
        Self { verb, object, reach: Reach::All }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.verb.as_str(), self.object.as_str())?;
        match self.reach {
            Reach::All => Ok(()),
            Reach::Own => f.write_str(":own"),
            Reach::Unit => f.write_str(":unit"),
            Reach::Below => f.write_str(":below"),
            Reach::One(id) => write!(f, ":{id}"),
        }
    }
}

impl FromStr for Grant {
    type Err = UnknownGrant;

    fn from_str(text: &str) -> Result<Self, UnknownGrant> {
        let mut parts = text.splitn(3, ':');
        let (verb, object) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let verb = Verb::ALL.into_iter().find(|known| known.as_str() == verb).ok_or(UnknownGrant)?;
        let object = Object::ALL.into_iter().find(|known| known.as_str() == object).ok_or(UnknownGrant)?;
        let reach = match parts.next() {
            None => Reach::All,
            Some("own") if object.has_owner() => Reach::Own,
            Some("unit") if object.has_unit() => Reach::Unit,
            Some("below") if object.has_unit() => Reach::Below,
            Some(id) => Reach::One(Uuid::try_parse(id).map_err(|_| UnknownGrant)?),
        };
        Ok(Self { verb, object, reach })
    }
}

/// A right over money or secrets. No verb implies one, and each needs a second factor that was shown minutes ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Right {
    /// Bring money into being.
    Issue = 1,
    /// Take money out of being.
    Redeem = 2,
    /// Correct what was posted.
    Adjust = 4,
    /// Stop an account, or let it go on.
    Freeze = 8,
    /// Let another's proposal pass.
    Approve = 16,
    /// See personal data as it is.
    Unmask = 32,
    /// Take data of many out of the system.
    Export = 64,
    /// Replace keys.
    RotateKeys = 128,
}

impl Right {
    /// Every right, in the order they are printed.
    pub const ALL: [Self; 8] = [
        Self::Issue,
        Self::Redeem,
        Self::Adjust,
        Self::Freeze,
        Self::Approve,
        Self::Unmask,
        Self::Export,
        Self::RotateKeys,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Redeem => "redeem",
            Self::Adjust => "adjust",
            Self::Freeze => "freeze",
            Self::Approve => "approve",
            Self::Unmask => "unmask",
            Self::Export => "export",
            Self::RotateKeys => "rotate_keys",
        }
    }

    /// Whether it moves money or stops it from moving.
    pub fn is_over_money(self) -> bool {
        matches!(self, Self::Issue | Self::Redeem | Self::Adjust | Self::Freeze | Self::Approve)
    }

    /// Whether its holder proposes what another must approve.
    pub fn is_makers(self) -> bool {
        matches!(self, Self::Issue | Self::Redeem | Self::Adjust)
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Rights(u16);

impl Rights {
    /// Whether the right is among them.
    pub fn contains(self, right: Right) -> bool {
        self.0 & right as u16 != 0
    }

    /// Those of both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// One by one.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.contains(*right))
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().fold(0, |set, right| set | right as u16))
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Right::as_str)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_read_and_print_alike() {
        let id = Uuid::from_u128(7);
        for text in [
            "view:account",
            "create:transaction",
            "edit:user:unit",
            "view:session:own",
            "view:user:below",
            "edit:service:unit",
            "edit:terminal:below",
        ] {
            assert_eq!(text.parse::<Grant>().unwrap().to_string(), text);
        }
        assert_eq!(
            format!("view:account:{id}").parse(),
            Ok(Grant { verb: Verb::View, object: Object::Account, reach: Reach::One(id) })
        );
    }

    #[test]
    fn what_has_no_owner_is_not_granted_by_owner() {
        for text in [
            "",
            "view",
            "view:",
            "view:money",
            "read:account",
            "view:account:own",
            "edit:hold:unit",
            "edit:service:own",
            "view:terminal:own",
            "VIEW:account",
            "view:account:",
            "view:account:7",
        ] {
            assert_eq!(text.parse::<Grant>(), Err(UnknownGrant), "{text:?}");
        }
    }

    #[test]
    fn rights_are_a_set() {
        let rights: Rights = [Right::Freeze, Right::Unmask].into_iter().collect();
        assert!(rights.contains(Right::Freeze) && !rights.contains(Right::Issue));
        assert_eq!(format!("{rights:?}"), r#"{"freeze", "unmask"}"#);
        assert_eq!(Right::ALL.into_iter().collect::<Rights>().iter().count(), 8);
    }

    #[test]
    fn a_wider_reach_is_greater() {
        assert!(Reach::All > Reach::Below && Reach::Below > Reach::Unit && Reach::Unit > Reach::Own);
        assert!(Reach::All > Reach::One(Uuid::max()) && Reach::One(Uuid::nil()) > Reach::Below);
    }
}
