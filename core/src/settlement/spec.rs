//! Given, when, then: providers and services as their streams decide them.

use super::event::{PayoutAccount, SERVICE_OPENED};
use super::offer::{self, Details, Offer, OfferChange, Service, SplitInput, TermsInput};
use super::provider::{self, NewProvider, Provider, ProviderChange};
use crate::event_store::{Decision, Recorded};
use crate::kernel::{Instant, Minor, Place, Refusal, RefusalCode, name};
use crate::ledger::event::ACCOUNT_OPENED;
use crate::ledger::known::{AccountRef, Identity, Known, Side};
use std::sync::Arc;
use uuid::Uuid;

const TENANT: Uuid = Uuid::from_u128(1);
const SERVICE: Uuid = Uuid::from_u128(2);
const TAX: Uuid = Uuid::from_u128(3);
const BANK: Uuid = Uuid::from_u128(4);
const DOLLARS: Uuid = Uuid::from_u128(5);

fn happen(history: &mut Vec<Recorded>, decision: Decision) -> Vec<&'static str> {
    let Decision::Propose(proposal) = decision else { panic!("{decision:?}") };
    let at: Instant = "2026-03-01T12:00:00Z".parse().unwrap();
    let kinds = proposal.events.iter().map(|event| event.kind).collect();
    let stream = proposal.events[0].stream;
    let own = proposal.events.into_iter().filter(|event| event.stream == stream);
    history.extend(own.map(|event| event.recorded(TENANT, at)));
    kinds
}

fn refused(decision: Result<Decision, Refusal>) -> Refusal {
    match decision {
        Ok(Decision::Refuse(refusal, _)) | Err(refusal) => refusal,
        Ok(other) => panic!("{other:?}"),
    }
}

fn aurora() -> NewProvider {
    let payout_account = Some(PayoutAccount { bank: "00000000".into(), branch: "1".into(), number: "12345X".into() });
    NewProvider { name: "Viação Aurora Ltda.".into(), cnpj: "11.222.333/0001-81".into(), unit: None, payout_account }
}

fn registered() -> Vec<Recorded> {
    let mut history = Vec::new();
    let says = provider::read(&aurora()).unwrap();
    let decision = provider::register(Provider::stream(TENANT, &says.cnpj), &says, &[]);
    happen(&mut history, decision);
    history
}

fn known() -> Known {
    let identity = |id, asset: &str, side| {
        let identity = Identity { id, number: 1, name: None, asset: asset.into(), scale: 2, normal_side: side };
        (id, Arc::new(identity))
    };
    let accounts = [
        identity(TAX, "BRL", Side::Credit),
        identity(BANK, "BRL", Side::Debit),
        identity(DOLLARS, "USD", Side::Credit),
    ];
    Known { accounts: accounts.into(), assets: [("BRL".to_owned(), 2)].into() }
}

fn split(account: AccountRef, fixed: &str, basis_points: u16) -> SplitInput {
    SplitInput { name: "a part".into(), account, fixed: fixed.into(), basis_points }
}

fn with(terms: TermsInput) -> Offer {
    Offer {
        id: SERVICE,
        provider: Uuid::from_u128(9),
        label: "Ônibus Centro".into(),
        city: "Porto Alegre".into(),
        mcc: Some("4111".into()),
        unit: None,
        asset: "BRL".into(),
        terms,
    }
}

fn open(terms: TermsInput) -> Result<Decision, Refusal> {
    offer::open(&with(terms), TENANT, &known())
}

#[test]
fn one_company_registers_once_whatever_the_spelling() {
    let history = registered();
    let plain = NewProvider { cnpj: "11222333000181".into(), ..aurora() };
    let says = provider::read(&plain).unwrap();
    let stream = Provider::stream(TENANT, &says.cnpj);
    assert_eq!(stream, history[0].stream);
    let again = provider::register(stream, &says, &history);
    assert_eq!(refused(Ok(again)).code, RefusalCode::AlreadyRegistered);
}

