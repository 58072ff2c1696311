//! What the stack's processes have used so far: processor time from `/proc`, bytes from Postgres.

use std::collections::HashMap;
use std::fs;

use sqlx::{Connection as _, Executor as _, Row as _};

use super::cluster::Cluster;
use super::error::StackError;
use super::process;
use super::servers::{API, WORKER};
use super::state::Folder;
use super::{DATABASE, POSTGRES, RABBITMQ, Stack, nginx, twin};
use crate::client::metrics;

/// The services whose time is told, by the names of their process records. The API's second process counts with it.
pub const SERVICES: [&str; 5] = [nginx::NAME, API.name, WORKER.name, POSTGRES, RABBITMQ];
/// `/proc` counts in ticks of 10 ms on every Linux that matters.
const TICK_MS: u64 = 10;

/// Both counters at an instant, or between two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Of this program.
    pub client_ms: u64,
    /// Of each of [`SERVICES`] with everything that it started.
    pub services_ms: [u64; SERVICES.len()],
    /// Written to the write-ahead log of the whole server.
    pub wal_bytes: u64,
    /// Tables and indexes of the stack's database.
    pub table_bytes: u64,
    /// What the writer of the first shard, in the supervised process, did with its time.
    pub writer_us: WriterTimes,
}

/// A writer's time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterTimes {
    /// It had nothing to do.
    pub idle: u64,
    /// It waited for the shard's lock.
    pub lock: u64,
    /// All of it.
    pub all: u64,
}

/// Reads them.
#[derive(Debug, Clone)]
pub struct Gauge {
    folder: Folder,
    cluster: Cluster,
    metrics: String,
}

/// The memory that the supervised API holds, in KiB, its supervisor included; nothing while it does not run.
pub fn resident_kib(folder: &Folder) -> u64 {
    let Some(root) = process::running(folder, API.name) else { return 0 };
    Times::now().tree(root).filter_map(resident_of).sum()
}

fn resident_of(pid: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()
}

impl Gauge {
    /// Of a stack.
    pub fn of(stack: &Stack) -> Self {
        let metrics = format!("http://127.0.0.1:{}/metrics", stack.known().ports.metrics);
        Self { folder: stack.folder().clone(), cluster: stack.cluster(), metrics }
    }

    /// The counters now.
    pub async fn read(&self) -> Result<Usage, StackError> {
        let (wal_bytes, table_bytes) = self.bytes(DATABASE).await?;
        let times = Times::now();
        let record = |name| process::running(&self.folder, name).map_or(0, |pid| times.of_tree(pid));
        let service = |name| record(name) + if name == API.name { record(twin::NAME) } else { 0 };
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        let (client_ms, services_ms) = (times.of_one(own), SERVICES.map(service));
        Ok(Usage { client_ms, services_ms, wal_bytes, table_bytes, writer_us: self.writer().await })
    }

    /// Nothing, while the API does not answer.
    async fn writer(&self) -> WriterTimes {
        writer_times(&metrics::read(&self.metrics).await)
    }

    /// WAL of the server, and tables with their indexes of one database.
    pub async fn bytes(&self, database: &str) -> Result<(u64, u64), StackError> {
        const QUESTION: &str =
            "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, sum(pg_total_relation_size(oid))::bigint
            FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        let failed = || StackError::postgres("read how much was written");
        let mut session = self.cluster.superuser(database).await?;
        let row = session.fetch_one(QUESTION).await.map_err(failed())?;
        let column = |index| row.try_get::<i64, usize>(index).map(i64::cast_unsigned).map_err(failed());
        let bytes = (column(0)?, column(1)?);
        session.close().await.map_err(StackError::postgres("close a session"))?;
        Ok(bytes)
    }

