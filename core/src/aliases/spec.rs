//! What a key is, what may become of a person's, what a ticket is good for and what looking costs, in one line each.

use super::book::{AT_MOST, Book, seal, stream, values};
use super::error::AliasError;
use super::event::{AliasRegistered, Kind};
use super::kind::Alias;
use super::quota::Quota;
use super::ticket::{LIFETIME, issue, read};
use crate::event_store::personal::Change;
use crate::event_store::proposal::NewEvent;
use crate::event_store::{Decision, Recorded};
use crate::holders::Details;
use crate::holders::details::Private;
use crate::kernel::{Instant, Place, RefusalCode};
use crate::payments::Party;
use crate::secrets::Pepper;
use crate::secrets::people::DataKey;
use chrono::TimeDelta;
use uuid::Uuid;
use zeroize::Zeroizing;

const TENANT: Uuid = Uuid::from_u128(1);
const ANA: Uuid = Uuid::from_u128(2);
const RANDOM: Uuid = Uuid::from_u128(0x4000_8000_0000_0000_0007);

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn private(text: &str) -> Private {
    Private::new(text.to_owned())
}

fn says(number: u128, kind: Kind) -> AliasRegistered {
    AliasRegistered {
        alias: Uuid::from_u128(number),
        holder: ANA,
        account: Uuid::from_u128(3),
        kind,
        sealed: None,
        random: (kind == Kind::Random).then_some(RANDOM),
    }
}

fn key(byte: u8) -> DataKey {
    DataKey::new(Zeroizing::new([byte; 32]))
}

/// The event that a decision proposes, as the writer records it, and what it changes about keys.
fn taken(decision: Decision) -> (Recorded, Change) {
    let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
    let event: NewEvent = proposal.events.into_iter().next().unwrap();
    let recorded = event.recorded(TENANT, now());
    (recorded, *proposal.personal.unwrap())
}

fn refused(decision: Decision) -> RefusalCode {
    let Decision::Refuse(refusal, expects) = decision else { panic!("{decision:?}") };
    assert_eq!(expects.len(), 1, "it holds for the keys that it saw");
    refusal.code
}

fn book(events: &[Recorded]) -> Book {
    Book::fold(stream(TENANT, ANA), events).unwrap()
}

/// A book with some keys.
fn with(kinds: &[Kind]) -> (Book, Vec<Recorded>) {
    let mut events = Vec::new();
    for (number, kind) in (10..).zip(kinds) {
        events.push(taken(book(&events).register(&says(number, *kind), Vec::new())).0);
    }
    (book(&events), events)
}

#[test]
fn a_key_is_read_in_its_one_spelling_and_by_its_looks() {
    let alias = |kind, text| Alias::read(kind, &private(text)).map(|alias| (alias.kind, alias.value.to_string()));
    let random = "0b0ed1b2-5c7e-4d3a-9a55-3f6f0c1d2e4b";
    let upper = &*random.to_uppercase();
    for (text, kind, value) in [
        ("529.982.247-25", Kind::Cpf, "52998224725"),
        ("Ana@Exemplo.com.br", Kind::Email, "ana@exemplo.com.br"),
        ("+5511912345678", Kind::Phone, "+5511912345678"),
        (upper, Kind::Random, random),
    ] {
        assert_eq!(alias(None, text).unwrap(), (kind, value.to_owned()));
        assert_eq!(alias(Some(kind), text).unwrap().1, value);
    }
    for (kind, text) in
        [(None, ""), (None, "52998224724"), (Some(Kind::Phone), "11912345678"), (Some(Kind::Random), "x")]
    {
        let refusal = alias(kind, text).unwrap_err();
        assert_eq!(refusal.place, Some(Place::Pointer("/alias".to_owned())));
        assert!(text.is_empty() || !refusal.detail.contains(text), "{text}");
    }
    assert_eq!(format!("{:?}", Alias::read(None, &private(random)).unwrap()), "Alias(random, [REDACTED])");
}

#[test]
fn only_what_is_known_of_a_person_becomes_their_key() {
    let details =
        Details::checked(private("Ana"), Some(private("Ana@B.example")), None, &private("529.982.247-25")).unwrap();
    let of = |kind: Kind| kind.of(&details).map(|value| value.to_string());
    assert_eq!(of(Kind::Cpf).unwrap(), "52998224725");
    assert_eq!(of(Kind::Email).unwrap(), "ana@b.example");
    assert_eq!((of(Kind::Phone), of(Kind::Random)), (None, None));
}

