//! What a top-up and a withdrawal may become, in one line each.

use super::topup::{self, TopUp};
use super::withdrawal::{self, Passes, Withdrawal};
use super::{Direction, Funding, FundingAdapter, Simulator, named};
use crate::access::settings::LegalMode;
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::{Instant, Minor, RefusalCode};
use crate::ledger::returns::{self, MOST, Returns};
use crate::payments::confirm::{Confirm, OPEN_FOR};
use crate::payments::event::{Party, Rejection, Stranding, TopUpRequested, WithdrawalRequested};
use crate::payments::limits::{Device, Limits};
use chrono::TimeDelta;
use chrono_tz::America::Sao_Paulo;
use uuid::Uuid;

const TENANT: Uuid = Uuid::from_u128(1);
const ID: Uuid = Uuid::from_u128(2);
const OWNER: Party = Party { holder: Uuid::from_u128(3), account: Uuid::from_u128(4) };
const PASSES: Passes = Passes { withdrawals: Uuid::from_u128(5), issued: Uuid::from_u128(6) };
const MOVED: Uuid = Uuid::from_u128(7);

fn at(minutes: i64) -> Instant {
    "2026-03-01T12:00:00Z".parse::<Instant>().unwrap() + TimeDelta::minutes(minutes)
}

fn proposed(decision: Decision) -> Proposal {
    let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
    proposal
}

/// The order's own stream, a minute further with each decision.
fn recorded(decisions: Vec<Decision>) -> Vec<Recorded> {
    let own = |(minutes, decision)| {
        let own = proposed(decision).events.into_iter().filter(|event| event.stream == ID);
        own.map(move |event| event.recorded(TENANT, at(minutes)))
    };
    (0..).zip(decisions).flat_map(own).collect()
}

fn moves(decision: Decision) -> Vec<(Uuid, i128)> {
    let proposal = proposed(decision);
    assert!(proposal.events[0].moves.is_empty(), "a fact moves nothing, its transaction does");
    proposal.events[1].moves.iter().map(|m| (m.account, m.posted.units())).collect()
}

fn wanted() -> TopUpRequested {
    TopUpRequested {
        owner: OWNER,
        method: "simulated".into(),
        asset: "BRL".into(),
        scale: 2,
        amount: Minor::new(1_250),
        reference: "r-1".into(),
        instructions: "send it".into(),
        open_seconds: 600,
    }
}

fn top_up(is_credited: bool) -> TopUp {
    let asked = recorded(vec![topup::request(ID, TENANT, &wanted())]);
    if !is_credited {
        return TopUp::fold(&asked).unwrap();
    }
    let credit = TopUp::fold(&asked).unwrap().credit(MOVED, PASSES.issued);
    TopUp::fold(&recorded(vec![topup::request(ID, TENANT, &wanted()), credit])).unwrap()
}

fn asked() -> Decision {
    let (method, asset, nonce) = ("simulated".into(), "BRL".into(), "n-1".into());
    let amount = Minor::new(1_250);
    withdrawal::request(ID, &WithdrawalRequested { owner: OWNER, method, asset, scale: 2, amount, nonce })
}

fn requested() -> Withdrawal {
    Withdrawal::fold(&recorded(vec![asked()])).unwrap()
}

/// What may come back to the owner's account.
fn returning(pending: &[Uuid]) -> Returns {
    let own = returns::stream(TENANT, OWNER.account);
    let mut events = Vec::new();
    for id in pending {
        let began = Returns::fold(own, &events).with(*id).unwrap();
        events.push(began.recorded(TENANT, at(0)));
    }
    Returns::fold(own, &events)
}

fn approve(withdrawal: &Withdrawal, is_trusted: bool) -> Decision {
    let limits = Limits::fold(Uuid::from_u128(8), &[], 2);
    let device = Device { id: Uuid::from_u128(9), is_trusted };
    let by = Confirm { intent: ID, holder: OWNER.holder, device, zone: Sao_Paulo, now: at(1) };
    withdrawal.approve(TENANT, MOVED, PASSES.withdrawals, (&limits, &returning(&[])), &by)
}

fn approved() -> Withdrawal {
    Withdrawal::fold(&recorded(vec![asked(), approve(&requested(), true)])).unwrap()
}

fn ended(decide: impl Fn(&Withdrawal) -> Decision) -> Withdrawal {
    Withdrawal::fold(&recorded(vec![asked(), approve(&requested(), true), decide(&approved())])).unwrap()
}

#[test]
fn money_that_comes_is_created_against_what_backs_it_and_only_in_time() {
    assert_eq!(moves(top_up(false).credit(MOVED, PASSES.issued)), [(PASSES.issued, 1_250), (OWNER.account, 1_250)]);
    let (end, refusal) = proposed(top_up(false).credit(MOVED, PASSES.issued)).until.unwrap();
    assert_eq!((end, refusal.code), (at(10), RefusalCode::ChargeExpired));
}

#[test]
fn a_top_up_is_credited_once_and_ends_by_itself() {
    let status = |top_up: TopUp, minutes| top_up.status(at(minutes)).as_str();
    assert_eq!([status(top_up(false), 9), status(top_up(false), 10)], ["awaiting_funds", "expired"]);
    assert_eq!(status(top_up(true), 10), "credited");
    assert!(matches!(top_up(true).credit(MOVED, PASSES.issued), Decision::Already(_)));
}

