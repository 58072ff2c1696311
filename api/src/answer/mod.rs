//! Answers: recorded facts as JSON.
//!
//! Everything here is a pure function of events, the entries they left and immutable identities.
//! The writer calls it to make the answer that is stored; a replay whose bytes were not kept, or
//! were deleted, calls it again on what the log says, and gets the same bytes.

pub mod account;
pub mod alias;
pub mod batch;
pub mod charge;
pub mod funding;
pub mod hold;
pub mod holder;
pub mod limits;
pub mod mandate;
pub mod payment;
pub mod settlement;
pub mod staff;
pub mod terminal;
pub mod terminal_charge;
pub mod transaction;
pub mod transfer;

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use vintem_core::access::staff::event::{
    STAFF_FACTOR_CHANGED, STAFF_GRANTS_CHANGED, STAFF_INVITED, STAFF_RESUMED, STAFF_ROLES_CHANGED, STAFF_SESSION_ENDED,
    STAFF_SUSPENDED, STAFF_UNIT_CHANGED, UNIT_CHANGED, UNIT_CREATED,
};
use vintem_core::aliases::event::ALIAS_REGISTERED;
use vintem_core::citizens::event::CITIZEN_RESET;
use vintem_core::event_store::{Answer, Applied, Done, EntryAfter, Outcome, Recorded, StoredBody};
use vintem_core::holders::event::{HOLDER_ERASED, HOLDER_REGISTERED};
use vintem_core::kernel::{Instant, Minor, Refusal, instant};
use vintem_core::ledger::event;
use vintem_core::ledger::known::{Identity, Known};
use vintem_core::payments::charges::event::CHARGE_AUTHORISED;
use vintem_core::payments::event::{
    LIMITS_CHANGED, MONEY_ISSUED, MONEY_REDEEMED, PRICES_CHANGED, TOPUP_REQUESTED, TRANSFER_CONFIRMED,
    TRANSFER_REQUESTED, WITHDRAWAL_APPROVED, WITHDRAWAL_REQUESTED,
};
use vintem_core::payments::mandates::event::{MANDATE_ACTIVATED, MANDATE_REQUESTED};
use vintem_core::settlement::event::{
    PROVIDER_CHANGED, PROVIDER_REGISTERED, SERVICE_CHANGED, SERVICE_OPENED, SERVICE_RESUMED, SERVICE_SUSPENDED,
};
use vintem_core::terminals::event as terminals;

use crate::problem::{Code, Problem, Shown};

/// Bodies above this are not kept: the events hold the same facts.
const KEPT_BYTES: usize = 16 * 1024;

/// Money: a decimal string at the asset's scale, never a JSON number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct Money {
    /// Decimal text.
    #[schema(example = "12.50")]
    pub amount: String,
    /// The asset's code.
    #[schema(example = "BRL")]
    pub asset: String,
}

/// An account's balances, in the direction of its normal side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Balance {
    /// What was posted.
    #[schema(example = "100.00")]
    pub posted: String,
    /// What holds keep back.
    #[schema(example = "20.00")]
    pub held: String,
    /// What holds announce to come.
    #[schema(example = "0.00")]
    pub incoming: String,
    /// What can be spent: posted less held.
    #[schema(example = "80.00")]
    pub available: String,
    /// The account's entry version: one higher with every entry.
    #[schema(example = 7)]
    pub version: i64,
}

impl Balance {
    /// Of balances at the account's scale.
    pub fn of(posted: Minor, held: Minor, incoming: Minor, version: i64, scale: u8) -> Self {
        Self {
            posted: posted.to_text(scale),
            held: held.to_text(scale),
            incoming: incoming.to_text(scale),
            available: posted.minus(held).to_text(scale),
            version,
        }
    }

    /// After an entry.
    pub fn after(entry: &EntryAfter, scale: u8) -> Self {
        Self::of(entry.posted, entry.held, entry.incoming, entry.version, scale)
    }
}

/// One leg of a transaction.
#[derive(Debug, Serialize, ToSchema)]
pub struct Leg {
    /// Its line, from 0.
    #[schema(example = 0)]
    pub line: u16,
    /// The account's id.
    pub account: uuid::Uuid,
    /// The account's name.
    #[schema(example = "citizen:0042")]
    pub name: Option<String>,
    /// `debit` or `credit`.
    #[schema(example = "debit")]
    pub direction: &'static str,
    /// How much.
    pub amount: Money,
    /// The account's balances after it; absent where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
}

