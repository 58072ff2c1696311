//! Terminals and telephones over a network that fails, in the development stack itself, whose API is killed and whose Vault is sealed in
//! the middle: so nothing else may run beside, and this is a program of its own.
//!
//! A seed that fails says its number; `vintem simulate --seed …` with the same options plays it again.

use clap::Parser;
use vintem_cli::simulate::command::{OfStack, Simulate, play};
use vintem_cli::simulate::run::Reckoning;
use vintem_cli::simulate::tally::Event;
use vintem_cli::stack::Stack;

/// Seeds that are played, one after the other; with `DEV_LONG_TESTS=1` twenty.
const SEEDS: u64 = 2;
const LONG: u64 = 20;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    simulate: Simulate,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_device_believes_otherwise_than_the_ledger() {
    let stack = Stack::load().expect("the development stack must be up: cargo dev up");
    let options = Options::parse_from(
        "vintem --terminals 3 --citizens 30 --seconds 15 --rest 200 --loss 5% --dup 3% --reorder --reboot --kill --seal 4"
            .split(' '),
    );
    let seeds = if std::env::var_os("DEV_LONG_TESTS").is_some() { LONG } else { SEEDS };
    for seed in 1..=seeds {
        let reckoning = play(&options.simulate, seed, &OfStack(&stack)).await;
        check(seed, &reckoning.unwrap_or_else(|error| panic!("seed {seed}: {error}")));
    }
}

fn check(seed: u64, reckoning: &Reckoning) {
    assert!(reckoning.differences.is_empty(), "seed {seed}: {:#?}", reckoning.differences);
    assert!(reckoning.refused.is_empty(), "seed {seed}: {:?}", reckoning.refused);
    // A network that let nothing through would prove nothing.
    assert!(reckoning.tally.of(Event::Paid) > 0 && reckoning.tally.of(Event::Lost) > 0, "seed {seed}");
}
