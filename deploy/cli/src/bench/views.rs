//! How the views keep up with the development stack's ledger: under a steady load, after a backlog, and when built anew.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::FutureExt as _;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Executor as _, PgPool, Row as _};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use vintem_core::projections::lag;
use vintem_core::projections::rebuild;
use vintem_core::projections::{ALL, Projection};
use vintem_core::verify;

use super::BenchError;
use super::case::{Author, Group, Work};
use super::choice::Spread;
use super::ground::Ground;
use super::growth::fill;
use super::load::{Crowd, Measured, Timing, drive, drive_until};
use super::table::thousandths;
use super::tally::Tally;
use crate::progress::{Shown, per_second};
use crate::stack::gauge::{Gauge, SERVICES, Usage};
use crate::stack::ui::say;
use crate::stack::{DATABASE, Stack, process, servers};

/// What comes in steadily; one transfer is one event.
const STEADY: Group = Group { work: Work::Transfer(Spread::Uniform), clients: 8, batch: 100 };
/// Of a transfer.
const ENTRIES: u64 = 2;
/// Until a steady load is steady.
const WARM_UP: Duration = Duration::from_secs(3);
/// Between two looks at the lag.
const GLANCE: Duration = Duration::from_millis(100);
/// A backlog that takes longer is given up.
const PATIENCE: Duration = Duration::from_mins(10);

/// Which rates, how long, and how large a backlog.
#[derive(Debug, Args)]
pub struct Views {
    /// Transfers per second, one measurement each.
    #[arg(long = "rate", default_values_t = [5_000, 10_000], value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    rates: Vec<u32>,
    /// How long each rate is held.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=480))]
    seconds: u64,
    /// Events that wait when the worker comes back; 0 for none.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(0..=5_000_000))]
    backlog: u32,
    /// Transfers per second beside a second backlog of the same size; 0 for none.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    beside: u32,
    /// Over how many accounts.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    accounts: u32,
}

/// Runs the command.
pub async fn command(args: Views) -> Result<(), BenchError> {
    let stack = Stack::load()?;
    let pool = PgPoolOptions::new().max_connections(4).connect_with(stack.cluster().superuser_options(DATABASE));
    let ground = Ground::of_stack(&stack).await?;
    ground.prepare(args.accounts, false).await?;
    let bench = Bench { pool: pool.await?, gauge: Gauge::of(&stack), stack, ground, accounts: args.accounts };
    bench.caught_up().await?;
    for rate in &args.rates {
        bench.steady(*rate, Duration::from_secs(args.seconds)).await?;
    }
    if args.backlog > 0 {
        bench.backlog(args.backlog, 0).await?;
        if args.beside > 0 {
            bench.backlog(args.backlog, args.beside).await?;
        }
    }
    bench.rebuilds().await
}

struct Bench {
    stack: Stack,
    pool: PgPool,
    gauge: Gauge,
    ground: Ground,
    accounts: u32,
}

impl Bench {
    /// Holds a rate and looks at every view on the way.
    async fn steady(&self, rate: u32, held: Duration) -> Result<(), BenchError> {
        let timing = Timing { warm_up: WARM_UP, measured: held, most: u64::MAX };
        let crowd = self.crowd(rate).await?;
        let watched = async {
            sleep(WARM_UP).await;
            Ok(watch(self.pool.clone(), held).await?)
        };
        let driven = drive(vec![crowd], timing, Some(self.gauge.clone()));
        let (Measured { tallies, usage }, seen) = tokio::try_join!(driven, watched)?;
        let came: u64 = tallies.iter().map(Tally::rate).sum();
        println!("\n{came} transfers/s of {rate} asked for, in batches of {}", STEADY.batch);
        println!("  {:<16} {:>10} {:>10} {:>10} {:>10}", "behind", "p50 ms", "p95 ms", "max ms", "max events");
        for (view, behind) in seen.0 {
            println!("  {view:<16} {}", behind.told());
        }
        tell_usage(&usage.unwrap_or_default(), tallies.iter().map(|tally| tally.items).sum());
        self.caught_up().await
    }

    /// Lets events wait while the worker is away, and sees how fast each view has them folded, perhaps beside a load.
    async fn backlog(&self, events: u32, beside: u32) -> Result<(), BenchError> {
        process::stop(self.stack.folder(), servers::WORKER.name, servers::STOP);
        say(&format!("recording {events} events while the worker is away"));
        let filled = fill(&self.ground, self.accounts, ENTRIES * u64::from(events)).await;
        servers::ensure(&self.stack, servers::WORKER, &self.stack.folder().path("bin")).await?;
        filled?;
        println!("\nbacklog of {events} events, {beside} transfers/s beside it");
        let (stop, stopped) = oneshot::channel();
        let load = self.beside(beside, stopped).await?;
        let before = self.gauge.read().await?;
        let drained = self.caught_up().await;
        tell_usage(&self.gauge.read().await?.since(&before), u64::from(events));
        drop(stop);
        if let Some(load) = load {
            load.await.map_err(|error| BenchError::Runtime(error.into()))??;
        }
        drained
    }

    /// Begins a load that goes on until it is told to stop, or nobody is there to tell it any more.
    async fn beside(
        &self,
        rate: u32,
        stopped: oneshot::Receiver<()>,
    ) -> Result<Option<JoinHandle<Result<Measured, BenchError>>>, BenchError> {
        if rate == 0 {
            return Ok(None);
        }
        let timing = Timing { warm_up: Duration::ZERO, measured: PATIENCE, most: u64::MAX };
        let crowd = self.crowd(rate).await?;
        let over = stopped.map(drop);
        Ok(Some(tokio::spawn(drive_until(vec![crowd], timing, None, over))))
    }

