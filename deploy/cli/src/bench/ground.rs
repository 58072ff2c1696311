//! The ground the load runs on: a tenant and a client of its own in the development stack, and accounts.
//!
//! The accounts may go far below zero, so that no case runs out of money; their bound is checked with every
//! movement all the same. Each was moved once before anything is measured.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;
use vintem_core::event_store::fresh::new_id;

use super::choice::{HOT, name};
use super::load::work_off;
use super::request::{Scribe, Turn};
use super::wire::Door;
use super::{ASSET, BenchError};
use crate::client::{Client, ClientError, Connection};
use crate::progress::Progress;
use crate::stack::twin::{self, Twin};
use crate::stack::{Stack, first};

/// The bench's tenant in the development stack.
pub const TENANT: &str = "bench";
/// The one in the second shard.
const TWIN_TENANT: &str = "bench-twin";
/// Clients that open accounts: enough to fill the writer's batches.
const OPENERS: u32 = 128;
/// Accounts that are opened under one token.
const OPENED: u32 = 50_000;
/// How far below zero an account may go.
const BOUND: &str = "-1000000.00";
const HOT_BOUND: &str = "-1000000000.00";
/// Items of the batches that move every account once.
const TOUCHED: usize = 1_000;

/// Where the load goes and as whom.
pub struct Ground {
    client: Client,
    /// Straight to the API, or to the address given.
    pub api: Door,
    /// Through nginx; only in the development stack.
    pub nginx: Option<Door>,
    /// Whose accounts they are.
    pub tenant: Uuid,
}

impl Ground {
    /// The development stack, as a new client of the bench's tenant.
    pub async fn of_stack(stack: &Stack) -> Result<Self, BenchError> {
        let made = first::client_of(stack, TENANT, first::SHARD, [format!("bench {}", new_id().simple())]).await?;
        let ports = stack.known().ports;
        let connection = |url: String, identity| Connection {
            url: Some(url),
            ca: Some(stack.folder().authority()),
            client_id: Some(made.names.client_id.clone()),
            client_secret_file: None,
            identity,
        };
        let api = connection(format!("https://localhost:{}", ports.api), Some(twin::door(stack).await?));
        let nginx = Door::at(connection(stack.url(), None).endpoint()?)?;
        Self::with(&api, made.secret.clone(), Some(nginx)).await
    }

    /// Another tenant, in the second shard, straight to the second process.
    pub async fn of_twin(stack: &Stack, twin: &Twin) -> Result<Self, BenchError> {
        let made = first::client_of(stack, TWIN_TENANT, twin::SHARD, [format!("bench {}", new_id().simple())]).await?;
        let api = Connection {
            url: Some(twin.url.clone()),
            ca: Some(stack.folder().authority()),
            client_id: Some(made.names.client_id),
            client_secret_file: None,
            identity: Some(twin.identity.clone()),
        };
        Self::with(&api, made.secret, None).await
    }

    /// Any ledger, as a client that may read, write and administer.
    pub async fn at(connection: &Connection) -> Result<Self, BenchError> {
        Self::with(connection, connection.secret()?, None).await
    }

    /// The same with the secret at hand.
    pub async fn with(connection: &Connection, secret: SecretString, nginx: Option<Door>) -> Result<Self, BenchError> {
        let client = Client::with_secret(connection, secret).await?;
        let tenant = tenant_of(&client.fresh_authorization().await?)?;
        Ok(Self { client, api: Door::at(connection.endpoint()?)?, nginx, tenant })
    }

    /// Writes requests under a token that is good for longer than any case lasts.
    pub async fn scribe(&self, door: &Door) -> Result<Scribe, BenchError> {
        Ok(Scribe::new(door.host(), self.client.fresh_authorization().await?))
    }

    /// Opens what is missing of so many accounts and moves each once, unless the ledger is to stay empty.
    pub async fn prepare(&self, accounts: u32, stays_empty: bool) -> Result<(), BenchError> {
        if self.has(accounts - 1).await? {
            return Ok(());
        }
        let asset = json!({ "code": ASSET, "scale": 2 });
        accept_taken(self.client.post_json("/v1/assets", "bench-asset", &asset).await.map(drop))?;
        let hot = account(HOT, HOT_BOUND);
        accept_taken(self.client.post_json("/v1/accounts", "bench-hot", &hot).await.map(drop))?;
        // A run that was cut off may have left gaps as wide as its clients are many.
        let first = self.first_missing(accounts).await?.saturating_sub(2 * OPENERS);
        let mut progress = Progress::start("accounts", u64::from(accounts - first));
        let mut number = first;
        while number < accounts {
            let end = accounts.min(number + OPENED);
            self.open(number..end).await?;
            if !stays_empty {
                self.touch(number..end).await?;
            }
            progress.add(u64::from(end - number));
            number = end;
        }
        progress.finish();
        Ok(())
    }

    async fn open(&self, numbers: Range<u32>) -> Result<(), BenchError> {
        let scribe = self.scribe(&self.api).await?;
        let open = |number| scribe.post("/v1/accounts", account(&name(number), BOUND).to_string().as_bytes(), 1);
        let turns = numbers.map(|number| Turn::of(open(number))).collect();
        work_off(self.api.clone(), turns, OPENERS as usize, "the opening of accounts").await.map(drop)
    }

    /// A transfer from every account to the one before it, which is open.
    async fn touch(&self, numbers: Range<u32>) -> Result<(), BenchError> {
        let scribe = self.scribe(&self.api).await?;
        let item = |number: u32| {
            let to = if number == 0 { HOT.to_owned() } else { name(number - 1) };
            json!({ "transaction": { "from": name(number), "to": to, "amount": { "amount": "0.01", "asset": ASSET } } })
        };
        let items: Vec<Value> = numbers.map(item).collect();
        let batch = |items: &[Value]| {
            let body = json!({ "items": items }).to_string();
            Turn::of(scribe.post("/v1/batches", body.as_bytes(), u32::try_from(items.len()).unwrap_or(1)))
        };
        let turns = items.chunks(TOUCHED).map(batch).collect();
        work_off(self.api.clone(), turns, 4, "the first transfer of every account").await.map(drop)
    }

    /// Accounts are opened in the order of their numbers, give or take the clients that open them.
    async fn first_missing(&self, accounts: u32) -> Result<u32, BenchError> {
        let (mut low, mut high) = (0, accounts);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.has(middle).await? {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    async fn has(&self, number: u32) -> Result<bool, BenchError> {
        let path = format!("/v1/accounts?name={}&asset={ASSET}", name(number));
        let page: Value = self.client.get(&path).await?;
        Ok(page.pointer("/accounts/0").is_some())
    }
}

fn account(name: &str, min_balance: &str) -> Value {
    json!({ "name": name, "asset": ASSET, "min_balance": min_balance })
}

/// An earlier run has made it.
fn accept_taken(made: Result<(), ClientError>) -> Result<(), ClientError> {
    match made {
        Err(ClientError::Refused(problem)) if problem.code == "name-taken" => Ok(()),
        made => made,
    }
}

/// The tenant that our own token speaks for.
fn tenant_of(authorization: &[u8]) -> Result<Uuid, BenchError> {
    #[derive(Deserialize)]
    struct Claims {
        tenant: Uuid,
    }
    let claims = authorization.split(|byte| *byte == b'.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|text| serde_json::from_slice::<Claims>(&text).ok());
    claims.map(|claims| claims.tenant).ok_or_else(|| BenchError::Usage("the token does not name its tenant".to_owned()))
}
