//! What it costs the API to know who calls: the same transfers by nobody in particular, with a token, and with a token and
//! a proof of its key.
//!
//! Rounds take turns, so that a machine that grows slower or faster does so for all of them, and each is so many requests,
//! because a proof is good once and is signed beforehand. All of them go to one process. Nobody in particular is believed
//! only by the build for benchmarks, whose program must be named; without it that line and the first ratio are left out.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};
use vintem_core::event_store::fresh::new_id;

use super::BenchError;
use super::case::{Author, TRANSFERS};
use super::ground::{Ground, TENANT};
use super::load::{Crowd, Timing, drive};
use super::request::{Scribe, Turn};
use crate::client::device::Device;
use crate::client::{Connection, Knock, Knocked};
use crate::stack::gauge::Gauge;
use crate::stack::twin::{self, Twin};
use crate::stack::{Stack, first};

const ACCOUNTS: u32 = 10_000;
const LONGEST: Duration = Duration::from_secs(50);
/// Where the transfers go.
const PATH: &str = "/v1/transactions";
/// Bare checks of a signature that are timed.
const CHECKS: u32 = 5_000;
/// The API among the services of the gauge.
const API: usize = 1;

/// By what a caller is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// By nothing.
    None,
    /// By a token, which the API has verified before.
    Token,
    /// By a token that is bound to a key, and a proof.
    Dpop,
}

/// What to compare.
#[derive(Debug, Args)]
pub struct Auth {
    /// Only these; may be repeated. [default: all]
    #[arg(long = "auth", value_name = "MODE")]
    modes: Vec<Mode>,
    /// The API as built with the feature `open-for-benchmarks`.
    #[arg(long, value_name = "PROGRAM")]
    open: Option<PathBuf>,
    /// Requests of a round. A proof lives for a minute, so they must be answered in less.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    requests: u32,
    /// Rounds of each.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
}

/// Runs the command.
pub async fn command(args: Auth) -> Result<(), BenchError> {
    let Auth { modes, open, requests, rounds } = args;
    let all = if modes.is_empty() { vec![Mode::None, Mode::Token, Mode::Dpop] } else { modes };
    let modes: Vec<Mode> = all.into_iter().filter(|mode| *mode != Mode::None || open.is_some()).collect();
    let stack = Stack::load()?;
    let twin = match &open {
        Some(program) => Some(Twin::start_open(&stack, program).await?),
        None => None,
    };
    let callers = Callers::of(&stack, twin.as_ref()).await?;
    callers.ground.prepare(ACCOUNTS, false).await?;
    let gauge = Gauge::of(&stack);
    let mut sums: Vec<(Mode, Sum)> = modes.into_iter().map(|mode| (mode, Sum::default())).collect();
    // The first round fills caches and is not counted.
    for round in 0..=rounds {
        for (mode, sum) in &mut sums {
            let spent = callers.round(*mode, requests, &gauge).await?;
            if round > 0 {
                sum.join(spent);
            }
        }
    }
    print!("{}", report(&sums, bare_check_ns()));
    Ok(())
}

/// Requests and what they cost the API.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    requests: u64,
    api_ms: u64,
}

impl Sum {
    fn join(&mut self, other: Self) {
        self.requests += other.requests;
        self.api_ms += other.api_ms;
    }

    fn ns_each(self) -> u64 {
        (self.api_ms * 1_000_000).checked_div(self.requests).unwrap_or_default()
    }
}

/// One client of the bench's tenant, known in each way.
struct Callers {
    ground: Ground,
    client: String,
    device: Device,
    /// A token, and one that is bound to the device.
    tokens: [SecretString; 2],
    address: String,
}

impl Callers {
    async fn of(stack: &Stack, twin: Option<&Twin>) -> Result<Self, BenchError> {
        let made = first::client_of(stack, TENANT, first::SHARD, [format!("auth {}", new_id().simple())]).await?;
        let identity = match twin {
            Some(twin) => twin.identity.clone(),
            None => twin::door(stack).await?,
        };
        let ports = stack.known().ports;
        let connection = Connection {
            url: Some(twin.map_or_else(|| format!("https://localhost:{}", ports.api), |twin| twin.url.clone())),
            ca: Some(stack.folder().authority()),
            client_id: Some(made.names.client_id.clone()),
            client_secret_file: None,
            identity: Some(identity),
        };
        let (knock, device) = (Knock::at(&connection)?, Device::create());
        let proof = device.proof("POST", &format!("{}/v1/token", stack.url()), None);
        let (client, secret) = (made.names.client_id, made.secret);
        let plain = token(knock.with(&client, secret.expose_secret(), None).await?)?;
        let bound = token(knock.with(&client, secret.expose_secret(), Some(&proof)).await?)?;
        let ground = Ground::with(&connection, secret, None).await?;
        Ok(Self { ground, client, device, tokens: [plain, bound], address: format!("{}{PATH}", stack.url()) })
    }

