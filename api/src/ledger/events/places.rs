//! How many event streams one process keeps open, and for whom.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// Of service clients and staff.
const INTEGRATORS: usize = 1_000;
/// Of citizens, apart: a town of telephones does not keep out the programs that it is served by.
const CITIZENS: usize = 5_000;

/// The places of a process.
#[derive(Debug)]
pub struct Places {
    integrators: Arc<Semaphore>,
    citizens: Arc<Semaphore>,
    newest: Arc<Newest>,
}

/// The number of the newest stream of each session of a citizen's.
#[derive(Debug, Default)]
struct Newest {
    numbers: Mutex<HashMap<Uuid, u64>>,
    next: AtomicU64,
}

/// A place that is somebody's until it is dropped.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
    only: Option<Only>,
}

/// The one stream of a session.
#[derive(Debug)]
struct Only {
    session: Uuid,
    number: u64,
    newest: Arc<Newest>,
}

impl Default for Places {
    fn default() -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { integrators: places(INTEGRATORS), citizens: places(CITIZENS), newest: Arc::default() }
    }
}

impl Places {
    /// For a caller that was granted the log.
    pub fn of_integrators(&self) -> Result<Place, Problem> {
        Ok(Place { _permit: permit(&self.integrators)?, only: None })
    }

    /// For a session of a citizen's. It has one stream: a telephone that comes back does not wait until its old one is missed,
    /// and nobody takes more than one place.
    pub fn of_session(&self, session: Uuid) -> Result<Place, Problem> {
        let permit = permit(&self.citizens)?;
        let number = self.newest.next.fetch_add(1, Ordering::Relaxed);
        self.newest.numbers.lock().unwrap_or_else(PoisonError::into_inner).insert(session, number);
        let only = Only { session, number, newest: Arc::clone(&self.newest) };
        Ok(Place { _permit: permit, only: Some(only) })
    }
}

impl Place {
    /// Whether a newer stream has taken its session over.
    pub fn is_lost(&self) -> bool {
        self.only.as_ref().is_some_and(|Only { session, number, newest }| {
            newest.numbers.lock().unwrap_or_else(PoisonError::into_inner).get(session) != Some(number)
        })
    }
}

impl Drop for Only {
    fn drop(&mut self) {
        let mut numbers = self.newest.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if numbers.get(&self.session) == Some(&self.number) {
            numbers.remove(&self.session);
        }
    }
}

fn permit(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let permit = Arc::clone(places).try_acquire_owned();
    permit.map_err(|_| Problem::new(Code::Overloaded, "too many event streams are open"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_one_stream_and_leaves_nothing_behind() {
        let (places, ana, bia) = (Places::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        let (first, other) = (places.of_session(ana).unwrap(), places.of_session(bia).unwrap());
        let second = places.of_session(ana).unwrap();
        assert!(first.is_lost() && !second.is_lost() && !other.is_lost());
        drop(first);
        assert!(!second.is_lost());
        drop((second, other));
        assert!(places.newest.numbers.lock().unwrap().is_empty());
        assert_eq!(places.citizens.available_permits(), CITIZENS);
    }
}
