//! What a batch's answer means for the rows that were in it: pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::plan::{Chart, Movement, Transaction};
use crate::client::Problem;
use crate::money::{self, Marks};

/// The answer of `POST /v1/batches`, as far as an import needs it.
#[derive(Debug, Deserialize)]
pub struct BatchAnswer<'a> {
    /// One result per item, in order.
    #[serde(borrow)]
    pub results: Vec<ItemResult<'a>>,
}

/// The result of one item.
#[derive(Debug, Deserialize)]
pub struct ItemResult<'a> {
    status: u16,
    #[serde(borrow, default)]
    code: Option<Cow<'a, str>>,
    #[serde(default)]
    problem: Option<Problem>,
    // Kept as text: it is looked into only where an earlier import has posted the item.
    #[serde(borrow, default)]
    transaction: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Posted<'a> {
    #[serde(borrow)]
    legs: Vec<PostedLeg<'a>>,
}

#[derive(Deserialize)]
struct PostedLeg<'a> {
    #[serde(borrow)]
    balance: PostedBalance<'a>,
}

#[derive(Deserialize)]
struct PostedBalance<'a> {
    #[serde(borrow)]
    posted: Cow<'a, str>,
}

/// One refused row.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place among the parcel's movements.
    pub place: usize,
    /// Why.
    pub why: Why,
}

/// Why a row did not go through.
#[derive(Debug, PartialEq, Eq)]
pub enum Why {
    /// The ledger refused it.
    Problem(Problem),
    /// It is in the ledger already, and led to another balance than the file now states.
    OtherBalance {
        /// The account, by its index in the chart.
        account: u32,
        /// What the file states, in the direction of the normal side.
        expected: i128,
        /// What the ledger recorded.
        posted: i128,
    },
}

/// What became of a parcel.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rows that are in the ledger now and were not before.
    pub posted: u64,
    /// Rows that were in the ledger already.
    pub known: u64,
    /// The first refused row of each chain; the chain's other rows of the parcel are not in.
    pub refused: BTreeMap<u32, Refused>,
}

/// Reads the results of a parcel's movements. `None`: the answer has another number of results.
pub fn judge(movements: &[Movement], chart: &Chart, answer: &BatchAnswer<'_>) -> Option<Verdict> {
    let expected: usize = movements.iter().map(|movement| movement.transactions.len()).sum();
    if expected != answer.results.len() {
        return None;
    }
    let mut verdict = Verdict::default();
    let mut results = answer.results.iter();
    let mut spoilt: HashMap<u32, (usize, Problem)> = HashMap::new();
    for (place, movement) in movements.iter().enumerate() {
        let mut known = true;
        for transaction in &movement.transactions {
            let result = results.next()?;
            known &= result.status != 201;
            let why = match result.refusal() {
                None => result.other_balance(transaction, chart),
                Some(problem) => Some(Why::Problem(problem.into_owned())),
            };
            match why {
                None => {}
                // The item at fault stands somewhere else in its group.
                Some(Why::Problem(problem)) if problem.code == "group-failed" => {
                    spoilt.entry(movement.chain).or_insert((place, problem));
                }
                Some(why) => {
                    verdict.refused.entry(movement.chain).or_insert(Refused { place, why });
                }
            }
        }
        if !spoilt.contains_key(&movement.chain) && !verdict.refused.contains_key(&movement.chain) {
            *(if known { &mut verdict.known } else { &mut verdict.posted }) += 1;
        }
    }
    for (chain, (place, problem)) in spoilt {
        verdict.refused.entry(chain).or_insert(Refused { place, why: Why::Problem(problem) });
    }
    Some(verdict)
}

impl ItemResult<'_> {
    fn refusal(&self) -> Option<Cow<'_, Problem>> {
        if matches!(self.status, 200 | 201) {
            return None;
        }
        Some(match &self.problem {
            Some(problem) => Cow::Borrowed(problem),
            None => Cow::Owned(Problem::read(self.status, b"")),
        })
    }

    /// Of an item that an earlier import posted: the first leg whose balance the file states otherwise.
    fn other_balance(&self, transaction: &Transaction, chart: &Chart) -> Option<Why> {
        if self.code.as_deref() != Some("already-applied") {
            return None;
        }
        let recorded: Posted<'_> = serde_json::from_str(self.transaction?.get()).ok()?;
        transaction.legs.iter().zip(&recorded.legs).find_map(|(leg, recorded)| {
            let expected = leg.expect_after?;
            let scale = chart.get(leg.account)?.scale;
            let posted = money::parse_minor(&recorded.balance.posted, Marks::PLAIN, scale).ok()?;
            (posted != expected).then_some(Why::OtherBalance { account: leg.account, expected, posted })
        })
    }
}
