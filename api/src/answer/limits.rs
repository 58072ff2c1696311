//! What a person may pay, as it is answered: what was asked for, and what holds.

use super::{Unreadable, facts, time};
use serde::Serialize;
use utoipa::ToSchema;
use vintem_core::event_store::Recorded;
use vintem_core::kernel::Instant;
use vintem_core::payments::event::LimitsChanged;
use vintem_core::payments::limits::{DELAY, Kind, Limits};

/// Limits that were asked for: a lower one holds at once, a higher one after 24 hours. What holds now, the limits say.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsAsked {
    /// How often the limits were changed.
    #[schema(example = 1)]
    pub version: i32,
    /// When it was asked for.
    #[schema(example = "2026-03-01T12:00:00.000000Z")]
    pub asked_at: String,
    /// From when on what was raised is allowed.
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    pub raises_at: String,
    /// What was asked for.
    pub asked: Vec<AskedLimit>,
}

/// One limit that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct AskedLimit {
    /// `payment`, `day`, `month` or `night`.
    #[schema(example = "day")]
    pub kind: &'static str,
    /// How much is to be allowed.
    #[schema(example = "500.00")]
    pub amount: String,
}

/// What a person may pay.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitsNow {
    /// How often they were changed.
    #[schema(example = 1)]
    pub version: i32,
    /// The asset's code.
    #[schema(example = "BRL")]
    pub asset: String,
    /// Each of them.
    pub limits: Vec<LimitNow>,
}

/// One limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitNow {
    /// `payment`, `day`, `month` or `night` (20:00 to 06:00).
    #[schema(example = "day")]
    pub kind: &'static str,
    /// What is allowed now.
    #[schema(example = "1000.00")]
    pub amount: String,
    /// What will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raise: Option<Raise>,
}

/// A limit that goes up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Raise {
    /// What will be allowed,
    #[schema(example = "2500.00")]
    pub amount: String,
    /// from then on.
    #[schema(example = "2026-03-02T12:00:00.000000Z")]
    pub at: String,
}

impl LimitsAsked {
    /// Of its event.
    pub(super) fn of(recorded: &Recorded) -> Result<Self, Unreadable> {
        let change: LimitsChanged = facts(recorded)?;
        let asked = Kind::ALL.into_iter().filter_map(|kind| {
            let amount = kind.of(&change)?.to_text(change.scale);
            Some(AskedLimit { kind: kind.as_str(), amount })
        });
        Ok(Self {
            version: recorded.version,
            asked_at: time(recorded.recorded_at),
            raises_at: time(recorded.recorded_at + DELAY),
            asked: asked.collect(),
        })
    }
}

impl LimitsNow {
    /// As they hold at an instant.
    pub fn of(limits: &Limits, asset: &str, scale: u8, now: Instant) -> Self {
        let each = limits.levels.iter().zip(Kind::ALL).map(|(level, kind)| LimitNow {
            kind: kind.as_str(),
            amount: level.at(now).to_text(scale),
            raise: level
                .raise
                .filter(|(at, _)| now < *at)
                .map(|(at, amount)| Raise { amount: amount.to_text(scale), at: time(at) }),
        });
        Self { version: limits.version, asset: asset.to_owned(), limits: each.collect() }
    }
}
