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
use crate::client::{Answer, Client, ClientError, query_value};
use crate::names;
use crate::progress::Progress;

#[derive(Serialize)]
struct NewAsset<'a> {
    code: &'a str,
    scale: u32,
}

#[derive(Deserialize)]
struct KnownAsset {
    scale: u32,
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
    let calls = chart.accounts().iter().map(|account| open_one(client, account));
    let mut opened = stream::iter(calls).buffered(MOST_IN_FLIGHT);
    let mut ids = Vec::with_capacity(chart.accounts().len());
    while let Some(id) = opened.try_next().await? {
        ids.push(id);
        progress.add(1);
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

async fn open_one(client: &Client, account: &Account) -> Result<Uuid, ImportError> {
    let failed = |source| ImportError::Open { name: names::decode(&account.name), source };
    let known: KnownAccount = match create(client, "/v1/accounts", &NewAccount::of(account)).await {
        Err(ClientError::Refused(problem)) if problem.code == "name-taken" => {
            let found = find(client, account).await.map_err(failed)?;
            found.ok_or_else(|| failed(ClientError::Refused(problem)))?
        }
        answer => answer.and_then(|answer| answer.json()).map_err(failed)?,
    };
    if known.normal_side == account.normal_side {
        return Ok(known.id);
    }
    Err(ImportError::OtherSide { name: names::decode(&account.name), asset: account.asset.to_string() })
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
