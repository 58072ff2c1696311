//! Reads the town's books back, checks them against the story, and shows them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::DemoError;
use super::month::Month;
use super::post::SCALE;
use crate::client::{Client, query_value};
use crate::money::{Marks, parse_minor, show};

/// Lines of the statement that are shown.
const STATEMENT_LINES: usize = 14;

#[derive(Deserialize)]
struct TrialBalance {
    #[serde(default)]
    totals: Vec<Total>,
    accounts: Vec<Row>,
    next: Option<String>,
}

/// The sums of an asset.
#[derive(Debug, Deserialize)]
pub struct Total {
    asset: String,
    debit: String,
    credit: String,
}

#[derive(Debug, Deserialize)]
struct Row {
    account: Uuid,
    name: Option<String>,
    posted: String,
}

/// The books as the ledger has them.
#[derive(Debug)]
pub struct Books {
    totals: Vec<Total>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Statement {
    entries: Vec<Line>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    effective_at: DateTime<Utc>,
    kind: String,
    amount: String,
    balance: Balance,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Balance {
    posted: String,
    held: String,
    available: String,
}

/// Reads the whole trial balance, every page at the position of the first.
pub async fn read(client: &Client) -> Result<Books, DemoError> {
    let mut page: TrialBalance = client.get("/v1/ledger/trial-balance?limit=100").await?;
    let mut books = Books { totals: page.totals, rows: page.accounts };
    while let Some(cursor) = page.next {
        page = client.get(&format!("/v1/ledger/trial-balance?limit=100&cursor={}", query_value(&cursor))).await?;
        books.rows.append(&mut page.accounts);
    }
    Ok(books)
}

impl Books {
    /// Whether nobody has used the ledger yet.
    pub fn are_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the accounts of the month are among them.
    pub fn tell_of(&self, month: &Month) -> bool {
        self.rows.iter().any(|row| row.name == month.citizens.first().cloned())
    }

    /// The ledger balances, and every account holds what the story says.
    pub fn check(&self, month: &Month) -> Result<(), DemoError> {
        for Total { asset, debit, credit } in &self.totals {
            if debit != credit {
                return Err(DemoError::Unexpected(format!("{asset} does not balance: {debit} debit, {credit} credit")));
            }
        }
        for row in &self.rows {
            let Some(expected) = row.name.as_ref().and_then(|name| month.balances.get(name)) else { continue };
            let expected = show(*expected, SCALE);
            if row.posted != expected {
                let name = row.name.as_deref().unwrap_or_default();
                return Err(DemoError::Unexpected(format!("{name} holds {} and should hold {expected}", row.posted)));
            }
        }
        Ok(())
    }

    /// Prints the trial balance, one line per kind of account.
    pub fn print(&self) {
        let mut kinds: BTreeMap<&str, (u64, i128)> = BTreeMap::new();
        for row in &self.rows {
            let kind = row.name.as_deref().and_then(|name| name.split(':').next()).unwrap_or("unnamed");
            let (count, sum) = kinds.entry(kind).or_default();
            *count += 1;
            *sum += parse_minor(&row.posted, Marks::PLAIN, SCALE).unwrap_or_default();
        }
        println!("\nTrial balance");
        for (kind, (count, sum)) in kinds {
            println!("  {kind:<12} {count:>5} accounts {:>16}", show(sum, SCALE));
        }
        for Total { asset, debit, credit } in &self.totals {
            println!("  {asset:<12} {:>14} {debit:>16} debit = {credit} credit", "");
        }
    }

    /// Prints the last lines of a citizen's statement.
    pub async fn print_statement(&self, client: &Client, name: &str) -> Result<(), DemoError> {
        let Some(row) = self.rows.iter().find(|row| row.name.as_deref() == Some(name)) else { return Ok(()) };
        let mut lines: Vec<Line> = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/v1/accounts/{}/entries?include=holds&limit=100{cursor}", row.account);
            let page: Statement = client.get(&path).await?;
            lines.extend(page.entries);
            match page.next {
                Some(next) => cursor = format!("&cursor={}", query_value(&next)),
                None => break,
            }
        }
        println!("\nStatement of {name}, the last {} of {} lines", lines.len().min(STATEMENT_LINES), lines.len());
        println!(
            "  {:<10}  {:<10} {:<14} {:>10} {:>10} {:>9} {:>10}",
            "date", "kind", "", "amount", "posted", "held", "available"
        );
        for line in lines.iter().skip(lines.len().saturating_sub(STATEMENT_LINES)) {
            let Line { effective_at, kind, amount, balance, description } = line;
            let Balance { posted, held, available } = balance;
            let description = description.as_deref().unwrap_or_default();
            println!(
                "  {}  {kind:<10} {description:<14} {amount:>10} {posted:>10} {held:>9} {available:>10}",
                effective_at.date_naive()
            );
        }
        Ok(())
    }
}
