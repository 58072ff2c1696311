//! Keys that are replaced without anybody noticing: a ring in which one signs and all verify.
//!
//! How far a rotation has come stands in the ring itself, so it can be interrupted anywhere and gone on with by anybody:
//!
//! ```text
//! at rest ──announce──► announced ──promote──► replaced ──remove──► at rest
//! one key               the new one is known   it signs; the old one still verifies
//! ```
//!
//! Between two steps lies the time in which everybody learns of the first: how long that is, the [`Pace`] says.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::random;

/// The keys of one purpose, as Vault's KV engine keeps them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRing {
    /// The `kid` of the key that signs.
    pub current: String,
    /// Every key that verifies.
    pub keys: Vec<RingKey>,
}

/// One key of a ring.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingKey {
    /// Its name, which is public.
    pub kid: String,
    /// The key, in the form that its purpose has.
    pub key: SecretString,
    /// When it came into the ring.
    pub added_at: DateTime<Utc>,
    /// When it ceased to be current.
    #[serde(default)]
    pub retired_at: Option<DateTime<Utc>>,
}

/// How long the steps of a rotation are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// From the day that a key is known until it signs: no cache is older.
    pub publish: Duration,
    /// From the day that a key signs no more until it is gone: nothing that it signed lives longer.
    pub retire: Duration,
}

impl Pace {
    /// Without any wait, for a key that somebody else may know: what it signed is refused from now on.
    pub const AT_ONCE: Self = Self { publish: Duration::ZERO, retire: Duration::ZERO };
}

/// Where a ring stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// One key, which signs.
    AtRest,
    /// The new key is known and does not sign yet.
    Announced {
        /// Which.
        kid: String,
        /// When it may sign.
        due: DateTime<Utc>,
    },
    /// The new key signs; the old one only verifies.
    Replaced {
        /// The old one.
        kid: String,
        /// When it may go.
        due: DateTime<Utc>,
    },
    /// The old key is gone; what was found by it is still there. A ring cannot tell, whoever keeps those rows can.
    LeftOver {
        /// The key that is gone.
        kid: String,
        /// When nobody writes such rows any more.
        due: DateTime<Utc>,
    },
}

impl KeyRing {
    /// A ring of one key.
    pub fn new(key: SecretString, now: DateTime<Utc>) -> Self {
        Self::named(new_kid(), key, now)
    }

    /// The same, where keys are numbered.
    pub fn numbered(key: SecretString, now: DateTime<Utc>) -> Self {
        Self::named("1".to_owned(), key, now)
    }

    fn named(kid: String, key: SecretString, now: DateTime<Utc>) -> Self {
        Self { current: kid.clone(), keys: vec![RingKey { kid, key, added_at: now, retired_at: None }] }
    }

    /// Where it stands.
    pub fn stage(&self, pace: Pace) -> Stage {
        let mut others = self.keys.iter().filter(|key| key.kid != self.current);
        if let Some(new) = others.clone().find(|key| key.retired_at.is_none()) {
            return Stage::Announced { kid: new.kid.clone(), due: new.added_at + pace.publish };
        }
        match others.find_map(|key| Some((key, key.retired_at?))) {
            Some((old, retired_at)) => Stage::Replaced { kid: old.kid.clone(), due: retired_at + pace.retire },
            None => Stage::AtRest,
        }
    }

    /// Adds a key that does not sign yet; answers its name.
    pub fn announce(&mut self, key: SecretString, now: DateTime<Utc>) -> String {
        // Numbers go on from the highest.
        let numbers: Option<Vec<u32>> = self.keys.iter().map(|key| key.kid.parse().ok()).collect();
        let highest = numbers.and_then(|numbers| numbers.into_iter().max());
        let kid = highest.map_or_else(new_kid, |highest| (highest + 1).to_string());
        self.keys.push(RingKey { kid: kid.clone(), key, added_at: now, retired_at: None });
        kid
    }

    /// Lets a key sign; answers the name of the one that does so no more.
    pub fn promote(&mut self, kid: &str, now: DateTime<Utc>) -> String {
        let old = std::mem::replace(&mut self.current, kid.to_owned());
        for key in self.keys.iter_mut().filter(|key| key.kid == old) {
            key.retired_at = Some(now);
        }
        old
    }

    /// Takes a key out.
    pub fn remove(&mut self, kid: &str) {
        self.keys.retain(|key| key.kid != kid);
    }

    /// As Vault keeps it. The only way in which the keys leave a ring as text.
    pub fn to_secret(&self) -> Value {
        let key = |key: &RingKey| json!({ "kid": key.kid, "key": key.key.expose_secret(), "added_at": key.added_at, "retired_at": key.retired_at });
        json!({ "current": self.current, "keys": self.keys.iter().map(key).collect::<Vec<_>>() })
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kids: Vec<&str> = self.keys.iter().map(|key| key.kid.as_str()).collect();
        f.debug_struct("KeyRing").field("current", &self.current).field("kids", &kids).finish()
    }
}

/// A name that nobody had before.
fn new_kid() -> String {
    URL_SAFE_NO_PAD.encode(random::bytes::<9>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { publish: Duration::from_mins(5), retire: Duration::from_mins(10) };

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minutes * 60, 0).unwrap()
    }

    #[test]
    fn a_rotation_goes_from_rest_to_rest_and_knows_its_times() {
        let mut ring = KeyRing::new(SecretString::from("old"), at(0));
        let old = ring.current.clone();
        assert_eq!(ring.stage(PACE), Stage::AtRest);

        let new = ring.announce(SecretString::from("new"), at(100));
        assert_eq!(ring.current, old, "an announced key does not sign");
        assert_eq!(ring.stage(PACE), Stage::Announced { kid: new.clone(), due: at(105) });

        assert_eq!(ring.promote(&new, at(107)), old);
        assert_eq!((ring.current.as_str(), ring.keys.len()), (new.as_str(), 2));
        assert_eq!(ring.stage(PACE), Stage::Replaced { kid: old.clone(), due: at(117) });

        ring.remove(&old);
        assert_eq!(ring.stage(PACE), Stage::AtRest);
        assert_eq!(ring.keys[0].kid, new);
    }

    #[test]
    fn what_vault_keeps_is_read_back_and_never_printed() {
        let mut ring = KeyRing::new(SecretString::from("canary-1"), at(0));
        let new = ring.announce(SecretString::from("canary-2"), at(1));
        ring.promote(&new, at(2));
        let read: KeyRing = serde_json::from_value(ring.to_secret()).unwrap();
        assert_eq!(read.stage(PACE), ring.stage(PACE));
        assert_eq!(read.keys[1].key.expose_secret(), "canary-2");
        assert!(!format!("{ring:?}").contains("canary"));
    }

    #[test]
    fn numbers_go_on() {
        let mut ring = KeyRing::numbered(SecretString::from("old"), at(0));
        assert_eq!(ring.announce(SecretString::from("new"), at(1)), "2");
        ring.promote("2", at(2));
        ring.remove("1");
        assert_eq!(ring.announce(SecretString::from("newer"), at(3)), "3");
    }

    #[test]
    fn at_once_is_due_at_once() {
        let mut ring = KeyRing::new(SecretString::from("old"), at(0));
        let kid = ring.announce(SecretString::from("new"), at(1));
        assert_eq!(ring.stage(Pace::AT_ONCE), Stage::Announced { kid, due: at(1) });
    }
}
