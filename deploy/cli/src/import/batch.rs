//! Movements into the bodies of batch requests, deterministically.
//!
//! In a batch, the movements of one chain form one group of items: the ledger commits them
//! together or refuses them together, naming the item at fault. A running balance alone
//! would not do: once refused rows add up to zero, the balances after them would match
//! again, and rows that must not be posted would be. Grouping also needs no knowledge of the
//! account's version, so that rows posted by others in between do no harm.
//!
//! The same file gives the same batches, and a batch's idempotency key is drawn from its
//! bytes: an import that was cut off repeats what it had sent and gets the old answers.

use std::collections::HashSet;

use bytes::Bytes;

use super::ReadError;
use super::identity::content_name;
use super::plan::{Chart, Mismatch, Movement, Step};
use super::wire;

/// The most items the batch route takes.
pub const MOST_ITEMS: usize = 10_000;
/// The batch route takes 8 MiB; what is above this is halved.
const MOST_BYTES: usize = 7 * 1024 * 1024;

/// Some movements of a lane, ready to send.
#[derive(Debug)]
pub struct Parcel {
    /// The movements, those of a chain next to each other and in order.
    pub movements: Vec<Movement>,
    /// Their request body.
    pub body: Bytes,
    /// Mismatches found while reading, each after the movements of its chain.
    pub broken: Vec<Mismatch>,
}

impl Parcel {
    /// The body's own idempotency key; `salt` makes it another one.
    pub fn key(&self, salt: &str) -> String {
        format!("import-{}{salt}", content_name(&self.body))
    }
}

/// Collects the steps of one lane into parcels.
#[derive(Debug)]
pub struct Packer {
    most_items: usize,
    items: usize,
    movements: Vec<Movement>,
    broken: Vec<Mismatch>,
    closed: HashSet<u32>,
}

impl Packer {
    /// A packer of parcels of about `most_items` items.
    pub fn new(most_items: usize) -> Self {
        let most_items = most_items.clamp(1, MOST_ITEMS / 2);
        Self { most_items, items: 0, movements: Vec::new(), broken: Vec::new(), closed: HashSet::new() }
    }

    /// Takes a step; gives parcels when enough has come together.
    pub fn push(&mut self, step: Step, chart: &Chart) -> Result<Vec<Parcel>, ReadError> {
        match step {
            // After a mismatch found while reading, the rest of that chain is never sent.
            _ if self.closed.contains(&step.chain()) => {}
            Step::Broken(mismatch) => {
                self.closed.insert(mismatch.chain);
                self.broken.push(mismatch);
            }
            Step::Post(movement) => {
                self.items += movement.transactions.len();
                self.movements.push(movement);
            }
        }
        if self.items >= self.most_items { self.flush(chart) } else { Ok(Vec::new()) }
    }

    /// Gives what has come together.
    pub fn flush(&mut self, chart: &Chart) -> Result<Vec<Parcel>, ReadError> {
        self.items = 0;
        let mut movements = std::mem::take(&mut self.movements);
        // Stable: within a chain the order of the file stays.
        movements.sort_by_key(|movement| movement.chain);
        let mut parcels = pack(movements, chart)?;
        let broken = std::mem::take(&mut self.broken);
        match parcels.last_mut() {
            Some(last) => last.broken = broken,
            None if broken.is_empty() => {}
            None => parcels.push(Parcel { movements: Vec::new(), body: Bytes::new(), broken }),
        }
        Ok(parcels)
    }
}

