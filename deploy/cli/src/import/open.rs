//! Registers the assets and opens the accounts that a file touches.
//!
//! Each call has a key drawn from its content, so that a second import replays it. A name
//! that someone else has taken is used as it is, provided that it means the same thing:
//! with the other normal side every balance of the file would have the wrong sign.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};

use super::ImportError;
use super::identity::content_name;
use super::plan::{Account, Chart, Side};
use super::wire::NewAccount;
use crate::client::connection::MOST_IN_FLIGHT;
use crate::client::{Client, ClientError, query_value};
use crate::names;
use crate::progress::Progress;

#[derive(Serialize)]
struct NewAsset<'a> {
    code: &'a str,
    scale: u32,
}

#[derive(Deserialize)]
struct Assets {
    #[serde(default)]
    assets: Vec<KnownAsset>,
}

#[derive(Deserialize)]
struct KnownAsset {
    code: String,
    scale: u32,
}

/// A page of `GET /v1/accounts`.
#[derive(Deserialize)]
pub(super) struct Accounts {
    pub accounts: Vec<KnownAccount>,
}

#[derive(Deserialize)]
pub(super) struct KnownAccount {
    pub id: uuid::Uuid,
    normal_side: Side,
}

/// Registers every asset and opens every account of the chart.
pub async fn open(client: &Client, chart: &Chart) -> Result<(), ImportError> {
    for (code, scale) in chart.assets() {
        register(client, &code, scale).await?;
    }
    let mut progress = Progress::start("accounts", chart.accounts().len() as u64);
    let calls = chart.accounts().iter().map(|account| open_one(client, account));
    let mut opened = stream::iter(calls).buffer_unordered(MOST_IN_FLIGHT);
    while opened.try_next().await?.is_some() {
        progress.add(1);
    }
    progress.finish();
    Ok(())
}

async fn register(client: &Client, code: &str, scale: u32) -> Result<(), ImportError> {
    let asset = NewAsset { code, scale };
    match create(client, "/v1/assets", &asset).await {
        Err(ClientError::Refused(problem)) if problem.code == "name-taken" => {
            let known: Assets = client.get("/v1/assets").await?;
            let known = known.assets.into_iter().find(|asset| asset.code == code);
            match known.map(|asset| asset.scale) {
                Some(known) if known < scale => Err(ImportError::Scale { code: code.to_owned(), known, needed: scale }),
                _ => Ok(()),
            }
        }
        other => other.map_err(ImportError::from),
    }
}

async fn open_one(client: &Client, account: &Account) -> Result<(), ImportError> {
    match create(client, "/v1/accounts", &NewAccount::of(account)).await {
        Err(ClientError::Refused(problem)) if problem.code == "name-taken" => {
            let known = find(client, account).await?;
            if known.is_some_and(|known| known.normal_side != account.normal_side) {
                let name = names::decode(&account.name);
                return Err(ImportError::OtherSide { name, asset: account.asset.to_string() });
            }
            Ok(())
        }
        Err(source) => Err(ImportError::Open { name: names::decode(&account.name), source }),
        Ok(()) => Ok(()),
    }
}

/// The account of this name and asset in the ledger.
pub(super) async fn find(client: &Client, account: &Account) -> Result<Option<KnownAccount>, ClientError> {
    let query = format!("/v1/accounts?name={}&asset={}", query_value(&account.name), query_value(&account.asset));
    let page: Accounts = client.get(&query).await?;
    Ok(page.accounts.into_iter().next())
}

/// Creates something under a key drawn from what it is.
async fn create(client: &Client, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
    let body = serde_json::to_vec(body).map_err(|source| ClientError::Unexpected { path: path.to_owned(), source })?;
    let key = format!("open-{}", content_name(&body));
    client.post(path, &key, body.into()).await.map(drop)
}
