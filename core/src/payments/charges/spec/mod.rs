//! What a charge may become: given / when / then over the real decisions and the writer's own rules, without I/O.

mod machine;
mod money;
mod sequences;

use super::batch::{self, Batches};
use super::capture::Capture;
use super::charge::{Charge, Slot, Status, hold_stream, stream};
use super::confirm::{Bounds, Consent, Drawn, Means};
use super::create::{self, NewCharge, Till};
use super::event::{BatchClosed, CaptureMode, Payee, RefundReason, ReversalReason};
use super::refund::NewRefund;
use super::reverse::{self, Reversal};
use crate::event_store::overlay::{Origin, Overlay, Stop};
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::{Instant, Minor, RefusalCode, name};
use crate::ledger::account::{self, Open, What};
use crate::ledger::capture as ledger;
use crate::ledger::known::{Known, Side};
use crate::ledger::returns::{self, Returns};
use crate::ledger::reversal::Transaction;
use crate::payments::event::Party;
use crate::payments::posting;
use crate::payments::price::Price;
use crate::payments::terms::{Split, Terms};
use chrono::{Duration, TimeDelta};
use std::collections::HashMap;
use uuid::Uuid;

const TENANT: Uuid = Uuid::from_u128(7);
const TERMINAL: Uuid = Uuid::from_u128(8);
const TXID: &str = "0123456789abcdefghijklmnop";

/// What a command came to: whether it is new, or the code of its refusal.
type Verdict = Result<bool, RefusalCode>;

/// One terminal of a service that pays the platform one per cent, one payer with 100.00, and one charge of 10.00.
struct World {
    overlay: Overlay,
    terms: Terms,
    drawn: u128,
}

fn account(name: &str) -> Uuid {
    name::account_id(TENANT, name, "BRL")
}

fn payer() -> Party {
    Party { holder: Uuid::from_u128(9), account: account("payer") }
}

fn given() -> World {
    let noon: Instant = "2026-03-01T12:00:00Z".parse().unwrap();
    let split = Split {
        name: "platform".into(),
        account: account("platform"),
        price: Price { fixed: Minor::ZERO, basis_points: 100 },
    };
    let terms = Terms { splits: vec![split], over_capture_percent: 20, ..Terms::default() };
    let mut world = World { overlay: Overlay::new(noon, 0, HashMap::new(), HashMap::new()), terms, drawn: 100 };
    let known = Known { assets: [("BRL".to_owned(), 2)].into(), ..Known::default() };
    for (name, min) in [("bank", None), ("payer", Some("0")), ("service", Some("0")), ("platform", Some("0"))] {
        let open = Open {
            fresh_id: Uuid::nil(),
            name: Some(name.into()),
            asset: "BRL".into(),
            normal_side: Side::Credit,
            min_balance: min.map(Into::into),
            max_balance: None,
            metadata: crate::kernel::Metadata::new(),
        };
        world.does(account::open(&open, TENANT, &known).unwrap()).unwrap();
    }
    world.moves("bank", "payer", 10_000);
    world
}

impl World {
    fn later(mut self, by: TimeDelta) -> Self {
        self.overlay.now += by;
        self
    }

    fn terms(mut self, change: impl FnOnce(&mut Terms)) -> Self {
        change(&mut self.terms);
        self
    }

    fn moves(&mut self, from: &str, to: &str, units: i128) {
        let party = Party { holder: Uuid::nil(), account: account(to) };
        let moves = posting::refunded(account(from), party, Minor::new(units));
        let (id, payment) = (self.fresh(), self.fresh());
        let events = vec![posting::transaction(id, payment, moves)];
        self.does(Decision::Propose(Proposal { events, ..Proposal::default() })).unwrap();
    }

    fn fresh(&mut self) -> Uuid {
        self.drawn += 1;
        Uuid::from_u128(self.drawn)
    }

    fn id() -> Uuid {
        stream(TENANT, TERMINAL, TXID)
    }

    fn events(&self, streams: &[Uuid]) -> Vec<Recorded> {
        let rows = self.overlay.events.iter().map(|row| &row.recorded);
        rows.filter(|recorded| streams.contains(&recorded.stream)).cloned().collect()
    }

    fn slot(&self) -> Slot {
        Slot::fold(Self::id(), &self.events(&[Self::id(), hold_stream(TENANT, Self::id())])).unwrap()
    }

    fn charge(&self) -> Result<Charge, RefusalCode> {
        self.slot().charge().map_err(|refusal| refusal.code)
    }

