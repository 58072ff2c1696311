//! A terminal folded from the stream, and what may become of it. Pure.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::event::{
    self, Command, TerminalCertificate, TerminalChanged, TerminalCodeIssued, TerminalConfigured, TerminalEnrolled,
    TerminalObeyed, TerminalOrdered, TerminalRegistered, TerminalRenewed,
};
use super::revoker;
use super::serial::Serial;
use super::shift::Shifts;
use super::status::Status;
use crate::event_store::personal::Change;
use crate::event_store::proposal::{NewEvent, StreamVersion};
use crate::event_store::{Applied, Decision, Proposal, Recorded};
use crate::kernel::{Instant, Metadata, Refusal, RefusalCode};

/// How often a device says that it is there, unless it is told otherwise.
const HEARTBEAT_SECONDS: u32 = 60;
/// Orders that a device has not carried out yet.
const ORDERS: usize = 10;

/// What a device is to be and do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The version of the stream that brought it.
    pub version: i32,
    /// What is in force.
    pub says: TerminalConfigured,
}

/// A code that brings a device in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// Which.
    pub code: Uuid,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

/// A terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terminal {
    /// Its id: the stream.
    pub id: Uuid,
    /// What is written on it.
    pub serial: String,
    /// What its maker calls it.
    pub model: String,
    /// What it is to be and do.
    pub config: Config,
    /// The code that counts.
    pub code: Option<Issued>,
    /// What it proves itself with.
    pub certificate: Option<TerminalCertificate>,
    /// What it proved itself with before.
    pub previous: Option<TerminalCertificate>,
    /// What it has been told and not yet done.
    pub orders: Vec<TerminalOrdered>,
    /// Who works at it.
    pub shifts: Shifts,
    /// When it was registered, or registered anew.
    pub registered_at: Instant,
    status: Status,
    /// The event that brought the status.
    since: Recorded,
    last: Recorded,
}

impl Terminal {
    /// Folds a stream; `None` when it is not a terminal's. What this version does not know changes nothing.
    pub fn fold(events: &[Recorded]) -> Option<Self> {
        let (first, rest) = events.split_first()?;
        let begun = Self::registered(first)?;
        rest.iter().try_fold(begun, Self::evolve)
    }

    fn registered(recorded: &Recorded) -> Option<Self> {
        if recorded.kind != event::TERMINAL_REGISTERED {
            return None;
        }
        let TerminalRegistered { serial, model, service, unit } = recorded.says()?;
        let says = TerminalConfigured {
            service,
            unit,
            label: None,
            heartbeat_seconds: HEARTBEAT_SECONDS,
            settings: Metadata::default(),
        };
        Some(Self {
            id: recorded.stream,
            serial,
            model,
            config: Config { version: recorded.version, says },
            code: None,
            certificate: None,
            previous: None,
            orders: Vec::new(),
            shifts: Shifts::default(),
            registered_at: recorded.recorded_at,
            status: Status::Provisioned,
            since: recorded.clone(),
            last: recorded.clone(),
        })
    }

    fn evolve(mut self, recorded: &Recorded) -> Option<Self> {
        self.last = recorded.clone();
        let status = match &*recorded.kind {
            event::TERMINAL_REGISTERED => {
                // Numbers of shifts go on: what they stand on in books is for ever.
                return Self::registered(recorded).map(|anew| Self { shifts: self.shifts.ended(), ..anew });
            }
            event::TERMINAL_CONFIGURED => {
                self.config = Config { version: recorded.version, says: recorded.says()? };
                return Some(self);
            }
            event::TERMINAL_CODE_ISSUED => {
                let TerminalCodeIssued { code, expires_at } = recorded.says()?;
                self.code = Some(Issued { code, expires_at });
                Status::CodeIssued
            }
            event::TERMINAL_ENROLLED => {
                self.certificate = Some(recorded.says::<TerminalEnrolled>()?.certificate);
                Status::Active
            }
            event::TERMINAL_RENEWED => {
                let certificate = recorded.says::<TerminalRenewed>()?.certificate;
                self.previous = self.certificate.replace(certificate);
                // That was what it was told.
                self.orders.retain(|known| known.command != Command::RotateCert);
                return Some(self);
            }
            event::TERMINAL_SUSPENDED => Status::Suspended,
            event::TERMINAL_RESUMED => Status::Active,
            event::TERMINAL_LOST => Status::Lost,
            event::TERMINAL_REVOKED => Status::Revoked,
            event::TERMINAL_RETIRED => Status::Retired,
            event::TERMINAL_ORDERED => {
                self.orders.push(recorded.says()?);
                return Some(self);
            }
            event::TERMINAL_OBEYED => {
                let TerminalObeyed { order } = recorded.says()?;
                self.orders.retain(|known| known.order != order);
                return Some(self);
            }
            _ => return self.shifts.evolve(recorded).map(|shifts| Self { shifts, ..self }),
        };
        (self.status, self.since) = (status, recorded.clone());
        Some(self)
    }

