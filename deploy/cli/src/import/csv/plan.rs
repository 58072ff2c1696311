//! From a row to the transactions it books.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::mapping::{AccountMapping, Mapping, MappingError};
use super::row::Row;
use super::template::Bound;
use crate::import::ReadError;
use crate::import::identity::{Occurrences, Part, RowIdentity};
use crate::import::plan::{Account, Chart, Leg, Mismatch, Movement, Notes, Side, Step, Transaction};
use crate::names;

/// Turns rows into steps and remembers what that needs: accounts, ids, the last printed balances.
pub struct Planner {
    source: String,
    asset: Arc<str>,
    account: Role,
    contra: Role,
    rounding: Option<(Arc<str>, Role)>,
    opening: Option<(Arc<str>, Role)>,
    metadata: Vec<Arc<str>>,
    chart: Chart,
    notes: Notes,
    encoded: HashMap<String, Arc<str>>,
    ids: HashSet<RowIdentity>,
    occurrences: Occurrences,
    printed: HashMap<u32, i128>,
    others: HashSet<u32>,
    chains: HashSet<u32>,
}

/// The settings that accounts of one role are opened with.
struct Role {
    scale: u32,
    normal_side: Side,
    min_balance: Option<i128>,
    max_balance: Option<i128>,
}

impl Role {
    fn try_new(mapping: &AccountMapping, scale: u32, default_min: Option<i128>) -> Result<Self, MappingError> {
        let min_balance = match &mapping.min_balance {
            None => default_min,
            Some(text) => mapping.bound(Some(text), scale)?,
        };
        let max_balance = mapping.bound(mapping.max_balance.as_deref(), scale)?;
        Ok(Self { scale, normal_side: mapping.normal_side, min_balance, max_balance })
    }
}

impl Planner {
    /// A planner for one reading of a file.
    pub fn try_new(mapping: &Mapping) -> Result<Self, MappingError> {
        let scale = mapping.asset.scale;
        let fixed = |role: &Option<AccountMapping>| -> Result<Option<(Arc<str>, Role)>, MappingError> {
            role.as_ref().map(|role| Ok((fixed_name(role)?, Role::try_new(role, scale, None)?))).transpose()
        };
        Ok(Self {
            source: mapping.source.clone(),
            asset: Arc::clone(&mapping.asset.code),
            account: Role::try_new(&mapping.account, scale, Some(0))?,
            contra: Role::try_new(&mapping.contra, scale, None)?,
            rounding: fixed(&mapping.rounding)?,
            opening: fixed(&mapping.opening)?,
            metadata: mapping.row.metadata.iter().map(|name| Arc::from(name.as_str())).collect(),
            chart: Chart::default(),
            notes: Notes::default(),
            encoded: HashMap::new(),
            ids: HashSet::new(),
            occurrences: Occurrences::default(),
            printed: HashMap::new(),
            others: HashSet::new(),
            chains: HashSet::new(),
        })
    }

    /// The accounts that the rows touched, and what was left out.
    pub fn finish(self) -> (Chart, Notes) {
        (self.chart, self.notes)
    }

    /// What a row books; nothing where it moves nothing and its balance is the one before.
    pub fn step(&mut self, row: &Row) -> Result<Option<Step>, ReadError> {
        let identity = self.identity(row)?;
        let account = self.enter(&row.account, row.line, |planner| &planner.account)?;
        let contra = self.enter(&row.contra, row.line, |planner| &planner.contra)?;
        self.keep_apart(account, contra, row)?;
        let opening = self.opening_balance(account, row);
        if row.amount == 0 && row.residual == 0 && opening.is_none() {
            return Ok(self.still(account, row));
        }
        let mut movement = Movement { line: row.line, chain: account, transactions: Vec::with_capacity(1) };
        if let Some(amount) = opening {
            let opening = self.enter_fixed(|planner| planner.opening.as_ref());
            movement.transactions.push(self.transaction(row, identity, Part::Opening, (account, opening, amount)));
        }
        if row.amount != 0 {
            movement.transactions.push(self.transaction(row, identity, Part::Amount, (account, contra, row.amount)));
        }
        if row.residual != 0 {
            let rounding = self.enter_fixed(|planner| planner.rounding.as_ref());
            let legs = (account, rounding, row.residual);
            movement.transactions.push(self.transaction(row, identity, Part::Residual, legs));
        }
        if let Some(last) = movement.transactions.last_mut() {
            last.legs[0].expect_after = row.balance;
        }
        if let Some(balance) = row.balance {
            self.printed.insert(account, balance);
        }
        Ok(Some(Step::Post(movement)))
    }

