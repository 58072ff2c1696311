//! Terminals as they are answered: to a change with what it changed, for answers follow from their event alone.

use super::{Unreadable, facts, time};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;
use vintem_core::event_store::Recorded;
use vintem_core::terminals::event::{
    self, ShiftClosed, ShiftOpened, TerminalCodeIssued, TerminalConfigured, TerminalOrdered, TerminalRegistered,
};
use vintem_core::terminals::{Config, Heartbeat, Row, Status, Terminal};

/// What a terminal is to be and do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TerminalConfig {
    /// It grows with every change.
    #[schema(example = 3)]
    pub version: i32,
    /// What payers pay for at it.
    pub service_id: Uuid,
    /// Where it belongs; absent is nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
    /// What payers are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Market hall, stall 7")]
    pub label: Option<String>,
    /// How often it says that it is there.
    #[schema(example = 60)]
    pub heartbeat_seconds: u32,
    /// What its maker and its owner agree on.
    pub settings: BTreeMap<String, String>,
}

/// A certificate of a terminal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TerminalCertificateShown)]
pub struct CertificateShown {
    /// Its number.
    #[schema(example = "4a:07:…")]
    pub number: String,
    /// The SHA-256 of its bytes.
    pub fingerprint: String,
    /// From when it is renewed.
    #[schema(example = "2026-03-21T12:00:00.000000Z")]
    pub renewable_from: String,
    /// When it ends.
    #[schema(example = "2026-03-31T12:00:00.000000Z")]
    pub expires_at: String,
}

/// Something that a terminal is to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct TerminalOrder {
    /// What it is named by when it is done.
    pub id: Uuid,
    /// `rotate_cert`, `close_batch`, `lock` or `wipe`.
    #[schema(example = "close_batch")]
    pub command: String,
}

/// What a terminal said of itself last.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeartbeatShown {
    /// When.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub received_at: String,
    /// Whether it has said nothing for three times as long as it was told.
    pub is_away: bool,
    /// What runs on it.
    #[schema(example = "2.4.1")]
    pub version: String,
    /// The number of its last message.
    #[schema(example = 1842)]
    pub last_seq: i64,
    /// How far its clock is ahead, in milliseconds.
    #[schema(example = -120)]
    pub skew_ms: i64,
    /// Whether it says that somebody opened it.
    pub tamper: bool,
    /// Payments that it took without a network.
    pub offline_count: i32,
    /// And how much they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline_amount: Option<String>,
}

/// A terminal of the fleet.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetTerminal {
    /// Its id.
    pub id: Uuid,
    /// What is written on it.
    #[schema(example = "PX-200431")]
    pub serial: String,
    /// What its maker calls its kind.
    #[schema(example = "Pax A920")]
    pub model: String,
    /// `provisioned`, `code_issued`, `active`, `suspended`, `lost`, `revoked` or `retired`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// When it was registered.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub registered_at: String,
    /// What it is to be and do.
    pub config: TerminalConfig,
    /// What it proves itself with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateShown>,
    /// What it was told and has not done yet.
    pub orders: Vec<TerminalOrder>,
    /// The number of its last shift; 0 is none.
    #[schema(example = 12)]
    pub shift: i32,
    /// Who works in it; absent when it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "A07")]
    pub operator: Option<String>,
    /// What it said of itself last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<HeartbeatShown>,
}

/// A terminal in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct FleetRow {
    /// Its id.
    pub id: Uuid,
    /// What is written on it.
    #[schema(example = "PX-200431")]
    pub serial: String,
    /// What its maker calls its kind.
    #[schema(example = "Pax A920")]
    pub model: String,
    /// Where it stands; a code whose time is over still shows as `code_issued` here.
    #[schema(example = "active")]
    pub status: String,
    /// What payers pay for at it.
    pub service_id: Uuid,
    /// Where it belongs; absent is nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
}

/// What a change made of a terminal; what it left alone is absent.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct TerminalChange {
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "suspended")]
    pub status: Option<&'static str>,
    /// What is written on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "PX-200431")]
    pub serial: Option<String>,
    /// What its maker calls its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Pax A920")]
    pub model: Option<String>,
    /// What payers pay for at it, and where it belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<Uuid>,
    /// Where it belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<Uuid>,
    /// All that it is to be and do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<TerminalConfig>,
    /// What it is to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<TerminalOrder>,
    /// Until when the code may be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-01T12:15:00.000000Z")]
    pub code_expires_at: Option<String>,
    /// To be typed on the device. In the first answer only, and kept nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "7K3M0-9QXT4")]
    pub activation_code: Option<String>,
    #[serde(skip)]
    is_new: bool,
}

/// A shift at a terminal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TerminalShift)]
pub struct Shift {
    /// Its number on this terminal.
    #[schema(example = 12)]
    pub shift: i32,
    /// `open` or `closed`.
    #[schema(example = "open")]
    pub status: &'static str,
    /// Who works.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "A07")]
    pub operator: Option<String>,
    /// When this was recorded.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub recorded_at: String,
}

