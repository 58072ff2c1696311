//! A statement before it has a form: what stands at its head, and its lines.

use crate::lang::Lang;
use crate::ledger::statements::kind_of;
use crate::problem::{Code, Problem};
use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;
use vintem_core::kernel::{Instant, Minor};
use vintem_core::ledger::store::statement::LineRow;

/// Everything around the lines.
#[derive(Debug, Clone)]
pub struct Head {
    /// The reader's language.
    pub lang: Lang,
    /// Where days begin.
    pub zone: Tz,
    /// The tenant's name.
    pub tenant: String,
    /// The account.
    pub account: Uuid,
    /// Its name.
    pub name: Option<String>,
    /// Its asset.
    pub asset: String,
    /// The asset's decimals.
    pub scale: u8,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// As of when.
    pub made_at: Instant,
    /// As of which position of the log.
    pub position: i64,
    /// What was there before the first day.
    pub opening: Minor,
    /// What was there at the end of the last.
    pub closing: Minor,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The transaction, or the reversal: each touches an account once, so it names the line for ever.
    pub id: Uuid,
    /// `posting`, `capture` or `reversal`.
    pub kind: &'static str,
    /// The value date, where the tenant is.
    pub at: DateTime<Tz>,
    /// What it changed.
    pub amount: Minor,
    /// What was there after it, counted from the opening balance.
    pub balance: Minor,
    /// For people.
    pub description: Option<String>,
}

/// A statement in one of its forms. Each part is written when it is known.
pub trait Paper: Send {
    /// What stands before the lines.
    fn begin(&mut self) -> Vec<u8>;
    /// Lines, in order.
    fn lines(&mut self, entries: &[Entry]) -> Vec<u8>;
    /// What stands after them.
    fn end(&mut self) -> Vec<u8>;
}

#[derive(Deserialize)]
struct Facts {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    reversal: Option<Uuid>,
}

impl Entry {
    /// Of a recorded line; `before` is the balance that it found.
    pub fn of(row: &LineRow, before: Minor, zone: Tz) -> Result<Self, Problem> {
        let facts: Facts = serde_json::from_str(&row.payload)
            .map_err(|_| Problem::new(Code::InternalError, "the recorded facts cannot be shown"))?;
        Ok(Self {
            id: facts.reversal.unwrap_or(row.stream),
            kind: kind_of(row.kind),
            at: row.effective_at.unwrap_or(row.recorded_at).with_timezone(&zone),
            amount: row.amount,
            balance: before.plus(row.amount),
            description: facts.description,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use chrono::TimeZone as _;

    /// A month with an income and three expenses whose texts mean no good.
    pub fn month(lang: Lang) -> (Head, Vec<Entry>) {
        let zone = chrono_tz::America::Sao_Paulo;
        let day = |day| NaiveDate::from_ymd_opt(2026, 3, day).unwrap();
        let texts = ["Salário de março", "=HYPERLINK(\"http://x\";\"y\")", "Café, pão & \"queijo\" <grande>", "-2+3"];
        let (mut balance, mut entries) = (Minor::new(10_000), Vec::new());
        for (number, (text, amount)) in (1_u32..).zip(texts.into_iter().zip([250_000, -1_250, -999, -123_456])) {
            balance = balance.plus(Minor::new(amount));
            entries.push(Entry {
                id: Uuid::from_u128(number.into()),
                kind: "posting",
                at: zone.with_ymd_and_hms(2026, 3, number, 22, 30, 0).unwrap(),
                amount: Minor::new(amount),
                balance,
                description: Some(text.to_owned()),
            });
        }
        let head = Head {
            lang,
            zone,
            tenant: "coffee-town".to_owned(),
            account: Uuid::from_u128(0x0198_3d6c_8a00_7000_8000_0000_0000_00ff),
            name: Some("citizen:0042".to_owned()),
            asset: "BRL".to_owned(),
            scale: 2,
            from: day(1),
            to: day(31),
            made_at: zone.with_ymd_and_hms(2026, 4, 1, 9, 0, 0).unwrap().to_utc(),
            position: 1_024,
            opening: Minor::new(10_000),
            closing: balance,
        };
        (head, entries)
    }

    /// The whole of a paper.
    pub fn written(mut paper: impl Paper, entries: &[Entry]) -> Vec<u8> {
        [paper.begin(), paper.lines(entries), paper.end()].concat()
    }
}