    /// Where it stands: a code whose time is over brings nobody in.
    pub fn status(&self, now: DateTime<Utc>) -> Status {
        let is_over = self.code.is_none_or(|issued| issued.expires_at <= now);
        if self.status == Status::CodeIssued && is_over { Status::Provisioned } else { self.status }
    }

    /// What it proves itself with, and what it proved itself with before.
    pub fn certificates(&self) -> impl Iterator<Item = &TerminalCertificate> {
        self.certificate.iter().chain(&self.previous)
    }

    /// The same device once more, after it was retired.
    pub fn register_anew(&self, says: &TerminalRegistered) -> Decision {
        if self.status == Status::Retired {
            return self.propose(event::TERMINAL_REGISTERED, says);
        }
        let refusal = Refusal::new(RefusalCode::NameTaken, "a terminal has this serial number").at("/serial");
        Decision::Refuse(refusal, self.at())
    }

    /// Another purpose, place or settings.
    pub fn configure(&self, says: &TerminalConfigured) -> Decision {
        if self.status == Status::Retired {
            return self.refuse("the terminal is retired");
        }
        self.propose(event::TERMINAL_CONFIGURED, says)
    }

    /// A code that brings it in; another one ends the one before.
    pub fn issue_code(&self, issued: Issued) -> Decision {
        match self.status {
            Status::Provisioned | Status::CodeIssued => {
                let Issued { code, expires_at } = issued;
                self.propose(event::TERMINAL_CODE_ISSUED, &TerminalCodeIssued { code, expires_at })
            }
            other => self.refuse(&format!("the terminal is {}; a code brings in one that is not", other.as_str())),
        }
    }

    /// Its first certificate, by the code that counts. What the log knows already is answered like the first time.
    pub fn enrol(&self, code: Uuid, certificate: &TerminalCertificate) -> Decision {
        let is_at_work = matches!(self.status, Status::Active | Status::Suspended);
        if is_at_work && self.certificate.as_ref() == Some(certificate) {
            return self.already();
        }
        if self.status != Status::CodeIssued || self.code.is_none_or(|issued| issued.code != code) {
            return self.refuse("no code is to bring this terminal in");
        }
        let says = TerminalEnrolled { code, certificate: certificate.clone() };
        self.propose(event::TERMINAL_ENROLLED, &says)
    }

    /// Whether its certificate may be renewed: two thirds of its life are over, or it was told to.
    pub fn may_renew(&self, now: DateTime<Utc>) -> bool {
        let is_told = self.orders.iter().any(|order| order.command == Command::RotateCert);
        is_told || self.certificate.as_ref().is_some_and(|own| now >= own.renewable_from())
    }

    /// Another certificate over another key.
    pub fn renew(&self, certificate: &TerminalCertificate) -> Decision {
        if self.status != Status::Active {
            return self.refuse("the terminal is not active");
        }
        if self.certificate.as_ref() == Some(certificate) {
            return self.already();
        }
        self.propose(event::TERMINAL_RENEWED, &TerminalRenewed { certificate: certificate.clone() })
    }

    /// Not for a while.
    pub fn suspend(&self) -> Decision {
        self.change(&[Status::Active], Status::Suspended, event::TERMINAL_SUSPENDED)
    }

    /// Again.
    pub fn resume(&self) -> Decision {
        self.change(&[Status::Suspended], Status::Active, event::TERMINAL_RESUMED)
    }

    /// Nobody knows where it is: its certificates are worth nothing.
    pub fn lose(&self, tenant: Uuid) -> Decision {
        let lost = self.change(&[Status::Active, Status::Suspended], Status::Lost, event::TERMINAL_LOST);
        self.revoking(tenant, lost)
    }

    /// For good.
    pub fn revoke(&self, tenant: Uuid) -> Decision {
        let from = [Status::Active, Status::Suspended, Status::Lost];
        self.revoking(tenant, self.change(&from, Status::Revoked, event::TERMINAL_REVOKED))
    }

