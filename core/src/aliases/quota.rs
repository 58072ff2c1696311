//! How often somebody may look people up. Who tries numbers out misses, and a miss costs twenty hits.
//!
//! The buckets are kept in this process, like those of requests: with several processes each lets through its share, and
//! what was used is forgotten when the process ends.

use super::error::AliasError;
use crate::kernel::{Bucket, Rate};
use moka::sync::Cache;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A hundred at once, and two more each minute.
const RATE: Rate = match Rate::try_new(100, 3_000) {
    Some(rate) => rate,
    None => panic!("neither is zero"),
};
/// What a miss costs, with the hit that it was taken for.
const MISS: u32 = 20;
/// Askers who are remembered at once.
const ASKERS: u64 = 100_000;

/// What is left to everybody who asks.
pub struct Quota {
    began: Instant,
    buckets: Cache<Uuid, Arc<Bucket>>,
}

impl Quota {
    /// Takes a hit before anybody is looked for, or says how long to wait for it.
    pub fn take(&self, asker: Uuid) -> Result<(), AliasError> {
        self.bucket(asker).take(RATE, self.began.elapsed(), 1).map_err(AliasError::Quota)
    }

    /// It was a miss: the rest of its cost, on credit if there is not so much left.
    pub fn missed(&self, asker: Uuid) {
        self.bucket(asker).charge(RATE, self.began.elapsed(), MISS - 1);
    }

    /// Who pays has looked for somebody in earnest.
    pub fn paid(&self, asker: Uuid) {
        self.bucket(asker).give(RATE, 1);
    }

    fn bucket(&self, asker: Uuid) -> Arc<Bucket> {
        self.buckets.get_with(asker, Arc::default)
    }
}

impl std::fmt::Debug for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Quota")
    }
}

impl Default for Quota {
    fn default() -> Self {
        // Debts reach as far as two fillings; who has been away for longer has a full bucket anyway.
        let kept: Duration = RATE.filling() * 3;
        Self { began: Instant::now(), buckets: Cache::builder().max_capacity(ASKERS).time_to_idle(kept).build() }
    }
}