impl TerminalConfig {
    /// As of now.
    pub fn of(config: &Config) -> Self {
        Self::said(config.version, config.says.clone())
    }

    fn said(version: i32, says: TerminalConfigured) -> Self {
        let TerminalConfigured { service, unit, label, heartbeat_seconds, settings } = says;
        Self { version, service_id: service, unit, label, heartbeat_seconds, settings }
    }
}

impl FleetTerminal {
    /// As of an instant.
    pub fn of(terminal: &Terminal, now: chrono::DateTime<chrono::Utc>, heartbeat: Option<Heartbeat>) -> Self {
        let patience = vintem_core::terminals::patience(terminal.config.says.heartbeat_seconds);
        let certificate = terminal.certificate.as_ref().map(|own| CertificateShown {
            number: own.number.clone(),
            fingerprint: own.fingerprint.clone(),
            renewable_from: time(own.renewable_from()),
            expires_at: time(own.not_after),
        });
        let orders = terminal.orders.iter();
        Self {
            id: terminal.id,
            serial: terminal.serial.clone(),
            model: terminal.model.clone(),
            status: terminal.status(now).as_str(),
            registered_at: time(terminal.registered_at),
            config: TerminalConfig::of(&terminal.config),
            certificate,
            orders: orders.map(|known| TerminalOrder::of(known.order, known.command.as_str())).collect(),
            shift: terminal.shifts.last,
            operator: terminal.shifts.operator.clone(),
            heartbeat: heartbeat.map(|beat| HeartbeatShown {
                is_away: now - beat.received_at > chrono::TimeDelta::from_std(patience).unwrap_or_default(),
                received_at: time(beat.received_at),
                version: beat.software,
                last_seq: beat.last_seq,
                skew_ms: beat.skew_ms,
                tamper: beat.tampered,
                offline_count: beat.offline_count,
                offline_amount: beat.offline_amount,
            }),
        }
    }
}

impl From<Row> for FleetRow {
    fn from(row: Row) -> Self {
        let Row { terminal, serial, model, status, service, unit, .. } = row;
        Self { id: terminal, serial, model, status, service_id: service, unit }
    }
}

impl TerminalOrder {
    /// As a terminal is told.
    pub fn of(id: Uuid, command: &str) -> Self {
        Self { id, command: command.to_owned() }
    }
}

impl TerminalChange {
    /// After the event that a change recorded.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let change = Self { id: recorded.stream, ..Self::default() };
        let status = |status: Status| Some(status.as_str());
        Ok(match &*recorded.kind {
            event::TERMINAL_REGISTERED => {
                let TerminalRegistered { serial, model, service, unit } = facts(recorded)?;
                Self {
                    status: status(Status::Provisioned),
                    serial: Some(serial),
                    model: Some(model),
                    service_id: Some(service),
                    unit,
                    is_new: true,
                    ..change
                }
            }
            event::TERMINAL_CONFIGURED => {
                Self { config: Some(TerminalConfig::said(recorded.version, facts(recorded)?)), ..change }
            }
            event::TERMINAL_CODE_ISSUED => {
                let TerminalCodeIssued { expires_at, .. } = facts(recorded)?;
                let status = status(Status::CodeIssued);
                Self { status, code_expires_at: Some(time(expires_at)), is_new: true, ..change }
            }
            event::TERMINAL_ORDERED => {
                let TerminalOrdered { order, command } = facts(recorded)?;
                Self { order: Some(TerminalOrder::of(order, command.as_str())), is_new: true, ..change }
            }
            event::TERMINAL_SUSPENDED => Self { status: status(Status::Suspended), ..change },
            event::TERMINAL_RESUMED => Self { status: status(Status::Active), ..change },
            event::TERMINAL_LOST => Self { status: status(Status::Lost), ..change },
            event::TERMINAL_REVOKED => Self { status: status(Status::Revoked), ..change },
            event::TERMINAL_RETIRED => Self { status: status(Status::Retired), ..change },
            _ => return Err(Unreadable),
        })
    }

    /// Whether something is there that was not there before.
    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }
}

impl Shift {
    /// After the event.
    pub(super) fn recorded(recorded: &Recorded) -> Result<Self, Unreadable> {
        let recorded_at = time(recorded.recorded_at);
        if recorded.kind == event::SHIFT_OPENED {
            let ShiftOpened { shift, operator } = facts(recorded)?;
            return Ok(Self { shift, status: "open", operator: Some(operator), recorded_at });
        }
        let ShiftClosed { shift } = facts(recorded)?;
        Ok(Self { shift, status: "closed", operator: None, recorded_at })
    }

    /// Whether it begins.
    pub(super) fn is_open(&self) -> bool {
        self.status == "open"
    }
}
