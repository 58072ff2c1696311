//! `vintem`, the operator's command. This file is its table of contents.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use vintem_cli::{bench, commands, demo, export, import, simulate};

// Batches are many small strings; the system's allocator took a quarter of a server's time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The operator's command of Vintem.
#[derive(Debug, Parser)]
#[command(name = "vintem", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The development stack of this checkout: `cargo dev up`, `cargo dev down` …
    #[command(subcommand)]
    Dev(commands::dev::Dev),
    /// Bring the database to the schema of this version.
    Migrate(commands::migrate::Migrate),
    /// Tenants: whose money it is.
    #[command(subcommand)]
    Tenant(commands::tenant::Tenant),
    /// Service clients: the programs of a tenant that call the API.
    #[command(subcommand)]
    Client(commands::client::Client),
    /// Staff: the first administrator of a tenant, and whoever has lost everything.
    #[command(subcommand)]
    Staff(commands::staff::Staff),
    /// Tokens: ended all at once.
    #[command(subcommand)]
    Tokens(commands::tokens::Tokens),
    /// Subscriptions: queues of events for the programs of integrators.
    #[command(subcommand)]
    Subscription(commands::subscription::Subscription),
    /// Keys: replaced while everything runs.
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    Import(Box<import::ImportArgs>),
    /// Check that the ledger still says what was written, while it runs.
    Verify(commands::verify::Verify),
    /// Build views of the log anew beside those in use, and swap them.
    Rebuild(commands::rebuild::Rebuild),
    /// Wrap the keys of people anew after the key that wraps them was rotated.
    Rewrap(commands::rewrap::Rewrap),
    /// Begin a new epoch after a restore or failover, and lift a halt.
    Recover(commands::recover::Recover),
    Export(Box<export::ExportArgs>),
    Demo(Box<demo::DemoArgs>),
    Bench(Box<bench::Bench>),
    Simulate(Box<simulate::Simulate>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    // The stack's own command finds its processes by looking at them, which this would forbid to all but root.
    if !matches!(command, Command::Dev(_))
        && let Err(error) = vintem_core::secrets::keep_memory_private()
    {
        return commands::complain(&error);
    }
    let result = match command {
        Command::Dev(command) => command.run().await,
        Command::Migrate(command) => command.run().await,
        Command::Tenant(command) => command.run().await,
        Command::Client(command) => command.run().await,
        Command::Staff(command) => command.run().await,
        Command::Tokens(command) => command.run().await,
        Command::Subscription(command) => command.run().await,
        Command::Keys(command) => command.run().await,
        Command::Import(args) => import::run(*args).await.map(|()| 0).map_err(Into::into),
        Command::Verify(command) => command.run().await,
        Command::Rebuild(command) => command.run().await,
        Command::Rewrap(command) => command.run().await,
        Command::Recover(command) => command.run().await,
        Command::Export(args) => export::run(*args).await.map(|()| 0).map_err(Into::into),
        Command::Bench(args) => bench::command(*args).await.map(|()| 0).map_err(Into::into),
        Command::Simulate(args) => simulate::command(*args).await.map(|()| 0).map_err(Into::into),
        Command::Demo(args) => demo::command(*args).await.map(|()| 0).map_err(Into::into),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => commands::complain(error.as_ref()),
    }
}
