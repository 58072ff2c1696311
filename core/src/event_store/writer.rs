//! The shard writer: one task per shard and process that alone decides what is appended.

use super::ahead::{Ahead, Plan};
use super::cache::AccountCache;
use super::draft::Draft;
use super::head;
use super::hooks::Hooks;
use super::in_flight::InFlight;
use super::job::{Disposed, Job, Waiting, WriteError};
pub use super::session::Credentials;
use super::session::Session;
use super::times::{Phase, Times};
use super::turn::{self, Failure, Memory};
use super::wanted::Wanted;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// How many small decisions share a commit at most.
const SMALL_BATCH: usize = 2_000;
/// The same for large jobs, when nobody else is there: small ones would wait too long for such a commit.
const BULK_BATCH: usize = 5_000;
/// Without a small job for so long, nobody else is there.
const QUIET: Duration = Duration::from_secs(1);
/// A job with more items than this travels in the lane of its own.
const BULK_ITEMS: usize = 100;
/// How long a turn is tried again before its callers are told that the database is away.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same, when the batch before already found it away: its callers have waited in the queue.
const IMPATIENCE: Duration = Duration::from_millis(300);
/// How long an unacknowledged COMMIT is asked about before its outcome counts as unknown.
const RESOLUTION: Duration = Duration::from_secs(10);

/// Bounds of a writer.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Jobs that may wait in each lane.
    pub queue: usize,
    /// Accounts kept in memory.
    pub cached_accounts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue: 10_000, cached_accounts: 1_000_000 }
    }
}

/// The way to a shard's writer. Cheap to clone; the writer ends when the last handle is dropped.
#[derive(Clone)]
pub struct Shard {
    small: mpsc::Sender<Waiting>,
    bulk: mpsc::Sender<Waiting>,
    in_flight: InFlight,
    position: watch::Receiver<i64>,
    times: Arc<Times>,
}

impl Shard {
    /// Starts the writer of a shard.
    pub fn start(shard: i16, credentials: Credentials, hooks: Arc<dyn Hooks>, limits: Limits) -> Self {
        let (small, small_rx) = mpsc::channel(limits.queue);
        let (bulk, bulk_rx) = mpsc::channel(limits.queue.div_ceil(1_000));
        let (position, watched) = watch::channel(0);
        let session = Session::new(credentials);
        let times: Arc<Times> = Arc::default();
        let cache = AccountCache::new(limits.cached_accounts);
        let memory = Memory { shard, head: None, cache, times: times.clone() };
        let writer = Writer {
            memory,
            hooks,
            scout: Some(session.another()),
            session,
            next: None,
            helpers: Handle::current(),
            small: small_rx,
            bulk: bulk_rx,
            position,
            after_bulk: false,
            small_at: Instant::now(),
            is_away: false,
        };
        run_apart(writer);
        Self { small, bulk, in_flight: InFlight::default(), position: watched, times }
    }

    /// Hands a job to the writer and waits for its last word.
    pub async fn dispose(&self, job: Job) -> Result<Disposed, WriteError> {
        let guard = match &job.request {
            Some(request) => Some(
                self.in_flight.take(job.origin.tenant, request.principal, &request.key).ok_or(WriteError::InFlight)?,
            ),
            None => None,
        };
        let (reply, answer) = oneshot::channel();
        let lane = if job.items.len() > BULK_ITEMS { &self.bulk } else { &self.small };
        lane.try_send(Waiting { job, reply, guard }).map_err(|_| WriteError::Overloaded)?;
        // The writer answers every job it takes; only its own end leaves one without.
        answer.await.unwrap_or(Err(WriteError::OutcomeUnknown))
    }

    /// The newest position that this process recorded; a hint to look, never a promise.
    pub fn position(&self) -> watch::Receiver<i64> {
        self.position.clone()
    }

    /// How many jobs wait.
    pub fn waiting(&self) -> usize {
        [&self.small, &self.bulk].map(|lane| lane.max_capacity() - lane.capacity()).iter().sum()
    }

    /// What the writer has done with its time.
    pub fn times(&self) -> &Times {
        &self.times
    }
}

/// Gives the writer a thread of its own. Everybody waits for it, so it must not wait for a thread on which somebody
/// else decides or renders thousands of items.
fn run_apart(writer: Writer) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(own) => _ = std::thread::spawn(move || own.block_on(writer.run())),
        Err(error) => {
            tracing::warn!(%error, "the writer shares the threads of requests");
            tokio::spawn(writer.run());
        }
    }
}

