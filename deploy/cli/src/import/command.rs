//! The command itself: options, the two readings, and what the terminal shows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::csv::mapping::Mapping;
use super::lane::Shared;
use super::post::{Outcome, Pace, post};
use super::source::{Source, Survey};
use super::{ImportError, journal, open};
use crate::client::{Client, Connection};
use crate::progress::per_second;

/// Mismatches listed by a dry run before the rest is only counted.
const MOST_LISTED: usize = 1_000;

/// Imports a bank's CSV file (plain, .gz, .xz) or an hledger/Ledger journal.
///
/// Every balance that the file states is checked by the ledger in the commit that books the
/// row. Importing a file again adds only what is missing. See docs/import.md for mappings.
#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// The file. With --mapping it is a CSV file, otherwise a journal.
    pub file: PathBuf,
    /// What the columns of a CSV file mean (TOML).
    #[arg(long)]
    pub mapping: Option<PathBuf>,
    /// Names the origin of the rows; part of their identity. Default: the mapping's, or `journal`.
    #[arg(long)]
    pub source: Option<String>,
    /// The asset code of a journal's commodity symbol, such as `--commodity '$=USD'`.
    #[arg(long = "commodity", value_name = "SYMBOL=CODE")]
    pub commodities: Vec<String>,
    /// Posts nothing: lists every stated balance that the file's own movements do not lead to.
    #[arg(long)]
    pub keep_going: bool,
    /// Transactions of one batch.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=5_000))]
    pub batch: u16,
    /// Batches in flight at once. A journal's entries depend on each other and always go one by one.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub lanes: u8,
    /// The API.
    #[command(flatten)]
    pub connection: Connection,
}

/// Runs the command.
pub async fn run(args: ImportArgs) -> Result<(), ImportError> {
    tokio::select! {
        result = import(args) => result,
        _ = tokio::signal::ctrl_c() => Err(ImportError::Interrupted),
    }
}

async fn import(args: ImportArgs) -> Result<(), ImportError> {
    let started = Instant::now();
    let file = args.file.display().to_string();
    let ImportArgs { file: path, mapping, source, commodities, keep_going, batch, lanes, connection } = args;
    let reading = tokio::task::spawn_blocking(move || survey(path, mapping.as_deref(), source, &commodities));
    let (source, survey) = match reading.await {
        Ok(result) => result?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    describe(&file, &survey);
    if keep_going {
        return dry_run(&file, source, &survey);
    }
    let client = Client::connect(&connection).await?;
    let Survey { mut chart, movements, .. } = survey;
    open::open(&client, &mut chart).await?;
    let lanes = if matches!(source, Source::Journal { .. }) { 1 } else { lanes.into() };
    let run = vintem_core::event_store::fresh::new_id().simple().to_string();
    let shared = Arc::new(Shared { client, chart, run });
    let outcome = post(shared, source, movements, Pace { batch: batch.into(), lanes }).await?;
    conclude(&file, &outcome, started)
}

fn survey(
    path: PathBuf,
    mapping: Option<&Path>,
    source: Option<String>,
    commodities: &[String],
) -> Result<(Source, Survey), ImportError> {
    let Some(mapping) = mapping else {
        if path.to_string_lossy().contains(".csv") {
            return Err(ImportError::Usage(
                "a CSV file needs --mapping: docs/import.md shows how to write one".to_owned(),
            ));
        }
        let pairs = commodities.iter().map(|pair| {
            let split = pair.split_once('=').map(|(symbol, code)| (symbol.to_owned(), code.to_owned()));
            split.ok_or_else(|| ImportError::Usage(format!("--commodity {pair:?} is not SYMBOL=CODE")))
        });
        let assets = pairs.collect::<Result<_, _>>()?;
        let options = journal::Options { source: source.unwrap_or_else(|| "journal".to_owned()), assets };
        return Ok(Source::journal(&path, &options)?);
    };
    let mut mapping = Mapping::load(mapping)?;
    if let Some(source) = source {
        mapping.source = source;
    }
    Ok(Source::csv(path, mapping)?)
}

fn describe(file: &str, survey: &Survey) {
    let Survey { movements, expectations, chart, .. } = survey;
    println!("{file}: {movements} rows on {} accounts, {expectations} stated balances", chart.accounts().len());
    for (what, count) in &survey.notes.0 {
        println!("  note: {count} {what}");
    }
}

fn dry_run(file: &str, source: Source, survey: &Survey) -> Result<(), ImportError> {
    let mismatches = source.mismatches(&survey.chart)?;
    for mismatch in mismatches.iter().take(MOST_LISTED) {
        println!("{file}: {mismatch}");
    }
    if mismatches.is_empty() {
        println!("every stated balance follows from the movements before it; nothing was posted");
        return Ok(());
    }
    Err(ImportError::Refused(format!(
        "{} stated balances do not follow from the movements before them; nothing was posted",
        mismatches.len()
    )))
}

fn conclude(file: &str, outcome: &Outcome, started: Instant) -> Result<(), ImportError> {
    let Outcome { posted, known, withheld, failures, given_up } = outcome;
    for failure in failures {
        println!("{file}:{failure}");
    }
    let elapsed = started.elapsed();
    let rate = per_second(posted + known, elapsed);
    println!(
        "{posted} rows posted, {known} were in already, in {}.{:03} s ({rate} rows per second)",
        elapsed.as_secs(),
        elapsed.subsec_millis()
    );
    if failures.is_empty() {
        return Ok(());
    }
    let more = if *given_up { "; too many to go on, so is the mapping right?" } else { "" };
    Err(ImportError::Refused(format!(
        "{} rows were refused and {withheld} rows withheld, counting later rows of the same accounts{more}",
        failures.len()
    )))
}
