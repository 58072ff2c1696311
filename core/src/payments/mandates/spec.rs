//! Given, when, then: the mandates of a person as their stream decides them.

use super::book::{Mandates, State};
use super::event::MandateRequested;
use crate::event_store::{Decision, Recorded};
use crate::kernel::window::Period;
use crate::kernel::{Instant, Minor, RefusalCode};
use crate::payments::confirm::OPEN_FOR;
use crate::payments::event::Party;
use chrono::TimeDelta;
use chrono_tz::America::Sao_Paulo;
use uuid::Uuid;

const STREAM: Uuid = Uuid::from_u128(1);
const BUS: Uuid = Uuid::from_u128(2);
const MANDATE: Uuid = Uuid::from_u128(3);
const ANA: Party = Party { holder: Uuid::from_u128(4), account: Uuid::from_u128(5) };
const DEVICE: Uuid = Uuid::from_u128(6);

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn wanted(mandate: Uuid) -> MandateRequested {
    MandateRequested {
        mandate,
        payer: ANA,
        service: BUS,
        label: "Ônibus Centro".into(),
        asset: "BRL".into(),
        scale: 2,
        cap: Minor::new(10_000),
        per_payment: Some(Minor::new(600)),
        period: Period::Week,
        nonce: "n-1".into(),
    }
}

fn fold(history: &[Recorded]) -> Mandates {
    Mandates::fold(STREAM, history).unwrap()
}

fn happen(history: &mut Vec<Recorded>, decision: Decision) {
    let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
    history.extend(proposal.events.into_iter().map(|event| event.recorded(Uuid::nil(), now())));
}

fn requested() -> Vec<Recorded> {
    let mut history = Vec::new();
    happen(&mut history, fold(&[]).request(&wanted(MANDATE), now()));
    history
}

fn active() -> Vec<Recorded> {
    let mut history = requested();
    let mandates = fold(&history);
    happen(&mut history, mandates.activate(mandates.get(MANDATE).unwrap(), DEVICE));
    history
}

fn refused(mandates: &Mandates, mandate: Uuid, service: Uuid, asset: &str, amount: i128) -> RefusalCode {
    mandates.cover(mandate, (service, asset, Minor::new(amount)), Sao_Paulo).unwrap_err().0.code
}

#[test]
fn its_owner_signs_what_they_were_told() {
    let said = |history: &[Recorded]| String::from_utf8(fold(history).all[0].said()).unwrap();
    let expected = r#"{"amount":"100.00","asset":"BRL","intent_id":"00000000-0000-0000-0000-000000000003","nonce":"n-1","payee":"00000000-0000-0000-0000-000000000002","per_payment":"6.00","period":"week"}"#;
    assert_eq!(said(&requested()), expected);
    let mut plain = Vec::new();
    happen(&mut plain, fold(&[]).request(&MandateRequested { per_payment: None, ..wanted(MANDATE) }, now()));
    assert_eq!(said(&plain), expected.replace(r#""per_payment":"6.00","#, ""));
}

#[test]
fn one_that_nobody_consented_to_covers_nothing() {
    let mandates = fold(&requested());
    assert_eq!(refused(&mandates, MANDATE, BUS, "BRL", 1), RefusalCode::InvalidState);
    assert!(mandates.covering(BUS, "BRL", Minor::new(1)).is_none());
    assert_eq!(mandates.all[0].status(now()), "requested");
    assert_eq!(mandates.all[0].status(now() + OPEN_FOR), "expired");
    let Decision::Propose(proposal) = mandates.activate(&mandates.all[0], DEVICE) else { panic!() };
    let (until, refusal) = proposal.until.unwrap();
    assert_eq!((until, refusal.code), (now() + OPEN_FOR, RefusalCode::ChargeExpired));
}

#[test]
fn an_active_one_covers_its_service_up_to_what_it_says() {
    let mandates = fold(&active());
    let covered = mandates.cover(MANDATE, (BUS, "BRL", Minor::new(600)), Sao_Paulo).unwrap();
    assert_eq!((covered.count.account, covered.count.maximum), (ANA.account, Minor::new(10_000)));
    assert_eq!((covered.expects.stream, covered.expects.version), (STREAM, 2));
    let key = covered.count.window.key(now(), Sao_Paulo).unwrap();
    assert_eq!(key, format!("mandate:{MANDATE}:week:2026-W09"));
    assert_eq!(refused(&mandates, MANDATE, BUS, "BRL", 601), RefusalCode::LimitExceeded);
    assert_eq!(refused(&mandates, MANDATE, DEVICE, "BRL", 1), RefusalCode::InvalidState);
    assert_eq!(refused(&mandates, MANDATE, BUS, "USD", 1), RefusalCode::InvalidState);
    assert_eq!(refused(&mandates, DEVICE, BUS, "BRL", 1), RefusalCode::InvalidState);
    assert!(mandates.covering(BUS, "BRL", Minor::new(600)).is_some());
    assert!(mandates.covering(BUS, "BRL", Minor::new(601)).is_none());
}

#[test]
fn one_that_was_revoked_covers_nothing_and_is_not_confirmed_again() {
    for mut history in [requested(), active()] {
        let mandates = fold(&history);
        happen(&mut history, mandates.revoke(mandates.get(MANDATE).unwrap()));
        let mandates = fold(&history);
        assert_eq!(mandates.all[0].state, State::Revoked(now()));
        assert_eq!(refused(&mandates, MANDATE, BUS, "BRL", 1), RefusalCode::InvalidState);
        let Decision::Refuse(refusal, _) = mandates.activate(&mandates.all[0], DEVICE) else { panic!() };
        assert_eq!(refusal.code, RefusalCode::InvalidState);
    }
}

#[test]
fn there_are_only_so_many_and_those_that_are_over_do_not_count() {
    let mut history = Vec::new();
    let ask =
        |history: &[Recorded], number: u128, at| fold(history).request(&wanted(Uuid::from_u128(100 + number)), at);
    for number in 0..20 {
        let decision = ask(&history, number, now());
        happen(&mut history, decision);
    }
    let Decision::Refuse(refusal, _) = ask(&history, 20, now()) else { panic!() };
    assert_eq!(refusal.code, RefusalCode::InvalidState);
    assert!(matches!(ask(&history, 20, now() + OPEN_FOR + TimeDelta::seconds(1)), Decision::Propose(_)));
}
