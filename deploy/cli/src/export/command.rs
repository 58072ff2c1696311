//! The command itself: follow the log, then write the journal.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::book::Book;
use super::collect::{Collector, Selection};
use super::entry::{Assertions, Entry, write_declarations, write_entry};
use super::{ExportError, log};
use crate::client::{Client, Connection};
use crate::progress::Progress;

/// Where balances come from when a period of one account begins: the other side is not part of the export.
const OPENING: &str = "equity:opening balances";

/// Writes the ledger as a plain-text journal for hledger or Ledger.
///
/// Entries stand in order of their effective dates, each posting with the balance after it, so that
/// `hledger check` proves the export. See docs/export.md.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The journal to write; `-` is standard output.
    #[arg(long, short)]
    pub output: PathBuf,
    /// Only this account (its name or id), with the other side of each movement.
    #[arg(long)]
    pub account: Option<String>,
    /// The first day; balances of before are brought forward.
    #[arg(long)]
    pub from: Option<NaiveDate>,
    /// The last day.
    #[arg(long)]
    pub to: Option<NaiveDate>,
    /// The time zone of the days, such as `Europe/Lisbon`. Default: the tenant's.
    #[arg(long)]
    pub time_zone: Option<Tz>,
    /// The API.
    #[command(flatten)]
    pub connection: Connection,
}

/// Runs the command.
pub async fn run(args: ExportArgs) -> Result<(), ExportError> {
    let client = Client::connect(&args.connection).await?;
    let position = log::newest(&client).await?;
    let selection = Selection { account: args.account, from: args.from, to: args.to };
    let mut collector = Collector::new(selection, args.time_zone)?;
    let mut progress = Progress::start("events", position);
    log::follow(&client, position, |event| collector.take(&event), |count| progress.add(count)).await?;
    progress.finish();
    let head = format!("; The ledger at position {position}, written by vintem {}.", env!("CARGO_PKG_VERSION"));
    let entries = collector.spool.len();
    let write = move |path: &Path| -> Result<(), ExportError> {
        if path == Path::new("-") {
            return write_journal(&mut BufWriter::new(io::stdout().lock()), &head, collector);
        }
        replace(path, |out| write_journal(out, &head, collector))
    };
    let path = args.output.clone();
    // Sorting and writing a large journal takes seconds: not on a thread that serves tasks.
    match tokio::task::spawn_blocking(move || write(&path)).await {
        Ok(written) => written?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
    eprintln!("{entries} entries written to {}", args.output.display());
    Ok(())
}

/// Writes beside the destination and renames: whoever reads it sees the old file or the new one, whole.
fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let failed = |source| ExportError::Write { path: path.display().to_string(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(beside.reopen().map_err(failed)?);
    write(&mut out)?;
    out.into_inner().map_err(|error| failed(error.into_error()))?.sync_all().map_err(failed)?;
    beside.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a whole journal.
fn write_journal(out: &mut impl Write, head: &str, collector: Collector) -> Result<(), ExportError> {
    let selected = collector.selected()?;
    let other_side = selected.as_ref().map(|_| OPENING);
    let mut day = collector.first_day();
    let Collector { mut book, spool, forward, named, .. } = collector;
    let assertions = selected.as_deref().map_or(Assertions::All, Assertions::Only);
    let is_covered = |account: u32| selected.as_ref().is_none_or(|selected| selected.contains(&account));
    let write = || -> io::Result<()> {
        writeln!(out, "{head}\n")?;
        write_declarations(out, &book, selected.as_ref().map(|_| &named))?;
        if let Some(other_side) = other_side {
            writeln!(out, "account {other_side}\n")?;
        }
        let legs: Vec<_> = forward.into_iter().filter(|(account, debit)| *debit != 0 && is_covered(*account)).collect();
        if !legs.is_empty() {
            let description = "balances brought forward".to_owned();
            let opening = Entry { date: day, description, legs, other_side, ..Entry::default() };
            write_entry(out, &opening, &mut book, assertions)?;
        }
        spool.drain(|entry| {
            day = entry.date;
            write_entry(out, &entry, &mut book, assertions)
        })?;
        if selected.is_none() {
            write_still(out, day, &mut book)?;
        }
        out.flush()
    };
    write().map_err(|source| ExportError::Write { path: "the journal".to_owned(), source })
}

/// Accounts that never moved stand in the trial balance, so they stand in the journal.
fn write_still(out: &mut impl Write, date: NaiveDate, book: &mut Book) -> io::Result<()> {
    let legs: Vec<_> = book.still().map(|account| (account, 0)).collect();
    if legs.is_empty() {
        return Ok(());
    }
    let entry = Entry { date, description: "accounts without movements".to_owned(), legs, ..Entry::default() };
    write_entry(out, &entry, book, Assertions::All)
}
