//! The steps of a rotation, each of which looks at what is there before it acts.

use chrono::{DateTime, Utc};

use super::error::KeysError;
use super::event;
use super::which::Which;
use crate::event_store::Shard;
use crate::holders::reindex::Indexer;
use crate::secrets::{BlindIndex, KeyRing, Pace, SecretsError, Stage, Vault};
use crate::webhooks::signature::{PublicKeys, SigningKeys};

/// The public halves of the keys of webhooks.
const WEBHOOK_PUBLIC: &str = "webhook-public";

/// The rotation of one key. Role: [`Which::keeper`]; `shard` is the writer of the shard whose log tells of it.
pub struct Rotation<'a> {
    vault: &'a Vault,
    shard: &'a Shard,
    which: Which,
    pace: Pace,
    rows: Option<&'a Indexer>,
}

/// What happened now, or what is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A new key is known and does not sign yet.
    Announced {
        /// Its name.
        kid: String,
    },
    /// It signs, and is recorded.
    Replaced {
        /// Its name.
        kid: String,
        /// The name of the one before it.
        old: String,
    },
    /// The old key is gone.
    Removed {
        /// Its name.
        kid: String,
    },
    /// Nothing is left of what a key that is gone has made.
    Cleared {
        /// Its name.
        kid: String,
    },
    /// The next step is not due.
    Waits {
        /// Where it stands.
        stage: Stage,
        /// When it is due.
        due: DateTime<Utc>,
    },
    /// Somebody else took a step meanwhile.
    Overtaken,
    /// Nothing is left to be done.
    AtRest,
}

/// A key as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The name of the key that signs.
    pub current: String,
    /// Since when it exists; Vault's own keys do not say.
    pub added_at: Option<DateTime<Utc>>,
    /// Whether a rotation is under way.
    pub stage: Stage,
}

impl<'a> Rotation<'a> {
    /// At this pace; [`Which::pace`] is the one that nobody notices.
    pub fn new(vault: &'a Vault, shard: &'a Shard, which: Which, pace: Pace) -> Self {
        Self { vault, shard, which, pace, rows: None }
    }

    /// With the rows that the key has made.
    #[must_use]
    pub fn with_rows(self, rows: &'a Indexer) -> Self {
        Self { rows: Some(rows), ..self }
    }

    /// Where the key stands.
    pub async fn state(&self) -> Result<State, KeysError> {
        if self.which.is_inside_vault() {
            let current = version_name(self.newest_version().await?);
            return Ok(State { current, added_at: None, stage: Stage::AtRest });
        }
        let (ring, _) = self.read().await?;
        let added_at = ring.keys.iter().find(|key| key.kid == ring.current).map(|key| key.added_at);
        Ok(State { stage: self.stage(&ring).await?, current: ring.current, added_at })
    }

    /// Where the ring stands, and what a key that is gone has left.
    async fn stage(&self, ring: &KeyRing) -> Result<Stage, KeysError> {
        let stage = ring.stage(self.pace);
        let (Stage::AtRest, Some(rows)) = (&stage, self.rows) else { return Ok(stage) };
        let known: Vec<i16> = ring.keys.iter().filter_map(|key| version_of(&key.kid)).collect();
        let Some(left) = rows.left_over(&known).await? else { return Ok(stage) };
        // The ring was last written when the key was taken out.
        let due = self.vault.written_at(self.which.as_str()).await? + self.pace.retire;
        Ok(Stage::LeftOver { kid: left.to_string(), due })
    }

    /// Begins, unless a rotation is under way: then this is its next step.
    pub async fn begin(&self, now: DateTime<Utc>) -> Result<Step, KeysError> {
        if self.which.is_inside_vault() {
            return self.renew().await;
        }
        let (mut ring, version) = self.read().await?;
        if self.stage(&ring).await? != Stage::AtRest {
            return self.go_on(now).await;
        }
        let kid = ring.announce(self.which.generate(), now);
        self.publish(&ring).await?;
        self.save(&ring, version, Step::Announced { kid }).await
    }