    fn status(&self) -> &'static str {
        match self.slot() {
            Slot::Free(_) => "unknown",
            Slot::Tombstone(_) => Status::Reversed.as_str(),
            Slot::Charge(charge) => charge.status(self.overlay.now).as_str(),
        }
    }

    fn drawn(&mut self) -> Drawn {
        let batches = batch::stream(TENANT, TERMINAL);
        let batch = Batches::fold(batches, self.events(&[batches])).current;
        Drawn { tenant: TENANT, transaction: self.fresh(), batch }
    }

    /// Does what the writer would: what is decided on must still be so, and what is refused may have another way.
    fn does(&mut self, decision: Decision) -> Verdict {
        let origin = Origin { tenant: TENANT, actor: "spec".into(), correlation: None };
        let proposal = match decision {
            Decision::Already(_) => return Ok(false),
            Decision::Refuse(refusal, seen) => {
                for seen in seen {
                    self.overlay.require_version(&origin, seen.stream, seen.version).unwrap();
                }
                return Err(refusal.code);
            }
            Decision::Propose(proposal) => proposal,
        };
        let mut last = RefusalCode::NotFound;
        let mut next = Some(&proposal);
        while let Some(proposal) = next {
            match self.overlay.propose(&origin, proposal) {
                Ok(()) => return Ok(true),
                Err(Stop::Refused(refusal) | Stop::Short(_, refusal)) => last = refusal.code,
                Err(Stop::Conflict) => panic!("the world was decided on as it stands"),
            }
            next = proposal.otherwise.as_deref();
        }
        Err(last)
    }

    fn asks(&mut self, amount: &str, capture: CaptureMode) -> Verdict {
        let new = NewCharge {
            txid: TXID.into(),
            amount: amount.into(),
            asset: "BRL".into(),
            capture,
            open_seconds: 300,
            reference: None,
            operator: None,
            shift: None,
            seq: 1,
            is_repeat: false,
        };
        new.check().map_err(|refusal| refusal.code)?;
        let service = Payee { id: Uuid::from_u128(6), label: "Bus 12".into(), account: account("service") };
        let till = Till { terminal: TERMINAL, service, terms: self.terms.clone() };
        let facts = new.facts(&till, 2, Minor::parse_amount(amount, 2).unwrap());
        let decision = create::create(&self.slot(), &facts).map_err(|refusal| refusal.code)?;
        self.does(decision)
    }

    fn confirms(&mut self) -> Verdict {
        let consent = Consent { payer: payer(), by: Means::Device(Uuid::from_u128(5)), now: self.overlay.now };
        let (charge, drawn) = (self.charge()?, self.drawn());
        self.does(charge.confirm(&consent, Bounds::default(), &drawn))
    }

    fn captures(&mut self, amount: Option<&str>, is_final: bool) -> Verdict {
        let command = Capture { amount: amount.map(|text| (text.into(), "BRL".into())), is_final };
        let (charge, drawn) = (self.charge()?, self.drawn());
        let decision = charge.capture(&command, &drawn).map_err(|refusal| refusal.code)?;
        self.does(decision)
    }

    fn cancels(&mut self) -> Verdict {
        let decision = self.charge()?.cancel();
        self.does(decision)
    }

    /// The ledger's clock, when it finds the hold.
    fn expires(&mut self) -> Verdict {
        let hold = self.charge().ok().and_then(|charge| charge.hold).ok_or(RefusalCode::NotFound)?;
        let proposal = ledger::expire(&hold).ok_or(RefusalCode::HoldEnded)?;
        self.does(Decision::Propose(proposal))
    }

    fn reverses(&mut self) -> Verdict {
        let command = Reversal { txid: TXID.into(), reason: ReversalReason::Timeout, seq: 2 };
        let slot = self.slot();
        let captured = match &slot {
            Slot::Charge(charge) => charge
                .captures
                .iter()
                .map(|(captured, _)| {
                    let original = Transaction::fold(&self.events(&[captured.transaction])).unwrap();
                    (original, Uuid::from_u128(captured.transaction.as_u128() + (1 << 64)))
                })
                .collect(),
            _ => Vec::new(),
        };
        let drawn = self.drawn();
        self.does(reverse::reverse(&slot, &command, TERMINAL, &captured, &drawn))
    }

    fn refunds(&mut self, number: usize, amount: &str) -> Verdict {
        let id = format!("{TXID}{number}");
        let command = NewRefund { id, amount: amount.into(), asset: "BRL".into(), reason: RefundReason::Customer };
        let (charge, drawn) = (self.charge()?, self.drawn());
        let decision = charge.give_back(&command, &drawn).map_err(|refusal| refusal.code)?;
        self.does(decision)
    }

    fn closes(&mut self) -> Verdict {
        let batches = batch::stream(TENANT, TERMINAL);
        let batches = Batches::fold(batches, self.events(&[batches]));
        let facts = BatchClosed { terminal: TERMINAL, number: batches.open(), counted: Vec::new(), last_seq: 9 };
        self.does(batches.close(&facts).unwrap())
    }

    fn freezes(&mut self, name: &str, what: What) {
        let folded = account::Account::fold(&self.events(&[account(name)])).unwrap();
        let change = account::Change { account: account(name), expected: None, what };
        let returns = Returns::fold(returns::stream(TENANT, account(name)), &[]);
        self.does(account::change(&change, &folded, &returns).unwrap()).unwrap();
    }

    /// `posted held incoming` of an account.
    fn has(&self, name: &str) -> String {
        let state = self.overlay.account(account(name)).unwrap();
        [state.posted, state.held, state.incoming].map(|balance| balance.to_text(2)).join(" ")
    }
}

/// A charge of 10.00 that waits for its payer.
fn created(capture: CaptureMode) -> World {
    let mut world = given();
    assert_eq!(world.asks("10.00", capture), Ok(true));
    world
}

/// One whose payer's money is held.
fn authorised() -> World {
    let mut world = created(CaptureMode::Manual);
    assert_eq!(world.confirms(), Ok(true));
    world
}

/// One that was captured at once.
fn captured() -> World {
    let mut world = created(CaptureMode::Auto);
    assert_eq!(world.confirms(), Ok(true));
    world
}

fn day() -> TimeDelta {
    Duration::hours(24)
}
