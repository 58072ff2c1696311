//! Runs crowds of clients against their doors, all in one thread.
//!
//! One thread, because it is the cheapest: nothing is woken across cores, and the state of a run needs
//! no locks. Each client sends its next request when the one before was answered, or at its place in the
//! schedule when a rate is set; from that instant its latency counts, whatever held it up.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::{JoinSet, LocalSet};
use uuid::Uuid;
use vintem_core::event_store::fresh::new_id;

use super::BenchError;
use super::request::{Request, Turn};
use super::tally::{self, Tally};
use super::wire::{Door, Wire};
use crate::stack::gauge::{Gauge, Usage};

/// A client whose connection broke or that was turned away waits this long.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the last answers may take after the window has closed.
const LAST_ANSWERS: Duration = Duration::from_mins(1);
/// How long a list of requests may take as a whole.
const LONGEST_LIST: Duration = Duration::from_mins(30);

/// Clients that do the same.
pub struct Crowd {
    /// Where they send it.
    pub door: Door,
    /// What they send, in turns; from its beginning again while the window is open.
    pub turns: Vec<Turn>,
    /// How many clients.
    pub clients: usize,
    /// Between two intended sendings of the whole crowd; `None` for as fast as answers come.
    pub gap: Option<Duration>,
}

/// When the measured window opens and closes.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Not counted.
    pub warm_up: Duration,
    /// Counted.
    pub measured: Duration,
    /// A crowd takes no more turns than this, whatever the clock says.
    pub most: u64,
}

/// What a run came to.
#[derive(Debug)]
pub struct Measured {
    /// One per crowd.
    pub tallies: Vec<Tally>,
    /// What the stack's processes used meanwhile.
    pub usage: Option<Usage>,
}

/// Drives the crowds for a time.
pub async fn drive(crowds: Vec<Crowd>, timing: Timing, gauge: Option<Gauge>) -> Result<Measured, BenchError> {
    drive_until(crowds, timing, gauge, std::future::pending()).await
}

/// Drives the crowds for a time, or until something else is over.
pub async fn drive_until(
    crowds: Vec<Crowd>,
    timing: Timing,
    gauge: Option<Gauge>,
    over: impl Future<Output = ()> + Send + 'static,
) -> Result<Measured, BenchError> {
    in_one_thread(move || async move {
        let run = Rc::new(Run::new(crowds, Some(timing.most)));
        let mut clients = run.start();
        if !timing.warm_up.is_zero() {
            tokio::time::sleep(timing.warm_up).await;
        }
        let before = read(gauge.as_ref()).await?;
        let opened = Instant::now();
        run.phase.set(Phase::Measuring);
        // Until the time is over, or every turn that is allowed was taken and answered.
        tokio::select! {
            _ = tokio::time::timeout(timing.measured, all(&mut clients)) => {}
            () = over => {}
        }
        run.phase.set(Phase::Over);
        let elapsed = opened.elapsed();
        let after = read(gauge.as_ref()).await?;
        // Who is still waiting is not counted any more and is dropped with the connections.
        let _ = tokio::time::timeout(LAST_ANSWERS, all(&mut clients)).await;
        let usage = before.zip(after).map(|(before, after)| after.since(&before));
        Ok(Measured { tallies: run.tallies(elapsed), usage })
    })
    .await
}

/// Sends each turn of a list until it has a definite answer, which must be that it is done or was done before.
pub async fn work_off(door: Door, turns: Vec<Turn>, clients: usize, what: &'static str) -> Result<Tally, BenchError> {
    in_one_thread(move || async move {
        let started = Instant::now();
        let run = Rc::new(Run::new(vec![Crowd { door, turns, clients, gap: None }], None));
        run.phase.set(Phase::Measuring);
        let mut clients = run.start();
        let done = tokio::time::timeout(LONGEST_LIST, all(&mut clients)).await;
        let tally = run.tallies(started.elapsed()).remove(0);
        let refused = tally.codes.keys().find(|code| !is_passing(code)).cloned();
        match refused.or_else(|| done.is_err().then(|| "the time is over".to_owned())) {
            Some(last) => Err(BenchError::Undone { what, last }),
            None => Ok(tally),
        }
    })
    .await
}

/// Failures after which the same request under the same key was asked again, and the answer of a second opening.
fn is_passing(code: &str) -> bool {
    matches!(code, "connection" | "overloaded" | "database-unavailable" | "outcome-unknown" | "name-taken")
}

async fn all(clients: &mut JoinSet<()>) {
    while clients.join_next().await.is_some() {}
}

