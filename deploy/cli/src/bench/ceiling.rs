//! The ceiling: what bare rows of the product's shape cost in the same server, in the same run.
//!
//! It appends what the product appends (events, two entries each, one request with its body and one batch
//! row per commit, under the shard's lock), into the product's own schema in a database of its own, as the
//! writer's role, with a median payload of the product's own events. It knows no HTTP, no JSON, no keys to
//! look up, no bounds to check and no chain: its rows are made before the clock runs. This is the only file
//! of the benchmark that holds SQL, and it prints it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};
use tokio::task::JoinSet;
use uuid::Uuid;
use vintem_core::event_store::fresh::new_id;
use vintem_core::migrations;

use super::BenchError;
use crate::demo::random::Random;
use crate::progress::per_second;
use crate::stack::gauge::Gauge;
use crate::stack::{Cluster, Stack, process};

/// Transfers of one commit.
const BATCHES: [usize; 3] = [500, 1_000, 5_000];
/// Connections, each with a shard of its own.
const WRITERS: [usize; 2] = [1, 2];
const PGBENCH: &str = "vintem_pgbench";

const LOCK: &str = "SELECT shard FROM shard WHERE shard = $1 FOR UPDATE";
const EVENTS: &str =
    "INSERT INTO event (shard, schema, version, position, tenant, stream, kind, actor, correlation, payload)
  SELECT $1, 1, 1, position, $2, stream, 'transaction.posted', $3, $4, payload::json
  FROM unnest($5::bigint[], $6::uuid[], $7::text[]) AS row (position, stream, payload)";
const ENTRIES: &str = "INSERT INTO entry (shard, kind, account, version, position, amount, posted, held, incoming, tenant)
  SELECT $1, 1, account, version, position, amount, posted, 0, 0, $2
  FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[]) AS row (account, version, position, amount, posted)";
const REQUEST: &str = "INSERT INTO request (shard, seq, status, position, tenant, principal, key, fingerprint)
  VALUES ($1, $2, 200, $3, $4, $4, $5, $6)";
const BODY: &str = "INSERT INTO request_body (shard, seq, tenant, principal, key, outline, body)
  VALUES ($1, $2, $3, $3, $4, true, $5)";
const BATCH: &str = "INSERT INTO batch (shard, seq, epoch, first_position, last_position, tip, recorded_at)
  VALUES ($1, $2, 1, $3, $4, $5, clock_timestamp())";
const STATEMENTS: [&str; 6] = [LOCK, EVENTS, ENTRIES, REQUEST, BODY, BATCH];

/// What one combination came to.
#[derive(Debug, Clone, Copy)]
pub struct Figure {
    /// Connections.
    pub writers: usize,
    /// Transfers of a commit.
    pub batch: usize,
    /// Transfers a second.
    pub rate: u64,
    wal_bytes: u64,
    table_bytes: u64,
}

/// All of them.
#[derive(Debug, Clone)]
pub struct Ceiling {
    /// In the order of their measuring.
    pub figures: Vec<Figure>,
    payload_bytes: usize,
    copy: String,
}

impl Ceiling {
    /// The best of so many connections.
    pub fn best(&self, writers: usize) -> u64 {
        self.figures.iter().filter(|figure| figure.writers == writers).map(|figure| figure.rate).max().unwrap_or(0)
    }
}

impl fmt::Display for Ceiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The ceiling, with payloads of {} bytes: BEGIN, these, COMMIT\n", self.payload_bytes)?;
        for statement in STATEMENTS {
            writeln!(f, "  {statement};")?;
        }
        writeln!(f, "\nbinary COPY as the writer: {}\n", self.copy)?;
        writeln!(f, "{:>7} {:>6} {:>12} {:>7} {:>7}", "writers", "batch", "transfers/s", "WAL B", "table B")?;
        for Figure { writers, batch, rate, wal_bytes, table_bytes } in &self.figures {
            writeln!(f, "{writers:>7} {batch:>6} {rate:>12} {wal_bytes:>7} {table_bytes:>7}")?;
        }
        writeln!(f, "\nbest of one writer {}, of two {} transfers/s", self.best(1), self.best(2))
    }
}

/// What the product's own rows look like.
struct Sample {
    payload: String,
    actor: String,
    correlation: Option<String>,
    /// Of what is kept of a batch's answer, per item.
    body_bytes: usize,
}

/// Measures it in a database that is made for it and dropped, with so many transfers per combination.
pub async fn measure(stack: &Stack, product: &str, accounts: u32, transfers: usize) -> Result<Ceiling, BenchError> {
    let cluster = stack.cluster();
    let sample = Arc::new(sample(&cluster, product).await?);
    let database = format!("ceiling_{}", new_id().simple());
    stack.create_database(&database).await?;
    let measured = measure_in(stack, &database, &sample, accounts, transfers).await;
    stack.drop_database(&database).await?;
    measured
}