    /// So many requests, and what they cost.
    async fn round(&self, mode: Mode, requests: u32, gauge: &Gauge) -> Result<Sum, BenchError> {
        let turns = (0..requests).flat_map(|_| self.turn(mode)).collect();
        let crowd = Crowd { door: self.ground.api.clone(), turns, clients: TRANSFERS.clients, gap: None };
        let timing = Timing { warm_up: Duration::ZERO, measured: LONGEST, most: u64::from(requests) };
        let measured = drive(vec![crowd], timing, Some(gauge.clone())).await?;
        let tally = measured.tallies.into_iter().next().unwrap_or_default();
        if let Some((code, times)) = tally.codes.first_key_value() {
            return Err(BenchError::Undone { what: "a round", last: format!("{code}, {times} times ({mode:?})") });
        }
        let api_ms = measured.usage.map_or(0, |usage| usage.services_ms[API]);
        Ok(Sum { requests: tally.items, api_ms })
    }

    fn turn(&self, mode: Mode) -> Vec<Turn> {
        let [plain, bound] = self.tokens.each_ref().map(ExposeSecret::expose_secret);
        let authorization = match mode {
            Mode::None => format!("Bench {}:{}", self.ground.tenant, self.client),
            Mode::Token => format!("Bearer {plain}"),
            Mode::Dpop => {
                format!("DPoP {bound}\r\nDPoP: {}", self.device.proof("POST", &self.address, Some(bound)))
            }
        };
        let scribe = Scribe::new(self.ground.api.host(), authorization.into_bytes());
        let author = Author { scribe: &scribe, tenant: self.ground.tenant, accounts: ACCOUNTS, most: 1 };
        author.turns(TRANSFERS)
    }
}

fn token(Knocked { status, body, .. }: Knocked) -> Result<SecretString, BenchError> {
    let token = body["access_token"].as_str().map(SecretString::from);
    token.ok_or_else(|| BenchError::Undone { what: "the login", last: format!("{status}") })
}

/// What one check of a proof's signature costs by itself, in this process.
fn bare_check_ns() -> u64 {
    let device = Device::create();
    let (key, proof) = (device.key(), device.proof("POST", "https://vintem.example", Some("a.b.c")));
    let (signed, signature) = proof.rsplit_once('.').unwrap_or_default();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
    let started = Instant::now();
    let good = (0..CHECKS).filter(|_| key.has_signed(signed.as_bytes(), &signature)).count();
    let good = u64::try_from(good).unwrap_or_default();
    u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX).checked_div(good).unwrap_or_default()
}

/// The lines, and what the issue of access asks: a token at most 5 % of a request, a proof at most 1.3 bare checks.
fn report(sums: &[(Mode, Sum)], bare_ns: u64) -> String {
    let mut text = String::new();
    let find = |wanted| sums.iter().find(|(mode, _)| *mode == wanted).map(|(_, sum)| sum.ns_each());
    for (mode, sum) in sums {
        let (ns, requests) = (sum.ns_each(), sum.requests);
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "--auth {:<6} {requests} requests, {} of the API each",
            format!("{mode:?}").to_lowercase(),
            us(ns)
        );
    }
    if let (Some(none), Some(token)) = (find(Mode::None), find(Mode::Token)) {
        let share = (token.saturating_sub(none) * 1_000).checked_div(token).unwrap_or_default();
        let _ = writeln!(text, "a cached token is {}.{} % of a request (at most 5 %)", share / 10, share % 10);
    }
    if let (Some(token), Some(dpop)) = (find(Mode::Token), find(Mode::Dpop)) {
        let more = dpop.saturating_sub(token);
        let times = (more * 100).checked_div(bare_ns).unwrap_or_default();
        let _ = writeln!(
            text,
            "a proof is {}, {}.{:02} times one bare check of {} (at most 1.3)",
            us(more),
            times / 100,
            times % 100,
            us(bare_ns)
        );
    }
    text
}

fn us(ns: u64) -> String {
    format!("{}.{} µs", ns / 1_000, ns % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_what_a_request_costs_more() {
        let sum = |api_ms| Sum { requests: 10_000, api_ms };
        let all = [(Mode::None, sum(960)), (Mode::Token, sum(1_000)), (Mode::Dpop, sum(1_900))];
        let text = report(&all, 75_000);
        assert!(text.contains("--auth none   10000 requests, 96.0 µs of the API each\n"), "{text}");
        assert!(text.contains("a cached token is 4.0 % of a request"), "{text}");
        assert!(text.contains("a proof is 90.0 µs, 1.20 times one bare check of 75.0 µs"), "{text}");
        assert!(!report(&all[1..], 75_000).contains("cached token"));
        assert_eq!(report(&[], 0), "");
    }

    #[test]
    fn a_bare_check_takes_time_and_is_good() {
        assert!(bare_check_ns() > 1_000);
    }
}
