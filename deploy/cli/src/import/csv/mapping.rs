//! The mapping file: which column means what.
//!
//! TOML, because people write it by hand and it has comments. Unknown members are refused:
//! a mistyped `min_balence` must not open accounts without a bound.

use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::template::Template;
use crate::import::plan::Side;
use crate::money::{self, Marks};

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("cannot read the mapping {path}")]
    Read {
        /// The path as given.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, or not of the shape described in docs/import.md.
    #[error("the mapping is not well-formed")]
    Form(#[from] toml::de::Error),
    /// Well-formed, but it makes no sense.
    #[error("the mapping's {0}")]
    Sense(String),
}

/// The whole mapping.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Names the origin of the rows; part of every transaction's id.
    pub source: String,
    /// The one asset of all rows.
    pub asset: AssetMapping,
    /// The accounts the rows move.
    pub account: AccountMapping,
    /// Where the other side of each row is booked.
    pub contra: AccountMapping,
    /// Where residuals are booked; needed with `row.residual`.
    pub rounding: Option<AccountMapping>,
    /// Where balances brought along from before the file come from; needs `row.balance`.
    pub opening: Option<AccountMapping>,
    /// The columns.
    pub row: RowMapping,
    /// How the file writes things.
    #[serde(default)]
    pub format: Format,
}

/// The asset of all rows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetMapping {
    /// Its code, such as `EUR`.
    pub code: Arc<str>,
    /// Its number of decimals.
    pub scale: u32,
}

/// How accounts of one role are named and opened.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountMapping {
    /// The name, with columns in braces: `customers:{account_id}`.
    pub name: Template,
    /// The side that makes it grow.
    pub normal_side: Side,
    /// A decimal, or `unlimited`. Default: 0 for the rows' accounts, unlimited for the others.
    pub min_balance: Option<String>,
    /// A decimal, or `unlimited` (the default).
    pub max_balance: Option<String>,
}

/// What the columns mean.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowMapping {
    /// The bank's own id of a row, unique within an account. Without it, rows are known by their content.
    pub id: Option<String>,
    /// The date of effect.
    pub date: String,
    /// The amount: signed, or unsigned beside `sign`.
    pub amount: Option<String>,
    /// A column that says whether the balance grows or shrinks.
    pub sign: Option<SignMapping>,
    /// An amount by which the balance grows (instead of `amount`).
    pub increase: Option<String>,
    /// An amount by which the balance shrinks (instead of `amount`).
    pub decrease: Option<String>,
    /// A signed remainder that the bank carried beyond the printed amount.
    pub residual: Option<String>,
    /// The balance after the row.
    pub balance: Option<String>,
    /// The description, with columns in braces.
    pub description: Option<Template>,
    /// Columns kept as metadata where they are not empty.
    #[serde(default)]
    pub metadata: Vec<String>,
}

/// A column of words for "grows" and "shrinks".
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignMapping {
    /// The column.
    pub column: String,
    /// Its word for a growing balance.
    pub increase: String,
    /// Its word for a shrinking balance.
    pub decrease: String,
}

/// Whether amounts count whole units or the smallest ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    /// `12.50`
    #[default]
    Decimal,
    /// `1250`
    Minor,
}

/// How the file writes things.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Format {
    /// The character between fields.
    pub delimiter: char,
    /// Whether the first line names the columns; otherwise they are named `1`, `2`, ….
    pub header: bool,
    /// Whole or smallest units.
    pub amounts: Unit,
    /// The character before the decimals.
    pub decimal_mark: char,
    /// The character between groups of digits, where there is one.
    pub group_mark: Option<char>,
    /// The date, in `strftime` words.
    pub date: String,
    /// The newest row comes first; the file is read from its end.
    pub newest_first: bool,
}

impl Default for Format {
    fn default() -> Self {
        Self {
            delimiter: ',',
            header: true,
            amounts: Unit::Decimal,
            decimal_mark: '.',
            group_mark: None,
            date: "%Y-%m-%d".to_owned(),
            newest_first: false,
        }
    }
}

impl Format {
    /// How amounts are written.
    pub fn marks(&self) -> Marks {
        Marks { decimal: self.decimal_mark, group: self.group_mark }
    }
}

impl Mapping {
    /// Reads and checks a mapping file.
    pub fn load(path: &Path) -> Result<Self, MappingError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| MappingError::Read { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// Reads and checks the text of a mapping.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let mapping: Self = toml::from_str(text)?;
        let sense = |what: &str| Err(MappingError::Sense(what.to_owned()));
        let row = &mapping.row;
        if mapping.source.is_empty() {
            return sense("`source` is empty");
        }
        if mapping.asset.scale > money::MAX_SCALE {
            return sense("`asset.scale` is above 8");
        }
        match (&row.amount, &row.increase, &row.decrease) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            _ => return sense("`row` needs either `amount`, or both `increase` and `decrease`"),
        }
        if row.sign.is_some() && row.amount.is_none() {
            return sense("`row.sign` needs `row.amount`");
        }
        if row.residual.is_some() != mapping.rounding.is_some() {
            return sense("`row.residual` and `rounding` need each other");
        }
        if mapping.opening.is_some() && row.balance.is_none() {
            return sense("`opening` needs `row.balance`");
        }
        if !mapping.format.delimiter.is_ascii() {
            return sense("`format.delimiter` is not one ASCII character");
        }
        if mapping.format.group_mark == Some(mapping.format.decimal_mark) {
            return sense("`format.group_mark` is the decimal mark");
        }
        for role in mapping.roles() {
            role.bound(role.min_balance.as_deref(), mapping.asset.scale)?;
            role.bound(role.max_balance.as_deref(), mapping.asset.scale)?;
        }
        Ok(mapping)
    }

    fn roles(&self) -> impl Iterator<Item = &AccountMapping> {
        [&self.account, &self.contra].into_iter().chain(&self.rounding).chain(&self.opening)
    }
}

impl AccountMapping {
    /// A bound in minor units; `None` is unlimited.
    pub fn bound(&self, text: Option<&str>, scale: u32) -> Result<Option<i128>, MappingError> {
        match text {
            None | Some("unlimited") => Ok(None),
            Some(text) => money::parse_minor(text, Marks::PLAIN, scale)
                .map(Some)
                .map_err(|error| MappingError::Sense(format!("bound is wrong: {error}"))),
        }
    }
}
