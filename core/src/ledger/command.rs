//! The commands of the ledger, and what each must know before it can be decided.

use super::account::{self, Account};
use super::asset;
use super::capture::{self, Capture};
use super::hold::Hold;
use super::known::Known;
use super::placing::{self, Place};
use super::returns::{self, Returns};
use super::reversal::{self, Extent, Reverse, Transaction};
use super::transaction::{self, Leg, Post};
use crate::event_store::overlay::id_taken;
use crate::event_store::{Applied, Decision, EntryAfter, Recorded};
use crate::kernel::{Instant, Refusal, RefusalCode};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use uuid::Uuid;

/// A command; a batch is a list of them.
#[derive(Debug, Clone)]
pub enum Command {
    /// Register an asset.
    Register(asset::Register),
    /// Open an account.
    Open(account::Open),
    /// Change an account's bounds, switches or status.
    Change(account::Change),
    /// Post a transaction.
    Post(Post),
    /// Reverse one.
    Reverse(Reverse),
    /// Place a hold.
    Place(Place),
    /// Capture from it.
    Capture(Capture),
    /// Release what remains.
    Release {
        /// The hold.
        hold: Uuid,
    },
    /// Let it last longer.
    Extend {
        /// The hold.
        hold: Uuid,
        /// The new end.
        expires_at: Instant,
    },
    /// Let it hold more.
    Increment {
        /// The hold.
        hold: Uuid,
        /// How much more.
        extent: Extent,
    },
}

/// A command, and the group of the batch with which it stands or falls.
#[derive(Debug, Clone)]
pub struct Grouped {
    /// What to do.
    pub command: Command,
    /// Consecutive items of one group commit or fail together.
    pub group: Option<Arc<str>>,
}

impl From<Command> for Grouped {
    fn from(command: Command) -> Self {
        Self { command, group: None }
    }
}

/// Everything that was read for a request's commands.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Identities.
    pub known: Known,
    /// The aggregates' events.
    pub streams: HashMap<Uuid, Vec<Recorded>>,
    /// Entries of items that were applied before, by position.
    pub entries: HashMap<i64, Vec<EntryAfter>>,
    /// Holds as the items of this request so far will leave them.
    pub holds: HashMap<Uuid, Hold>,
}

impl Command {
    /// The member that holds it in an item of a batch.
    pub fn member(&self) -> &'static str {
        match self {
            Self::Register(_) => "asset",
            Self::Open(_) | Self::Change(_) => "account",
            Self::Post(_) => "transaction",
            Self::Reverse(_) => "reversal",
            Self::Place(_) => "hold",
            Self::Capture(_) => "capture",
            Self::Release { .. } => "release",
            Self::Extend { .. } => "extension",
            Self::Increment { .. } => "increment",
        }
    }

    /// The aggregate whose past it decides on.
    pub fn aggregate(&self) -> Option<Uuid> {
        match self {
            Self::Change(change) => Some(change.account),
            Self::Reverse(reverse) => Some(reverse.transaction),
            Self::Capture(Capture { hold, .. })
            | Self::Release { hold }
            | Self::Extend { hold, .. }
            | Self::Increment { hold, .. } => Some(*hold),
            Self::Register(_) | Self::Open(_) | Self::Post(_) | Self::Place(_) => None,
        }
    }

    /// A stream beside the aggregate's that it decides on, too.
    pub fn beside(&self, tenant: Uuid) -> Option<Uuid> {
        match self {
            Self::Change(change) if change.what.is_closing() => Some(returns::stream(tenant, change.account)),
            _ => None,
        }
    }

    /// The id that the caller chose for a new stream: it may have been used before.
    pub fn callers_id(&self) -> Option<Uuid> {
        match self {
            Self::Post(Post { id, .. }) | Self::Place(Place { id, .. }) => id.is_callers.then_some(id.id),
            _ => None,
        }
    }

    /// The new stream whose id follows from the request: two commands of a batch may not begin the same one.
    pub fn begins(&self, tenant: Uuid) -> Option<Uuid> {
        match self {
            Self::Open(open) => Some(open.id(tenant)),
            _ => self.callers_id(),
        }
    }

    /// Collects the accounts and assets that it names. `again` adds those that only a repeated
    /// decision must look at: whether a name was taken meanwhile.
    pub fn names(&self, tenant: Uuid, again: bool, accounts: &mut BTreeSet<Uuid>, assets: &mut BTreeSet<String>) {
        match self {
            Self::Register(register) if again => _ = assets.insert(register.code.clone()),
            Self::Open(open) => {
                assets.insert(open.asset.clone());
                if again {
                    accounts.insert(open.id(tenant));
                }
            }
            Self::Post(Post { legs, .. }) | Self::Place(Place { legs, .. }) => {
                for Leg { account, asset, .. } in legs {
                    accounts.insert(account.id(tenant, asset));
                    if !assets.contains(asset) {
                        assets.insert(asset.clone());
                    }
                }
            }
            // Its answer shows the account whole.
            Self::Change(change) => _ = accounts.insert(change.account),
            _ => {}
        }
    }

    /// Decides. `Err` is a request that can never be right, or whose object does not exist: it is not recorded.
    pub fn decide(&self, tenant: Uuid, loaded: &Loaded) -> Result<Decision, Refusal> {
        let known = &loaded.known;
        match self {
            Self::Register(register) => asset::register(register, tenant, known.assets.contains_key(&register.code)),
            Self::Open(open) => account::open(open, tenant, known),
            Self::Change(change) => {
                let beside = returns::stream(tenant, change.account);
                let returns = Returns::fold(beside, loaded.streams.get(&beside).map_or(&[], Vec::as_slice));
                account::change(change, &fold(loaded, change.account, Account::fold)?, &returns)
            }
            Self::Post(post) => match loaded.streams.get(&post.id.id) {
                None => transaction::post(post, tenant, known),
                Some(events) => Ok(already(events, loaded, |first| transaction::is_same(post, tenant, known, first))),
            },
            Self::Place(place) => match loaded.streams.get(&place.id.id) {
                None => placing::place(place, tenant, known),
                Some(events) => Ok(already(events, loaded, |first| placing::is_same(place, tenant, known, first))),
            },
            Self::Reverse(reverse) => {
                let original = fold(loaded, reverse.transaction, Transaction::fold)?;
                match original.bound_to {
                    Some(payment) => Ok(Decision::Refuse(bound("transaction", payment), Vec::new())),
                    None => reversal::reverse(reverse, &original, known),
                }
            }
            Self::Capture(Capture { hold: id, .. })
            | Self::Release { hold: id }
            | Self::Extend { hold: id, .. }
            | Self::Increment { hold: id, .. } => {
                let hold = hold(loaded, *id)?;
                match hold.placed.payment {
                    Some(payment) => Ok(Decision::Refuse(bound("hold", payment), Vec::new())),
                    None => self.decide_on(hold, tenant, known),
                }
            }
        }
    }

    /// Decides about a hold that is nobody's but its own.
    fn decide_on(&self, hold: &Hold, tenant: Uuid, known: &Known) -> Result<Decision, Refusal> {
        match self {
            Self::Capture(command) => capture::capture(command, hold, tenant, known),
            Self::Extend { expires_at, .. } => placing::extend(hold, *expires_at),
            Self::Increment { extent, .. } => placing::increment(hold, extent, known),
            _ => Ok(capture::release(hold)),
        }
    }
}

