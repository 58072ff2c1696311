//! What a citizen's stream says and what may become of it, in one line each.

use chrono::TimeDelta;
use uuid::Uuid;

use super::citizen::{Begin, COOLING_OFF, Citizen, DEVICES, end_session, owner_of_session, register, sign_in, stream};
use super::event::{self, CitizenRegistered, ContactKind, DeviceKey, Ending, Secret};
use crate::access::ProofKey;
use crate::event_store::proposal::NewEvent;
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::{Instant, RefusalCode};

const TENANT: Uuid = Uuid::from_u128(1);
const ANA: Uuid = Uuid::from_u128(2);

fn at(minutes: i64) -> Instant {
    "2026-03-01T12:00:00Z".parse::<Instant>().unwrap() + TimeDelta::minutes(minutes)
}

/// A key of Ed25519 that differs by its number.
fn key(number: u8) -> ProofKey {
    use base64::Engine as _;
    let x = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([number; 32]);
    ProofKey::from_jwk(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#)).unwrap()
}

fn begin(device: u128) -> Begin {
    Begin { session: Uuid::from_u128(900 + device), device: Uuid::from_u128(device) }
}

fn record(event: NewEvent, minutes: i64) -> Recorded {
    event.recorded(TENANT, at(minutes))
}

/// The citizen's own stream after a registration and some decisions, a minute apart.
fn given(decisions: &[&dyn Fn(&Citizen) -> Decision]) -> Citizen {
    let device = DeviceKey { device: Uuid::from_u128(10), key: key(10).jwk() };
    let says = CitizenRegistered { holder: ANA, account: Uuid::from_u128(3), enrolment: Uuid::from_u128(4), device };
    let own = stream(TENANT, ANA);
    let keep = |events: Vec<NewEvent>, minutes| {
        events.into_iter().filter(|event| event.stream == own).map(move |event| record(event, minutes))
    };
    let mut events: Vec<Recorded> = keep(register(TENANT, &says, Uuid::from_u128(5)), 0).collect();
    for (minutes, decide) in (1..).zip(decisions) {
        let Decision::Propose(proposal) = decide(&Citizen::fold(&events).unwrap()) else { panic!("refused") };
        events.extend(keep(proposal.events, minutes));
    }
    Citizen::fold(&events).unwrap()
}

fn devices(citizen: &Citizen) -> Vec<u128> {
    citizen.devices.iter().map(|device| device.id.as_u128()).collect()
}

#[test]
fn the_first_device_is_trusted_and_each_later_one_after_a_day() {
    let ana = given(&[&|ana| ana.add(&key(11), begin(11))]);
    assert_eq!(devices(&ana), [10, 11]);
    assert_eq!((ana.devices[0].trusted_from, ana.devices[1].trusted_from), (at(0), at(1) + COOLING_OFF));
    assert_eq!(ana.device_with(&key(11)).unwrap().id.as_u128(), 11);
    assert!(ana.device_with(&key(12)).is_none());
}

#[test]
fn a_recovery_leaves_one_device_which_waits_and_other_secrets() {
    let enrolment = Uuid::from_u128(40);
    let ana = given(&[&|ana| ana.add(&key(11), begin(11)), &|ana| ana.recover(enrolment, &key(12), begin(12))]);
    assert_eq!((devices(&ana), ana.enrolment), (vec![12], enrolment));
    assert_eq!(ana.devices[0].trusted_from, at(2) + COOLING_OFF);
}

#[test]
fn a_reset_leaves_no_device_and_the_same_secrets_until_a_recovery() {
    let ana = given(&[&Citizen::reset]);
    assert_eq!((devices(&ana), ana.enrolment), (vec![], Uuid::from_u128(4)));
    let ana = given(&[&Citizen::reset, &|ana| ana.recover(Uuid::from_u128(41), &key(12), begin(12))]);
    assert_eq!(devices(&ana), [12]);
}

#[test]
fn another_contact_makes_every_device_wait_a_day_and_none_longer_than_before() {
    let change = |ana: &Citizen| {
        let event = ana.reached_elsewhere(ContactKind::Phone, Uuid::from_u128(10));
        Decision::Propose(Proposal { events: vec![event], ..Proposal::default() })
    };
    let ana = given(&[&change, &|ana| ana.add(&key(11), begin(11))]);
    let trusted: Vec<Instant> = ana.devices.iter().map(|device| device.trusted_from).collect();
    assert_eq!(trusted, [at(1) + COOLING_OFF, at(2) + COOLING_OFF]);
    let ana = given(&[&|ana| ana.add(&key(11), begin(11)), &change]);
    assert!(ana.devices.iter().all(|device| device.trusted_from == at(2) + COOLING_OFF));
}

#[test]
fn a_device_goes_once() {
    let gone = Uuid::from_u128(10);
    let ana = given(&[&|ana| ana.remove(gone)]);
    assert_eq!(devices(&ana), []);
    assert!(matches!(ana.remove(gone), Decision::Already(_)));
}

#[test]
fn what_says_nothing_of_devices_changes_none() {
    let ana = given(&[&|ana| ana.change(Secret::Pin), &|ana| ana.lock(Uuid::from_u128(10))]);
    assert_eq!(devices(&ana), [10]);
}

#[test]
fn there_are_only_so_many_devices() {
    let mut ana = given(&[]);
    let more = ana.devices[0].clone();
    ana.devices = vec![more; DEVICES];
    let Decision::Refuse(refusal, expects) = ana.add(&key(20), begin(20)) else { panic!("added") };
    assert_eq!((refusal.code, expects.len()), (RefusalCode::InvalidState, 1));
}

#[test]
fn a_session_ends_once_and_names_its_owner() {
    let Decision::Propose(proposal) = sign_in(ANA, begin(10)) else { panic!() };
    let begun = record(proposal.events.into_iter().next().unwrap(), 0);
    assert_eq!(owner_of_session(&begun), Some(ANA));
    let Decision::Propose(proposal) = end_session(&begun, ANA, Ending::Reuse) else { panic!() };
    let ended = record(proposal.events.into_iter().next().unwrap(), 1);
    assert_eq!((&*ended.kind, ended.version), (event::CITIZEN_SESSION_ENDED, 2));
    assert!(matches!(end_session(&ended, ANA, Ending::SignedOut), Decision::Already(_)));
    assert_eq!(owner_of_session(&ended), None);
}
