//! Fills the development stack's ledger and measures it on the way.

use std::time::Duration;

use clap::Args;

use super::BenchError;
use super::case::{Author, CASES, Group, Work};
use super::choice::Spread;
use super::ground::Ground;
use super::load::{Timing, work_off};
use super::run::{Plan, Stage, one};
use super::table;
use crate::progress::Progress;
use crate::stack::Stack;
use crate::stack::gauge::Gauge;
use crate::stack::ui::say;

/// Where it is measured, as far as it goes.
const MARKS: [u64; 6] = [0, 1_000_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000];
/// What is measured there.
const MEASURED: [&str; 4] = ["batch 1000", "single 64", "balance", "statement"];
/// How it is filled.
const FILL: Group = Group { work: Work::Transfer(Spread::Uniform), clients: 3, batch: 5_000 };
/// A transfer has two entries: half of an event, an entry, their indexes, and the WAL that is kept for a while.
const BYTES_PER_ENTRY: u64 = 450;
/// Left to the machine and to Postgres' WAL.
const RESERVE_BYTES: u64 = 8_000_000_000;

/// How far, and over how many accounts.
#[derive(Debug, Args)]
pub struct Growth {
    /// Until the ledger has so many entries.
    #[arg(long = "to", value_name = "ENTRIES", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    to: u64,
    /// Over how many accounts.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    accounts: u32,
    /// How long each figure is measured.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=480))]
    seconds: u64,
}

/// Runs the command.
pub async fn command(args: Growth) -> Result<(), BenchError> {
    let stack = Stack::load()?;
    let gauge = Gauge::of(&stack);
    let mut entries = gauge.entries().await?;
    check_space(&stack, args.to.saturating_sub(entries))?;
    let stage = Stage::of(Ground::of_stack(&stack).await?);
    stage.ground.prepare(args.accounts, true).await?;
    let measured = Duration::from_secs(args.seconds);
    let timing = Timing { warm_up: Duration::from_secs(2), measured, most: u64::MAX };
    let plan = Plan { accounts: args.accounts, timing, rate: None, only: Vec::new() };
    // Where the run begins is measured too: the figure that the others are held against.
    let ahead = MARKS.into_iter().filter(|mark| *mark > entries && *mark < args.to).chain([args.to]);
    let marks: Vec<u64> = [entries].into_iter().chain(ahead.filter(|mark| *mark > entries)).collect();
    let mut first = None;
    println!("{}", table::head(true, false));
    for mark in marks {
        entries += fill(&stage.ground, args.accounts, mark.saturating_sub(entries)).await?;
        println!("at {entries} entries");
        for case in CASES.iter().filter(|case| MEASURED.contains(&case.name)) {
            for line in one(&stage, &plan, Some(&gauge), case).await? {
                println!("{}", table::line(&line, true, None));
                if line.name == MEASURED[0] {
                    let rate = line.tally.rate();
                    println!("  {} of the first figure", table::ratio(rate, *first.get_or_insert(rate)));
                }
            }
        }
        entries = gauge.entries().await?;
    }
    Ok(())
}

/// Posts transfers until there are so many more entries; answers how many came.
pub(super) async fn fill(ground: &Ground, accounts: u32, missing: u64) -> Result<u64, BenchError> {
    let mut progress = Progress::start("entries", missing);
    let mut added = 0;
    while added < missing {
        let scribe = ground.scribe(&ground.api).await?;
        let author = Author { scribe: &scribe, tenant: ground.tenant, accounts, most: u64::MAX };
        let mut turns = author.turns(FILL);
        let batches = (missing - added).div_ceil(2 * u64::from(FILL.batch));
        turns.truncate(usize::try_from(batches).unwrap_or(usize::MAX));
        let tally = work_off(ground.api.clone(), turns, FILL.clients, "the filling of the ledger").await?;
        progress.add(2 * tally.items);
        added += 2 * tally.items;
    }
    progress.finish();
    Ok(added)
}

fn check_space(stack: &Stack, entries: u64) -> Result<(), BenchError> {
    let place = nix::sys::statvfs::statvfs(stack.folder().root()).map_err(|error| BenchError::Runtime(error.into()))?;
    let free = place.blocks_available() * place.fragment_size();
    let needed = entries.saturating_mul(BYTES_PER_ENTRY).saturating_add(RESERVE_BYTES);
    say(&format!("{} GB are free, about {} GB are needed", free / 1_000_000_000, needed / 1_000_000_000));
    if free > needed {
        return Ok(());
    }
    Err(BenchError::Space { needed: needed / 1_000_000_000, free: free / 1_000_000_000 })
}