    async fn crowd(&self, rate: u32) -> Result<Crowd, BenchError> {
        let scribe = self.ground.scribe(&self.ground.api).await?;
        let author = Author { scribe: &scribe, tenant: self.ground.tenant, accounts: self.accounts, most: u64::MAX };
        let gap = Some(Duration::from_secs(1) * STEADY.batch / rate);
        Ok(Crowd { door: self.ground.api.clone(), turns: author.turns(STEADY), clients: STEADY.clients, gap })
    }

    /// Waits until every view has come to where the log ended at the beginning, and tells when each did.
    async fn caught_up(&self) -> Result<(), BenchError> {
        let (began, goal) = (Instant::now(), self.newest().await?);
        let mut behind = self.positions().await?;
        behind.retain(|_, position| *position < goal);
        let folding = async {
            while !behind.is_empty() {
                sleep(GLANCE).await;
                let arrived = self.positions().await?.into_iter().filter(|(_, position)| *position >= goal);
                for (view, _) in arrived {
                    let Some(began_at) = behind.remove(&view) else { continue };
                    let events = (goal - began_at).cast_unsigned();
                    println!("  {view:<16} {events:>9} events folded, {:>7}/s", per_second(events, began.elapsed()));
                }
            }
            Ok::<_, BenchError>(())
        };
        match timeout(PATIENCE, folding).await {
            Ok(folded) => folded,
            Err(_) => Err(BenchError::Undone { what: "the backlog", last: format!("{behind:?}") }),
        }
    }

    /// Where the log of the first shard ends.
    async fn newest(&self) -> Result<i64, BenchError> {
        let row = self.pool.fetch_one("SELECT coalesce(max(last_position), 0) FROM batch WHERE shard = 0").await?;
        Ok(row.try_get(0)?)
    }

    async fn positions(&self) -> Result<BTreeMap<String, i64>, BenchError> {
        let rows = self.pool.fetch_all("SELECT name, position FROM projection WHERE shard = 0").await?;
        let positions = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
        Ok(positions.collect::<Result<_, sqlx::Error>>()?)
    }

    /// Builds every view anew, while somebody reads it.
    async fn rebuilds(&self) -> Result<(), BenchError> {
        println!("\nbuilt anew beside the one in use, indexes and comparison included");
        let mut owner = self.stack.cluster().superuser(DATABASE).await?;
        owner.execute("SET ROLE vintem_owner").await?;
        let shards = verify::shards(&mut owner).await?;
        for projection in ALL {
            let reads = tokio::spawn(read_on(self.pool.clone(), projection));
            let mut shown = Shown::default();
            let rebuilt = rebuild::rebuild(&mut owner, projection, &shards, &mut shown).await;
            shown.finish();
            reads.abort();
            let failed = match reads.await {
                Ok(error) => format!("A READ FAILED: {error}"),
                Err(_) => "no read failed".to_owned(),
            };
            let rebuilt = rebuilt.map_err(|error| BenchError::Undone { what: "a rebuild", last: error.to_string() })?;
            let differing = rebuilt.differing.map_or(0, |rows| rows.len());
            println!(
                "  {:<16} {:>7} events/s, swapped in {} ms, {differing} rows differ, {failed}",
                projection.name(),
                per_second(rebuilt.events, rebuilt.elapsed),
                rebuilt.swap.as_millis()
            );
        }
        Ok(())
    }
}

/// Reads a view's tables until it fails, which it should not.
async fn read_on(pool: PgPool, projection: &'static dyn Projection) -> sqlx::Error {
    loop {
        for table in projection.tables() {
            if let Err(error) = pool.execute(&*format!("SELECT * FROM {} LIMIT 100", table.name)).await {
                return error;
            }
        }
        sleep(GLANCE).await;
    }
}

/// How far each view was behind, look by look.
#[derive(Debug, Default)]
struct Seen(BTreeMap<String, Behind>);

#[derive(Debug, Default)]
struct Behind {
    ages_ms: Vec<u64>,
    events: i64,
}

impl Behind {
    fn told(mut self) -> String {
        self.ages_ms.sort_unstable();
        let last = self.ages_ms.len().saturating_sub(1);
        let at = |percent: usize| self.ages_ms.get(last * percent / 100).copied().unwrap_or_default();
        format!("{:>10} {:>10} {:>10} {:>10}", at(50), at(95), at(100), self.events)
    }
}

/// Looks at the lag for a time.
async fn watch(pool: PgPool, held: Duration) -> Result<Seen, sqlx::Error> {
    let (mut seen, began) = (Seen::default(), Instant::now());
    while began.elapsed() < held {
        for lag in lag::measure(&pool).await?.into_iter().filter(|lag| lag.shard == 0) {
            let behind = seen.0.entry(lag.projection).or_default();
            behind.ages_ms.push(u64::try_from(lag.age.as_millis()).unwrap_or(u64::MAX));
            behind.events = behind.events.max(lag.events);
        }
        sleep(GLANCE).await;
    }
    Ok(seen)
}

fn tell_usage(usage: &Usage, events: u64) {
    let per_thousand = |ms: u64| thousandths((ms * 1_000).checked_div(events).unwrap_or_default());
    let services = SERVICES.iter().zip(usage.services_ms).map(|(name, ms)| format!("{name} {}", per_thousand(ms)));
    println!("  processor seconds per 1,000 events: {}", services.collect::<Vec<_>>().join(", "));
}