async fn read(gauge: Option<&Gauge>) -> Result<Option<Usage>, BenchError> {
    Ok(match gauge {
        Some(gauge) => Some(gauge.read().await?),
        None => None,
    })
}

async fn in_one_thread<T: Send + 'static, F: Future<Output = Result<T, BenchError>>>(
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<T, BenchError> {
    let thread = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        LocalSet::new().block_on(&runtime.map_err(BenchError::Runtime)?, work())
    });
    thread.await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmingUp,
    Measuring,
    Over,
}

struct Run {
    crowds: Vec<Crowd>,
    tallies: Vec<RefCell<Tally>>,
    /// Turns handed out, per crowd.
    turns: Vec<Cell<u64>>,
    /// `None` for a list that is worked off once and wholly.
    most: Option<u64>,
    phase: Cell<Phase>,
    started: Instant,
    /// Keys and ids are this and what follows it.
    first_id: u128,
    ids: Cell<u128>,
}

impl Run {
    fn new(crowds: Vec<Crowd>, most: Option<u64>) -> Self {
        Self {
            tallies: crowds.iter().map(|_| RefCell::default()).collect(),
            turns: crowds.iter().map(|_| Cell::default()).collect(),
            crowds,
            most,
            phase: Cell::new(Phase::WarmingUp),
            started: Instant::now(),
            first_id: new_id().as_u128(),
            ids: Cell::default(),
        }
    }

    fn start(self: &Rc<Self>) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        for (index, crowd) in self.crowds.iter().enumerate() {
            for _ in 0..crowd.clients {
                let run = self.clone();
                clients.spawn_local(async move { run.client(index).await });
            }
        }
        clients
    }

    async fn client(&self, crowd: usize) {
        let mut wire = None;
        let mut outbox = Vec::new();
        let mut intended = Instant::now();
        while let Some((number, turn)) = self.next(crowd) {
            if let Some(gap) = self.crowds[crowd].gap {
                intended = self.started + gap * u32::try_from(number).unwrap_or(u32::MAX);
                tokio::time::sleep_until(intended.into()).await;
            }
            let id = self.id();
            for request in &turn.requests {
                let key = turn.key.unwrap_or_else(|| self.id());
                request.fill(&mut outbox, key, id);
                while !self.ask(crowd, &mut wire, request, &outbox, intended).await {
                    tokio::time::sleep(PAUSE).await;
                    if self.most.is_some() {
                        break;
                    }
                }
                intended = Instant::now();
            }
        }
    }

    fn next(&self, crowd: usize) -> Option<(u64, &Turn)> {
        let number = self.turns[crowd].get();
        let turns = &self.crowds[crowd].turns;
        let most = self.most.unwrap_or(turns.len() as u64);
        if self.phase.get() == Phase::Over || number >= most {
            return None;
        }
        self.turns[crowd].set(number + 1);
        let index = usize::try_from(number).unwrap_or_default() % turns.len();
        Some((number, &turns[index]))
    }

    fn id(&self) -> Uuid {
        self.ids.set(self.ids.get() + 1);
        Uuid::from_u128(self.first_id.wrapping_add(self.ids.get()))
    }

    /// Sends once; false when it has no definite answer.
    async fn ask(
        &self,
        crowd: usize,
        wire: &mut Option<Wire>,
        request: &Request,
        outbox: &[u8],
        intended: Instant,
    ) -> bool {
        let connected = match wire {
            Some(connected) => connected,
            None => match Wire::open(&self.crowds[crowd].door).await {
                Ok(opened) => wire.insert(opened),
                Err(_) => return self.broken(crowd),
            },
        };
        let Ok(answer) = connected.ask(outbox).await else {
            *wire = None;
            return self.broken(crowd);
        };
        let is_definite = answer.status < 500 && !matches!(answer.status, 401 | 408 | 429);
        if self.phase.get() == Phase::Measuring {
            let mut tally = self.tallies[crowd].borrow_mut();
            if is_definite {
                tally.answered(request.items, intended.elapsed());
            }
            tally::codes(answer.status, answer.body).for_each(|code| tally.count(code));
        }
        is_definite
    }

    fn broken(&self, crowd: usize) -> bool {
        if self.phase.get() == Phase::Measuring {
            self.tallies[crowd].borrow_mut().count("connection");
        }
        false
    }

    fn tallies(&self, elapsed: Duration) -> Vec<Tally> {
        let close = |tally: &RefCell<Tally>| {
            let mut tally = tally.take();
            tally.close(elapsed);
            tally
        };
        self.tallies.iter().map(close).collect()
    }
}