/// The parcels of some movements: one, or more where one body would be too large.
pub fn pack(mut movements: Vec<Movement>, chart: &Chart) -> Result<Vec<Parcel>, ReadError> {
    if movements.is_empty() {
        return Ok(Vec::new());
    }
    let body = wire::body(&movements, chart)?;
    if body.len() > MOST_BYTES && movements.len() > 1 {
        let rest = movements.split_off(movements.len() / 2);
        let mut parcels = pack(movements, chart)?;
        parcels.extend(pack(rest, chart)?);
        return Ok(parcels);
    }
    Ok(vec![Parcel { movements, body, broken: Vec::new() }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::identity::transaction_id;
    use crate::import::plan::{Account, Leg, Side, Transaction};
    use chrono::NaiveDate;

    fn chart() -> Chart {
        let mut chart = Chart::default();
        for name in ["a", "b", "clearing"] {
            chart.enter(Account {
                name: name.into(),
                asset: "EUR".into(),
                scale: 2,
                normal_side: Side::Credit,
                stated_side: Side::Credit,
                min_balance: Some(0),
                max_balance: None,
            });
        }
        chart.opened([10, 11, 12].map(uuid::Uuid::from_u128).to_vec());
        chart
    }

    fn movement(line: u64, chain: u32) -> Movement {
        let transaction = Transaction {
            row: uuid::Uuid::from_u128(u128::from(line)),
            date: NaiveDate::from_ymd_opt(2024, 1, 2).unwrap(),
            description: String::new(),
            metadata: vec![("purpose".into(), "rent".to_owned())],
            legs: vec![
                Leg { account: chain, debit: -1_250, expect_after: Some(-5) },
                Leg { account: 2, debit: 1_250, expect_after: None },
            ],
        };
        Movement { line, chain, transactions: vec![transaction] }
    }

    fn lines(parcel: &Parcel) -> Vec<u64> {
        parcel.movements.iter().map(|movement| movement.line).collect()
    }

    #[test]
    fn a_body_is_what_the_batch_route_reads() {
        let parcels = pack(vec![movement(7, 1)], &chart()).unwrap();
        assert_eq!(
            std::str::from_utf8(&parcels[0].body).unwrap(),
            concat!(
                r#"{"items":[{"group":"1","transaction":{"id":"ID","effective_at":"2024-01-02","#,
                r#""metadata":{"purpose":"rent"},"legs":[{"account":"00000000-0000-0000-0000-00000000000b","direction":"credit","#,
                r#""amount":{"amount":"12.50","asset":"EUR"},"expect_after":"-0.05"},{"account":"00000000-0000-0000-0000-00000000000c","#,
                r#""direction":"debit","amount":{"amount":"12.50","asset":"EUR"}}]}}]}"#
            )
            .replace("ID", &transaction_id(uuid::Uuid::from_u128(7), uuid::Uuid::from_u128(11)).to_string())
        );
    }

    #[test]
    fn chains_stand_together_in_the_order_of_the_file() {
        let chart = chart();
        let mut packer = Packer::new(4);
        let mut parcels = Vec::new();
        for (line, chain) in [(1, 1), (2, 0), (3, 1), (4, 0), (5, 1)] {
            parcels.extend(packer.push(Step::Post(movement(line, chain)), &chart).unwrap());
        }
        parcels.extend(packer.flush(&chart).unwrap());
        assert_eq!(parcels.iter().map(lines).collect::<Vec<_>>(), [vec![2, 4, 1, 3], vec![5]]);
        assert_ne!(parcels[0].key(""), parcels[1].key(""));
        assert_ne!(parcels[0].key(""), parcels[0].key("-again"));
    }

    #[test]
    fn nothing_is_sent_after_a_mismatch_found_while_reading() {
        let chart = chart();
        let account = chart.get(0).unwrap();
        let mut packer = Packer::new(100);
        for step in [
            Step::Post(movement(1, 0)),
            Step::Broken(Mismatch::new(2, 0, account, 1, 2)),
            Step::Post(movement(3, 0)),
            Step::Post(movement(4, 1)),
        ] {
            packer.push(step, &chart).unwrap();
        }
        let parcels = packer.flush(&chart).unwrap();
        assert_eq!(lines(&parcels[0]), [1, 4]);
        assert_eq!(parcels[0].broken[0].line, 2);
    }

    #[test]
    fn a_body_above_the_limit_is_halved() {
        let mut large = movement(1, 0);
        large.transactions[0].description = "x".repeat(MOST_BYTES / 3);
        let parcels = pack((0..4).map(|_| large.clone()).collect(), &chart()).unwrap();
        assert_eq!(parcels.iter().map(|parcel| parcel.movements.len()).collect::<Vec<_>>(), [2, 2]);
    }

    #[test]
    fn a_file_that_changed_between_two_readings_is_noticed() {
        assert!(pack(vec![movement(1, 9)], &chart()).is_err());
    }
}