#[test]
fn a_person_has_one_key_of_a_kind_and_five_at_most() {
    let (own, _) = with(&[Kind::Cpf, Kind::Random, Kind::Random]);
    assert_eq!(refused(own.register(&says(20, Kind::Cpf), Vec::new())), RefusalCode::AliasTaken);
    let (_, change) = taken(own.register(&says(20, Kind::Email), vec![(1, [7; 32])]));
    assert_eq!((change.claims[0].owner, change.claims[0].kind), (ANA, "alias-email"));
    let (full, _) = with(&[Kind::Random; AT_MOST]);
    assert_eq!(refused(full.register(&says(20, Kind::Cpf), Vec::new())), RefusalCode::InvalidState);
}

#[test]
fn a_key_that_went_is_theirs_no_more_and_only_its_claim_goes() {
    let (own, mut events) = with(&[Kind::Cpf, Kind::Phone]);
    let gone = own.entries[0].clone();
    let (recorded, change) = taken(own.remove(&gone, vec![(1, [7; 32])]));
    assert_eq!((change.releases[0].owner, change.releases[0].kind), (ANA, "alias-cpf"));
    assert!(change.frees.is_empty() && change.claims.is_empty());
    events.push(recorded);
    let left = book(&events);
    assert_eq!(left.entries.iter().map(|entry| entry.says.kind).collect::<Vec<_>>(), [Kind::Phone]);
    assert!(left.entry(gone.says.alias).is_none() && left.was(gone.says.alias) && !left.was(ANA));
    assert!(matches!(left.register(&says(30, Kind::Cpf), Vec::new()), Decision::Propose(_)));
}

#[test]
fn a_value_opens_under_its_owners_key_and_in_its_own_place() {
    let (key, other) = (key(1), key(2));
    let cpf = |alias| AliasRegistered {
        sealed: Some(seal(&key, TENANT, alias, &private("52998224725"))),
        ..says(10, Kind::Cpf)
    };
    let events = |says| vec![taken(book(&[]).register(&says, Vec::new())).0];
    let opened = |says, key: &DataKey| {
        let found = values(Kind::Cpf, &events(says), TENANT, key)?;
        Some(found.into_iter().map(|value| value.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(opened(cpf(Uuid::from_u128(10)), &key).unwrap(), ["52998224725"]);
    assert_eq!(opened(cpf(Uuid::from_u128(11)), &key), None, "another alias's");
    assert_eq!(opened(cpf(Uuid::from_u128(10)), &other), None, "another person's");
    let random = events(says(10, Kind::Random));
    assert_eq!(*values(Kind::Random, &random, TENANT, &key).unwrap()[0], RANDOM.to_string());
}

#[test]
fn a_ticket_is_for_its_asker_and_its_time() {
    let (pepper, payee) = (Pepper::of(&[1; 32]), Party { holder: ANA, account: Uuid::from_u128(3) });
    let (rui, other) = ((TENANT, Uuid::from_u128(8)), (TENANT, Uuid::from_u128(9)));
    let ticket = issue(&pepper, rui, payee, now());
    let read = |who, text: &str, at| read(&pepper, who, text, at).ok();
    assert_eq!(read(rui, &ticket, now()), Some((payee, false)));
    assert_eq!(read(rui, &ticket, now() + LIFETIME - TimeDelta::seconds(1)), Some((payee, false)));
    assert_eq!(read(rui, &ticket, now() + LIFETIME), Some((payee, true)));
    assert_eq!(read(other, &ticket, now()), None);
    assert_eq!(read((Uuid::nil(), rui.1), &ticket, now()), None);
    assert_eq!(super::ticket::read(&Pepper::of(&[2; 32]), rui, &ticket, now()).ok(), None);
    for at in [0, 20, 40, 60, ticket.len() - 4] {
        let mut forged = ticket.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(read(rui, &String::from_utf8(forged).unwrap(), now()), None, "{at}");
    }
    for bad in ["", "AAAA", &ticket[1..], &format!("{ticket}A")] {
        assert_eq!(read(rui, bad, now()), None, "{bad}");
    }
}

#[test]
fn a_miss_costs_twenty_hits_and_a_payment_gives_one_back() {
    let quota = Quota::default();
    let looks = |who| quota.take(Uuid::from_u128(who)).is_ok();
    for _ in 0..5 {
        assert!(looks(1));
        quota.missed(Uuid::from_u128(1));
    }
    let Err(AliasError::Quota(wait)) = quota.take(Uuid::from_u128(1)) else { panic!("let through") };
    assert!((25..=30).contains(&wait.as_secs()), "{wait:?}");
    quota.paid(Uuid::from_u128(1));
    assert!(looks(1) && !looks(1));
    assert!((0..100).all(|_| looks(2)) && !looks(2), "another asker's hundred hits");
}
