//! The JSON of the requests that an import sends.

use bytes::Bytes;
use chrono::NaiveDate;
use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::ReadError;
use super::identity::transaction_id;
use super::plan::{Account, Chart, Leg, Movement, Side, Transaction};
use crate::money::show;

#[derive(Serialize)]
struct Batch<'a> {
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    group: String,
    transaction: TransactionBody<'a>,
}

#[derive(Serialize)]
struct TransactionBody<'a> {
    id: Uuid,
    effective_at: NaiveDate,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Metadata::is_empty")]
    metadata: Metadata<'a>,
    legs: Vec<LegBody<'a>>,
}

struct Metadata<'a>(&'a Transaction);

#[derive(Serialize)]
struct LegBody<'a> {
    account: Uuid,
    direction: Side,
    amount: Money<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expect_after: Option<String>,
}

#[derive(Serialize)]
struct Money<'a> {
    amount: String,
    asset: &'a str,
}

/// The body of `POST /v1/accounts`.
#[derive(Debug, Serialize)]
pub struct NewAccount<'a> {
    name: &'a str,
    asset: &'a str,
    normal_side: Side,
    min_balance: Option<String>,
    max_balance: Option<String>,
}

impl<'a> NewAccount<'a> {
    /// What opens `account`.
    pub fn of(account: &'a Account) -> Self {
        let bound = |bound: Option<i128>| bound.map(|minor| show(minor, account.scale));
        Self {
            name: &account.name,
            asset: &account.asset,
            normal_side: account.normal_side,
            min_balance: bound(account.min_balance),
            max_balance: bound(account.max_balance),
        }
    }
}

/// The body of `POST /v1/batches` for some movements; a group per chain.
pub fn body(movements: &[Movement], chart: &Chart) -> Result<Bytes, ReadError> {
    let mut items = Vec::with_capacity(movements.len());
    for movement in movements {
        for transaction in &movement.transactions {
            let legs = transaction.legs.iter().map(|leg| leg_body(leg, chart));
            let id = transaction.legs.first().and_then(|leg| chart.id(leg.account));
            // Pass one and pass two read the same file, unless someone wrote to it meanwhile.
            let legs = legs.collect::<Option<_>>().ok_or_else(|| changed(movement.line))?;
            let id =
                id.map(|account| transaction_id(transaction.row, account)).ok_or_else(|| changed(movement.line))?;
            items.push(Item {
                group: movement.chain.to_string(),
                transaction: TransactionBody {
                    id,
                    effective_at: transaction.date,
                    description: &transaction.description,
                    metadata: Metadata(transaction),
                    legs,
                },
            });
        }
    }
    let body = serde_json::to_vec(&Batch { items }).map_err(|error| ReadError::at(0, error.to_string()))?;
    Ok(body.into())
}

fn changed(line: u64) -> ReadError {
    ReadError::at(line, "the file changed while it was being imported")
}

fn leg_body<'a>(leg: &Leg, chart: &'a Chart) -> Option<LegBody<'a>> {
    let account = chart.get(leg.account)?;
    Some(LegBody {
        account: chart.id(leg.account)?,
        direction: if leg.debit > 0 { Side::Debit } else { Side::Credit },
        amount: Money { amount: show(leg.debit.abs(), account.scale), asset: &account.asset },
        expect_after: leg.expect_after.map(|expected| show(expected, account.scale)),
    })
}

impl Metadata<'_> {
    fn is_empty(&self) -> bool {
        self.0.metadata.is_empty()
    }
}

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.metadata.iter().map(|(name, value)| (&**name, value)))
    }
}
