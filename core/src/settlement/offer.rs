//! A service: what a terminal charges for, and what its charges are subject to. Pure.

use super::event::{self, ServiceDescribed};
use super::provider::{is_plain, moved_on};
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::{Metadata, Refusal, RefusalCode};
use crate::ledger::account;
use crate::ledger::known::{AccountRef, Known, Side};
use crate::payments::level;
use crate::payments::posting::{self, FEES};
use crate::payments::price::Price;
use crate::payments::terms::{Split, Terms};
use uuid::Uuid;

/// As many characters of a label fit into the code that payers scan.
const LABEL_CHARS: usize = 25;
/// The same of a city.
const CITY_CHARS: usize = 15;
/// Who is paid out of one capture beside the service, at most.
const MOST_SPLITS: usize = 8;
/// A split's name has at most so many characters.
const SPLIT_CHARS: usize = 40;
/// A whole, in hundredths of a per cent.
const WHOLE: u32 = 10_000;
/// Refunds are asked for within a year.
const MOST_REFUND_DAYS: u16 = 365;
/// The longest time that a hold lasts, in hours.
const MOST_HOLD_HOURS: u16 = 168;

/// Terms as they are asked for, amounts as decimal text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermsInput {
    /// Who is paid out of what is captured.
    pub splits: Vec<SplitInput>,
    /// For so many days a charge can be refunded.
    pub refund_days: Option<u16>,
    /// A refund above this takes an approval.
    pub approval_above: Option<String>,
    /// By how many per cent a final capture may exceed what was authorised.
    pub over_capture_percent: Option<u8>,
    /// For so many hours an authorisation holds.
    pub hold_hours: Option<u16>,
}

/// A split as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitInput {
    /// As statements call it.
    pub name: String,
    /// Who gets it.
    pub account: AccountRef,
    /// The fixed part, as decimal text.
    pub fixed: String,
    /// The share, in hundredths of a per cent.
    pub basis_points: u16,
}

/// What a new service is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Drawn by whoever asks.
    pub id: Uuid,
    /// Whose it is.
    pub provider: Uuid,
    /// As payers see it.
    pub label: String,
    /// Where it is.
    pub city: String,
    /// The category of its trade.
    pub mcc: Option<String>,
    /// The unit that looks after it.
    pub unit: Option<Uuid>,
    /// What it is paid in.
    pub asset: String,
    /// What its charges are subject to.
    pub terms: TermsInput,
}

/// What to change about a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferChange {
    /// What payers see of it, who looks after it, and its terms; what is absent stays.
    Details(Box<Details>),
    /// It is not charged for any more.
    Suspend,
    /// It is again.
    Resume,
}

/// Members to change; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Another label.
    pub label: Option<String>,
    /// Another city.
    pub city: Option<String>,
    /// Another category, or none.
    pub mcc: Option<Option<String>>,
    /// Another unit, or none.
    pub unit: Option<Option<Uuid>>,
    /// Other terms, all of them.
    pub terms: Option<TermsInput>,
}

/// A service folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its stream.
    pub id: Uuid,
    /// Whose it is.
    pub provider: Uuid,
    /// As payers see it.
    pub label: String,
    /// Where it is.
    pub city: String,
    /// The category of its trade.
    pub mcc: Option<String>,
    /// The unit that looks after it.
    pub unit: Option<Uuid>,
    /// What it is paid in.
    pub asset: String,
    /// How many decimals of it a minor unit has.
    pub scale: u8,
    /// The account that its money comes to.
    pub account: Uuid,
    /// What its charges are subject to.
    pub terms: Terms,
    /// Whether it is charged for.
    pub is_open: bool,
    /// How many events it has.
    pub version: i32,
}

impl Service {
    /// A service of which a fact says all.
    pub fn of(id: Uuid, version: i32, says: ServiceDescribed) -> Self {
        let ServiceDescribed { provider, label, city, mcc, unit, asset, scale, account, terms, is_open } = says;
        Self { id, provider, label, city, mcc, unit, asset, scale, account, terms, is_open, version }
    }