    /// Out of the inventory. One that never was at work has nothing that would have to be revoked before.
    pub fn retire(&self) -> Decision {
        let from = [Status::Provisioned, Status::CodeIssued, Status::Revoked];
        self.change(&from, Status::Retired, event::TERMINAL_RETIRED)
    }

    /// Something to be done by the device.
    pub fn order(&self, order: Uuid, command: Command) -> Decision {
        if !matches!(self.status, Status::Active | Status::Suspended) {
            return self.refuse("the terminal is not at work");
        }
        if self.orders.len() >= ORDERS {
            return self.refuse(&format!("the terminal has {ORDERS} orders that it has not carried out"));
        }
        self.propose(event::TERMINAL_ORDERED, &TerminalOrdered { order, command })
    }

    /// The device says what it has done; orders that it does not have are none.
    pub fn obey(&self, orders: &[Uuid]) -> Decision {
        let done = self.orders.iter().map(|known| known.order).filter(|order| orders.contains(order));
        self.propose_all((0..).zip(done).map(|(ahead, order)| {
            NewEvent::fact(self.id, self.last.version + ahead, event::TERMINAL_OBEYED, &TerminalObeyed { order })
        }))
    }

    /// Somebody opened the device.
    pub fn tamper(&self) -> Decision {
        self.propose(event::TERMINAL_TAMPERED, &TerminalChanged {})
    }

    /// Somebody begins to work at it.
    pub fn open_shift(&self, operator: &str) -> Decision {
        match self.shifts.open(operator) {
            Ok(says) => self.propose(event::SHIFT_OPENED, &says),
            Err(detail) => self.refuse(&detail),
        }
    }

    /// They end.
    pub fn close_shift(&self, shift: i32) -> Decision {
        match self.shifts.close(shift) {
            Ok(says) => self.propose(event::SHIFT_CLOSED, &says),
            Err(refusal) => Decision::Refuse(refusal, self.at()),
        }
    }

    /// How many events there are.
    pub fn version(&self) -> i32 {
        self.last.version
    }

    fn change(&self, from: &[Status], to: Status, kind: &'static str) -> Decision {
        if self.status == to && self.since.kind == kind {
            return Decision::Already(Applied { events: vec![self.since.clone()], entries: Vec::new() });
        }
        if !from.contains(&self.status) {
            return self.refuse(&format!("the terminal is {}", self.status.as_str()));
        }
        self.propose(kind, &TerminalChanged {})
    }

    /// In the same commit Vault's revocation is asked for, until it is done; the log's word counts at once.
    fn revoking(&self, tenant: Uuid, decision: Decision) -> Decision {
        let Decision::Propose(proposal) = decision else { return decision };
        let asks = self.certificates().map(|own| revoker::ask(tenant, own)).collect();
        let personal = Some(Box::new(Change { asks, ..Change::default() }));
        Decision::Propose(Proposal { personal, ..proposal })
    }

    fn at(&self) -> Vec<StreamVersion> {
        vec![StreamVersion { stream: self.id, version: self.last.version }]
    }

    fn refuse(&self, detail: &str) -> Decision {
        Decision::Refuse(Refusal::new(RefusalCode::InvalidState, detail), self.at())
    }

    fn already(&self) -> Decision {
        Decision::Already(Applied { events: vec![self.last.clone()], entries: Vec::new() })
    }

    fn propose(&self, kind: &'static str, says: &impl Serialize) -> Decision {
        self.propose_all([NewEvent::fact(self.id, self.last.version, kind, says)])
    }

    fn propose_all(&self, events: impl IntoIterator<Item = NewEvent>) -> Decision {
        let events: Vec<NewEvent> = events.into_iter().collect();
        if events.is_empty() {
            return self.already();
        }
        Decision::Propose(Proposal { events, ..Proposal::default() })
    }
}

impl TerminalCertificate {
    /// When two thirds of its life are over.
    pub fn renewable_from(&self) -> DateTime<Utc> {
        self.not_before + (self.not_after - self.not_before) * 2 / 3
    }
}

/// The facts of a device that nobody has registered.
pub fn register(tenant: Uuid, serial: &Serial, says: &TerminalRegistered) -> Decision {
    let event = NewEvent::fact(serial.terminal(tenant), 0, event::TERMINAL_REGISTERED, says);
    Decision::Propose(Proposal { events: vec![event], ..Proposal::default() })
}
