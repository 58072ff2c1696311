//! From parsed entries to steps: everything inferred, every balance followed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::assertion;
use super::balance::CostSums;
use super::syntax::{Entry, Journal, Posting, Quantity};
use crate::import::ReadError;
use crate::import::identity::{Occurrences, Part, RowIdentity};
use crate::import::plan::{Account, Chart, Leg, Movement, Notes, Side, Step, Transaction};
use crate::money::MAX_SCALE;
use crate::names;

/// Where the two sides of an exchange meet; hledger's own name for it.
const CONVERSION: &str = "equity:conversion";
/// All entries of a journal lean on each other's balances, so they are one chain.
pub const CHAIN: u32 = 0;

/// Balances by account and asset, debit positive, while walking the journal.
pub type Books<'j> = HashMap<&'j str, BTreeMap<&'j str, i128>>;

/// A posting with its amount worked out; one without an amount can stand for several.
pub struct Resolved<'j> {
    /// The posting as written.
    pub posting: &'j Posting,
    /// The asset of `minor`.
    pub asset: &'j str,
    /// Minor units, debit positive.
    pub minor: i128,
}

/// All that one transaction does to one account.
pub struct Draft<'j> {
    /// The account as written.
    pub account: &'j str,
    /// Its asset.
    pub asset: &'j str,
    /// Minor units, debit positive.
    pub minor: i128,
    /// The balance it must lead to, debit positive.
    pub expect_after: Option<i128>,
}

/// The steps of a journal whose entries stand in order of their dates.
pub fn resolve(journal: &Journal, source: &str) -> Result<(Vec<Step>, Chart, Notes), ReadError> {
    let mut resolver = Resolver {
        source,
        scales: scales(journal)?,
        types: &journal.account_types,
        chart: Chart::default(),
        notes: Notes(journal.skipped.clone()),
        occurrences: Occurrences::default(),
        books: Books::new(),
    };
    let mut steps = Vec::with_capacity(journal.entries.len());
    for entry in &journal.entries {
        resolver.entry(entry, &mut steps)?;
    }
    Ok((steps, resolver.chart, resolver.notes))
}

/// The decimals of each asset: the most that a directive or any amount or balance shows.
fn scales(journal: &Journal) -> Result<BTreeMap<&str, u32>, ReadError> {
    let declared = journal.declared_decimals.iter().map(|(asset, decimals)| (asset.as_str(), *decimals));
    let mut scales: BTreeMap<&str, u32> = declared.collect();
    for posting in journal.entries.iter().flat_map(|entry| &entry.postings) {
        let stated = posting.assertion.as_ref().map(|assertion| &assertion.quantity);
        for quantity in posting.amount.iter().chain(stated) {
            let decimals = quantity.number.significant_decimals();
            if decimals > MAX_SCALE {
                return Err(ReadError::at(posting.line, format!("the ledger keeps {MAX_SCALE} decimals, not more")));
            }
            let scale = scales.entry(&quantity.commodity).or_default();
            *scale = decimals.max(*scale);
        }
    }
    Ok(scales)
}

struct Resolver<'j> {
    source: &'j str,
    scales: BTreeMap<&'j str, u32>,
    types: &'j BTreeMap<String, char>,
    chart: Chart,
    notes: Notes,
    occurrences: Occurrences,
    books: Books<'j>,
}

impl<'j> Resolver<'j> {
    fn entry(&mut self, entry: &'j Entry, steps: &mut Vec<Step>) -> Result<(), ReadError> {
        let resolved = self.infer(entry)?;
        let mut drafts = self.merge(&resolved);
        let scales = &self.scales;
        let scale = |asset: &str| scale_of(scales, asset);
        let broken = assertion::check(&resolved, &mut drafts, &mut self.books, scale)?;
        steps.extend(broken.into_iter().map(Step::Broken));
        let before = drafts.len();
        drafts.retain(|draft| draft.minor != 0);
        for _ in drafts.len()..before {
            self.notes.count("zero postings dropped");
        }
        if drafts.is_empty() {
            self.notes.count("entries without an amount left out");
            return Ok(());
        }
        let transaction = self.transaction(entry, &drafts)?;
        steps.push(Step::Post(Movement { line: entry.line, chain: CHAIN, transactions: vec![transaction] }));
        Ok(())
    }