#[test]
fn money_that_can_be_nobodys_ends_a_top_up_and_moves_nothing() {
    let strand = top_up(false).strand(Stranding::AccountClosed);
    assert!(proposed(strand.clone()).events.iter().all(|event| event.moves.is_empty()));
    let stranded = TopUp::fold(&recorded(vec![topup::request(ID, TENANT, &wanted()), strand])).unwrap();
    assert_eq!((stranded.status(at(1)).as_str(), stranded.stranded), ("unclaimed", Some(Stranding::AccountClosed)));
    assert!(matches!(stranded.credit(MOVED, PASSES.issued), Decision::Already(_)));
    assert!(matches!(top_up(true).strand(Stranding::TooLate), Decision::Already(_)), "what was credited stays so");
}

#[test]
fn what_is_on_its_way_is_known_beside_the_account_until_it_has_ended() {
    let beside = |decision: Decision| {
        let proposal = proposed(decision);
        let told = proposal.events.into_iter().find(|event| event.stream == returns::stream(TENANT, OWNER.account));
        told.map(|event| (event.expected, event.payload))
    };
    let began = format!(r#"{{"pending":["{ID}"]}}"#);
    assert_eq!(beside(approve(&requested(), true)), Some((0, began)));
    let pay = |returns: &Returns| approved().pay(MOVED, "r-1".into(), PASSES, returns);
    assert_eq!(beside(pay(&returning(&[ID]))), Some((1, r#"{"pending":[]}"#.to_owned())));
    assert_eq!(beside(pay(&returning(&[]))), None, "what was approved before this was known ends all the same");
    assert!(returning(&[]).none().is_ok());
    assert_eq!(returning(&[ID]).none().unwrap_err().0.code, RefusalCode::InvalidState);
    let many: Vec<Uuid> = (0..MOST).map(|number| Uuid::from_u128(100 + number as u128)).collect();
    assert_eq!(returning(&many).with(ID).unwrap_err().0.code, RefusalCode::InvalidState);
}

#[test]
fn a_promise_and_the_job_that_follows_it_are_one_commit() {
    for decision in [topup::request(ID, TENANT, &wanted()), approve(&requested(), true)] {
        let asks = proposed(decision).personal.unwrap().asks;
        assert_eq!((asks.len(), asks[0].key.clone()), (1, ID.to_string()));
    }
    assert!(proposed(asked()).personal.is_none(), "what nobody approved is not followed");
}

#[test]
fn the_owner_signs_the_withdrawal_itself() {
    let said = String::from_utf8(requested().said()).unwrap();
    let expected = r#"{"amount":"12.50","asset":"BRL","intent_id":"00000000-0000-0000-0000-000000000002","nonce":"n-1","payee":"00000000-0000-0000-0000-000000000002"}"#;
    assert_eq!(said, expected);
}

#[test]
fn an_approval_puts_the_amount_aside_and_counts_it() {
    let proposal = proposed(approve(&requested(), true));
    assert_eq!(proposal.counts.iter().map(|count| count.delta.units()).collect::<Vec<_>>(), [1_250; 3]);
    assert_eq!(proposal.until.unwrap().0, at(0) + OPEN_FOR);
    assert_eq!(moves(approve(&requested(), true)), [(OWNER.account, -1_250), (PASSES.withdrawals, 1_250)]);
    assert_eq!(proposed(approve(&requested(), false)).counts.len(), 4, "a new device counts besides");
}

#[test]
fn it_is_approved_once_and_not_after_its_time() {
    assert_eq!(requested().status(at(0)).as_str(), "requires_confirmation");
    assert_eq!(requested().status(at(10)).as_str(), "expired");
    assert_eq!(approved().status(at(99)).as_str(), "approved");
    let Decision::Refuse(refusal, expects) = approve(&approved(), true) else { panic!() };
    assert_eq!((refusal.code, expects[0].version), (RefusalCode::ChargeAlreadyPaid, 2));
}

#[test]
fn what_is_paid_goes_out_of_being_and_what_is_rejected_comes_back() {
    let returns = returning(&[ID]);
    let pay = |withdrawal: &Withdrawal| withdrawal.pay(MOVED, "r-1".into(), PASSES, &returns);
    let reject = |withdrawal: &Withdrawal| withdrawal.reject(MOVED, Rejection::RefusedByBank, PASSES, &returns);
    assert_eq!(moves(pay(&approved())), [(PASSES.withdrawals, -1_250), (PASSES.issued, -1_250)]);
    assert_eq!(moves(reject(&approved())), [(PASSES.withdrawals, -1_250), (OWNER.account, 1_250)]);
    assert_eq!([ended(pay).status(at(9)).as_str(), ended(reject).status(at(9)).as_str()], ["paid", "rejected"]);
    // It ends once, whoever comes second.
    for decision in [pay(&ended(reject)), reject(&ended(pay)), pay(&ended(pay))] {
        assert!(matches!(decision, Decision::Already(_)), "{decision:?}");
    }
}

#[test]
fn one_kind_of_stream_is_not_read_as_the_other() {
    assert!(Withdrawal::fold(&recorded(vec![topup::request(ID, TENANT, &wanted())])).is_none());
    assert!(TopUp::fold(&recorded(vec![asked()])).is_none() && TopUp::fold(&[]).is_none());
    assert_eq!([top_up(false).order().direction, requested().order().direction], [Direction::In, Direction::Out]);
}

#[test]
fn only_sandboxes_play_unless_the_installation_does() {
    for (funding, mode, expected) in [
        (Funding::Sandboxes, Some(LegalMode::Sandbox), true),
        (Funding::Sandboxes, Some(LegalMode::Authorised), false),
        (Funding::Sandboxes, None, false),
        (Funding::Simulated, None, true),
        (Funding::Simulated, Some(LegalMode::LimitedPurpose), true),
    ] {
        assert_eq!(funding.of(mode).is_some(), expected, "{funding:?} {mode:?}");
    }
    assert!(named(Simulator.name()).is_some() && named("pix").is_none());
}
