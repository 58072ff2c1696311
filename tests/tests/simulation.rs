//! Terminals and telephones over a network that fails, in the development stack itself, whose API is killed and whose Vault is sealed in
//! the middle: so nothing else may run beside, and this is a program of its own.
//!
//! A seed that fails says its number; `vintem simulate --seed …` with the same options plays it again.

use clap::Parser;
use futures_util::future::{BoxFuture, FutureExt as _, join_all};
use std::time::Duration;
use tokio::sync::OnceCell;
use vintem_cli::simulate::command::{OfStack, Simulate, play};
use vintem_cli::simulate::run::{Reckoning, Trouble};
use vintem_cli::simulate::{SimulationError, tally::Event};
use vintem_cli::stack::Stack;

/// Seeds that are played beside each other; what goes wrong in the middle goes wrong for all of them.
const BESIDE: u64 = 4;
const SEEDS: u64 = 20;

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    simulate: Simulate,
}

/// One kill and one seal, in the middle of every seed of a round.
struct Once<'a> {
    stack: OfStack<'a>,
    killed: OnceCell<()>,
    sealed: OnceCell<()>,
}

impl Trouble for Once<'_> {
    fn kill(&self) -> BoxFuture<'_, Result<(), SimulationError>> {
        async { self.killed.get_or_try_init(|| self.stack.kill()).await.map(drop) }.boxed()
    }

    fn seal(&self, time: Duration) -> BoxFuture<'_, Result<(), SimulationError>> {
        async move { self.sealed.get_or_try_init(|| self.stack.seal(time)).await.map(drop) }.boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_device_believes_otherwise_than_the_ledger() {
    let stack = Stack::load().expect("the development stack must be up: cargo dev up");
    let options = Options::parse_from(
        "vintem --terminals 3 --citizens 30 --seconds 15 --rest 200 --loss 5% --dup 3% --reorder --reboot --kill --seal 4"
            .split(' '),
    );
    for first in (1..=SEEDS).step_by(usize::try_from(BESIDE).unwrap()) {
        let trouble = Once { stack: OfStack(&stack), killed: OnceCell::new(), sealed: OnceCell::new() };
        let seeds = (first..first + BESIDE).map(|seed| {
            let (options, trouble) = (&options.simulate, &trouble);
            async move { (seed, play(options, seed, trouble).await) }
        });
        for (seed, reckoning) in join_all(seeds).await {
            check(seed, &reckoning.unwrap_or_else(|error| panic!("seed {seed}: {error}")));
        }
        assert!(trouble.killed.initialized() && trouble.sealed.initialized());
    }
}

fn check(seed: u64, reckoning: &Reckoning) {
    assert!(reckoning.differences.is_empty(), "seed {seed}: {:#?}", reckoning.differences);
    assert!(reckoning.refused.is_empty(), "seed {seed}: {:?}", reckoning.refused);
    // A network that let nothing through would prove nothing.
    assert!(reckoning.tally.of(Event::Paid) > 0 && reckoning.tally.of(Event::Lost) > 0, "seed {seed}");
}
