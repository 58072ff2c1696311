//! Accounts: one asset, one normal side, bounds, switches and a status.
//!
//! Name, asset and normal side are fixed at the opening; a closed account stays closed.

use super::event::{self, AccountChanged, AccountOpened};
use super::known::{Known, Side};
use super::returns::Returns;
use super::transaction::to_payload;
use crate::event_store::Recorded;
use crate::event_store::proposal::{
    Decision, EntryKind, NewEvent, Proposal, Settings, SettingsChange, Status, StreamVersion,
};
use crate::kernel::{Metadata, Minor, Refusal, RefusalCode, metadata, name};
use uuid::Uuid;

/// The command to open an account.
#[derive(Debug, Clone)]
pub struct Open {
    /// Drawn by the service, used when there is no name.
    pub fresh_id: Uuid,
    /// Unique per tenant and asset.
    pub name: Option<String>,
    /// The asset's code.
    pub asset: String,
    /// The side that raises it.
    pub normal_side: Side,
    /// Decimal text; `None` is unlimited.
    pub min_balance: Option<String>,
    /// Decimal text; `None` is unlimited.
    pub max_balance: Option<String>,
    /// The integrator's own facts.
    pub metadata: Metadata,
}

impl Open {
    /// The id that the account gets.
    pub fn id(&self, tenant: Uuid) -> Uuid {
        self.name.as_ref().map_or(self.fresh_id, |text| name::account_id(tenant, text, &self.asset))
    }
}

/// Decides an opening.
pub fn open(command: &Open, tenant: Uuid, known: &Known) -> Result<Decision, Refusal> {
    if command.name.as_deref().is_some_and(|text| !name::is_account_name(text)) {
        return Err(Refusal::new(RefusalCode::ValidationFailed, "a name is 1 to 255 of a-z 0-9 : _ . % -").at("/name"));
    }
    metadata::check(&command.metadata)?;
    let Some(scale) = known.assets.get(&command.asset).copied() else {
        return Ok(Decision::Refuse(
            Refusal::new(RefusalCode::UnknownAsset, format!("the asset {} is not registered", command.asset))
                .at("/asset"),
            Vec::new(),
        ));
    };
    let settings = AccountChanged {
        min_balance: bound(command.min_balance.as_deref(), scale, "/min_balance")?,
        max_balance: bound(command.max_balance.as_deref(), scale, "/max_balance")?,
        sends: true,
        receives: true,
        status: Status::Open,
        reason: None,
        by_owner: false,
    };
    check_bounds(&settings)?;
    let id = command.id(tenant);
    if known.accounts.contains_key(&id) {
        return Ok(Decision::Refuse(
            Refusal::new(RefusalCode::NameTaken, "an account of this name and asset exists").at("/name"),
            Vec::new(),
        ));
    }
    let change = SettingsChange { account: id, scale, settings: to_settings(&settings, 1) };
    let facts = AccountOpened {
        name: command.name.clone(),
        asset: command.asset.clone(),
        scale,
        normal_side: command.normal_side,
        settings,
        metadata: command.metadata.clone(),
    };
    let event = NewEvent {
        fresh: command.name.is_none(),
        ..settings_event(id, 0, event::ACCOUNT_OPENED, to_payload(&facts), change)
    };
    Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
}

/// What a command changes about an account.
#[derive(Debug, Clone)]
pub struct Change {
    /// The account.
    pub account: Uuid,
    /// The settings version of If-Match.
    pub expected: Option<i32>,
    /// What to change.
    pub what: What,
}

/// The changes that an account knows.
#[derive(Debug, Clone)]
pub enum What {
    /// Bounds and switches; an absent member stays as it is.
    Limits(Limits),
    /// Nothing moves but returns of held money.
    Freeze(Option<String>),
    /// Back to normal.
    Unfreeze,
    /// For ever; needs zero in every balance, and nothing that may come back.
    Close(Option<String>),
    /// Its owner freezes it. One that is frozen stays as it is: a recovery would else lift what the back office did.
    FreezeOwn(Option<String>),
    /// Its owner closes it. What is frozen is the back office's to close: somebody may be looking into it.
    CloseOwn,
}

impl What {
    /// Whether the account ends with it.
    pub fn is_closing(&self) -> bool {
        matches!(self, Self::Close(_) | Self::CloseOwn)
    }
}

/// Bounds and switches to change.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// `Some(None)` is unlimited.
    pub min_balance: Option<Option<String>>,
    /// `Some(None)` is unlimited.
    pub max_balance: Option<Option<String>>,
    /// Money may leave.
    pub sends: Option<bool>,
    /// Money may arrive.
    pub receives: Option<bool>,
}

/// An account folded from its stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its stream.
    pub id: Uuid,
    /// Its settings version.
    pub version: i32,
    /// What was fixed at the opening.
    pub opened: AccountOpened,
    /// What holds now.
    pub settings: AccountChanged,
}

