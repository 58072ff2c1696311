//! One line of a bank's file, read into amounts and words.

use chrono::NaiveDate;

use super::mapping::{Format, Mapping, Unit};
use super::template::Bound;
use crate::import::ReadError;
use crate::money::{AmountError, parse_minor};

/// What a row says, in the words of the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its line in the file, from 1.
    pub line: u64,
    /// The account it moves, as people write it.
    pub account: String,
    /// The account on the other side.
    pub contra: String,
    /// The bank's own id, where the mapping names one.
    pub id: Option<String>,
    /// The date of effect.
    pub date: NaiveDate,
    /// By how much the balance grows, in minor units.
    pub amount: i128,
    /// The remainder beyond the printed amount.
    pub residual: i128,
    /// The printed balance after the row.
    pub balance: Option<i128>,
    /// The description.
    pub description: String,
    /// The fields of the metadata columns, in the mapping's order; empty where the file is.
    pub metadata: Vec<String>,
}

/// The mapping's columns, found in the header.
#[derive(Debug)]
pub struct Columns {
    account: Bound,
    contra: Bound,
    description: Option<Bound>,
    id: Option<usize>,
    date: usize,
    amount: AmountColumns,
    residual: Option<usize>,
    balance: Option<usize>,
    metadata: Vec<usize>,
    format: Format,
    scale: u32,
}

#[derive(Debug)]
enum AmountColumns {
    Signed(usize),
    Worded { amount: usize, sign: usize, increase: String, decrease: String },
    Split { increase: usize, decrease: usize },
}

impl Columns {
    /// Finds every column that the mapping names; the error is one that the header lacks.
    pub fn find(mapping: &Mapping, header: &[String]) -> Result<Self, String> {
        let find = |name: &str| header.iter().position(|column| column.trim() == name);
        let need = |name: &str| find(name).ok_or_else(|| name.to_owned());
        let want = |name: &Option<String>| name.as_deref().map(need).transpose();
        let row = &mapping.row;
        let amount = match (&row.amount, &row.sign) {
            (Some(amount), None) => AmountColumns::Signed(need(amount)?),
            (Some(amount), Some(sign)) => AmountColumns::Worded {
                amount: need(amount)?,
                sign: need(&sign.column)?,
                increase: sign.increase.clone(),
                decrease: sign.decrease.clone(),
            },
            (None, _) => AmountColumns::Split {
                increase: need(row.increase.as_deref().unwrap_or_default())?,
                decrease: need(row.decrease.as_deref().unwrap_or_default())?,
            },
        };
        Ok(Self {
            account: mapping.account.name.bind(find)?,
            contra: mapping.contra.name.bind(find)?,
            description: row.description.as_ref().map(|template| template.bind(find)).transpose()?,
            id: want(&row.id)?,
            date: need(&row.date)?,
            amount,
            residual: want(&row.residual)?,
            balance: want(&row.balance)?,
            metadata: row.metadata.iter().map(|name| need(name)).collect::<Result<_, _>>()?,
            format: mapping.format.clone(),
            scale: mapping.asset.scale,
        })
    }

    /// Reads one record.
    pub fn read(&self, record: &csv::StringRecord, line: u64) -> Result<Row, ReadError> {
        let field = |index: usize| record.get(index).unwrap_or_default();
        let wrong = |error: AmountError| ReadError::at(line, error.to_string());
        let date = NaiveDate::parse_from_str(field(self.date).trim(), &self.format.date).map_err(|_| {
            ReadError::at(line, format!("{:?} is not a date like {:?}", field(self.date), self.format.date))
        })?;
        let account = self.account.fill_all(field);
        Ok(Row {
            line,
            account: account.ok_or_else(|| ReadError::at(line, "a column of the account's name is empty"))?,
            contra: self.contra.fill(field),
            id: self.id.map(|index| field(index).trim().to_owned()),
            date,
            amount: self.amount(record, line)?,
            residual: self.residual.map_or(Ok(0), |index| self.money_or_zero(field(index))).map_err(wrong)?,
            balance: self.balance.map(|index| self.money(field(index))).transpose().map_err(wrong)?,
            description: self.description.as_ref().map(|bound| bound.fill(field)).unwrap_or_default(),
            metadata: self.metadata.iter().map(|index| field(*index).trim().to_owned()).collect(),
        })
    }

    fn amount(&self, record: &csv::StringRecord, line: u64) -> Result<i128, ReadError> {
        let field = |index: usize| record.get(index).unwrap_or_default();
        let wrong = |error: AmountError| ReadError::at(line, error.to_string());
        match &self.amount {
            AmountColumns::Signed(amount) => self.money(field(*amount)).map_err(wrong),
            AmountColumns::Worded { amount, sign, increase, decrease } => {
                let size = self.money(field(*amount)).map_err(wrong)?;
                if size < 0 {
                    return Err(ReadError::at(line, "the amount beside a sign column is negative"));
                }
                match field(*sign).trim() {
                    word if word == increase => Ok(size),
                    word if word == decrease => Ok(-size),
                    word => Err(ReadError::at(line, format!("{word:?} is neither {increase:?} nor {decrease:?}"))),
                }
            }
            AmountColumns::Split { increase, decrease } => {
                let up = self.money_or_zero(field(*increase)).map_err(wrong)?;
                let down = self.money_or_zero(field(*decrease)).map_err(wrong)?;
                if up != 0 && down != 0 {
                    return Err(ReadError::at(line, "the row both grows and shrinks the balance"));
                }
                // Some banks print the shrinking column with its minus sign.
                Ok(up - down.abs())
            }
        }
    }

    fn money(&self, text: &str) -> Result<i128, AmountError> {
        let scale = if self.format.amounts == Unit::Minor { 0 } else { self.scale };
        parse_minor(text.trim(), self.format.marks(), scale)
    }

    fn money_or_zero(&self, text: &str) -> Result<i128, AmountError> {
        if text.trim().is_empty() { Ok(0) } else { self.money(text) }
    }
}
