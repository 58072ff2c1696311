//! The demonstration: a generated month of a small town's card, posted like any client would.
//!
//! The month is told from a seed (`month`), so that every machine sees the same town and the
//! books can be checked against the story to the cent: which payments the ledger must refuse,
//! what every account holds in the end, and that all of it balances. Everything is posted
//! under ids and keys drawn from the seed: a demonstration that was cut off goes on.

pub mod month;
pub mod post;
pub mod random;
pub mod show;

use std::time::{Duration, Instant};

use crate::client::{Client, ClientError, Connection};
use crate::import::ImportError;
use crate::progress::per_second;
use month::Month;
use post::Posted;
use show::Books;

/// The town of the demonstration.
const SEED: u64 = 1_694;
/// The citizen whose statement is shown.
const CITIZEN: &str = "citizen:0042";

/// Why a demonstration failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The API.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The accounts.
    #[error("the town's accounts cannot be opened")]
    Open(#[from] ImportError),
    /// A request that cannot be written as JSON.
    #[error("a request cannot be written")]
    Body(#[source] serde_json::Error),
    /// The ledger did not do what the story says it must.
    #[error("the ledger and the story disagree: {0}")]
    Unexpected(String),
}

/// Fills an empty ledger with a generated month of a small town's card, checks it and shows it.
///
/// A ledger that is in use for something else is left alone.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// The API.
    #[command(flatten)]
    pub connection: Connection,
}

/// A month that was posted and checked.
#[derive(Debug)]
pub struct Played {
    month: Month,
    books: Books,
    posted: Posted,
    elapsed: Duration,
}

/// Runs the command.
pub async fn command(args: DemoArgs) -> Result<(), DemoError> {
    let client = Client::connect(&args.connection).await?;
    let Some(played) = play(&client).await? else {
        println!("the ledger is in use; the demonstration is for an empty one");
        return Ok(());
    };
    played.print(&client).await
}

/// Posts the month into an empty ledger (or goes on with it) and checks the books against the story.
/// `None` is a ledger that is in use for something else and was left alone.
pub async fn play(client: &Client) -> Result<Option<Played>, DemoError> {
    let month = month::tell(SEED);
    let books = show::read(client).await?;
    if !books.are_empty() && !books.tell_of(&month) {
        return Ok(None);
    }
    let started = Instant::now();
    let town = post::open_accounts(client, &month).await?;
    let posted = town.pay(&month).await?;
    town.refund(&month.refunds).await?;
    town.deposit(&month.deposits).await?;
    let elapsed = started.elapsed();
    let books = show::read(client).await?;
    books.check(&month)?;
    Ok(Some(Played { month, books, posted, elapsed }))
}

impl Played {
    /// What happened in the town, in a few words.
    pub fn summary(&self) -> String {
        let Self { month, posted, .. } = self;
        format!("{} citizens, {} payments, {} refusals", month.citizens.len(), posted.payments, posted.refusals)
    }

    /// Prints the month, the trial balance and one citizen's statement.
    pub async fn print(&self, client: &Client) -> Result<(), DemoError> {
        let Self { month, books, posted, elapsed } = self;
        println!("\nA month of a small town's card");
        println!("  {} citizens, {} shops and bus lines", month.citizens.len(), month.merchants.len());
        println!(
            "  {} payments; {} more were refused for lack of funds, as they must be",
            posted.payments, posted.refusals
        );
        println!("  {} refunds, {} deposits held, captured or released", month.refunds.len(), month.deposits.len());
        let rate = per_second(posted.payments + posted.refusals, *elapsed);
        println!(
            "  in {}.{:03} s ({rate} payments per second), every balance as the story says",
            elapsed.as_secs(),
            elapsed.subsec_millis()
        );
        books.print();
        books.print_statement(client, CITIZEN).await
    }
}
