//! The ledger's specification: given / when / then over the real decisions, without I/O.
//!
//! A [`World`] is one overlay that is never committed. Events decide what later commands see, just
//! as they do through the store.

mod accounts;
mod holds;
mod transactions;

use super::capture::Capture;
use super::command::{Command, Loaded};
use super::known::{AccountRef, Identity, Known, Side};
use super::placing::Place;
use super::reversal::{Extent, Reverse};
use super::transaction::{ChosenId, ExpectText, Leg, Post, Quantity};
use super::{account, asset, capture, hold};
use crate::event_store::overlay::{Origin, Overlay, Stop};
use crate::event_store::proposal::{Decision, NewEvent, Pointers};
use crate::event_store::{Proposal, Recorded};
use crate::kernel::{Instant, Metadata, RefusalCode, name};
use chrono::Duration;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What a command came to: nothing to say, or the code of its refusal.
type Verdict = Result<(), RefusalCode>;

pub(super) struct World {
    overlay: Overlay,
    known: Known,
    drawn: u128,
}

const TENANT: Uuid = Uuid::from_u128(7);

/// An empty ledger with BRL (2 decimals) and PTS (none), at noon.
pub(super) fn given() -> World {
    let noon: Instant = "2026-03-01T12:00:00Z".parse().unwrap();
    let mut world =
        World { overlay: Overlay::new(noon, 0, HashMap::new(), HashMap::new()), known: Known::default(), drawn: 100 };
    for (code, scale) in [("BRL", 2), ("PTS", 0)] {
        world.when(Command::Register(asset::Register { code: code.into(), scale, description: None })).unwrap();
    }
    world
}

impl World {
    /// A credit-normal account in BRL that cannot go below zero.
    pub fn wallet(self, name: &str) -> Self {
        self.account(name, "BRL", Side::Credit, Some("0"), None)
    }

    /// A debit-normal account in BRL without bounds.
    pub fn bank(self, name: &str) -> Self {
        self.account(name, "BRL", Side::Debit, None, None)
    }

    pub fn account(mut self, name: &str, asset: &str, normal_side: Side, min: Option<&str>, max: Option<&str>) -> Self {
        self.when(open(name, asset, normal_side, min, max)).unwrap();
        self
    }

    /// Money moved from one account to another.
    pub fn moved(mut self, from: &str, to: &str, amount: &str) -> Self {
        self.when(transfer(from, to, amount)).unwrap();
        self
    }

    /// A hold that lasts an hour.
    pub fn held(mut self, hold: Uuid, from: &str, to: Option<&str>, amount: &str) -> Self {
        self.when(self.place(hold, from, to, amount, 0)).unwrap();
        self
    }

    pub fn place(&self, hold: Uuid, from: &str, to: Option<&str>, amount: &str, over_capture_percent: u8) -> Command {
        let legs = std::iter::once(leg(from, Side::Debit, amount, "BRL"))
            .chain(to.map(|to| leg(to, Side::Credit, amount, "BRL")));
        Command::Place(Place {
            id: ChosenId { id: hold, is_callers: true },
            legs: legs.collect(),
            pointers: Pointers::FromTo,
            expires_at: self.overlay.now + Duration::hours(1),
            over_capture_percent,
            description: None,
            metadata: Metadata::new(),
        })
    }

    pub fn later(mut self, by: Duration) -> Self {
        self.overlay.now += by;
        self
    }

    pub fn fresh(&mut self) -> Uuid {
        self.drawn += 1;
        Uuid::from_u128(self.drawn)
    }

    pub fn now(&self) -> Instant {
        self.overlay.now
    }

    /// Decides and, if it may, does it.
    pub fn when(&mut self, command: impl std::borrow::Borrow<Command>) -> Verdict {
        let command = command.borrow();
        let mut loaded = Loaded { known: self.known.clone(), streams: self.streams(), ..Loaded::default() };
        loaded.fold_holds();
        match command.decide(TENANT, &loaded).map_err(|refusal| refusal.code)? {
            Decision::Already(_) => Ok(()),
            Decision::Refuse(refusal, _) => Err(refusal.code),
            Decision::Propose(proposal) => {
                self.propose(&proposal)?;
                self.learn(command);
                Ok(())
            }
        }
    }

    pub fn expire(&mut self, hold: Uuid) -> Verdict {
        let hold = hold::Hold::fold(&self.streams()[&hold]).unwrap();
        self.propose(&capture::expire(&hold).ok_or(RefusalCode::HoldEnded)?)
    }

    /// A fact that no command of the ledger states.
    pub fn fact(&mut self, event: NewEvent) {
        self.propose(&Proposal { events: vec![event], ..Proposal::default() }).unwrap();
    }