    /// How many entries the ledger has.
    pub async fn entries(&self) -> Result<u64, StackError> {
        let mut session = self.cluster.superuser(DATABASE).await?;
        let row = session.fetch_one("SELECT count(*) FROM entry").await;
        let count = row.and_then(|row| row.try_get::<i64, usize>(0)).map_err(StackError::postgres("count entries"))?;
        session.close().await.map_err(StackError::postgres("close a session"))?;
        Ok(count.cast_unsigned())
    }
}

impl Usage {
    /// What was used since an earlier reading.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let service = |index: usize| self.services_ms[index].saturating_sub(earlier.services_ms[index]);
        Self {
            client_ms: self.client_ms.saturating_sub(earlier.client_ms),
            services_ms: std::array::from_fn(service),
            wal_bytes: self.wal_bytes.saturating_sub(earlier.wal_bytes),
            table_bytes: self.table_bytes.saturating_sub(earlier.table_bytes),
            writer_us: WriterTimes {
                idle: self.writer_us.idle.saturating_sub(earlier.writer_us.idle),
                lock: self.writer_us.lock.saturating_sub(earlier.writer_us.lock),
                all: self.writer_us.all.saturating_sub(earlier.writer_us.all),
            },
        }
    }
}

fn writer_times(metrics: &str) -> WriterTimes {
    let mut times = WriterTimes::default();
    for line in metrics.lines().filter_map(|line| line.strip_prefix("ledger_writer_microseconds_total{phase=\"")) {
        let Some((phase, spent)) = line.split_once("\",shard=\"0\"} ") else { continue };
        let spent = spent.parse().unwrap_or_default();
        times.all += spent;
        match phase {
            "idle" => times.idle = spent,
            "lock" => times.lock = spent,
            _ => {}
        }
    }
    times
}

/// Parent and processor time of every process on the machine.
struct Times(HashMap<i32, (i32, u64)>);

impl Times {
    fn now() -> Self {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let read = |pid| Some((pid, parent_and_time(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?));
        Self(numbers.filter_map(read).collect())
    }

    fn of_one(&self, pid: i32) -> u64 {
        self.0.get(&pid).map_or(0, |(_, time)| *time)
    }

    /// With everything it started that still runs; what has ended is in its parent's own time.
    fn of_tree(&self, root: i32) -> u64 {
        self.tree(root).map(|pid| self.of_one(pid)).sum()
    }

    /// A process, and all that it started.
    fn tree(&self, root: i32) -> impl Iterator<Item = i32> {
        let parent = |pid: &i32| self.0.get(pid).map(|(parent, _)| *parent);
        let is_below = move |pid: i32| std::iter::successors(Some(pid), parent).any(|one| one == root);
        self.0.keys().copied().filter(move |pid| is_below(*pid))
    }
}

/// Fields 4 and 14 to 17: the parent, and the time of the process and of its children that have ended.
fn parent_and_time(stat: &str) -> Option<(i32, u64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().unwrap_or_default()).sum::<u64>();
    Some((fields.get(1)?.parse().ok()?, ticks * TICK_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writers_time_is_that_of_the_first_shard() {
        let line = |phase, shard, spent| {
            format!("ledger_writer_microseconds_total{{phase=\"{phase}\",shard=\"{shard}\"}} {spent}\n")
        };
        let metrics = [line("idle", 0, 7), line("lock", 0, 2), line("append", 0, 11), line("idle", 1, 100)].concat();
        assert_eq!(writer_times(&metrics), WriterTimes { idle: 7, lock: 2, all: 20 });
    }

    #[test]
    fn a_tree_has_the_time_of_all_its_processes() {
        let stat = "42 (a) b) S 7 42 42 0 -1 4194304 100 0 0 0 3 4 5 6 20 0 1 0 12345 0 0";
        assert_eq!(parent_and_time(stat), Some((7, 180)));
        let times = Times(HashMap::from([(1, (0, 1)), (7, (1, 10)), (42, (7, 100)), (8, (1, 1_000))]));
        assert_eq!((times.of_one(7), times.of_tree(7), times.of_tree(1)), (10, 110, 1_111));
    }
}