    /// The rows of one account are posted in order, and beside those of the others; that
    /// needs the rows' accounts and the other sides to be different accounts.
    fn keep_apart(&mut self, account: u32, contra: u32, row: &Row) -> Result<(), ReadError> {
        self.others.insert(contra);
        let name = if self.others.contains(&account) {
            &row.account
        } else if self.chains.contains(&contra) {
            &row.contra
        } else {
            self.chains.insert(account);
            return Ok(());
        };
        Err(ReadError::at(row.line, format!("{name:?} is both an account of the rows and the other side of one")))
    }

    /// A row that moves nothing cannot carry its balance to the ledger, so it is compared here.
    fn still(&mut self, account: u32, row: &Row) -> Option<Step> {
        self.notes.count("rows without an amount left out");
        let expected = row.balance?;
        let printed = self.printed.get(&account).copied().unwrap_or_default();
        if expected == printed {
            return None;
        }
        let account_settings = self.chart.get(account)?;
        Some(Step::Broken(Mismatch::new(row.line, account, account_settings, expected, printed)))
    }

    /// What the account held before its first row, where the mapping says where that comes from.
    fn opening_balance(&self, account: u32, row: &Row) -> Option<i128> {
        self.opening.as_ref()?;
        if self.printed.contains_key(&account) {
            return None;
        }
        row.balance.map(|balance| balance - row.amount - row.residual).filter(|opening| *opening != 0)
    }

    fn identity(&mut self, row: &Row) -> Result<RowIdentity, ReadError> {
        let Some(id) = &row.id else {
            let amount = row.amount.to_string();
            let residual = row.residual.to_string();
            let date = row.date.to_string();
            let facts = [row.account.as_str(), &row.contra, &date, &amount, &residual, &row.description];
            let facts = facts.into_iter().chain(row.metadata.iter().map(String::as_str));
            return Ok(self.occurrences.next(RowIdentity::of(&self.source, facts)));
        };
        let identity = RowIdentity::of(&self.source, ["id", &row.account, id]);
        if self.ids.insert(identity) {
            Ok(identity)
        } else {
            Err(ReadError::at(row.line, format!("the id {id:?} stands twice for {:?}", row.account)))
        }
    }

    fn enter(&mut self, name: &str, line: u64, role: impl Fn(&Self) -> &Role) -> Result<u32, ReadError> {
        let encoded = self.encoded(name, line)?;
        let account = self.open(encoded, role(self));
        Ok(self.chart.enter(account))
    }

    /// The ledger's form of a name; rows of one account come by the hundred.
    fn encoded(&mut self, name: &str, line: u64) -> Result<Arc<str>, ReadError> {
        if let Some(encoded) = self.encoded.get(name) {
            return Ok(Arc::clone(encoded));
        }
        let encoded: Arc<str> = names::encode(name).map_err(|error| ReadError::at(line, error.to_string()))?.into();
        self.encoded.insert(name.to_owned(), Arc::clone(&encoded));
        Ok(encoded)
    }

    fn enter_fixed(&mut self, role: impl Fn(&Self) -> Option<&(Arc<str>, Role)>) -> u32 {
        // The mapping was checked: a residual or an opening balance has its account.
        role(self)
            .map(|(name, role)| self.open(Arc::clone(name), role))
            .map_or(u32::MAX, |account| self.chart.enter(account))
    }

    fn open(&self, name: Arc<str>, role: &Role) -> Account {
        Account {
            name,
            asset: Arc::clone(&self.asset),
            scale: role.scale,
            normal_side: role.normal_side,
            stated_side: role.normal_side,
            min_balance: role.min_balance,
            max_balance: role.max_balance,
        }
    }

    fn transaction(
        &self,
        row: &Row,
        identity: RowIdentity,
        part: Part,
        (account, other, growth): (u32, u32, i128),
    ) -> Transaction {
        let debit = match self.account.normal_side {
            Side::Debit => growth,
            Side::Credit => -growth,
        };
        let metadata = self.metadata.iter().zip(&row.metadata).filter(|(_, value)| !value.is_empty());
        Transaction {
            row: identity.part(part),
            date: row.date,
            description: row.description.clone(),
            metadata: metadata.map(|(name, value)| (Arc::clone(name), value.clone())).collect(),
            legs: vec![
                Leg { account, debit, expect_after: None },
                Leg { account: other, debit: -debit, expect_after: None },
            ],
        }
    }
}

fn fixed_name(role: &AccountMapping) -> Result<Arc<str>, MappingError> {
    let bound: Bound = role.name.bind(|_| None).map_err(|column| {
        MappingError::Sense(format!(
            "rounding or opening account depends on the column {column:?}; it must be one account"
        ))
    })?;
    let name = names::encode(&bound.fill(|_| "")).map_err(|error| MappingError::Sense(error.to_string()))?;
    Ok(name.into())
}
