//! Whether an answer's time tells who exists: each question asked about somebody known and about nobody, in pairs.
//!
//! Both must be the same answer, and must take the same time. Times are noisy, so what is printed is how likely
//! differences like those measured are where there is none ([`super::verdict`]).
//!
//! Clients knock through nginx. Members are asked for at the API itself, which believes whoever shows the door's
//! certificate about addresses: from one address, and for one login, only so many failures are judged before nothing
//! is tried for a while. So there are as many members and addresses as the pairs need.

use std::net::Ipv4Addr;

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use vintem_core::access::ClientSecret;
use vintem_core::access::staff::totp::DeviceSecret;
use vintem_core::event_store::fresh::new_id;
use vintem_core::telemetry::clock;

use super::BenchError;
use super::citizens::{Town, cpf};
use super::ground::TENANT;
use super::verdict::{Pair, Verdict};
use crate::client::device::Device;
use crate::client::{Connection, Knock, Knocked};
use crate::progress::Progress;
use crate::stack::{Stack, first, twin};

/// Asked before anything is counted: connections are opened and caches filled.
const WARM_UP: u32 = 20;
/// Pairs about one member: with a fifth failure the pauses begin.
const PAIRS_OF_A_LOGIN: u32 = 4;
/// Pairs from one address: with a thirtieth failure the pauses begin.
const PAIRS_OF_AN_ADDRESS: u32 = 10;
/// From here on no citizen of the benchmark has a number.
const NOBODYS: u32 = 500_000_000;
/// A tenant has no more members than these need.
const MOST_ABOUT_MEMBERS: u32 = 1_500;
/// Of what is set apart for benchmarks (RFC 2544).
const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

/// How often to ask, and whom.
#[derive(Debug, Args)]
pub struct Oracle {
    /// Pairs of questions; of those about members at most 1,500.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(50..=20_000))]
    pairs: u32,
}

/// Runs the command.
pub async fn command(args: Oracle) -> Result<(), BenchError> {
    let stack = Stack::load()?;
    let made = first::client_of(&stack, TENANT, first::SHARD, [format!("oracle {}", new_id().simple())]).await?;
    let door = Knock::at(&connection(&stack, stack.url(), None))?;
    let known = made.names.client_id;
    let ask = async |_: u32, is_known: bool| {
        let client = if is_known { known.clone() } else { new_id().to_string() };
        // A secret of the right form, so that it is compared and not only looked at.
        refused(door.with(&client, ClientSecret::generate().reveal(), None).await?)
    };
    println!("{}", Verdict::of("a client's wrong secret", &pairs(args.pairs, ask).await?));

    let most = args.pairs.min(MOST_ABOUT_MEMBERS);
    let api = format!("https://localhost:{}", stack.known().ports.api);
    let door = Knock::at(&connection(&stack, api, Some(twin::door(&stack).await?)))?;
    let tenant = format!("oracle-{}", new_id().simple());
    enrol(&stack, &door, &tenant, (WARM_UP + most).div_ceil(PAIRS_OF_A_LOGIN)).await?;
    let ask = async |number: u32, is_known: bool| {
        let login = login(number / PAIRS_OF_A_LOGIN, is_known);
        let body = json!({"tenant": tenant, "login": login, "password": new_id().to_string(), "totp": "000000"});
        let address = Ipv4Addr::from_bits(FIRST_ADDRESS.to_bits() + number / PAIRS_OF_AN_ADDRESS);
        refused(door.tell("/v1/staff/sessions", &body, Some(address)).await?)
    };
    println!("{}", Verdict::of("a member's wrong password", &pairs(most, ask).await?));
    citizens(stack, most).await
}

