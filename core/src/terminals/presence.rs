//! Who comes with a certificate, what a terminal says of itself, and in which order its messages came.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::error::TerminalError;
use super::service::Terminals;
use super::status::Status;
use super::store::heartbeats::{self, Heartbeat};
use super::store::messages;
use super::terminal::Terminal;
use crate::access::{Of, TerminalSession};
use crate::event_store::read::tenant_tx;
use crate::ledger::service::Actor;

/// How far a device's clock may be off.
pub const SKEW: TimeDelta = TimeDelta::minutes(5);
/// Gaps that are told at once.
const GAPS: i64 = 1_000;
/// How long the numbers of messages that are looked for may be apart.
pub const SPAN: i64 = 1_000_000;

/// What a terminal says of itself.
#[derive(Debug, Clone)]
pub struct Said {
    /// What runs on it.
    pub software: String,
    /// The number of its last message.
    pub last_seq: i64,
    /// What its clock says.
    pub local_time: DateTime<Utc>,
    /// Whether somebody opened it.
    pub tampered: bool,
    /// Payments that it took without a network, and how much they are.
    pub offline: (i32, Option<String>),
    /// The orders that it has carried out.
    pub done: Vec<Uuid>,
}

/// What it is answered.
#[derive(Debug)]
pub struct Told {
    /// What the clock says here.
    pub server_time: DateTime<Utc>,
    /// How far the device's is ahead.
    pub skew: TimeDelta,
    /// The version of its configuration.
    pub config: i32,
    /// What it is to do: `<order> <command>`, the oldest first.
    pub orders: Vec<String>,
}

impl Terminals {
    /// Lets a terminal in by the fingerprint of its certificate, which nginx and the transport have judged: as the log says now.
    pub async fn enter(&self, of: Of, id: Uuid, fingerprint: &str) -> Result<TerminalSession, TerminalError> {
        let row = self.row(of, id).await?.ok_or(TerminalError::Unknown)?;
        let is_current = row.certificate.as_deref() == Some(fingerprint);
        let is_superseded = row.previous.as_deref() == Some(fingerprint);
        match Status::from_stored(&row.status) {
            Some(Status::Active) if is_current || is_superseded => {
                Ok(TerminalSession { terminal: id, service: row.service, unit: row.unit, is_superseded })
            }
            Some(Status::Suspended) if is_current => Err(TerminalError::Suspended),
            _ => Err(TerminalError::CertificateRevoked),
        }
    }

    /// A sign of life, and what is to be done.
    pub async fn heartbeat(&self, actor: &Actor, id: Uuid, said: &Said) -> Result<Told, TerminalError> {
        let (of, now) = (Of::from(actor), self.now());
        let skew = said.local_time - now;
        let beat = Heartbeat {
            received_at: now,
            software: said.software.clone(),
            last_seq: said.last_seq,
            skew_ms: skew.num_milliseconds(),
            tampered: said.tampered,
            offline_count: said.offline.0,
            offline_amount: said.offline.1.clone(),
        };
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let was_tampered = heartbeats::put(&mut tx, of, id, &beat).await?;
        // Before the row is committed: should one of the two fail, the next heartbeat says it again.
        if said.tampered && !was_tampered {
            tracing::warn!(terminal = %id, "a terminal says that somebody opened it");
            self.decided(actor, id, Terminal::tamper).await?;
        }
        if !said.done.is_empty() {
            self.decided(actor, id, |terminal| terminal.obey(&said.done)).await?;
        }
        tx.commit().await?;
        let row = self.row(of, id).await?.ok_or(TerminalError::Unknown)?;
        Ok(Told { server_time: now, skew, config: row.config, orders: row.orders })
    }

    /// Refuses what a device with a wrong clock says of time.
    pub fn check_clock(&self, local_time: DateTime<Utc>) -> Result<(), TerminalError> {
        let now = self.now();
        if (local_time - now).abs() > SKEW { Err(TerminalError::ClockSkew(now)) } else { Ok(()) }
    }

    /// Notes a message of a terminal. The same one passes again, and one that comes late passes; another one of a number that was
    /// used does not.
    pub async fn sequence(&self, actor: &Actor, id: Uuid, seq: i64, digest: &[u8; 32]) -> Result<(), TerminalError> {
        let of = Of::from(actor);
        let mut tx = tenant_tx(&self.editor, of.tenant).await?;
        let noted = messages::note(&mut tx, of, (id, seq), digest, self.now()).await?;
        tx.commit().await?;
        if noted == digest { Ok(()) } else { Err(TerminalError::SequenceConflict(seq)) }
    }

    /// Numbers after one and up to another that did not come, the lowest first.
    pub async fn missing(&self, of: Of, id: Uuid, after: i64, up_to: i64) -> Result<Vec<i64>, TerminalError> {
        let up_to = up_to.min(after.saturating_add(SPAN));
        let mut tx = tenant_tx(&self.reader, of.tenant).await?;
        let gaps = messages::missing(&mut tx, of, id, (after, up_to), GAPS).await?;
        tx.commit().await?;
        Ok(gaps)
    }
}

/// When a terminal that says nothing is thought to be away: three times as long as it was told.
pub fn patience(heartbeat_seconds: u32) -> Duration {
    Duration::from_secs(u64::from(heartbeat_seconds) * 3)
}