async fn measure_in(
    stack: &Stack,
    database: &str,
    sample: &Arc<Sample>,
    accounts: u32,
    transfers: usize,
) -> Result<Ceiling, BenchError> {
    let cluster = stack.cluster();
    let mut owner = session(&cluster, database, "vintem_owner").await?;
    migrations::run(&mut owner).await?;
    let lanes = BATCHES.len() * WRITERS.iter().sum::<usize>();
    owner.execute(&*format!("INSERT INTO shard SELECT generate_series(1, {lanes})")).await?;
    owner.close().await?;
    let gauge = Gauge::of(stack);
    let mut figures = Vec::new();
    let mut shard = 0;
    for writers in WRITERS {
        for batch in BATCHES {
            let mut lanes = Vec::new();
            for _ in 0..writers {
                shard += 1;
                let session = session(&cluster, database, "vintem_writer").await?;
                lanes.push((session, Lane::new(shard, accounts).commits(batch, (transfers / batch).max(1), sample)));
            }
            let count = lanes.iter().map(|(_, commits)| commits.len() * batch).sum::<usize>() as u64;
            let before = gauge.bytes(database).await?;
            let rate = per_second(count, time(lanes, sample).await?);
            let after = gauge.bytes(database).await?;
            let (wal_bytes, table_bytes) = ((after.0 - before.0) / count, (after.1 - before.1) / count);
            figures.push(Figure { writers, batch, rate, wal_bytes, table_bytes });
        }
    }
    let copy = copy(session(&cluster, database, "vintem_writer").await?).await;
    Ok(Ceiling { figures, payload_bytes: sample.payload.len(), copy })
}

/// All lanes at once, each on its own connection and task.
async fn time(lanes: Vec<(PgConnection, Vec<Commit>)>, sample: &Arc<Sample>) -> Result<Duration, sqlx::Error> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for (mut session, commits) in lanes {
        let sample = sample.clone();
        tasks.spawn(async move {
            for commit in &commits {
                append(&mut session, commit, &sample).await?;
            }
            Ok::<_, sqlx::Error>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
    }
    Ok(started.elapsed())
}

async fn session(cluster: &Cluster, database: &str, role: &str) -> Result<PgConnection, sqlx::Error> {
    cluster.superuser_options(database).options([("role", role)]).connect().await
}

/// The median transfer of the newest, and how much is kept of a batch's answer.
async fn sample(cluster: &Cluster, product: &str) -> Result<Sample, BenchError> {
    const EVENT: &str = "SELECT payload::text, actor, correlation FROM (
            SELECT payload, actor, correlation FROM event WHERE kind = 'transaction.posted' ORDER BY shard, position DESC LIMIT 1000) newest
        ORDER BY octet_length(payload::text) OFFSET (SELECT least(count(*), 1000) / 2 FROM (
            SELECT FROM event WHERE kind = 'transaction.posted' LIMIT 1000) counted) LIMIT 1";
    const KEPT: &str =
        "SELECT octet_length(body) / greatest(1, json_array_length(convert_from(body, 'UTF8')::json -> 'items'))
        FROM request_body WHERE outline ORDER BY shard, seq DESC LIMIT 1";
    let mut session = cluster.superuser(product).await?;
    let event = session.fetch_optional(EVENT).await?;
    let event =
        event.ok_or_else(|| BenchError::Usage("the ledger holds no transfer whose shape could be taken".into()))?;
    let kept = session.fetch_optional(KEPT).await?.map_or(Ok(16), |row| row.try_get::<i32, usize>(0))?;
    session.close().await?;
    Ok(Sample {
        payload: event.try_get(0)?,
        actor: event.try_get(1)?,
        correlation: event.try_get(2)?,
        body_bytes: usize::try_from(kept).unwrap_or_default(),
    })
}

/// The rows of one commit, column by column.
struct Commit {
    shard: i16,
    seq: i64,
    positions: Vec<i64>,
    streams: Vec<Uuid>,
    accounts: Vec<i64>,
    versions: Vec<i64>,
    entry_positions: Vec<i64>,
    amounts: Vec<i64>,
    posted: Vec<i64>,
    body: Vec<u8>,
}

/// One shard in the making.
struct Lane {
    shard: i16,
    random: Random,
    /// Of the newest entry of each account.
    versions: Vec<i64>,
    position: i64,
}

impl Lane {
    fn new(shard: i16, accounts: u32) -> Self {
        let seed = u64::from(shard.unsigned_abs());
        Self { shard, random: Random::seeded(seed), versions: vec![0; accounts as usize], position: 0 }
    }

    fn commits(mut self, batch: usize, count: usize, sample: &Sample) -> Vec<Commit> {
        (1..).take(count).map(|seq| self.commit(seq, batch, sample)).collect()
    }

