//! A provider: a company that is paid at terminals. Pure.

use super::cnpj::Cnpj;
use super::event::{self, PayoutAccount, ProviderDescribed};
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::{Refusal, RefusalCode, name};
use uuid::Uuid;

/// A name has at most so many characters.
const NAME_CHARS: usize = 100;

/// A company to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProvider {
    /// As it is registered.
    pub name: String,
    /// As it was typed.
    pub cnpj: String,
    /// The unit that looks after it.
    pub unit: Option<Uuid>,
    /// Where it is to be paid out to.
    pub payout_account: Option<PayoutAccount>,
}

/// What to change; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderChange {
    /// Another name.
    pub name: Option<String>,
    /// Another unit, or none.
    pub unit: Option<Option<Uuid>>,
    /// Another account, or none.
    pub payout_account: Option<Option<PayoutAccount>>,
}

/// A provider folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Its stream.
    pub id: Uuid,
    /// How many events it has.
    pub version: i32,
    /// What holds now.
    pub says: ProviderDescribed,
}

impl Provider {
    /// The stream of a company.
    pub fn stream(tenant: Uuid, cnpj: &Cnpj) -> Uuid {
        name::natural_key(tenant, "provider", &[cnpj.plain()])
    }

    /// Folds a stream; `None` when it is not a provider's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        let is_ours =
            |recorded: &&Recorded| matches!(&*recorded.kind, event::PROVIDER_REGISTERED | event::PROVIDER_CHANGED);
        // Kinds of later versions change nothing that this one knows.
        let newest = events.iter().rev().find(is_ours).filter(|_| first.kind == event::PROVIDER_REGISTERED)?;
        Some(Self { id: first.stream, version: last.version, says: newest.says()? })
    }

    /// Decides a change that builds on a version, if it says on which.
    pub fn change(&self, expected: Option<i32>, change: &ProviderChange) -> Result<Decision, Refusal> {
        let ProviderChange { name, unit, payout_account } = change;
        let mut says = self.says.clone();
        if let Some(name) = name {
            says.name.clone_from(name);
        }
        if let Some(unit) = unit {
            says.unit = *unit;
        }
        if let Some(payout_account) = payout_account {
            says.payout_account.clone_from(payout_account);
        }
        check(&says)?;
        let current = StreamVersion { stream: self.id, version: self.version };
        if let Some(refusal) = moved_on(expected, self.version) {
            return Ok(Decision::Refuse(refusal, vec![current]));
        }
        let event = NewEvent::fact(self.id, self.version, event::PROVIDER_CHANGED, &says);
        Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
    }
}

/// What a new provider is, if it can be one.
pub fn read(new: &NewProvider) -> Result<ProviderDescribed, Refusal> {
    let NewProvider { name, cnpj, unit, payout_account } = new.clone();
    let cnpj = cnpj.parse().map_err(|error: super::cnpj::NoCnpj| {
        Refusal::new(RefusalCode::ValidationFailed, error.to_string()).at("/cnpj")
    })?;
    let says = ProviderDescribed { name, cnpj, unit, payout_account };
    check(&says)?;
    Ok(says)
}

/// Decides a registration.
pub fn register(stream: Uuid, says: &ProviderDescribed, existing: &[Recorded]) -> Decision {
    if let Some(last) = existing.last() {
        let refusal = Refusal::new(RefusalCode::AlreadyRegistered, "a provider of this CNPJ is registered").at("/cnpj");
        return Decision::Refuse(refusal, vec![StreamVersion { stream, version: last.version }]);
    }
    let event = NewEvent::fact(stream, 0, event::PROVIDER_REGISTERED, says);
    Decision::Propose(Proposal { events: vec![event], ..Proposal::default() })
}

/// The refusal of what builds on an older version than the current one.
pub fn moved_on(expected: Option<i32>, version: i32) -> Option<Refusal> {
    let is_older = expected.is_some_and(|expected| expected != version);
    is_older.then(|| Refusal::new(RefusalCode::VersionMismatch, format!("it is at version {version}")))
}

/// Whether a text is what people may see: of so many characters, none of them a control character, no space around it.
pub fn is_plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && text.trim() == text && !text.chars().any(char::is_control)
}

fn check(says: &ProviderDescribed) -> Result<(), Refusal> {
    let malformed = |detail: &str, at: &str| Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(at));
    if !is_plain(&says.name, NAME_CHARS) {
        return malformed(
            "a name has 1 to 100 characters, none of them a control character, and no space around it",
            "/name",
        );
    }
    let Some(PayoutAccount { bank, branch, number }) = &says.payout_account else { return Ok(()) };
    let is_number = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(bank, 8, 8) {
        return malformed("a bank is the eight digits of its ISPB", "/payout_account/bank");
    }
    if !is_number(branch, 1, 4) {
        return malformed("a branch is 1 to 4 digits", "/payout_account/branch");
    }
    // Banks write the check digit as X where it would be ten.
    if !is_number(number.strip_suffix('X').unwrap_or(number), 1, 20) {
        return malformed(
            "an account is 1 to 20 digits, with its check digit and without punctuation",
            "/payout_account/number",
        );
    }
    Ok(())
}
