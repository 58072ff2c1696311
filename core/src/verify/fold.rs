//! The log folded by the rules of the ledger: balances, settings, holds, sums.

use super::account::{Account, Accounts, EventFacts, Moved};
use super::counters::CountSum;
use super::holds::Holds;
use super::report::{Findings, Rule, Subject};
use crate::event_store::check;
use crate::event_store::legs::{Leg, Legs};
use crate::event_store::proposal::{EntryKind, Move, Recorded, Status};
use crate::kernel::Minor;
use crate::ledger::event::{self, AccountChanged, AccountOpened, AssetRegistered};
use crate::ledger::known::Side;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A tenant's asset.
#[derive(Debug)]
struct Asset {
    tenant: Uuid,
    code: String,
    scale: u8,
}

/// Everything folded so far.
#[derive(Debug, Default)]
pub struct Fold {
    /// Accounts with their balances.
    pub accounts: Accounts,
    /// What the events counted.
    pub counted: CountSum,
    assets: Vec<Asset>,
    by_code: HashMap<(Uuid, String), u32>,
    holds: Holds,
}

/// The moves of an event as numbers; `None` when one is not a number of 64 bits.
pub fn moves(legs: &Legs<'_>) -> Option<Vec<Moved>> {
    let parse = |(account, posted, held, incoming): &Leg<'_>| {
        Some(Moved {
            account: *account,
            posted: posted.parse().ok()?,
            held: held.parse().ok()?,
            incoming: incoming.parse().ok()?,
        })
    };
    legs.moves.iter().map(parse).collect()
}

impl Fold {
    /// Folds the next event.
    pub fn event(&mut self, event: &Recorded, findings: &mut Findings) {
        let read = Legs::read(&event.payload).ok().and_then(|legs| Some((moves(&legs)?, legs)));
        let Some((moves, legs)) = read else {
            return findings.add(Rule::Payload, Subject::Event(event.position), "has a payload that cannot be read");
        };
        let known = match &*event.kind {
            event::ASSET_REGISTERED => self.register(event, findings),
            event::ACCOUNT_OPENED => self.open(event, findings),
            event::ACCOUNT_CHANGED => self.change(event, findings),
            _ => Some(()),
        };
        if known.is_none() {
            findings.add(
                Rule::Payload,
                Subject::Event(event.position),
                format!("is no {} that can be read", event.kind),
            );
        }
        self.holds.event(event, &moves, findings);
        if !moves.is_empty() {
            self.balance(event, &moves, findings);
            self.apply(event, &moves, findings);
        }
        for (account, key, delta) in &legs.counts {
            self.counted.add(event.position, *account, key, delta);
        }
    }

    fn register(&mut self, event: &Recorded, findings: &mut Findings) -> Option<()> {
        let facts: AssetRegistered = serde_json::from_str(&event.payload).ok()?;
        let index = u32::try_from(self.assets.len()).ok()?;
        if self.by_code.insert((event.tenant, facts.code.clone()), index).is_some() {
            findings.add(Rule::Payload, Subject::Event(event.position), format!("registers {} again", facts.code));
        }
        self.assets.push(Asset { tenant: event.tenant, code: facts.code, scale: facts.scale });
        Some(())
    }

    fn open(&mut self, event: &Recorded, findings: &mut Findings) -> Option<()> {
        let facts: AccountOpened = serde_json::from_str(&event.payload).ok()?;
        let subject = || Subject::Event(event.position);
        let asset = self.by_code.get(&(event.tenant, facts.asset.clone())).copied();
        let Some(asset) = asset.filter(|index| self.assets[*index as usize].scale == facts.scale) else {
            findings.add(
                Rule::Payload,
                subject(),
                format!("opens an account in {} at scale {}, which is not registered so", facts.asset, facts.scale),
            );
            return Some(());
        };
        let settings = facts.settings;
        let account = Account {
            id: event.stream,
            tenant: event.tenant,
            digest: [0; 16],
            number: event.position,
            version: 0,
            position: event.position,
            posted: 0,
            held: 0,
            incoming: 0,
            min: bound(settings.min_balance)?,
            max: bound(settings.max_balance)?,
            settings_version: event.version,
            asset,
            scale: facts.scale,
            side: facts.normal_side,
            sends: settings.sends,
            receives: settings.receives,
            status: settings.status,
        };
        if !self.accounts.open(account) {
            findings.add(Rule::Payload, subject(), format!("opens account {} again", event.stream));
        }
        Some(())
    }