impl Leg {
    /// A change of an account, in the direction of its normal side.
    pub fn of(line: u16, identity: &Identity, change: Minor, after: Option<&EntryAfter>) -> Self {
        Self {
            line,
            account: identity.id,
            name: identity.name.clone(),
            direction: identity.side(change).as_str(),
            amount: Money {
                amount: Minor::new(change.units().abs()).to_text(identity.scale),
                asset: identity.asset.clone(),
            },
            balance: after.map(|entry| Balance::after(entry, identity.scale)),
        }
    }
}

/// Recorded facts that cannot be shown: a payload that this version cannot read, or an identity
/// that is missing. A defect, and never a reason to write again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the recorded facts cannot be shown")]
pub struct Unreadable;

/// What one command did, by the kind of its first event.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Fact {
    /// `asset.registered`
    Asset(account::Asset),
    /// `account.opened`, `account.changed`
    Account(account::Account),
    /// `transaction.posted`
    Transaction(transaction::Transaction),
    /// `transaction.reversed`
    Reversal(transaction::Reversal),
    /// `hold.placed`
    Hold(hold::Hold),
    /// `hold.captured` with its `transaction.posted`
    Capture(hold::Capture),
    /// `hold.released`, `hold.extended`, `hold.incremented`
    HoldChange(hold::HoldChange),
    /// `holder.registered`, `holder.erased`
    Holder(holder::Holder),
    /// `citizen.reset`
    Reset(holder::CitizenReset),
    /// `staff.invited`, what changed about a member, `staff.suspended`, `staff.resumed`, `staff.factor-changed`
    Staff(staff::StaffUser),
    /// `staff.session-ended`
    Session(staff::SessionEnded),
    /// `money.issued`, `money.redeemed`, with their `transaction.posted`
    Issuance(Box<payment::Issuance>),
    /// `alias.registered`
    Alias(alias::Alias),
    /// `transfer.requested`
    Transfer(Box<transfer::Transfer>),
    /// `transfer.confirmed` with its `transaction.posted`
    Confirmation(transfer::Confirmation),
    /// `limits.changed`
    Limits(limits::LimitsAsked),
    /// `prices.changed`
    Prices(payment::Prices),
    /// `topup.requested`
    TopUp(Box<funding::TopUp>),
    /// `withdrawal.requested`; `withdrawal.approved` with its `transaction.posted`
    Withdrawal(Box<funding::Withdrawal>),
    /// `unit.created`, `unit.changed`
    Unit(staff::StaffUnit),
    /// `charge.authorised`, with what moved or holds the money
    ChargeConfirmation(charge::ChargeConfirmation),
    /// `mandate.requested`
    Mandate(Box<mandate::Mandate>),
    /// `mandate.activated`
    MandateConsent(mandate::MandateConsent),
    /// `provider.registered`, `provider.changed`
    Provider(settlement::Provider),
    /// `service.opened` with its account, `service.changed`, `service.suspended`, `service.resumed`
    Service(Box<settlement::Service>),
    /// `terminal.registered` and what else the back office does about terminals
    Terminal(Box<terminal::TerminalChange>),
    /// `shift.opened`, `shift.closed`
    Shift(terminal::Shift),
}

