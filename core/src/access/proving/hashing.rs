//! Passwords and PINs as argon2id hashes, on few threads with a short queue.
//!
//! One hash takes 19 MiB and some 25 ms of a core (OWASP's first choice: m = 19 MiB, t = 2, p = 1). So they are worked off on
//! threads of their own, a few at a time and at a lower priority than those that serve requests: where all cores are busy, who
//! waits for a hash waits longer, and nobody else. Who finds the queue full is told to come back. Each operation is counted: that
//! an unknown login costs what a known one does is a test.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use zeroize::Zeroizing;

use crate::secrets::{Pepper, random};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// How many wait for each one that is worked on: a second's worth.
const WAITING_PER_WORKER: usize = 40;
/// How much nicer a worker is than the rest of the process: beside a thread that is not, it gets a tenth of the core.
const NICENESS: i32 = 10;

/// Something to be hashed or compared; it answers by itself.
type Work = Box<dyn FnOnce() + Send>;

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many secrets wait to be hashed")]
pub struct Busy;

/// A place in the queue; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "it is held, and not read")] OwnedSemaphorePermit);

/// Hashes and compares. Cheap to clone.
#[derive(Clone)]
pub struct Hashing(Arc<Inner>);

struct Inner {
    pepper: Pepper,
    /// What a password of nobody is compared with.
    nobodys: String,
    /// Places of those who wait or are worked on.
    places: Arc<Semaphore>,
    /// To the threads, which end with it.
    queue: Sender<Work>,
    done: AtomicU64,
}

impl Hashing {
    /// Half of the machine, and at least one core of it.
    pub fn new(pepper: Pepper) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::with(pepper, (cores / 2).max(1), WAITING_PER_WORKER)
    }

    /// So many at a time, and so many waiting for each.
    pub fn with(pepper: Pepper, workers: usize, waiting: usize) -> Self {
        let nobodys = hash(&random::bytes::<32>());
        let (queue, waiting_work) = channel();
        let waiting_work = Arc::new(Mutex::new(waiting_work));
        for number in 0..workers {
            let waiting_work = Arc::clone(&waiting_work);
            let named = thread::Builder::new().name(format!("hashing-{number}"));
            named.spawn(move || work_off(&waiting_work)).expect("a process can have one more thread when it starts");
        }
        Self(Arc::new(Inner {
            pepper,
            nobodys,
            places: Arc::new(Semaphore::new(workers * (1 + waiting))),
            queue,
            done: AtomicU64::new(0),
        }))
    }

    /// How many hashes were made, of whatever outcome.
    pub fn done(&self) -> u64 {
        self.0.done.load(Ordering::Relaxed)
    }

    /// What is stored of a secret.
    pub async fn hash(&self, secret: &[u8]) -> Result<String, Busy> {
        self.run(self.place()?, secret, |peppered, _| hash(peppered)).await
    }

    /// Whether a secret is the one of a stored hash. Without one the same work is done, and the answer is no.
    pub async fn verify(&self, secret: &[u8], stored: Option<String>) -> Result<bool, Busy> {
        self.verify_at(self.place()?, secret, stored).await
    }

    /// The same for who has a place already.
    pub async fn verify_at(&self, place: Place, secret: &[u8], stored: Option<String>) -> Result<bool, Busy> {
        let is_somebodys = stored.is_some();
        let is_same = move |peppered: &[u8; 32], nobodys: &str| {
            let stored = stored.as_deref().unwrap_or(nobodys);
            argon2().verify_password(peppered, stored).is_ok()
        };
        Ok(self.run(place, secret, is_same).await? && is_somebodys)
    }

    /// A place among those who wait, for whoever has to wait for something else before.
    pub fn place(&self) -> Result<Place, Busy> {
        Arc::clone(&self.0.places).try_acquire_owned().map(Place).map_err(|_| Busy)
    }

    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        secret: &[u8],
        work: impl FnOnce(&[u8; 32], &str) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let inner = Arc::clone(&self.0);
        let peppered = Zeroizing::new(inner.pepper.apply(secret));
        let (answer, made) = oneshot::channel();
        let job: Work = Box::new(move || {
            // A caller that goes away does not make room for another before the work is done, or found to be for nobody.
            let _held = place;
            if answer.is_closed() {
                return;
            }
            let made = work(&peppered, &inner.nobodys);
            inner.done.fetch_add(1, Ordering::Relaxed);
            // Whoever has gone away meanwhile does not miss it.
            let _ = answer.send(made);
        });
        self.0.queue.send(job).map_err(|_| Busy)?;
        made.await.map_err(|_| Busy)
    }
}