    fn change(&mut self, event: &Recorded, findings: &mut Findings) -> Option<()> {
        let facts: AccountChanged = serde_json::from_str(&event.payload).ok()?;
        let (min, max) = (bound(facts.min_balance)?, bound(facts.max_balance)?);
        let Some(account) = self.accounts.by_id_mut(event.stream) else {
            findings.add(Rule::Payload, Subject::Event(event.position), "changes an account that was not opened");
            return Some(());
        };
        if account.status == Status::Closed {
            findings.add(Rule::Bound, Subject::Event(event.position), "changes an account that was closed");
        }
        let is_empty = check::empty(Some(&account.state())).is_ok();
        if facts.status == Status::Closed && !is_empty {
            findings.add(
                Rule::Bound,
                Subject::Event(event.position),
                "closes an account whose balances are not all zero",
            );
        }
        *account = Account {
            min,
            max,
            sends: facts.sends,
            receives: facts.receives,
            status: facts.status,
            settings_version: event.version,
            ..*account
        };
        Some(())
    }

    /// Debits equal credits per asset; what is set aside with a destination does so too.
    fn balance(&self, event: &Recorded, moves: &[Moved], findings: &mut Findings) {
        let mut sums: BTreeMap<u32, (i128, i128)> = BTreeMap::new();
        for moved in moves {
            let Some(account) = self.accounts.by_id(moved.account) else { continue };
            let sign = if account.side == Side::Debit { 1 } else { -1 };
            let (posted, aside) = sums.entry(account.asset).or_default();
            *posted += sign * i128::from(moved.posted);
            *aside += sign * (i128::from(moved.incoming) - i128::from(moved.held));
        }
        let sets_aside = matches!(&*event.kind, event::HOLD_PLACED | event::HOLD_INCREMENTED) && moves.len() > 1;
        for (asset, (posted, aside)) in sums {
            let code = &self.assets[asset as usize].code;
            if posted != 0 {
                findings.add(
                    Rule::Balance,
                    Subject::Event(event.position),
                    format!("does not balance: debits and credits in {code} differ by {posted} minor units"),
                );
            }
            if sets_aside && aside != 0 {
                findings.add(
                    Rule::Balance,
                    Subject::Event(event.position),
                    format!("does not balance: what it sets aside in {code} differs by {aside} minor units"),
                );
            }
        }
    }

    fn apply(&mut self, event: &Recorded, moves: &[Moved], findings: &mut Findings) {
        let subject = || Subject::Event(event.position);
        let Some(kind) = event::entry_kind(&event.kind, &event.payload) else {
            return findings.add(Rule::Payload, subject(), format!("moves money, which no {} does", event.kind));
        };
        let facts = EventFacts { position: event.position, tenant: event.tenant, effective_at: event.effective_at };
        for moved in moves {
            let Some(account) = self.accounts.by_id_mut(moved.account).filter(|account| account.tenant == event.tenant)
            else {
                findings.add(
                    Rule::Payload,
                    subject(),
                    format!("moves money of account {}, which its tenant does not have", moved.account),
                );
                continue;
            };
            if account.position == event.position {
                findings.add(Rule::Payload, subject(), format!("moves account {} twice", moved.account));
            }
            if let Some(broken) = broken_rule(account, moved, kind) {
                findings.add(
                    Rule::Bound,
                    subject(),
                    format!("could not have been allowed on account {}: {broken}", moved.account),
                );
            }
            if account.fold(moved, kind, &facts).is_none() {
                findings.add(Rule::Payload, subject(), format!("leads account {} out of 64 bits", moved.account));
            } else if account.held < 0 || account.incoming < 0 {
                findings.add(
                    Rule::Hold,
                    subject(),
                    format!("returns more on account {} than was set aside", moved.account),
                );
            }
        }
    }

    /// At the end: no money came from nowhere, and no capture is left without its transaction.
    pub fn check_totals(&self, findings: &mut Findings) {
        let mut sums = vec![0i128; self.assets.len()];
        for account in self.accounts.iter() {
            let posted = i128::from(account.posted);
            sums[account.asset as usize] += if account.side == Side::Debit { posted } else { -posted };
        }
        for (asset, sum) in self.assets.iter().zip(sums).filter(|(_, sum)| *sum != 0) {
            findings.add(
                Rule::Total,
                Subject::Asset(asset.tenant, asset.code.clone()),
                format!("does not balance: debits and credits differ by {sum} minor units"),
            );
        }
        self.holds.check_pending(None, findings);
    }
}

/// The writer's own rule that a move breaks.
fn broken_rule(account: &Account, moved: &Moved, kind: EntryKind) -> Option<String> {
    let movement = Move {
        account: moved.account,
        held: Minor::from_bigint(moved.held),
        incoming: Minor::from_bigint(moved.incoming),
        unchecked: matches!(kind, EntryKind::Release | EntryKind::Expiry),
        ..Move::default()
    };
    check::movement(&account.state(), &movement, Minor::from_bigint(moved.posted)).err().map(|refusal| refusal.detail)
}

/// `None` for a bound that the database could not keep.
#[expect(
    clippy::option_option,
    reason = "the outer one is whether it can be read, the inner one whether there is a bound"
)]
fn bound(facts: Option<Minor>) -> Option<Option<i64>> {
    facts.map(|minor| i64::try_from(minor.units())).transpose().ok()
}