    /// Takes the next step of a rotation that is under way, if it is due.
    pub async fn go_on(&self, now: DateTime<Utc>) -> Result<Step, KeysError> {
        if self.which.is_inside_vault() {
            return Ok(Step::AtRest);
        }
        let (mut ring, version) = self.read().await?;
        // Whatever an interrupted run has left of it.
        self.publish(&ring).await?;
        match self.stage(&ring).await? {
            Stage::AtRest => Ok(Step::AtRest),
            stage @ (Stage::Announced { due, .. } | Stage::Replaced { due, .. } | Stage::LeftOver { due, .. })
                if due > now =>
            {
                Ok(Step::Waits { stage, due })
            }
            Stage::Announced { kid, .. } => {
                self.index(&ring.current, &kid).await?;
                // The fact comes first: no key signs that the log knows nothing of.
                event::record(self.shard, self.which, &kid, &ring.current).await?;
                let old = ring.promote(&kid, now);
                self.save(&ring, version, Step::Replaced { kid, old }).await
            }
            Stage::Replaced { kid, .. } => {
                // Whoever learned of the new key too late has written without it.
                self.index(&kid, &ring.current).await?;
                ring.remove(&kid);
                self.save(&ring, version, Step::Removed { kid }).await
            }
            Stage::LeftOver { kid, .. } => {
                if let (Some(rows), Some(version)) = (self.rows, version_of(&kid)) {
                    rows.delete(version).await?;
                }
                Ok(Step::Cleared { kid })
            }
        }
    }

    /// Has the rows that one key made written under another as well, if there are such rows.
    async fn index(&self, old: &str, new: &str) -> Result<(), KeysError> {
        if self.which != Which::BlindIndex {
            return Ok(());
        }
        let (Some(rows), Some(old), Some(new)) = (self.rows, version_of(old), version_of(new)) else {
            return Err(KeysError::WithoutRows);
        };
        let index = BlindIndex::read(self.vault).await?;
        Ok(rows.index(&index, old, new).await?)
    }

    async fn read(&self) -> Result<(KeyRing, u64), SecretsError> {
        self.vault.read_version(self.which.as_str()).await
    }

    async fn save(&self, ring: &KeyRing, version: u64, done: Step) -> Result<Step, KeysError> {
        let is_saved = self.vault.replace(self.which.as_str(), &ring.to_secret(), version).await?;
        Ok(if is_saved { done } else { Step::Overtaken })
    }

    /// Writes the public halves where they are looked up, if there is such a place and it does not say so already.
    async fn publish(&self, ring: &KeyRing) -> Result<(), KeysError> {
        if self.which != Which::WebhookSigning {
            return Ok(());
        }
        let public = SigningKeys::try_new(ring)?.public();
        if self.vault.read::<PublicKeys>(WEBHOOK_PUBLIC).await? != public {
            let keys = serde_json::json!({ "keys": public.keys });
            self.vault.put(WEBHOOK_PUBLIC, &keys).await?;
        }
        Ok(())
    }

    /// A key inside Vault is replaced in one step, because verifiers ask for its versions.
    async fn renew(&self) -> Result<Step, KeysError> {
        let newest = self.newest_version().await?;
        let (old, kid) = (version_name(newest), version_name(newest + 1));
        event::record(self.shard, self.which, &kid, &old).await?;
        self.vault.rotate(self.which.as_str()).await?;
        Ok(Step::Replaced { kid, old })
    }

    async fn newest_version(&self) -> Result<u32, SecretsError> {
        let keys = self.vault.public_keys(self.which.as_str()).await?;
        keys.last_key_value().map(|(version, _)| *version).ok_or(SecretsError::Malformed { call: "transit/keys" })
    }
}

/// The number by which rows name their key.
fn version_of(kid: &str) -> Option<i16> {
    kid.parse().ok()
}

/// As Vault's signatures name it.
fn version_name(version: u32) -> String {
    format!("v{version}")
}
