//! The whole ledger, through the real store, against the model on the napkin.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use uuid::Uuid;
use vintem_core::event_store::proposal::Pointers;
use vintem_core::event_store::{Outcome, fresh};
use vintem_core::kernel::{Metadata, Minor};
use vintem_core::ledger::account::{Change, What};
use vintem_core::ledger::capture::Capture;
use vintem_core::ledger::command::{Command, Grouped};
use vintem_core::ledger::known::{AccountRef, Side};
use vintem_core::ledger::placing::Place;
use vintem_core::ledger::reversal::{Extent, Reverse};
use vintem_core::ledger::transaction::{ChosenId, Leg, Post, Quantity};
use vintem_core::ledger::{account, event};
use vintem_tests::book::Book;
use vintem_tests::model::{Account, Model, Step};
use vintem_tests::store::Store;

const ACCOUNTS: usize = 6;

fn accounts() -> [Account; ACCOUNTS] {
    let of = |is_debit, min, max| Account { posted: 0, held: 0, incoming: 0, is_debit, min, max, is_frozen: false };
    [
        of(true, None, None),
        of(false, Some(0), None),
        of(false, Some(0), Some(50_000)),
        of(false, Some(-5_000), None),
        of(true, Some(0), None),
        of(false, Some(100), None),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let single = single();
    prop_oneof![
        8 => single.clone(),
        1 => (prop::collection::vec(single, 2..6), any::<bool>()).prop_map(|(steps, grouped)| Step::Batch(steps.into_iter().filter(fits_batch).collect(), grouped)),
    ]
}

/// What the batch route takes: transactions, holds, captures, releases.
fn fits_batch(step: &Step) -> bool {
    matches!(
        step,
        Step::Transfer(..) | Step::Split(..) | Step::Sweep(..) | Step::Hold(..) | Step::Capture(..) | Step::Release(_)
    )
}

fn single() -> impl Strategy<Value = Step> + Clone {
    let account = || 0..ACCOUNTS;
    let amount = || prop_oneof![3 => 1..2_000i64, 1 => 1..60_000i64];
    prop_oneof![
        6 => (account(), account(), amount()).prop_map(|(from, to, amount)| Step::Transfer(from, to, amount)),
        2 => (account(), account(), account(), amount(), amount()).prop_map(|(from, one, two, a, b)| Step::Split(from, one, two, a, b)),
        1 => (account(), account()).prop_map(|(from, to)| Step::Sweep(from, to)),
        4 => (account(), account(), amount()).prop_map(|(from, to, amount)| Step::Hold(from, to, amount)),
        4 => (0..8usize, amount(), any::<bool>()).prop_map(|(hold, amount, is_final)| Step::Capture(hold, amount, is_final)),
        2 => (0..8usize).prop_map(Step::Release),
        1 => (0..8usize, amount()).prop_map(|(hold, amount)| Step::Increment(hold, amount)),
        3 => (0..16usize, amount()).prop_map(|(posting, amount)| Step::Reverse(posting, amount)),
        1 => (account(), any::<bool>()).prop_map(|(account, is_frozen)| Step::Freeze(account, is_frozen)),
    ]
}

/// The product under test, with the ids that it gave to the model's holds and postings.
struct Product {
    book: Book,
    holds: Vec<Uuid>,
    postings: Vec<Uuid>,
}

impl Product {
    async fn open(store: &Store) -> Self {
        let book = Book::open(store).brl().await;
        for (number, account) in accounts().iter().enumerate() {
            let text = |cents: Option<i64>| cents.map(|cents| Minor::from_bigint(cents).to_text(2));
            let open = account::Open {
                fresh_id: fresh::new_id(),
                name: Some(name(number)),
                asset: "BRL".into(),
                normal_side: if account.is_debit { Side::Debit } else { Side::Credit },
                min_balance: text(account.min),
                max_balance: text(account.max),
                metadata: Metadata::new(),
            };
            book.does(Command::Open(open)).await.expect("an account opens");
        }
        Self { book, holds: Vec::new(), postings: Vec::new() }
    }

    /// A command for a step; `None` when the step names a hold or posting that never was.
    fn command(&self, step: &Step) -> Option<Command> {
        let amount = |cents: i64| Quantity::Exact(Minor::from_bigint(cents).to_text(2));
        let extent = |cents: i64| Extent::Amount(Minor::from_bigint(cents).to_text(2).into());
        Some(match *step {
            Step::Transfer(from, to, cents) => {
                post(vec![leg(from, Side::Debit, amount(cents)), leg(to, Side::Credit, amount(cents))])
            }
            Step::Split(from, one, two, a, b) => post(vec![
                leg(from, Side::Debit, amount(a + b)),
                leg(one, Side::Credit, amount(a)),
                leg(two, Side::Credit, amount(b)),
            ]),
            Step::Sweep(from, to) => {
                post(vec![leg(from, Side::Debit, Quantity::Available), leg(to, Side::Credit, Quantity::Available)])
            }
            Step::Hold(from, to, cents) => Command::Place(Place {
                id: ChosenId { id: fresh::new_id(), is_callers: false },
                legs: vec![leg(from, Side::Debit, amount(cents)), leg(to, Side::Credit, amount(cents))],
                pointers: Pointers::FromTo,
                expires_at: "2200-01-01T00:00:00Z".parse().ok()?,
                over_capture_percent: 0,
                description: None,
                metadata: Metadata::new(),
            }),
            Step::Capture(hold, cents, is_final) => Command::Capture(Capture {
                hold: *self.holds.get(hold)?,
                transaction: fresh::new_id(),
                extent: extent(cents),
                to: None,
                is_final,
                description: None,
                metadata: Metadata::new(),
            }),
            Step::Release(hold) => Command::Release { hold: *self.holds.get(hold)? },
            Step::Increment(hold, cents) => Command::Increment { hold: *self.holds.get(hold)?, extent: extent(cents) },
            Step::Reverse(posting, cents) => Command::Reverse(Reverse {
                transaction: *self.postings.get(posting)?,
                reversal: fresh::new_id(),
                extent: extent(cents),
                description: None,
            }),
            Step::Freeze(account, is_frozen) => {
                let account =
                    vintem_core::kernel::name::account_id(self.book.actor.origin.tenant, &name(account), "BRL");
                Command::Change(Change {
                    account,
                    expected: None,
                    what: if is_frozen { What::Freeze(None) } else { What::Unfreeze },
                })
            }
            Step::Batch(..) => return None,
        })
    }

    /// Does it, learns the ids of what it made, and says item by item whether it happened.
    async fn does(&mut self, steps: &[Step], is_group: bool) -> Vec<bool> {
        let group = is_group.then(|| "together".into());
        let commands: Vec<Option<Command>> = steps.iter().map(|step| self.command(step)).collect();
        let sent: Vec<Grouped> = commands
            .iter()
            .flatten()
            .map(|command| Grouped { command: command.clone(), group: group.clone() })
            .collect();
        if sent.is_empty() {
            return steps.iter().map(|_| false).collect();
        }
        let mut outcomes = self.book.does_all(sent, None).await.expect("a definite answer").into_iter();
        let mut happened = Vec::new();
        for (step, command) in steps.iter().zip(&commands) {
            let outcome = command.as_ref().and_then(|_| outcomes.next());
            let Some(Outcome::Applied(applied)) = outcome else {
                happened.push(false);
                continue;
            };
            happened.push(true);
            for recorded in &applied.events {
                match &*recorded.kind {
                    event::HOLD_PLACED => self.holds.push(recorded.stream),
                    // The model reverses two-legged postings only.
                    event::TRANSACTION_POSTED if !matches!(step, Step::Split(..)) => {
                        self.postings.push(recorded.stream);
                    }
                    _ => {}
                }
            }
        }
        happened
    }
}

fn name(number: usize) -> String {
    format!("account:{number}")
}

fn leg(account: usize, direction: Side, quantity: Quantity) -> Leg {
    Leg { account: AccountRef::Name(name(account)), direction, quantity, asset: "BRL".into(), expect: None }
}

fn post(legs: Vec<Leg>) -> Command {
    Command::Post(Post {
        id: ChosenId { id: fresh::new_id(), is_callers: false },
        legs,
        pointers: Pointers::Legs,
        effective_at: None,
        description: None,
        metadata: Metadata::new(),
    })
}

/// The model's verdicts on steps done together.
fn expected(model: &mut Model, product: &Product, steps: &[Step], is_group: bool) -> Vec<bool> {
    let before = model.clone();
    // What names a hold that this very batch places cannot be sent: its id is not known yet.
    let sent: Vec<bool> = steps.iter().map(|step| product.command(step).is_some()).collect();
    let verdicts: Vec<bool> = steps.iter().zip(&sent).map(|(step, sent)| *sent && model.step(step)).collect();
    if is_group && verdicts.iter().zip(&sent).any(|(happened, sent)| *sent && !happened) {
        *model = before;
        return steps.iter().map(|_| false).collect();
    }
    verdicts
}

async fn compare(store: &Store, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let mut product = Product::open(store).await;
    let mut model = Model::new(&accounts());
    let mut history: Vec<(i64, Vec<[i64; 3]>)> = Vec::new();
    let pool = store.pool("vintem_auditor");
    for step in steps {
        let (steps, is_group) = match step {
            Step::Batch(steps, is_group) => (steps, is_group),
            single => (vec![single], false),
        };
        let expected = expected(&mut model, &product, &steps, is_group);
        let actual = product.does(&steps, is_group).await;
        prop_assert_eq!(&actual, &expected, "{:?}", steps);
        let balances: Vec<[i64; 3]> = model.accounts.values().map(|a| [a.posted, a.held, a.incoming]).collect();
        prop_assert_eq!(&balances_at(&pool, i64::MAX).await, &balances, "after {:?}", steps);
        let position: i64 = sqlx::query_scalar("SELECT coalesce(max(position), 0) FROM event")
            .fetch_one(&pool)
            .await
            .expect("a position");
        history.push((position, balances));
    }
    // Every past point still answers what it answered then.
    for (position, balances) in history {
        prop_assert_eq!(balances_at(&pool, position).await, balances, "as of {}", position);
    }
    Ok(())
}

/// Balances of all accounts as of a position, by the product's own bisection.
async fn balances_at(pool: &sqlx::PgPool, position: i64) -> Vec<[i64; 3]> {
    let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
        "SELECT coalesce(e.posted, 0), coalesce(e.held, 0), coalesce(e.incoming, 0) FROM account a
         LEFT JOIN entry e ON e.shard = a.shard AND e.account = a.account AND e.version = version_at(a.shard, a.account, $1) ORDER BY a.name",
    )
    .bind(position)
    .fetch_all(pool)
    .await
    .expect("balances");
    rows.into_iter().map(|(posted, held, incoming)| [posted, held, incoming]).collect()
}

/// Each case is a ledger of its own of up to 60 requests; a failure prints the shrunk steps.
#[test]
fn the_ledger_does_what_the_model_does() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut runner =
        TestRunner::new(Config { cases: 24, max_shrink_iters: 60, failure_persistence: None, ..Config::default() });
    let case = |steps: Vec<Step>| {
        runtime.block_on(async {
            let store = Store::create().await;
            let result = compare(&store, steps).await;
            store.close().await;
            result
        })
    };
    runner.run(&prop::collection::vec(step(), 1..60), case).unwrap_or_else(|failure| panic!("{failure}"));
}