#[test]
fn a_change_says_all_and_builds_on_the_version_that_it_names() {
    let mut history = registered();
    let first = Provider::fold(&history).unwrap();
    let rename = ProviderChange { name: Some("Viação Aurora S.A.".into()), ..ProviderChange::default() };
    happen(&mut history, first.change(Some(1), &rename).unwrap());
    let second = Provider::fold(&history).unwrap();
    assert_eq!((second.version, &*second.says.name), (2, "Viação Aurora S.A."));
    assert_eq!(second.says.payout_account, first.says.payout_account);
    assert_eq!(refused(second.change(Some(1), &rename)).code, RefusalCode::VersionMismatch);
    assert!(second.change(None, &rename).is_ok());
}

#[test]
fn what_is_wrong_with_a_provider_is_named() {
    let bank = |bank: &str, branch: &str, number: &str| {
        Some(PayoutAccount { bank: bank.into(), branch: branch.into(), number: number.into() })
    };
    for (bad, pointer) in [
        (NewProvider { name: String::new(), ..aurora() }, "/name"),
        (NewProvider { name: "a\nb".into(), ..aurora() }, "/name"),
        (NewProvider { name: "x".repeat(101), ..aurora() }, "/name"),
        (NewProvider { cnpj: "11.222.333/0001-82".into(), ..aurora() }, "/cnpj"),
        (NewProvider { payout_account: bank("Ana", "1", "1"), ..aurora() }, "/payout_account/bank"),
        (NewProvider { payout_account: bank("00000000", "", "1"), ..aurora() }, "/payout_account/branch"),
        (NewProvider { payout_account: bank("00000000", "1", "1-X"), ..aurora() }, "/payout_account/number"),
    ] {
        assert_eq!(provider::read(&bad).unwrap_err().place, Some(Place::Pointer(pointer.into())));
    }
}

#[test]
fn a_service_opens_with_an_account_of_its_own() {
    let mut history = Vec::new();
    let kinds = happen(&mut history, open(TermsInput::default()).unwrap());
    assert_eq!(kinds, [SERVICE_OPENED, ACCOUNT_OPENED]);
    let service = Service::fold(&history).unwrap();
    assert_eq!(service.account, name::account_id(TENANT, &format!("service:{SERVICE}"), "BRL"));
    assert!(service.is_open && service.terms == crate::payments::terms::Terms::default());
    // The operator's share needs the account that it goes to.
    let fees = split(AccountRef::Name("system:fees".into()), "0.10", 50);
    let terms = TermsInput { splits: vec![fees], ..TermsInput::default() };
    let kinds = happen(&mut history, open(terms).unwrap());
    assert_eq!(kinds, [SERVICE_OPENED, ACCOUNT_OPENED, ACCOUNT_OPENED]);
}

#[test]
fn splits_are_never_more_than_what_is_captured() {
    let id = AccountRef::Id;
    let fees = || AccountRef::Name("system:fees".into());
    let decide = |splits: Vec<SplitInput>| open(TermsInput { splits, ..TermsInput::default() });
    assert!(decide(vec![split(id(TAX), "0.00", 6_000), split(fees(), "0.00", 4_000)]).is_ok());
    assert!(decide(vec![split(id(TAX), "5.00", 9_999)]).is_ok());
    for (splits, pointer) in [
        (vec![split(id(TAX), "0.00", 6_000), split(fees(), "0.00", 4_001)], "/terms/splits"),
        (vec![split(id(TAX), "0.01", 10_000)], "/terms/splits"),
        (vec![split(id(TAX), "0.00", 10_001)], "/terms/splits/0/basis_points"),
        (vec![split(id(TAX), "-1.00", 0)], "/terms/splits/0/fixed"),
        (vec![split(id(TAX), "1.001", 0)], "/terms/splits/0/fixed"),
        (vec![split(fees(), "1.00", 0), split(id(BANK), "0.00", 1)], "/terms/splits/1/account"),
        (vec![split(id(DOLLARS), "0.00", 1)], "/terms/splits/0/account"),
        (vec![split(id(Uuid::max()), "0.00", 1)], "/terms/splits/0/account"),
        (vec![split(id(TAX), "0.00", 1), split(id(TAX), "0.00", 1)], "/terms/splits/1/account"),
        (vec![SplitInput { name: String::new(), ..split(id(TAX), "0.00", 1) }], "/terms/splits/0/name"),
        ((0..9).map(|_| split(id(TAX), "0.00", 1)).collect(), "/terms/splits"),
    ] {
        assert_eq!(decide(splits.clone()).unwrap_err().place, Some(Place::Pointer(pointer.into())), "{splits:?}");
    }
}

