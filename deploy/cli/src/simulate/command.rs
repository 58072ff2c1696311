//! The command: a town in the development stack, a script, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::time::sleep;
use vintem_core::event_store::fresh::new_id;

use super::chance::Share;
use super::founding::{self, Citizen};
use super::phone::Owner;
use super::registry::Registry;
use super::run::{Place, Reckoning, Script, Trouble, run};
use super::wire::Weather;
use super::{SimulationError, books, devices, screen};
use crate::bench::citizens::{PIN, Phone, Town};
use crate::client::Connection;
use crate::client::line::Line;
use crate::stack::ui::say;
use crate::stack::{Stack, process, servers, vault_server};

/// How late messages are, where the network reorders them.
const LATE: Share = Share::thousandths(30);
const ASSET: &str = "BRL";

/// Let terminals and citizens meet over a network that fails, and hold every device's journal against the ledger.
///
/// It runs in the development stack, in a tenant of its own. The same seed lets the same things happen to the same messages;
/// docs/simulation.md tells what happens.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Terminals.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    terminals: u32,
    /// Citizens, who are settled and not registered one by one.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    citizens: u32,
    /// So many of them register over HTTP, with a code out of the stack's mailbox.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    register: u32,
    /// How long things are sold.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=120))]
    minutes: u64,
    /// The same in seconds.
    #[arg(long, conflicts_with = "minutes", value_parser = clap::value_parser!(u64).range(5..=7_200))]
    seconds: Option<u64>,
    /// Of the messages, how many are lost: of half of these the answer.
    #[arg(long, default_value = "0%")]
    loss: Share,
    /// How many come twice.
    #[arg(long, default_value = "0%")]
    dup: Share,
    /// Some come when their sender has given up.
    #[arg(long)]
    reorder: bool,
    /// Terminals reboot in the middle of something.
    #[arg(long)]
    reboot: bool,
    /// Kill the API (-9) once.
    #[arg(long)]
    kill: bool,
    /// Seal Vault for so many seconds in the middle.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    seal: Option<u64>,
    /// How long a terminal rests between two sales, in milliseconds.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    rest: u64,
    /// What chance follows from; drawn unless it is given.
    #[arg(long)]
    seed: Option<u64>,
}

/// Runs the command.
pub async fn command(args: Simulate) -> Result<(), SimulationError> {
    let (stack, seed) = (Stack::load()?, args.seed.unwrap_or_else(|| new_id().as_u64_pair().1));
    let reckoning = play(&args, seed, &OfStack(&stack)).await?;
    tell(seed, &reckoning)
}

/// Founds a town in the stack, plays the script in it, and reckons.
pub async fn play(args: &Simulate, seed: u64, trouble: &dyn Trouble) -> Result<Reckoning, SimulationError> {
    let town = Town::found(Stack::load()?).await?;
    let (client, stack) = (town.as_client().await?, Stack::load()?);
    let citizens = settle(&stack, &town, args).await?;
    founding::funds(&client, ASSET, &citizens).await?;
    let founded = founding::service(&client, ASSET).await?;
    let root = std::fs::read(stack.folder().authority()).map_err(SimulationError::Root)?;
    let terminals = devices::enrol(&town, &client, &founded, args.terminals, &root).await?;
    let late = if args.reorder { LATE } else { Share::NONE };
    let weather = Weather::new(seed, args.loss, args.dup, late);
    let reckoning =
        run(&place(&stack)?, args.script(), weather, citizens, terminals, (&client, &founded), trouble).await?;
    if !books::is_balanced(&client).await? {
        return Err(SimulationError::Unexpected("the trial balance is not zero".into()));
    }
    Ok(reckoning)
}

impl Simulate {
    fn script(&self) -> Script {
        Script {
            lasts: Duration::from_secs(self.seconds.unwrap_or(self.minutes * 60)),
            rest: Duration::from_millis(self.rest),
            reboots: self.reboot,
            kills: self.kill,
            seals: self.seal.map(Duration::from_secs),
        }
    }
}

/// Those who register, and those who settle.
async fn settle(stack: &Stack, town: &Town, args: &Simulate) -> Result<Vec<Citizen>, SimulationError> {
    let register = args.register.min(args.citizens);
    let registered = town.citizens(register).await?;
    let registry = Registry::of(stack).await?;
    let actor = registry.actor(&town.name).await?;
    let settled = founding::citizens(&registry.citizens, &actor, &town.name, args.citizens - register).await;
    registry.close().await;
    let registered = registered.into_iter().map(|Phone { device, account, cpf, password, .. }| {
        let owner = Owner { tenant: town.name.clone(), cpf, password, pin: PIN.to_owned(), account };
        (owner, Arc::new(device))
    });
    Ok(registered.chain(settled?).collect())
}

fn place(stack: &Stack) -> Result<Place, SimulationError> {
    let connection = Connection {
        url: Some(stack.url()),
        ca: Some(stack.folder().authority()),
        client_id: None,
        client_secret_file: None,
        identity: None,
    };
    let phones = Line::by(connection.http_client(Duration::from_secs(30))?);
    let terminals = format!("https://localhost:{}", stack.known().ports.terminals());
    Ok(Place { phones, public: stack.url(), issuer: stack.url(), terminals, asset: ASSET.to_owned() })
}

/// The stack's own API and Vault.
pub struct OfStack<'a>(pub &'a Stack);

impl Trouble for OfStack<'_> {
    fn kill(&self) -> BoxFuture<'_, Result<(), SimulationError>> {
        // Its supervisor starts it again.
        async {
            process::crash_children(self.0.folder(), servers::API.name);
            Ok(())
        }
        .boxed()
    }

    fn seal(&self, time: Duration) -> BoxFuture<'_, Result<(), SimulationError>> {
        async move {
            vault_server::seal(self.0.vault().await?).await?;
            sleep(time).await;
            Ok(vault_server::reopen(self.0.folder(), self.0.known()).await?)
        }
        .boxed()
    }
}

/// Says what came of it; differences are an error.
fn tell(seed: u64, reckoning: &Reckoning) -> Result<(), SimulationError> {
    print!("{}", screen::table(&reckoning.tally));
    println!("seed {seed}: {} payments, {} cents taken", reckoning.payments, reckoning.takings);
    for (code, times) in &reckoning.refused {
        println!("  {times} charges were refused when they were asked for: {code}");
    }
    for difference in &reckoning.differences {
        println!("  {}", difference.0);
    }
    if reckoning.differences.is_empty() {
        say("every journal agrees with the ledger, cent by cent");
        return Ok(());
    }
    Err(SimulationError::Differs(reckoning.differences.len()))
}
