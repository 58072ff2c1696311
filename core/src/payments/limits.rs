//! What a person may pay: per payment, day, night and month, and less from a device that is new.
//!
//! A thief has the phone now and the owner notices later. So a limit goes down at once and up only after [`DELAY`], and the
//! owner's other devices are told meanwhile. Who wants to pay more than their limits waits; nobody can hurry it.
//!
//! The levels are one stream per person. What is used of them is the writer's ([`crate::event_store::proposal::Count`]): it
//! counts on the payer's account in the commit that moves the money, on its own clock.

use super::event::{LIMITS_CHANGED, LimitsChanged};
use crate::event_store::proposal::{Count, NewEvent, StreamVersion};
use crate::event_store::{Decision, Proposal, Recorded};
use crate::kernel::window::Window;
use crate::kernel::{Instant, Minor, Refusal, RefusalCode, name};
use chrono::TimeDelta;
use chrono_tz::Tz;
use uuid::Uuid;

/// How long a raise waits. The regulator of Pix asks for 24 to 48 hours.
pub const DELAY: TimeDelta = TimeDelta::hours(24);

/// By how much the clocks of two processes may differ.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// How much of the currency a person may pay who has said nothing, in whole units: per payment, day, month, night.
const STANDARD: [i128; 4] = [5_000, 10_000, 50_000, 1_000];
/// No limit is ever above this, in whole units.
const CEILING: i128 = 1_000_000;
/// From a device that is new: per payment and per day, in whole units, as the regulator of Pix says.
const NEW_DEVICE: [i128; 2] = [200, 1_000];

/// What a limit is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One payment.
    Payment,
    /// A calendar day.
    Day,
    /// A calendar month.
    Month,
    /// 20:00 to 06:00.
    Night,
}

impl Kind {
    /// Every kind, in the order of [`Limits::levels`].
    pub const ALL: [Self; 4] = [Self::Payment, Self::Day, Self::Month, Self::Night];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Day => "day",
            Self::Month => "month",
            Self::Night => "night",
        }
    }

    fn window(self) -> Option<Window> {
        match self {
            Self::Payment => None,
            Self::Day => Some(Window::Day),
            Self::Month => Some(Window::Month),
            Self::Night => Some(Window::Night),
        }
    }

    /// What a change says of it.
    pub fn of(self, change: &LimitsChanged) -> Option<Minor> {
        match self {
            Self::Payment => change.payment,
            Self::Day => change.day,
            Self::Month => change.month,
            Self::Night => change.night,
        }
    }
}

/// One limit: what holds, and what will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// What holds until the raise.
    pub now: Minor,
    /// From when on more is allowed, and how much.
    pub raise: Option<(Instant, Minor)>,
}

impl Level {
    /// What is allowed at an instant.
    pub fn at(self, instant: Instant) -> Minor {
        self.raise.filter(|(from, _)| instant >= *from).map_or(self.now, |(_, raised)| raised)
    }

    /// After its owner has asked for another one: less at once, more later. A raise that waits is given up for the new word.
    fn asked(self, wanted: Minor, at: Instant) -> Self {
        let now = self.at(at);
        if wanted > now { Self { now, raise: Some((at + DELAY, wanted)) } } else { Self { now: wanted, raise: None } }
    }
}

/// A person's limits, folded from their stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Their stream.
    pub stream: Uuid,
    /// How many events it has.
    pub version: i32,
    /// By [`Kind::ALL`].
    pub levels: [Level; 4],
    scale: u8,
}

/// What the payer's device is to these limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// The device that signs.
    pub id: Uuid,
    /// Whether its owner has shown for long enough that it is theirs.
    pub is_trusted: bool,
}

/// What the writer has to hold a payment against.
#[derive(Debug)]
pub struct Against {
    /// What is counted.
    pub counts: Vec<Count>,
    /// A raise that the payment needs, and the refusal before it: the writer's clock says whether it holds.
    pub from: Option<(Instant, Refusal)>,
    /// The levels that this was decided on.
    pub expects: StreamVersion,
}