/// A worker: takes what waits, one after the other, until nobody can ask any more.
fn work_off(queue: &Mutex<Receiver<Work>>) {
    be_nice();
    loop {
        // The lock is given back before the work begins.
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // A defect costs its own caller an answer, and nobody after them.
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("a secret could not be hashed");
        }
    }
}

/// Lowers the priority of this thread alone, which Linux keeps per thread. Elsewhere it would be the process's, so there it stays.
fn be_nice() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "hashing goes on at the priority of everything else");
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("the parameters are within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// As `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`: a stored one says how it was made.
fn hash(peppered: &[u8; 32]) -> String {
    let hash = argon2().hash_password_with_salt(peppered, &random::bytes::<16>());
    hash.expect("32 bytes and a salt of 16 can be hashed").to_string()
}

impl std::fmt::Debug for Hashing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hashing").field("done", &self.done()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_under_its_pepper() {
        let hashing = Hashing::with(Pepper::of(&[1; 32]), 1, 4);
        let stored = hashing.hash(b"quatro rios sem ponte").await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, hashing.hash(b"quatro rios sem ponte").await.unwrap());
        let verify =
            async |hashing: &Hashing, text: &str| hashing.verify(text.as_bytes(), Some(stored.clone())).await.unwrap();
        assert!(verify(&hashing, "quatro rios sem ponte").await);
        assert!(!verify(&hashing, "quatro rios com ponte").await);
        let other = Hashing::with(Pepper::of(&[2; 32]), 1, 4);
        assert!(
            !verify(&other, "quatro rios sem ponte").await,
            "the database alone is not enough to try passwords out"
        );
        assert_eq!(hashing.done(), 4);
    }

    #[tokio::test]
    async fn nobodys_password_costs_one_hash_too() {
        let hashing = Hashing::with(Pepper::of(&[1; 32]), 1, 4);
        assert!(!hashing.verify(b"anything at all", None).await.unwrap());
        assert_eq!(hashing.done(), 1);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_empties_again() {
        let hashing = Hashing::with(Pepper::of(&[1; 32]), 1, 3);
        let all = futures_util::future::join_all((0..10).map(|_| hashing.hash(b"anything at all"))).await;
        let refused = all.iter().filter(|done| matches!(done, Err(Busy))).count();
        assert_eq!((hashing.done(), refused), (4, 6));
        assert!(hashing.hash(b"anything at all").await.is_ok());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn only_the_threads_that_hash_are_nice() {
        let hashing = Hashing::with(Pepper::of(&[1; 32]), 1, 1);
        let own = || rustix::process::getpriority_process(None).unwrap();
        let before = own();
        let there = hashing.run(hashing.place().unwrap(), b"", move |_, _| own()).await.unwrap();
        assert_eq!((there, own()), ((before + NICENESS).min(19), before));
    }

    #[tokio::test]
    async fn a_worker_outlives_a_defect() {
        let hashing = Hashing::with(Pepper::of(&[1; 32]), 1, 1);
        let broken = hashing.run(hashing.place().unwrap(), b"", |_, _| -> u8 { panic!("a defect") }).await;
        assert_eq!(broken, Err(Busy));
        assert!(hashing.hash(b"anything at all").await.is_ok());
    }
}