/// The same of citizens, each asked about a few times before the pauses begin.
async fn citizens(stack: Stack, most: u32) -> Result<(), BenchError> {
    let town = Town::found(stack).await?;
    let known = town.citizens((WARM_UP + most).div_ceil(PAIRS_OF_A_LOGIN)).await?;
    let (stranger, first) = (Device::create(), FIRST_ADDRESS.to_bits() + MOST_ABOUT_MEMBERS);
    let ask = async |number: u32, is_known: bool| {
        let index = usize::try_from(number / PAIRS_OF_A_LOGIN).unwrap_or(0);
        // Numbers beyond those of the citizens are nobody's.
        let cpf = if is_known { known[index].cpf.clone() } else { cpf(NOBODYS + number / PAIRS_OF_A_LOGIN) };
        let body = json!({"tenant": town.name, "cpf": cpf, "password": new_id().to_string()});
        let address = Ipv4Addr::from_bits(first + number / PAIRS_OF_AN_ADDRESS);
        refused(town.knock(&stranger, "/v1/sessions", &body, address).await?)
    };
    println!("{}", Verdict::of("a citizen's wrong password", &pairs(most, ask).await?));
    Ok(())
}

fn connection(stack: &Stack, url: String, identity: Option<SecretString>) -> Connection {
    let ca = Some(stack.folder().authority());
    Connection { url: Some(url), ca, client_id: None, client_secret_file: None, identity }
}

/// Of as many letters for somebody as for nobody.
fn login(number: u32, is_known: bool) -> String {
    format!("{}{number:05}", if is_known { "known" } else { "never" })
}

/// Makes a tenant and members of it, who have joined like any other.
async fn enrol(stack: &Stack, door: &Knock, tenant: &str, members: u32) -> Result<(), BenchError> {
    let logins: Vec<String> = (0..members).map(|number| login(number, true)).collect();
    let mut progress = Progress::start("members", u64::from(members));
    for (number, ticket) in first::invited(stack, tenant, &logins).await?.into_iter().enumerate() {
        let address = Some(Ipv4Addr::from_bits(FIRST_ADDRESS.to_bits() + u32::try_from(number).unwrap_or(0)));
        let (token, password) = (ticket.expose_secret(), new_id().to_string());
        let accepted = json!({"token": token, "password": password});
        let accepted = done(door.tell("/v1/staff/invitations/accept", &accepted, address).await?)?;
        let device = accepted["secret"].as_str().and_then(DeviceSecret::typed);
        let device = device.ok_or_else(|| BenchError::Usage("the answer to an invitation has no secret".into()))?;
        let confirmed = json!({"token": token, "totp": device.code_at(clock::now())});
        done(door.tell("/v1/staff/invitations/confirm", &confirmed, address).await?)?;
        progress.add(1);
    }
    progress.finish();
    Ok(())
}

fn done(Knocked { status, body, .. }: Knocked) -> Result<Value, BenchError> {
    match status {
        200 => Ok(body),
        other => Err(BenchError::Undone { what: "the enrolment of a member", last: format!("{other} {body}") }),
    }
}

/// Asks about somebody and about nobody, in alternating order.
async fn pairs(
    pairs: u32,
    ask: impl AsyncFn(u32, bool) -> Result<(u64, Value), BenchError>,
) -> Result<Vec<Pair>, BenchError> {
    let mut progress = Progress::start("pairs", u64::from(pairs));
    let mut times = Vec::new();
    for number in 0..WARM_UP + pairs {
        let known_first = number % 2 == 0;
        let first = ask(number, known_first).await?;
        let second = ask(number, !known_first).await?;
        let (known, unknown) = if known_first { (first, second) } else { (second, first) };
        if known.1 != unknown.1 {
            return Err(BenchError::Usage("the two answers differ in more than their time".into()));
        }
        if number >= WARM_UP {
            times.push((known.0, unknown.0));
            progress.add(1);
        }
    }
    progress.finish();
    Ok(times)
}

/// How long a refusal took, and what it said but for its trace.
fn refused(Knocked { status, mut body, took }: Knocked) -> Result<(u64, Value), BenchError> {
    if let Some(members) = body.as_object_mut() {
        members.remove("trace_id");
    }
    match status {
        401 => Ok((u64::try_from(took.as_micros()).unwrap_or(u64::MAX), body)),
        429 => Err(BenchError::Usage(
            "the API limits this address; exempt it, or the limit is what would be measured".into(),
        )),
        other => Err(BenchError::Usage(format!("what was wrong was answered {other}"))),
    }
}