    fn commit(&mut self, seq: i64, batch: usize, sample: &Sample) -> Commit {
        let mut commit = Commit {
            shard: self.shard,
            seq,
            positions: Vec::with_capacity(batch),
            streams: Vec::with_capacity(batch),
            accounts: Vec::with_capacity(2 * batch),
            versions: Vec::with_capacity(2 * batch),
            entry_positions: Vec::with_capacity(2 * batch),
            amounts: Vec::with_capacity(2 * batch),
            posted: Vec::with_capacity(2 * batch),
            body: vec![b'0'; sample.body_bytes * batch],
        };
        for _ in 0..batch {
            self.position += 1;
            commit.positions.push(self.position);
            commit.streams.push(new_id());
            let last = u32::try_from(self.versions.len() - 1).unwrap_or(u32::MAX);
            for amount in [-1, 1] {
                let account = self.random.between(0, last) as usize;
                self.versions[account] += 1;
                commit.accounts.push(i64::try_from(account).unwrap_or_default() + 1);
                commit.versions.push(self.versions[account]);
                commit.entry_positions.push(self.position);
                commit.amounts.push(amount);
                commit.posted.push(1_000_000 + amount);
            }
        }
        commit
    }
}

#[expect(clippy::disallowed_methods, reason = "the statements are printed as the very texts that run")]
async fn append(session: &mut PgConnection, rows: &Commit, sample: &Sample) -> Result<(), sqlx::Error> {
    let tenant = Uuid::from_u128(1);
    let key = new_id().to_string();
    let Commit { shard, seq, .. } = rows;
    let payloads = vec![sample.payload.as_str(); rows.positions.len()];
    let mut tx = session.begin().await?;
    sqlx::query(LOCK).bind(shard).execute(&mut *tx).await?;
    let events = sqlx::query(EVENTS).bind(shard).bind(tenant).bind(&sample.actor).bind(&sample.correlation);
    events.bind(&rows.positions).bind(&rows.streams).bind(&payloads).execute(&mut *tx).await?;
    let entries = sqlx::query(ENTRIES).bind(shard).bind(tenant).bind(&rows.accounts).bind(&rows.versions);
    entries.bind(&rows.entry_positions).bind(&rows.amounts).bind(&rows.posted).execute(&mut *tx).await?;
    let (first, last) = (rows.positions.first(), rows.positions.last());
    let request = sqlx::query(REQUEST).bind(shard).bind(seq).bind(first).bind(tenant).bind(&key);
    request.bind(&[7_u8; 32][..]).execute(&mut *tx).await?;
    sqlx::query(BODY).bind(shard).bind(seq).bind(tenant).bind(&key).bind(&rows.body).execute(&mut *tx).await?;
    let batch = sqlx::query(BATCH).bind(shard).bind(seq).bind(first).bind(last);
    batch.bind(&[7_u8; 32][..]).execute(&mut *tx).await?;
    tx.commit().await
}

/// Whether the writer could COPY instead; Postgres refuses it on tables with row-level security.
async fn copy(mut session: PgConnection) -> String {
    let asked = session.copy_in_raw("COPY event FROM STDIN (FORMAT binary)").await;
    match asked {
        Err(sqlx::Error::Database(refusal)) => refusal.message().to_owned(),
        Err(error) => error.to_string(),
        Ok(copy) => match copy.abort("only asked").await {
            Ok(()) => "allowed, and not measured".to_owned(),
            Err(error) => error.to_string(),
        },
    }
}

/// Transactions a second of pgbench's own load, if it is installed: a scale to compare machines by.
pub async fn tpc_b(stack: &Stack, seconds: u32) -> Result<Option<String>, BenchError> {
    let cluster = stack.cluster();
    let program = cluster.programs.join("pgbench");
    if !program.is_file() {
        return Ok(None);
    }
    stack.drop_database(PGBENCH).await?;
    stack.create_database(PGBENCH).await?;
    let socket = cluster.socket().display().to_string();
    let (port, time) = (cluster.port.to_string(), seconds.to_string());
    let run = |more: &[&str]| {
        let arguments = [&["-h", socket.as_str(), "-p", &port, "-U", "postgres"], more, &[PGBENCH]].concat();
        process::run(&program, &arguments, cluster.owner, &cluster.folder)
    };
    let ran = run(&["-i", "-q", "-s", "10"]).and_then(|_| run(&["-M", "prepared", "-c", "8", "-j", "2", "-T", &time]));
    stack.drop_database(PGBENCH).await?;
    let printed = ran?;
    let rate = printed.lines().find_map(|line| line.strip_prefix("tps = ")?.split(['.', ' ']).next());
    Ok(rate.map(str::to_owned))
}
