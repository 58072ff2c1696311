//! In the end: each device's journal beside the ledger, cent by cent, and the ledger beside itself.

use std::collections::BTreeMap;

use serde_json::Value;

use super::journal::{Belief, Line};
use super::phone::Phone;
use super::terminal::{Terminal, charge_path};
use super::wire::Word;
use crate::client::line::Saying;
use crate::client::{Client, ClientError};

/// Where somebody believes something else than the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference(pub String);

/// Cents out of decimal text of two decimals, as the ledger answers it.
pub fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.')?;
    let part = (part.len() == 2).then(|| part.parse::<i64>().ok()).flatten()?;
    Some(sign * (whole.parse::<i64>().ok()? * 100 + part))
}

/// What the ledger says of a charge.
struct Truth {
    status: String,
    captured: i64,
    refunded: i64,
}

impl Truth {
    fn of(charge: &Value) -> Self {
        let money = |name: &str| charge[name]["amount"].as_str().and_then(cents).unwrap_or_default();
        let status = charge["status"].as_str().unwrap_or_default().to_owned();
        Self { status, captured: money("captured"), refunded: money("refunded") }
    }

    /// What the payer has paid in the end.
    fn kept(&self) -> i64 {
        if self.status == "reversed" { 0 } else { self.captured - self.refunded }
    }

    fn is_over(&self) -> bool {
        !matches!(&*self.status, "created" | "authorised")
    }
}

/// Holds a terminal's journal against what the ledger says of each of its payments. Adds up what each payer has paid, and notes
/// how much each charge had ever taken.
pub async fn audit(
    terminal: &mut Terminal,
    paid: &mut BTreeMap<usize, i64>,
    reached: &mut BTreeMap<String, i64>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for place in 0..terminal.journal.lines.len() {
        let txid = terminal.journal.lines[place].txid.clone();
        let word = terminal.ask(&Saying::get(charge_path(&txid))).await;
        let line = &terminal.journal.lines[place];
        let found = match word {
            Word::Done(charge) => {
                let truth = Truth::of(&charge);
                reached.insert(charge["id"].as_str().unwrap_or_default().to_owned(), truth.captured);
                truth
            }
            // It never arrived, and nothing else about it did.
            Word::Refused(code) if code == "not-found" => Truth { status: "unknown".into(), captured: 0, refunded: 0 },
            // It was taken back before it came.
            Word::Refused(code) if code == "charge-reversed" => {
                Truth { status: "reversed".into(), captured: 0, refunded: 0 }
            }
            other => {
                differences
                    .push(Difference(format!("terminal {}: {txid} cannot be asked for: {other:?}", terminal.number)));
                continue;
            }
        };
        *paid.entry(line.payer).or_default() += found.kept();
        if let Some(what) = difference(line, &found) {
            differences.push(Difference(format!("terminal {}: {txid}: {what}", terminal.number)));
        }
    }
    differences
}

fn difference(line: &Line, truth: &Truth) -> Option<String> {
    let believed = i64::try_from(line.kept()).unwrap_or(i64::MAX);
    let is_known = !line.is_open();
    if is_known && truth.is_over() && believed == truth.kept() {
        return None;
    }
    let Truth { status, captured, refunded } = truth;
    let belief = match line.belief {
        Belief::Open => "nothing".to_owned(),
        Belief::Paid(captured) => format!("{captured} paid and {} given back", line.given_back()),
        Belief::NotPaid => "not paid".to_owned(),
    };
    Some(format!("the device believes {belief}; the ledger says {status}, {captured} captured and {refunded} refunded"))
}

/// Holds telephones against the ledger: whoever was told that they paid has paid, whoever was refused has not.
pub fn believed(phone: &Phone, reached: &BTreeMap<String, i64>) -> Vec<Difference> {
    let wrong = phone.confirmations.iter().filter_map(|confirmation| {
        let taken = reached.get(&confirmation.charge).copied().unwrap_or_default();
        match confirmation.is_paid {
            // It may have been taken back since.
            Some(true) => None,
            Some(false) if taken == 0 => None,
            Some(false) => Some(format!("{} was refused, and paid all the same", confirmation.charge)),
            None => Some(format!("{}: nobody ever answered", confirmation.charge)),
        }
    });
    wrong.map(|what| Difference(format!("telephone of {}: {what}", phone.owner.account))).collect()
}

/// What an account has, in cents: posted, and held.
pub async fn balance(client: &Client, account: &str) -> Result<(i64, i64), ClientError> {
    let balance: Value = client.get(&format!("/v1/accounts/{account}/balance")).await?;
    let read = |name: &str| balance[name].as_str().and_then(cents).unwrap_or(i64::MIN);
    Ok((read("posted"), read("held")))
}

/// The ledger beside itself: the trial balance is zero in every asset.
pub async fn is_balanced(client: &Client) -> Result<bool, ClientError> {
    let trial: Value = client.get("/v1/ledger/trial-balance").await?;
    let assets = trial["assets"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(assets.iter().all(|asset| asset["debits"] == asset["credits"]))
}

#[cfg(test)]
mod tests {
    use super::super::journal::Refund;
    use super::*;

    fn line(belief: Belief, refunds: Vec<Refund>) -> Line {
        Line {
            txid: "T".into(),
            seq: 1,
            amount: 500,
            is_manual: false,
            payer: 0,
            belief,
            capture: None,
            reversal: None,
            refunds,
        }
    }

    fn truth(status: &str, captured: i64, refunded: i64) -> Truth {
        Truth { status: status.into(), captured, refunded }
    }

    #[test]
    fn a_device_that_believes_otherwise_is_told_of() {
        let paid = line(Belief::Paid(500), Vec::new());
        assert_eq!(difference(&paid, &truth("captured", 500, 0)), None);
        assert!(difference(&paid, &truth("reversed", 500, 0)).is_some(), "the device says paid");
        assert!(difference(&paid, &truth("captured", 300, 0)).is_some(), "another amount");
        let not = line(Belief::NotPaid, Vec::new());
        for fine in
            [truth("reversed", 500, 0), truth("expired", 0, 0), truth("unknown", 0, 0), truth("refunded", 500, 500)]
        {
            assert_eq!(difference(&not, &fine), None);
        }
        assert!(difference(&not, &truth("captured", 500, 0)).is_some(), "the dashboard says paid");
        assert!(difference(&not, &truth("authorised", 0, 0)).is_some(), "a hold is lost");
        assert!(difference(&line(Belief::Open, Vec::new()), &truth("reversed", 0, 0)).is_some(), "it does not know");
    }

    #[test]
    fn cents_are_read_exactly() {
        for (text, expected) in
            [("0.00", Some(0)), ("12.50", Some(1_250)), ("-0.01", Some(-1)), ("1", None), ("1.5", None)]
        {
            assert_eq!(cents(text), expected, "{text}");
        }
    }
}
