//! What chance decides, from one number: the same seed lets the same things happen to the same messages again.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// A share in thousandths, written `5%`, `0.5%` or `5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u16);

impl Share {
    /// Never.
    pub const NONE: Self = Self(0);

    /// So many thousandths.
    pub const fn thousandths(count: u16) -> Self {
        Self(count)
    }
}

impl std::str::FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed = || format!("{text:?} is no share: write 5% or 0.5%, 50% at most");
        let number = text.strip_suffix('%').unwrap_or(text);
        let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
        let digit =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
        let (whole, tenths) = digit(whole).zip(digit(tenths).filter(|_| tenths.len() == 1)).ok_or_else(malformed)?;
        let share = whole.checked_mul(10).and_then(|share| share.checked_add(tenths)).ok_or_else(malformed)?;
        if share <= 500 { Ok(Self(share)) } else { Err(malformed()) }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}%", self.0 / 10, self.0 % 10)
    }
}

/// The luck of one device, sale or message.
#[derive(Debug)]
pub struct Chance(StdRng);

impl Chance {
    /// What a run has in store for something that has a name. It does not depend on what else happens, nor in which order: time
    /// is never the same again, and a seed must be.
    pub fn of(seed: u64, name: &str) -> Self {
        let named = digest(&SHA256, format!("{seed} {name}").as_bytes());
        let mut start = [0; 32];
        start.copy_from_slice(named.as_ref());
        Self(StdRng::from_seed(start))
    }

    /// Whether something happens that happens so often.
    pub fn hits(&mut self, share: Share) -> bool {
        self.0.random_range(0..1_000) < share.0
    }

    /// A number from a range, both ends included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.random_range(least..=most)
    }

    /// An index.
    pub fn index(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// A time.
    pub fn time(&mut self, least: Duration, most: Duration) -> Duration {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.between(millis(least), millis(most)))
    }

    /// Letters and digits, as a device draws the name of a payment.
    pub fn name(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        (0..length).map(|_| char::from(LETTERS[self.index(LETTERS.len())])).collect()
    }

    /// A key for an idempotent request.
    pub fn key(&mut self) -> String {
        uuid::Uuid::from_u128(self.0.random()).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_repeated_and_devices_differ() {
        let names = |seed, device| {
            let mut chance = Chance::of(seed, device);
            (0..3).map(|_| chance.name(30)).collect::<Vec<_>>()
        };
        assert_eq!(names(1, "terminal 2"), names(1, "terminal 2"));
        assert_ne!(names(1, "terminal 2"), names(1, "terminal 3"));
        assert_ne!(names(1, "terminal 2"), names(2, "terminal 2"));
    }

    #[test]
    fn shares_are_read_as_people_write_them() {
        for (text, share) in [("5%", 50), ("5", 50), ("0.5%", 5), ("0%", 0), ("50%", 500)] {
            assert_eq!(text.parse(), Ok(Share(share)), "{text}");
        }
        for bad in ["", "%", "-1%", "51%", "0.55%", "5 %", "1e1", "99999"] {
            assert!(bad.parse::<Share>().is_err(), "{bad}");
        }
        assert_eq!(Share(5).to_string(), "0.5%");
    }
}
