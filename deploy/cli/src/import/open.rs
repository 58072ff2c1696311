//! Registers the assets and opens the accounts that a file touches.
//!
//! Each call has a key drawn from its content, so that a second import replays it. A name
//! that someone else has taken is used as it is, provided that it means the same thing:
//! with the other normal side every balance of the file would have the wrong sign.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ImportError;
use super::identity::content_name;
use super::plan::{Account, Chart, Side};
use super::wire::NewAccount;
use crate::client::connection::MOST_IN_FLIGHT;
use crate::client::{Answer, Client, ClientError, Problem, query_value};
use crate::names;
use crate::progress::Progress;

/// Accounts opened with one request.
const BATCH: usize = 1_000;
/// Two, so that the ledger decides one while it records the other.
const BATCHES_IN_FLIGHT: usize = 2;

#[derive(Serialize)]
struct NewAsset<'a> {
    code: &'a str,
    scale: u32,
}

#[derive(Deserialize)]
struct KnownAsset {
    scale: u32,
}

#[derive(Serialize)]
struct Batch<'a> {
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    account: NewAccount<'a>,
}

#[derive(Deserialize)]
struct Results {
    results: Vec<Opened>,
}

/// What became of an account to open.
#[derive(Deserialize)]
struct Opened {
    status: u16,
    account: Option<KnownAccount>,
    problem: Option<Problem>,
}

/// A page of `GET /v1/accounts`.
#[derive(Deserialize)]
struct Accounts {
    accounts: Vec<KnownAccount>,
}

/// The members of an account that matter here.
#[derive(Deserialize)]
struct KnownAccount {
    id: Uuid,
    normal_side: Side,
}

/// Registers every asset and opens every account of the chart, and gives it their ids.
pub async fn open(client: &Client, chart: &mut Chart) -> Result<(), ImportError> {
    for (code, scale) in chart.assets() {
        register(client, &code, scale).await?;
    }
    let mut progress = Progress::start("accounts", chart.accounts().len() as u64);
    let calls = chart.accounts().chunks(BATCH).map(|accounts| open_some(client, accounts));
    let mut opened = stream::iter(calls).buffered(BATCHES_IN_FLIGHT);
    let mut ids = Vec::with_capacity(chart.accounts().len());
    while let Some(some) = opened.try_next().await? {
        progress.add(some.len() as u64);
        ids.extend(some);
    }
    progress.finish();
    drop(opened);
    chart.opened(ids);
    Ok(())
}

async fn register(client: &Client, code: &str, scale: u32) -> Result<(), ImportError> {
    match create(client, "/v1/assets", &NewAsset { code, scale }).await {
        Err(ClientError::Refused(problem)) if problem.code == "name-taken" => {
            let known: KnownAsset = client.get(&format!("/v1/assets/{}", query_value(code))).await?;
            if known.scale < scale {
                return Err(ImportError::Scale { code: code.to_owned(), known: known.scale, needed: scale });
            }
            Ok(())
        }
        other => other.map(drop).map_err(ImportError::from),
    }
}

/// Opens some accounts with one batch; their ids, in order.
async fn open_some(client: &Client, accounts: &[Account]) -> Result<Vec<Uuid>, ImportError> {
    let items = accounts.iter().map(|account| Item { account: NewAccount::of(account) }).collect();
    let answer = create(client, "/v1/batches", &Batch { items }).await.map_err(|error| blame(accounts, error))?;
    let Results { results } = answer.json()?;
    if results.len() != accounts.len() {
        return Err(ImportError::ResultCount);
    }
    let known = results.into_iter().zip(accounts).map(|(result, account)| known(client, account, result));
    stream::iter(known).buffered(MOST_IN_FLIGHT).try_collect().await
}

/// The id of an account that was opened now or by someone before.
async fn known(client: &Client, account: &Account, result: Opened) -> Result<Uuid, ImportError> {
    let failed = |source| ImportError::Open { name: names::decode(&account.name), source };
    let known = match result {
        Opened { account: Some(known), .. } => known,
        Opened { problem, status, .. } => {
            let problem = Box::new(problem.unwrap_or_else(|| Problem::read(status, b"")));
            let found = if problem.code == "name-taken" { find(client, account).await.map_err(failed)? } else { None };
            found.ok_or_else(|| failed(ClientError::Refused(problem)))?
        }
    };
    if known.normal_side == account.normal_side {
        return Ok(known.id);
    }
    Err(ImportError::OtherSide { name: names::decode(&account.name), asset: account.asset.to_string() })
}

/// A batch that was refused as a whole points to the account that made it so.
fn blame(accounts: &[Account], error: ClientError) -> ImportError {
    let ClientError::Refused(problem) = error else { return error.into() };
    match problem.pointed_index("/items/").and_then(|item| accounts.get(item)) {
        Some(account) => {
            ImportError::Open { name: names::decode(&account.name), source: ClientError::Refused(problem) }
        }
        None => ClientError::Refused(problem).into(),
    }
}

/// The account of this name and asset in the ledger.
async fn find(client: &Client, account: &Account) -> Result<Option<KnownAccount>, ClientError> {
    let query = format!("/v1/accounts?name={}&asset={}", query_value(&account.name), query_value(&account.asset));
    let page: Accounts = client.get(&query).await?;
    Ok(page.accounts.into_iter().next())
}

/// Creates something under a key drawn from what it is.
async fn create(client: &Client, path: &str, body: &impl Serialize) -> Result<Answer, ClientError> {
    let body = serde_json::to_vec(body).map_err(|source| ClientError::Unexpected { path: path.to_owned(), source })?;
    let key = format!("open-{}", content_name(&body));
    client.post(path, &key, body.into()).await
}