    fn propose(&mut self, proposal: &Proposal) -> Verdict {
        let origin = Origin { tenant: TENANT, actor: "spec".into(), correlation: None };
        self.overlay.propose(&origin, proposal).map_err(|stop| match stop {
            Stop::Refused(refusal) | Stop::Short(_, refusal) => refusal.code,
            Stop::Conflict => unreachable!("the world was decided on as it stands"),
        })
    }

    fn learn(&mut self, command: &Command) {
        match command {
            Command::Register(asset) => _ = self.known.assets.insert(asset.code.clone(), asset.scale),
            Command::Open(open) => {
                let id = open.id(TENANT);
                let scale = self.known.assets[&open.asset];
                let number = self.overlay.account(id).unwrap().number;
                let identity = Identity {
                    id,
                    number,
                    name: open.name.clone(),
                    asset: open.asset.clone(),
                    scale,
                    normal_side: open.normal_side,
                };
                self.known.accounts.insert(id, Arc::new(identity));
            }
            _ => {}
        }
    }

    pub fn streams(&self) -> HashMap<Uuid, Vec<Recorded>> {
        let mut streams: HashMap<Uuid, Vec<Recorded>> = HashMap::new();
        for row in &self.overlay.events {
            streams.entry(row.recorded.stream).or_default().push(row.recorded.clone());
        }
        streams
    }

    /// `posted held incoming` of an account, in units of its asset.
    pub fn then(&self, name: &str) -> String {
        let (id, scale) = self.find(name);
        let account = self.overlay.account(id).unwrap();
        [account.posted, account.held, account.incoming].map(|b| b.to_text(scale)).join(" ")
    }

    fn find(&self, name: &str) -> (Uuid, u8) {
        ["BRL", "PTS"]
            .iter()
            .map(|asset| name::account_id(TENANT, name, asset))
            .find_map(|id| self.known.accounts.get(&id).map(|a| (id, a.scale)))
            .unwrap()
    }

    pub fn change(&mut self, name: &str, what: account::What) -> Verdict {
        let (account, _) = self.find(name);
        self.when(Command::Change(account::Change { account, expected: None, what }))
    }

    /// The transaction that was posted last.
    pub fn last_transaction(&self) -> Uuid {
        self.overlay
            .events
            .iter()
            .rev()
            .find(|row| row.recorded.kind == super::event::TRANSACTION_POSTED)
            .unwrap()
            .recorded
            .stream
    }
}

pub(super) fn open(name: &str, asset: &str, normal_side: Side, min: Option<&str>, max: Option<&str>) -> Command {
    Command::Open(account::Open {
        fresh_id: Uuid::nil(),
        name: Some(name.into()),
        asset: asset.into(),
        normal_side,
        min_balance: min.map(Into::into),
        max_balance: max.map(Into::into),
        metadata: Metadata::new(),
    })
}

pub(super) fn leg(account: &str, direction: Side, amount: &str, asset: &str) -> Leg {
    let quantity = if amount == "available" { Quantity::Available } else { Quantity::Exact(amount.into()) };
    Leg { account: AccountRef::Name(account.into()), direction, quantity, asset: asset.into(), expect: None }
}

pub(super) fn transfer(from: &str, to: &str, amount: &str) -> Command {
    post(vec![leg(from, Side::Debit, amount, "BRL"), leg(to, Side::Credit, amount, "BRL")])
}

pub(super) fn post(legs: Vec<Leg>) -> Command {
    static DRAWN: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1_000_000);
    let id = Uuid::from_u128(DRAWN.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into());
    Command::Post(Post {
        id: ChosenId { id, is_callers: false },
        legs,
        pointers: Pointers::Legs,
        effective_at: None,
        description: None,
        metadata: Metadata::new(),
    })
}

pub(super) fn expecting(leg: Leg, after: &str) -> Leg {
    Leg { expect: Some(ExpectText { after: Some(after.into()), ..ExpectText::default() }), ..leg }
}

pub(super) fn reverse(world: &mut World, transaction: Uuid, extent: Extent) -> Verdict {
    let reversal = world.fresh();
    world.when(Command::Reverse(Reverse { transaction, reversal, extent, description: None }))
}

pub(super) fn capture(world: &mut World, hold: Uuid, extent: Extent, to: Option<&str>, is_final: bool) -> Verdict {
    let transaction = world.fresh();
    let to = to.map(|to| AccountRef::Name(to.into()));
    world.when(Command::Capture(Capture {
        hold,
        transaction,
        extent,
        to,
        is_final,
        description: None,
        metadata: Metadata::new(),
    }))
}

pub(super) fn amount(text: &str) -> Extent {
    Extent::Amount(text.into())
}