    /// Folds a stream; `None` when it is not a service's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, last) = (events.first()?, events.last()?);
        let is_ours = |recorded: &&Recorded| {
            use event::{SERVICE_CHANGED, SERVICE_OPENED, SERVICE_RESUMED, SERVICE_SUSPENDED};
            matches!(&*recorded.kind, SERVICE_OPENED | SERVICE_CHANGED | SERVICE_SUSPENDED | SERVICE_RESUMED)
        };
        // Kinds of later versions change nothing that this one knows.
        let newest = events.iter().rev().find(is_ours).filter(|_| first.kind == event::SERVICE_OPENED)?;
        Some(Self::of(first.stream, last.version, newest.says()?))
    }

    /// Refuses charges of a service that is suspended.
    pub fn check_open(&self) -> Result<(), Refusal> {
        if self.is_open {
            return Ok(());
        }
        Err(Refusal::new(RefusalCode::InvalidState, "the service is suspended"))
    }

    /// Decides a change that builds on a version, if it says on which.
    pub fn change(
        &self,
        tenant: Uuid,
        expected: Option<i32>,
        change: &OfferChange,
        known: &Known,
    ) -> Result<Decision, Refusal> {
        let current = StreamVersion { stream: self.id, version: self.version };
        let mut events = Vec::new();
        let (kind, after) = match change {
            OfferChange::Details(details) => {
                let after = self.after(tenant, details, known, &mut events)?;
                (event::SERVICE_CHANGED, after)
            }
            OfferChange::Suspend => (event::SERVICE_SUSPENDED, Self { is_open: false, ..self.clone() }),
            OfferChange::Resume => (event::SERVICE_RESUMED, Self { is_open: true, ..self.clone() }),
        };
        let is_idle = !matches!(change, OfferChange::Details(_)) && after.is_open == self.is_open;
        let idle = || {
            let detail = if self.is_open { "the service is not suspended" } else { "the service is suspended already" };
            Refusal::new(RefusalCode::InvalidState, detail).at("/status")
        };
        if let Some(refusal) = moved_on(expected, self.version).or_else(|| is_idle.then(idle)) {
            return Ok(Decision::Refuse(refusal, vec![current]));
        }
        events.insert(0, NewEvent::fact(self.id, self.version, kind, &after.says()));
        Ok(Decision::Propose(Proposal { events, ..Proposal::default() }))
    }

    fn after(
        &self,
        tenant: Uuid,
        details: &Details,
        known: &Known,
        opened: &mut Vec<NewEvent>,
    ) -> Result<Self, Refusal> {
        let mut after = self.clone();
        let Details { label, city, mcc, unit, terms: wanted } = details.clone();
        after.label = label.unwrap_or(after.label);
        after.city = city.unwrap_or(after.city);
        after.mcc = mcc.unwrap_or(after.mcc);
        after.unit = unit.unwrap_or(after.unit);
        if let Some(wanted) = wanted {
            after.terms = terms(&wanted, tenant, (&self.asset, self.scale, self.account), known)?;
            opened.extend(fees_opened(&after.terms, tenant, &self.asset, known)?);
        }
        after.check()?;
        Ok(after)
    }

    fn says(&self) -> ServiceDescribed {
        let Self { provider, label, city, mcc, unit, asset, scale, account, terms, is_open, .. } = self.clone();
        ServiceDescribed { provider, label, city, mcc, unit, asset, scale, account, terms, is_open }
    }

    fn check(&self) -> Result<(), Refusal> {
        let malformed = |detail: &str, at: &str| Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(at));
        if !is_plain(&self.label, LABEL_CHARS) {
            let detail = "a label has 1 to 25 characters, none of them a control character, and no space around it";
            return malformed(detail, "/label");
        }
        if !is_plain(&self.city, CITY_CHARS) {
            let detail = "a city has 1 to 15 characters, none of them a control character, and no space around it";
            return malformed(detail, "/city");
        }
        let is_code = |mcc: &String| mcc.len() == 4 && mcc.bytes().all(|byte| byte.is_ascii_digit());
        if !self.mcc.as_ref().is_none_or(is_code) {
            return malformed("a category code has four digits", "/mcc");
        }
        Ok(())
    }
}

/// Decides an opening: the service, its account, and the account of the operator's earnings where it is the first to be named.
pub fn open(offer: &Offer, tenant: Uuid, known: &Known) -> Result<Decision, Refusal> {
    let Some(scale) = known.assets.get(&offer.asset).copied() else {
        let detail = format!("the asset {} is not registered", offer.asset);
        return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/asset"));
    };
    let opening = account(offer.id, &offer.asset);
    let own = opening.id(tenant);
    let Offer { id, provider, label, city, mcc, unit, asset, terms: wanted } = offer.clone();
    let terms = terms(&wanted, tenant, (&asset, scale, own), known)?;
    let mut accounts = opened(account::open(&opening, tenant, known)?);
    accounts.extend(fees_opened(&terms, tenant, &asset, known)?);
    let service =
        Service { id, provider, label, city, mcc, unit, asset, scale, account: own, terms, is_open: true, version: 0 };
    service.check()?;
    // The fact stands first: it is what the answer speaks of.
    let fact = NewEvent { fresh: true, ..NewEvent::fact(id, 0, event::SERVICE_OPENED, &service.says()) };
    let events = std::iter::once(fact).chain(accounts).collect();
    Ok(Decision::Propose(Proposal { events, ..Proposal::default() }))
}

/// The account that a service's money comes to. Its name is the service's, so nobody else has opened it.
fn account(service: Uuid, asset: &str) -> account::Open {
    account::Open {
        fresh_id: Uuid::nil(),
        name: Some(format!("service:{service}")),
        asset: asset.to_owned(),
        normal_side: Side::Credit,
        min_balance: Some("0".to_owned()),
        max_balance: None,
        metadata: Metadata::default(),
    }
}

