//! That somebody who has proven themselves wants a payment, and what their limits say to it: the same for whatever leaves an account.

use super::limits::{Against, Device, Limits};
use crate::event_store::proposal::StreamVersion;
use crate::kernel::{Instant, Minor, Refusal};
use chrono::TimeDelta;
use chrono_tz::Tz;
use uuid::Uuid;

/// So long what was asked for can be confirmed.
pub const OPEN_FOR: TimeDelta = TimeDelta::minutes(10);

/// That a payer wants it, and has proven themselves.
#[derive(Debug, Clone, Copy)]
pub struct Confirm {
    /// Which payment: its `intent_id`.
    pub intent: Uuid,
    /// Who confirms.
    pub holder: Uuid,
    /// By which device.
    pub device: Device,
    /// In which zone their days begin.
    pub zone: Tz,
    /// About when.
    pub now: Instant,
}

impl Confirm {
    /// What the writer has to hold it against; or the refusal, and the payment and the levels that it saw and holds for.
    pub fn against(
        &self,
        limits: &Limits,
        current: StreamVersion,
        account: Uuid,
        total: Minor,
    ) -> Result<Against, (Refusal, [StreamVersion; 2])> {
        limits.hold_against(total, account, self.zone, self.device, self.now).map_err(|refusal| {
            let levels = StreamVersion { stream: limits.stream, version: limits.version };
            (refusal, [current, levels])
        })
    }
}