struct Writer {
    memory: Memory,
    hooks: Arc<dyn Hooks>,
    session: Session,
    /// For look-ups that are made ahead; lent out while one is made.
    scout: Option<Session>,
    /// A large request that is being drafted.
    next: Option<JoinHandle<Ahead>>,
    /// Where drafting runs: the threads of everybody else.
    helpers: Handle,
    small: mpsc::Receiver<Waiting>,
    bulk: mpsc::Receiver<Waiting>,
    position: watch::Sender<i64>,
    after_bulk: bool,
    /// When small jobs were taken last.
    small_at: Instant,
    is_away: bool,
}

impl Writer {
    async fn run(mut self) {
        while let Some((waiting, drafted)) = self.take().await {
            self.work(waiting, drafted).await;
        }
    }

    /// The next jobs, drafted if they were. The lanes take turns.
    async fn take(&mut self) -> Option<(Vec<Waiting>, Option<Draft>)> {
        if self.after_bulk
            && let Ok(first) = self.small.try_recv()
        {
            self.after_bulk = false;
            return Some((self.gather_small(first), None));
        }
        if let Some(next) = self.next.take() {
            self.after_bulk = true;
            let ended = next.await;
            self.memory.times.lap(Phase::Draft);
            let Ahead { waiting, draft, session } = ended.unwrap_or_else(|end| resume_unwind(end.into_panic()));
            self.scout = Some(session);
            return Some((waiting, draft));
        }
        let first = if self.after_bulk {
            tokio::select! { biased; job = self.small.recv() => job?, job = self.bulk.recv() => job? }
        } else {
            tokio::select! { biased; job = self.bulk.recv() => job?, job = self.small.recv() => job? }
        };
        self.memory.times.lap(Phase::Idle);
        self.after_bulk = first.job.items.len() > BULK_ITEMS;
        Some((if self.after_bulk { self.gather_bulk(first) } else { self.gather_small(first) }, None))
    }

    /// Natural batching: the jobs that wait are taken, without a timer.
    fn gather_small(&mut self, first: Waiting) -> Vec<Waiting> {
        self.small_at = Instant::now();
        let mut waiting = vec![first];
        gather(&mut self.small, &mut waiting, SMALL_BATCH);
        waiting
    }

    fn gather_bulk(&mut self, first: Waiting) -> Vec<Waiting> {
        let mut waiting = vec![first];
        if self.small_at.elapsed() > QUIET {
            gather(&mut self.bulk, &mut waiting, BULK_BATCH);
        }
        waiting
    }