/// What opens the account of the operator's earnings, when terms name it and nothing was earned before.
fn fees_opened(terms: &Terms, tenant: Uuid, asset: &str, known: &Known) -> Result<Vec<NewEvent>, Refusal> {
    let fees = posting::system(tenant, FEES, asset);
    let is_missing = !known.accounts.contains_key(&fees) && terms.splits.iter().any(|split| split.account == fees);
    if !is_missing {
        return Ok(Vec::new());
    }
    Ok(opened(account::open(&posting::opening(FEES, asset), tenant, known)?))
}

fn opened(decision: Decision) -> Vec<NewEvent> {
    match decision {
        Decision::Propose(proposal) => proposal.events,
        // What is there needs no opening.
        Decision::Refuse(..) | Decision::Already(_) => Vec::new(),
    }
}

/// The accounts that terms name, to be looked up.
pub fn accounts<'a>(terms: &'a TermsInput, tenant: Uuid, asset: &'a str) -> impl Iterator<Item = Uuid> + 'a {
    let named = terms.splits.iter().map(move |split| split.account.id(tenant, asset));
    named.chain([posting::system(tenant, FEES, asset)])
}

/// Terms as they are kept, or what is wrong with them and where.
fn terms(
    wanted: &TermsInput,
    tenant: Uuid,
    (asset, scale, own): (&str, u8, Uuid),
    known: &Known,
) -> Result<Terms, Refusal> {
    let malformed = |detail: &str, at: &str| Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(at));
    let standard = Terms::default();
    let refund_days = wanted.refund_days.unwrap_or(standard.refund_days);
    let over_capture_percent = wanted.over_capture_percent.unwrap_or(standard.over_capture_percent);
    let hold_hours = wanted.hold_hours.unwrap_or(standard.hold_hours);
    if refund_days > MOST_REFUND_DAYS {
        return malformed("refunds are asked for within 0 to 365 days", "/terms/refund_days");
    }
    if over_capture_percent > 100 {
        return malformed("at most 100 per cent more is captured", "/terms/over_capture_percent");
    }
    if !(1..=MOST_HOLD_HOURS).contains(&hold_hours) {
        return malformed("a hold lasts 1 to 168 hours", "/terms/hold_hours");
    }
    if wanted.splits.len() > MOST_SPLITS {
        return malformed("at most 8 are paid out of one capture", "/terms/splits");
    }
    let approval_above = wanted.approval_above.as_deref().map(|text| level(text, scale, "/terms/approval_above"));
    let approval_above = approval_above.transpose()?;
    if approval_above.is_some_and(crate::kernel::Minor::is_negative) {
        return malformed("an amount is not below zero", "/terms/approval_above");
    }
    let mut splits: Vec<Split> = Vec::with_capacity(wanted.splits.len());
    for (index, split) in wanted.splits.iter().enumerate() {
        let read = self::split(split, tenant, (asset, scale), known)
            .map_err(|refusal| refusal.below(&format!("/terms/splits/{index}")))?;
        if read.account == own || splits.iter().any(|other| other.account == read.account) {
            return malformed("an account gets one part of a capture", &format!("/terms/splits/{index}/account"));
        }
        splits.push(read);
    }
    check_shares(&splits)?;
    Ok(Terms { splits, refund_days, approval_above, over_capture_percent, hold_hours })
}

/// Whatever is captured, the parts of others must not be more than that.
fn check_shares(splits: &[Split]) -> Result<(), Refusal> {
    let shares: u32 = splits.iter().map(|split| u32::from(split.price.basis_points)).sum();
    let has_fixed = splits.iter().any(|split| split.price.fixed.is_positive());
    if shares > WHOLE || (shares == WHOLE && has_fixed) {
        let detail = "the splits together are more than what is captured";
        return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/terms/splits"));
    }
    Ok(())
}

fn split(wanted: &SplitInput, tenant: Uuid, (asset, scale): (&str, u8), known: &Known) -> Result<Split, Refusal> {
    let malformed = |detail: &str, at: &str| Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(at));
    let SplitInput { name, account, fixed, basis_points } = wanted;
    if !is_plain(name, SPLIT_CHARS) {
        let detail = "a name has 1 to 40 characters, none of them a control character, and no space around it";
        return malformed(detail, "/name");
    }
    let price = Price { fixed: level(fixed, scale, "/fixed")?, basis_points: *basis_points };
    if price.fixed.is_negative() {
        return malformed("a price is not below zero", "/fixed");
    }
    if u32::from(price.basis_points) > WHOLE {
        return malformed("no more than the amount itself", "/basis_points");
    }
    let id = account.id(tenant, asset);
    let is_fees = id == posting::system(tenant, FEES, asset);
    let is_right = |known: &crate::ledger::known::Identity| known.asset == asset && known.normal_side == Side::Credit;
    if !is_fees && !known.accounts.get(&id).is_some_and(|known| is_right(known)) {
        let detail = format!("there is no account in {asset} that gets money by credits");
        return malformed(&detail, "/account");
    }
    Ok(Split { name: name.clone(), account: id, price })
}
