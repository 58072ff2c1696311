//! The cases, and the requests that each of them sends.

use chrono::{Duration, SecondsFormat};
use serde_json::{Value, json};
use uuid::Uuid;
use vintem_core::event_store::fresh::new_id;
use vintem_core::kernel::name::account_id;
use vintem_core::telemetry::clock;

use super::ASSET;
use super::choice::{Choice, Spread, name};
use super::request::{ID, Scribe, Turn};

/// How many different single requests a crowd has; then it begins again, with other keys.
const SINGLES: u32 = 20_000;
/// How many items the batches of a crowd have in all, so that they fit into memory.
const BATCHED: u32 = 200_000;
/// Known keys that are asked for again.
const REPLAYED: u32 = 2_000;
/// What one transfer moves, and what no account has.
const LITTLE: &str = "0.01";
const TOO_MUCH: &str = "900000000000.00";

/// What a client does over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Transfers.
    Transfer(Spread),
    /// Transfers, of which every second asks for more than there is.
    HalfRefused,
    /// A hold and its capture.
    Hold,
    /// Transfers that were done before, under their keys.
    Replay,
    /// An account's balance.
    Balance,
    /// A page of an account's statement.
    Statement,
}

/// Clients that do the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// What they do.
    pub work: Work,
    /// How many they are.
    pub clients: usize,
    /// Items of a request; 1 is a request of its own kind and not a batch.
    pub batch: u32,
}

/// Which way to the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Straight.
    Api,
    /// Through nginx, with TLS.
    Nginx,
    /// Straight to two processes that share a shard, one group each.
    Processes,
    /// Straight to one process, two tenants in two shards, one group each.
    Shards,
}

/// One line of the table, or two if two groups meet that do different things.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it is called, and found by.
    pub name: &'static str,
    /// The way.
    pub way: Way,
    /// Who is there at once.
    pub groups: &'static [Group],
}

const fn group(work: Work, clients: usize, batch: u32) -> Group {
    Group { work, clients, batch }
}

const fn api(name: &'static str, groups: &'static [Group]) -> Case {
    Case { name, way: Way::Api, groups }
}

const fn nginx(name: &'static str, groups: &'static [Group]) -> Case {
    Case { name, way: Way::Nginx, groups }
}

const fn two(name: &'static str, way: Way, groups: &'static [Group]) -> Case {
    Case { name, way, groups }
}

const UNIFORM: Work = Work::Transfer(Spread::Uniform);
const DEBIT: Work = Work::Transfer(Spread::HotDebit);
const CREDIT: Work = Work::Transfer(Spread::HotCredit);
const ZIPF: Work = Work::Transfer(Spread::Zipf);

/// Every case, in the order of the table.
pub const CASES: &[Case] = &[
    api("single 1", &[group(UNIFORM, 1, 1)]),
    api("single 16", &[group(UNIFORM, 16, 1)]),
    api("single 64", &[group(UNIFORM, 64, 1)]),
    api("single 256", &[group(UNIFORM, 256, 1)]),
    api("batch 10", &[group(UNIFORM, 16, 10)]),
    api("batch 100", &[group(UNIFORM, 8, 100)]),
    api("batch 1000", &[group(UNIFORM, 4, 1_000)]),
    api("batch 10000", &[group(UNIFORM, 2, 10_000)]),
    api("hold+capture", &[group(Work::Hold, 64, 1)]),
    api("hot debit", &[group(DEBIT, 64, 1)]),
    api("hot credit", &[group(CREDIT, 64, 1)]),
    api("hot debit batch", &[group(DEBIT, 4, 1_000)]),
    api("hot credit batch", &[group(CREDIT, 4, 1_000)]),
    api("zipf", &[group(ZIPF, 64, 1)]),
    api("zipf batch", &[group(ZIPF, 4, 1_000)]),
    api("balance", &[group(Work::Balance, 16, 1)]),
    api("statement", &[group(Work::Statement, 16, 1)]),
    api("balance+load", &[group(Work::Balance, 8, 1), group(UNIFORM, 32, 1)]),
    api("statement+load", &[group(Work::Statement, 8, 1), group(UNIFORM, 32, 1)]),
    api("replay", &[group(Work::Replay, 64, 1)]),
    api("half refused", &[group(Work::HalfRefused, 64, 1)]),
    api("half refused batch", &[group(Work::HalfRefused, 4, 1_000)]),
    api("single+bulk", &[group(UNIFORM, 64, 1), group(UNIFORM, 1, 1_000)]),
    nginx("tls single 64", &[group(UNIFORM, 64, 1)]),
    nginx("tls single 256", &[group(UNIFORM, 256, 1)]),
    nginx("tls batch 1000", &[group(UNIFORM, 4, 1_000)]),
    two("two apis single", Way::Processes, &[group(UNIFORM, 32, 1), group(UNIFORM, 32, 1)]),
    two("two apis batch", Way::Processes, &[group(UNIFORM, 2, 1_000), group(UNIFORM, 2, 1_000)]),
    two("two shards single", Way::Shards, &[group(UNIFORM, 32, 1), group(UNIFORM, 32, 1)]),
    two("two shards batch", Way::Shards, &[group(UNIFORM, 4, 1_000), group(UNIFORM, 4, 1_000)]),
];

