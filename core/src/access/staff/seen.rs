//! Where a session was opened from and with what: personal, so it stands sealed under the member's own key in the event
//! that begins the session, and is shown to the member alone.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::service::Of;
use crate::secrets::people::{DataKey, Place};

/// Browsers describe themselves at length.
const DEVICE_CHARS: usize = 200;

/// What a sign-in came from.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the browser says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

impl Seen {
    /// As it came in; of a long description its beginning.
    pub fn new(from: Option<IpAddr>, device: Option<&str>) -> Self {
        let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(DEVICE_CHARS).collect();
        Self { address: from.map(|address| address.to_string()), device: device.map(plain) }
    }

    pub(super) fn seal(&self, key: &DataKey, of: Of, session: Uuid) -> String {
        // Two texts always serialise.
        key.seal(&place(of, session), &serde_json::to_vec(self).unwrap_or_default())
    }

    /// `None` when the key is another one: the member was made anew since.
    pub(super) fn open(key: &DataKey, of: Of, session: Uuid, sealed: &str) -> Option<Self> {
        serde_json::from_slice(&key.open(&place(of, session), sealed).ok()?).ok()
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seen([REDACTED])")
    }
}

fn place(of: Of, session: Uuid) -> Place {
    Place { tenant: of.tenant, stream: session, field: "seen" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_browser_says_is_cut_and_cleaned() {
        let seen = Seen::new(Some("2001:db8::1".parse().unwrap()), Some(&format!("Firefox\u{7}{}", "x".repeat(300))));
        assert_eq!(seen.address.as_deref(), Some("2001:db8::1"));
        let device = seen.device.clone().unwrap();
        assert!(device.starts_with("Firefoxxx") && device.len() == DEVICE_CHARS);
        assert_eq!(format!("{seen:?}"), "Seen([REDACTED])");
    }
}