impl Account {
    /// Folds a stream; `None` when it is not an account's.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let first = events.first().filter(|e| e.kind == event::ACCOUNT_OPENED)?;
        let last = events.last()?;
        let opened: AccountOpened = first.says()?;
        // Each change states all settings, so the newest event is the state.
        let settings = if events.len() == 1 { opened.settings.clone() } else { last.says()? };
        Some(Self { id: first.stream, version: last.version, opened, settings })
    }

    /// The settings with another status.
    fn becoming(&self, status: Status, reason: Option<String>) -> AccountChanged {
        AccountChanged { status, reason, by_owner: false, ..self.settings.clone() }
    }

    /// The fact that other settings hold.
    fn changed(&self, settings: &AccountChanged) -> NewEvent {
        let change = SettingsChange {
            account: self.id,
            scale: self.opened.scale,
            settings: to_settings(settings, self.version + 1),
        };
        settings_event(self.id, self.version, event::ACCOUNT_CHANGED, to_payload(settings), change)
    }
}

/// Decides a change. What may come back is looked at by a closing only.
pub fn change(command: &Change, account: &Account, returns: &Returns) -> Result<Decision, Refusal> {
    let current = StreamVersion { stream: account.id, version: account.version };
    let refuse = |refusal| Ok(Decision::Refuse(refusal, vec![current]));
    if command.expected.is_some_and(|expected| expected != account.version) {
        return refuse(Refusal::new(
            RefusalCode::VersionMismatch,
            format!("the account's settings are at version {}", account.version),
        ));
    }
    if account.settings.status == Status::Closed {
        return refuse(Refusal::new(RefusalCode::AccountClosed, "the account is closed"));
    }
    if account.settings.status == Status::Frozen && matches!(command.what, What::FreezeOwn(_) | What::CloseOwn) {
        return refuse(Refusal::new(RefusalCode::InvalidState, "the account is frozen"));
    }
    let settings = match &command.what {
        What::Limits(limits) => limited(limits, account)?,
        What::Freeze(reason) => account.becoming(Status::Frozen, reason.clone()),
        What::FreezeOwn(reason) => {
            AccountChanged { by_owner: true, ..account.becoming(Status::Frozen, reason.clone()) }
        }
        What::Unfreeze => account.becoming(Status::Open, None),
        What::Close(reason) => account.becoming(Status::Closed, reason.clone()),
        What::CloseOwn => account.becoming(Status::Closed, None),
    };
    let proposal = Proposal { events: vec![account.changed(&settings)], ..Proposal::default() };
    if !command.what.is_closing() {
        return Ok(Decision::Propose(proposal));
    }
    Ok(match returns.none() {
        Ok(expected) => {
            Decision::Propose(Proposal { must_be_empty: vec![account.id], expects: vec![expected], ..proposal })
        }
        Err((refusal, seen)) => Decision::Refuse(refusal, vec![current, seen]),
    })
}

/// What takes back that its owner froze an account; `None` when it is not frozen, or by somebody else.
pub fn thaw(account: &Account) -> Option<NewEvent> {
    let is_own = account.settings.status == Status::Frozen && account.settings.by_owner;
    is_own.then(|| account.changed(&account.becoming(Status::Open, None)))
}

fn limited(limits: &Limits, account: &Account) -> Result<AccountChanged, Refusal> {
    let scale = account.opened.scale;
    let mut settings = account.settings.clone();
    if let Some(min) = &limits.min_balance {
        settings.min_balance = bound(min.as_deref(), scale, "/min_balance")?;
    }
    if let Some(max) = &limits.max_balance {
        settings.max_balance = bound(max.as_deref(), scale, "/max_balance")?;
    }
    settings.sends = limits.sends.unwrap_or(settings.sends);
    settings.receives = limits.receives.unwrap_or(settings.receives);
    check_bounds(&settings)?;
    Ok(settings)
}

fn bound(text: Option<&str>, scale: u8, pointer: &str) -> Result<Option<Minor>, Refusal> {
    text.map(|text| {
        Minor::parse_balance(text, scale)
            .map_err(|error| Refusal::new(RefusalCode::ValidationFailed, format!("the balance {error}")).at(pointer))
    })
    .transpose()
}

fn check_bounds(settings: &AccountChanged) -> Result<(), Refusal> {
    match (settings.min_balance, settings.max_balance) {
        (Some(min), Some(max)) if min > max => {
            Err(Refusal::new(RefusalCode::ValidationFailed, "the minimum is above the maximum").at("/min_balance"))
        }
        _ => Ok(()),
    }
}

/// What the writer keeps of the facts.
pub fn to_settings(facts: &AccountChanged, version: i32) -> Settings {
    Settings {
        version,
        min_balance: facts.min_balance,
        max_balance: facts.max_balance,
        sends: facts.sends,
        receives: facts.receives,
        status: facts.status,
    }
}

fn settings_event(id: Uuid, expected: i32, kind: &'static str, payload: String, change: SettingsChange) -> NewEvent {
    NewEvent {
        stream: id,
        expected,
        fresh: false,
        kind,
        payload,
        effective_at: None,
        entry_kind: EntryKind::Posting,
        moves: Vec::new(),
        settings: Some(change),
    }
}
