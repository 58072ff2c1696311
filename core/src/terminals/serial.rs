//! The serial number of a device, by which it is there once.

use std::str::FromStr;

use uuid::Uuid;

use crate::kernel::{Refusal, RefusalCode, name};

/// What a maker wrote on a device: printable, without spaces, as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serial(String);

impl Serial {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The terminal of this serial, in a tenant: so a serial is there once.
    pub fn terminal(&self, tenant: Uuid) -> Uuid {
        name::natural_key(tenant, "terminal", &[&self.0])
    }
}

impl FromStr for Serial {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        let detail = "a serial number has 1 to 64 letters, digits and -_./: without spaces";
        Err(Refusal::new(RefusalCode::ValidationFailed, detail).at("/serial"))
    }
}