/// One transfer per request, from any account to any other.
pub const TRANSFERS: Group = group(UNIFORM, 64, 1);

/// Writes the turns of a group.
pub struct Author<'a> {
    /// For one door and token.
    pub scribe: &'a Scribe,
    /// Whose accounts.
    pub tenant: Uuid,
    /// How many there are.
    pub accounts: u32,
    /// More turns than this are never needed.
    pub most: u64,
}

impl Author<'_> {
    /// What one group sends.
    pub fn turns(&self, group: Group) -> Vec<Turn> {
        let Group { work, batch, .. } = group;
        let spread = if let Work::Transfer(spread) = work { spread } else { Spread::Uniform };
        let mut choice = Choice::new(new_id().as_u64_pair().1, self.accounts, spread);
        let count = match work {
            Work::Replay => REPLAYED,
            _ if batch > 1 => (BATCHED / batch).max(4),
            _ => SINGLES,
        };
        let count = u32::try_from(self.most).unwrap_or(u32::MAX).min(count);
        (0..count).map(|number| self.turn(group, number, &mut choice)).collect()
    }

    fn turn(&self, group: Group, number: u32, choice: &mut Choice) -> Turn {
        let amount = |number| match group.work {
            Work::HalfRefused if number % 2 == 1 => TOO_MUCH,
            _ => LITTLE,
        };
        match group.work {
            Work::Balance => Turn::of(self.scribe.get(&format!("/v1/accounts/{}/balance", self.id(choice)))),
            Work::Statement => Turn::of(self.scribe.get(&format!("/v1/accounts/{}/entries", self.id(choice)))),
            Work::Hold => self.hold(choice),
            Work::Replay => Turn { key: Some(new_id()), ..self.single(choice, LITTLE) },
            _ if group.batch > 1 => {
                let items: Vec<Value> =
                    (0..group.batch).map(|number| json!({ "transaction": transfer(choice, amount(number)) })).collect();
                let body = json!({ "items": items }).to_string();
                Turn::of(self.scribe.post("/v1/batches", body.as_bytes(), group.batch))
            }
            _ => self.single(choice, amount(number)),
        }
    }

    fn single(&self, choice: &mut Choice, amount: &str) -> Turn {
        Turn::of(self.scribe.post("/v1/transactions", transfer(choice, amount).to_string().as_bytes(), 1))
    }

    fn hold(&self, choice: &mut Choice) -> Turn {
        let (from, to) = choice.pair();
        let expires_at = (clock::now() + Duration::days(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
        let hold = json!({ "id": ID, "from": from, "to": to, "amount": money(LITTLE), "expires_at": expires_at });
        let capture = json!({ "all": true, "final": true });
        let requests = vec![
            self.scribe.post("/v1/holds", hold.to_string().as_bytes(), 1),
            self.scribe.post(&format!("/v1/holds/{ID}/captures"), capture.to_string().as_bytes(), 1),
        ];
        Turn { requests, key: None }
    }

    fn id(&self, choice: &mut Choice) -> Uuid {
        account_id(self.tenant, &name(choice.one()), ASSET)
    }
}

fn transfer(choice: &mut Choice, amount: &str) -> Value {
    let (from, to) = choice.pair();
    json!({ "from": from, "to": to, "amount": money(amount) })
}

fn money(amount: &str) -> Value {
    json!({ "amount": amount, "asset": ASSET })
}