impl Fact {
    /// Reads what was recorded.
    pub fn of(events: &[Recorded], entries: &[EntryAfter], known: &Known) -> Result<Self, Unreadable> {
        let first = events.first().ok_or(Unreadable)?;
        Ok(match &*first.kind {
            event::ASSET_REGISTERED => Self::Asset(account::Asset::registered(first)?),
            event::ACCOUNT_OPENED => Self::Account(account::Account::opened(first)?),
            event::ACCOUNT_CHANGED => Self::Account(account::Account::changed(first, known)?),
            event::TRANSACTION_POSTED => Self::Transaction(transaction::Transaction::posted(first, entries, known)?),
            event::TRANSACTION_REVERSED => Self::Reversal(transaction::Reversal::of(first, entries, known)?),
            event::HOLD_PLACED => Self::Hold(hold::Hold::placed(first, entries, known)?),
            event::HOLD_CAPTURED => {
                Self::Capture(hold::Capture::of(first, events.get(1).ok_or(Unreadable)?, entries, known)?)
            }
            event::HOLD_RELEASED | event::HOLD_EXTENDED | event::HOLD_INCREMENTED => {
                Self::HoldChange(hold::HoldChange::of(first, entries, known)?)
            }
            HOLDER_REGISTERED | HOLDER_ERASED => Self::Holder(holder::Holder::recorded(first)),
            CITIZEN_RESET => Self::Reset(holder::CitizenReset::recorded(first)),
            STAFF_INVITED | STAFF_ROLES_CHANGED | STAFF_GRANTS_CHANGED | STAFF_UNIT_CHANGED | STAFF_SUSPENDED
            | STAFF_RESUMED | STAFF_FACTOR_CHANGED => Self::Staff(staff::StaffUser::recorded(first)?),
            UNIT_CREATED | UNIT_CHANGED => Self::Unit(staff::StaffUnit::recorded(first)?),
            STAFF_SESSION_ENDED => Self::Session(staff::SessionEnded::recorded(first)?),
            MONEY_ISSUED | MONEY_REDEEMED => Self::Issuance(Box::new(payment::Issuance::of(events, entries, known)?)),
            ALIAS_REGISTERED => Self::Alias(alias::Alias::registered(first)?),
            TRANSFER_REQUESTED => Self::Transfer(Box::new(transfer::Transfer::requested(first)?)),
            TRANSFER_CONFIRMED => {
                let posted = events.get(1).ok_or(Unreadable)?;
                Self::Confirmation(transfer::Confirmation::of(first, posted, entries, known)?)
            }
            LIMITS_CHANGED => Self::Limits(limits::LimitsAsked::of(first)?),
            PRICES_CHANGED => Self::Prices(payment::Prices::of(first)?),
            TOPUP_REQUESTED => Self::TopUp(Box::new(funding::TopUp::recorded(first)?)),
            WITHDRAWAL_REQUESTED => Self::Withdrawal(Box::new(funding::Withdrawal::requested(first)?)),
            WITHDRAWAL_APPROVED => Self::Withdrawal(Box::new(funding::Withdrawal::approved(events, entries, known)?)),
            CHARGE_AUTHORISED => Self::ChargeConfirmation(charge::ChargeConfirmation::recorded(first)?),
            MANDATE_REQUESTED => Self::Mandate(Box::new(mandate::Mandate::requested(first)?)),
            MANDATE_ACTIVATED => Self::MandateConsent(mandate::MandateConsent::recorded(first)?),
            PROVIDER_REGISTERED | PROVIDER_CHANGED => Self::Provider(settlement::Provider::recorded(first)?),
            SERVICE_OPENED | SERVICE_CHANGED | SERVICE_SUSPENDED | SERVICE_RESUMED => {
                Self::Service(Box::new(settlement::Service::recorded(first)?))
            }
            kind if kind.starts_with("terminal.") => {
                Self::Terminal(Box::new(terminal::TerminalChange::recorded(first)?))
            }
            terminals::SHIFT_OPENED | terminals::SHIFT_CLOSED => Self::Shift(terminal::Shift::recorded(first)?),
            _ => return Err(Unreadable),
        })
    }

    /// The status of having done it now.
    pub fn status(&self) -> u16 {
        match self {
            Self::Asset(_)
            | Self::Transaction(_)
            | Self::Reversal(_)
            | Self::Hold(_)
            | Self::Capture(_)
            | Self::Alias(_)
            | Self::Transfer(_)
            | Self::TopUp(_)
            | Self::Mandate(_)
            | Self::Issuance(_) => 201,
            Self::Withdrawal(withdrawal) if withdrawal.approved_at.is_none() => 201,
            Self::Account(account) if account.settings_version == 1 => 201,
            Self::Holder(holder) if holder.erasure.is_none() => 201,
            Self::Staff(user) if user.is_new() => 201,
            Self::Unit(unit) if unit.is_new() => 201,
            Self::Provider(provider) if provider.version == 1 => 201,
            Self::Service(service) if service.version == 1 => 201,
            Self::Terminal(change) if change.is_new() => 201,
            Self::Shift(shift) if shift.is_open() => 201,
            Self::Account(_)
            | Self::HoldChange(_)
            | Self::Holder(_)
            | Self::Reset(_)
            | Self::Staff(_)
            | Self::Session(_)
            | Self::Unit(_)
            | Self::ChargeConfirmation(_)
            | Self::MandateConsent(_)
            | Self::Provider(_)
            | Self::Service(_)
            | Self::Terminal(_)
            | Self::Shift(_)
            | Self::Confirmation(_)
            | Self::Limits(_)
            | Self::Withdrawal(_)
            | Self::Prices(_) => 200,
        }
    }

