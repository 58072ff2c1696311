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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::plan::{Account, Leg, Side};

    fn chart() -> Chart {
        let mut chart = Chart::default();
        for name in ["a", "b"] {
            chart.enter(Account {
                name: name.into(),
                asset: "EUR".into(),
                scale: 2,
                normal_side: Side::Credit,
                stated_side: Side::Credit,
                min_balance: None,
                max_balance: None,
            });
        }
        chart
    }

    /// A row of `parts` transactions whose last leads its account to 5.00.
    fn row(chain: u32, parts: usize) -> Movement {
        let transactions = (1..=parts).map(|part| Transaction {
            row: uuid::Uuid::nil(),
            date: chrono::NaiveDate::default(),
            description: String::new(),
            metadata: Vec::new(),
            legs: vec![Leg { account: chain, debit: -5, expect_after: (part == parts).then_some(500) }],
        });
        Movement { line: 1, chain, transactions: transactions.collect() }
    }

    fn verdict(rows: &[Movement], results: &str) -> Option<Verdict> {
        let text = format!("{{\"results\":[{results}]}}");
        judge(rows, &chart(), &serde_json::from_str(&text).unwrap())
    }

    const NEW: &str = r#"{"status":201,"transaction":{"id":"x","legs":[]}}"#;
    const SPOILT: &str = r#"{"status":422,"problem":{"code":"group-failed","title":"t"}}"#;
    const REFUSED: &str = r#"{"status":412,"problem":{"code":"condition-failed","title":"t","detail":"no"}}"#;

    fn known(posted: &str) -> String {
        format!(
            r#"{{"status":200,"code":"already-applied","transaction":{{"legs":[{{"line":0,"balance":{{"posted":"{posted}"}}}}]}}}}"#
        )
    }

    #[test]
    fn rows_are_counted_not_items() {
        let rows = [row(0, 2), row(0, 1), row(1, 1)];
        let found = verdict(&rows, &[NEW, NEW, NEW, &known("5.00")].join(",")).unwrap();
        assert_eq!((found.posted, found.known, found.refused.len()), (2, 1, 0));
    }

    #[test]
    fn the_item_at_fault_is_found_in_its_group() {
        let rows = [row(0, 1), row(0, 2), row(0, 1), row(1, 1)];
        let found = verdict(&rows, &[SPOILT, SPOILT, REFUSED, SPOILT, NEW].join(",")).unwrap();
        assert_eq!((found.posted, found.known), (1, 0));
        assert_eq!(found.refused.keys().collect::<Vec<_>>(), [&0]);
        assert_eq!(found.refused[&0].place, 1);
        assert!(matches!(&found.refused[&0].why, Why::Problem(problem) if problem.code == "condition-failed"));
    }

    #[test]
    fn a_group_without_a_culprit_fails_at_its_first_row() {
        let found = verdict(&[row(0, 1), row(0, 1)], &[SPOILT, SPOILT].join(",")).unwrap();
        assert_eq!(found.refused[&0].place, 0);
    }

    #[test]
    fn a_known_row_with_another_balance_is_a_mismatch() {
        let found = verdict(&[row(1, 1)], &known("4.99")).unwrap();
        assert_eq!(found.refused[&1].why, Why::OtherBalance { account: 1, expected: 500, posted: 499 });
        assert_eq!(verdict(&[row(1, 1)], &known("5")).unwrap().known, 1);
    }

    #[test]
    fn every_item_needs_its_result() {
        assert_eq!(verdict(&[row(0, 2)], NEW), None);
    }
}
