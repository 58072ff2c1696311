//! Posts the month over the HTTP API, and holds every answer against the story.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;
use vintem_core::telemetry::clock;

use super::DemoError;
use super::month::{Deposit, Month, RESERVE, Refund, Then, Transfer};
use crate::client::{Client, Problem};
use crate::import::identity::{content_name, transaction_id};
use crate::import::open;
use crate::import::plan::{Account, Chart, Side};
use crate::money::show;
use crate::progress::Progress;

/// The town's money.
pub const ASSET: &str = "BRL";
/// Its decimals.
pub const SCALE: u32 = 2;
/// How long a deposit that nobody captures keeps the money.
const DEPOSIT_LASTS: Duration = Duration::from_hours(72);

#[derive(Deserialize)]
struct Results {
    results: Vec<ItemResult>,
}

#[derive(Deserialize)]
struct ItemResult {
    status: u16,
    #[serde(default)]
    problem: Option<Problem>,
}

/// What was posted.
#[derive(Debug, Default)]
pub struct Posted {
    /// Payments that went through.
    pub payments: u64,
    /// Payments that the ledger refused, as it must.
    pub refusals: u64,
}

/// The town on one ledger: a client, and what makes its ids this tenant's own.
pub struct Town<'a> {
    client: &'a Client,
    reserve: Uuid,
}

/// Opens everyone's account.
pub async fn open_accounts<'a>(client: &'a Client, month: &Month) -> Result<Town<'a>, DemoError> {
    let mut chart = Chart::default();
    let account = |name: &str, normal_side, min_balance| Account {
        name: name.into(),
        asset: ASSET.into(),
        scale: SCALE,
        normal_side,
        stated_side: normal_side,
        min_balance,
        max_balance: None,
    };
    let reserve = chart.enter(account(RESERVE, Side::Debit, None));
    for name in month.citizens.iter().chain(&month.merchants) {
        chart.enter(account(name, Side::Credit, Some(0)));
    }
    open::open(client, &mut chart).await?;
    Ok(Town { client, reserve: chart.id(reserve).unwrap_or_default() })
}

impl Town<'_> {
    /// The id on this ledger of something in the story.
    fn id(&self, told: Uuid) -> Uuid {
        transaction_id(told, self.reserve)
    }

    /// Posts the payments, a batch a day.
    pub async fn pay(&self, month: &Month) -> Result<Posted, DemoError> {
        let mut posted = Posted::default();
        let total = month.days.iter().map(Vec::len).sum::<usize>();
        let mut progress = Progress::start("payments", total as u64);
        for day in &month.days {
            let items: Vec<Value> =
                day.iter().map(|transfer| json!({ "transaction": self.payment(transfer) })).collect();
            let results = self.batch(items).await?;
            for (transfer, result) in day.iter().zip(&results) {
                let is_refused = result.problem.as_ref().is_some_and(|problem| problem.code == "insufficient-funds");
                if is_refused != transfer.is_refused || (!is_refused && !matches!(result.status, 200 | 201)) {
                    return Err(unexpected(&format!("payment {}", transfer.id), result));
                }
                *(if is_refused { &mut posted.refusals } else { &mut posted.payments }) += 1;
            }
            progress.add(day.len() as u64);
        }
        progress.finish();
        Ok(posted)
    }

    /// Takes back what the story takes back.
    pub async fn refund(&self, refunds: &[Refund]) -> Result<(), DemoError> {
        for Refund { of, cents } in refunds {
            let of = self.id(*of);
            let path = format!("/v1/transactions/{of}/reversals");
            let body = json!({ "amount": money(*cents), "description": "goods returned" });
            self.client.post_json(&path, &format!("demo-refund-{of}"), &body).await?;
        }
        Ok(())
    }

    /// Places the deposits and ends those that end.
    pub async fn deposit(&self, deposits: &[Deposit]) -> Result<(), DemoError> {
        let expires_at = clock::now() + DEPOSIT_LASTS;
        let holds = deposits.iter().map(|deposit| {
            let Deposit { id, citizen, shop, cents, .. } = deposit;
            let amount = money(*cents);
            json!({ "hold": { "id": self.id(*id), "from": citizen, "to": shop, "amount": amount, "expires_at": expires_at, "description": "deposit" } })
        });
        let ends = deposits.iter().filter_map(|Deposit { id, then, .. }| match then {
            Then::Captured(cents) => {
                Some(json!({ "capture": { "hold": self.id(*id), "amount": money(*cents), "final": true } }))
            }
            Then::Released => Some(json!({ "release": { "hold": self.id(*id) } })),
            Then::Open => None,
        });
        for items in [holds.collect::<Vec<_>>(), ends.collect()] {
            for (number, result) in self.batch(items).await?.iter().enumerate() {
                // A deposit that a run before this one has ended stays ended.
                let is_ended = result.problem.as_ref().is_some_and(|problem| problem.code == "hold-ended");
                if !is_ended && !matches!(result.status, 200 | 201) {
                    return Err(unexpected(&format!("deposit {number}"), result));
                }
            }
        }
        Ok(())
    }

    async fn batch(&self, items: Vec<Value>) -> Result<Vec<ItemResult>, DemoError> {
        #[derive(Serialize)]
        struct Batch {
            items: Vec<Value>,
        }
        let expected = items.len();
        let body = serde_json::to_vec(&Batch { items }).map_err(DemoError::Body)?;
        let key = format!("demo-{}", content_name(&body));
        let Results { results } = self.client.post("/v1/batches", &key, body.into()).await?.json()?;
        if results.len() == expected {
            Ok(results)
        } else {
            Err(DemoError::Unexpected("a batch was answered in part".to_owned()))
        }
    }

    fn payment(&self, transfer: &Transfer) -> Value {
        json!({
            "id": self.id(transfer.id),
            "from": transfer.from,
            "to": transfer.to,
            "amount": money(transfer.cents),
            "effective_at": transfer.date,
            "description": transfer.description,
        })
    }
}

fn money(cents: i128) -> Value {
    json!({ "amount": show(cents, SCALE), "asset": ASSET })
}

fn unexpected(what: &str, result: &ItemResult) -> DemoError {
    let said = result.problem.as_ref().map_or_else(|| format!("status {}", result.status), ToString::to_string);
    DemoError::Unexpected(format!("{what} was answered with: {said}"))
}