    /// Brings the jobs to an end, whatever it takes within the limits.
    async fn work(&mut self, mut waiting: Vec<Waiting>, mut drafted: Option<Draft>) {
        let deadline = Instant::now() + if self.is_away { IMPATIENCE } else { PATIENCE };
        let mut has_failed = false;
        loop {
            match self.try_turn(&mut waiting, drafted.take()).await {
                Ok(draft) => return self.succeed(waiting, draft),
                Err(Failure::Uncertain(draft)) => match self.resolve(&draft).await {
                    Some(true) => return self.succeed(waiting, *draft),
                    Some(false) => {}
                    None => return fail(waiting, WriteError::OutcomeUnknown),
                },
                Err(Failure::Halted) => return fail(waiting, WriteError::Halted),
                Err(Failure::Forked) => {
                    self.pull_brake("the history that this process built on is gone: failover or restore").await;
                    return fail(waiting, WriteError::Halted);
                }
                Err(Failure::Lost(error)) if is_defect(&error) => {
                    tracing::error!(%error, shard = self.memory.shard, has_failed, "the batch broke a constraint of the schema");
                    self.memory.head = None;
                    self.memory.cache.clear();
                    if has_failed && waiting.len() == 1 {
                        self.pull_brake(&format!("a proposal broke a constraint of the schema: {error}")).await;
                        return fail(waiting, WriteError::Defect);
                    }
                    if waiting.len() > 1 {
                        // One of them is at fault; alone, each of the others is answered as usual.
                        for one in waiting.drain(..) {
                            Box::pin(self.work(vec![one], None)).await;
                        }
                        return;
                    }
                    has_failed = true;
                }
                Err(Failure::Lost(error)) => {
                    tracing::warn!(%error, shard = self.memory.shard, "the writer lost its transaction and tries again");
                    if Instant::now() >= deadline {
                        self.is_away = true;
                        return fail(waiting, WriteError::DatabaseUnavailable);
                    }
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn try_turn(&mut self, waiting: &mut Vec<Waiting>, drafted: Option<Draft>) -> Result<Draft, Failure> {
        let hooks = self.hooks.clone();
        let (number, mut connection) = self.session.lend().await.map_err(Failure::Lost)?;
        // Without a head something went wrong before: whatever is tried alone then must stay alone.
        let (small, may_grow) = (&mut self.small, !self.after_bulk && self.memory.head.is_some());
        let more = |waiting: &mut Vec<Waiting>| {
            if may_grow {
                gather(small, waiting, SMALL_BATCH);
            }
        };
        let (mut tx, mut draft) = self.memory.open(&mut connection, &*hooks, waiting, drafted, more).await?;
        let batch = draft.statements();
        let times = self.memory.times.clone();
        if batch.is_empty() {
            // Only replays: nothing to make durable.
            tx.rollback().await.map_err(Failure::Lost)?;
        } else {
            self.meanwhile(&draft, turn::append(&mut tx, batch)).await.map_err(Failure::Lost)?;
            times.lap(Phase::Append);
            let is_durable = self.meanwhile(&draft, turn::commit(tx)).await;
            times.lap(Phase::Commit);
            if !is_durable {
                return Err(Failure::Uncertain(Box::new(draft)));
            }
        }
        self.session.keep((number, connection));
        Ok(draft)
    }

    /// While Postgres works, the large request that comes next is drafted. Small ones that wait go first, and a draft that
    /// something comes before is wasted.
    async fn meanwhile<T>(&mut self, before: &Draft, working: impl Future<Output = T>) -> T {
        let mut working = pin!(working);
        loop {
            let may_look_ahead = self.next.is_none() && self.scout.is_some() && self.small.is_empty();
            tokio::select! {
                done = &mut working => return done,
                Some(next) = self.bulk.recv(), if may_look_ahead => self.look_ahead(next, before),
            }
        }
    }

    /// Begins to draft a large request, and those that wait with it, on what `before` will leave.
    fn look_ahead(&mut self, first: Waiting, before: &Draft) {
        let Some(session) = self.scout.take() else { return };
        let waiting = self.gather_bulk(first);
        let Memory { shard, cache, .. } = &mut self.memory;
        let mut wanted = Wanted::by(&waiting);
        let found = wanted
            .recall(|id| before.overlay.account(id).copied().or_else(|| cache.get(id)), |id| before.overlay.stream(id));
        let (base, not_before, hooks) = (before.head, before.recorded_at(), self.hooks.clone());
        let plan = Plan { shard: *shard, base, not_before, waiting, wanted, found, hooks };
        self.next = Some(plan.begin(session, &self.helpers));
    }

    /// Learns whether an uncertain COMMIT happened; `None` when that cannot be learned in time.
    async fn resolve(&mut self, draft: &Draft) -> Option<bool> {
        let deadline = Instant::now() + RESOLUTION;
        tracing::warn!(shard = self.memory.shard, seq = draft.head.seq, "a commit was not acknowledged; asking again");
        while Instant::now() < deadline {
            if let Ok((number, mut connection)) = self.session.lend().await {
                let resolution = self.memory.resolve(&mut connection, draft);
                if let Ok(Ok(is_durable)) = timeout(RESOLUTION, resolution).await {
                    self.session.keep((number, connection));
                    return Some(is_durable);
                }
            }
            sleep(Duration::from_millis(100)).await;
        }
        // What became of it is unknown, so nothing may be built on it.
        self.memory.head = None;
        self.memory.cache.clear();
        None
    }

    async fn pull_brake(&mut self, reason: &str) {
        tracing::error!(shard = self.memory.shard, reason, "the shard is halted; `vintem recover` lifts it");
        self.memory.head = None;
        self.memory.cache.clear();
        if let Ok((number, mut connection)) = self.session.lend().await
            && head::halt(&mut connection, self.memory.shard, reason).await.is_ok()
        {
            self.session.keep((number, connection));
        }
    }

    fn succeed(&mut self, waiting: Vec<Waiting>, draft: Draft) {
        self.is_away = false;
        self.memory.head = Some(draft.head);
        self.memory.cache.remember(draft.overlay.into_accounts());
        self.position.send_replace(draft.head.last_position);
        for (waiting, disposed) in waiting.into_iter().zip(draft.disposed) {
            waiting.answer(Ok(disposed));
        }
    }
}

/// Adds jobs that wait in a lane until there are so many items, or a little more.
fn gather(lane: &mut mpsc::Receiver<Waiting>, waiting: &mut Vec<Waiting>, most: usize) {
    let mut items: usize = waiting.iter().map(|waiting| waiting.job.items.len()).sum();
    while items < most {
        let Ok(next) = lane.try_recv() else { break };
        items += next.job.items.len();
        waiting.push(next);
    }
}

fn fail(waiting: Vec<Waiting>, error: WriteError) {
    for waiting in waiting {
        waiting.answer(Err(error));
    }
}

/// Constraint violations (class 23) are defects of the writer, never control flow.
fn is_defect(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code.starts_with("23"))
}
