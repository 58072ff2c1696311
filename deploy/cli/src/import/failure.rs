//! A refused row in words: the line, the account, what the file says and what the ledger comes to.

use std::fmt;

use serde::Deserialize;

use super::lane::Shared;
use super::plan::{Mismatch, Movement, Side};
use super::verdict::Why;
use crate::client::ClientError;
use crate::money::{self, Marks};
use crate::names;

/// One row that did not go in, with everything after it in its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The line in the file.
    pub line: u64,
    /// What happened, in one sentence that names the account.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.what)
    }
}

impl From<Mismatch> for Failure {
    fn from(mismatch: Mismatch) -> Self {
        let Mismatch { line, account, expected, actual, .. } = mismatch;
        Self { line, what: format!("{account} should stand at {expected}, but its movements lead to {actual}") }
    }
}

/// The member of `GET /v1/accounts/{id}/balance` that the explanation needs.
#[derive(Deserialize)]
struct BalanceNow {
    posted: String,
}

/// Says why a row was refused. `before` are the rows of its chain that are still to be posted.
pub async fn explain(shared: &Shared, movement: &Movement, before: &[&Movement], why: &Why) -> Failure {
    let line = movement.line;
    let problem = match why {
        Why::OtherBalance { account, expected, posted } => {
            let known = shared.chart.get(*account);
            let mismatch = known.map(|known| Mismatch::new(line, movement.chain, known, *expected, *posted));
            let unnamed = || Failure { line, what: "another balance is recorded".to_owned() };
            return mismatch.map_or_else(unnamed, Failure::from);
        }
        Why::Problem(problem) => problem,
    };
    if problem.code == "condition-failed" {
        match mismatch(shared, movement, before).await {
            Ok(Some(mismatch)) => return Failure::from(mismatch),
            // The refusal stands whether or not its figures can be fetched.
            Ok(None) => {}
            Err(error) => tracing::debug!(%error, "the balance behind a refusal cannot be read"),
        }
    }
    let leg = problem
        .errors
        .iter()
        .find_map(|fault| fault.pointer.as_deref()?.split_once("/legs/")?.1.split('/').next()?.parse().ok());
    let legs = movement.transactions.first().map(|transaction| transaction.legs.as_slice()).unwrap_or_default();
    let account = legs.get(leg.unwrap_or(0)).and_then(|leg| shared.chart.get(leg.account));
    let account = account.map(|account| names::decode(&account.name)).unwrap_or_default();
    Failure { line, what: format!("{account}: the ledger refused it: {problem}") }
}

/// The first stated balance that the ledger's own balance and the movements up to here do not lead to.
async fn mismatch(shared: &Shared, movement: &Movement, before: &[&Movement]) -> Result<Option<Mismatch>, ClientError> {
    let mut moved: Vec<_> = before.iter().flat_map(|movement| &movement.transactions).collect();
    for transaction in &movement.transactions {
        moved.push(transaction);
        for leg in &transaction.legs {
            let (Some(expected), Some(account)) = (leg.expect_after, shared.chart.get(leg.account)) else { continue };
            let Some(id) = shared.chart.id(leg.account) else { continue };
            let now: BalanceNow = shared.client.get(&format!("/v1/accounts/{id}/balance")).await?;
            let Ok(posted) = money::parse_minor(&now.posted, Marks::PLAIN, account.scale) else { continue };
            let legs = moved.iter().flat_map(|transaction| &transaction.legs);
            let debits: i128 = legs.filter(|other| other.account == leg.account).map(|other| other.debit).sum();
            let actual = posted + if account.normal_side == Side::Debit { debits } else { -debits };
            if actual != expected {
                return Ok(Some(Mismatch::new(movement.line, movement.chain, account, expected, actual)));
            }
        }
    }
    Ok(None)
}
