//! What is left for others while many people confirm: a PIN takes 25 ms of a core, and nobody else may wait for that.
//!
//! Windows take turns: in one, transfers of a service client at a steady rate and nothing else; in the other, confirmations at
//! a steady rate besides. A confirmation that finds the pool full must be answered `overloaded` at once. Each citizen
//! confirms one payment under one key, so that each time signature and PIN are judged and money moves once.

use std::time::Duration;

use clap::Args;
use secrecy::ExposeSecret as _;
use serde_json::json;
use uuid::Uuid;
use vintem_core::event_store::fresh::new_id;

use super::BenchError;
use super::case::{Author, TRANSFERS};
use super::citizens::{PIN, Phone, Town};
use super::ground::Ground;
use super::load::{Crowd, Timing, drive};
use super::request::{Scribe, Turn};
use super::table::ratio;
use super::tally::Tally;
use crate::client::device::Device;
use crate::stack::Stack;
use crate::stack::gauge::resident_kib;

const ACCOUNTS: u32 = 10_000;
/// Clients that send confirmations: enough that a slow answer never holds up the schedule.
const CONFIRMERS: usize = 256;
const WARM_UP: Duration = Duration::from_secs(1);

/// How much, and for how long.
#[derive(Debug, Args)]
pub struct Confirm {
    /// Confirmations a second.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2_000))]
    rate: u32,
    /// Transfers of a service client a second beside them.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    beside: u32,
    /// Seconds of each window. A proof lives for a minute, so it is less.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=30))]
    seconds: u32,
    /// Windows of each kind.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
    /// Citizens.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    citizens: u32,
}

/// A citizen, and the payment that they confirm.
struct Payer {
    phone: Phone,
    path: String,
    body: String,
    key: Uuid,
}

/// Runs the command.
pub async fn command(args: Confirm) -> Result<(), BenchError> {
    let stack = Stack::load()?;
    let ground = Ground::of_stack(&stack).await?;
    ground.prepare(ACCOUNTS, false).await?;
    let (issuer, folder) = (stack.url(), stack.folder().clone());
    let town = Town::found(stack).await?;
    let payers = payers(&town, args.citizens).await?;
    let (mut quiet, mut loaded, mut confirmed) = (Tally::default(), Tally::default(), Tally::default());
    let before = resident_kib(&folder);
    for _ in 0..args.rounds {
        let [alone] = window(&ground, &args, None).await?.try_into().map_err(|_| unfinished())?;
        quiet.join(alone);
        let confirmations = confirmations(&ground, &payers, &issuer, &args);
        let [beside, judged] =
            window(&ground, &args, Some(confirmations)).await?.try_into().map_err(|_| unfinished())?;
        loaded.join(beside);
        confirmed.join(judged);
    }
    print!("{}", report(&args, [&quiet, &loaded, &confirmed], [before, resident_kib(&folder)]));
    Ok(())
}

/// Citizens who pay each other, each a payment that waits for its confirmation.
async fn payers(town: &Town, count: u32) -> Result<Vec<Payer>, BenchError> {
    let client = town.as_client().await?;
    let phones = town.citizens(count).await?;
    let mut aliases = Vec::new();
    for phone in &phones {
        let issued = json!({"account": phone.account, "amount": {"amount": "100.00", "asset": super::ASSET}, "reference": "bench"});
        client.post_json("/v1/issuances", &new_id().to_string(), &issued).await?;
        aliases.push(town.ask(phone, "/v1/aliases", &json!({"kind": "random"})).await?["alias"].clone());
    }
    aliases.rotate_left(1);
    let mut payers = Vec::new();
    for (phone, alias) in phones.into_iter().zip(aliases) {
        let found = town.ask(&phone, "/v1/alias-lookups", &json!({"alias": alias})).await?;
        let amount = json!({"amount": "1.00", "asset": super::ASSET});
        let asked = json!({"lookup_id": found["lookup_id"], "amount": amount});
        let told = town.ask(&phone, "/v1/transfers", &asked).await?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        // The order of RFC 8785.
        let said = format!(
            r#"{{"amount":"1.00","asset":"{}","intent_id":"{}","nonce":"{}","payee":"{}"}}"#,
            super::ASSET,
            text("id"),
            text("nonce"),
            text("payee")
        );
        let signature = phone.device.sign_bytes(said.as_bytes());
        let path = format!("/v1/transfers/{}/confirm", text("id"));
        let body = json!({"pin": PIN, "device_signature": signature}).to_string();
        payers.push(Payer { phone, path, body, key: new_id() });
    }
    Ok(payers)
}