#[test]
fn what_is_wrong_with_terms_and_labels_is_named() {
    let usual = TermsInput::default;
    for (terms, pointer) in [
        (TermsInput { refund_days: Some(366), ..usual() }, "/terms/refund_days"),
        (TermsInput { over_capture_percent: Some(101), ..usual() }, "/terms/over_capture_percent"),
        (TermsInput { hold_hours: Some(0), ..usual() }, "/terms/hold_hours"),
        (TermsInput { hold_hours: Some(169), ..usual() }, "/terms/hold_hours"),
        (TermsInput { approval_above: Some("-1.00".into()), ..usual() }, "/terms/approval_above"),
        (TermsInput { approval_above: Some("many".into()), ..usual() }, "/terms/approval_above"),
    ] {
        assert_eq!(open(terms).unwrap_err().place, Some(Place::Pointer(pointer.into())));
    }
    for (bad, pointer) in [
        (Offer { label: "é".repeat(26), ..with(usual()) }, "/label"),
        (Offer { label: " Centro".into(), ..with(usual()) }, "/label"),
        (Offer { city: "x".repeat(16), ..with(usual()) }, "/city"),
        (Offer { mcc: Some("41".into()), ..with(usual()) }, "/mcc"),
        (Offer { asset: "EUR".into(), ..with(usual()) }, "/asset"),
    ] {
        let refusal = offer::open(&bad, TENANT, &known()).unwrap_err();
        assert_eq!(refusal.place, Some(Place::Pointer(pointer.into())));
    }
    assert!(offer::open(&Offer { label: "é".repeat(25), ..with(usual()) }, TENANT, &known()).is_ok());
}

#[test]
fn a_service_is_suspended_and_resumed_and_changed_in_between() {
    let mut history = Vec::new();
    happen(&mut history, open(TermsInput::default()).unwrap());
    let now = |history: &[Recorded]| Service::fold(history).unwrap();
    let change = |service: &Service, change: &OfferChange| service.change(TENANT, None, change, &known());
    assert_eq!(refused(change(&now(&history), &OfferChange::Resume)).code, RefusalCode::InvalidState);
    let decision = change(&now(&history), &OfferChange::Suspend).unwrap();
    happen(&mut history, decision);
    assert!(!now(&history).is_open);
    assert_eq!(refused(change(&now(&history), &OfferChange::Suspend)).code, RefusalCode::InvalidState);
    let terms = TermsInput { approval_above: Some("500.00".into()), hold_hours: Some(168), ..TermsInput::default() };
    let details =
        Details { label: Some("Ônibus Norte".into()), mcc: Some(None), terms: Some(terms), ..Details::default() };
    let decision = change(&now(&history), &OfferChange::Details(Box::new(details))).unwrap();
    happen(&mut history, decision);
    let changed = now(&history);
    assert!(!changed.is_open && changed.mcc.is_none() && changed.city == "Porto Alegre");
    assert_eq!((changed.terms.approval_above, changed.terms.hold_hours), (Some(Minor::new(50_000)), 168));
    let decision = change(&now(&history), &OfferChange::Resume).unwrap();
    happen(&mut history, decision);
    let resumed = now(&history);
    assert_eq!((resumed.is_open, resumed.version), (true, 4));
    let late = resumed.change(TENANT, Some(3), &OfferChange::Suspend, &known());
    assert_eq!(refused(late).code, RefusalCode::VersionMismatch);
}