impl Loaded {
    /// Folds the holds once; later items of a batch see them as the earlier ones leave them.
    pub fn fold_holds(&mut self) {
        self.holds =
            self.streams.values().filter_map(|events| Hold::fold(events)).map(|hold| (hold.id, hold)).collect();
    }

    /// Takes a proposal's effect on holds for granted.
    pub fn assume(&mut self, decision: &Decision) {
        let Decision::Propose(proposal) = decision else { return };
        for event in &proposal.events {
            if let Some(hold) = self.holds.get_mut(&event.stream) {
                // The facts were written a moment ago by this very process.
                let _ = hold.evolve(event.kind, &event.payload);
            }
        }
    }

    /// Accounts of the aggregates' legs.
    pub fn leg_accounts(&self, accounts: &mut BTreeSet<Uuid>) {
        for hold in self.holds.values() {
            accounts.extend(hold.lines.iter().map(|line| line.account));
        }
        for transaction in self.streams.values().filter_map(|events| Transaction::fold(events)) {
            accounts.extend(transaction.moves.iter().map(|m| m.0));
        }
    }

    /// The account that a capture names, which needs the asset of the hold to be resolved.
    pub fn destination(&self, command: &Command, tenant: Uuid) -> Option<Uuid> {
        let Command::Capture(Capture { hold, to: Some(to), .. }) = command else { return None };
        let line = self.holds.get(hold)?.lines.first()?;
        Some(to.id(tenant, &self.known.accounts.get(&line.account)?.asset))
    }
}

/// A payment counts what it holds and moves, so nobody moves it past the payment.
fn bound(what: &str, payment: Uuid) -> Refusal {
    let detail = format!("the {what} belongs to the payment {payment}, which alone ends it or takes it back");
    Refusal::new(RefusalCode::InvalidState, detail)
}

fn not_found() -> Refusal {
    Refusal::new(RefusalCode::NotFound, "there is no such object")
}

fn fold<T>(loaded: &Loaded, id: Uuid, fold: impl Fn(&[Recorded]) -> Option<T>) -> Result<T, Refusal> {
    loaded.streams.get(&id).and_then(|events| fold(events)).ok_or_else(not_found)
}

fn hold(loaded: &Loaded, id: Uuid) -> Result<&Hold, Refusal> {
    loaded.holds.get(&id).ok_or_else(not_found)
}

/// A caller's id was used before: for the same facts it is done already, for others it is taken.
fn already(events: &[Recorded], loaded: &Loaded, is_same: impl Fn(&Recorded) -> bool) -> Decision {
    match events.first() {
        Some(first) if is_same(first) => {
            let entries = loaded.entries.get(&first.position).cloned().unwrap_or_default();
            Decision::Already(Applied { events: vec![first.clone()], entries })
        }
        _ => Decision::Refuse(id_taken(), Vec::new()),
    }
}
