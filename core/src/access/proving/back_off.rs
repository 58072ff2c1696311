//! Slowing down whoever tries things out. Pure: how long after how many failures.
//!
//! An attempt is counted before it is judged, and taken back when it succeeds, so that a hundred attempts at once are a
//! hundred attempts. Counted are, under keyed digests and never in clear:
//!
//! - an address: whoever tries many logins from one place;
//! - a login as it was typed, whether or not it is anybody's: whoever tries one login from many places;
//! - a login at an address that its member has signed in from: only this one counts there, so that nobody elsewhere can
//!   keep a member out of the own office.

use std::net::IpAddr;

use chrono::TimeDelta;

/// Whose failures are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// All attempts from an address.
    Address,
    /// All attempts on a login from unknown places.
    Login,
    /// Attempts on a login from a place of its member.
    LoginAtHome,
    /// A second factor or password asked for within a session.
    InSession,
    /// Codes that were sent to one contact. None is ever taken back: they count as sent, whatever becomes of them.
    Contact,
    /// Activation codes that were typed for a serial number.
    Activation,
    /// The same from an address.
    ActivationPlace,
}

/// The longest wait.
const LONGEST_SECONDS: i64 = 15 * 60;
/// The longest wait for another code.
const LONGEST_FOR_CODES: i64 = 6 * 60 * 60;
/// Failures are forgotten when nothing was tried for so long.
pub const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(24);

/// Where somebody comes from, as it is counted. Of IPv6 the network, for every device has its choice of the rest.
pub fn origin(from: Option<IpAddr>) -> Vec<u8> {
    match from {
        Some(IpAddr::V4(address)) => address.octets().to_vec(),
        Some(IpAddr::V6(address)) => address.octets()[..8].to_vec(),
        None => Vec::new(),
    }
}

impl Counted {
    /// As it stands in the digest of its key.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Login => "login",
            Self::LoginAtHome => "login-at-home",
            Self::InSession => "in-session",
            Self::Contact => "contact",
            Self::Activation => "activation",
            Self::ActivationPlace => "activation-place",
        }
    }

    /// Failures that cost nothing but themselves. Many people may share an address.
    pub fn free(self) -> i32 {
        match self {
            Self::Address | Self::ActivationPlace => 30,
            Self::Activation => 10,
            Self::Login | Self::LoginAtHome | Self::InSession | Self::Contact => 5,
        }
    }

    /// How long nothing is tried after so many failures: two seconds, and twice as long each time. A mailbox has more peace.
    pub fn pause(self, failures: i32) -> TimeDelta {
        let beyond = failures - self.free();
        if beyond < 0 {
            return TimeDelta::zero();
        }
        let (first, longest): (i64, i64) = match self {
            Self::Contact => (60, LONGEST_FOR_CODES),
            _ => (2, LONGEST_SECONDS),
        };
        TimeDelta::seconds(first.saturating_mul(1 << beyond.min(16)).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_are_free_and_then_it_doubles_up_to_a_quarter_of_an_hour() {
        let pauses: Vec<i64> = (1..=16).map(|failures| Counted::Login.pause(failures).num_seconds()).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        assert_eq!(Counted::Login.pause(i32::MAX).num_seconds(), 900);
        assert_eq!(Counted::Address.pause(29).num_seconds(), 0);
        assert_eq!(Counted::Address.pause(30).num_seconds(), 2);
    }

    #[test]
    fn a_mailbox_gets_some_codes_a_day() {
        let pauses: Vec<i64> = (4..=8).map(|sent| Counted::Contact.pause(sent).num_minutes()).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8]);
        assert_eq!(Counted::Contact.pause(i32::MAX).num_hours(), 6);
    }

    #[test]
    fn a_day_of_trying_is_a_hundred_passwords() {
        let (mut spent, mut failures) = (0, 0);
        while spent < 24 * 3_600 {
            failures += 1;
            spent += Counted::Login.pause(failures).num_seconds();
        }
        assert!(failures < 115, "{failures}");
    }
}
