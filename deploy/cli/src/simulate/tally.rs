//! What happened so far, counted while it happens: for the table on the screen.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody said something.
    Message,
    /// The question or its answer was lost.
    Lost,
    /// It came twice.
    Doubled,
    /// It came after its sender had given up.
    Late,
    /// No server answered.
    Unreached,
    /// A charge was begun.
    Begun,
    /// A terminal learned that it is paid.
    Paid,
    /// That it is not.
    NotPaid,
    /// A payment was given back.
    Refunded,
    /// A terminal forgot everything but its journal.
    Reboot,
    /// A telephone learned that it has paid.
    Confirmed,
}

impl Event {
    /// All of them, as they are shown.
    pub const ALL: [Self; 11] = [
        Self::Begun,
        Self::Confirmed,
        Self::Paid,
        Self::NotPaid,
        Self::Refunded,
        Self::Reboot,
        Self::Message,
        Self::Lost,
        Self::Doubled,
        Self::Late,
        Self::Unreached,
    ];

    /// As it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Late => "late",
            Self::Unreached => "unreached",
            Self::Begun => "charges",
            Self::Paid => "paid",
            Self::NotPaid => "not paid",
            Self::Refunded => "refunded",
            Self::Reboot => "reboots",
            Self::Confirmed => "confirmed",
        }
    }
}

/// The counts.
#[derive(Debug, Default)]
pub struct Tally {
    events: [AtomicU64; Event::ALL.len()],
    refusals: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    /// Counts.
    pub fn count(&self, event: Event) {
        self.events[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often.
    pub fn of(&self, event: Event) -> u64 {
        self.events[event as usize].load(Ordering::Relaxed)
    }

    /// Remembers what was answered that is no success.
    pub fn answered(&self, status: u16, code: Option<&str>) {
        if status >= 400
            && let Ok(mut refusals) = self.refusals.lock()
        {
            *refusals.entry(format!("{status} {}", code.unwrap_or("?"))).or_default() += 1;
        }
    }

    /// Refusals by their codes.
    pub fn refusals(&self) -> BTreeMap<String, u64> {
        self.refusals.lock().map(|refusals| refusals.clone()).unwrap_or_default()
    }
}