    /// Works out the amounts that are left to be inferred, and refuses an entry that does not balance.
    fn infer(&mut self, entry: &'j Entry) -> Result<Vec<Resolved<'j>>, ReadError> {
        let mut sums = CostSums::default();
        let mut resolved = Vec::with_capacity(entry.postings.len());
        let mut open: Option<&Posting> = None;
        for posting in &entry.postings {
            let at = |what: String| ReadError::at(posting.line, what);
            sums.add(posting).map_err(at)?;
            if let Some(amount) = &posting.amount {
                let minor = self.minor(amount, posting.line)?;
                resolved.push(Resolved { posting, asset: &amount.commodity, minor });
            } else if let Some(assertion) = &posting.assertion {
                let asset = assertion.quantity.commodity.as_str();
                let held = self.held(posting, asset, &resolved);
                let minor = self.minor(&assertion.quantity, posting.line)? - held;
                sums.add_minor(asset, minor, self.scale(asset)).map_err(at)?;
                resolved.push(Resolved { posting, asset, minor });
            } else if open.replace(posting).is_some() {
                return Err(at("a second posting without an amount".to_owned()));
            }
        }
        let remainders = sums.remainders(|asset| self.scale(asset));
        match open {
            Some(posting) => {
                let inferred = remainders.iter().map(|(asset, minor)| Resolved { posting, asset, minor: -minor });
                resolved.extend(inferred);
            }
            None if remainders.is_empty() || sums.is_plain_exchange(&remainders) => {}
            None => {
                let left = remainders
                    .iter()
                    .map(|(asset, minor)| format!("{} {asset}", crate::money::show(*minor, self.scale(asset))));
                let left = left.collect::<Vec<_>>().join(", ");
                return Err(ReadError::at(entry.line, format!("the entry does not balance: {left} too much")));
            }
        }
        Ok(resolved)
    }

    /// What a posting's account holds at that point of its own entry.
    fn held(&self, posting: &Posting, asset: &str, earlier: &[Resolved<'j>]) -> i128 {
        let before = self.books.get(posting.account.as_str()).and_then(|account| account.get(asset)).copied();
        let within = earlier.iter().filter(|other| other.posting.account == posting.account && other.asset == asset);
        before.unwrap_or_default() + within.map(|other| other.minor).sum::<i128>()
    }

    /// One draft per account and asset, exchanges balanced per asset.
    fn merge(&mut self, resolved: &[Resolved<'j>]) -> Vec<Draft<'j>> {
        let mut drafts: Vec<Draft<'j>> = Vec::with_capacity(resolved.len());
        let mut totals: BTreeMap<&'j str, i128> = BTreeMap::new();
        for one in resolved {
            *totals.entry(one.asset).or_default() += one.minor;
            let account = one.posting.account.as_str();
            if let Some(draft) = drafts.iter_mut().find(|draft| draft.account == account && draft.asset == one.asset) {
                self.notes.count("postings merged with another of the same account");
                draft.minor += one.minor;
            } else {
                drafts.push(Draft { account, asset: one.asset, minor: one.minor, expect_after: None });
            }
        }
        for (asset, total) in totals.into_iter().filter(|(_, total)| *total != 0) {
            self.notes.count("exchange legs added on equity:conversion");
            match drafts.iter_mut().find(|draft| draft.account == CONVERSION && draft.asset == asset) {
                Some(draft) => draft.minor -= total,
                None => drafts.push(Draft { account: CONVERSION, asset, minor: -total, expect_after: None }),
            }
            *self.books.entry(CONVERSION).or_default().entry(asset).or_default() -= total;
        }
        drafts
    }

    fn transaction(&mut self, entry: &Entry, drafts: &[Draft<'j>]) -> Result<Transaction, ReadError> {
        let mut legs = Vec::with_capacity(drafts.len());
        let mut facts = vec![entry.date.to_string(), entry.description.clone()];
        facts.extend(entry.metadata.iter().filter(|(name, _)| name == "code").map(|(_, code)| code.clone()));
        for draft in drafts {
            facts.extend([draft.account.to_owned(), draft.asset.to_owned(), draft.minor.to_string()]);
            let account = self.open(draft).map_err(|what| ReadError::at(entry.line, what))?;
            let sign = if account.normal_side == Side::Debit { 1 } else { -1 };
            let account = self.chart.enter(account);
            legs.push(Leg {
                account,
                debit: draft.minor,
                expect_after: draft.expect_after.map(|expected| sign * expected),
            });
        }
        let identity = self.occurrences.next(RowIdentity::of(self.source, facts.iter().map(String::as_str)));
        Ok(Transaction {
            row: identity.part(Part::Amount),
            date: entry.date,
            description: entry.description.clone(),
            metadata: entry.metadata.iter().map(|(name, value)| (Arc::from(name.as_str()), value.clone())).collect(),
            legs,
        })
    }

    fn open(&self, draft: &Draft<'j>) -> Result<Account, String> {
        Ok(Account {
            name: names::encode(draft.account).map_err(|error| error.to_string())?.into(),
            asset: draft.asset.into(),
            scale: self.scale(draft.asset),
            normal_side: normal_side(draft.account, self.types),
            stated_side: Side::Debit,
            min_balance: None,
            max_balance: None,
        })
    }

    fn scale(&self, asset: &str) -> u32 {
        scale_of(&self.scales, asset)
    }

    fn minor(&self, quantity: &Quantity, line: u64) -> Result<i128, ReadError> {
        minor(quantity, self.scale(&quantity.commodity), line)
    }
}

/// A quantity in minor units, within what the ledger stores.
pub fn minor(quantity: &Quantity, scale: u32, line: u64) -> Result<i128, ReadError> {
    let minor = quantity.number.minor(scale).filter(|minor| minor.abs() <= crate::money::LIMIT);
    minor.ok_or_else(|| ReadError::at(line, "the amount is beyond ±10^18 minor units"))
}

fn scale_of(scales: &BTreeMap<&str, u32>, asset: &str) -> u32 {
    scales.get(asset).copied().unwrap_or_default()
}

/// By the declared type, or else by the first part of the name, as hledger guesses it.
fn normal_side(account: &str, types: &BTreeMap<String, char>) -> Side {
    let declared = types.iter().filter(|(name, _)| {
        account.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    });
    // The declaration nearest to the account wins.
    if let Some((_, kind)) = declared.max_by_key(|(name, _)| name.len()) {
        return if matches!(kind, 'L' | 'E' | 'R') { Side::Credit } else { Side::Debit };
    }
    let root = account.split(':').next().unwrap_or_default().to_lowercase();
    match root.as_str() {
        "liability" | "liabilities" | "debt" | "debts" | "equity" | "revenue" | "revenues" | "income" | "incomes" => {
            Side::Credit
        }
        _ => Side::Debit,
    }
}
