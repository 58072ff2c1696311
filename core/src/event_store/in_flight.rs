//! Keys that are being worked on in this process: a second request under one is told to wait.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

type Key = (Uuid, Uuid, Arc<str>);

/// The set of keys in flight.
#[derive(Debug, Clone, Default)]
pub struct InFlight(Arc<Mutex<HashSet<Key>>>);

/// Holds a key until dropped.
#[derive(Debug)]
pub struct Guard {
    set: InFlight,
    key: Key,
}

impl InFlight {
    /// Takes a key, unless it is taken.
    pub fn take(&self, tenant: Uuid, principal: Uuid, key: &Arc<str>) -> Option<Guard> {
        let key = (tenant, principal, key.clone());
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        taken.then(|| Guard { set: self.clone(), key })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.set.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