impl Limits {
    /// The stream of a person's limits.
    pub fn stream(tenant: Uuid, holder: Uuid) -> Uuid {
        name::natural_key(tenant, "limits", &[&holder.to_string()])
    }

    /// Folds them, from what holds for everybody on.
    pub fn fold(stream: Uuid, events: &[Recorded], scale: u8) -> Self {
        let whole = 10_i128.pow(u32::from(scale));
        let levels = STANDARD.map(|units| Level { now: Minor::new(units * whole), raise: None });
        let mut limits = Self { stream, version: 0, levels, scale };
        for event in events {
            limits.version = event.version;
            let Some(change) = event.says::<LimitsChanged>() else { continue };
            for (level, kind) in limits.levels.iter_mut().zip(Kind::ALL) {
                if let Some(wanted) = kind.of(&change) {
                    *level = level.asked(wanted, event.recorded_at);
                }
            }
        }
        limits
    }

    /// Decides a change.
    pub fn change(&self, change: &LimitsChanged) -> Result<Decision, Refusal> {
        let ceiling = self.whole(CEILING);
        for kind in Kind::ALL {
            let pointer = format!("/{}", kind.as_str());
            match kind.of(change) {
                Some(wanted) if wanted.is_negative() => {
                    return Err(Refusal::new(RefusalCode::ValidationFailed, "a limit is not below zero").at(pointer));
                }
                Some(wanted) if wanted > ceiling => {
                    let detail = format!("a limit is at most {}", ceiling.to_text(self.scale));
                    return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(pointer));
                }
                _ => {}
            }
        }
        if Kind::ALL.iter().all(|kind| kind.of(change).is_none()) {
            let detail = "name at least one of payment, day, month and night";
            return Err(Refusal::new(RefusalCode::ValidationFailed, detail).at(""));
        }
        let event = NewEvent::fact(self.stream, self.version, LIMITS_CHANGED, change);
        Ok(Decision::Propose(Proposal { events: vec![event], ..Proposal::default() }))
    }

    /// Holds a payment against the limits as they will be at about `now`. What only the writer can know is left to it.
    pub fn hold_against(
        &self,
        total: Minor,
        account: Uuid,
        zone: Tz,
        device: Device,
        now: Instant,
    ) -> Result<Against, Refusal> {
        let mut counts = Vec::with_capacity(4);
        let mut from = None;
        let exceeded = |what: &str, maximum: Minor| {
            let detail = format!("the limit per {what} is {}", maximum.to_text(self.scale));
            Refusal::new(RefusalCode::LimitExceeded, detail)
        };
        let mut count = |window, maximum| counts.push(Count { account, window, zone, delta: total, maximum });
        for (level, kind) in self.levels.iter().zip(Kind::ALL) {
            // Our clock may be ahead of the writer's: a raise counts when both have passed it.
            let maximum = level.at(now - SKEW);
            if let Some((raised_at, _)) = level.raise.filter(|_| maximum != level.now) {
                let latest = from.as_ref().map_or(raised_at, |(other, _): &(Instant, Refusal)| raised_at.max(*other));
                from = Some((latest, exceeded(kind.as_str(), level.now)));
            }
            match kind.window() {
                None if total > maximum => return Err(exceeded(kind.as_str(), maximum)),
                None => {}
                Some(window) => count(window, maximum),
            }
        }
        if !device.is_trusted {
            let [payment, day] = NEW_DEVICE.map(|units| self.whole(units));
            if total > payment {
                return Err(exceeded("payment from a new device", payment));
            }
            count(Window::Device(device.id.to_string()), day);
        }
        let expects = StreamVersion { stream: self.stream, version: self.version };
        Ok(Against { counts, from, expects })
    }

    fn whole(&self, units: i128) -> Minor {
        Minor::new(units * 10_i128.pow(u32::from(self.scale)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::America::Sao_Paulo;

    fn at(hours: i64) -> Instant {
        "2026-03-01T12:00:00Z".parse::<Instant>().unwrap() + TimeDelta::hours(hours)
    }

    fn asked(version: i32, hours: i64, change: &LimitsChanged) -> Recorded {
        Recorded {
            position: i64::from(version),
            tenant: Uuid::nil(),
            stream: Uuid::nil(),
            version,
            kind: LIMITS_CHANGED.into(),
            payload: serde_json::to_string(change).unwrap().into(),
            effective_at: None,
            recorded_at: at(hours),
        }
    }

    fn day(units: i128) -> LimitsChanged {
        LimitsChanged { day: Some(Minor::new(units)), ..LimitsChanged::default() }
    }

    fn against(limits: &Limits, total: i128, is_trusted: bool, hours: i64) -> Result<Against, Refusal> {
        let device = Device { id: Uuid::nil(), is_trusted };
        limits.hold_against(Minor::new(total), Uuid::nil(), Sao_Paulo, device, at(hours))
    }

    #[test]
    fn a_limit_goes_down_at_once_and_up_after_a_day() {
        let events = [asked(1, 0, &day(50_000)), asked(2, 1, &day(300_000))];
        let limits = Limits::fold(Uuid::nil(), &events, 2);
        let level = limits.levels[1];
        assert_eq!(level.at(at(1)), Minor::new(50_000));
        assert_eq!(level.at(at(24)), Minor::new(50_000));
        assert_eq!(level.at(at(25)), Minor::new(300_000));
        // The other limits are as they were.
        assert_eq!(limits.levels[0].at(at(25)), Minor::new(500_000));
    }

    #[test]
    fn a_new_word_takes_back_a_raise_that_waits_and_not_one_that_came() {
        let waits = Limits::fold(Uuid::nil(), &[asked(1, 0, &day(2_000_000)), asked(2, 23, &day(900_000))], 2);
        assert_eq!(waits.levels[1].at(at(48)), Minor::new(900_000));
        let came = Limits::fold(Uuid::nil(), &[asked(1, 0, &day(2_000_000)), asked(2, 25, &day(3_000_000))], 2);
        assert_eq!(came.levels[1].at(at(26)), Minor::new(2_000_000));
    }

    #[test]
    fn every_window_is_counted_and_a_raise_binds_the_writers_clock() {
        let limits = Limits::fold(Uuid::nil(), &[asked(1, 0, &day(2_000_000))], 2);
        let early = against(&limits, 1_000, true, 1).unwrap();
        assert_eq!(
            early.counts.iter().map(|count| count.maximum.units()).collect::<Vec<_>>(),
            [1_000_000, 5_000_000, 100_000]
        );
        assert!(early.from.is_none());
        let late = against(&limits, 1_000, true, 25).unwrap();
        assert_eq!(late.counts[0].maximum, Minor::new(2_000_000));
        assert_eq!(late.from.unwrap().0, at(24));
        assert_eq!(late.expects.version, 1);
    }

    #[test]
    fn more_than_one_payment_may_be_is_refused_and_a_new_device_may_less() {
        let limits = Limits::fold(Uuid::nil(), &[], 2);
        assert!(against(&limits, 500_000, true, 0).is_ok());
        assert_eq!(against(&limits, 500_001, true, 0).unwrap_err().code, RefusalCode::LimitExceeded);
        let new = against(&limits, 20_000, false, 0).unwrap();
        assert_eq!(new.counts.last().unwrap().maximum, Minor::new(100_000));
        assert_eq!(against(&limits, 20_001, false, 0).unwrap_err().code, RefusalCode::LimitExceeded);
    }

    #[test]
    fn absurd_limits_are_refused_where_they_stand() {
        let limits = Limits::fold(Uuid::nil(), &[], 2);
        for (change, pointer) in [
            (day(-1), "/day"),
            (day(100_000_001), "/day"),
            (LimitsChanged { night: Some(Minor::new(-5)), ..LimitsChanged::default() }, "/night"),
            (LimitsChanged::default(), ""),
        ] {
            let place = limits.change(&change).unwrap_err().place;
            assert_eq!(place, Some(crate::kernel::Place::Pointer(pointer.to_owned())));
        }
        assert!(limits.change(&day(0)).is_ok());
    }
}
