//! The command itself: options, what is driven, and what is printed around the table.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::BenchError;
use super::auth;
use super::ceiling::{self, Ceiling};
use super::confirm;
use super::ground::Ground;
use super::growth;
use super::load::Timing;
use super::oracle;
use super::run::{Plan, Stage, run};
use super::views;
use crate::client::Connection;
use crate::stack::gauge::Gauge;
use crate::stack::ui::say;
use crate::stack::{DATABASE, Stack};

/// More turns than this end a case before its time, so that a run is bounded in what it writes.
const MOST_TURNS: u64 = 20_000_000;
const SHORT_ACCOUNTS: u32 = 10_000;

/// Drive a ledger over HTTP and print how fast it is, what it costs, and where the ceiling is.
///
/// Without --url it is the development stack of this checkout, whose processes and bytes are measured
/// too; docs/performance.md says how to read the table.
#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    command: Option<Long>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Long {
    /// Fill the development stack's ledger and measure it on the way; goes on where an earlier run ended.
    Growth(growth::Growth),
    /// What it costs the API to know who calls.
    Auth(auth::Auth),
    /// What is left for others while people confirm with their PINs.
    Confirm(confirm::Confirm),
    /// Whether an answer's time tells who exists.
    Oracle(oracle::Oracle),
    /// How the views keep up with the development stack's ledger, drain a backlog and are built anew.
    Views(views::Views),
}

#[derive(Debug, Args)]
struct Options {
    /// Everything within a minute: fewer accounts, a second per case.
    #[arg(long)]
    short: bool,
    /// Only cases whose name contains this; may be repeated.
    #[arg(long = "case", value_name = "PART")]
    only: Vec<String>,
    /// Over how many accounts. [default: 100000, with --short 10000]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    accounts: Option<u32>,
    /// How long each case is measured. [default: 10, with --short 1]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=480))]
    seconds: Option<u64>,
    /// Send single requests at this rate instead of as fast as answers come.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Measure bare rows of the product's shape in the same server first, and pgbench's TPC-B.
    #[arg(long)]
    ceiling: bool,
    /// The API, if it is not the development stack's.
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
pub async fn command(args: Bench) -> Result<(), BenchError> {
    let Bench { command, options } = args;
    match command {
        Some(Long::Growth(growth)) => growth::command(growth).await,
        Some(Long::Auth(auth)) => auth::command(auth).await,
        Some(Long::Confirm(confirm)) => confirm::command(confirm).await,
        Some(Long::Oracle(oracle)) => oracle::command(oracle).await,
        Some(Long::Views(views)) => views::command(views).await,
        None if options.connection.url.is_some() => elsewhere(&options).await,
        None => in_stack(&options).await,
    }
}

impl Options {
    fn plan(&self) -> Plan {
        let (accounts, seconds) = if self.short { (SHORT_ACCOUNTS, 1) } else { (100_000, 10) };
        let warm_up = if self.short { Duration::from_millis(300) } else { Duration::from_secs(2) };
        let measured = Duration::from_secs(self.seconds.unwrap_or(seconds));
        Plan {
            accounts: self.accounts.unwrap_or(accounts),
            timing: Timing { warm_up, measured, most: MOST_TURNS },
            rate: self.rate,
            only: self.only.clone(),
        }
    }
}

async fn elsewhere(options: &Options) -> Result<(), BenchError> {
    if options.ceiling {
        return Err(BenchError::Usage("the ceiling is measured in the development stack only: leave --url out".into()));
    }
    let plan = options.plan();
    let stage = Stage::of(Ground::at(&options.connection).await?);
    stage.prepare(plan.accounts).await?;
    run(&stage, &plan, None, None).await.map(drop)
}

async fn in_stack(options: &Options) -> Result<(), BenchError> {
    let stack = Stack::load()?;
    let plan = options.plan();
    let stage = Stage::of_stack(&stack, &plan).await?;
    stage.prepare(plan.accounts).await?;
    let ceiling = if options.ceiling { Some(measure_ceiling(&stack, &plan, options.short).await?) } else { None };
    let pace = plan.rate.map_or_else(|| "as fast as answers come".to_owned(), |rate| format!("singles at {rate}/s"));
    println!("{} accounts, {} s per case, {pace}", plan.accounts, plan.timing.measured.as_secs());
    println!("processor seconds are per 1,000 items, bytes per item\n");
    run(&stage, &plan, Some(&Gauge::of(&stack)), ceiling.as_ref()).await.map(drop)
}

async fn measure_ceiling(stack: &Stack, plan: &Plan, is_short: bool) -> Result<Ceiling, BenchError> {
    let rows = if is_short { 20_000 } else { 200_000 };
    say("measuring the ceiling");
    let ceiling = ceiling::measure(stack, DATABASE, plan.accounts, rows).await?;
    println!("{ceiling}");
    match ceiling::tpc_b(stack, if is_short { 2 } else { 10 }).await? {
        Some(transactions) => println!("pgbench TPC-B (8 clients, scale 10): {transactions} transactions/s\n"),
        None => println!("pgbench is not installed beside Postgres\n"),
    }
    Ok(ceiling)
}