    /// The member that holds it in a result of a batch.
    pub fn member(&self) -> &'static str {
        match self {
            Self::Asset(_) => "asset",
            Self::Account(_) => "account",
            Self::Transaction(_) => "transaction",
            Self::Reversal(_) => "reversal",
            Self::Hold(_) => "hold",
            Self::Capture(_) => "capture",
            Self::HoldChange(change) => change.member(),
            Self::Holder(_) => "holder",
            Self::Reset(_) => "reset",
            Self::Staff(_) => "user",
            Self::Session(_) => "session",
            Self::Issuance(_) => "issuance",
            Self::Alias(_) => "alias",
            Self::Transfer(_) => "transfer",
            Self::Confirmation(_) => "confirmation",
            Self::Limits(_) => "limits",
            Self::Prices(_) => "prices",
            Self::TopUp(_) => "top_up",
            Self::Withdrawal(_) => "withdrawal",
            Self::Unit(_) => "unit",
            Self::ChargeConfirmation(_) => "charge",
            Self::Mandate(_) | Self::MandateConsent(_) => "mandate",
            Self::Provider(_) => "provider",
            Self::Service(_) => "service",
            Self::Terminal(_) => "terminal",
            Self::Shift(_) => "shift",
        }
    }

    /// The body.
    pub fn bytes(&self) -> Vec<u8> {
        // Structs of strings and numbers always serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// The answer of a single write, as it is stored with its key. Runs inside the writer: kept cheap.
pub fn single(done: &Done, known: &Known, shown: &Shown) -> Answer {
    match done.outcomes.first() {
        Some(Outcome::Refused(refusal)) => refused(refusal, shown),
        Some(Outcome::Applied(applied)) => applied_now(applied, known, None),
        Some(Outcome::Already(applied)) => applied_now(applied, known, Some(200)),
        None => Answer { status: 500, code: None, body: StoredBody::Rendered },
    }
}

fn refused(refusal: &Refusal, shown: &Shown) -> Answer {
    let problem = Problem::from(refusal.clone());
    Answer { status: problem.status(), code: Some(refusal.code), body: StoredBody::Whole(problem.document(shown)) }
}

fn applied_now(applied: &Applied, known: &Known, status: Option<u16>) -> Answer {
    let Ok(fact) = Fact::of(&applied.events, &applied.entries, known) else {
        tracing::error!(
            position = applied.events.first().map(|e| e.position),
            "the facts just recorded cannot be shown"
        );
        return Answer { status: status.unwrap_or(200), code: None, body: StoredBody::Rendered };
    };
    let body = fact.bytes();
    let body = if body.len() <= KEPT_BYTES { StoredBody::Whole(body) } else { StoredBody::Rendered };
    Answer { status: status.unwrap_or(fact.status()), code: None, body }
}

/// An answer that nobody may keep.
pub fn unstored(answer: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(answer)
}

/// The facts of an event as they were recorded.
pub fn payload(recorded: String) -> Result<Box<RawValue>, Problem> {
    let shown = RawValue::from_string(recorded);
    shown.map_err(|_| Problem::new(Code::InternalError, "the recorded facts cannot be shown"))
}

/// An instant as answers write it.
pub fn time(at: Instant) -> String {
    instant::to_text(at)
}

/// An account that a fact names.
pub fn identity(known: &Known, id: uuid::Uuid) -> Result<&Identity, Unreadable> {
    known.accounts.get(&id).map(AsRef::as_ref).ok_or(Unreadable)
}

/// The payload's own facts.
pub fn facts<'a, T: serde::Deserialize<'a>>(recorded: &'a Recorded) -> Result<T, Unreadable> {
    serde_json::from_str(&recorded.payload).map_err(|_| Unreadable)
}

/// The entry that an event left on an account.
pub fn entry(entries: &[EntryAfter], position: i64, account: uuid::Uuid) -> Option<&EntryAfter> {
    entries.iter().find(|entry| entry.position == position && entry.account == account)
}