/// Signed beforehand, because a proof is good once.
fn confirmations(ground: &Ground, payers: &[Payer], issuer: &str, args: &Confirm) -> Vec<Turn> {
    let count = usize::try_from(args.rate * (args.seconds + 2)).unwrap_or(usize::MAX);
    let confirm = |payer: &Payer| {
        let (token, device): (&str, &Device) = (payer.phone.token.expose_secret(), &payer.phone.device);
        let proof = device.proof("POST", &format!("{issuer}{}", payer.path), Some(token));
        let scribe = Scribe::new(ground.api.host(), format!("DPoP {token}\r\nDPoP: {proof}").into_bytes());
        Turn { requests: vec![scribe.post(&payer.path, payer.body.as_bytes(), 1)], key: Some(payer.key) }
    };
    payers.iter().cycle().take(count).map(confirm).collect()
}

/// Transfers at their rate, and what else there is beside them.
async fn window(ground: &Ground, args: &Confirm, beside: Option<Vec<Turn>>) -> Result<Vec<Tally>, BenchError> {
    let scribe = ground.scribe(&ground.api).await?;
    let author = Author { scribe: &scribe, tenant: ground.tenant, accounts: ACCOUNTS, most: 20_000 };
    let gap = |rate: u32| Some(Duration::from_secs(1) / rate);
    let transfers =
        Crowd { door: ground.api.clone(), turns: author.turns(TRANSFERS), clients: 64, gap: gap(args.beside) };
    let confirm =
        beside.map(|turns| Crowd { door: ground.api.clone(), turns, clients: CONFIRMERS, gap: gap(args.rate) });
    let measured = Duration::from_secs(u64::from(args.seconds));
    let timing = Timing { warm_up: WARM_UP, measured, most: u64::MAX };
    let crowds = [transfers].into_iter().chain(confirm).collect();
    Ok(drive(crowds, timing, None).await?.tallies)
}

fn unfinished() -> BenchError {
    BenchError::Usage("a window ended without its tallies".into())
}

/// The lines, and what the issue of citizens asks: the p99 of others within twice the quiet one, and bounded memory.
fn report(args: &Confirm, [quiet, loaded, confirmed]: [&Tally; 3], [before, after]: [u64; 2]) -> String {
    let p99 = |tally: &Tally| tally.latencies().map_or(0, |latencies| u64::from(latencies.p99));
    let (alone, beside) = (p99(quiet), p99(loaded));
    let overloaded = confirmed.codes.get("overloaded").copied().unwrap_or_default();
    let others: u64 = confirmed.codes.iter().filter(|(code, _)| *code != "overloaded").map(|(_, times)| times).sum();
    // Who was turned away has no definite answer.
    let judged = confirmed.items.saturating_sub(others);
    let of_confirming = p99(confirmed);
    let failed: u64 = loaded.codes.values().sum();
    format!(
        "{} transfers/s alone: p99 {alone} µs\n{} transfers/s beside {} confirmations/s: p99 {beside} µs, {} times the quiet one (at most 2), {failed} failed\n\
         confirmations: {judged} judged, {overloaded} overloaded, {others} else {:?}; p99 {of_confirming} µs\nresident: {before} KiB before, {after} KiB after\n",
        args.beside,
        args.beside,
        args.rate,
        ratio(beside, alone),
        confirmed.codes
    )
}
